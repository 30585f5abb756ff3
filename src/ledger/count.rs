//! Units of count: a report may count pieces where a code means a set, or cartons.

use super::FactKey;
use crate::ids::WarehouseCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What one of a count is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CountUnit {
    /// As the code counts: one set of a set's code.
    OfCode,
    /// Pieces, however many of them the code's unit holds.
    Piece,
    Dozen,
    Carton,
    /// Pallets, kilograms: no count of units.
    Other(String),
}

impl CountUnit {
    /// Words of people, UN/ECE Recommendation 20 and 21, and X12 element 355.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.trim().to_uppercase().as_str() {
            "" | "EA" | "EACH" | "C62" | "UN" | "UNIT" | "UNITS" | "ONE" | "SET" | "ST" | "KT" | "NAR"
            | "PR" | "套" | "组" | "双" | "对" | "件" => Self::OfCode,
            "PC" | "PCS" | "PCE" | "PIECE" | "PIECES" | "H87" | "个" | "只" | "支" | "片" | "条" => {
                Self::Piece
            }
            "DZ" | "DZN" | "DOZEN" | "打" => Self::Dozen,
            "CT" | "CTN" | "CTNS" | "CARTON" | "CARTONS" | "XCT" | "CA" | "CS" | "CASE" | "CASES" | "BX"
            | "箱" => Self::Carton,
            _ => Self::Other(text.trim().chars().take(20).collect()),
        }
    }
}

/// How a code counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    /// Master units in one of the code's units.
    pub multiple: i64,
    /// Master units in a carton, where the catalog knows it.
    pub carton_units: Option<i64>,
    /// A code that counts single pieces of the same goods, for what does not divide into sets.
    pub single: Option<String>,
}

/// Why a count cannot be told in the code's units.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoCount {
    #[error("a unit of count that is known: pieces, sets or cartons")]
    UnknownUnit,
    #[error("a code that is mapped, to know how many pieces it means")]
    UnknownCode,
    #[error("units a carton, in a column or in the catalog")]
    UnknownCarton,
    #[error("a multiple of {multiple}, as the code counts")]
    Indivisible { multiple: i64 },
    #[error("a count that is not beyond all counts")]
    Overflow,
}

/// A count in units of the code, or of `single` where it does not divide. `in_pack` is what the row itself says one carton or
/// set holds.
///
/// # Errors
/// When nobody knows what the count means.
pub fn in_units_of_code(
    units: i64,
    unit: &CountUnit,
    in_pack: Option<i64>,
    pack: Option<&Pack>,
) -> Result<(i64, Option<String>), NoCount> {
    let pieces_each = match (unit, in_pack) {
        (CountUnit::OfCode, None) => return Ok((units, None)),
        // A set whose content the row names.
        (CountUnit::OfCode | CountUnit::Carton, Some(content)) => content,
        (CountUnit::Piece, _) => 1,
        (CountUnit::Dozen, _) => 12,
        (CountUnit::Carton, None) => pack
            .ok_or(NoCount::UnknownCode)?
            .carton_units
            .ok_or(NoCount::UnknownCarton)?,
        (CountUnit::Other(_), _) => return Err(NoCount::UnknownUnit),
    };
    let pack = pack.ok_or(NoCount::UnknownCode)?;
    let pieces = units.checked_mul(pieces_each).ok_or(NoCount::Overflow)?;
    let multiple = pack.multiple.max(1);
    if pieces % multiple == 0 {
        return Ok((pieces / multiple, None));
    }
    match &pack.single {
        Some(single) => Ok((pieces, Some(single.clone()))),
        None => Err(NoCount::Indivisible { multiple }),
    }
}

/// What a warehouse found at a carton or SKU beside its counts. It posts no units; it explains them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub source: String,
    pub key: FactKey,
    pub warehouse: WarehouseCode,
    pub reference: String,
    pub carton: Option<String>,
    pub sku_code: String,
    /// What the warehouse expected to find. Units of the code, as all counts here.
    pub expected: Option<i64>,
    pub counted: Option<i64>,
    /// Barcodes scanned, which may be fewer than were counted.
    pub scanned: Option<i64>,
    /// With a label that is not this SKU's, or with none.
    pub wrong_label: Option<i64>,
    /// Another product than this SKU.
    pub wrong_item: Option<i64>,
    /// Names or addresses of pictures.
    pub photos: Vec<String>,
    pub note: String,
    pub at: DateTime<Utc>,
}

impl Finding {
    /// Whether it says anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let counts = [self.expected, self.scanned, self.wrong_label, self.wrong_item];
        counts.iter().all(Option::is_none) && self.photos.is_empty() && self.note.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set_of_six(single: Option<&str>) -> Pack {
        Pack {
            multiple: 6,
            carton_units: Some(24),
            single: single.map(str::to_owned),
        }
    }

    #[test]
    fn r54_pieces_of_a_set_are_sets_by_its_multiple() {
        let count = |units, unit: &str, in_pack| {
            in_units_of_code(
                units,
                &CountUnit::parse(unit),
                in_pack,
                Some(&set_of_six(Some("MUG"))),
            )
        };
        assert_eq!(count(400, "套", None), Ok((400, None)));
        assert_eq!(count(2400, "PCS", None), Ok((400, None)));
        assert_eq!(count(-12, "个", None), Ok((-2, None)));
        assert_eq!(count(100, "箱", None), Ok((400, None)));
        assert_eq!(count(100, "CTN", Some(12)), Ok((200, None)));
        assert_eq!(count(5, "DZN", None), Ok((10, None)));
        // An opened set: pieces of the single code.
        assert_eq!(count(2399, "PCS", None), Ok((2399, Some("MUG".to_owned()))));
        assert_eq!(count(3, "PLT", None), Err(NoCount::UnknownUnit));
    }

    #[test]
    fn what_nobody_knows_is_refused_and_not_guessed() {
        let piece = CountUnit::Piece;
        assert_eq!(in_units_of_code(5, &piece, None, None), Err(NoCount::UnknownCode));
        assert_eq!(
            in_units_of_code(5, &piece, None, Some(&set_of_six(None))),
            Err(NoCount::Indivisible { multiple: 6 })
        );
        let unknown = Pack {
            carton_units: None,
            ..set_of_six(None)
        };
        assert_eq!(
            in_units_of_code(5, &CountUnit::Carton, None, Some(&unknown)),
            Err(NoCount::UnknownCarton)
        );
        assert_eq!(
            in_units_of_code(i64::MAX, &CountUnit::Dozen, None, Some(&unknown)),
            Err(NoCount::Overflow)
        );
    }
}
