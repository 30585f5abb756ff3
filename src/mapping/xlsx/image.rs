//! Pictures that go into workbooks: what they are and how large, from their own bytes.

/// A product photo for a form; more is somebody's camera file.
pub(super) const MAX_PICTURE_BYTES: usize = 5 * 1024 * 1024;
const MAX_SIDE: u32 = 20_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Picture {
    pub width: u32,
    pub height: u32,
    /// `png` or `jpeg`: the end of the file's name and of its media type.
    pub kind: &'static str,
}

impl Picture {
    /// `None` for anything but a PNG or JPEG that says how large it is.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > MAX_PICTURE_BYTES {
            return None;
        }
        let picture = png(bytes).or_else(|| jpeg(bytes))?;
        let fits = |side: u32| (1..=MAX_SIDE).contains(&side);
        (fits(picture.width) && fits(picture.height)).then_some(picture)
    }

    /// The largest size inside a box that keeps the picture's shape.
    pub(super) fn inside(&self, width: i64, height: i64) -> (i64, i64) {
        let (own_width, own_height) = (i64::from(self.width), i64::from(self.height));
        match own_width * height > own_height * width {
            true => (width, (width * own_height / own_width).max(1)),
            false => ((height * own_width / own_height).max(1), height),
        }
    }
}

fn png(bytes: &[u8]) -> Option<Picture> {
    if !bytes.starts_with(b"\x89PNG\r\n\x1a\n") || bytes.get(12..16)? != b"IHDR" {
        return None;
    }
    let number = |from: usize| {
        let four = bytes.get(from..from + 4)?;
        Some(u32::from_be_bytes(four.try_into().ok()?))
    };
    Some(Picture {
        width: number(16)?,
        height: number(20)?,
        kind: "png",
    })
}

/// The size stands in the frame header, behind any number of other segments.
fn jpeg(bytes: &[u8]) -> Option<Picture> {
    if !bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
        return None;
    }
    let number = |from: usize| {
        let two = bytes.get(from..from + 2)?;
        Some(u16::from_be_bytes(two.try_into().ok()?))
    };
    let mut at = 2;
    while *bytes.get(at)? == 0xFF {
        let marker = *bytes.get(at + 1)?;
        match marker {
            0xFF => at += 1,
            0x01 | 0xD0..=0xD8 => at += 2,
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                return Some(Picture {
                    height: u32::from(number(at + 5)?),
                    width: u32::from(number(at + 7)?),
                    kind: "jpeg",
                });
            }
            _ => at += 2 + usize::from(number(at + 2)?),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_and_kind_come_from_the_bytes() {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        png.extend([0, 0, 1, 0, 0, 0, 0, 128]);
        let picture = Picture::of(&png).unwrap();
        assert_eq!((picture.width, picture.height, picture.kind), (256, 128, "png"));
        assert_eq!(picture.inside(100, 100), (100, 50));
        assert_eq!(picture.inside(1_000, 100), (200, 100));
        let jpeg = [
            0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 2, 0xFF, 0xC0, 0, 11, 8, 0, 30, 0, 40, 1, 0, 0, 0,
        ];
        let picture = Picture::of(&jpeg).unwrap();
        assert_eq!((picture.width, picture.height, picture.kind), (40, 30, "jpeg"));
        assert_eq!(Picture::of(b"GIF89a"), None);
        assert_eq!(Picture::of(&png[..20]), None);
        assert_eq!(Picture::of(&[0xFF, 0xD8, 0xFF, 0xE0, 0, 0, 0]), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_are_a_surprise(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
            let _ = Picture::of(&[&[0xFF, 0xD8, 0xFF], bytes.as_slice()].concat());
            let _ = Picture::of(&[b"\x89PNG\r\n\x1a\n", bytes.as_slice()].concat());
        }
    }
}
