//! Cases about time: slots that were missed (R53), and goods that came later than the carrier's contract promises. Opened by what
//! was told of the goods' way, and closed again when it turns out that they were in time.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveDate, Utc};

use super::follow::{BY, change, event};
use super::scene::{Scene, World};
use super::{Followed, NotYet};
use crate::calendar::civil_day;
use crate::claim::amount::{Freight, FreightBasis};
use crate::claim::case::{Case, CaseEventKind, CaseState, Late, MissedSlot, Missing, Subject};
use crate::claim::evidence::Paper;
use crate::claim::responsibility::{Hold, Timing};
use crate::claim::rules::LateRule;
use crate::claim::{LossKind, Party};
use crate::deadline::due::{days_later, end_of_day};
use crate::ids::{AccountId, OrderNo, Sku};
use crate::ledger::milestone::{Milestone, Story};
use crate::money::Money;
use crate::night::{Night, NightError, clocks};
use crate::order::OrderState;
use crate::order::cash::CashKind;
use crate::store::orders::StoredOrder;
use crate::store::{StoreError, Tx, bills, claims, order_checks};

/// What ended longer ago is nobody's open question.
const LOOK_BACK_DAYS: i64 = 180;

/// What is known of an order's time.
struct Way<'a> {
    stored: &'a StoredOrder,
    story: Story,
    zone: chrono_tz::Tz,
    /// Told, or else counted.
    arrived: Option<NaiveDate>,
}

/// Opens what is due, writes down what is new, and closes what was in time after all.
pub(super) async fn follow(
    night: &Night<'_>,
    tx: &mut Tx,
    world: &World<'_>,
    cases: &mut BTreeMap<String, Case>,
    done: &mut Followed,
) -> Result<(), NightError> {
    for stored in world.orders() {
        let lately = stored
            .shipped_on
            .is_some_and(|day| (night.today() - day).num_days() <= LOOK_BACK_DAYS);
        if !stored.state.is_moving() && (!lately || stored.state == OrderState::Cancelled) {
            continue;
        }
        let story = clocks::story_of(night, tx, stored).await?;
        let zone = world.zone(night, stored);
        let told = story
            .reached
            .get(&Milestone::Delivered)
            .map(|reached| civil_day(reached.at, zone));
        let way = Way {
            arrived: told.or_else(|| world.first_receipt(stored)),
            stored,
            story,
            zone,
        };
        let known = |kind| cases.get(&subject(stored, kind).number()).cloned();
        let slot = known(LossKind::MissedSlot);
        let late = known(LossKind::Delay);
        if let Some(case) = slots(night, tx, world, &way, slot, done).await? {
            cases.insert(case.number.clone(), case);
        }
        if let Some(case) = beyond_promise(night, tx, world, &way, late, done).await? {
            cases.insert(case.number.clone(), case);
        }
    }
    Ok(())
}

fn subject(stored: &StoredOrder, kind: LossKind) -> Subject {
    Subject {
        order: stored.order.number.clone(),
        warehouse: stored.order.warehouse.clone(),
        kind,
    }
}

/// The slot that stands now, when nobody came to it; and whether one that was missed was kept after all.
async fn slots(
    night: &Night<'_>,
    tx: &mut Tx,
    world: &World<'_>,
    way: &Way<'_>,
    known: Option<Case>,
    done: &mut Followed,
) -> Result<Option<Case>, NightError> {
    let in_time = |until: DateTime<Utc>| {
        let last = civil_day(until, way.zone);
        way.arrived.is_some_and(|day| day <= last)
    };
    let slot = way.story.expected.get(&Milestone::Appointment).map(|slot| {
        let terms = night
            .config
            .deadlines
            .appointment
            .get(&way.stored.order.warehouse);
        let window = terms.map_or(0, |terms| i64::from(terms.window_days));
        MissedSlot {
            at: slot.at,
            until: days_later(slot.at, window, way.zone),
            fee: terms.and_then(|terms| terms.missed_fee),
        }
    });
    // Counted without a word of when it came says nothing of a slot.
    let somewhere = way.arrived.is_some() || way.stored.state < OrderState::Delivered;
    let missed = slot.filter(|slot| night.now() >= slot.until && somewhere && !in_time(slot.until));
    let new = missed.filter(|slot| {
        let mut told = known.iter().flat_map(|case| &case.slots);
        told.all(|one| one.at != slot.at)
    });
    match (known, new) {
        (None, None) => Ok(None),
        (Some(case), None) => {
            if case.slots.iter().all(|slot| in_time(slot.until)) {
                return was_in_time(night, tx, world, case, done).await;
            }
            Ok(None)
        }
        (_, Some(slot)) => {
            let kind = CaseEventKind::Missed { slot };
            write(night, tx, world, (way.stored, LossKind::MissedSlot), kind, done).await
        }
    }
}

/// Delivered, or still under way, beyond what a contract promises.
async fn beyond_promise(
    night: &Night<'_>,
    tx: &mut Tx,
    world: &World<'_>,
    way: &Way<'_>,
    known: Option<Case>,
    done: &mut Followed,
) -> Result<Option<Case>, NightError> {
    let Some((rule, promised, by)) = promise(night, world, way) else {
        return Ok(None);
    };
    let last = promised + Duration::days(i64::from(rule.free_days));
    let is_late = way.arrived.unwrap_or_else(|| night.today()) > last;
    let late = Late {
        promised,
        by,
        arrived: way.arrived,
    };
    match known {
        Some(case) if !is_late => was_in_time(night, tx, world, case, done).await,
        Some(case) if case.late.as_ref() == Some(&late) => Ok(None),
        _ if is_late => {
            let kind = CaseEventKind::Late { late };
            write(night, tx, world, (way.stored, LossKind::Delay), kind, done).await
        }
        _ => Ok(None),
    }
}

/// The contract that says what a day costs, the day it promises, and who says so. Without such a row nobody owes anything.
fn promise<'n>(
    night: &'n Night<'_>,
    world: &World<'_>,
    way: &Way<'_>,
) -> Option<(&'n LateRule, NaiveDate, String)> {
    let shipped = way.stored.shipped_on?;
    let order = &way.stored.order;
    let rules = &night.tools.claims;
    let country = world.country(way.stored);
    let scope = crate::claim::rules::Scope {
        mode: order.mode,
        country: &country,
        warehouse: &order.warehouse,
        forwarder: order.forwarder.as_str(),
    };
    let regimes = rules.against(Party::Carrier, scope);
    let rule = regimes
        .into_iter()
        .find_map(|regime| rules.late(&regime.id, shipped).ok())?;
    match rule.promise {
        Some(span) => Some((rule, span.after(shipped)?, rule.row.id.clone())),
        None => {
            let lane = world.promised_days(way.stored)?;
            let by = format!(
                "{} {} {} p90",
                order.forwarder,
                order.mode.code(),
                order.warehouse
            );
            Some((rule, shipped.checked_add_signed(Duration::try_days(lane)?)?, by))
        }
    }
}

/// What the carriage of an order was billed at, else what it is expected to be.
pub(super) async fn freight(
    tx: &mut Tx,
    account: &AccountId,
    order: &OrderNo,
) -> Result<Option<Freight>, StoreError> {
    let billed: Vec<Money> = bills::all(tx, account)
        .await?
        .remove(order)
        .unwrap_or_default()
        .into_iter()
        .filter(|charge| is_carriage(&charge.charge))
        .map(|charge| charge.amount)
        .collect();
    if !billed.is_empty() {
        return Ok(Some(Freight {
            charges: billed,
            basis: FreightBasis::Billed,
        }));
    }
    let check = order_checks::of_order(tx, account, order).await?;
    let cash = check.and_then(|check| check.cash);
    let expected = cash.map(|cash| {
        let freight = cash
            .lines
            .into_iter()
            .filter(|line| line.kind == CashKind::Freight);
        freight.map(|line| line.charged).collect::<Vec<Money>>()
    });
    Ok(expected
        .filter(|charges| !charges.is_empty())
        .map(|charges| Freight {
            charges,
            basis: FreightBasis::Expected,
        }))
}

/// Carriage itself (海运费, ocean freight), not what comes on top of it.
fn is_carriage(charge: &str) -> bool {
    let charge = charge.to_lowercase();
    let has = |words: [&str; 2]| words.iter().any(|word| charge.contains(word));
    has(["运费", "freight"]) && !has(["附加", "surcharge"])
}

/// Writes what happened, and that all units of the order were hit by it.
async fn write(
    night: &Night<'_>,
    tx: &mut Tx,
    world: &World<'_>,
    (stored, kind): (&StoredOrder, LossKind),
    happened: CaseEventKind,
    done: &mut Followed,
) -> Result<Option<Case>, NightError> {
    let account = night.account();
    let subject = subject(stored, kind);
    let number = subject.number();
    let before = claims::get(tx, account, &number).await?;
    let mut case = match before {
        Some(case) => case,
        None => {
            done.opened += 1;
            claims::open(tx, account, &subject, (BY, night.now())).await?
        }
    };
    case = claims::append(tx, account, &case.number, event(night.now(), BY, happened)).await?;
    // A slot missed again is another loss, also where somebody was through with the first.
    if kind == LossKind::MissedSlot && case.state == CaseState::Closed && case.units() > 0 {
        let reason = "it happened again".to_owned();
        let again = event(night.now(), BY, CaseEventKind::Reopened { reason });
        case = claims::append(tx, account, &case.number, again).await?;
    }
    done.changed += 1;
    for line in lines(stored, &number) {
        if case.lines.get(&line.difference).map(|known| known.units) != Some(line.units) {
            case = change(night, tx, world, case, line, done).await?;
        }
    }
    Ok(Some(case))
}

async fn was_in_time(
    night: &Night<'_>,
    tx: &mut Tx,
    world: &World<'_>,
    mut case: Case,
    done: &mut Followed,
) -> Result<Option<Case>, NightError> {
    if case.state == CaseState::Closed || case.units() == 0 {
        return Ok(None);
    }
    done.changed += 1;
    let lines: Vec<Missing> = case.lines.values().cloned().collect();
    for line in lines {
        case = change(night, tx, world, case, Missing { units: 0, ..line }, done).await?;
    }
    Ok(Some(case))
}

/// A name of its own for each SKU: a second claim on the same units of the same case is refused by it.
fn lines(stored: &StoredOrder, number: &str) -> Vec<Missing> {
    let mut units: BTreeMap<&Sku, i64> = BTreeMap::new();
    for line in &stored.order.lines {
        *units.entry(&line.goods.sku).or_default() += line.units;
    }
    units
        .into_iter()
        .map(|(sku, units)| Missing {
            difference: format!("{number}:{sku}"),
            sku: sku.clone(),
            carton: None,
            units,
        })
        .collect()
}

impl Scene {
    /// What is known of the time of the goods, in a case about time that has one to speak of.
    #[must_use]
    pub fn timing(&self) -> Option<Timing> {
        let due = match self.case.subject.kind {
            LossKind::MissedSlot => self.case.slots.iter().map(|slot| slot.until).min()?,
            LossKind::Delay => end_of_day(self.case.late.as_ref()?.promised, self.zone),
            LossKind::Loss | LossKind::Damage => return None,
        };
        let reached = |milestone| self.story.reached.get(&milestone).map(|reached| reached.at);
        let papers: Vec<Paper> = self.case.evidence.iter().map(|evidence| evidence.paper).collect();
        let notice = self
            .case
            .evidence
            .iter()
            .filter(|evidence| evidence.paper == Paper::CustomsNotice);
        let held = [reached(Milestone::CustomsExam), reached(Milestone::CustomsHold)]
            .into_iter()
            .flatten()
            .chain(notice.filter_map(|evidence| evidence.at))
            .min();
        let handed_over = self.stored.shipped_on.map(|day| end_of_day(day, self.zone));
        Some(Timing {
            due,
            taken: reached(Milestone::PickedUp).or(handed_over),
            hold: held.map(|from| Hold {
                from,
                to: reached(Milestone::CustomsReleased).filter(|to| *to >= from),
            }),
            refused: papers.contains(&Paper::Refusal),
            papers,
        })
    }

    /// Days beyond the promise, where the case is about that.
    ///
    /// # Errors
    /// When nobody knows a promise any more.
    pub(super) fn days_late(&self, today: NaiveDate) -> Result<i64, NotYet> {
        let late = self.case.late.as_ref().ok_or(NotYet::NoPromise)?;
        Ok(late.days(today))
    }
}
