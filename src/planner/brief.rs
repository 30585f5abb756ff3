//! A plan of very many lines, figures only: what [`super::plan`] decides of each, without the words around it.
//!
//! A line with its tree of numbers takes ten thousand bytes, its figures take two hundred. Items come in parts and are
//! forgotten after their turn, so a million lines need the memory of one part. Any line's words are made when somebody
//! asks for them: by a plan of its own.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rayon::prelude::*;

use super::context::{Context, MOST_TEACHERS, WarehouseContext, known_days};
use super::engine::{Funnelled, is_coupled};
use super::forecast::{Buffers, LONGEST_HISTORY};
use super::line::{Figures, judge};
use super::model::{Funnel, Reason};
use super::models::{WINDOWS, velocities};
use super::snapshot::{ItemSeries, Policy, Snapshot};
use crate::ids::{Sku, WarehouseCode};
use crate::money::Money;

/// One line's figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BriefLine {
    pub warehouse: WarehouseCode,
    pub sku: Sku,
    pub figures: Figures,
    pub reasons: Vec<Reason>,
    pub cost: Option<Money>,
}

/// Plans in parts.
pub struct Briefing<'a> {
    context: Context<'a>,
    warehouses: BTreeMap<&'a WarehouseCode, WarehouseContext<'a>>,
    funnel: Funnelled,
}

/// Which items of a warehouse teach its season: every so many-th, counted from the first in the order of their SKUs.
#[must_use]
pub fn teacher_step(items: usize) -> usize {
    (items / MOST_TEACHERS).max(1)
}

/// Items of a part: enough that reading one costs little beside planning it.
const PART: usize = 500;

/// The series, sorted by warehouse and SKU, in parts of one warehouse each, those who teach it before the others.
#[must_use]
pub fn parts(series: Vec<ItemSeries>) -> Vec<Vec<ItemSeries>> {
    let mut parts = Vec::with_capacity(series.len() / PART + 1);
    let mut rest = series.into_iter().peekable();
    while let Some(first) = rest.next() {
        let mut items = vec![first];
        while let Some(next) = rest.next_if(|next| next.warehouse == items[0].warehouse) {
            items.push(next);
        }
        let step = teacher_step(items.len());
        let (mut teachers, mut others) = (Vec::new(), Vec::new());
        for (place, item) in items.into_iter().enumerate() {
            match place.is_multiple_of(step) {
                true => teachers.push(item),
                false => others.push(item),
            }
        }
        for items in [teachers, others] {
            let mut items = items.into_iter().peekable();
            while items.peek().is_some() {
                parts.push(items.by_ref().take(PART).collect());
            }
        }
    }
    parts
}

/// Units a day of every item over the windows sellers know ([`WINDOWS`]), in-stock days only.
#[must_use]
pub fn velocity_table(items: &[ItemSeries], as_of: NaiveDate) -> Vec<[Option<f64>; WINDOWS.len()]> {
    let row =
        |item: &ItemSeries| velocities(known_days(item, as_of, LONGEST_HISTORY).map(|(_, units)| units));
    items.par_iter().map(row).collect()
}

/// How many of a warehouse's items teach.
#[must_use]
pub fn teachers(items: usize) -> usize {
    items.div_ceil(teacher_step(items))
}

impl<'a> Briefing<'a> {
    /// `head` is the snapshot, its series left out or not looked at; `teachers` are the items of each warehouse that
    /// [`teacher_step`] names, sorted by SKU. None where one line's quantity is another's too (transfers, capacity, budget,
    /// containers) or items are compared with each other (margins, groups): such a plan is made as a whole.
    #[must_use]
    pub fn new(head: &'a Snapshot, teachers: &'a [ItemSeries], policy: &'a Policy) -> Option<Self> {
        if is_coupled(head, policy) || !head.demand.traits.is_empty() {
            return None;
        }
        let context = Context::new(head, policy);
        // A warehouse nobody described has lines too: without a way to it they are unknown, not left out.
        let described = head.warehouses.iter().map(|facts| &facts.warehouse);
        let codes: BTreeSet<&WarehouseCode> = described
            .chain(teachers.iter().map(|item| &item.warehouse))
            .collect();
        let warehouses = codes
            .into_par_iter()
            .map(|code| {
                let facts = head.warehouses.iter().find(|facts| facts.warehouse == *code);
                let taught: Vec<&ItemSeries> =
                    teachers.iter().filter(|item| item.warehouse == *code).collect();
                (code, context.warehouse(facts, &taught))
            })
            .collect();
        Some(Self {
            context,
            warehouses,
            funnel: Funnelled::default(),
        })
    }

    /// Plans a part of the items. The result stands beside them; None is an item of a warehouse that is neither described
    /// nor taught by an item.
    pub fn plan(&mut self, items: &[ItemSeries]) -> Vec<Option<BriefLine>> {
        for item in items {
            if let (Some(production), Some(warehouse)) =
                (&item.production, self.warehouses.get_mut(&item.warehouse))
            {
                self.context.learn_production(warehouse, production);
            }
        }
        let lines: Vec<Option<BriefLine>> = items
            .par_iter()
            .map_init(Buffers::default, |buffers, item| {
                let warehouse = self.warehouses.get(&item.warehouse)?;
                let judged = judge(item, &self.context, warehouse, buffers);
                Some(BriefLine {
                    warehouse: item.warehouse.clone(),
                    sku: item.sku.clone(),
                    figures: judged.figures,
                    cost: judged.figures.cost(item),
                    reasons: judged.reasons,
                })
            })
            .collect();
        for line in lines.iter().flatten() {
            let (need, suggested) = (line.figures.need_units, line.figures.suggested_units);
            self.funnel.count(need, suggested, &line.reasons);
        }
        lines
    }

    /// How many lines went how far.
    #[must_use]
    pub fn funnel(self) -> Funnel {
        self.funnel.finish()
    }
}
