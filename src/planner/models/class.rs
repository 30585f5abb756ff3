//! Demand classes by how often and how evenly an item sells (Syntetos, Boylan and Croston 2005).

use super::series::{self, ModelError};

/// Above this mean gap between sales, in periods, demand is intermittent.
pub const GAP_LIMIT: f64 = 1.32;
/// Above this squared coefficient of variation of the sizes, demand is erratic.
pub const VARIATION_LIMIT: f64 = 0.49;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DemandClass {
    Smooth,
    Erratic,
    Intermittent,
    Lumpy,
    /// Never sold.
    None,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DemandPattern {
    pub class: DemandClass,
    /// ADI: periods for each period that sold. `None` when none did.
    pub mean_gap: Option<f64>,
    /// CV² of the sizes of selling periods (population variance). `None` when none sold.
    pub squared_variation: Option<f64>,
}

/// The class of a series; at the limits themselves the calmer class.
pub fn classify(y: &[f64]) -> Result<DemandPattern, ModelError> {
    series::demand(y)?;
    let sizes: Vec<f64> = y.iter().copied().filter(|value| *value > 0.0).collect();
    if sizes.is_empty() {
        return Ok(DemandPattern {
            class: DemandClass::None,
            mean_gap: None,
            squared_variation: None,
        });
    }
    let gap = y.len() as f64 / sizes.len() as f64;
    let mean = series::mean(&sizes);
    let spread = sizes.iter().map(|size| (size / mean - 1.0).powi(2)).sum::<f64>() / sizes.len() as f64;
    let class = match (gap > GAP_LIMIT, spread > VARIATION_LIMIT) {
        (false, false) => DemandClass::Smooth,
        (false, true) => DemandClass::Erratic,
        (true, false) => DemandClass::Intermittent,
        (true, true) => DemandClass::Lumpy,
    };
    Ok(DemandPattern {
        class,
        mean_gap: Some(gap),
        squared_variation: Some(spread),
    })
}
