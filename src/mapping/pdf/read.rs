//! Every text of a PDF with its place, read from what the pages draw and from the tables that give glyphs their characters: the
//! same a person's reader shows, and nothing of how the page was set.

use std::collections::BTreeMap;

use super::syntax::{Dict, File, Lexer, Object, PdfError};

const MAX_FILE_BYTES: usize = 64 * 1024 * 1024;
const MAX_PAGES: usize = 2_000;
/// Nodes of the tree the pages hang on.
const MAX_NODES: usize = 10_000;
const MAX_RUNS: usize = 1_000_000;
const MAX_OPERANDS: usize = 100;
/// Glyphs of a font; two bytes name no more.
const MAX_CHARACTERS: usize = 65_536;
const MM: f64 = 25.4 / 72.0;

/// One text as it was shown, from the upper left corner of its page.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// From 0.
    pub page: usize,
    pub x_mm: f32,
    /// Its baseline.
    pub y_mm: f32,
    pub text: String,
}

type Matrix = [f64; 6];
const STILL: Matrix = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];

/// What first does `a` and then `b`.
fn after(a: Matrix, b: Matrix) -> Matrix {
    [
        a[0] * b[0] + a[1] * b[2],
        a[0] * b[1] + a[1] * b[3],
        a[2] * b[0] + a[3] * b[2],
        a[2] * b[1] + a[3] * b[3],
        a[4] * b[0] + a[5] * b[2] + b[4],
        a[4] * b[1] + a[5] * b[3] + b[5],
    ]
}

/// # Errors
/// When the bytes are no PDF, or one that this reader does not know: packed tables of objects, forms inside pages, encryption.
pub fn runs(bytes: &[u8]) -> Result<Vec<Run>, PdfError> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(PdfError::TooMuch("64 MiB"));
    }
    let mut file = File::open(bytes)?;
    let root = dict(&file, &file.trailer, "Root")?;
    let tree = dict(&file, &root, "Pages")?;
    let pages = leaves(&file, tree)?;
    let mut fonts: BTreeMap<u32, BTreeMap<u16, String>> = BTreeMap::new();
    let mut runs = Vec::new();
    for (no, (page, height)) in pages.iter().enumerate() {
        let mut content = Vec::new();
        for part in references(page.get("Contents")) {
            content.extend(file.stream(part)?);
            content.push(b'\n');
        }
        let mut names = BTreeMap::new();
        if let Some(Object::Dict(resources)) = file.value(page, "Resources")?
            && let Some(Object::Dict(known)) = file.value(&resources, "Font")?
        {
            for (name, font) in known {
                let Object::Reference(number) = font else {
                    return Err(PdfError::Broken("a font inside a page"));
                };
                if let std::collections::btree_map::Entry::Vacant(place) = fonts.entry(number) {
                    place.insert(characters(&mut file, number)?);
                }
                names.insert(name, number);
            }
        }
        let mut reading = Reading {
            page: no,
            height: *height,
            matrix: STILL,
            saved: Vec::new(),
            text: STILL,
            font: None,
            spoken: None,
            run: None,
            runs: &mut runs,
        };
        reading.content(&content, &names, &fonts)?;
    }
    Ok(runs)
}

fn dict(file: &File<'_>, of: &Dict, key: &'static str) -> Result<Dict, PdfError> {
    match file.value(of, key)? {
        Some(Object::Dict(dict)) => Ok(dict),
        _ => Err(PdfError::Broken("a PDF without pages")),
    }
}

fn references(object: Option<&Object>) -> Vec<u32> {
    match object {
        Some(Object::Reference(number)) => vec![*number],
        Some(Object::Array(all)) => all
            .iter()
            .filter_map(|one| match one {
                Object::Reference(number) => Some(*number),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// The pages of the tree, in order, with their heights.
fn leaves(file: &File<'_>, tree: Dict) -> Result<Vec<(Dict, f64)>, PdfError> {
    let (mut open, mut pages, mut nodes) = (vec![(tree, None)], Vec::new(), 0_usize);
    while let Some((node, height)) = open.pop() {
        nodes += 1;
        if nodes > MAX_NODES || pages.len() >= MAX_PAGES {
            return Err(PdfError::TooMuch("2,000 pages"));
        }
        let height = match file.value(&node, "MediaBox")? {
            Some(Object::Array(area)) => match area.as_slice() {
                [_, bottom, _, top] => top
                    .number()
                    .zip(bottom.number())
                    .map(|(top, bottom)| top - bottom),
                _ => None,
            },
            _ => height,
        };
        let Some(kids) = node.get("Kids") else {
            pages.push((node, height.ok_or(PdfError::Broken("a page without a size"))?));
            continue;
        };
        let kids = references(Some(kids));
        if kids.len() + open.len() > MAX_NODES {
            return Err(PdfError::TooMuch("2,000 pages"));
        }
        // The last one is taken first.
        for kid in kids.into_iter().rev() {
            match file.resolved(&Object::Reference(kid))? {
                Object::Dict(kid) => open.push((kid, height)),
                _ => return Err(PdfError::NoObject(kid)),
            }
        }
    }
    Ok(pages)
}

/// Which characters the glyphs of a font stand for, as the file says.
fn characters(file: &mut File<'_>, font: u32) -> Result<BTreeMap<u16, String>, PdfError> {
    let font = file.resolved(&Object::Reference(font))?;
    let map = match font.dict().and_then(|font| font.get("ToUnicode")) {
        Some(Object::Reference(map)) => file.stream(*map)?,
        _ => return Err(PdfError::Broken("a font that does not say its characters")),
    };
    let mut known = BTreeMap::new();
    let mut lexer = Lexer::new(&map, 0);
    let (mut texts, mut named): (Vec<Object>, usize) = (Vec::new(), 0);
    while let Some(object) = lexer.object() {
        match &object {
            Object::Word(word) if word.starts_with("begin") => texts.clear(),
            Object::Word(word) if word == "endbfchar" => {
                for pair in texts.chunks(2) {
                    if let [Object::Text(glyph), Object::Text(text)] = pair {
                        known.insert(code(glyph), utf16(text));
                    }
                }
            }
            Object::Word(word) if word == "endbfrange" => {
                for range in texts.chunks(3) {
                    if let [Object::Text(first), Object::Text(last), Object::Text(text)] = range {
                        let (first, last) = (code(first), code(last));
                        named += usize::from(last.saturating_sub(first)) + 1;
                        if named > MAX_CHARACTERS {
                            return Err(PdfError::TooMuch("65,536 characters in a font"));
                        }
                        for glyph in first..=last {
                            known.insert(glyph, utf16(&shifted(text, glyph - first)));
                        }
                    }
                }
            }
            _ => texts.push(object),
        }
    }
    Ok(known)
}

fn code(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |code, byte| code << 8 | u16::from(*byte))
}

/// The text of the glyph that stands so far behind the first one of a range.
fn shifted(text: &[u8], by: u16) -> Vec<u8> {
    let mut text = text.to_vec();
    let at = text.len().saturating_sub(2);
    if let Some(last) = text.get_mut(at..)
        && let Ok(pair) = <[u8; 2]>::try_from(&*last)
    {
        last.copy_from_slice(&u16::from_be_bytes(pair).wrapping_add(by).to_be_bytes());
    }
    text
}

fn utf16(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(&[0xFE, 0xFF]).unwrap_or(bytes);
    let units: Vec<u16> = bytes.chunks(2).map(code).collect();
    String::from_utf16_lossy(&units)
}

struct Reading<'r> {
    page: usize,
    height: f64,
    matrix: Matrix,
    saved: Vec<Matrix>,
    text: Matrix,
    font: Option<u32>,
    /// What a stretch says in truth, where one glyph stands for two characters.
    spoken: Option<String>,
    run: Option<Run>,
    runs: &'r mut Vec<Run>,
}

impl Reading<'_> {
    fn content(
        &mut self,
        content: &[u8],
        names: &BTreeMap<String, u32>,
        fonts: &BTreeMap<u32, BTreeMap<u16, String>>,
    ) -> Result<(), PdfError> {
        let mut lexer = Lexer::new(content, 0);
        let mut operands: Vec<Object> = Vec::new();
        while let Some(object) = lexer.object() {
            let Object::Word(operator) = object else {
                if operands.len() >= MAX_OPERANDS {
                    return Err(PdfError::TooMuch("100 operands"));
                }
                operands.push(object);
                continue;
            };
            match operator.as_str() {
                "q" if self.saved.len() < 64 => self.saved.push(self.matrix),
                "q" => return Err(PdfError::TooMuch("64 states")),
                "Q" => self.matrix = self.saved.pop().unwrap_or(STILL),
                "cm" => self.matrix = after(matrix(&operands)?, self.matrix),
                "BT" => self.text = STILL,
                "Tm" => self.text = matrix(&operands)?,
                "Tf" => {
                    let name = match operands.first() {
                        Some(Object::Name(name)) => names.get(name).copied(),
                        _ => None,
                    };
                    self.font = Some(name.ok_or(PdfError::Broken("a font that the page does not have"))?);
                }
                "Tj" | "TJ" => {
                    let shown = operands.first();
                    let known = self.font.and_then(|font| fonts.get(&font));
                    self.show(shown, known.ok_or(PdfError::Broken("a text without a font"))?)?;
                }
                "BDC" => {
                    let said = operands.get(1).and_then(Object::dict);
                    if let Some(Object::Text(said)) = said.and_then(|said| said.get("ActualText")) {
                        self.spoken = Some(match said.starts_with(&[0xFE, 0xFF]) {
                            true => utf16(said),
                            false => String::from_utf8_lossy(said).into_owned(),
                        });
                    }
                }
                "EMC" => self.spoken = None,
                "ET" => {
                    self.runs.extend(self.run.take());
                    if self.runs.len() > MAX_RUNS {
                        return Err(PdfError::TooMuch("1,000,000 texts"));
                    }
                }
                // What moves or shows text in another way, or draws a form or a picture: it might say something.
                "Td" | "TD" | "T*" | "'" | "\"" | "Do" | "BI" => {
                    return Err(PdfError::Broken("a page drawn in a way that is not read"));
                }
                _ => {}
            }
            operands.clear();
        }
        Ok(())
    }

    fn show(&mut self, shown: Option<&Object>, known: &BTreeMap<u16, String>) -> Result<(), PdfError> {
        let mut text = String::new();
        let parts = match shown {
            Some(Object::Array(parts)) => parts.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        for part in parts {
            if let Object::Text(glyphs) = part {
                for glyph in glyphs.chunks(2) {
                    let character = known.get(&code(glyph));
                    text += character.ok_or(PdfError::Broken("a glyph without a character"))?;
                }
            }
        }
        // A stretch with words of its own says them once, however many glyphs it has.
        let text = match &mut self.spoken {
            Some(spoken) => std::mem::take(spoken),
            None => text,
        };
        let place = after(self.text, self.matrix);
        #[expect(clippy::cast_possible_truncation, reason = "a place on a page")]
        let run = self.run.get_or_insert_with(|| Run {
            page: self.page,
            x_mm: (place[4] * MM) as f32,
            y_mm: ((self.height - place[5]) * MM) as f32,
            text: String::new(),
        });
        run.text += &text;
        Ok(())
    }
}

fn matrix(operands: &[Object]) -> Result<Matrix, PdfError> {
    let numbers: Vec<f64> = operands.iter().filter_map(Object::number).collect();
    numbers
        .try_into()
        .map_err(|_| PdfError::Broken("a matrix without six numbers"))
}
