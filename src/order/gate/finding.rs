//! One thing in the way of an order.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::order::StockingOrder;
use crate::order::rules::{Pack, Rule};
use crate::problem::Problem;
use crate::wording::{Lang, text};

/// How much it matters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Told; the order goes.
    Warn,
    /// A person must mend or answer it before the order goes.
    #[default]
    Hold,
    /// It would be refused at the border, by the carrier or by the warehouse.
    Block,
}

impl Level {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Hold => "hold",
            Self::Block => "block",
        }
    }

    #[must_use]
    pub fn stops(self) -> bool {
        self > Self::Warn
    }
}

/// Which gate found it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// The order itself: quantities, catalog, configuration.
    #[default]
    Order,
    /// Parties and their numbers: the gate of documents.
    Documents,
    Term,
    Goods,
    Value,
    Admission,
    Certificates,
    Cartons,
    /// A document that could not be written.
    Papers,
}

impl Gate {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Documents => "documents",
            Self::Term => "term",
            Self::Goods => "goods",
            Self::Value => "value",
            Self::Admission => "admission",
            Self::Certificates => "certificates",
            Self::Cartons => "cartons",
            Self::Papers => "papers",
        }
    }
}

/// A problem with the field to mend, the gate that found it and how much it matters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    #[serde(default)]
    pub gate: Gate,
    #[serde(default)]
    pub level: Level,
    #[serde(flatten)]
    pub problem: Problem,
    /// `problem.wanted` in Chinese; empty where there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub wanted_zh: String,
}

impl Finding {
    /// What is wanted, in the words of `wording/gate.toml`.
    pub(super) fn new(
        (gate, level): (Gate, Level),
        order: &StockingOrder,
        place: impl Into<String>,
        what: (&str, &str),
        wanted: (&str, &[(&str, &str)]),
    ) -> Self {
        let file = format!("order {}", order.number);
        Self {
            gate,
            level,
            ..Self::lack(file, place, what, wanted)
        }
    }

    /// What an order lacks before it is one, in the words of `wording/gate.toml`.
    #[must_use]
    pub fn lack(
        file: impl Into<String>,
        place: impl Into<String>,
        (field, found): (&str, &str),
        (key, places): (&str, &[(&str, &str)]),
    ) -> Self {
        let key = format!("gate.{key}");
        // A name with another text in Chinese comes twice: `what` and `what_zh`.
        let zh: Vec<(&str, &str)> = places
            .iter()
            .map(|(name, value)| {
                let own = places
                    .iter()
                    .find(|(other, _)| other.strip_suffix("_zh") == Some(name));
                (*name, own.map_or(*value, |(_, value)| *value))
            })
            .collect();
        Self {
            gate: Gate::Order,
            level: Level::Hold,
            problem: Problem::new(file, place, field, found, text(Lang::En, &key, places)),
            wanted_zh: text(Lang::Zh, &key, &zh),
        }
    }

    #[must_use]
    pub fn wanted(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh if !self.wanted_zh.is_empty() => &self.wanted_zh,
            _ => &self.problem.wanted,
        }
    }

    /// The SKU it is about, when it is about one line.
    #[must_use]
    pub fn sku(&self) -> Option<&str> {
        self.problem.place.strip_prefix(SKU_PLACE)
    }
}

/// Findings of one line begin their place so.
pub(super) const SKU_PLACE: &str = "SKU ";

/// What a rule asks for and who says so, as texts name it.
pub(super) fn rule_places(pack: &Pack, rule: &Rule) -> [(&'static str, String); 4] {
    [
        ("what", rule.words.en.clone()),
        ("what_zh", rule.words.zh.clone()),
        ("rule", format!("{}/{}", pack.id, rule.id)),
        ("source", rule.source.clone()),
    ]
}

impl From<Finding> for Problem {
    fn from(finding: Finding) -> Self {
        finding.problem
    }
}

/// A problem found elsewhere: somebody must mend it.
impl From<Problem> for Finding {
    fn from(problem: Problem) -> Self {
        Self {
            gate: Gate::Order,
            level: Level::Hold,
            problem,
            wanted_zh: String::new(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}
