//! Policies run on the seller's own history as a closed loop: what each would have done, and what would have come of it.
//!
//! [`History`] is what is known, [`World`] the part of it that is lived through again, [`run()`](run::run) one policy's life in
//! it, [`Report`] what is shown. Pure: the same history, settings and seed give the same report. A policy is handed
//! what it would have seen on that day and nothing else: its own sales, cut off by its own stock-outs.

mod dice;
mod lead;
mod range;
mod report;
mod rule;
mod run;
mod score;
mod world;

pub use lead::LeadTable;
pub use report::{
    Comparison, Conclusion, Figures, LEAST_DAYS, LEAST_ITEMS, PolicyReport, Range, Report, Shown, report,
};
pub use rule::{NAMES, Rule, RuleError};
pub use run::{Life, Progress, run};
pub use score::{Cell, Tally};
pub use world::{History, LEAST_HISTORY, LeftOut, Rates, Refusal, Settings, World, WorldItem, WorldLane};
