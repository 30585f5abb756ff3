//! A container filled to the next whole one, and a budget that ends: cartons in the order of what they are worth.
//!
//! The value of a carton on top of a position x is margin × P(demand > x) less what a unit too many costs × P(demand ≤ x),
//! unit by unit. It falls with every carton, so that taking the best carton each time is the best of all fillings but
//! for the last gap; the price of money (λ) at which it stops is found by bisection, and the gap filled greedily.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::echelon::Items;
use super::facts::RoundTo;
use super::pallet;
use super::rework::change_suggestion;
use super::terms::Terms;
use crate::ids::WarehouseCode;
use crate::money::Money;
use crate::order::Mode;
use crate::planner::model::{PlanLine, Reason};
use crate::planner::snapshot::Policy;

/// One line's cartons.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Units in a step, and what a step weighs against the limits (money; or litres and kilograms).
    pub step: i64,
    pub weight: [f64; 2],
    /// Steps that may be taken at most, and the least that makes sense at all (the minimum order).
    pub most: i64,
    pub least: i64,
    /// What step `k` (from 0) is worth; falling.
    pub worth: Vec<f64>,
}

impl Choice {
    fn of(&self, steps: i64) -> f64 {
        self.worth.iter().take(usize::try_from(steps).unwrap_or(0)).sum()
    }

    /// Steps worth their price.
    fn at(&self, price: f64) -> i64 {
        let cost = price * self.weight[0];
        let steps = self
            .worth
            .iter()
            .take(usize::try_from(self.most).unwrap_or(0))
            .take_while(|worth| **worth > cost)
            .count() as i64;
        if steps >= self.least {
            return steps;
        }
        // The minimum is taken as one piece, or not at all.
        if self.of(self.least) > cost * self.least as f64 {
            self.least
        } else {
            0
        }
    }
}

/// The steps of every line that are worth most within one limit.
#[must_use]
pub fn within(choices: &[Choice], limit: f64) -> Vec<i64> {
    let spent = |steps: &[i64]| -> f64 {
        steps
            .iter()
            .zip(choices)
            .map(|(steps, choice)| *steps as f64 * choice.weight[0])
            .sum()
    };
    let at = |price: f64| -> Vec<i64> { choices.iter().map(|choice| choice.at(price)).collect() };
    let all = at(0.0);
    if spent(&all) <= limit + ROUNDING {
        return all;
    }
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    while spent(&at(high)) > limit + ROUNDING && high < 1e12 {
        high *= 2.0;
    }
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if spent(&at(middle)) > limit + ROUNDING {
            low = middle;
        } else {
            high = middle;
        }
    }
    let mut steps = at(high);
    fill_gap(choices, &mut steps, limit);
    steps
}

const ROUNDING: f64 = 1e-6;

/// What money is left goes to the best step that still fits.
fn fill_gap(choices: &[Choice], steps: &mut [i64], limit: f64) {
    let mut left = limit
        - steps
            .iter()
            .zip(choices)
            .map(|(steps, choice)| *steps as f64 * choice.weight[0])
            .sum::<f64>();
    loop {
        let mut best: Option<(f64, usize, i64)> = None;
        for (index, choice) in choices.iter().enumerate() {
            let now = steps[index];
            let more = if now == 0 { choice.least.max(1) } else { 1 };
            let weight = choice.weight[0] * more as f64;
            let worth = choice.of(now + more) - choice.of(now);
            if now + more > choice.most || weight > left + ROUNDING || worth <= 0.0 {
                continue;
            }
            let rate = worth / weight.max(1e-9);
            if best.is_none_or(|(found, ..)| rate > found) {
                best = Some((rate, index, more));
            }
        }
        let Some((_, index, more)) = best else { return };
        steps[index] += more;
        left -= choices[index].weight[0] * more as f64;
    }
}

/// Demand over the interval as the plan's line tells it: the chance that it is more than `units`.
struct Tail(Vec<(f64, f64)>);

impl Tail {
    fn of(line: &PlanLine) -> Option<Self> {
        let mut points = vec![(0.0, 1.0)];
        for (key, chance) in [
            ("demand_p50", 0.5),
            ("demand_p90", 0.1),
            ("demand_p95", 0.05),
            ("demand_p98", 0.02),
        ] {
            points.push((line.explain.units_of(key)? as f64, chance));
        }
        let (last, before) = (points[4].0, points[3].0);
        points.push((last + 2.0 * (last - before).max(1.0), 0.0));
        Some(Self(points))
    }

    fn beyond(&self, units: f64) -> f64 {
        let mut left = self.0[0];
        for point in &self.0[1..] {
            if units < point.0 {
                let share = (units - left.0) / (point.0 - left.0).max(1e-9);
                return (left.1 + (point.1 - left.1) * share.max(0.0)).clamp(0.0, 1.0);
            }
            left = *point;
        }
        0.0
    }
}

/// What a unit is worth sold, and costs unsold.
fn prices(line: &PlanLine, items: &Items<'_>, terms: &Terms<'_>, policy: &Policy) -> Option<(f64, f64)> {
    let item = items.get(&(&line.warehouse, &line.sku))?;
    let cost = item.unit_cost?;
    let margin = terms
        .item(&line.warehouse, &line.sku)
        .and_then(|facts| facts.margin)
        .filter(|margin| margin.currency == cost.currency)
        .map_or(cost.amount, |margin| margin.amount);
    let capital = cost.amount.to_f64()? * f64::from(policy.supply.capital_permille) / 1000.0;
    let held = capital * policy.review_days.clamp(1, 365) as f64 / 365.0;
    Some((margin.to_f64()?, held))
}

fn position(line: &PlanLine) -> i64 {
    let of = |key: &str| -line.explain.units_of(key).unwrap_or(0);
    of("less_available") + of("less_pending") + of("less_inbound") + of("less_returns") + of("less_transfer")
}

/// Worth of steps of `step` units on top of `from`.
fn worth(line: &PlanLine, from: i64, step: i64, most: i64, prices: (f64, f64)) -> Option<Vec<f64>> {
    let tail = Tail::of(line)?;
    let (sold, held) = prices;
    Some(
        (0..most)
            .map(|index| {
                // The middle of the carton stands for its units.
                let at = from as f64 + (index as f64 + 0.5) * step as f64;
                let beyond = tail.beyond(at);
                step as f64 * (sold * beyond - held * (1.0 - beyond))
            })
            .collect(),
    )
}

/// No line has more steps: a slip in a carton size must not fill the memory.
const MOST_STEPS: i64 = 20_000;

/// Cuts orders to the budget, and tells what is left of it. Lines whose cost is unknown or in another currency are left as
/// they are, and not counted.
pub fn budget(
    lines: &mut [PlanLine],
    items: &Items<'_>,
    terms: &Terms<'_>,
    policy: &Policy,
) -> Option<Money> {
    let budget = policy.supply.budget?;
    let mut chosen: Vec<(usize, Choice)> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let wanted = line.suggested_units.unwrap_or(0);
        let Some(item) = items.get(&(&line.warehouse, &line.sku)) else {
            continue;
        };
        let cost = item.unit_cost.filter(|cost| cost.currency == budget.currency);
        let (Some(cost), true) = (cost.and_then(|cost| cost.amount.to_f64()), wanted > 0) else {
            continue;
        };
        let step = pallet::step(line, item, terms).max(wanted / MOST_STEPS);
        let most = wanted / step;
        let least = item
            .moq
            .filter(|moq| *moq > 0)
            .map_or(0, |moq| (moq + step - 1) / step)
            .min(most);
        let from = position(line);
        let priced = prices(line, items, terms, policy);
        let Some(worth) = priced.and_then(|prices| worth(line, from, step, most, prices)) else {
            continue;
        };
        // What the plan wants is worth ordering: only the budget takes it away again.
        let worth = worth.into_iter().map(|worth| worth.max(1e-6)).collect();
        chosen.push((
            index,
            Choice {
                step,
                weight: [cost * step as f64, 0.0],
                most,
                least,
                worth,
            },
        ));
    }
    let choices: Vec<Choice> = chosen.iter().map(|(_, choice)| choice.clone()).collect();
    let steps = within(&choices, budget.amount.to_f64().unwrap_or(0.0));
    let mut left = budget;
    for ((index, choice), steps) in chosen.iter().zip(steps) {
        let line = &mut lines[*index];
        let wanted = line.suggested_units.unwrap_or(0);
        let Some(item) = items.get(&(&line.warehouse, &line.sku)).copied() else {
            continue;
        };
        if steps < choice.most {
            change_suggestion(line, item, "budget", steps * choice.step - wanted);
            line.reasons.push(Reason::BudgetCut);
        }
        let units = line.suggested_units.unwrap_or(0);
        left.amount -= item
            .unit_cost
            .map_or(Decimal::ZERO, |cost| cost.times(units).amount);
    }
    Some(left)
}

/// Fills the orders of slow modes up to whole containers, by warehouse and mode, as long as a carton is worth it.
/// Nothing is filled where the size of a line is unknown: nobody can say how full the container is. `purse` is what a budget
/// has left: what is added is paid from it, and what has no known cost in its currency is not added.
pub fn containers(
    lines: &mut [PlanLine],
    items: &Items<'_>,
    terms: &Terms<'_>,
    policy: &Policy,
    mut purse: Option<Money>,
) {
    let Some(litres) = policy.supply.container_l.filter(|litres| *litres > 0) else {
        return;
    };
    let most_kg = policy.supply.container_kg.filter(|kg| *kg > 0);
    let mut groups: BTreeMap<(WarehouseCode, Mode), Vec<usize>> = BTreeMap::new();
    for (index, line) in lines.iter().enumerate() {
        let slow = line
            .mode
            .filter(|mode| matches!(mode, Mode::Sea | Mode::Rail | Mode::Truck));
        let slow = slow.filter(|mode| {
            matches!(
                terms.round_to(&line.warehouse, *mode),
                None | Some(RoundTo::Container)
            )
        });
        if let (Some(mode), true) = (slow, line.suggested_units.is_some_and(|units| units > 0)) {
            groups
                .entry((line.warehouse.clone(), mode))
                .or_default()
                .push(index);
        }
    }
    for group in groups.values() {
        fill_group(
            lines,
            group,
            (litres, most_kg),
            (items, terms),
            policy,
            &mut purse,
        );
    }
}

fn fill_group(
    lines: &mut [PlanLine],
    group: &[usize],
    (litres, most_kg): (i64, Option<i64>),
    (items, terms): (&Items<'_>, &Terms<'_>),
    policy: &Policy,
    purse: &mut Option<Money>,
) {
    let size = |line: &PlanLine| {
        let facts = terms.item(&line.warehouse, &line.sku)?;
        let volume = facts.volume_cm3.filter(|volume| *volume > 0)? as f64 / 1000.0;
        let weight = match most_kg {
            Some(_) => facts.weight_g.filter(|weight| *weight > 0)? as f64 / 1000.0,
            None => 0.0,
        };
        Some([volume, weight])
    };
    let mut used = [0.0, 0.0];
    for index in group {
        let Some(size) = size(&lines[*index]) else { return };
        let units = lines[*index].suggested_units.unwrap_or(0) as f64;
        used = [used[0] + units * size[0], used[1] + units * size[1]];
    }
    let by_volume = (used[0] / litres as f64 - ROUNDING).ceil().max(1.0);
    let by_weight = most_kg.map_or(1.0, |kg| (used[1] / kg as f64 - ROUNDING).ceil());
    let count = by_volume.max(by_weight);
    let mut left = [
        count * litres as f64 - used[0],
        most_kg.map_or(f64::INFINITY, |kg| count * kg as f64 - used[1]),
    ];
    let mut open: Vec<(usize, Choice, i64, Decimal)> = Vec::new();
    for index in group {
        let line = &lines[*index];
        let (Some(size), Some(item)) = (size(line), items.get(&(&line.warehouse, &line.sku))) else {
            continue;
        };
        let step = item.carton_units.filter(|carton| *carton > 0).unwrap_or(1);
        // What a step takes out of the purse; nothing where there is none.
        let price = match purse {
            Some(purse) => item
                .unit_cost
                .filter(|cost| cost.currency == purse.currency)
                .map(|cost| cost.times(step).amount),
            None => Some(Decimal::ZERO),
        };
        let Some(price) = price else { continue };
        let fits = (left[0] / (size[0] * step as f64)).floor().max(0.0) as i64;
        let from = position(line) + line.suggested_units.unwrap_or(0);
        let priced = prices(line, items, terms, policy);
        let Some(worth) = priced.and_then(|prices| worth(line, from, step, fits.min(MOST_STEPS), prices))
        else {
            continue;
        };
        let choice = Choice {
            step,
            weight: [size[0] * step as f64, size[1] * step as f64],
            most: fits.min(MOST_STEPS),
            least: 0,
            worth,
        };
        open.push((*index, choice, 0, price));
    }
    loop {
        // Worth by the scarcer of the two spaces.
        let best = open
            .iter()
            .enumerate()
            .filter_map(|(place, (_, choice, taken, price))| {
                let worth = *choice.worth.get(usize::try_from(*taken).ok()?)?;
                let fits = choice.weight[0] <= left[0] + ROUNDING && choice.weight[1] <= left[1] + ROUNDING;
                let space =
                    (choice.weight[0] / left[0].max(ROUNDING)).max(choice.weight[1] / left[1].max(ROUNDING));
                let paid = purse.is_none_or(|purse| *price <= purse.amount);
                (fits && paid && worth > 0.0).then_some((worth / space.max(1e-12), place))
            })
            .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        let Some((_, place)) = best else { break };
        let (_, choice, taken, price) = &mut open[place];
        *taken += 1;
        if let Some(purse) = purse {
            purse.amount -= *price;
        }
        left = [left[0] - choice.weight[0], left[1] - choice.weight[1]];
    }
    for (index, choice, taken, _) in open {
        let line = &mut lines[index];
        if let Some(item) = items.get(&(&line.warehouse, &line.sku)) {
            change_suggestion(line, item, "container_fill", taken * choice.step);
            if taken > 0 {
                line.reasons.push(Reason::ContainerFilled);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::demand::Dice;

    /// The best of all, by a table over whole money.
    fn exact(choices: &[Choice], limit: usize) -> f64 {
        let mut best = vec![0.0_f64; limit + 1];
        for choice in choices {
            let mut next = best.clone();
            for steps in 1..=choice.most {
                if steps < choice.least {
                    continue;
                }
                let weight = (choice.weight[0] * steps as f64).round() as usize;
                for money in weight..=limit {
                    next[money] = next[money].max(best[money - weight] + choice.of(steps));
                }
            }
            best = next;
        }
        best[limit]
    }

    #[test]
    fn a_budget_is_spent_within_one_carton_of_the_best_there_is() {
        let mut dice = Dice::new(7);
        let (mut ours, mut best) = (0.0, 0.0);
        for _ in 0..200 {
            let choices: Vec<Choice> = (0..2 + dice.below(8))
                .map(|_| {
                    let most = 1 + dice.below(6) as i64;
                    let first = 5.0 + dice.below(100) as f64;
                    Choice {
                        step: 1,
                        weight: [1.0 + dice.below(30) as f64, 0.0],
                        most,
                        least: 0,
                        worth: (0..most).map(|k| first / (k + 1) as f64).collect(),
                    }
                })
                .collect();
            let limit = 20 + dice.below(120);
            let steps = within(&choices, limit as f64);
            let spent: f64 = steps
                .iter()
                .zip(&choices)
                .map(|(n, c)| *n as f64 * c.weight[0])
                .sum();
            assert!(spent <= limit as f64 + 1e-6);
            let found: f64 = steps.iter().zip(&choices).map(|(n, c)| c.of(*n)).sum();
            let wanted = exact(&choices, limit);
            let largest = choices.iter().map(|c| c.worth[0]).fold(0.0, f64::max);
            assert!(
                found <= wanted + 1e-9 && found >= wanted - largest,
                "{found} {wanted}"
            );
            ours += found;
            best += wanted;
        }
        assert!(ours / best > 0.98, "{}", ours / best);
    }

    #[test]
    fn a_minimum_is_taken_whole_or_not_at_all() {
        let choice = |least| Choice {
            step: 1,
            weight: [10.0, 0.0],
            most: 5,
            least,
            worth: vec![50.0, 40.0, 30.0, 20.0, 10.0],
        };
        assert_eq!(within(&[choice(0)], 25.0), vec![2]);
        assert_eq!(within(&[choice(3)], 25.0), vec![0]);
        assert_eq!(within(&[choice(3)], 30.0), vec![3]);
    }
}
