//! What people ordered beside what the plans suggested (R77).
//!
//! A suggestion is open from the first plan that makes it until somebody orders the line or a plan needs it no more.
//! An order answers the suggestion that is open on its day; the units of one day are one answer. A plan that is already
//! planned with an order that people placed no longer suggests it: that is why they are recorded as shipments under way.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;

use super::model::{Plan, PlanLine};
use super::rounding::round_stat;
use crate::ids::{Sku, WarehouseCode};

/// Units people ordered, on a day of theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnOrder {
    pub day: NaiveDate,
    pub warehouse: WarehouseCode,
    pub sku: Sku,
    pub units: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Within a carton or a tenth of the suggestion, whichever is more.
    Alike,
    More,
    Less,
    /// No plan suggested the line on that day.
    Unasked,
    /// There was no plan to compare with, or it could not tell a quantity.
    Unknown,
}

impl Answer {
    pub const ALL: [Self; 5] = [Self::Alike, Self::More, Self::Less, Self::Unasked, Self::Unknown];

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Alike => "alike",
            Self::More => "more",
            Self::Less => "less",
            Self::Unasked => "unasked",
            Self::Unknown => "unknown",
        }
    }
}

/// An order beside the suggestion of its day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ordered {
    pub day: NaiveDate,
    pub warehouse: WarehouseCode,
    pub sku: Sku,
    pub units: i64,
    pub suggested: Option<i64>,
    /// Since when the plans suggested it.
    pub since: Option<NaiveDate>,
    pub answer: Answer,
}

/// A suggestion that nobody followed for as long as a review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    pub warehouse: WarehouseCode,
    pub sku: Sku,
    pub since: NaiveDate,
    /// The first plan that needed it no more; `None` while it is open.
    pub until: Option<NaiveDate>,
    /// As first and as last suggested.
    pub first_units: i64,
    pub last_units: i64,
    /// Days from the arrival it would have had on which nothing could be sold; `None` before that day.
    pub out_of_stock_days: Option<i64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// First and last day that is still ahead of the plans compared.
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    pub plans: usize,
    /// By day, warehouse and SKU.
    pub ordered: Vec<Ordered>,
    pub left_out: Vec<LeftOut>,
}

impl Comparison {
    #[must_use]
    pub fn count(&self, answer: Answer) -> usize {
        self.ordered.iter().filter(|order| order.answer == answer).count()
    }

    /// Units ordered where a plan had suggested something, and the units suggested there.
    #[must_use]
    pub fn units(&self) -> (i64, i64) {
        let answered = self
            .ordered
            .iter()
            .filter_map(|order| Some((order.units, order.suggested.filter(|units| *units > 0)?)));
        answered.fold((0, 0), |(ordered, suggested), (units, wanted)| {
            (ordered + units, suggested + wanted)
        })
    }
}

type Key = (WarehouseCode, Sku);

struct Open {
    since: NaiveDate,
    first_units: i64,
    last_units: i64,
    carton: i64,
    arrival: Option<NaiveDate>,
}

/// Takes plans oldest first; one of each day, the last one made.
pub struct Comparing {
    /// Orders by day, not yet passed.
    orders: BTreeMap<NaiveDate, BTreeMap<Key, i64>>,
    patience_days: i64,
    open: BTreeMap<Key, Open>,
    /// Suggestions that were left, whose arrival may still be ahead.
    left: Vec<(LeftOut, Option<NaiveDate>)>,
    /// Days on which a line was known to be out of stock.
    empty: BTreeMap<Key, Vec<NaiveDate>>,
    /// Lines of the last plan whose quantity it could not tell.
    untold: std::collections::BTreeSet<Key>,
    done: Comparison,
}

impl Comparing {
    /// `patience_days`: a suggestion that stood for less is not counted as left out.
    #[must_use]
    pub fn new(orders: impl IntoIterator<Item = OwnOrder>, patience_days: i64) -> Self {
        let mut by_day: BTreeMap<NaiveDate, BTreeMap<Key, i64>> = BTreeMap::new();
        for order in orders {
            *by_day
                .entry(order.day)
                .or_default()
                .entry((order.warehouse, order.sku))
                .or_default() += order.units;
        }
        Self {
            orders: by_day,
            patience_days,
            open: BTreeMap::new(),
            left: Vec::new(),
            empty: BTreeMap::new(),
            untold: std::collections::BTreeSet::new(),
            done: Comparison::default(),
        }
    }

    pub fn plan(&mut self, plan: &Plan) {
        if self.done.from.is_none() {
            // Nothing is known of the days before the first plan.
            self.orders = self.orders.split_off(&plan.as_of);
        }
        self.answer_until(plan.as_of);
        self.done.from.get_or_insert(plan.as_of);
        self.done.to = Some(plan.as_of);
        self.done.plans += 1;
        self.untold.clear();
        let mut seen = std::collections::BTreeSet::new();
        for line in &plan.lines {
            let key = (line.warehouse.clone(), line.sku.clone());
            if line.available.is_some_and(|units| units <= 0) {
                self.empty.entry(key.clone()).or_default().push(plan.as_of);
            }
            match line.suggested_units {
                None => {
                    self.untold.insert(key.clone());
                    seen.insert(key);
                }
                Some(units) if units > 0 => {
                    self.suggested(&key, line, units, plan.as_of);
                    seen.insert(key);
                }
                Some(_) => {}
            }
        }
        let gone: Vec<Key> = self
            .open
            .keys()
            .filter(|key| !seen.contains(*key))
            .cloned()
            .collect();
        for key in gone {
            self.leave(&key, Some(plan.as_of));
        }
    }

    fn suggested(&mut self, key: &Key, line: &PlanLine, units: i64, day: NaiveDate) {
        let carton = match line.suggested_cartons {
            Some(cartons) if cartons > 0 => units / cartons,
            _ => 1,
        };
        let open = self.open.entry(key.clone()).or_insert(Open {
            since: day,
            first_units: units,
            last_units: units,
            carton,
            arrival: line.eta,
        });
        open.last_units = units;
        open.carton = carton;
    }

    /// Answers of the days before `day`: they were given to the plans taken so far.
    fn answer_until(&mut self, day: NaiveDate) {
        let later = self.orders.split_off(&day);
        for (day, lines) in std::mem::replace(&mut self.orders, later) {
            for (key, units) in lines {
                let open = self.open.remove(&key);
                let suggested = open.as_ref().map(|open| open.last_units);
                let answer = match &open {
                    Some(open) => alike(units, open),
                    None if self.untold.contains(&key) => Answer::Unknown,
                    None => Answer::Unasked,
                };
                self.done.ordered.push(Ordered {
                    day,
                    warehouse: key.0,
                    sku: key.1,
                    units,
                    suggested: suggested.or((answer == Answer::Unasked).then_some(0)),
                    since: open.map(|open| open.since),
                    answer,
                });
            }
        }
    }

    fn leave(&mut self, key: &Key, until: Option<NaiveDate>) {
        let Some(open) = self.open.remove(key) else { return };
        let last = until.or(self.done.to).unwrap_or(open.since);
        if (last - open.since).num_days() < self.patience_days {
            return;
        }
        let left = LeftOut {
            warehouse: key.0.clone(),
            sku: key.1.clone(),
            since: open.since,
            until,
            first_units: open.first_units,
            last_units: open.last_units,
            out_of_stock_days: None,
        };
        self.left.push((left, open.arrival));
    }

    #[must_use]
    pub fn finish(mut self) -> Comparison {
        let end = self.done.to;
        if let Some(end) = end {
            self.answer_until(end.succ_opt().unwrap_or(end));
        }
        for key in self.open.keys().cloned().collect::<Vec<_>>() {
            self.leave(&key, None);
        }
        let empty = &self.empty;
        self.done.left_out = self
            .left
            .into_iter()
            .map(|(mut left, arrival)| {
                let arrival = arrival.filter(|day| end.is_some_and(|end| *day <= end));
                let days = empty.get(&(left.warehouse.clone(), left.sku.clone()));
                left.out_of_stock_days = arrival.map(|from| {
                    let days = days.map_or(0, |days| days.iter().filter(|day| **day >= from).count());
                    i64::try_from(days).unwrap_or(i64::MAX)
                });
                left
            })
            .collect();
        self.done
            .left_out
            .sort_by(|a, b| (a.since, &a.warehouse, &a.sku).cmp(&(b.since, &b.warehouse, &b.sku)));
        self.done
    }
}

fn alike(units: i64, open: &Open) -> Answer {
    let margin = open.carton.max(open.last_units / 10);
    match units - open.last_units {
        more if more > margin => Answer::More,
        less if less < -margin => Answer::Less,
        _ => Answer::Alike,
    }
}

/// Units ordered as a share of the units suggested; `None` where nothing was suggested.
#[must_use]
pub fn share(ordered: i64, suggested: i64) -> Option<rust_decimal::Decimal> {
    (suggested > 0)
        .then(|| round_stat(ordered as f64 / suggested as f64))
        .flatten()
}
