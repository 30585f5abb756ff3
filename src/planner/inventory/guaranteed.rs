//! Where to hold safety stock in a tree of stages that promise service times: Graves and Willems (2000).

use super::error::{InventoryError, not_negative};

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    /// Periods the work of this stage takes.
    pub processing: u32,
    /// Cost of a unit of safety stock a period.
    pub holding: f64,
    /// Periods an outside supplier needs; 0 without one.
    pub supplier: u32,
    /// Longest service time its customers accept; none without customers of its own.
    pub promised: Option<u32>,
    /// Standard deviation of the demand of one period that passes through.
    pub sd: f64,
    /// Standard deviations the stock is to cover.
    pub factor: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct GuaranteedPlan {
    /// Service time each stage promises to the next.
    pub service: Vec<u32>,
    /// Service time each stage is promised.
    pub inbound: Vec<u32>,
    /// Safety stock of each stage, in units.
    pub safety: Vec<f64>,
    pub cost: f64,
}

const MOST_PERIODS: usize = 2_000;
const MOST_STAGES: usize = 10_000;

struct Tree {
    parent: Vec<Option<usize>>,
    /// Children before parents.
    order: Vec<usize>,
    /// Children that supply the stage, and children it supplies.
    suppliers: Vec<Vec<usize>>,
    customers: Vec<Vec<usize>>,
    /// Whether the stage supplies its parent.
    supplies_parent: Vec<bool>,
    /// Longest time from the start of all work before the stage to the end of its own.
    longest: Vec<usize>,
}

fn tree(stages: &[Stage], edges: &[(usize, usize)]) -> Result<Tree, InventoryError> {
    let n = stages.len();
    let no = |reason| Err(InventoryError::NoTree { reason });
    if n == 0 {
        return no("it has no stage");
    }
    if n > MOST_STAGES {
        return Err(InventoryError::TooLarge {
            what: "the tree",
            needs: n as f64,
            most: MOST_STAGES,
        });
    }
    if edges.len() + 1 != n {
        return no("a tree has one link fewer than stages");
    }
    let mut neighbours = vec![Vec::new(); n];
    for &(from, to) in edges {
        if from >= n || to >= n || from == to {
            return no("a link names a stage that is not there");
        }
        neighbours[from].push((to, true));
        neighbours[to].push((from, false));
    }
    let mut tree = Tree {
        parent: vec![None; n],
        order: vec![0],
        suppliers: vec![Vec::new(); n],
        customers: vec![Vec::new(); n],
        supplies_parent: vec![false; n],
        longest: vec![0; n],
    };
    let mut seen = vec![false; n];
    seen[0] = true;
    let mut next = 0;
    while let Some(&stage) = tree.order.get(next) {
        next += 1;
        for &(other, downstream) in &neighbours[stage] {
            if seen[other] {
                continue;
            }
            seen[other] = true;
            tree.parent[other] = Some(stage);
            tree.supplies_parent[other] = !downstream;
            if downstream {
                tree.customers[stage].push(other);
            } else {
                tree.suppliers[stage].push(other);
            }
            tree.order.push(other);
        }
    }
    if tree.order.len() != n {
        return no("not all stages are linked");
    }
    tree.order.reverse();

    // A tree has no cycle, so stages whose suppliers are all known are found until none is left.
    let mut waiting: Vec<usize> = vec![0; n];
    for &(_, to) in edges {
        waiting[to] += 1;
    }
    let mut ready: Vec<usize> = (0..n).filter(|stage| waiting[*stage] == 0).collect();
    let mut before: Vec<usize> = stages.iter().map(|stage| stage.supplier as usize).collect();
    while let Some(stage) = ready.pop() {
        tree.longest[stage] = before[stage] + stages[stage].processing as usize;
        if tree.longest[stage] > MOST_PERIODS {
            return Err(InventoryError::TooLarge {
                what: "the longest chain in periods",
                needs: tree.longest[stage] as f64,
                most: MOST_PERIODS,
            });
        }
        for &(other, downstream) in &neighbours[stage] {
            if downstream {
                before[other] = before[other].max(tree.longest[stage]);
                waiting[other] -= 1;
                if waiting[other] == 0 {
                    ready.push(other);
                }
            }
        }
    }
    Ok(tree)
}

/// The best cost of a stage and all below it in the rooted tree, for each service time it agrees on with its parent, and
/// the times it then chooses.
struct Branch {
    cost: Vec<f64>,
    /// Promised, being promised.
    times: Vec<(usize, usize)>,
}

impl Branch {
    /// The cheapest at or below `time` (a supplier may promise less than is allowed), or at or above it (a customer may
    /// count on more than is promised).
    fn best(&self, time: usize, supplies: bool) -> (f64, usize) {
        let range = if supplies {
            0..(time + 1).min(self.cost.len())
        } else {
            time.min(self.cost.len())..self.cost.len()
        };
        range
            .map(|at| (self.cost[at], at))
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .unwrap_or((f64::INFINITY, 0))
    }
}

/// Service times of least safety stock cost. `edges` lead from a stage to the one it supplies, by index.
pub fn guaranteed_service(
    stages: &[Stage],
    edges: &[(usize, usize)],
) -> Result<GuaranteedPlan, InventoryError> {
    for stage in stages {
        not_negative("holding cost", stage.holding)?;
        not_negative("standard deviation of demand", stage.sd)?;
        not_negative("standard deviations covered", stage.factor)?;
    }
    let tree = tree(stages, edges)?;
    let mut branches: Vec<Branch> = stages
        .iter()
        .map(|_| Branch {
            cost: Vec::new(),
            times: Vec::new(),
        })
        .collect();
    for &at in &tree.order {
        branches[at] = branch(at, stages[at], &tree, &branches);
    }

    let mut service = vec![0; stages.len()];
    let mut inbound = vec![0; stages.len()];
    let mut total = 0.0;
    for &at in tree.order.iter().rev() {
        let agreed = match tree.parent[at] {
            None => branches[at].best(usize::MAX - 1, true),
            Some(parent) if tree.supplies_parent[at] => branches[at].best(inbound[parent], true),
            Some(parent) => branches[at].best(service[parent], false),
        };
        if tree.parent[at].is_none() {
            total = agreed.0;
        }
        let times = branches[at].times.get(agreed.1);
        (service[at], inbound[at]) = times.copied().unwrap_or_default();
    }
    if !total.is_finite() {
        return Err(InventoryError::NoTree {
            reason: "no service times satisfy all promises",
        });
    }
    let safety = (0..stages.len())
        .map(|at| {
            let exposed = inbound[at] + stages[at].processing as usize - service[at];
            stages[at].factor * stages[at].sd * (exposed as f64).sqrt()
        })
        .collect();
    Ok(GuaranteedPlan {
        service: service.into_iter().map(|time| time as u32).collect(),
        inbound: inbound.into_iter().map(|time| time as u32).collect(),
        safety,
        cost: total,
    })
}

fn branch(at: usize, stage: Stage, tree: &Tree, branches: &[Branch]) -> Branch {
    let processing = stage.processing as usize;
    let last_inbound = tree.longest[at] - processing;
    let last_service = stage
        .promised
        .map_or(tree.longest[at], |most| tree.longest[at].min(most as usize));
    let sum = |children: &[usize], time: usize, supplies: bool| -> f64 {
        children
            .iter()
            .map(|child| branches[*child].best(time, supplies).0)
            .sum()
    };
    let by_inbound: Vec<f64> = (0..=last_inbound)
        .map(|time| sum(&tree.suppliers[at], time, true))
        .collect();
    let by_service: Vec<f64> = (0..=last_service)
        .map(|time| sum(&tree.customers[at], time, false))
        .collect();
    // The root agrees with nobody: it is treated as one that supplies.
    let supplies = tree.parent[at].is_none() || tree.supplies_parent[at];
    let agreed = if supplies { last_service } else { last_inbound };
    let mut branch = Branch {
        cost: vec![f64::INFINITY; agreed + 1],
        times: vec![(0, 0); agreed + 1],
    };
    for (inbound, suppliers) in by_inbound.iter().enumerate().skip(stage.supplier as usize) {
        for (service, customers) in by_service.iter().enumerate().take(inbound + processing + 1) {
            let exposed = (inbound + processing - service) as f64;
            let cost = stage.holding * stage.factor * stage.sd * exposed.sqrt() + suppliers + customers;
            let key = if supplies { service } else { inbound };
            if cost < branch.cost[key] {
                branch.cost[key] = cost;
                branch.times[key] = (service, inbound);
            }
        }
    }
    branch
}
