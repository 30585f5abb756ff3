//! The numbers that customs know a legal person by, and what can be said of one from its form (R3).

use serde::{Deserialize, Serialize};

use super::model::Party;
use crate::identity::{self, Flaw};

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
        PartyId::Uscc => read(&identity::uscc(number), "uscc", "uscc_check"),
        PartyId::Eori => eori(number, country),
        PartyId::Vat => vat(number, country),
        PartyId::Ein => read(&identity::importer_number(number), "ein", "ein"),
        PartyId::LocalId => local_id(number, country),
    }
}

fn read(judged: &Result<(), Flaw>, form: &'static str, check: &'static str) -> Verdict {
    match judged {
        Ok(()) => Verdict::Fine,
        Err(Flaw::Form(_) | Flaw::Unlisted(_)) => Verdict::Wrong(form),
        Err(Flaw::CheckDigit { .. } | Flaw::CheckSum(_)) => Verdict::Doubtful(check),
    }
}

fn eori(number: &str, country: &str) -> Verdict {
    let in_union = UNION.contains(&country);
    let given_in_union = number
        .get(..2)
        .is_some_and(|prefix| UNION.contains(&prefix) || matches!(prefix, "EL" | "XI"));
    let key = match country {
        "GB" => "eori_gb",
        _ if in_union => "eori_eu",
        _ => "eori",
    };
    if in_union && !given_in_union {
        return Verdict::Wrong(key);
    }
    read(&identity::eori(number, country), key, key)
}

/// With or without the prefix of the country, as people write them.
fn vat(number: &str, country: &str) -> Verdict {
    if country != "GB" && !UNION.contains(&country) {
        return Verdict::Fine;
    }
    let plain: String = number.chars().filter(|c| !matches!(c, ' ' | '.' | '-')).collect();
    let own = if country == "GR" { "EL" } else { country };
    let whole = match plain.get(..2) {
        Some(prefix) if prefix.bytes().all(|byte| byte.is_ascii_uppercase()) => {
            if prefix != own && !(country == "GB" && prefix == "XI") {
                return Verdict::Wrong("vat");
            }
            plain
        }
        _ => format!("{own}{plain}"),
    };
    read(&identity::vat(&whole), "vat", "vat_check")
}

fn local_id(number: &str, country: &str) -> Verdict {
    let plain: String = number.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    match country {
        "AU" => read(&identity::abn(&plain), "abn", "abn"),
        "JP" => read(&identity::jp_corporate(&plain), "corporate_no", "corporate_no"),
        _ => Verdict::Fine,
    }
}
