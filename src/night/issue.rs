//! Issue: approved lines become stocking orders. The order, its documents and their messages are one transaction,
//! so that a crash leaves either all of them or none.

use std::collections::BTreeMap;

use chrono::{Duration, NaiveDate};

use super::amend::document_key;
use super::{Night, trial};
use crate::catalog::{Catalog, CodeKind, Item, Lane};
use crate::config::ForwarderSection;
use crate::delivery::Channel;
use crate::ids::{OrderNo, PlanId, Sku, WarehouseCode};
use crate::mapping::model::{DocumentContext, Pictures};
use crate::order::{CartonSpec, Draft, DraftLine, Mode, StockingOrder, build};
use crate::problem::Problem;
use crate::store::orders::{self, HeldLine, OrderStoreError, OrderedLine, StoredDocument};
use crate::store::outbox::{self, Enqueued, NewMessage};
use crate::store::{StoreError, Tx, blob};

/// A line a person (or a rule of theirs) said yes to.
#[derive(Debug, Clone)]
pub struct ApprovedLine {
    pub warehouse: WarehouseCode,
    pub sku: Sku,
    pub units: i64,
    pub suggested: Option<i64>,
    pub mode: Mode,
}

/// What became of the approved lines.
#[derive(Debug, Default)]
pub struct Issued {
    pub orders: Vec<OrderNo>,
    pub documents: usize,
    pub held: Vec<HeldLine>,
}

/// Issues orders for the lines, one per warehouse and mode; lines already in an order of this plan are left alone.
///
/// # Errors
/// When the store fails; what cannot be booked is held and listed instead.
pub async fn issue(
    night: &Night<'_>,
    tx: &mut Tx,
    plan: &PlanId,
    catalog: &Catalog,
    approved: &[ApprovedLine],
    by: &str,
) -> Result<Issued, OrderStoreError> {
    let taken = Taken::of(night, tx, plan).await?;
    let open = approved.iter().filter(|line| taken.leaves(line));
    let (admitted, held) = trial::admit(night, tx, plan, open).await?;
    let mut groups: BTreeMap<(WarehouseCode, Mode), Vec<&ApprovedLine>> = BTreeMap::new();
    for line in admitted {
        groups
            .entry((line.warehouse.clone(), line.mode))
            .or_default()
            .push(line);
    }
    let mut issued = Issued {
        held,
        ..Issued::default()
    };
    for ((warehouse, mode), lines) in groups {
        let number = orders::next_number(tx, night.account(), night.today()).await?;
        let booking = Booking {
            night,
            plan: Some(plan),
            catalog,
            number,
            warehouse,
            mode,
            before: None,
        };
        booking.book(tx, plan, &lines, by, &mut issued).await?;
    }
    for line in &issued.held {
        orders::hold(tx, night.account(), line, night.now()).await?;
    }
    Ok(issued)
}

/// Lines of a plan that stand in orders, and parts of them that were approved with them and held.
struct Taken {
    ordered: Vec<OrderedLine>,
    held: Vec<HeldLine>,
}

impl Taken {
    async fn of(night: &Night<'_>, tx: &mut Tx, plan: &PlanId) -> Result<Self, StoreError> {
        Ok(Self {
            ordered: orders::ordered_lines(tx, night.account(), plan).await?,
            held: orders::held(tx, night.account(), plan).await?,
        })
    }

    /// Whether a line is still to be ordered. A line is ordered once, however often it is approved; but when one part of it
    /// was ordered and the other held, that one may follow.
    fn leaves(&self, line: &ApprovedLine) -> bool {
        let mode = line.mode.code();
        let mut ordered = self
            .ordered
            .iter()
            .filter(|one| one.warehouse == line.warehouse && one.sku == line.sku)
            .peekable();
        if ordered.peek().is_none() {
            return true;
        }
        ordered.all(|one| one.mode != mode)
            && self
                .held
                .iter()
                .any(|one| one.warehouse == line.warehouse && one.sku == line.sku && one.mode == mode)
    }
}

/// A line with everything the catalog lacks for it.
type Faulty<'l> = (&'l ApprovedLine, Vec<Problem>);

pub(super) struct Booking<'a> {
    pub(super) night: &'a Night<'a>,
    pub(super) plan: Option<&'a PlanId>,
    pub(super) catalog: &'a Catalog,
    pub(super) number: OrderNo,
    pub(super) warehouse: WarehouseCode,
    pub(super) mode: Mode,
    /// The revision that this one takes the place of.
    pub(super) before: Option<&'a StockingOrder>,
}

pub(super) struct Document {
    mapping: String,
    pub(super) written: crate::mapping::definition::Written,
}

impl Booking<'_> {
    async fn book(
        &self,
        tx: &mut Tx,
        plan: &PlanId,
        lines: &[&ApprovedLine],
        by: &str,
        issued: &mut Issued,
    ) -> Result<(), OrderStoreError> {
        let hold_all = |lines: &[&ApprovedLine], problems: &[Problem], issued: &mut Issued| {
            issued.held.extend(lines.iter().map(|line| HeldLine {
                plan: plan.clone(),
                warehouse: line.warehouse.clone(),
                sku: line.sku.clone(),
                mode: line.mode.code().to_owned(),
                units: line.units,
                problems: problems.to_vec(),
            }));
        };
        let (lane, forwarder) = match self.way() {
            Ok(way) => way,
            Err(problem) => {
                hold_all(lines, &[problem], issued);
                return Ok(());
            }
        };
        let (good, faulty) = self.draft_lines(lines);
        for (line, problems) in faulty {
            hold_all(&[line], &problems, issued);
        }
        if good.is_empty() {
            return Ok(());
        }
        let still: Vec<&ApprovedLine> = good.iter().map(|(line, _)| *line).collect();
        let draft = self.draft(lane, good.into_iter().map(|(_, draft)| draft).collect());
        let order = match build(draft) {
            Ok(order) => order,
            Err(problems) => {
                hold_all(&still, &problems, issued);
                return Ok(());
            }
        };
        let pictures = self.pictures(tx, &order).await?;
        let documents = match self.documents(forwarder, &order, pictures) {
            Ok(documents) => documents,
            Err(problems) => {
                hold_all(&still, &problems, issued);
                return Ok(());
            }
        };
        let eta_p90 = late(lane, order.eta);
        orders::create(tx, self.night.account(), &order, eta_p90, by, self.night.now()).await?;
        for document in &documents {
            self.send(tx, forwarder, &order, document).await?;
        }
        issued.documents += documents.len();
        issued.orders.push(order.number);
        Ok(())
    }

    /// The lane that goes there, and who drives it.
    pub(super) fn way(&self) -> Result<(&Lane, &ForwarderSection), Problem> {
        let Some(lane) = self.catalog.lanes_to(&self.warehouse, self.mode).next() else {
            let wanted = format!("a lane by {} in the catalog", self.mode.code());
            return Err(self.problem("", "lane", "", &wanted));
        };
        let forwarders = &self.night.config.forwarders;
        match forwarders.iter().find(|known| known.id == lane.forwarder) {
            Some(forwarder) => Ok((lane, forwarder)),
            None => Err(self.problem(
                "",
                "forwarder",
                lane.forwarder.as_str(),
                "a [[forwarder]] of that id in the configuration",
            )),
        }
    }

    pub(super) fn problem(&self, place: &str, field: &str, found: &str, wanted: &str) -> Problem {
        Problem::new(
            format!("order {} to {}", self.number, self.warehouse),
            place,
            field,
            found,
            wanted,
        )
    }

    /// Lines the catalog knows enough about, and the others with everything they lack.
    pub(super) fn draft_lines<'l>(
        &self,
        lines: &[&'l ApprovedLine],
    ) -> (Vec<(&'l ApprovedLine, DraftLine)>, Vec<Faulty<'l>>) {
        let mut good = Vec::new();
        let mut faulty = Vec::new();
        for line in lines {
            match self.draft_line(line) {
                Ok(draft) => good.push((*line, draft)),
                Err(problems) => faulty.push((*line, problems)),
            }
        }
        (good, faulty)
    }

    fn draft_line(&self, line: &ApprovedLine) -> Result<DraftLine, Vec<Problem>> {
        let place = format!("SKU {}", line.sku);
        let Some(item) = self.catalog.items.get(&line.sku) else {
            return Err(vec![self.problem(
                &place,
                "sku",
                line.sku.as_str(),
                "an item of the catalog",
            )]);
        };
        if line.units <= 0 {
            return Err(vec![self.problem(
                &place,
                "units",
                &line.units.to_string(),
                "a whole number above 0",
            )]);
        }
        let codes = |kind| {
            self.night
                .config
                .connectors
                .iter()
                .filter(|c| c.warehouses.values().any(|w| *w == self.warehouse))
                .find_map(|connector| {
                    self.catalog
                        .codes
                        .code_of(&connector.id, kind, &line.sku, self.night.today())
                })
        };
        let warehouse_sku = [CodeKind::WarehouseSku, CodeKind::Fnsku]
            .into_iter()
            .find_map(codes);
        let asin = codes(CodeKind::Asin).map_or("", |mapping| mapping.code.as_str());
        let Some(warehouse_sku) = warehouse_sku else {
            let wanted = "the code this warehouse scans (warehouse_sku or fnsku) in the catalog's codes";
            return Err(vec![self.problem(&place, "warehouse_sku", "", wanted)]);
        };
        let goods = item.goods(&warehouse_sku.code, asin).map_err(|missing| {
            missing
                .iter()
                .map(|field| {
                    self.problem(
                        &place,
                        field,
                        "",
                        "a value in the catalog before this item can be booked",
                    )
                })
                .collect::<Vec<_>>()
        })?;
        Ok(DraftLine {
            goods,
            units: line.units,
            suggested_units: line.suggested,
            unit_value: item.declared,
            carton: carton_spec(item),
            missing: Vec::new(),
        })
    }

    pub(super) fn draft(&self, lane: &Lane, lines: Vec<DraftLine>) -> Draft {
        let config = &self.night.config.order;
        let warehouse = self.catalog.warehouses.get(&self.warehouse);
        let country = warehouse.map_or("", |warehouse| warehouse.country.as_str());
        let (ship_by, eta) = dates(lane, self.night.today());
        Draft {
            number: self.number.clone(),
            revision: self.before.map_or(1, |before| before.revision + 1),
            created_on: self.before.map_or(self.night.today(), |before| before.created_on),
            plan: self.plan.cloned(),
            warehouse: self.warehouse.clone(),
            deliver_to: warehouse
                .map(crate::catalog::Warehouse::party)
                .unwrap_or_default(),
            mode: self.mode,
            forwarder: lane.forwarder.clone(),
            service: lane.service.clone(),
            term: config.term,
            currency: config.currency,
            shipper: config.shipper.clone(),
            importer: config.importer.get(country).cloned(),
            parties: config.parties_to(country),
            export: config.export.clone(),
            port_of_loading: lane.port_of_loading.clone(),
            port_of_discharge: warehouse
                .map_or_else(String::new, |warehouse| warehouse.port_of_discharge.clone()),
            ship_by,
            eta,
            lines,
        }
    }

    /// The pictures that the order's goods name. One that is not kept is left to the document that wants it.
    pub(super) async fn pictures(&self, tx: &mut Tx, order: &StockingOrder) -> Result<Pictures, StoreError> {
        let mut pictures = Pictures::new();
        for line in &order.lines {
            let name = &line.goods.customs.picture;
            if name.is_empty() || pictures.contains_key(name) {
                continue;
            }
            if let (blob::Content::Whole, Some(bytes)) = blob::look(tx, self.night.account(), name).await? {
                pictures.insert(name.clone(), bytes);
            }
        }
        Ok(pictures)
    }

    /// Every document of the forwarder, or every problem of all of them.
    pub(super) fn documents(
        &self,
        forwarder: &ForwarderSection,
        order: &StockingOrder,
        pictures: Pictures,
    ) -> Result<Vec<Document>, Vec<Problem>> {
        let mut documents = Vec::new();
        let mut problems = Vec::new();
        // One number on all papers, so that whoever holds any of them can ask for the order.
        let mut context = DocumentContext::new(self.night.today(), order.number.as_str());
        context.previous = self.before.cloned();
        context.pictures = pictures;
        for id in &forwarder.documents {
            let Some(mapping) = self
                .night
                .tools
                .mappings
                .iter()
                .find(|mapping| mapping.meta.id == *id)
            else {
                problems.push(self.problem("", "forwarder.documents", id, "the id of a mapping file"));
                continue;
            };
            if !mapping.is_for(order) {
                continue;
            }
            match mapping.write(order, &context) {
                Ok(written) => documents.push(Document {
                    mapping: id.clone(),
                    written,
                }),
                Err(more) => problems.extend(more),
            }
        }
        if documents.is_empty() && problems.is_empty() {
            problems.push(self.problem(
                "",
                "forwarder.documents",
                forwarder.id.as_str(),
                "at least one mapping for this country",
            ));
        }
        if problems.is_empty() {
            Ok(documents)
        } else {
            Err(problems)
        }
    }

    pub(super) async fn send(
        &self,
        tx: &mut Tx,
        forwarder: &ForwarderSection,
        order: &StockingOrder,
        document: &Document,
    ) -> Result<(), StoreError> {
        let account = self.night.account();
        let written = &document.written;
        let sha256 = blob::put(tx, account, "document", &written.bytes, self.night.now()).await?;
        orders::add_document(
            tx,
            account,
            &StoredDocument {
                order: order.number.clone(),
                revision: order.revision,
                document: document.mapping.clone(),
                file_name: written.file_name.clone(),
                media_type: written.media_type.to_owned(),
                sha256,
            },
            self.night.now(),
        )
        .await?;
        let channel = if forwarder.sftp.is_some() {
            Channel::Sftp
        } else {
            Channel::Folder
        };
        let key = document_key(&order.number, order.revision, &document.mapping);
        let message = NewMessage {
            business_key: &key,
            channel,
            target: forwarder.id.as_str(),
            remote_name: &written.file_name,
            kind: "document",
            bytes: &written.bytes,
            envelope: None,
            message_id: None,
            depends_on: None,
            run_after: self.night.now(),
        };
        match outbox::enqueue(tx, account, &message, self.night.now()).await? {
            Enqueued::New | Enqueued::Already(_) => Ok(()),
            Enqueued::Taken { sha256, .. } => Err(StoreError::Corrupt {
                what: format!("outbox message `{key}`"),
                why: format!("the key is taken by other bytes ({sha256})"),
            }),
        }
    }
}

/// Cargo is ready after production; the lane's median transit gives the expected arrival.
fn dates(lane: &Lane, today: NaiveDate) -> (NaiveDate, NaiveDate) {
    let ship_by = today + Duration::days(lane.production.map_or(0, |days| days.p50));
    (
        ship_by,
        ship_by + Duration::days(lane.transit.map_or(0, |days| days.p50)),
    )
}

/// When it stands on the shelf at the latest, nine times out of ten.
pub(super) fn late(lane: &Lane, eta: NaiveDate) -> NaiveDate {
    let transit = lane.transit.map_or(0, |days| days.p90 - days.p50);
    let putaway = lane.putaway.map_or(0, |days| days.p90);
    eta + Duration::days(transit + putaway)
}

pub(super) fn carton_spec(item: &Item) -> Option<CartonSpec> {
    Some(CartonSpec {
        units: item.carton_units?,
        dims: item.carton?,
        gross_g: item.carton_gross_g?,
        unit_net_g: item.unit_net_g?,
        unit_gross_g: item.unit_gross_g?,
    })
}
