//! The numbers that customs know a legal person by, and what can be said of one from its form (R3).

use serde::{Deserialize, Serialize};

use super::model::Party;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartyId {
    /// 统一社会信用代码
    Uscc,
    Eori,
    Vat,
    Ein,
    /// ABN in Australia, 法人番号 in Japan.
    LocalId,
}

impl PartyId {
    pub const ALL: [Self; 5] = [Self::Uscc, Self::Eori, Self::Vat, Self::Ein, Self::LocalId];

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Uscc => "uscc",
            Self::Eori => "eori",
            Self::Vat => "vat",
            Self::Ein => "ein",
            Self::LocalId => "local_id",
        }
    }

    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|id| id.code() == code)
    }

    #[must_use]
    pub fn of(self, party: &Party) -> &str {
        match self {
            Self::Uscc => &party.uscc,
            Self::Eori => &party.eori,
            Self::Vat => &party.vat,
            Self::Ein => &party.ein,
            Self::LocalId => &party.local_id,
        }
    }
}

/// What the form of a number says; the text is the key `gate.id.<key>` of what is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Fine,
    /// Cannot be such a number.
    Wrong(&'static str),
    /// Has the form of one, and its check digits say that something was mistyped.
    Doubtful(&'static str),
}

/// Member states of the Union, as their EORI numbers begin.
const UNION: [&str; 27] = [
    "AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT", "LV", "LT",
    "LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE",
];

/// Judges a number of a party that acts in `country`.
#[must_use]
pub fn judge(id: PartyId, number: &str, country: &str) -> Verdict {
    match id {
        PartyId::Uscc => uscc(number),
        PartyId::Eori => eori(number, country),
        PartyId::Vat => vat(number, country),
        PartyId::Ein => ein(number),
        PartyId::LocalId => local_id(number, country),
    }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Two letters and up to fifteen letters or digits. Which of them a country uses, public tables do not agree on, but for
/// Great Britain.
fn eori(number: &str, country: &str) -> Verdict {
    let (Some(prefix), Some(rest)) = (number.get(..2), number.get(2..)) else {
        return Verdict::Wrong("eori");
    };
    let framed = (1..=15).contains(&rest.len())
        && prefix.bytes().all(|byte| byte.is_ascii_uppercase())
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let british = |rest: &str| digits(rest) && (rest.len() == 12 || rest.len() == 15);
    let right = match (country, prefix) {
        ("GB", "GB" | "XI") => british(rest),
        ("GB", _) => return Verdict::Wrong("eori_gb"),
        (country, prefix) if UNION.contains(&country) => {
            // Greek numbers begin with their own letters, and Northern Ireland's count in the Union.
            UNION.contains(&prefix) || prefix == "EL" || (prefix == "XI" && british(rest))
        }
        _ => true,
    };
    match (country, framed && right) {
        (_, true) => Verdict::Fine,
        ("GB", false) => Verdict::Wrong("eori_gb"),
        (country, false) if UNION.contains(&country) => Verdict::Wrong("eori_eu"),
        _ => Verdict::Wrong("eori"),
    }
}

/// The prefix of the country and its number.
fn vat(number: &str, country: &str) -> Verdict {
    let plain: String = number.chars().filter(|c| !matches!(c, ' ' | '.' | '-')).collect();
    let (prefix, rest) = match plain.get(..2) {
        Some(prefix) if prefix.bytes().all(|byte| byte.is_ascii_uppercase()) => {
            (prefix, plain.get(2..).unwrap_or_default())
        }
        _ => ("", plain.as_str()),
    };
    let own = if country == "GR" { "EL" } else { country };
    let taxed_by_prefix = country == "GB" || UNION.contains(&country);
    if !taxed_by_prefix {
        return Verdict::Fine;
    }
    if !prefix.is_empty() && prefix != own && !(country == "GB" && prefix == "XI") {
        return Verdict::Wrong("vat");
    }
    let framed = (2..=13).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let lengths = match country {
        "GB" => digits(rest) && (rest.len() == 9 || rest.len() == 12),
        "DE" => digits(rest) && rest.len() == 9,
        _ => true,
    };
    if framed && lengths {
        Verdict::Fine
    } else {
        Verdict::Wrong("vat")
    }
}

/// `12-3456789`, a number assigned by customs (`YYDDPP-NNNNN`) or a social security number.
fn ein(number: &str) -> Verdict {
    let groups: Vec<&str> = number.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let all_digits = groups.iter().enumerate().all(|(place, group)| {
        // The importer's suffix behind an EIN may have letters.
        digits(group)
            || (place == 1 && lengths.first() == Some(&2) && group.bytes().all(|b| b.is_ascii_alphanumeric()))
    });
    match (all_digits, lengths.as_slice()) {
        (true, [9] | [2, 7 | 9] | [6, 5] | [3, 2, 4]) => Verdict::Fine,
        _ => Verdict::Wrong("ein"),
    }
}

fn uscc(number: &str) -> Verdict {
    let framed = number.len() == 18
        && number
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    if framed {
        Verdict::Fine
    } else {
        Verdict::Wrong("uscc")
    }
}

fn local_id(number: &str, country: &str) -> Verdict {
    let count = number.bytes().filter(u8::is_ascii_digit).count();
    match country {
        "AU" if count != 11 => Verdict::Wrong("abn"),
        "JP" if count != 13 => Verdict::Wrong("corporate_no"),
        _ => Verdict::Fine,
    }
}
