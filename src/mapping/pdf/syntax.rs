//! The objects a PDF is made of, read from bytes that anybody may have written. Nothing here panics, recurses without end or
//! unpacks without a bound.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::Read as _;

use flate2::read::ZlibDecoder;

/// Objects inside objects.
const MAX_DEPTH: usize = 32;
const MAX_OBJECTS: usize = 200_000;
/// Tables of places: one, and one more for each time somebody saved on top.
const MAX_TABLES: usize = 16;
const MAX_STREAM_BYTES: u64 = 32 * 1024 * 1024;
/// Objects of one stream or one dictionary.
const MAX_TOKENS: usize = 2_000_000;
/// Bytes looked at to find objects; one that is asked for twice counts twice.
const MAX_LOOKED_AT: usize = 256 * 1024 * 1024;
/// All streams of one file together, unpacked.
const MAX_UNPACKED_BYTES: u64 = 128 * 1024 * 1024;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PdfError {
    #[error("no PDF")]
    NotPdf,
    #[error("a PDF whose table of objects is not at its end, or packed: another program wrote it")]
    NoTable,
    #[error("object {0} is not where the table says")]
    NoObject(u32),
    #[error("{0}")]
    Broken(&'static str),
    #[error("more than {0}")]
    TooMuch(&'static str),
}

pub(super) type Dict = BTreeMap<String, Object>;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Object {
    Null,
    Number(f64),
    Name(String),
    Text(Vec<u8>),
    Array(Vec<Object>),
    Dict(Dict),
    Reference(u32),
    /// A word that is none of these: an operator of a page's content, `true`, `endobj`.
    Word(String),
}

impl Object {
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    fn index(&self) -> Option<usize> {
        let number = self.number()?;
        let fits = (0.0..4_294_967_296.0).contains(&number) && number.fract() == 0.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number within 32 bits"
        )]
        fits.then_some(number as usize)
    }

    pub(super) fn dict(&self) -> Option<&Dict> {
        match self {
            Self::Dict(dict) => Some(dict),
            _ => None,
        }
    }
}

pub(super) struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
    tokens: usize,
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, 0 | 9 | 10 | 12 | 13 | 32)
}

fn is_mark(byte: u8) -> bool {
    matches!(
        byte,
        b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%'
    )
}

impl<'a> Lexer<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, tokens: 0 }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while let Some(byte) = self.peek() {
            if byte == b'%' {
                while self.peek().is_some_and(|byte| byte != b'\n' && byte != b'\r') {
                    self.at += 1;
                }
            } else if is_blank(byte) {
                self.at += 1;
            } else {
                break;
            }
        }
    }

    fn skip(&mut self, text: &[u8]) -> bool {
        let there = self
            .bytes
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(text));
        if there {
            self.at += text.len();
        }
        there
    }

    /// The next object; `None` at the end, and at a bracket that closes.
    pub(super) fn object(&mut self) -> Option<Object> {
        self.inner(0)
    }

    fn inner(&mut self, depth: usize) -> Option<Object> {
        self.tokens += 1;
        if depth > MAX_DEPTH || self.tokens > MAX_TOKENS {
            return None;
        }
        self.blanks();
        match self.peek()? {
            b'/' => {
                self.at += 1;
                Some(Object::Name(self.word()))
            }
            b'(' => Some(Object::Text(self.text())),
            b'[' => {
                self.at += 1;
                let mut items = Vec::new();
                while let Some(item) = self.inner(depth + 1) {
                    self.push(&mut items, item);
                }
                self.blanks();
                self.skip(b"]").then_some(Object::Array(items))
            }
            b'<' if self.bytes.get(self.at + 1) == Some(&b'<') => {
                self.at += 2;
                let mut items = Vec::new();
                while let Some(item) = self.inner(depth + 1) {
                    self.push(&mut items, item);
                }
                self.blanks();
                if !self.skip(b">>") {
                    return None;
                }
                let mut dict = Dict::new();
                let mut items = items.into_iter();
                while let (Some(Object::Name(key)), Some(value)) = (items.next(), items.next()) {
                    dict.insert(key, value);
                }
                Some(Object::Dict(dict))
            }
            b'<' => Some(Object::Text(self.hexadecimal())),
            b']' | b'>' | b')' | b'{' | b'}' => None,
            _ => {
                let word = self.word();
                let number: Option<f64> = word.parse().ok().filter(|number: &f64| number.is_finite());
                Some(match (number, word.as_str()) {
                    (Some(number), _) => Object::Number(number),
                    (None, "null") => Object::Null,
                    (None, _) => Object::Word(word),
                })
            }
        }
    }

    /// `7 0 R` is three tokens and one object.
    fn push(&mut self, items: &mut Vec<Object>, item: Object) {
        if item == Object::Word("R".to_owned())
            && let [.., Object::Number(_), Object::Number(_)] = items.as_slice()
        {
            items.pop();
            let number = items.pop().and_then(|number| u32::try_from(number.index()?).ok());
            items.push(number.map_or(Object::Null, Object::Reference));
        } else {
            items.push(item);
        }
    }

    fn word(&mut self) -> String {
        let from = self.at;
        while self.peek().is_some_and(|byte| !is_blank(byte) && !is_mark(byte)) {
            self.at += 1;
        }
        String::from_utf8_lossy(self.bytes.get(from..self.at).unwrap_or_default()).into_owned()
    }

    fn hexadecimal(&mut self) -> Vec<u8> {
        self.at += 1;
        let mut digits = Vec::new();
        while let Some(byte) = self.peek() {
            self.at += 1;
            match char::from(byte).to_digit(16) {
                Some(digit) => digits.extend(u8::try_from(digit)),
                None if byte == b'>' => break,
                None => {}
            }
        }
        digits
            .chunks(2)
            .map(|pair| pair.first().unwrap_or(&0) << 4 | pair.get(1).unwrap_or(&0))
            .collect()
    }

    fn text(&mut self) -> Vec<u8> {
        self.at += 1;
        let (mut out, mut open) = (Vec::new(), 1_u32);
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'(' => open += 1,
                b')' => {
                    open -= 1;
                    if open == 0 {
                        break;
                    }
                }
                b'\\' => {
                    self.escaped(&mut out);
                    continue;
                }
                _ => {}
            }
            out.push(byte);
        }
        out
    }

    fn escaped(&mut self, out: &mut Vec<u8>) {
        let Some(byte) = self.peek() else { return };
        self.at += 1;
        match byte {
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'\r' => {
                self.skip(b"\n");
            }
            b'\n' => {}
            b'0'..=b'7' => {
                let mut value = u32::from(byte - b'0');
                for _ in 0..2 {
                    match self.peek() {
                        Some(digit @ b'0'..=b'7') => {
                            value = value * 8 + u32::from(digit - b'0');
                            self.at += 1;
                        }
                        _ => break,
                    }
                }
                out.extend(u8::try_from(value & 0xFF));
            }
            other => out.push(other),
        }
    }
}

/// A file: where its objects are.
pub(super) struct File<'a> {
    bytes: &'a [u8],
    places: BTreeMap<u32, usize>,
    pub trailer: Dict,
    unpacked: u64,
    looked_at: Cell<usize>,
}

impl<'a> File<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, PdfError> {
        if !bytes.starts_with(b"%PDF-") {
            return Err(PdfError::NotPdf);
        }
        let tail = bytes.len().saturating_sub(2_048);
        let end = bytes.get(tail..).unwrap_or_default();
        let key = b"startxref";
        let found = end.windows(key.len()).rposition(|window| window == key);
        let at = found.map(|at| tail + at + key.len()).ok_or(PdfError::NoTable)?;
        let mut next = Lexer::new(bytes, at).object().and_then(|number| number.index());
        let mut file = Self {
            bytes,
            places: BTreeMap::new(),
            trailer: Dict::new(),
            unpacked: 0,
            looked_at: Cell::new(0),
        };
        for _ in 0..MAX_TABLES {
            let Some(at) = next else { break };
            let trailer = file.table(at)?;
            next = trailer.get("Prev").and_then(Object::index);
            // The newest word about an object is the one that counts.
            for (key, value) in trailer {
                file.trailer.entry(key).or_insert(value);
            }
        }
        match file.trailer.is_empty() {
            true => Err(PdfError::NoTable),
            false => Ok(file),
        }
    }

    fn table(&mut self, at: usize) -> Result<Dict, PdfError> {
        let mut lexer = Lexer::new(self.bytes, at);
        if lexer.object() != Some(Object::Word("xref".to_owned())) {
            return Err(PdfError::NoTable);
        }
        loop {
            match lexer.object() {
                Some(Object::Word(word)) if word == "trailer" => break,
                Some(first) => {
                    let first = first.index().ok_or(PdfError::NoTable)?;
                    let count = lexer.object().and_then(|count| count.index());
                    for number in 0..count.ok_or(PdfError::NoTable)? {
                        let (place, _, used) = (lexer.object(), lexer.object(), lexer.object());
                        let place = place.and_then(|place| place.index()).ok_or(PdfError::NoTable)?;
                        if used == Some(Object::Word("n".to_owned())) {
                            let number = u32::try_from(first + number).map_err(|_| PdfError::NoTable)?;
                            self.places.entry(number).or_insert(place);
                        }
                        if self.places.len() > MAX_OBJECTS {
                            return Err(PdfError::TooMuch("200,000 objects"));
                        }
                    }
                }
                None => return Err(PdfError::NoTable),
            }
        }
        match lexer.object() {
            Some(Object::Dict(trailer)) if !trailer.contains_key("Encrypt") => Ok(trailer),
            Some(Object::Dict(_)) => Err(PdfError::Broken("an encrypted PDF")),
            _ => Err(PdfError::NoTable),
        }
    }

    fn at(&self, number: u32) -> Result<(Object, Lexer<'a>), PdfError> {
        let missing = PdfError::NoObject(number);
        let place = self.places.get(&number).ok_or_else(|| missing.clone())?;
        let place = *place;
        let mut lexer = Lexer::new(self.bytes, place);
        let head = (lexer.object(), lexer.object(), lexer.object());
        let its = head
            .0
            .and_then(|head| head.index())
            .and_then(|head| u32::try_from(head).ok());
        if its != Some(number) || head.2 != Some(Object::Word("obj".to_owned())) {
            return Err(missing);
        }
        let object = lexer.object().ok_or(missing)?;
        let looked_at = self.looked_at.get().saturating_add(lexer.at - place);
        self.looked_at.set(looked_at);
        match looked_at > MAX_LOOKED_AT {
            true => Err(PdfError::TooMuch("256 MiB of objects")),
            false => Ok((object, lexer)),
        }
    }

    /// The object itself, or the one it refers to.
    pub(super) fn resolved(&self, object: &Object) -> Result<Object, PdfError> {
        match object {
            Object::Reference(number) => Ok(self.at(*number)?.0),
            other => Ok(other.clone()),
        }
    }

    /// A value of a dictionary, wherever it stands.
    pub(super) fn value(&self, dict: &Dict, key: &str) -> Result<Option<Object>, PdfError> {
        dict.get(key).map(|value| self.resolved(value)).transpose()
    }

    /// The bytes of a stream, unpacked.
    pub(super) fn stream(&mut self, number: u32) -> Result<Vec<u8>, PdfError> {
        let (object, mut lexer) = self.at(number)?;
        let dict = object
            .dict()
            .ok_or(PdfError::Broken("a stream without a dictionary"))?;
        let length = self.value(dict, "Length")?.and_then(|length| length.index());
        let length = length.ok_or(PdfError::Broken("a stream without a length"))?;
        lexer.blanks();
        if !lexer.skip(b"stream") {
            return Err(PdfError::Broken("an object that should be a stream"));
        }
        lexer.skip(b"\r");
        lexer.skip(b"\n");
        let end = lexer.at.saturating_add(length);
        let packed = self
            .bytes
            .get(lexer.at..end)
            .ok_or(PdfError::Broken("a stream that is cut off"))?;
        let mut out = Vec::new();
        match self.value(dict, "Filter")? {
            None => out.extend_from_slice(packed),
            Some(Object::Name(name)) if name == "FlateDecode" && !dict.contains_key("DecodeParms") => {
                let read = ZlibDecoder::new(packed)
                    .take(MAX_STREAM_BYTES + 1)
                    .read_to_end(&mut out);
                read.map_err(|_| PdfError::Broken("a stream that cannot be unpacked"))?;
            }
            Some(_) => return Err(PdfError::Broken("a stream packed in a way that is not read")),
        }
        let bytes = u64::try_from(out.len()).unwrap_or(u64::MAX);
        self.unpacked = self.unpacked.saturating_add(bytes);
        if bytes > MAX_STREAM_BYTES || self.unpacked > MAX_UNPACKED_BYTES {
            return Err(PdfError::TooMuch("32 MiB in a stream or 128 MiB in a file"));
        }
        Ok(out)
    }
}
