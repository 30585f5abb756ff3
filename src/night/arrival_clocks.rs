//! Clocks of goods that arrive and stand: put-away, storage, slots that cost when they are missed, and papers that expire
//! (R53, R57, R58).

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;

use super::clocks::story_of;
use super::{Night, chain_folder};
use crate::calendar::{civil_day, instant_of};
use crate::catalog::{Catalog, ClockStart};
use crate::deadline::due::{Waiting, days_later, end_of_day, lost_sales, ninetieth, notice};
use crate::deadline::{Duty, Rule};
use crate::ids::Sku;
use crate::ledger::milestone::{Milestone, Story};
use crate::mapping::certificate_file::Paper;
use crate::money::Currency;
use crate::order::{Certificate, OrderState};
use crate::planner::supply::ageing;
use crate::planner::{Closure, Lot, NextTier, Plan, PlanLine, Stage, StorageTier, SupplyFacts};
use crate::reconcile::Line;
use crate::store::certificates;
use crate::store::lead_times::{self, LeadTime};
use crate::store::orders::{self, StoredOrder};
use crate::store::{StoreError, Tx, plans, receipts};

/// Lost sales are told of the week ahead.
const AHEAD_DAYS: i64 = 7;
/// Fewer passages than this say nothing of a warehouse; its lane's figures hold then.
const LEAST_PASSAGES: usize = 5;

/// Every clock of this kind.
///
/// # Errors
/// When the engine refuses.
pub(super) async fn duties(
    night: &Night<'_>,
    tx: &mut Tx,
    catalog: &Catalog,
) -> Result<Vec<Duty>, StoreError> {
    let account = night.account();
    let lines = receipts::current(tx, account).await?;
    let stored = orders::all(tx, account).await?;
    let supply = chain_folder::read(&night.config.home).0;
    let passages = lead_times::all(tx, account).await?;
    // The plan of the night is large, and looked at only for what it can say.
    let stands = !supply.storage.is_empty()
        || catalog
            .warehouses
            .values()
            .any(|one| one.storage_free_days.is_some())
        || lines.iter().any(|line| line.pending_putaway > 0);
    let plan = match stands {
        true => plans::latest(tx, account).await.ok().flatten(),
        false => None,
    };
    let mut duties = Vec::new();
    for stored in stored.iter().filter(|stored| stored.state.is_moving()) {
        let own: Vec<&Line> = lines
            .iter()
            .filter(|line| line.order == stored.order.number)
            .collect();
        let story = story_of(night, tx, stored).await?;
        duties.extend(shelf(
            stored,
            &story,
            &own,
            &passages,
            (catalog, plan.as_ref()),
            night.now(),
        ));
        duties.extend(slot(night, stored, &story, catalog));
        let terms = night.config.deadlines.appointment.get(&stored.order.warehouse);
        if let Some(days) = terms.and_then(|terms| terms.notice_days) {
            let home = night.config.account.zone;
            duties.extend(book_slot(stored, &story, days, &supply.closures, (catalog, home)));
        }
    }
    if let Some(plan) = &plan {
        duties.extend(storage(plan, &supply, &lines, catalog, night.today()));
    }
    let certificates = certificates::all(tx, night.account()).await?;
    duties.extend(papers(night, certificates));
    Ok(duties)
}

/// Delivered and not on the shelf: the clock of an order runs for the units that still wait, however many lie there already.
#[must_use]
pub fn shelf(
    stored: &StoredOrder,
    story: &Story,
    lines: &[&Line],
    passages: &[LeadTime],
    (catalog, plan): (&Catalog, Option<&Plan>),
    now: DateTime<Utc>,
) -> Option<Duty> {
    let order = &stored.order;
    let zone = catalog
        .warehouses
        .get(&order.warehouse)
        .map_or(chrono_tz::UTC, |warehouse| warehouse.zone);
    let received = lines
        .iter()
        .filter(|line| line.received > 0)
        .filter_map(|line| line.first_receipt)
        .min()
        .map(|day| instant_of(day, NaiveTime::MIN, zone));
    let delivered = story.reached.get(&Milestone::Delivered).map(|reached| reached.at);
    let since = [delivered, received].into_iter().flatten().min()?;
    let days: Vec<i64> = passages
        .iter()
        .filter(|passage| passage.warehouse == order.warehouse && passage.stage == Stage::Putaway.code())
        .map(|passage| (passage.to - passage.from).num_days())
        .collect();
    let learned = ninetieth(&days, LEAST_PASSAGES);
    let days = learned.or_else(|| {
        catalog
            .lanes_to(&order.warehouse, order.mode)
            .find_map(|lane| lane.putaway)
            .map(|days| days.p90)
    })?;
    let mut units = 0;
    let mut waiting = Vec::new();
    for line in lines {
        let there = line
            .put_away
            .saturating_add(line.damaged)
            .saturating_add(line.closed_short);
        let left = line.shipped.max(line.received).saturating_sub(there).max(0);
        units += left;
        let of_plan = plan.and_then(|plan| {
            let mut lines = plan.lines.iter();
            lines.find(|one| one.warehouse == line.warehouse && one.sku == line.sku)
        });
        if let Some(found) = of_plan {
            waiting.push(Waiting {
                units: left,
                velocity: found.velocity.unwrap_or_default(),
                available: found.available.unwrap_or_default(),
            });
        }
    }
    if units == 0 && !lines.is_empty() {
        return None;
    }
    let due = since + Duration::days(days);
    let mut facts = vec![
        ("warehouse".to_owned(), order.warehouse.to_string()),
        ("days".to_owned(), days.to_string()),
        (
            "learned_of".to_owned(),
            learned.map_or(0, |_| passages.len()).to_string(),
        ),
    ];
    if units > 0 {
        facts.push(("units".to_owned(), units.to_string()));
    }
    let lost = lost_sales(&waiting, AHEAD_DAYS);
    if now >= due && lost > 0 {
        facts.push(("lost_sales".to_owned(), lost.to_string()));
    }
    Some(Duty {
        rule: Rule::Putaway,
        subject: order.number.to_string(),
        due: Some(due),
        not_before: None,
        zone,
        group: None,
        owner: owner(catalog, order.lines.iter().map(|line| &line.goods.sku)),
        missing: Vec::new(),
        facts,
    })
}

fn owner<'s>(catalog: &Catalog, skus: impl Iterator<Item = &'s Sku>) -> Option<String> {
    skus.filter_map(|sku| catalog.items.get(sku))
        .map(|item| item.owner.clone())
        .find(|owner| !owner.is_empty())
}

/// No slot is known yet, and the warehouse wants days of notice before the goods are there.
#[must_use]
pub fn book_slot(
    stored: &StoredOrder,
    story: &Story,
    days: u16,
    closures: &[Closure],
    (catalog, home): (&Catalog, Tz),
) -> Option<Duty> {
    let order = &stored.order;
    let booked = [
        Milestone::Appointment,
        Milestone::OutForDelivery,
        Milestone::Delivered,
    ]
    .iter()
    .any(|one| story.reached.contains_key(one))
        || story.expected.contains_key(&Milestone::Appointment);
    if booked || stored.state >= OrderState::Delivered {
        return None;
    }
    let warehouse = catalog.warehouses.get(&order.warehouse);
    let zone = warehouse.map_or(home, |warehouse| warehouse.zone);
    // From the port a truck may go to the door on the same day: who has that word can ask for the slot.
    let told = [(Milestone::Delivered, "at_door"), (Milestone::Arrived, "at_port")]
        .into_iter()
        .find_map(|(milestone, word)| Some((story.at(milestone)?, word)))
        .map(|(at, word)| (civil_day(at, zone), word));
    let (there, word) = told.unwrap_or((order.eta, "by_order"));
    let last = notice(there, days, |day| {
        let mut closures = closures.iter();
        closures.any(|closure| closure.shuts_door(&order.warehouse, day))
    });
    Some(Duty {
        rule: Rule::BookSlot,
        subject: order.number.to_string(),
        due: last.map(|day| end_of_day(day, zone)),
        not_before: None,
        zone,
        group: story.vessel.clone(),
        owner: owner(catalog, order.lines.iter().map(|line| &line.goods.sku)),
        missing: Vec::new(),
        facts: vec![
            ("warehouse".to_owned(), order.warehouse.to_string()),
            (word.to_owned(), there.to_string()),
            ("notice_days".to_owned(), days.to_string()),
        ],
    })
}

/// A slot that was missed: what it costs, until the goods are delivered. Where the warehouse takes goods within days of the slot,
/// the end of that window counts.
fn slot(night: &Night<'_>, stored: &StoredOrder, story: &Story, catalog: &Catalog) -> Option<Duty> {
    let order = &stored.order;
    if story.reached.contains_key(&Milestone::Delivered) || stored.state >= OrderState::Delivered {
        return None;
    }
    let at = story.expected.get(&Milestone::Appointment)?.at;
    let warehouse = catalog.warehouses.get(&order.warehouse);
    let zone = warehouse.map_or(night.config.account.zone, |warehouse| warehouse.zone);
    let terms = night.config.deadlines.appointment.get(&order.warehouse);
    let window = terms.map_or(0, |terms| i64::from(terms.window_days));
    let due = days_later(at, window, zone);
    let on_the_road = story.reached.contains_key(&Milestone::OutForDelivery);
    if on_the_road && night.now() < due {
        return None;
    }
    let mut facts = vec![("warehouse".to_owned(), order.warehouse.to_string())];
    if let Some(fee) = terms.and_then(|terms| terms.missed_fee) {
        facts.push(("fee".to_owned(), fee.to_string()));
    }
    Some(Duty {
        rule: Rule::Appointment,
        subject: order.number.to_string(),
        due: Some(due),
        not_before: None,
        zone,
        group: None,
        owner: owner(catalog, order.lines.iter().map(|line| &line.goods.sku)),
        missing: Vec::new(),
        facts,
    })
}

/// Days on which units enter a dearer tier, as the plan has them; where only the free days are known, by the same reckoning.
#[must_use]
pub fn storage(
    plan: &Plan,
    supply: &SupplyFacts,
    lines: &[Line],
    catalog: &Catalog,
    today: NaiveDate,
) -> Vec<Duty> {
    let lots = lots(lines, catalog);
    let mut duties = Vec::new();
    for line in &plan.lines {
        let Some(warehouse) = catalog.warehouses.get(&line.warehouse) else {
            continue;
        };
        let tiers: Vec<&StorageTier> = supply
            .storage
            .iter()
            .filter(|tier| tier.warehouse == line.warehouse)
            .collect();
        let paid = tiers.iter().filter(|tier| tier.rate > Decimal::ZERO);
        let first = paid
            .map(|tier| tier.from_age)
            .min()
            .or(warehouse.storage_free_days);
        let view = line.supply.as_ref().and_then(|supply| supply.ageing.clone());
        let view = match warehouse.storage_free_days {
            Some(days) if tiers.is_empty() => free_period(line, days, &lots, today),
            _ => view,
        };
        let Some((view, next)) = view.and_then(|view| Some((view.clone(), view.next_tier?))) else {
            continue;
        };
        let NextTier {
            from_age,
            date,
            units,
            ..
        } = next;
        let rule = if Some(from_age) == first {
            Rule::FreePeriodEnd
        } else {
            Rule::StorageTier
        };
        let mut facts = vec![
            ("warehouse".to_owned(), line.warehouse.to_string()),
            ("units".to_owned(), units.to_string()),
        ];
        let fees = [
            ("daily_fee", next.daily_fee),
            ("fee_30", view.fee_30),
            ("fee_90", view.fee_90),
        ];
        for (name, fee) in fees {
            facts.extend(fee.map(|fee| (name.to_owned(), fee.to_string())));
        }
        if view.assumed_oldest {
            facts.push(("assumed_oldest".to_owned(), "yes".to_owned()));
        }
        duties.push(Duty {
            rule,
            subject: format!("{} {}", line.warehouse, line.sku),
            due: Some(end_of_day(date - Duration::days(1), warehouse.zone)),
            not_before: None,
            zone: warehouse.zone,
            group: Some(line.warehouse.to_string()),
            owner: owner(catalog, std::iter::once(&line.sku)),
            missing: Vec::new(),
            facts,
        });
    }
    duties
}

/// What came in together, by the receipts: when the storage clock of each began, as the warehouse has it.
#[must_use]
pub fn lots(lines: &[Line], catalog: &Catalog) -> Vec<Lot> {
    let mut lots = Vec::new();
    for line in lines {
        let units = line.received.saturating_sub(line.damaged);
        if units <= 0 {
            continue;
        }
        let start = catalog
            .warehouses
            .get(&line.warehouse)
            .and_then(|warehouse| warehouse.clock_start);
        let since = match start {
            // Not on the shelf yet: nothing is charged.
            Some(ClockStart::Putaway) if line.put_away == 0 => continue,
            Some(ClockStart::Putaway) => line.last_receipt.or(line.first_receipt),
            Some(ClockStart::Arrival | ClockStart::Receipt) | None => line.first_receipt,
        };
        lots.push(Lot {
            warehouse: line.warehouse.clone(),
            sku: line.sku.clone(),
            since,
            units,
        });
    }
    lots
}

fn free_period(
    line: &PlanLine,
    days: i64,
    lots: &[Lot],
    today: NaiveDate,
) -> Option<crate::planner::AgeView> {
    let own: Vec<&Lot> = lots
        .iter()
        .filter(|lot| lot.warehouse == line.warehouse && lot.sku == line.sku)
        .collect();
    // Without any receipt nobody knows how old the stock is, and an alert for all of it would say nothing.
    if own.is_empty() {
        return None;
    }
    let tier = |from_age: i64, rate: i64| StorageTier {
        warehouse: line.warehouse.clone(),
        from_age,
        rate: Decimal::from(rate),
        currency: Currency::GBP,
    };
    let (free, paid) = (tier(0, 0), tier(days, 1));
    let velocity = line.velocity.unwrap_or_default();
    let gone = |days: i64| {
        use rust_decimal::prelude::ToPrimitive as _;
        (velocity * Decimal::from(days))
            .floor()
            .to_i64()
            .unwrap_or(i64::MAX)
    };
    // Without a size there is no fee: the rate of these two is no price.
    ageing::age(line.available?, &own, &[&free, &paid], None, today, gone)
}

/// Certificates, registrations, contracts: from the file that the configuration names, and those that were imported.
fn papers(night: &Night<'_>, certificates: Vec<Certificate>) -> Vec<Duty> {
    let home = night.config.account.zone;
    let mut papers = super::tools::papers(night.config).map_or_else(|_| Vec::new(), |read| read.papers);
    for one in certificates {
        let Some(valid_to) = one.valid_to else { continue };
        if papers.iter().any(|known| known.number == one.number) {
            continue;
        }
        let lang = night.config.account.language;
        let kind = night
            .tools
            .rules
            .papers
            .get(&one.kind)
            .map_or_else(|| one.kind.clone(), |words| words.of(lang).to_owned());
        let goods: Vec<String> = one
            .skus
            .iter()
            .map(ToString::to_string)
            .chain(one.categories)
            .collect();
        papers.push(Paper {
            name: [vec![kind], goods].concat().join(", "),
            number: one.number,
            is_contract: false,
            valid_to,
            owner: Some(one.owner).filter(|owner| !owner.is_empty()),
        });
    }
    papers
        .into_iter()
        .map(|paper| Duty {
            rule: if paper.is_contract {
                Rule::ContractExpiry
            } else {
                Rule::CertificateExpiry
            },
            subject: paper.number,
            due: Some(end_of_day(paper.valid_to, home)),
            not_before: None,
            zone: home,
            group: None,
            owner: paper.owner,
            missing: Vec::new(),
            facts: vec![("paper".to_owned(), paper.name)],
        })
        .collect()
}
