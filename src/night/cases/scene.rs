//! Everything that is known of what a case is about: the order and its way, what was counted, and the papers people put to it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use crate::calendar::civil_day;
use crate::catalog::Catalog;
use crate::claim::LossKind;
use crate::claim::amount::{CostInvoice, Freight, Loss, Lost};
use crate::claim::case::Case;
use crate::claim::evidence::{Evidence, Paper};
use crate::claim::responsibility::{Custody, Point, Seen};
use crate::claim::state::{Beside, Claim, Claimed};
use crate::claim::window::Days;
use crate::ids::{OrderNo, Sku, WarehouseCode};
use crate::ledger::milestone::{Milestone, Story};
use crate::ledger::{Finding, ReceiptEvent, ReceiptKind};
use crate::money::{Currency, Money};
use crate::night::reconcile::under_our_numbers;
use crate::night::{Night, clocks};
use crate::reconcile::Line;
use crate::store::claims::{self, ClaimStoreError};
use crate::store::differences::{self, StoredDifference};
use crate::store::orders::{self, StoredOrder};
use crate::store::{StoreError, Tx, facts, receipts, references, stated};

/// What only a person can say of a claim.
#[derive(Debug, Clone, Default)]
pub struct More {
    pub currency: Option<Currency>,
    pub packages: Option<i64>,
    /// What a warehouse billed for missed slots.
    pub fee: Option<Money>,
    /// What the carriage of the order cost, where no bill says so.
    pub freight: Option<Money>,
    /// Sales price less fees of a unit, as the platform says.
    pub sales: BTreeMap<Sku, Money>,
}

pub struct Scene {
    /// With the lines and papers of the cases beside it, where a claim asks for several.
    pub case: Case,
    /// Kinds of those cases.
    pub beside: Vec<LossKind>,
    pub stored: StoredOrder,
    pub story: Story,
    /// Of the destination.
    pub country: String,
    pub zone: Tz,
    pub owner: Option<String>,
    pub lines: Vec<Line>,
    pub events: Vec<ReceiptEvent>,
    /// What the warehouse said beside its counts: scans, wrong items, photos, notes.
    pub findings: Vec<Finding>,
    pub differences: Vec<StoredDifference>,
    /// Where the case is about late goods.
    pub freight: Option<Freight>,
    /// Day and units of every order that sent these SKUs to this warehouse.
    sent: BTreeMap<Sku, Vec<(NaiveDate, i64)>>,
}

/// What all cases of an account have in common, read once.
pub struct World<'a> {
    catalog: &'a Catalog,
    orders: BTreeMap<OrderNo, StoredOrder>,
    lines: BTreeMap<OrderNo, Vec<Line>>,
    /// What the warehouse calls our orders.
    inbounds: BTreeMap<String, Vec<String>>,
    /// Day and units of everything that was sent, by warehouse and SKU.
    sent: BTreeMap<(WarehouseCode, Sku), Vec<(NaiveDate, i64)>>,
}

impl<'a> World<'a> {
    /// # Errors
    /// When the store fails.
    pub async fn load(night: &Night<'_>, tx: &mut Tx, catalog: &'a Catalog) -> Result<Self, StoreError> {
        let account = night.account();
        let mut world = Self {
            catalog,
            orders: BTreeMap::new(),
            lines: BTreeMap::new(),
            inbounds: BTreeMap::new(),
            sent: BTreeMap::new(),
        };
        for line in receipts::current(tx, account).await? {
            world.lines.entry(line.order.clone()).or_default().push(line);
        }
        let all = orders::all(tx, account).await?;
        let mut notices = facts::inbounds(tx, account).await?.0;
        under_our_numbers(tx, account, &all, &mut notices, &mut []).await?;
        for notice in notices {
            let names = world.inbounds.entry(notice.reference).or_default();
            names.push(notice.inbound_no);
        }
        for (name, order) in references::of_one_order(tx, account).await? {
            world.inbounds.entry(order.to_string()).or_default().push(name);
        }
        for stored in all {
            if let Some(day) = stored.shipped_on {
                for line in &stored.order.lines {
                    let place = (stored.order.warehouse.clone(), line.goods.sku.clone());
                    world.sent.entry(place).or_default().push((day, line.units));
                }
            }
            world.orders.insert(stored.order.number.clone(), stored);
        }
        Ok(world)
    }

    pub(super) fn orders(&self) -> impl Iterator<Item = &StoredOrder> {
        self.orders.values()
    }

    pub(super) fn zone(&self, night: &Night<'_>, stored: &StoredOrder) -> Tz {
        let warehouse = self.catalog.warehouses.get(&stored.order.warehouse);
        warehouse.map_or(night.config.account.zone, |warehouse| warehouse.zone)
    }

    /// Of the destination.
    pub(super) fn country(&self, stored: &StoredOrder) -> String {
        self.catalog.warehouses.get(&stored.order.warehouse).map_or_else(
            || stored.order.deliver_to.address.country.clone(),
            |warehouse| warehouse.country.clone(),
        )
    }

    /// The first day on which anything of an order was counted.
    pub(super) fn first_receipt(&self, stored: &StoredOrder) -> Option<NaiveDate> {
        let lines = self.lines.get(&stored.order.number).into_iter().flatten();
        lines
            .filter(|line| line.received > 0)
            .filter_map(|line| line.first_receipt)
            .min()
    }

    /// Days from hand-over to delivery that the forwarder's lane takes nine times in ten: its service's, where that is known.
    pub(super) fn promised_days(&self, stored: &StoredOrder) -> Option<i64> {
        let order = &stored.order;
        let lanes = || {
            self.catalog
                .lanes_to(&order.warehouse, order.mode)
                .filter(|lane| lane.forwarder == order.forwarder)
        };
        let own = lanes().find(|lane| lane.service == order.service);
        let lane = own.or_else(|| lanes().next())?;
        lane.transit.map(|days| days.p90)
    }
}

/// Puts together what a case is about; `None` when its order is gone.
///
/// # Errors
/// When the store fails.
pub async fn scene(
    night: &Night<'_>,
    tx: &mut Tx,
    world: &World<'_>,
    case: Case,
) -> Result<Option<Scene>, StoreError> {
    let account = night.account();
    let number = case.subject.order.clone();
    let Some(stored) = world.orders.get(&number).cloned() else {
        return Ok(None);
    };
    let story = clocks::story_of(night, tx, &stored).await?;
    let mut names = vec![number.to_string()];
    names.extend(world.inbounds.get(number.as_str()).into_iter().flatten().cloned());
    let events = receipts::load_for(tx, account, &names).await?;
    let findings = stated::findings_for(tx, account, &names).await?;
    let differences = differences::of_order(tx, account, &number).await?;
    let lines = world.lines.get(&number).cloned().unwrap_or_default();
    let catalog = world.catalog;
    let sent = stored
        .order
        .lines
        .iter()
        .filter_map(|line| {
            let place = (stored.order.warehouse.clone(), line.goods.sku.clone());
            Some((place.1.clone(), world.sent.get(&place)?.clone()))
        })
        .collect();
    let freight = match case.subject.kind {
        LossKind::Delay => super::timing::freight(tx, account, &number).await?,
        _ => None,
    };
    let owner = stored
        .order
        .lines
        .iter()
        .filter_map(|line| catalog.items.get(&line.goods.sku))
        .map(|item| item.owner.clone())
        .find(|owner| !owner.is_empty());
    Ok(Some(Scene {
        country: world.country(&stored),
        zone: world.zone(night, &stored),
        owner,
        case,
        beside: Vec::new(),
        stored,
        story,
        lines,
        events,
        findings,
        differences,
        freight,
        sent,
    }))
}

/// What a claim is about: its case, with what the cases beside it miss and have of papers.
///
/// # Errors
/// When the store fails, or a case is gone.
pub async fn scene_of_claim(
    night: &Night<'_>,
    tx: &mut Tx,
    world: &World<'_>,
    case: Case,
    beside: &[Beside],
) -> Result<Option<Scene>, ClaimStoreError> {
    let Some(mut whole) = scene(night, tx, world, case).await? else {
        return Ok(None);
    };
    for one in beside {
        let other = claims::get(tx, night.account(), &one.case)
            .await?
            .ok_or_else(|| ClaimStoreError::NoCase(one.case.clone()))?;
        whole.beside.push(other.subject.kind);
        whole.case.lines.extend(other.lines);
        for paper in other.evidence {
            let same = |known: &Evidence| known.sha256 == paper.sha256 && known.paper == paper.paper;
            if !whole.case.evidence.iter().any(same) {
                whole.case.evidence.push(paper);
            }
        }
    }
    Ok(Some(whole))
}

impl Scene {
    /// Whether a file of this name was put to the case.
    #[must_use]
    pub fn has_file(&self, name: &str) -> bool {
        self.case.evidence.iter().any(|evidence| evidence.name == name)
    }

    /// Photos that the warehouse names in its reports, and that nobody has put to the case.
    #[must_use]
    pub fn photos_elsewhere(&self) -> Vec<&str> {
        let named = self.findings.iter().flat_map(|finding| &finding.photos);
        let missing: BTreeSet<&str> = named
            .map(String::as_str)
            .filter(|photo| !self.has_file(photo))
            .collect();
        missing.into_iter().collect()
    }

    /// What is known of the goods' hand-overs.
    #[must_use]
    pub fn custody(&self) -> Custody {
        let mut seen: Vec<Seen> = self
            .case
            .evidence
            .iter()
            .filter_map(crate::claim::evidence::Evidence::seen)
            .collect();
        let counted_by_hand = seen.iter().any(|seen| seen.point == Point::Counted);
        if !counted_by_hand && let Some(count) = self.counted() {
            seen.push(count);
        }
        let reached = |milestone| self.story.reached.get(&milestone).map(|reached| reached.at);
        let exams = [Milestone::CustomsExam, Milestone::CustomsHold]
            .into_iter()
            .filter_map(reached)
            .chain(
                self.case
                    .evidence
                    .iter()
                    .filter(|paper| paper.paper == Paper::CustomsNotice)
                    .filter_map(|paper| paper.at),
            )
            .collect();
        Custody {
            cartons: i64::try_from(self.stored.order.cartons.len()).unwrap_or(i64::MAX),
            seen,
            exams,
        }
    }

    /// What the warehouse's own reports say, where they tell cartons apart or speak of damage.
    fn counted(&self) -> Option<Seen> {
        let marks: BTreeSet<&str> = self
            .stored
            .order
            .cartons
            .iter()
            .map(|carton| carton.mark.as_str())
            .collect();
        let mut cartons: BTreeMap<&str, i64> = BTreeMap::new();
        let mut by_carton = false;
        let mut first: Option<&ReceiptEvent> = None;
        for event in &self.events {
            if first.is_none_or(|known| (event.at, &event.key) < (known.at, &known.key)) {
                first = Some(event);
            }
            if let Some(mark) = event.carton.as_deref().filter(|mark| marks.contains(mark)) {
                by_carton = true;
                *cartons.entry(mark).or_default() += event.units;
            }
        }
        let first = first?;
        let damaged = self.case.subject.kind == LossKind::Damage;
        (by_carton || damaged).then(|| Seen {
            point: Point::Counted,
            cartons: by_carton.then(|| {
                let there = cartons.values().filter(|units| **units > 0).count();
                i64::try_from(there).unwrap_or(i64::MAX)
            }),
            clean: damaged.then_some(false),
            at: Some(first.at),
            source: first.source.clone(),
        })
    }

    /// The days that clocks count from. A paper's own day comes before what was told.
    #[must_use]
    pub fn days(&self, claim: Option<&Claim>) -> Days {
        let on_paper = |paper: Paper| {
            self.case
                .evidence
                .iter()
                .filter(|evidence| evidence.paper == paper)
                .filter_map(|evidence| evidence.at)
                .min()
        };
        let told = self
            .story
            .reached
            .get(&Milestone::Delivered)
            .map(|reached| reached.at);
        // What is counted has been delivered; that it may have stood there before makes no deadline later.
        let counted = self
            .events
            .iter()
            .filter(|event| event.units > 0 && event.kind != ReceiptKind::PutAway)
            .map(|event| event.at)
            .min();
        let day = |at: DateTime<Utc>| civil_day(at, self.zone);
        Days {
            shipped: self.stored.shipped_on,
            delivered: on_paper(Paper::DeliveryProof).or(told).or(counted).map(day),
            reported: on_paper(Paper::ReceiptReport)
                .map(day)
                .or_else(|| {
                    self.differences
                        .iter()
                        .filter(|stored| self.case.lines.contains_key(stored.difference.id.as_str()))
                        .map(|stored| stored.first_seen)
                        .min()
                })
                // Of what no count can show, the day it was noticed.
                .or_else(|| {
                    let of_time = self.case.subject.kind.is_of_time();
                    of_time.then(|| day(self.case.opened_at))
                }),
            declined: claim.and_then(|claim| claim.declined_on),
        }
    }

    /// What a claim over these lines is about, in figures.
    #[must_use]
    pub fn loss(&self, lines: &[Claimed], more: &More) -> Loss {
        let invoices: Vec<CostInvoice> = self
            .case
            .evidence
            .iter()
            .flat_map(|evidence| evidence.costs.iter().cloned())
            .collect();
        let mut by_sku: BTreeMap<&Sku, i64> = BTreeMap::new();
        for line in lines {
            *by_sku.entry(&line.sku).or_default() += line.units;
        }
        let order = &self.stored.order;
        let found = by_sku
            .into_iter()
            .map(|(sku, units)| Lost {
                sku: sku.clone(),
                units,
                sent: self.sent_since(sku, &invoices),
                gross_g: self.gross(sku, units),
                invoice: order
                    .lines
                    .iter()
                    .find(|line| line.goods.sku == *sku)
                    .map(|line| Money::new(line.unit_value, order.currency)),
            })
            .collect();
        let cartons: BTreeSet<&str> = lines
            .iter()
            .filter_map(|line| self.case.lines.get(&line.difference)?.carton.as_deref())
            .collect();
        let known = i64::try_from(cartons.len()).ok().filter(|count| *count > 0);
        Loss {
            lines: found,
            packages: more.packages.or(known),
            invoices,
            sales: more.sales.clone(),
        }
    }

    /// Units of a SKU sent to this warehouse since the first of its invoices: the invoices must cover them all.
    fn sent_since(&self, sku: &Sku, invoices: &[CostInvoice]) -> i64 {
        let since = invoices
            .iter()
            .filter(|invoice| invoice.sku == *sku)
            .map(|invoice| invoice.on)
            .min();
        let until = self.stored.shipped_on;
        let sent = self.sent.get(sku).into_iter().flatten();
        sent.filter(|(day, _)| {
            since.is_none_or(|since| *day >= since) && until.is_none_or(|until| *day <= until)
        })
        .map(|(_, units)| units)
        .sum()
    }

    /// The part of the cartons' gross weight that so many units are, by net weight.
    fn gross(&self, sku: &Sku, units: i64) -> Option<i64> {
        let order = &self.stored.order;
        let line = order.lines.iter().find(|line| line.goods.sku == *sku)?;
        let net = |no: u32| order.line(no).map_or(0, |line| line.goods.unit_net_g);
        let mut gross = Decimal::ZERO;
        let mut packed = 0_i64;
        for carton in &order.cartons {
            let own: i64 = carton
                .contents
                .iter()
                .filter(|content| content.line == line.no)
                .map(|content| content.units)
                .sum();
            let all: i64 = carton
                .contents
                .iter()
                .map(|content| content.units * net(content.line))
                .sum();
            if own > 0 && all > 0 {
                gross +=
                    Decimal::from(carton.gross_g) * Decimal::from(own * net(line.no)) / Decimal::from(all);
                packed += own;
            }
        }
        (packed > 0)
            .then(|| gross * Decimal::from(units) / Decimal::from(packed))
            .and_then(|grams| grams.round().to_i64())
    }
}
