//! Gathers a pack: documents written from the order, certificates that cover it, and who still owes what.

use chrono::{Days, NaiveDate};

use super::tariff::Tariff;
use super::{Pack, PackKind, Packed, Task, export};
use crate::mapping::definition::Mapping;
use crate::mapping::model::DocumentContext;
use crate::order::gate::{Finding, Level};
use crate::order::model::{Mode, StockingOrder};
use crate::order::{Certificate, PartyRole};
use crate::problem::Problem;
use crate::wording::{Lang, text};

/// A certificate with its file, when there is one.
#[derive(Debug, Clone)]
pub struct Paper {
    pub certificate: Certificate,
    pub bytes: Option<Vec<u8>>,
}

/// What a pack is made of.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub kind: PackKind,
    pub order: &'a StockingOrder,
    pub context: &'a DocumentContext,
    pub mappings: &'a [Mapping],
    pub papers: &'a [Paper],
    /// What the gates say about the order: ids, certificates, filings of the destination.
    pub findings: &'a [Finding],
    pub tariff: &'a Tariff,
    /// 委托书: number or place of the power of attorney that the broker acts by; empty: none yet.
    pub power_of_attorney: &'a str,
    /// 电子底账号 of goods that are inspected before they are declared; empty: none yet.
    pub inspection: &'a str,
}

/// A kind of document the pack wants: any of these, by the `document` of their mappings.
struct Wanted {
    any_of: &'static [&'static str],
    who: &'static str,
    due: Option<NaiveDate>,
}

fn days_before(day: NaiveDate, days: u64) -> Option<NaiveDate> {
    day.checked_sub_days(Days::new(days))
}

/// A broker wants the papers so many days before the goods arrive.
const BEFORE_ARRIVAL: u64 = 7;

impl Request<'_> {
    fn departs_on(&self) -> NaiveDate {
        let departs = self.context.transport.departs_at;
        departs.map_or(self.order.ship_by, |at| at.date_naive())
    }

    fn wanted(&self) -> Vec<Wanted> {
        let wanted = |any_of: &'static [&'static str], who, due| Wanted { any_of, who, due };
        let ready = Some(self.order.ship_by);
        let arrival = days_before(self.order.eta, BEFORE_ARRIVAL);
        let mut all = Vec::new();
        match self.kind {
            PackKind::Export => {
                all.push(wanted(
                    &["export-declaration", "customs-papers"],
                    "declarant",
                    ready,
                ));
                all.push(wanted(&["commercial-invoice"], "shipper", ready));
                all.push(wanted(&["packing-list"], "shipper", ready));
                all.push(wanted(&["sales-contract"], "shipper", ready));
                if self.order.export.supervision_mode == "9810" {
                    let any_of = &["overseas-warehouse-order", "overseas-warehouse-booking"];
                    all.push(wanted(any_of, "declarant", ready));
                }
            }
            PackKind::Import => {
                all.push(wanted(&["commercial-invoice"], "shipper", arrival));
                all.push(wanted(&["packing-list"], "shipper", arrival));
                // Draft data of the bill of lading or air waybill.
                all.push(wanted(
                    &["forwarding-instructions", "booking"],
                    "forwarder",
                    Some(self.departs_on()),
                ));
                if self.order.deliver_to.address.country == "GB" {
                    all.push(wanted(&["import-declaration"], "broker", Some(self.order.eta)));
                }
                if self.order.deliver_to.address.country == "US" && self.order.mode == Mode::Sea {
                    // Due 24 hours before loading.
                    let due = days_before(self.departs_on(), 1);
                    all.push(wanted(&["isf", "isf-data-sheet"], "importer", due));
                }
            }
        }
        all
    }
}

/// Gathers the pack; nothing is hidden: what is missing is a problem or an open task.
#[must_use]
pub fn assemble(request: &Request<'_>) -> Pack {
    let order = request.order;
    let mut pack = Pack {
        kind: request.kind,
        order: order.number.to_string(),
        revision: order.revision,
        country: order.deliver_to.address.country.clone(),
        files: Vec::new(),
        tasks: Vec::new(),
        problems: Vec::new(),
        left_out: Vec::new(),
    };
    for wanted in request.wanted() {
        document(request, &wanted, &mut pack);
    }
    match request.kind {
        PackKind::Export => {
            pack.problems.extend(export::faults(order, request.tariff));
            inspection(request, &mut pack);
        }
        PackKind::Import => import(request, &mut pack),
    }
    pack
}

/// Writes every mapping of the kind; one that is written is enough, the others say why they are not.
fn document(request: &Request<'_>, wanted: &Wanted, pack: &mut Pack) {
    let mut done_by = Vec::new();
    let mut refused = Vec::new();
    let fits = |mapping: &&Mapping| {
        wanted.any_of.contains(&mapping.meta.document.as_str()) && mapping.is_for(request.order)
    };
    let mut names = None;
    for mapping in request.mappings.iter().filter(fits) {
        names.get_or_insert_with(|| (mapping.title(Lang::Zh), mapping.title(Lang::En)));
        match mapping.write(request.order, request.context) {
            Ok(written) => {
                let path = format!("documents/{}", written.file_name);
                if pack.files.iter().all(|file| file.path != path) {
                    done_by.push(written.file_name);
                    pack.files.push(Packed {
                        path,
                        bytes: written.bytes,
                    });
                }
            }
            Err(problems) => refused.extend(problems),
        }
    }
    let (zh, en) = names.unwrap_or_else(|| {
        let name = wanted.any_of.first().copied().unwrap_or_default();
        (name.to_owned(), name.to_owned())
    });
    if done_by.is_empty() && refused.is_empty() {
        let wanted = "a mapping file for this document and country";
        refused.push(Problem::new(&pack.order, "", en.as_str(), "", wanted));
    }
    match done_by.is_empty() {
        true => pack.problems.extend(refused),
        false => pack.left_out.extend(refused),
    }
    pack.tasks.push(Task {
        zh,
        en,
        who: wanted.who,
        due: wanted.due,
        done_by,
        may_follow: false,
    });
}

/// Goods under inspection are not declared without the ledger's number (R46).
fn inspection(request: &Request<'_>, pack: &mut Pack) {
    let order = request.order;
    let codes = order.lines.iter().map(|line| line.goods.hs_cn.as_str());
    let Some(days) = request.tariff.inspection_days(codes) else {
        return;
    };
    let number = request.inspection.trim();
    pack.tasks.push(Task {
        zh: text(Lang::Zh, "pack.task.inspection", &[]),
        en: text(Lang::En, "pack.task.inspection", &[]),
        who: "declarant",
        due: days_before(order.ship_by, days),
        done_by: Some(number.to_owned())
            .filter(|number| !number.is_empty())
            .into_iter()
            .collect(),
        may_follow: false,
    });
}

fn import(request: &Request<'_>, pack: &mut Pack) {
    let order = request.order;
    let task = |key: &str, who, due, done_by, may_follow| Task {
        zh: text(Lang::Zh, key, &[]),
        en: text(Lang::En, key, &[]),
        who,
        due,
        done_by,
        may_follow,
    };
    let arrival = days_before(order.eta, BEFORE_ARRIVAL);
    let importer = &order.importer;
    let ids = [
        ("EORI", &importer.eori),
        ("VAT", &importer.vat),
        ("EIN", &importer.ein),
        ("ID", &importer.local_id),
    ];
    let known: Vec<String> = ids
        .iter()
        .filter(|(_, id)| !id.trim().is_empty())
        .map(|(kind, id)| format!("{kind} {id}"))
        .collect();
    pack.tasks
        .push(task("pack.task.ids", "importer", arrival, known, false));
    for line in &order.lines {
        for (field, value) in [
            ("hs_destination", &line.goods.hs_destination),
            ("origin", &line.goods.origin),
        ] {
            if value.trim().is_empty() {
                let place = format!("line {} ({})", line.no, line.goods.sku);
                let wanted = "a value: the import declaration asks for it";
                pack.problems
                    .push(Problem::new(&pack.order, place, field, "", wanted));
            }
        }
    }
    // A bill of lading to somebody else than the importer of record is a dispute at the quay.
    if let Some(consignee) = order.party(PartyRole::Consignee)
        && consignee.name != importer.name
    {
        let wanted = format!("the importer of record, {}", importer.name);
        pack.problems.push(Problem::new(
            &pack.order,
            "",
            "consignee",
            &consignee.name,
            wanted,
        ));
    }
    for finding in request
        .findings
        .iter()
        .filter(|finding| finding.level != Level::Warn)
    {
        pack.problems.push(finding.problem.clone());
    }
    let poa = request.power_of_attorney.trim();
    let given = if poa.is_empty() {
        Vec::new()
    } else {
        vec![poa.to_owned()]
    };
    pack.tasks.push(task(
        "pack.task.power_of_attorney",
        "importer",
        arrival,
        given,
        false,
    ));
    let transport = &request.context.transport;
    let bills: Vec<String> = [&transport.master_bill, &transport.house_bill]
        .into_iter()
        .filter(|bill| !bill.is_empty())
        .cloned()
        .collect();
    let departs = Some(request.departs_on());
    pack.tasks
        .push(task("pack.task.bill", "forwarder", departs, bills, true));
    certificates(request, pack);
}

/// The certificates that cover goods of the order on the day they ship.
fn certificates(request: &Request<'_>, pack: &mut Pack) {
    let order = request.order;
    let country = &order.deliver_to.address.country;
    let mut covering: Vec<&Paper> = request
        .papers
        .iter()
        .filter(|paper| paper.certificate.holds_on(order.ship_by))
        .filter(|paper| {
            order.lines.iter().any(|line| {
                let category = &line.goods.customs.category;
                paper.certificate.covers(&line.goods.sku, category, country)
            })
        })
        .collect();
    covering.sort_by(|a, b| {
        let key = |paper: &Paper| (paper.certificate.kind.clone(), paper.certificate.number.clone());
        key(a).cmp(&key(b))
    });
    for (number, paper) in covering.into_iter().enumerate() {
        let certificate = &paper.certificate;
        let mut done_by = vec![format!("{} {}", certificate.kind, certificate.number)];
        if let Some(bytes) = &paper.bytes {
            let name = certificate
                .file_name
                .rsplit(['/', '\\'])
                .next()
                .unwrap_or_default();
            let safe: String = name
                .chars()
                .map(|c| {
                    if c.is_alphanumeric() || "-_.".contains(c) {
                        c
                    } else {
                        '_'
                    }
                })
                .take(80)
                .collect();
            let path = format!(
                "certificates/{:03}-{}-{}",
                number + 1,
                certificate.kind,
                safe.trim_matches('.')
            );
            done_by.push(path.clone());
            pack.files.push(Packed {
                path,
                bytes: bytes.clone(),
            });
        }
        pack.tasks.push(Task {
            zh: format!("证书 {}", certificate.kind),
            en: format!("Certificate {}", certificate.kind),
            who: "shipper",
            due: certificate.valid_to,
            done_by,
            may_follow: false,
        });
    }
}
