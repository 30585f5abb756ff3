//! A stored plan's inputs planned again by another policy: what would change, before anybody changes it.
//!
//! Both policies see the same facts, a part after the other, so that the largest seller's question needs the memory of one
//! part. Nothing is stored.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use rayon::prelude::*;
use rust_decimal::Decimal;
use serde::Serialize;

use crate::ids::{AccountId, Sku, WarehouseCode};
use crate::money::Currency;
use crate::planner::model::Funnel;
use crate::planner::{
    self, AlertLevel, BriefLine, Briefing, Figures, ItemSeries, Policy, Reason, Snapshot, brief,
};
use crate::store::Tx;
use crate::store::plans::{self, Inputs, PlanError, PlanHead};

#[derive(Debug, thiserror::Error)]
pub enum WhatIfError {
    #[error("setting `{setting}`: wanted `key=value`, a key of the section [plan]")]
    Shape { setting: String },
    #[error("setting `{setting}`: {why}")]
    Value { setting: String, why: String },
    #[error("setting `{setting}`: found {found}, wanted {wanted}")]
    OutOfRange {
        setting: &'static str,
        found: i64,
        wanted: &'static str,
    },
    #[error(transparent)]
    Plan(#[from] PlanError),
}

/// The policy with some of its settings changed, as `key=value` with the keys of `[plan]`.
///
/// # Errors
/// When a key is not known, or its value not understood.
pub fn changed(policy: &Policy, settings: &[String]) -> Result<Policy, WhatIfError> {
    let mut policy = policy.clone();
    for setting in settings {
        let shape = || WhatIfError::Shape {
            setting: setting.clone(),
        };
        let value_error = |why: serde_json::Error| WhatIfError::Value {
            setting: setting.clone(),
            why: why.to_string(),
        };
        let (key, text) = setting.split_once('=').ok_or_else(shape)?;
        let value = serde_json::from_str(text.trim()).unwrap_or_else(|_| text.trim().into());
        let mut whole = serde_json::to_value(&policy).map_err(value_error)?;
        let mut place = &mut whole;
        for part in key.trim().split('.') {
            let fields = place
                .as_object_mut()
                .filter(|_| !part.is_empty())
                .ok_or_else(shape)?;
            place = fields.entry(part).or_insert_with(|| serde_json::json!({}));
        }
        *place = value;
        policy = serde_json::from_value(whole).map_err(value_error)?;
    }
    match policy.out_of_range().into_iter().next() {
        Some(slip) => Err(WhatIfError::OutOfRange {
            setting: slip.setting,
            found: slip.found,
            wanted: slip.wanted,
        }),
        None => Ok(policy),
    }
}

/// What a policy comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Lines with a suggestion.
    pub lines: i64,
    /// Lines past their latest order date.
    pub critical: i64,
    /// Lines nothing can be said of.
    pub unknown: i64,
    pub units: i64,
    pub cartons: i64,
    /// Cost of the suggestions whose unit cost is known, by currency.
    pub cost: BTreeMap<Currency, Decimal>,
    /// Suggested units whose cost is not known.
    pub units_without_cost: i64,
}

impl Totals {
    /// Adds another warehouse's.
    pub fn join(&mut self, other: &Self) {
        self.lines += other.lines;
        self.critical += other.critical;
        self.unknown += other.unknown;
        self.units += other.units;
        self.cartons += other.cartons;
        for (currency, amount) in &other.cost {
            *self.cost.entry(*currency).or_default() += amount;
        }
        self.units_without_cost += other.units_without_cost;
    }

    fn add(&mut self, line: &BriefLine) {
        let Some(units) = line.figures.suggested_units else {
            // What nobody wants to order any more is no gap.
            self.unknown += i64::from(!line.reasons.contains(&Reason::Inactive));
            return;
        };
        self.lines += i64::from(units > 0);
        self.critical += i64::from(line.figures.level == Some(AlertLevel::Critical));
        self.units += units;
        self.cartons += line.figures.suggested_cartons.unwrap_or(0);
        match line.cost {
            Some(cost) => *self.cost.entry(cost.currency).or_default() += cost.amount,
            None => self.units_without_cost += units,
        }
    }
}

/// A line the two policies see differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    pub warehouse: WarehouseCode,
    pub sku: Sku,
    pub before: Option<i64>,
    pub after: Option<i64>,
}

/// The stored policy beside the changed one.
#[derive(Debug, Clone, Serialize)]
pub struct Compared {
    pub plan: String,
    pub items: usize,
    pub before: BTreeMap<WarehouseCode, Totals>,
    pub after: BTreeMap<WarehouseCode, Totals>,
    pub funnel_before: Funnel,
    pub funnel_after: Funnel,
    /// How many lines have another quantity, and those that differ most.
    pub changed: i64,
    pub changes: Vec<Change>,
}

/// Parts that are read before they are planned together.
const AT_ONCE: usize = 8;

/// Plans a stored plan's inputs by its own policy and by the changed one; once, where nothing is changed. `most` changes
/// are kept; `told` hears how many items are done.
///
/// # Errors
/// When an input is missing or has changed, or a setting is none.
pub async fn compare(
    tx: &mut Tx,
    account: &AccountId,
    head: &PlanHead,
    settings: &[String],
    most: usize,
    told: &dyn Fn(usize, usize),
) -> Result<Compared, WhatIfError> {
    let mut inputs = Inputs::of(tx, account, head).await?;
    let own = std::mem::take(&mut inputs.policy);
    let other = Some(changed(&own, settings)?).filter(|other| *other != own);
    let mut tally = Tally::new(most);
    let parts = Parts::begin(tx, account, &mut inputs).await?;
    let brief = |policy| Briefing::new(&inputs.head, &parts.teachers, policy);
    // Both can be planned in parts, or neither.
    let briefings = match &other {
        None => brief(&own).map(|own| (own, None)),
        Some(other) => brief(&own)
            .zip(brief(other))
            .map(|(own, other)| (own, Some(other))),
    };
    let funnels = if let Some((mut before, mut after)) = briefings {
        let mut done = 0;
        let mut plan = |items: &[ItemSeries]| {
            let before = before.plan(items);
            let after = after.as_mut().map(|after| after.plan(items));
            let after = after.as_ref().unwrap_or(&before);
            tally.add(before.iter().flatten().zip(after.iter().flatten()));
            done += items.len();
            told(done, parts.items);
        };
        plan(&parts.teachers);
        for some in parts.rest.chunks(AT_ONCE) {
            plan(&open(tx, account, some).await?);
        }
        let before = before.funnel();
        (before.clone(), after.map_or(before, Briefing::funnel))
    } else {
        let (snapshot, _) = plans::inputs(tx, account, head).await?;
        let (before, funnel_before) = whole(&snapshot, &own);
        let (after, funnel_after) = whole(&snapshot, other.as_ref().unwrap_or(&own));
        tally.add(before.iter().zip(&after));
        (funnel_before, funnel_after)
    };
    Ok(tally.finish(head, parts.items, funnels))
}

/// Opens parts side by side.
async fn open(
    tx: &mut Tx,
    account: &AccountId,
    parts: &[plans::PartRef],
) -> Result<Vec<ItemSeries>, PlanError> {
    let mut packed = Vec::with_capacity(parts.len());
    for part in parts {
        packed.push(plans::read_part(tx, account, part).await?);
    }
    let opened: Vec<Vec<ItemSeries>> = packed
        .into_par_iter()
        .map(plans::Part::open)
        .collect::<Result<_, _>>()?;
    Ok(opened.into_iter().flatten().collect())
}

/// The parts of a plan: those that teach are read, the rest is named.
struct Parts {
    items: usize,
    teachers: Vec<ItemSeries>,
    rest: Vec<plans::PartRef>,
}

impl Parts {
    async fn begin(tx: &mut Tx, account: &AccountId, inputs: &mut Inputs) -> Result<Self, PlanError> {
        let mut counts: BTreeMap<WarehouseCode, usize> = BTreeMap::new();
        for part in &inputs.parts {
            *counts.entry(part.warehouse.clone()).or_default() += part.items;
        }
        // A plan stored before there were parts has its series in its head.
        let mut teachers = std::mem::take(&mut inputs.head.series);
        let items = counts.values().sum::<usize>() + teachers.len();
        let mut wanted: BTreeMap<WarehouseCode, usize> = counts
            .into_iter()
            .map(|(warehouse, items)| (warehouse, brief::teachers(items)))
            .collect();
        let (mut first, mut rest) = (Vec::new(), Vec::new());
        for part in std::mem::take(&mut inputs.parts) {
            match wanted.get_mut(&part.warehouse).filter(|left| **left > 0) {
                Some(left) => {
                    *left = left.saturating_sub(part.items);
                    first.push(part);
                }
                None => rest.push(part),
            }
        }
        for some in first.chunks(AT_ONCE) {
            teachers.extend(open(tx, account, some).await?);
        }
        Ok(Self {
            items,
            teachers,
            rest,
        })
    }
}

/// All lines at once, where one line's quantity is another's too.
fn whole(snapshot: &Snapshot, policy: &Policy) -> (Vec<BriefLine>, Funnel) {
    let plan = planner::plan(snapshot, policy, None);
    let mut lines: Vec<BriefLine> = plan
        .lines
        .into_iter()
        .map(|line| BriefLine {
            figures: Figures::of(&line),
            cost: line.cost,
            reasons: line.reasons,
            warehouse: line.warehouse,
            sku: line.sku,
        })
        .collect();
    lines.sort_by(|a, b| (&a.warehouse, &a.sku).cmp(&(&b.warehouse, &b.sku)));
    (lines, plan.funnel)
}

type Farthest = Reverse<(u64, Reverse<(WarehouseCode, Sku)>, Option<i64>, Option<i64>)>;

struct Tally {
    before: BTreeMap<WarehouseCode, Totals>,
    after: BTreeMap<WarehouseCode, Totals>,
    changed: i64,
    most: usize,
    /// The smallest of the largest changes on top.
    changes: BinaryHeap<Farthest>,
}

impl Tally {
    fn new(most: usize) -> Self {
        Self {
            before: BTreeMap::new(),
            after: BTreeMap::new(),
            changed: 0,
            most,
            changes: BinaryHeap::new(),
        }
    }

    fn add<'a>(&mut self, lines: impl Iterator<Item = (&'a BriefLine, &'a BriefLine)>) {
        for (before, after) in lines {
            for (totals, line) in [(&mut self.before, before), (&mut self.after, after)] {
                match totals.get_mut(&line.warehouse) {
                    Some(totals) => totals.add(line),
                    None => totals.entry(line.warehouse.clone()).or_default().add(line),
                }
            }
            let units = (before.figures.suggested_units, after.figures.suggested_units);
            if units.0 == units.1 {
                continue;
            }
            self.changed += 1;
            let far = units.1.unwrap_or(0).abs_diff(units.0.unwrap_or(0));
            let key = Reverse((before.warehouse.clone(), before.sku.clone()));
            self.changes.push(Reverse((far, key, units.0, units.1)));
            if self.changes.len() > self.most {
                self.changes.pop();
            }
        }
    }

    fn finish(self, head: &PlanHead, items: usize, (before, after): (Funnel, Funnel)) -> Compared {
        let changes = self.changes.into_sorted_vec().into_iter().map(
            |Reverse((_, Reverse((warehouse, sku)), before, after))| Change {
                warehouse,
                sku,
                before,
                after,
            },
        );
        Compared {
            plan: head.id.to_string(),
            items,
            before: self.before,
            after: self.after,
            funnel_before: before,
            funnel_after: after,
            changed: self.changed,
            changes: changes.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_change_the_policy_and_say_what_they_cannot() {
        let own = Policy::default();
        let settings = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let changed_to = |texts: &[&str]| changed(&own, &settings(texts));
        let other = changed_to(&["service_permille=980", "review_days = 14", "moq=wait"]).unwrap();
        assert_eq!((other.service_permille, other.review_days), (980, 14));
        assert_eq!(other.moq, planner::MoqPolicy::Wait);
        let deep = changed_to(&["supply.split_modes=false"]).unwrap();
        assert!(!deep.supply.split_modes);
        let refused: Vec<String> = [
            "service",
            "servise_permille=980",
            "review_days=soon",
            "=3",
            "service_permille=98",
        ]
        .iter()
        .map(|setting| changed_to(&[setting]).unwrap_err().to_string())
        .collect();
        insta::assert_snapshot!(refused.join("\n"), @r#"
        setting `service`: wanted `key=value`, a key of the section [plan]
        setting `servise_permille=980`: unknown field `servise_permille`, expected one of `review_days`, `service_permille`, `lead_permille`, `warning_days`, `overstock_days`, `history_days`, `horizon_days`, `min_observations`, `certain_shortage`, `moq`, `count_unknown_inbound`, `season`, `remind_days`, `worse_days`, `tournament`, `service_by_rank`, `paths`, `seed`, `supply`, `method`, `lot_days`, `order_cost`, `holding_permille`, `calibrate`, `calibration`
        setting `review_days=soon`: invalid type: string "soon", expected i64
        setting `=3`: wanted `key=value`, a key of the section [plan]
        setting `service_permille`: found 98, wanted thousandths from 500 to 999: 98 % is 980
        "#);
    }
}
