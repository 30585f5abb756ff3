//! Labels for Zebra printers and the many that speak their language. Each label is one picture in the printer's own dots: what
//! was read back is what is burnt, and Chinese needs no font in the printer.

use super::font::Fonts;
use super::ink::{Drawing, Misfit};
use super::raster::{Dots, RasterError, dots};

pub const ZPL_MEDIA_TYPE: &str = "application/zpl";

/// The 203 dpi heads have eight dots a millimetre, to within a thousandth; bars are laid on that grid.
const DOTS_PER_MM: f32 = 203.0 / 25.4;

/// # Errors
/// When a label cannot become a picture.
pub fn write(drawings: &[Drawing], fonts: &Fonts) -> Result<Vec<u8>, RasterError> {
    let mut out = Vec::new();
    for (copies, drawing) in runs(drawings) {
        let picture = dots(drawing, fonts, DOTS_PER_MM)?;
        let from = out.len();
        // Home at the corner, width and length in dots, then one graphic field.
        let total = picture.bytes.len();
        let head = format!(
            "^XA^LH0,0^PW{}^LL{}^FO0,0^GFA,{total},{total},{},",
            picture.width, picture.height, picture.row_bytes
        );
        out.extend_from_slice(head.as_bytes());
        pack(&picture, &mut out);
        out.extend_from_slice(b"^FS^XZ\n");
        let label = from..out.len();
        for _ in 1..copies {
            out.extend_from_within(label.clone());
        }
    }
    Ok(out)
}

/// Each label with how often it follows itself.
fn runs(drawings: &[Drawing]) -> impl Iterator<Item = (usize, &Drawing)> {
    let same = drawings.chunk_by(|a, b| a == b);
    same.filter_map(|copies| copies.first().map(|first| (copies.len(), first)))
}

/// Reads every bar code back from the dots of a written file: the label by its number, the code's field, what it reads as and
/// what it should. A label that is no picture is said with nothing for its field.
pub fn misread(zpl: &[u8], drawings: &[Drawing]) -> Vec<(usize, Misfit)> {
    let text = String::from_utf8_lossy(zpl);
    let mut labels = text.split("^XA").skip(1);
    let (mut no, mut misfits) = (1, Vec::new());
    for (copies, drawing) in runs(drawings) {
        let label = labels.next().unwrap_or_default();
        match picture(label) {
            Ok(dots) => misfits.extend(drawing.misread_dots(&dots).map(|misfit| (no, misfit))),
            Err(error) => misfits.push((no, Misfit::of_label(error, "a picture that a printer can unpack"))),
        }
        // The same bytes again: one look is enough.
        for copy in 1..copies {
            if labels.next() != Some(label) {
                misfits.push((
                    no + copy,
                    Misfit::of_label("another label", "the one before it again"),
                ));
            }
        }
        no += copies;
    }
    misfits
}

/// Rows in hexadecimal, runs counted: `:` is the row above again, `,` the rest of the row in zeros, `!` in ones; `G` to `Y` is a
/// digit 1 to 19 times, `g` to `z` by twenties.
pub(super) fn pack(picture: &Dots, out: &mut Vec<u8>) {
    let mut above: Option<&[u8]> = None;
    let mut digits = Vec::with_capacity(picture.row_bytes * 2);
    for row in picture.bytes.chunks(picture.row_bytes.max(1)) {
        if above == Some(row) {
            out.push(b':');
            continue;
        }
        above = Some(row);
        digits.clear();
        digits.extend(row.iter().flat_map(|byte| [byte >> 4, byte & 15]));
        let tail = digits.last().copied().filter(|digit| matches!(digit, 0 | 15));
        let kept = match tail {
            Some(tail) => digits
                .iter()
                .rposition(|digit| *digit != tail)
                .map_or(0, |last| last + 1),
            None => digits.len(),
        };
        for run in digits.get(..kept).unwrap_or_default().chunk_by(|a, b| a == b) {
            let Some(digit) = run.first() else { continue };
            for part in run.chunks(400) {
                let (twenties, ones) = (part.len() / 20, part.len() % 20);
                if twenties > 0 {
                    out.push(letter(b'g', twenties));
                }
                if ones > 0 && part.len() > 1 {
                    out.push(letter(b'G', ones));
                }
                out.push(if *digit < 10 {
                    b'0' + digit
                } else {
                    b'A' + digit - 10
                });
            }
        }
        match tail {
            Some(0) => out.push(b','),
            Some(_) => out.push(b'!'),
            None => {}
        }
    }
}

/// The letter that says "so many times", counted from the one that says "once".
fn letter(once: u8, times: usize) -> u8 {
    once.saturating_add(u8::try_from(times.saturating_sub(1)).unwrap_or(u8::MAX))
}

/// A metre of paper and a picture of a square metre: more is no label, and a few letters can ask for it.
const MAX_ROW_BYTES: usize = 1_000;
const MAX_BYTES: usize = 8_000 * MAX_ROW_BYTES;

/// The pictures in a file of labels, as a printer unpacks them: one for each label, one after the other.
pub fn read(zpl: &str) -> impl Iterator<Item = Result<Dots, String>> {
    zpl.split("^XA").skip(1).map(picture)
}

/// What a printer would trip over is said.
fn picture(label: &str) -> Result<Dots, String> {
    let (_, field) = label.split_once("^GFA,").ok_or("no graphic field")?;
    let (field, _) = field.split_once("^FS").ok_or("a graphic field without an end")?;
    let mut parts = field.splitn(4, ',');
    let mut number = |what: &str, most: usize| {
        let number = parts.next().and_then(|text| text.parse::<usize>().ok());
        number
            .filter(|number| *number <= most)
            .ok_or_else(|| format!("no {what} of at most {most}"))
    };
    let (_, total, row_bytes) = (
        number("bytes sent", usize::MAX)?,
        number("bytes in all", MAX_BYTES)?,
        number("bytes a row", MAX_ROW_BYTES)?,
    );
    let data = parts.next().ok_or("no picture")?;
    let bytes = unpack(data, row_bytes, total)?;
    if bytes.len() != total || row_bytes == 0 {
        return Err(format!("{} bytes of {total}", bytes.len()));
    }
    let dots = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Ok(Dots {
        width: dots(row_bytes * 8),
        height: dots(total / row_bytes),
        row_bytes,
        bytes,
    })
}

/// Never more than the bytes in all that the label says.
fn unpack(data: &str, row_bytes: usize, total: usize) -> Result<Vec<u8>, String> {
    let width = row_bytes * 2;
    // All rows, one after the other; the last one begins at `row`.
    let mut digits: Vec<u8> = Vec::with_capacity(total * 2);
    let (mut row, mut times) = (0, 0);
    for c in data.chars() {
        match c {
            'G'..='Y' => times += (u32::from(c) - u32::from('G') + 1) as usize,
            'g'..='z' => times += ((u32::from(c) - u32::from('g') + 1) * 20) as usize,
            ',' => digits.resize(row + width, 0),
            '!' => digits.resize(row + width, 15),
            ':' => {
                let above = row.checked_sub(width).ok_or("no row above the first")?;
                digits.truncate(row);
                digits.extend_from_within(above..row);
            }
            _ => {
                let digit = c.to_digit(16).ok_or_else(|| format!("`{c}` in a picture"))?;
                let digit = u8::try_from(digit).map_err(|error| error.to_string())?;
                digits.extend(std::iter::repeat_n(digit, times.clamp(1, width + 1)));
                times = 0;
            }
        }
        if digits.len() > row + width {
            return Err(format!("row {} is too long", row / width.max(1) + 1));
        }
        if digits.len() == row + width {
            if row / 2 >= total {
                return Err(format!("more than {total} bytes"));
            }
            row += width;
        }
    }
    let (pairs, _) = digits.get(..row).unwrap_or_default().as_chunks::<2>();
    Ok(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}
