//! One booking: the lane, the order that the gates let through, its papers and their messages.

use chrono::{Duration, NaiveDate};

use super::super::Night;
use super::super::gates::{Basis, stopped_lines};
use super::papers::enqueue_document;
use super::{ApprovedLine, Issued};
use crate::catalog::{Catalog, CodeKind, Item, Lane};
use crate::config::ForwarderSection;
use crate::ids::{OrderNo, PlanId, WarehouseCode};
use crate::mapping::model::DocumentContext;
use crate::order::cartons::Packing;
use crate::order::gate::{Finding, Gate, arrange, stops};
use crate::order::rules::Flag;
use crate::order::{CartonSpec, Draft, DraftLine, Mode, Packed, StockingOrder, provisional};
use crate::problem::Problem;
use crate::store::order_checks::{self, OrderCheck};
use crate::store::orders::{self, HeldLine, OrderStoreError, StoredDocument};
use crate::store::{StoreError, Tx, blob};
use crate::wording::{Lang, text};

/// A line with everything the catalog lacks for it.
type Faulty<'l> = (&'l ApprovedLine, Vec<Finding>);

/// An order that may go: its papers, and what is told of it.
pub(in crate::night) struct Ready<'b> {
    pub(in crate::night) order: StockingOrder,
    pub(in crate::night) documents: Vec<Document>,
    pub(in crate::night) check: OrderCheck,
    pub(in crate::night) lane: &'b Lane,
    pub(in crate::night) forwarder: &'b ForwarderSection,
}

pub(in crate::night) struct Booking<'a> {
    pub(in crate::night) night: &'a Night<'a>,
    pub(in crate::night) plan: Option<&'a PlanId>,
    pub(in crate::night) catalog: &'a Catalog,
    pub(in crate::night) basis: &'a Basis,
    pub(in crate::night) number: OrderNo,
    pub(in crate::night) warehouse: WarehouseCode,
    pub(in crate::night) mode: Mode,
    /// The revision that this one takes the place of.
    pub(in crate::night) before: Option<&'a StockingOrder>,
    /// The draft it is issued from: the order is of that day.
    pub(in crate::night) draft: Option<&'a StockingOrder>,
    /// Why goods are declared at another value than in another order of the day.
    pub(in crate::night) reason: Option<&'a str>,
}

pub(in crate::night) struct Document {
    mapping: String,
    pub(in crate::night) written: crate::mapping::definition::Written,
}

impl Booking<'_> {
    pub(super) async fn book(
        &self,
        tx: &mut Tx,
        plan: &PlanId,
        lines: &[&ApprovedLine],
        by: &str,
        issued: &mut Issued,
    ) -> Result<(), OrderStoreError> {
        let mut open: Vec<&ApprovedLine> = lines.to_vec();
        let ready = loop {
            let findings = match self.ready(&open, None) {
                Ok(ready) => break ready,
                Err(findings) => findings,
            };
            // What is wrong with one line alone does not keep the others.
            let stopped = stopped_lines(&findings).unwrap_or_default();
            let (held, rest): (Vec<&ApprovedLine>, Vec<&ApprovedLine>) = open
                .iter()
                .copied()
                .partition(|line| stopped.is_empty() || stopped.contains(line.sku.as_str()));
            issued.held.extend(held.iter().map(|line| {
                HeldLine {
                    plan: plan.clone(),
                    warehouse: line.warehouse.clone(),
                    sku: line.sku.clone(),
                    mode: line.mode.code().to_owned(),
                    units: line.units,
                    problems: findings
                        .iter()
                        .filter(|finding| finding.sku().is_none_or(|sku| sku == line.sku.as_str()))
                        .cloned()
                        .collect(),
                    since: None,
                }
            }));
            if rest.is_empty() || held.is_empty() {
                return Ok(());
            }
            open = rest;
        };
        let Ready {
            order,
            documents,
            check,
            lane,
            forwarder,
        } = ready;
        let (account, now) = (self.night.account(), self.night.now());
        orders::create(tx, account, &order, late(lane, order.eta), by, now).await?;
        order_checks::keep(tx, account, &order, &check, now).await?;
        for document in &documents {
            self.send(tx, forwarder, &order, document).await?;
        }
        issued.documents += documents.len();
        issued.orders.push(order.number);
        Ok(())
    }

    /// The order of these lines as a draft, with its lane and what the gates say of it.
    ///
    /// # Errors
    /// What cannot stand in any order, at once.
    pub(in crate::night) fn drafted(
        &self,
        lines: &[&ApprovedLine],
    ) -> Result<(StockingOrder, &Lane, OrderCheck), Vec<Problem>> {
        let (good, faulty) = self.draft_lines(lines);
        let mut problems: Vec<Problem> = faulty
            .into_iter()
            .flat_map(|(_, more)| more)
            .map(Problem::from)
            .collect();
        let drafts: Vec<DraftLine> = good.into_iter().map(|(_, draft)| draft).collect();
        let (lane, _) = match self.way(&flags_of(&drafts)) {
            Ok(way) => way,
            Err(finding) => {
                problems.push((*finding).into());
                return Err(problems);
            }
        };
        let (order, more) = provisional(self.draft(lane, drafts));
        // Goods that the catalog does not know enough of are in no line: the order of the others is no answer.
        problems.extend(more.into_iter().map(Problem::from));
        if !problems.is_empty() {
            return Err(problems);
        }
        let check = self
            .basis
            .examine(self.night, self.catalog, Some(lane), &order, self.reason);
        Ok((order, lane, check))
    }

    /// The order of these lines with its papers; `packing` takes the place of the planned cartons.
    ///
    /// # Errors
    /// Everything that is in the way, at once.
    pub(in crate::night) fn ready(
        &self,
        lines: &[&ApprovedLine],
        packing: Option<&Packed>,
    ) -> Result<Ready<'_>, Vec<Finding>> {
        let mut findings = Vec::new();
        let (good, faulty) = self.draft_lines(lines);
        findings.extend(faulty.into_iter().flat_map(|(_, more)| more));
        let drafts: Vec<DraftLine> = good.into_iter().map(|(_, draft)| draft).collect();
        let (lane, forwarder) = match self.way(&flags_of(&drafts)) {
            Ok(way) => way,
            Err(finding) => {
                findings.push(*finding);
                return Err(findings);
            }
        };
        if drafts.is_empty() && !findings.is_empty() {
            return Err(findings);
        }
        let (mut order, lacks) = provisional(self.draft(lane, drafts));
        findings.extend(lacks);
        if let Some(packing) = packing {
            order.cartons.clone_from(&packing.cartons);
            order.pallets.clone_from(&packing.pallets);
        }
        let mut check = self
            .basis
            .examine(self.night, self.catalog, Some(lane), &order, self.reason);
        findings.append(&mut check.findings);
        arrange(&mut findings);
        if stops(&findings) {
            return Err(findings);
        }
        let documents = self.documents(forwarder, &order).map_err(|problems| {
            problems
                .into_iter()
                .map(|problem| {
                    let empty = problem.found.is_empty();
                    let mut finding = Finding {
                        gate: Gate::Papers,
                        ..problem.into()
                    };
                    if empty {
                        finding.wanted_zh = text(Lang::Zh, "gate.lacks.paper_value", &[]);
                    }
                    finding
                })
                .collect::<Vec<_>>()
        })?;
        check.findings = findings;
        Ok(Ready {
            order,
            documents,
            check,
            lane,
            forwarder,
        })
    }

    /// The first lane that takes such goods, and who drives it. Where none takes them, the first: the gate names the lines.
    pub(in crate::night) fn way(&self, flags: &[Flag]) -> Result<(&Lane, &ForwarderSection), Box<Finding>> {
        let mut lanes = self.catalog.lanes_to(&self.warehouse, self.mode);
        let takes = |lane: &&Lane| lane.channel.refuses(flags.iter().copied()).is_none();
        let fitting = lanes.find(takes);
        let Some(lane) = fitting.or_else(|| self.catalog.lanes_to(&self.warehouse, self.mode).next()) else {
            let mode = [("mode", self.mode.code())];
            return Err(Box::new(self.lack("", ("lane", ""), ("lacks.lane", &mode))));
        };
        let forwarders = &self.night.config.forwarders;
        match forwarders.iter().find(|known| known.id == lane.forwarder) {
            Some(forwarder) => Ok((lane, forwarder)),
            None => {
                let found = lane.forwarder.as_str();
                Err(Box::new(self.lack(
                    "",
                    ("forwarder", found),
                    ("lacks.forwarder", &[]),
                )))
            }
        }
    }

    fn lack(&self, place: &str, what: (&str, &str), wanted: (&str, &[(&str, &str)])) -> Finding {
        Finding::lack(
            format!("order {} to {}", self.number, self.warehouse),
            place,
            what,
            wanted,
        )
    }

    pub(in crate::night) fn problem(&self, place: &str, field: &str, found: &str, wanted: &str) -> Problem {
        Problem::new(
            format!("order {} to {}", self.number, self.warehouse),
            place,
            field,
            found,
            wanted,
        )
    }

    /// Lines the catalog knows enough about, and the others with everything they lack.
    pub(in crate::night) fn draft_lines<'l>(
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

    fn draft_line(&self, line: &ApprovedLine) -> Result<DraftLine, Vec<Finding>> {
        let place = format!("SKU {}", line.sku);
        let Some(item) = self.catalog.items.get(&line.sku) else {
            let found = line.sku.as_str();
            return Err(vec![self.lack(&place, ("sku", found), ("lacks.item", &[]))]);
        };
        if line.units <= 0 {
            let found = line.units.to_string();
            return Err(vec![self.lack(&place, ("units", &found), ("lacks.units", &[]))]);
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
            let what = ("warehouse_sku", "");
            return Err(vec![self.lack(&place, what, ("lacks.warehouse_code", &[]))]);
        };
        let goods = item.goods(&warehouse_sku.code, asin).map_err(|missing| {
            missing
                .iter()
                .map(|field| self.lack(&place, (field, ""), ("lacks.catalog_value", &[])))
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

    pub(in crate::night) fn draft(&self, lane: &Lane, lines: Vec<DraftLine>) -> Draft {
        let config = &self.night.config.order;
        let warehouse = self.catalog.warehouses.get(&self.warehouse);
        let country = warehouse.map_or("", |warehouse| warehouse.country.as_str());
        let (ship_by, eta) = dates(lane, self.night.today());
        Draft {
            number: self.number.clone(),
            revision: self.before.map_or(1, |before| before.revision + 1),
            created_on: self
                .before
                .or(self.draft)
                .map_or(self.night.today(), |known| known.created_on),
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
            packing: Packing {
                mixed: warehouse.and_then(|warehouse| warehouse.mixed_cartons) == Some(true)
                    && lane.channel.limits.mixed != Some(false),
                max_g: [
                    warehouse.and_then(|warehouse| warehouse.carton_max_g),
                    lane.channel.limits.max_g,
                    lane.channel.heavy_over_g,
                ]
                .into_iter()
                .flatten()
                .min(),
            },
            lines,
        }
    }

    /// Every document of the forwarder, or every problem of all of them.
    pub(in crate::night) fn documents(
        &self,
        forwarder: &ForwarderSection,
        order: &StockingOrder,
    ) -> Result<Vec<Document>, Vec<Problem>> {
        let mut documents = Vec::new();
        let mut problems = Vec::new();
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
            // One number on all papers, so that whoever holds any of them can ask for the order.
            let mut context = DocumentContext::new(self.night.today(), order.number.as_str());
            context.previous = self.before.cloned();
            context.pictures.clone_from(&self.basis.pictures);
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

    /// Stores a paper of the order, and lets it go.
    pub(in crate::night) async fn send(
        &self,
        tx: &mut Tx,
        forwarder: &ForwarderSection,
        order: &StockingOrder,
        document: &Document,
    ) -> Result<(), StoreError> {
        let stored = self.keep(tx, order, document).await?;
        enqueue_document(self.night, tx, forwarder, &stored, &document.written.bytes).await
    }

    /// Stores a paper of the order.
    pub(in crate::night) async fn keep(
        &self,
        tx: &mut Tx,
        order: &StockingOrder,
        document: &Document,
    ) -> Result<StoredDocument, StoreError> {
        let account = self.night.account();
        let written = &document.written;
        let sha256 = blob::put(tx, account, "document", &written.bytes, self.night.now()).await?;
        let stored = StoredDocument {
            order: order.number.clone(),
            revision: order.revision,
            document: document.mapping.clone(),
            file_name: written.file_name.clone(),
            media_type: written.media_type.to_owned(),
            sha256,
            issued_on: Some(self.night.today()),
        };
        orders::add_document(tx, account, &stored, self.night.now()).await?;
        Ok(stored)
    }
}

/// What the goods of these lines are.
fn flags_of(lines: &[DraftLine]) -> Vec<Flag> {
    Flag::ALL
        .into_iter()
        .filter(|flag| lines.iter().any(|line| flag.is_set(&line.goods)))
        .collect()
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
pub(in crate::night) fn late(lane: &Lane, eta: NaiveDate) -> NaiveDate {
    let transit = lane.transit.map_or(0, |days| days.p90 - days.p50);
    let putaway = lane.putaway.map_or(0, |days| days.p90);
    eta + Duration::days(transit + putaway)
}

pub(in crate::night) fn carton_spec(item: &Item) -> Option<CartonSpec> {
    Some(CartonSpec {
        units: item.carton_units?,
        dims: item.carton?,
        gross_g: item.carton_gross_g?,
        unit_net_g: item.unit_net_g?,
        unit_gross_g: item.unit_gross_g?,
    })
}
