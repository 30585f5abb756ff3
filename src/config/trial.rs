//! `[trial]`: how far linkstar is trusted yet (R77). Orders are issued only where every rule that speaks of a line
//! says so.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::declared::Sections;
use crate::ids::{Sku, WarehouseCode};
use crate::order::Mode;

/// The later one is the more careful one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrialStage {
    /// What people approve is ordered.
    #[default]
    Live,
    /// What people approve is ordered, up to so many units.
    Pilot,
    /// Plans and mails only: nothing is ordered, and the plans are compared with what people ordered.
    Shadow,
}

impl TrialStage {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Pilot => "pilot",
            Self::Shadow => "shadow",
        }
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrialSection {
    /// Of the lines that no rule speaks of: `live` or `shadow`.
    pub stage: TrialStage,
    /// `[[trial.rule]]`: of the lines they name. Where several speak of a line, the most careful one holds.
    #[serde(rename = "rule")]
    pub rules: Vec<TrialRule>,
}

/// Some SKUs, warehouses or modes; what is left out means all of them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrialRule {
    pub stage: TrialStage,
    pub skus: BTreeSet<Sku>,
    pub warehouses: BTreeSet<WarehouseCode>,
    pub modes: BTreeSet<Mode>,
    /// A pilot's limit: units in all orders of these lines that were not cancelled.
    pub max_units: Option<i64>,
    /// The limit counts orders from this day on; all orders when left out.
    pub since: Option<NaiveDate>,
}

impl TrialRule {
    #[must_use]
    pub fn speaks_of(&self, warehouse: &WarehouseCode, sku: &Sku, mode: Mode) -> bool {
        (self.skus.is_empty() || self.skus.contains(sku))
            && (self.warehouses.is_empty() || self.warehouses.contains(warehouse))
            && (self.modes.is_empty() || self.modes.contains(&mode))
    }
}

/// What holds for one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted {
    pub stage: TrialStage,
    /// Places of the rules whose limits hold, in [`TrialSection::rules`].
    pub limits: Vec<usize>,
}

impl TrialSection {
    #[must_use]
    pub fn of(&self, warehouse: &WarehouseCode, sku: &Sku, mode: Mode) -> Trusted {
        let speaking: Vec<(usize, &TrialRule)> = self
            .rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.speaks_of(warehouse, sku, mode))
            .collect();
        Trusted {
            stage: speaking
                .iter()
                .map(|(_, rule)| rule.stage)
                .max()
                .unwrap_or(self.stage),
            limits: speaking
                .iter()
                .filter(|(_, rule)| rule.max_units.is_some())
                .map(|(place, _)| *place)
                .collect(),
        }
    }

    /// Whether anything is on trial.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.stage == TrialStage::Live && self.rules.iter().all(|rule| rule.stage == TrialStage::Live)
    }

    /// Whether nothing at all is ordered.
    #[must_use]
    pub fn is_shadow(&self) -> bool {
        self.stage == TrialStage::Shadow && self.rules.iter().all(|rule| rule.stage == TrialStage::Shadow)
    }
}

pub(super) fn check(trial: &TrialSection, sections: &mut Sections<'_>) {
    if trial.stage == TrialStage::Pilot {
        sections.fault(
            "trial.stage",
            "pilot",
            "live or shadow; a pilot is a [[trial.rule]] that names its lines and max_units",
        );
    }
    for (place, rule) in trial.rules.iter().enumerate() {
        let field = |name: &str| format!("trial.rule.{}.{name}", place + 1);
        if rule.skus.is_empty() && rule.warehouses.is_empty() && rule.modes.is_empty() {
            sections.fault(
                &field("skus"),
                "",
                "at least one of skus, warehouses and modes; trial.stage is for all the others",
            );
        }
        match (rule.stage, rule.max_units) {
            (TrialStage::Pilot, None) => {
                sections.fault(&field("max_units"), "", "the units a pilot may order");
            }
            (TrialStage::Pilot, Some(units)) if units <= 0 => {
                sections.fault(&field("max_units"), units.to_string(), "a whole number above 0");
            }
            (TrialStage::Live | TrialStage::Shadow, Some(units)) => sections.fault(
                &field("max_units"),
                units.to_string(),
                "nothing: only a pilot has a limit",
            ),
            _ => {}
        }
        if rule.since.is_some() && rule.max_units.is_none() {
            sections.fault(
                &field("since"),
                rule.since.map(|day| day.to_string()).unwrap_or_default(),
                "max_units beside it: it says from when on units are counted",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(text: &str) -> TrialSection {
        toml::from_str(text).unwrap()
    }

    fn of(section: &TrialSection, sku: &str, mode: Mode) -> TrialStage {
        let warehouse = WarehouseCode::new("goodcang:UKMA").unwrap();
        section.of(&warehouse, &Sku::new(sku).unwrap(), mode).stage
    }

    #[test]
    fn r77_of_a_pilot_sku_on_a_live_lane_the_more_careful_rule_holds() {
        let trial = section(
            "stage = 'shadow'
             [[rule]]
             stage = 'live'
             modes = ['sea']
             [[rule]]
             stage = 'pilot'
             skus = ['LAMP-01']
             max_units = 500",
        );
        assert_eq!(of(&trial, "LAMP-01", Mode::Sea), TrialStage::Pilot);
        assert_eq!(of(&trial, "MUG-02", Mode::Sea), TrialStage::Live);
        assert_eq!(of(&trial, "MUG-02", Mode::Air), TrialStage::Shadow);
        assert!(!trial.is_live() && !trial.is_shadow());
    }

    #[test]
    fn without_a_section_everything_is_live() {
        let trial = section("");
        assert!(trial.is_live());
        assert_eq!(of(&trial, "MUG-02", Mode::Air), TrialStage::Live);
    }

    #[test]
    fn a_rule_that_names_nothing_or_a_pilot_without_a_limit_is_refused_with_all_else() {
        let text = "[account]\nid = 'main'\nname = 'x'\n[trial]\nstage = 'pilot'\n\
                    [[trial.rule]]\nstage = 'pilot'\n\
                    [[trial.rule]]\nstage = 'live'\nskus = ['A']\nmax_units = 5\n\
                    [[trial.rule]]\nskus = ['B']\nsince = '2026-11-01'\n\
                    [[trial.rule]]\nstage = 'pilot'\nskus = ['C']\nmax_units = 0\n";
        let home = std::path::Path::new(".");
        let problems = crate::config::load_text("linkstar.toml", text, home, &|_| None).unwrap_err();
        insta::assert_snapshot!(
            problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
            @r#"
        linkstar.toml, `trial.stage`: found `pilot`, wanted live or shadow; a pilot is a [[trial.rule]] that names its lines and max_units
        linkstar.toml, `trial.rule.1.skus`: found ``, wanted at least one of skus, warehouses and modes; trial.stage is for all the others
        linkstar.toml, `trial.rule.1.max_units`: found ``, wanted the units a pilot may order
        linkstar.toml, `trial.rule.2.max_units`: found `5`, wanted nothing: only a pilot has a limit
        linkstar.toml, `trial.rule.3.since`: found `2026-11-01`, wanted max_units beside it: it says from when on units are counted
        linkstar.toml, `trial.rule.4.max_units`: found `0`, wanted a whole number above 0
        "#
        );
    }
}
