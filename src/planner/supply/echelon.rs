//! Stock that is already abroad goes first: between warehouses of one country (R12), and from an overseas warehouse to
//! the platform's, the order upstream seeing both needs once (R19).

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::facts::TransferWay;
use super::rework::{change_need, change_suggestion, open_units, supply};
use super::terms::Terms;
use super::{NoTransfer, Transfer, pallet};
use crate::ids::{Sku, WarehouseCode};
use crate::order::Mode;
use crate::planner::balance::day_after;
use crate::planner::model::{AlertLevel, PlanLine, Reason};
use crate::planner::snapshot::{ItemSeries, Policy};

/// Freight of the fastest way in, by line: what a transfer is weighed against.
pub type TopUp = BTreeMap<(WarehouseCode, Sku), crate::money::Money>;
/// When an order of today is there, by warehouse and mode.
pub type Etas = BTreeMap<(WarehouseCode, Mode), chrono::NaiveDate>;
pub type Items<'a> = BTreeMap<(&'a WarehouseCode, &'a Sku), &'a ItemSeries>;

/// Moves what can be spared, in a fixed order of ways and SKUs, and takes it off the orders.
pub fn couple(
    lines: &mut [PlanLine],
    items: &Items<'_>,
    terms: &Terms<'_>,
    (top_up, etas): (&TopUp, &Etas),
    policy: &Policy,
    as_of: chrono::NaiveDate,
) {
    if terms.transfers().is_empty() {
        return;
    }
    let places: BTreeMap<(WarehouseCode, Sku), usize> = lines
        .iter()
        .enumerate()
        .map(|(index, line)| ((line.warehouse.clone(), line.sku.clone()), index))
        .collect();
    // What each line can still spare, so that two ways do not send the same unit.
    let mut spare: Vec<i64> = lines.iter().map(spare_units).collect();
    for way in terms.transfers() {
        let pairs: Vec<(usize, usize)> = places
            .iter()
            .filter(|((warehouse, _), _)| *warehouse == way.to)
            .filter_map(|((_, sku), to)| Some((*places.get(&(way.from.clone(), sku.clone()))?, *to)))
            .collect();
        for (from, to) in pairs {
            if from == to {
                continue;
            }
            let key = (&way.to, &lines[to].sku);
            let Some(item) = items.get(&key).copied() else {
                continue;
            };
            let upstream = items.get(&(&way.from, &lines[from].sku)).copied();
            let pair = Pair {
                way,
                item,
                upstream,
                policy,
                as_of,
                top_up: top_up.get(&(way.to.clone(), lines[to].sku.clone())).copied(),
            };
            pair.settle(lines, from, to, &mut spare);
            let sender = &mut lines[from];
            if sender.need_units.is_some_and(|need| need > 0)
                && let Some(mode) = sender.mode
                && sender
                    .supply
                    .as_ref()
                    .is_none_or(|supply| supply.parts.is_empty())
            {
                sender.eta = etas.get(&(sender.warehouse.clone(), mode)).copied();
            }
        }
    }
}

/// On hand, beyond what the warehouse's own target and its own safety stock need.
fn spare_units(line: &PlanLine) -> i64 {
    let (Some(open), Some(available)) = (open_units(line), line.available) else {
        return 0;
    };
    let safety = line.safety_units.unwrap_or(0);
    (-open).min(available - safety).max(0)
}

struct Pair<'a> {
    way: &'a TransferWay,
    item: &'a ItemSeries,
    upstream: Option<&'a ItemSeries>,
    policy: &'a Policy,
    as_of: chrono::NaiveDate,
    top_up: Option<crate::money::Money>,
}

impl Pair<'_> {
    fn settle(&self, lines: &mut [PlanLine], from: usize, to: usize, spare: &mut [i64]) {
        let Some(need) = lines[to].need_units else {
            return;
        };
        let wanted = match self.way.relay {
            true => lines[to]
                .supply
                .as_ref()
                .and_then(|supply| supply.wanted_now)
                .unwrap_or(need),
            false => need,
        };
        let sent = if wanted > 0 {
            self.send(lines, from, to, wanted, spare)
        } else {
            0
        };
        if self.way.relay {
            self.order_upstream(lines, from, to, sent);
        } else if sent > 0 {
            change_need(
                &mut lines[to],
                self.item,
                self.policy.moq,
                &[("less_transfer", -sent)],
            );
        }
    }

    /// Units that go now. What hinders them is said.
    fn send(&self, lines: &mut [PlanLine], from: usize, to: usize, wanted: i64, spare: &mut [i64]) -> i64 {
        let refuse = |lines: &mut [PlanLine], why: NoTransfer| {
            supply(&mut lines[to]).no_transfer.get_or_insert(why);
            0
        };
        let (Some(days), Some(cost)) = (self.way.days_p50, self.way.cost) else {
            return refuse(lines, NoTransfer::WayUnknown);
        };
        if !self.way.relay
            && let Some(air) = self.top_up
            && (air.currency != cost.currency || cost.amount >= air.amount)
        {
            return refuse(lines, NoTransfer::Dearer);
        }
        let most = match (lines[from].available, lines[from].need_units) {
            // A relay warehouse keeps for itself what its own customers are expected to want until the next order.
            (Some(available), Some(_)) if self.way.relay => {
                let own = lines[from].explain.units_of("demand_mean").unwrap_or(0);
                let sent = lines[from].supply.iter().flat_map(|supply| &supply.transfers_out);
                available - own - sent.map(|out| out.units).sum::<i64>()
            }
            (Some(_), Some(_)) => spare[from],
            _ => return refuse(lines, NoTransfer::StockUnknown),
        }
        .max(0);
        let carton = self.item.carton_units.filter(|units| *units > 0);
        let units = match carton.filter(|_| self.way.cartons) {
            // Whole cartons: one begun is sent as far as there are so many.
            Some(carton) => ((wanted + carton - 1) / carton).min(most / carton) * carton,
            None => wanted.min(most),
        };
        if units <= 0 {
            return refuse(lines, NoTransfer::NothingToSpare);
        }
        spare[from] -= units;
        let transfer = Transfer {
            from: self.way.from.clone(),
            to: self.way.to.clone(),
            units,
            cartons: carton
                .filter(|carton| units % carton == 0)
                .map(|carton| units / carton),
            eta: day_after(self.as_of, days),
            cost: Some(cost.times(units)),
        };
        supply(&mut lines[from]).transfers_out.push(transfer.clone());
        supply(&mut lines[to]).transfers_in.push(transfer);
        push_reason(&mut lines[to], Reason::TransferFirst);
        units
    }

    /// The whole need of the downstream warehouse is ordered upstream, less what stands or comes there for it: one
    /// order, one position, every unit counted once.
    fn order_upstream(&self, lines: &mut [PlanLine], from: usize, to: usize, sent: i64) {
        let (Some(downstream), Some(upstream)) = (open_units(&lines[to]), self.upstream) else {
            return;
        };
        if lines[from].need_units.is_none() {
            return;
        }
        // What was sent has left the one position and joined the other; the sum is what counts.
        let before = lines[to].need_units.unwrap_or(0);
        let mut terms = vec![("less_transfer", -sent.min(before))];
        let rest = before - sent.min(before);
        terms.push(("ordered_upstream", -rest));
        change_need(&mut lines[to], self.item, self.policy.moq, &terms);
        // A surplus downstream cannot be sent back: it hides no need of the warehouse upstream.
        let wanted = downstream.max(0);
        let own = lines[from].need_units.unwrap_or(0);
        change_need(
            &mut lines[from],
            upstream,
            self.policy.moq,
            &[("downstream_need", wanted)],
        );
        if wanted > 0 {
            push_reason(&mut lines[to], Reason::OrderedUpstream);
            self.hurry(lines, from, to, own);
        }
    }
}

impl Pair<'_> {
    /// An order that is for the warehouse downstream goes as fast and as soon as that one needs it.
    fn hurry(&self, lines: &mut [PlanLine], from: usize, to: usize, own: i64) {
        let down = (lines[to].order_by, lines[to].ship_by, lines[to].mode);
        let up = &mut lines[from];
        if own == 0 && down.2.is_some() {
            up.mode = down.2;
        }
        up.order_by = up.order_by.into_iter().chain(down.0).min();
        up.ship_by = up.ship_by.into_iter().chain(down.1).min();
        let days = |days: i64| day_after(self.as_of, days);
        let level = match up.order_by {
            Some(order_by) if order_by <= self.as_of => Some(AlertLevel::Critical),
            Some(order_by) if order_by <= days(self.policy.warning_days.clamp(0, 365)) => {
                Some(AlertLevel::Warning)
            }
            _ => None,
        };
        if let Some(level) = level
            && up.need_units.is_some_and(|need| need > 0)
        {
            up.level = Some(up.level.map_or(level, |known| known.min(level)));
        }
    }
}

fn push_reason(line: &mut PlanLine, reason: Reason) {
    if !line.reasons.contains(&reason) {
        line.reasons.push(reason);
    }
}

/// Keeps what is sent to a warehouse within what it takes, the most urgent lines first; the rest is reported.
pub fn cap(lines: &mut [PlanLine], items: &Items<'_>, terms: &Terms<'_>) {
    let mut codes: Vec<WarehouseCode> = lines.iter().map(|line| line.warehouse.clone()).collect();
    codes.sort();
    codes.dedup();
    for code in codes {
        let Some(limit) = terms.capacity(&code) else {
            continue;
        };
        let volume = |line: &PlanLine| {
            terms
                .item(&line.warehouse, &line.sku)
                .and_then(|item| item.volume_cm3)
        };
        let there = |line: &PlanLine| {
            line.available.unwrap_or(0).max(0)
                + line.pending_putaway.unwrap_or(0)
                + line.inbound.iter().map(|inbound| inbound.units).sum::<i64>()
        };
        let here: Vec<usize> = (0..lines.len())
            .filter(|index| lines[*index].warehouse == code)
            .collect();
        let mut units_left = limit
            .units
            .map(|most| (most - here.iter().map(|index| there(&lines[*index])).sum::<i64>()).max(0));
        let mut volume_left = limit.volume_l.map(|litres| {
            let used: i64 = here
                .iter()
                .map(|index| there(&lines[*index]) * volume(&lines[*index]).unwrap_or(0))
                .sum();
            (litres * 1000 - used).max(0)
        });
        for index in here {
            let Some(item) = items.get(&(&code, &lines[index].sku)).copied() else {
                continue;
            };
            let carton = item.carton_units.filter(|carton| *carton > 0).unwrap_or(1);
            let size = volume(&lines[index]).filter(|size| *size > 0);
            let fits = |wanted: i64, units_left: Option<i64>, volume_left: Option<i64>, step: i64| {
                let mut most = wanted;
                if let Some(left) = units_left {
                    most = most.min(left);
                }
                if let (Some(left), Some(size)) = (volume_left, size) {
                    most = most.min(left / size);
                }
                if most < wanted { most / step * step } else { wanted }
            };
            let mut cut = 0;
            // What is sent from another warehouse first, what is ordered after.
            let mut transfers = std::mem::take(&mut supply(&mut lines[index]).transfers_in);
            for transfer in &mut transfers {
                let step = if transfer.cartons.is_some() { carton } else { 1 };
                let units = fits(transfer.units, units_left, volume_left, step);
                cut += transfer.units - units;
                if units < transfer.units {
                    let each = transfer
                        .cost
                        .map(|cost| (cost.amount / Decimal::from(transfer.units), cost.currency));
                    transfer.cost =
                        each.map(|(each, currency)| crate::money::Money::new(each, currency).times(units));
                    transfer.cartons = transfer.cartons.map(|_| units / carton);
                    let sku = lines[index].sku.clone();
                    mirror(lines, &sku, transfer, units);
                    transfer.units = units;
                }
                units_left = units_left.map(|left| left - units);
                volume_left = volume_left.map(|left| left - units * size.unwrap_or(0));
            }
            transfers.retain(|transfer| transfer.units > 0);
            supply(&mut lines[index]).transfers_in = transfers;
            let wanted = lines[index].suggested_units.unwrap_or(0);
            let step = pallet::step(&lines[index], item, terms);
            let units = fits(wanted, units_left, volume_left, step);
            if units < wanted {
                change_suggestion(&mut lines[index], item, "capacity", units - wanted);
                cut += wanted - units;
            }
            units_left = units_left.map(|left| left - units);
            volume_left = volume_left.map(|left| left - units * size.unwrap_or(0));
            if cut > 0 {
                supply(&mut lines[index]).over_capacity = cut;
                push_reason(&mut lines[index], Reason::OverCapacity);
            }
        }
    }
}

/// The same transfer as the sending warehouse shows it.
fn mirror(lines: &mut [PlanLine], sku: &Sku, transfer: &Transfer, units: i64) {
    let sender = lines
        .iter_mut()
        .find(|line| line.warehouse == transfer.from && line.sku == *sku);
    let Some(sender) = sender else { return };
    let out = &mut supply(sender).transfers_out;
    for one in out
        .iter_mut()
        .filter(|out| out.to == transfer.to && out.units == transfer.units)
    {
        one.units = units;
        one.cartons = transfer.cartons;
        one.cost = transfer.cost;
    }
    out.retain(|out| out.units > 0);
}
