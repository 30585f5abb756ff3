//! Labels for Zebra printers and the many that speak their language. Each label is one picture in the printer's own dots: what
//! was read back is what is burnt, and Chinese needs no font in the printer.

use std::fmt::Write as _;

use super::font::Fonts;
use super::ink::Drawing;
use super::raster::{Dots, RasterError, dots};

pub const ZPL_MEDIA_TYPE: &str = "application/zpl";

/// The 203 dpi heads have eight dots a millimetre, to within a thousandth; bars are laid on that grid.
const DOTS_PER_MM: f32 = 203.0 / 25.4;

/// # Errors
/// When a label cannot become a picture.
pub fn write(drawings: &[Drawing], fonts: &Fonts) -> Result<Vec<u8>, RasterError> {
    let mut out = String::new();
    for drawing in drawings {
        let picture = dots(drawing, fonts, DOTS_PER_MM)?;
        // UTF-8 off, home at the corner, width and length in dots, then one graphic field.
        let total = picture.bytes.len();
        let head = format!(
            "^XA^LH0,0^PW{}^LL{}^FO0,0^GFA,{total},{total},{},",
            picture.width, picture.height, picture.row_bytes
        );
        out.push_str(&head);
        pack(&picture, &mut out);
        out.push_str("^FS^XZ\n");
    }
    Ok(out.into_bytes())
}

/// Rows in hexadecimal, runs counted: `:` is the row above again, `,` the rest of the row in zeros, `!` in ones; `G` to `Y` is a
/// digit 1 to 19 times, `g` to `z` by twenties.
pub(super) fn pack(picture: &Dots, out: &mut String) {
    let mut above: Option<&[u8]> = None;
    for row in picture.bytes.chunks(picture.row_bytes.max(1)) {
        if above == Some(row) {
            out.push(':');
            continue;
        }
        above = Some(row);
        let digits: Vec<u8> = row.iter().flat_map(|byte| [byte >> 4, byte & 15]).collect();
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
                push_digit(*digit, out);
            }
        }
        match tail {
            Some(0) => out.push(','),
            Some(_) => out.push('!'),
            None => {}
        }
    }
}

fn push_digit(digit: u8, out: &mut String) {
    // Writing into a text cannot fail.
    let _ = write!(out, "{digit:X}");
}

/// The letter that says "so many times", counted from the one that says "once".
fn letter(once: u8, times: usize) -> char {
    char::from(once.saturating_add(u8::try_from(times.saturating_sub(1)).unwrap_or(u8::MAX)))
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
    let mut rows: Vec<Vec<u8>> = Vec::new();
    let mut row: Vec<u8> = Vec::with_capacity(width);
    let mut times = 0;
    for c in data.chars() {
        match c {
            'G'..='Y' => times += (u32::from(c) - u32::from('G') + 1) as usize,
            'g'..='z' => times += ((u32::from(c) - u32::from('g') + 1) * 20) as usize,
            ',' => row.resize(width, 0),
            '!' => row.resize(width, 15),
            ':' => row = rows.last().ok_or("no row above the first")?.clone(),
            _ => {
                let digit = c.to_digit(16).ok_or_else(|| format!("`{c}` in a picture"))?;
                let digit = u8::try_from(digit).map_err(|error| error.to_string())?;
                row.extend(std::iter::repeat_n(digit, times.clamp(1, width + 1)));
                times = 0;
            }
        }
        if row.len() > width {
            return Err(format!("row {} is too long", rows.len() + 1));
        }
        if row.len() == width {
            if rows.len() * row_bytes >= total {
                return Err(format!("more than {total} bytes"));
            }
            rows.push(std::mem::take(&mut row));
        }
    }
    let digits: Vec<u8> = rows.into_iter().flatten().collect();
    Ok(digits
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
        .collect())
}
