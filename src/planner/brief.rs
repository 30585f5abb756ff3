//! A plan of very many lines, figures only: what [`super::plan`] decides of each, without the words around it.
//!
//! A line with its tree of numbers takes ten thousand bytes, its figures take two hundred. Items come in parts and are
//! forgotten after their turn, so a million lines need the memory of one part. Any line's words are made when somebody
//! asks for them: by a plan of its own.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::context::{Context, MOST_TEACHERS, WarehouseContext};
use super::engine::{Funnelled, is_coupled};
use super::forecast::Buffers;
use super::line::{Figures, judge};
use super::model::{Funnel, Reason};
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
        let warehouses = head
            .warehouses
            .par_iter()
            .map(|facts| {
                let taught: Vec<&ItemSeries> = teachers
                    .iter()
                    .filter(|item| item.warehouse == facts.warehouse)
                    .collect();
                (&facts.warehouse, context.warehouse(Some(facts), &taught))
            })
            .collect();
        Some(Self {
            context,
            warehouses,
            funnel: Funnelled::default(),
        })
    }

    /// Plans a part of the items. The result stands beside them; None is an item of a warehouse nobody knows.
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
