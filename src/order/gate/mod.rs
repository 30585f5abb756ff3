//! The gates an order passes before it is booked: everything in its way, all at once, each with the field to mend.
//!
//! Pure: what the gates look at stands in a [`Scene`], and the same scene gives the same findings in the same order.

mod admission;
mod cartons;
mod finding;
mod goods;
mod parties;
mod term;
#[cfg(test)]
pub(crate) mod tests;
mod value;

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::certificate::Certificate;
use super::model::StockingOrder;
use super::rules::RuleBook;
use crate::ids::Sku;
use crate::money::Money;

pub use admission::{Admission, Admitted, admissions};
pub use cartons::{CartonLimits, Extra, Surcharge, surcharges};
pub use finding::{Finding, Gate, Level};
pub use goods::{Channel, looks_like_battery};
pub use value::{DeclaredBefore, Rates, ValuePolicy};

/// What the catalog says of goods besides what the order has frozen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GoodsFacts {
    /// Purchase cost of one unit.
    pub cost: Option<Money>,
    /// Lowest price one unit is sold at.
    pub price: Option<Money>,
    /// A single unit's longest side: a carton may be as long where one unit is.
    pub unit_longest_mm: Option<i64>,
    /// Units of a full carton.
    pub carton_units: Option<i64>,
}

/// Everything the gates look at.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    pub order: &'a StockingOrder,
    pub today: NaiveDate,
    pub rules: &'a RuleBook,
    pub certificates: &'a [Certificate],
    pub goods: &'a BTreeMap<Sku, GoodsFacts>,
    /// What was declared of these goods before, oldest first.
    pub declared: &'a [DeclaredBefore],
    pub rates: &'a Rates,
    pub value: &'a ValuePolicy,
    pub channel: &'a Channel,
    pub warehouse: &'a CartonLimits,
    /// Why the same goods are declared at another value on the same day, when somebody said so.
    pub value_reason: Option<&'a str>,
}

impl Scene<'_> {
    fn country(&self) -> &str {
        &self.order.deliver_to.address.country
    }
}

/// Every gate, all findings at once: those that stop a booking first, then by gate and place.
#[must_use]
pub fn examine(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    parties::examine(scene, &mut findings);
    term::examine(scene, &mut findings);
    goods::examine(scene, &mut findings);
    value::examine(scene, &mut findings);
    admission::examine(scene, &mut findings);
    cartons::examine(scene, &mut findings);
    arrange(&mut findings);
    findings
}

/// The order in which people read findings; one field of a place is told once a level.
pub fn arrange(findings: &mut Vec<Finding>) {
    findings.sort_by(|a, b| {
        let key = |one: &Finding| {
            (
                std::cmp::Reverse(one.level),
                one.gate,
                one.problem.place.clone(),
                one.problem.field.clone(),
            )
        };
        key(a).cmp(&key(b))
    });
    findings.dedup_by(|a, b| a.problem == b.problem);
}

/// Whether anything stops the booking.
#[must_use]
pub fn stops(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.level.stops())
}
