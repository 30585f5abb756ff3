//! Bytes to text, and texts to values: the forms that Chinese and European offices write.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use encoding_rs::{GB18030, UTF_16BE, UTF_16LE};
use rust_decimal::Decimal;

/// UTF-8 (with or without mark), UTF-16 with mark, else GBK; what none of them can read is refused.
pub(crate) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, String> {
    let marked = match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => {
            return std::str::from_utf8(rest).map(Cow::Borrowed).map_err(|error| {
                bad_byte(
                    bytes,
                    error.valid_up_to() + 3,
                    "a UTF-8 mark, but a byte that is not",
                )
            });
        }
        [0xFF, 0xFE, rest @ ..] => Some((UTF_16LE, rest)),
        [0xFE, 0xFF, rest @ ..] => Some((UTF_16BE, rest)),
        _ => None,
    };
    let text = match marked {
        Some((encoding, rest)) => encoding
            .decode_without_bom_handling_and_without_replacement(rest)
            .ok_or_else(|| "a UTF-16 mark, but text that is not".to_owned())?,
        None => match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            // GB18030 holds all of GBK and GB2312.
            Err(error) => GB18030
                .decode_without_bom_handling_and_without_replacement(bytes)
                .ok_or_else(|| bad_byte(bytes, error.valid_up_to(), "a byte no known encoding has"))?,
        },
    };
    if text.contains('\0') {
        return Err("binary data".to_owned());
    }
    Ok(text)
}

fn bad_byte(bytes: &[u8], at: usize, what: &str) -> String {
    let line = 1 + bytes.iter().take(at).filter(|byte| **byte == b'\n').count();
    let byte = bytes.get(at).copied().unwrap_or_default();
    format!("{what} (0x{byte:02X} in line {line})")
}

/// Full-width letters, digits and signs as their ASCII twins, and every kind of blank trimmed off the ends.
#[must_use]
pub fn half_width(text: &str) -> String {
    let narrow: String = text
        .chars()
        .filter_map(|c| match c {
            '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0),
            '\u{3000}' | '\u{A0}' => Some(' '),
            '\u{2212}' => Some('-'),
            // Marks that copying from a web page leaves behind.
            '\u{200B}' | '\u{FEFF}' | '\u{200E}' | '\u{200F}' => None,
            other => Some(other),
        })
        .collect();
    narrow.trim().to_owned()
}

/// A plain number: sign, digits with or without comma groups of three, point. No exponent, no currency sign.
#[must_use]
pub fn decimal_from(text: &str) -> Option<Decimal> {
    let text = half_width(text);
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(&text)),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let whole = if whole.contains(',') {
        let groups: Vec<&str> = whole.split(',').collect();
        let well_formed = groups
            .iter()
            .enumerate()
            .all(|(index, group)| plain(group) && (group.len() == 3 || (index == 0 && group.len() < 3)));
        if !well_formed {
            return None;
        }
        groups.concat()
    } else {
        whole.to_owned()
    };
    if !plain(&whole) || fraction.is_some_and(|fraction| !plain(fraction)) {
        return None;
    }
    // `from_str` rounds beyond 28 places, `from_str_exact` refuses: a figure is read as it stands or not at all.
    Decimal::from_str_exact(&format!("{sign}{whole}.{}", fraction.unwrap_or("0")))
        .ok()
        .map(|value| value.normalize())
}

/// A whole number; `12.0` is one, `12.5` is not.
#[must_use]
pub fn int_from(text: &str) -> Option<i64> {
    let value = decimal_from(text)?;
    if value.is_integer() {
        i64::try_from(value).ok()
    } else {
        None
    }
}

/// `yes no true false 1 0 是 否 有 无 y n`.
#[must_use]
pub fn flag_from(text: &str) -> Option<bool> {
    match half_width(text).to_lowercase().as_str() {
        "yes" | "y" | "true" | "1" | "是" | "有" => Some(true),
        "no" | "n" | "false" | "0" | "否" | "无" | "無" => Some(false),
        _ => None,
    }
}

/// A civil date, year first: `2026-11-22`, `2026/11/22`, `2026.11.22`, `20261122`, `2026年11月22日`.
/// `11/22/2026` is refused: half the world reads another day in it.
#[must_use]
pub fn date_from(text: &str) -> Option<NaiveDate> {
    day_and_time(text).map(|(at, _)| at.date())
}

/// A civil date with or without a time (midnight then), and its offset in seconds when the text gives one.
#[must_use]
pub fn day_and_time(text: &str) -> Option<(NaiveDateTime, Option<i32>)> {
    let text = half_width(text);
    if let Ok(instant) = DateTime::parse_from_rfc3339(&text) {
        return Some((instant.naive_local(), Some(instant.offset().local_minus_utc())));
    }
    let plain = text.replace(['年', '月', '/', '.'], "-").replace('日', " ");
    let (day, time) = match plain.trim().split_once([' ', 'T']) {
        Some((day, time)) => (day, Some(time.trim().to_owned())),
        None => (plain.trim(), None),
    };
    let compact = day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit());
    let format = if compact { "%Y%m%d" } else { "%Y-%m-%d" };
    let year = day.split('-').next().unwrap_or_default();
    if !compact && year.len() != 4 {
        return None;
    }
    let day = NaiveDate::parse_from_str(day, format).ok()?;
    let time = match time {
        None => NaiveTime::MIN,
        // The point of a fraction became a dash above.
        Some(time) => ["%H:%M:%S", "%H:%M", "%H:%M:%S-%f"]
            .iter()
            .find_map(|format| NaiveTime::parse_from_str(&time, format).ok())?,
    };
    Some((day.and_time(time), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_stand_or_not_at_all() {
        let read = |text: &str| decimal_from(text).map(|value| value.to_string());
        assert_eq!(read(" １２．５０ "), Some("12.5".into()));
        assert_eq!(read("1,234,567.8"), Some("1234567.8".into()));
        assert_eq!(read("－３"), Some("-3".into()));
        for refused in [
            "", "1,23", "12,3456", "1.234,5", "1e3", "12kg", "￥5", "--1", ".5", "5.",
        ] {
            assert_eq!(read(refused), None, "{refused}");
        }
        assert_eq!(read(&"9".repeat(40)), None);
        assert_eq!(
            (int_from("12.0"), int_from("12.5"), int_from("00012")),
            (Some(12), None, Some(12))
        );
    }

    #[test]
    fn dates_are_year_first_and_offsets_are_kept() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 2).unwrap();
        for text in [
            "2026-11-02",
            "2026/11/2",
            "2026.11.02",
            "20261102",
            "2026年11月2日",
            "２０２６-11-02 10:30",
        ] {
            assert_eq!(date_from(text), Some(day), "{text}");
        }
        for refused in [
            "11/02/2026",
            "02-11-26",
            "2026-13-01",
            "45000",
            "2026-11-02 25:00",
            "soon",
        ] {
            assert_eq!(date_from(refused), None, "{refused}");
        }
        let (at, offset) = day_and_time("2026-11-02T10:30:00+08:00").unwrap();
        assert_eq!(
            (at.to_string().as_str(), offset),
            ("2026-11-02 10:30:00", Some(28_800))
        );
        assert_eq!(day_and_time("2026-11-02 10:30:15.250").unwrap().1, None);
    }

    #[test]
    fn every_encoding_of_the_trade_gives_the_same_text() {
        let text = "sku,名称\nA1,陶瓷杯\n";
        let (gbk, _, _) = encoding_rs::GBK.encode(text);
        let mut utf16 = vec![0xFF, 0xFE];
        utf16.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        let mut marked = vec![0xEF, 0xBB, 0xBF];
        marked.extend(text.as_bytes());
        for bytes in [text.as_bytes(), &gbk, &utf16, &marked] {
            assert_eq!(decode(bytes).unwrap(), text);
        }
    }

    #[test]
    fn bytes_of_no_encoding_are_named_with_their_line() {
        assert_eq!(
            decode(b"sku\nA1\nB\xFF2\n").unwrap_err(),
            "a byte no known encoding has (0xFF in line 3)"
        );
        assert_eq!(decode(b"a\0b").unwrap_err(), "binary data");
    }
}
