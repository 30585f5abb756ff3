//! A chain of stages with stochastic demand at its end: echelon base stocks by Clark and Scarf (1960), in the recursion of
//! Chen and Zheng (1994).

use super::demand::Demand;
use super::error::{InventoryError, length, not_negative, positive};

/// One stage. Stages are listed from the one that serves the customer upward.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Echelon {
    /// What holding a unit here costs more a period than one stage up.
    pub holding: f64,
    /// Periods from the stage above to here.
    pub lead: f64,
}

/// Demand of one period.
#[derive(Debug, Clone, PartialEq)]
pub enum SerialDemand {
    Normal {
        mean: f64,
        sd: f64,
    },
    Poisson {
        mean: f64,
    },
    /// Units and their probability; lead times are whole periods then.
    Points(Vec<(u32, f64)>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct SerialPlan {
    /// Echelon base stock of each stage, in their order: order up to it, counting all below.
    pub levels: Vec<f64>,
    /// Expected cost a period.
    pub cost: f64,
}

/// Steps a normal demand is cut into, for each standard deviation of the whole lead time.
const STEPS: f64 = 200.0;
const REACH: f64 = 6.0;
/// Levels times demands worked through for one stage at most.
const MOST_CELLS: usize = 400_000_000;

/// Demand of one stage's lead time, in steps from `first`.
struct Steps {
    first: i64,
    probabilities: Vec<f64>,
}

impl Steps {
    fn last(&self) -> i64 {
        self.first + self.probabilities.len() as i64 - 1
    }
}

/// The cost of a level of the stages done so far: a table between two straight lines.
struct Cost {
    first: i64,
    table: Vec<f64>,
    /// Slope below the table, a step: there every unit less is one more backordered.
    below: f64,
    /// The best level; orders from above fill no higher.
    best: i64,
}

impl Cost {
    fn induced(&self, level: i64) -> f64 {
        if level < self.first {
            return self.table[0] + self.below * (level - self.first) as f64;
        }
        let place = (level.min(self.best) - self.first) as usize;
        self.table[place.min(self.table.len() - 1)]
    }
}

fn greatest_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_divisor(b, a % b) }
}

/// The step all levels are counted in, and each stage's demand in it.
fn in_steps(stages: &[Echelon], demand: &SerialDemand) -> Result<(f64, Vec<Steps>), InventoryError> {
    let lead: f64 = stages.iter().map(|stage| stage.lead).sum();
    match demand {
        SerialDemand::Normal { mean, sd } => {
            not_negative("mean demand", *mean)?;
            positive("standard deviation of demand", *sd)?;
            let step = sd * lead.sqrt() / STEPS;
            // Else the steps of a mean this much larger than its spread are no exact numbers.
            positive(
                "1e9 less mean demand over its deviation",
                1e9 - mean * lead / step,
            )?;
            let cut = |stage: &Echelon| {
                let (mean, sd) = (mean * stage.lead, sd * stage.lead.sqrt());
                if stage.lead <= 0.0 {
                    return Steps {
                        first: 0,
                        probabilities: vec![1.0],
                    };
                }
                let first = ((mean - REACH * sd) / step).floor() as i64;
                let last = ((mean + REACH * sd) / step).ceil() as i64;
                let demand = Demand::Normal { mean, sd };
                let below = |edge: i64| match edge {
                    edge if edge == first => 0.0,
                    edge if edge > last => 1.0,
                    edge => demand.cdf((edge as f64 - 0.5) * step),
                };
                Steps {
                    first,
                    probabilities: (first..=last).map(|k| below(k + 1) - below(k)).collect(),
                }
            };
            Ok((step, stages.iter().map(cut).collect()))
        }
        SerialDemand::Poisson { mean } => {
            positive("mean demand", *mean)?;
            let cut = |stage: &Echelon| {
                let probabilities = if stage.lead > 0.0 {
                    Demand::Poisson {
                        mean: mean * stage.lead,
                    }
                    .pmf_until(1e-13)?
                } else {
                    vec![1.0]
                };
                Ok(Steps {
                    first: 0,
                    probabilities,
                })
            };
            let cut: Result<Vec<Steps>, InventoryError> = stages.iter().map(cut).collect();
            Ok((1.0, cut?))
        }
        SerialDemand::Points(points) => {
            let sum: f64 = points.iter().map(|(_, probability)| probability).sum();
            for (_, probability) in points {
                not_negative("probability", *probability)?;
            }
            if (sum - 1.0).abs() > 1e-6 {
                return Err(InventoryError::Parameter {
                    parameter: "sum of the probabilities",
                    wanted: "1",
                    got: sum,
                });
            }
            // 0 or 10,000 units are two steps of 10,000: nothing lies between.
            let step = points
                .iter()
                .fold(0, |step, (units, _)| greatest_divisor(step, *units))
                .max(1);
            let longest = points.iter().map(|(units, _)| units / step).max().unwrap_or(0);
            let mut cuts = Vec::new();
            for stage in stages {
                if stage.lead.fract() != 0.0 {
                    return Err(InventoryError::Parameter {
                        parameter: "lead time",
                        wanted: "a whole number of periods with demand by points",
                        got: stage.lead,
                    });
                }
                allow((stage.lead * f64::from(longest) + 1.0) * points.len() as f64 * stage.lead)?;
                let mut probabilities = vec![1.0];
                for _ in 0..stage.lead as usize {
                    let mut more = vec![0.0; probabilities.len() + longest as usize];
                    for (units, probability) in points {
                        let shift = (units / step) as usize;
                        for (place, before) in probabilities.iter().enumerate() {
                            more[place + shift] += before * probability;
                        }
                    }
                    probabilities = more;
                }
                cuts.push(Steps {
                    first: 0,
                    probabilities,
                });
            }
            Ok((f64::from(step), cuts))
        }
    }
}

fn allow(needs: f64) -> Result<(), InventoryError> {
    if needs <= MOST_CELLS as f64 {
        return Ok(());
    }
    Err(InventoryError::TooLarge {
        what: "the grid of levels and demands",
        needs,
        most: MOST_CELLS,
    })
}

/// Echelon base stocks of least cost; a unit short at the customer costs `stockout` a period. Counts are solved exactly;
/// normal demand in steps of 1/200 of its standard deviation over the whole lead time.
pub fn serial_base_stock(
    stages: &[Echelon],
    stockout: f64,
    demand: &SerialDemand,
) -> Result<SerialPlan, InventoryError> {
    if stages.is_empty() {
        length("stages", 1, 0)?;
    }
    positive("stock-out cost", stockout)?;
    let mut holding = 0.0;
    for stage in stages {
        not_negative("echelon holding cost", stage.holding)?;
        not_negative("lead time", stage.lead)?;
        holding += stage.holding;
    }
    positive("holding cost of the chain", holding)?;
    positive(
        "lead time of the chain",
        stages.iter().map(|stage| stage.lead).sum(),
    )?;
    let (step, demands) = in_steps(stages, demand)?;

    let mut cost = Cost {
        first: 0,
        table: vec![0.0],
        below: -(stockout + holding) * step,
        best: 0,
    };
    let mut levels = Vec::with_capacity(stages.len());
    for (stage, demand) in stages.iter().zip(&demands) {
        // Below the first level all downstream is short for certain, above the last nothing is.
        let first = cost.first + demand.first;
        let last = cost.first + cost.table.len() as i64 - 1 + demand.last();
        allow((last - first + 1) as f64 * demand.probabilities.len() as f64)?;
        // Where probability is zero (sparse points) nothing need be asked.
        let met: Vec<(i64, f64)> = (demand.first..)
            .zip(demand.probabilities.iter().copied())
            .filter(|(_, probability)| *probability > 0.0)
            .collect();
        let table: Vec<f64> = (first..=last)
            .map(|level| {
                met.iter()
                    .map(|(units, probability)| {
                        let left = level - units;
                        probability * (stage.holding * step * left as f64 + cost.induced(left))
                    })
                    .sum()
            })
            .collect();
        let place = (0..table.len())
            .min_by(|&a, &b| table[a].total_cmp(&table[b]))
            .unwrap_or_default();
        cost = Cost {
            first,
            below: cost.below + stage.holding * step,
            best: first + place as i64,
            table,
        };
        levels.push(cost.best as f64 * step);
    }
    Ok(SerialPlan {
        levels,
        cost: cost.induced(cost.best),
    })
}
