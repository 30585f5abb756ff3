//! Inventory policies with published solutions, as pure functions: lot sizes, newsvendors, (r, Q), (s, S), lots in time,
//! serial systems and trees. Costs are weights in any one unit and period; only their ratios decide quantities, and no
//! amount of money is booked from them. Formulas, sources and how far references agree: `docs/planning-models.md`.

mod demand;
mod eoq;
mod error;
mod guaranteed;
mod horizon;
mod lots;
mod newsvendor;
mod order_up_to;
mod reorder;
mod serial;
mod supply;

pub use demand::{Demand, Loss, standard_normal_loss, standard_normal_second_loss};
pub use eoq::{
    BackorderedLot, DiscountedLot, JointItem, JointPlan, LotSize, PriceBreaks, eoq, eoq_all_units_discount,
    eoq_cost, eoq_incremental_discount, eoq_with_backorders, eoq_with_backorders_cost, epq, epq_cost,
    joint_replenishment,
};
pub use error::InventoryError;
pub use guaranteed::{GuaranteedPlan, Stage, guaranteed_service};
pub use horizon::{HorizonPeriod, HorizonPlan, finite_horizon};
pub use lots::{LotPeriod, LotPlan, wagner_whitin};
pub use newsvendor::{
    Level, Margins, PeriodicReview, Prices, myopic, myopic_cost, newsvendor, newsvendor_cost,
    newsvendor_profit, normal_least_cost,
};
pub use order_up_to::{ApproximateOrderUpTo, OrderUpTo, order_up_to, order_up_to_by_power, order_up_to_cost};
pub use reorder::{Continuous, PoissonReorder, ReorderPolicy, WholePolicy};
pub use serial::{Echelon, SerialDemand, SerialPlan, serial_base_stock};
pub use supply::{
    Disruptions, eoq_additive_yield, eoq_additive_yield_cost, eoq_disrupted, eoq_disrupted_cost,
    eoq_multiplicative_yield, eoq_multiplicative_yield_cost, newsvendor_additive_yield, newsvendor_disrupted,
};

#[cfg(test)]
mod tests;
