//! How much, when and how: [`plan`]`(snapshot, policy, parent) -> Plan`, pure and repeatable.
//!
//! [`snapshot`] says what goes in, [`model`] what comes out. A line goes through [`forecast`] (history to demand),
//! [`inbound`] (when comes what is under way), [`balance`] (day by day), [`quantify`] (how much), [`line`](mod@line) (dates,
//! level, reasons), [`line_words`] (what the reader sees) and [`line_explain`] (the tree behind it). Formulas and measured figures: `docs/planning.md`.

mod alerts;
mod balance;
pub mod brief;
pub mod calibration;
mod context;
mod demand;
mod diff;
mod engine;
mod explain;
mod forecast;
pub mod history;
mod inbound;
pub mod inventory;
mod lead;
pub mod limits;
mod line;
mod line_demand;
mod line_explain;
mod line_supply;
mod line_words;
mod method;
pub mod model;
pub mod models;
mod quantify;
mod rounding;
mod season;
pub mod shadow;
pub mod snapshot;
pub mod supply;
mod text;

pub use brief::{BriefLine, Briefing};
pub use calibration::{Calibration, SalesClass};
pub use diff::{diff, diff_plans};
pub use engine::{ENGINE, canonical, plan};
pub use history::{
    BulkUnits, ChosenRate, DemandChange, DemandFacts, DemandOverride, EventDates, ItemTraits, Promotion,
    VelocityChoice,
};
pub use line::Figures;
pub use method::Method;
pub use model::*;
pub use rounding::{Rounded, round_need, round_stat};
pub use snapshot::*;
pub use supply::{
    AgeView, ArrivalDeadline, Capacity, Closure, CustomsExam, DeadlineMode, DeadlineView, Freight, ItemTerms,
    LossTerms, Lot, MissingYear, ModePart, NextTier, NoTransfer, ReturnTerms, RoundTo, Rounding, StageFacts,
    StorageTier, SupplyFacts, SupplyLine, SupplyPolicy, TargetRule, TargetView, Transfer, TransferWay,
    Whereabouts,
};
pub use text::{cause_text, diff_text, explain_text, level_text, reason_text};
