//! Text broken into lines of a width.

use super::font::Face;

/// Lines that fit. Latin words stay whole unless one is wider than the line; Chinese breaks anywhere but before a mark.
#[must_use]
pub fn wrapped(face: &Face, text: &str, size: f32, width: f32) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        let mut used = 0.0;
        for piece in pieces(paragraph) {
            let wide = face.width(piece, size);
            if used + face.width(piece.trim_end(), size) > width && !line.is_empty() {
                lines.push(line.trim_end().to_owned());
                line.clear();
                used = 0.0;
            }
            if wide > width {
                for c in piece.chars() {
                    let mut one = [0; 4];
                    let one = face.width(c.encode_utf8(&mut one), size);
                    if used + one > width && !line.is_empty() {
                        lines.push(std::mem::take(&mut line));
                        used = 0.0;
                    }
                    line.push(c);
                    used += one;
                }
            } else {
                line.push_str(piece);
                used += wide;
            }
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// Where a line may break: after blanks, and around Chinese characters.
fn pieces(text: &str) -> Vec<&str> {
    let mut cuts = vec![0];
    let mut before: Option<char> = None;
    for (at, c) in text.char_indices() {
        let closing = matches!(
            c,
            '\u{3001}'
                | '\u{3002}'
                | '\u{300b}'
                | '\u{300d}'
                | '\u{ff01}'
                | '\u{ff09}'
                | '\u{ff0c}'
                | '\u{ff1a}'
                | '\u{ff1b}'
                | '\u{ff1f}'
                | '%'
        );
        let opens = matches!(before, Some('\u{ff08}' | '\u{300a}' | '\u{300c}'));
        let breaks = match before {
            None => false,
            Some(' ') => c != ' ',
            Some(before) => (is_wide(before) || is_wide(c)) && !closing && !opens,
        };
        if breaks {
            cuts.push(at);
        }
        before = Some(c);
    }
    cuts.push(text.len());
    cuts.windows(2)
        .filter_map(|pair| text.get(*pair.first()?..*pair.last()?))
        .filter(|piece| !piece.is_empty())
        .collect()
}

fn is_wide(c: char) -> bool {
    u32::from(c) >= 0x2e80
}
