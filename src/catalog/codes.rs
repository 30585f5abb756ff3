//! What other systems call a SKU, and how many master units one of theirs is (R2).

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Fault;
use crate::ids::{Sku, SourceId};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeKind {
    /// The marketplace's seller SKU.
    Msku,
    Fnsku,
    Asin,
    WarehouseSku,
    /// What is printed on the unit itself: EAN, UPC, GTIN.
    Barcode,
}

impl CodeKind {
    pub const ALL: [Self; 5] = [
        Self::Msku,
        Self::Fnsku,
        Self::Asin,
        Self::WarehouseSku,
        Self::Barcode,
    ];

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Msku => "msku",
            Self::Fnsku => "fnsku",
            Self::Asin => "asin",
            Self::WarehouseSku => "warehouse_sku",
            Self::Barcode => "barcode",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        Self::ALL.into_iter().find(|kind| kind.code() == text)
    }
}

/// One claim of a master SKU on a code, within a period whose ends belong to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeMapping {
    pub system: SourceId,
    /// Empty when the system is one store; the same FNSKU in two stores is two codes.
    pub store: String,
    pub kind: CodeKind,
    pub code: String,
    pub sku: Sku,
    /// Master units in one of the other system's units.
    pub multiple: i64,
    pub valid_from: Option<NaiveDate>,
    pub valid_to: Option<NaiveDate>,
}

/// What a code means: so many units of a master SKU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    pub sku: Sku,
    pub multiple: i64,
}

impl Resolved {
    /// Master units of a count in the other system's units; `None` beyond what a count can hold.
    #[must_use]
    pub fn units(&self, count: i64) -> Option<i64> {
        count.checked_mul(self.multiple)
    }
}

/// Why a mapping was not taken: another claim holds the code in that period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("code `{code}` is held by SKU `{holder}` × {multiple} {period}")]
pub struct CodeClash {
    pub code: String,
    pub holder: Sku,
    pub multiple: i64,
    /// In words: `from 2026-01-01 to 2026-06-30`.
    pub period: String,
}

impl CodeMapping {
    /// Every value that cannot be true.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        super::item::check_positive(&mut faults, "multiple", Some(self.multiple));
        if let (Some(from), Some(to)) = (self.valid_from, self.valid_to)
            && to < from
        {
            faults.push(Fault::new(
                "valid_to",
                &to,
                format!("not before valid_from, which is {from}"),
            ));
        }
        faults
    }

    #[must_use]
    pub fn holds_on(&self, day: NaiveDate) -> bool {
        self.valid_from.is_none_or(|from| from <= day) && self.valid_to.is_none_or(|to| day <= to)
    }

    fn overlaps(&self, other: &Self) -> bool {
        let ends_before =
            |a: &Self, b: &Self| matches!((a.valid_to, b.valid_from), (Some(to), Some(from)) if to < from);
        !ends_before(self, other) && !ends_before(other, self)
    }

    /// The same claim, perhaps with another end or multiple.
    fn same_claim(&self, other: &Self) -> bool {
        self.sku == other.sku && self.valid_from == other.valid_from
    }

    fn key(&self) -> Key {
        (self.system.clone(), self.kind, self.code.clone())
    }

    /// The period in words.
    #[must_use]
    pub fn period(&self) -> String {
        match (self.valid_from, self.valid_to) {
            (None, None) => "at all times".to_owned(),
            (Some(from), None) => format!("from {from}"),
            (None, Some(to)) => format!("until {to}"),
            (Some(from), Some(to)) => format!("from {from} to {to}"),
        }
    }
}

type Key = (SourceId, CodeKind, String);

/// All mappings, with the one rule that a code means one thing on one day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Codes(BTreeMap<Key, Vec<CodeMapping>>);

/// What taking a mapping changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    New,
    Changed,
    Same,
}

impl Codes {
    /// Takes a mapping: a new claim, or a change of the one with the same SKU and start.
    ///
    /// # Errors
    /// [`CodeClash`] when another claim means something else in an overlapping period; nothing changes then.
    pub fn take(&mut self, mapping: CodeMapping) -> Result<Taken, CodeClash> {
        let claims = self.0.entry(mapping.key()).or_default();
        let clash = claims.iter().find(|held| {
            held.store == mapping.store
                && !held.same_claim(&mapping)
                && (held.sku != mapping.sku || held.multiple != mapping.multiple)
                && held.overlaps(&mapping)
        });
        if let Some(held) = clash {
            return Err(CodeClash {
                code: held.code.clone(),
                holder: held.sku.clone(),
                multiple: held.multiple,
                period: held.period(),
            });
        }
        let own = claims
            .iter_mut()
            .find(|held| held.store == mapping.store && held.same_claim(&mapping));
        match own {
            Some(held) if *held == mapping => Ok(Taken::Same),
            Some(held) => {
                *held = mapping;
                Ok(Taken::Changed)
            }
            None => {
                claims.push(mapping);
                claims
                    .sort_by(|a, b| (&a.store, a.valid_from, &a.sku).cmp(&(&b.store, b.valid_from, &b.sku)));
                Ok(Taken::New)
            }
        }
    }

    /// What a code means in any store of the system; `None` when two stores mean different things by it.
    #[must_use]
    pub fn resolve(&self, system: &SourceId, kind: CodeKind, code: &str, on: NaiveDate) -> Option<Resolved> {
        self.agreed(system, kind, code, |claim| claim.holds_on(on))
    }

    /// Whether a code means the same on every day of a period, whatever that is: no claim begins or ends within.
    #[must_use]
    pub fn is_steady(
        &self,
        system: &SourceId,
        kind: CodeKind,
        code: &str,
        (from, to): (NaiveDate, NaiveDate),
    ) -> bool {
        let claims = self.0.get(&(system.clone(), kind, code.trim().to_owned()));
        claims.into_iter().flatten().all(|claim| {
            claim.valid_from.is_none_or(|first| first <= from || to < first)
                && claim.valid_to.is_none_or(|last| last < from || to <= last)
        })
    }

    /// What a code means in one store: claims of that store, or of the system as a whole.
    #[must_use]
    pub fn resolve_in_store(
        &self,
        system: &SourceId,
        store: &str,
        kind: CodeKind,
        code: &str,
        on: NaiveDate,
    ) -> Option<Resolved> {
        self.agreed(system, kind, code, |claim| {
            claim.holds_on(on) && claim.store == store
        })
        .or_else(|| {
            self.agreed(system, kind, code, |claim| {
                claim.holds_on(on) && claim.store.is_empty()
            })
        })
    }

    fn agreed(
        &self,
        system: &SourceId,
        kind: CodeKind,
        code: &str,
        counts: impl Fn(&CodeMapping) -> bool,
    ) -> Option<Resolved> {
        let claims = self.0.get(&(system.clone(), kind, code.trim().to_owned()))?;
        let mut meanings = claims.iter().filter(|claim| counts(claim)).map(|claim| Resolved {
            sku: claim.sku.clone(),
            multiple: claim.multiple,
        });
        let first = meanings.next()?;
        meanings.all(|other| other == first).then_some(first)
    }

    /// The code a system knows a SKU by on a day; the first in order when it has several.
    #[must_use]
    pub fn code_of(
        &self,
        system: &SourceId,
        kind: CodeKind,
        sku: &Sku,
        on: NaiveDate,
    ) -> Option<&CodeMapping> {
        self.iter().find(|claim| {
            claim.system == *system && claim.kind == kind && claim.sku == *sku && claim.holds_on(on)
        })
    }

    /// By system, kind, code, store and start.
    pub fn iter(&self) -> impl Iterator<Item = &CodeMapping> {
        self.0.values().flatten()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(n: u64) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + chrono::Days::new(n)
    }

    fn mapping() -> impl Strategy<Value = CodeMapping> {
        let date = || prop::option::of(0_u64..30);
        (0_u8..2, 0_u8..3, 1_i64..3, date(), date(), any::<bool>()).prop_map(
            |(code, sku, multiple, from, to, shop)| CodeMapping {
                system: SourceId::new("amazon-uk").unwrap(),
                store: if shop { "shop".into() } else { String::new() },
                kind: CodeKind::Fnsku,
                code: format!("X{code}"),
                sku: Sku::new(format!("A{sku}")).unwrap(),
                multiple,
                valid_from: from.map(day),
                valid_to: to.map(day),
            },
        )
    }

    proptest! {
        #[test]
        fn in_one_store_a_code_means_one_thing_on_one_day(mappings in prop::collection::vec(mapping(), 0..20)) {
            let mut codes = Codes::default();
            for mapping in mappings.into_iter().filter(|mapping| mapping.faults().is_empty()) {
                let before = codes.clone();
                match codes.take(mapping.clone()) {
                    Ok(_) => prop_assert_eq!(codes.clone().take(mapping), Ok(Taken::Same)),
                    Err(_) => prop_assert_eq!(&codes, &before, "a refusal changes nothing"),
                }
            }
            for n in 0..30 {
                for (code, store) in [("X0", ""), ("X0", "shop"), ("X1", ""), ("X1", "shop")] {
                    let mut meanings: Vec<(&Sku, i64)> = codes
                        .iter()
                        .filter(|claim| claim.code == code && claim.store == store && claim.holds_on(day(n)))
                        .map(|claim| (&claim.sku, claim.multiple))
                        .collect();
                    meanings.dedup();
                    prop_assert!(meanings.len() <= 1, "{code} on {} means {meanings:?}", day(n));
                }
            }
        }
    }
}
