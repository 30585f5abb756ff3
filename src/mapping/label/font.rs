//! The carried fonts: which characters they have and how wide each is, so that text is fitted before it is drawn
//! and a missing character is an error instead of a box.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use krilla::text::{Font, GlyphId, KrillaGlyph};

static REGULAR: &[u8] = include_bytes!("../../../mappings/fonts/NotoSansSC-gb2312-Regular.otf");
static BOLD: &[u8] = include_bytes!("../../../mappings/fonts/NotoSansSC-gb2312-Bold.otf");

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("font `{font}`: {detail}")]
pub struct FontError {
    pub font: String,
    pub detail: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    Regular,
    Bold,
}

/// One face: the drawing font and its metrics.
pub struct Face {
    pub(crate) font: Font,
    pub(super) data: &'static [u8],
    glyphs: BTreeMap<char, u16>,
    advances: Vec<u16>,
    units_per_em: f32,
}

/// A regular and a bold face with the same characters.
pub struct Fonts {
    regular: Face,
    bold: Face,
}

static BUILT_IN: LazyLock<Result<Fonts, FontError>> = LazyLock::new(|| Fonts::new(REGULAR, BOLD));

impl Fonts {
    /// The fonts of `mappings/fonts`: GB 2312, Latin and punctuation.
    ///
    /// # Errors
    /// When the carried files cannot be read: a fault of the build.
    pub fn built_in() -> Result<&'static Self, FontError> {
        BUILT_IN.as_ref().map_err(Clone::clone)
    }

    /// # Errors
    /// When a file is not an OpenType font with a Unicode character map.
    pub fn new(regular: &'static [u8], bold: &'static [u8]) -> Result<Self, FontError> {
        Ok(Self {
            regular: Face::new("regular", regular)?,
            bold: Face::new("bold", bold)?,
        })
    }

    #[must_use]
    pub fn face(&self, weight: Weight) -> &Face {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        }
    }

    /// The first character that one of the faces cannot draw.
    #[must_use]
    pub fn missing(&self, text: &str) -> Option<char> {
        text.chars()
            .find(|c| !self.regular.glyphs.contains_key(c) || !self.bold.glyphs.contains_key(c))
    }
}

impl Face {
    fn new(name: &str, data: &'static [u8]) -> Result<Self, FontError> {
        let fault = |detail| FontError {
            font: name.to_owned(),
            detail,
        };
        let units_per_em = table(data, b"head")
            .and_then(|head| u16_at(head, 18))
            .filter(|units| *units > 0)
            .ok_or_else(|| fault("no `head` table"))?;
        let count = table(data, b"hhea")
            .and_then(|hhea| u16_at(hhea, 34))
            .ok_or_else(|| fault("no `hhea` table"))?;
        let hmtx = table(data, b"hmtx").ok_or_else(|| fault("no `hmtx` table"))?;
        let advances: Vec<u16> = (0..usize::from(count))
            .map_while(|glyph| u16_at(hmtx, glyph * 4))
            .collect();
        let glyphs = table(data, b"cmap")
            .and_then(character_map)
            .ok_or_else(|| fault("no Unicode character map of format 4 or 12"))?;
        Ok(Self {
            data,
            font: Font::new(data.into(), 0).ok_or_else(|| fault("not an OpenType font"))?,
            glyphs,
            advances,
            units_per_em: f32::from(units_per_em),
        })
    }

    /// Advance of a glyph in em.
    pub(super) fn advance(&self, glyph: u16) -> f32 {
        let last = self.advances.last().copied().unwrap_or(0);
        let units = self.advances.get(usize::from(glyph)).copied().unwrap_or(last);
        f32::from(units) / self.units_per_em
    }

    pub(super) fn glyphs_of<'a>(&'a self, text: &'a str) -> impl Iterator<Item = u16> + 'a {
        text.chars().filter_map(|c| self.glyphs.get(&c).copied())
    }

    /// Width of a text in the unit of `size`.
    #[must_use]
    pub fn width(&self, text: &str, size: f32) -> f32 {
        let glyphs = text.chars().filter_map(|c| self.glyphs.get(&c));
        glyphs.map(|glyph| self.advance(*glyph)).sum::<f32>() * size
    }

    /// The glyphs of one line, one for each character: neither Latin nor Chinese needs shaping, and a shaper that
    /// parses the font for every line cost most of the time of a label.
    #[must_use]
    pub fn line(&self, text: &str) -> Vec<KrillaGlyph> {
        text.char_indices()
            .filter_map(|(at, c)| {
                let glyph = *self.glyphs.get(&c)?;
                let range = at..at + c.len_utf8();
                Some(KrillaGlyph::new(
                    GlyphId::new(u32::from(glyph)),
                    self.advance(glyph),
                    0.0,
                    0.0,
                    0.0,
                    range,
                    None,
                ))
            })
            .collect()
    }
}

fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    let bytes = data.get(at..at.checked_add(2)?)?;
    Some(u16::from_be_bytes(bytes.try_into().ok()?))
}

fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    let bytes = data.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

fn table<'a>(data: &'a [u8], tag: &[u8; 4]) -> Option<&'a [u8]> {
    let count = usize::from(u16_at(data, 4)?);
    (0..count).map(|index| 12 + index * 16).find_map(|record| {
        if data.get(record..record + 4)? != tag {
            return None;
        }
        let offset = usize::try_from(u32_at(data, record + 8)?).ok()?;
        let length = usize::try_from(u32_at(data, record + 12)?).ok()?;
        data.get(offset..offset.checked_add(length)?)
    })
}

/// The richest Unicode subtable: format 12, else format 4.
fn character_map(cmap: &[u8]) -> Option<BTreeMap<char, u16>> {
    let count = usize::from(u16_at(cmap, 2)?);
    let subtables: Vec<&[u8]> = (0..count)
        .filter_map(|index| u32_at(cmap, 4 + index * 8 + 4))
        .filter_map(|offset| cmap.get(usize::try_from(offset).ok()?..))
        .collect();
    let of_format = |format| subtables.iter().find(|table| u16_at(table, 0) == Some(format));
    of_format(12)
        .map(|table| format_12(table))
        .or_else(|| of_format(4).map(|table| format_4(table)))
}

fn format_12(table: &[u8]) -> BTreeMap<char, u16> {
    let groups = u32_at(table, 12)
        .and_then(|count| usize::try_from(count).ok())
        .unwrap_or(0);
    let mut glyphs = BTreeMap::new();
    for group in (0..groups).map(|index| 16 + index * 12) {
        let (Some(first), Some(last), Some(glyph)) = (
            u32_at(table, group),
            u32_at(table, group + 4),
            u32_at(table, group + 8),
        ) else {
            break;
        };
        for code in first..=last.min(first.saturating_add(0xFFFF)) {
            if let (Some(c), Ok(glyph)) = (char::from_u32(code), u16::try_from(glyph + (code - first))) {
                glyphs.insert(c, glyph);
            }
        }
    }
    glyphs
}

fn format_4(table: &[u8]) -> BTreeMap<char, u16> {
    let segments = usize::from(u16_at(table, 6).unwrap_or(0)) / 2;
    let mut glyphs = BTreeMap::new();
    for segment in 0..segments {
        let ends = 14 + segment * 2;
        let starts = ends + segments * 2 + 2;
        let deltas = starts + segments * 2;
        let offsets = deltas + segments * 2;
        let (Some(end), Some(start), Some(delta), Some(offset)) = (
            u16_at(table, ends),
            u16_at(table, starts),
            u16_at(table, deltas),
            u16_at(table, offsets),
        ) else {
            break;
        };
        for code in start..=end {
            let glyph = if offset == 0 {
                Some(code.wrapping_add(delta))
            } else {
                u16_at(
                    table,
                    offsets + usize::from(offset) + usize::from(code - start) * 2,
                )
                .map(|glyph| if glyph == 0 { 0 } else { glyph.wrapping_add(delta) })
            };
            if let (Some(c), Some(glyph)) =
                (char::from_u32(u32::from(code)), glyph.filter(|glyph| *glyph != 0))
            {
                glyphs.insert(c, glyph);
            }
        }
    }
    glyphs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_carried_fonts_have_the_trade_and_not_everything() {
        let fonts = Fonts::built_in().unwrap();
        assert_eq!(
            fonts.missing("目的仓 谷仓英国曼彻斯特 Made in China 12.345 kg × 50 % / #"),
            None
        );
        assert_eq!(fonts.missing("毛重 📦"), Some('📦'));
        assert_eq!(fonts.missing("a\u{1}"), Some('\u{1}'));
    }

    #[test]
    fn widths_are_those_of_the_face() {
        let face = Fonts::built_in().unwrap().face(Weight::Regular);
        // A Chinese character is one em wide.
        assert!((face.width("箱", 10.0) - 10.0).abs() < 0.01);
        assert!(face.width("il", 10.0) < face.width("WM", 10.0));
    }

    #[test]
    fn a_file_that_is_no_font_is_refused() {
        assert_eq!(
            Face::new("x", b"not a font at all")
                .err()
                .map(|error| error.detail),
            Some("no `head` table")
        );
    }
}
