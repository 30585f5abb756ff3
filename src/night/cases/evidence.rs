//! The dossier of a claim: what the archive has of its order, what people put to the case, and what nobody has.

use std::collections::BTreeMap;

use super::scene::Scene;
use crate::claim::dossier::{self, Facts, Happened, Item};
use crate::claim::evidence::{Paper, Tag, missing};
use crate::claim::state::Claim;
use crate::claim::window::Window;
use crate::ledger::milestone::Milestone;
use crate::night::{Night, NightError};
use crate::store::{Tx, blob, inbox, orders, tracking};
use crate::wording::{Lang, text};

/// Papers of the order by the name of their document; the newest revision of each.
fn paper_of(document: &str) -> Paper {
    match document {
        "booking" => Paper::Booking,
        "packing-list" => Paper::PackingList,
        "commercial-invoice" => Paper::CommercialInvoice,
        _ => Paper::OrderPaper,
    }
}

/// What a file that came in is, by the kind it was read as. What nobody has looked at may hold anything, and stays here.
fn paper_of_inbox(kind: &str) -> (Paper, Tag) {
    match kind {
        "receipts" | "receipt" => (Paper::ReceiptReport, Tag::Open),
        "tracking" => (Paper::Tracking, Tag::Open),
        "booking-confirmation" => (Paper::CarrierReceipt, Tag::Open),
        "customs-receipt" => (Paper::CustomsNotice, Tag::Open),
        "bill" => (Paper::Other, Tag::Secret),
        _ => (Paper::Message, Tag::Personal),
    }
}

/// Everything the dossier of a claim is made from.
struct Ready<'a> {
    claim: &'a Claim,
    scene: &'a Scene,
    window: Option<Window>,
    regime: (String, String),
    seller: String,
    to: String,
    happened: Vec<Happened>,
    items: Vec<Item>,
    missing: Vec<Paper>,
}

impl Ready<'_> {
    fn facts(&self) -> Facts<'_> {
        let lines = &self.scene.lines;
        let reported = |figure: fn(&crate::reconcile::Line) -> i64| {
            (!lines.is_empty()).then(|| lines.iter().map(figure).sum())
        };
        Facts {
            claim: self.claim,
            case: &self.scene.case,
            window: self.window.as_ref(),
            regime: (&self.regime.0, &self.regime.1),
            seller: &self.seller,
            to: &self.to,
            shipped: self.scene.stored.order.totals().units,
            received: reported(|line| line.received),
            damaged: reported(|line| line.damaged),
            happened: &self.happened,
            items: &self.items,
            missing: &self.missing,
        }
    }
}

/// Writes the dossier of a claim, or one file for several claims against one party.
///
/// # Errors
/// When the store fails, a stored paper is gone or changed, or the file cannot be written.
pub async fn dossier(
    night: &Night<'_>,
    tx: &mut Tx,
    claims: &[(Scene, Claim)],
) -> Result<Vec<u8>, NightError> {
    let mut all = Vec::new();
    for (scene, claim) in claims {
        all.push(ready(night, tx, scene, claim).await?);
    }
    let facts: Vec<Facts<'_>> = all.iter().map(Ready::facts).collect();
    Ok(match &facts[..] {
        [one] => dossier::write(one)?,
        several => dossier::write_several(&several.iter().collect::<Vec<_>>())?,
    })
}

async fn ready<'a>(
    night: &Night<'_>,
    tx: &mut Tx,
    scene: &'a Scene,
    claim: &'a Claim,
) -> Result<Ready<'a>, NightError> {
    let items = items(night, tx, scene).await?;
    let needs = night.tools.claims.papers(claim.asked.party);
    let party = (claim.asked.party, named(claim));
    let regime = night.tools.claims.regime(&claim.asked.regime);
    let shipper = &scene.stored.order.shipper.name;
    Ok(Ready {
        missing: missing(needs, items.iter().map(|item| item.paper)),
        window: scene.window(night, party, Some(claim)).ok(),
        regime: regime.map_or_else(
            || (claim.asked.regime.clone(), claim.asked.regime.clone()),
            |regime| (regime.zh.clone(), regime.en.clone()),
        ),
        seller: if shipper.is_empty() {
            night.config.account.name.clone()
        } else {
            shipper.clone()
        },
        to: asked_of(night, scene, claim),
        happened: happened(scene),
        items,
        claim,
        scene,
    })
}

/// What the regime was called when it was asked for; insurers have policies instead.
#[must_use]
pub fn named(claim: &Claim) -> Option<&str> {
    Some(claim.asked.regime.as_str()).filter(|id| *id != super::INSURANCE)
}

/// By name.
#[must_use]
pub fn asked_of(night: &Night<'_>, scene: &Scene, claim: &Claim) -> String {
    use crate::claim::Party;
    let order = &scene.stored.order;
    match claim.asked.party {
        Party::Carrier | Party::Customs => night
            .config
            .forwarders
            .iter()
            .find(|forwarder| forwarder.id == order.forwarder)
            .map_or_else(|| order.forwarder.to_string(), |forwarder| forwarder.name.clone()),
        Party::Warehouse => order.deliver_to.name.clone(),
        Party::Shipper => order.shipper.name.clone(),
        Party::Insurer => claim.asked.amount.row.clone(),
    }
}

async fn items(night: &Night<'_>, tx: &mut Tx, scene: &Scene) -> Result<Vec<Item>, NightError> {
    let account = night.account();
    let order = &scene.stored.order.number;
    let mut items = Vec::new();
    let mut newest = BTreeMap::new();
    for document in orders::documents(tx, account, order).await? {
        newest.insert(document.document.clone(), document);
    }
    for document in newest.into_values() {
        items.push(Item {
            paper: paper_of(&document.document),
            bytes: blob::get(tx, account, &document.sha256).await?,
            name: document.file_name,
            tag: Tag::Open,
            note: String::new(),
        });
    }
    for file in inbox::of_order(tx, account, order).await? {
        let (paper, tag) = paper_of_inbox(&file.kind);
        items.push(Item {
            paper,
            tag,
            bytes: blob::get(tx, account, &file.sha256).await?,
            name: file.name,
            note: String::new(),
        });
    }
    for evidence in &scene.case.evidence {
        items.push(Item {
            paper: evidence.paper,
            bytes: blob::get(tx, account, &evidence.sha256).await?,
            name: evidence.name.clone(),
            tag: evidence.tag,
            note: evidence.note.clone(),
        });
    }
    if !scene.events.is_empty() {
        items.push(counted(scene));
    }
    if !scene.findings.is_empty() {
        items.push(beside_the_counts(scene));
    }
    let told = told(night, tx, scene).await?;
    items.extend(told);
    Ok(items)
}

fn cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

fn csv(name: &str, paper: Paper, head: &str, mut rows: Vec<Vec<String>>) -> Item {
    rows.sort();
    let mut out = format!("{head}\n");
    for row in rows {
        let cells: Vec<String> = row.iter().map(|text| cell(text)).collect();
        out.push_str(&cells.join(","));
        out.push('\n');
    }
    Item {
        paper,
        name: name.to_owned(),
        tag: Tag::Open,
        note: String::new(),
        bytes: out.into_bytes(),
    }
}

/// Every count the warehouse reported, as it was kept.
fn counted(scene: &Scene) -> Item {
    let rows = scene
        .events
        .iter()
        .map(|event| {
            vec![
                event.at.to_rfc3339(),
                event.reference.clone(),
                event.carton.clone().unwrap_or_default(),
                event.sku_code.clone(),
                crate::reconcile::kind_code(event.kind).to_owned(),
                event.units.to_string(),
                event.source.clone(),
                event.key.clone(),
            ]
        })
        .collect();
    csv(
        "receipts.csv",
        Paper::ReceiptReport,
        "at,reference,carton,sku,kind,units,source,key",
        rows,
    )
}

/// What the warehouse wrote down beside its counts: scans, wrong labels and items, names of photos, notes.
fn beside_the_counts(scene: &Scene) -> Item {
    let figure = |count: Option<i64>| count.map(|count| count.to_string()).unwrap_or_default();
    let here = |photo: &&String| scene.has_file(photo);
    let rows = scene
        .findings
        .iter()
        .map(|finding| {
            let enclosed: Vec<&str> = finding.photos.iter().filter(here).map(String::as_str).collect();
            vec![
                finding.at.to_rfc3339(),
                finding.reference.clone(),
                finding.carton.clone().unwrap_or_default(),
                finding.sku_code.clone(),
                figure(finding.expected),
                figure(finding.counted),
                figure(finding.scanned),
                figure(finding.wrong_label),
                figure(finding.wrong_item),
                finding.photos.join(" "),
                enclosed.join(" "),
                finding.note.clone(),
                finding.source.clone(),
            ]
        })
        .collect();
    csv(
        "findings.csv",
        Paper::ReceiptReport,
        "at,reference,carton,sku,expected,counted,scanned,wrong_label,wrong_item,photos,photos_put_to_the_case,note,source",
        rows,
    )
}

/// Everything that was told of the goods' way, as it was kept.
async fn told(night: &Night<'_>, tx: &mut Tx, scene: &Scene) -> Result<Option<Item>, NightError> {
    let account = night.account();
    let number = &scene.stored.order.number;
    let mut events = tracking::events_of(tx, account, number.as_str()).await?;
    for name in crate::store::references::of_order(tx, account, number).await? {
        events.extend(tracking::events_of(tx, account, &name.reference).await?);
    }
    if events.is_empty() {
        return Ok(None);
    }
    let mut rows: Vec<Vec<String>> = events
        .into_iter()
        .map(|event| {
            vec![
                event.at.to_rfc3339(),
                event.status.code().to_owned(),
                event.kind,
                event.place.unwrap_or_default(),
                event.container.unwrap_or_default(),
                event.vessel.unwrap_or_default(),
                event.text.unwrap_or_default(),
                event.source.to_string(),
                event.key,
            ]
        })
        .collect();
    rows.sort();
    rows.dedup();
    let head = "at,status,kind,place,container,vessel,text,source,key";
    Ok(Some(csv("tracking.csv", Paper::Tracking, head, rows)))
}

fn happened(scene: &Scene) -> Vec<Happened> {
    let word = |lang, milestone: Milestone| text(lang, &format!("cli.milestone.{}", milestone.code()), &[]);
    let mut happened: Vec<Happened> = scene
        .story
        .reached
        .iter()
        .map(|(milestone, reached)| Happened {
            at: reached.at,
            zh: word(Lang::Zh, *milestone),
            en: word(Lang::En, *milestone),
            source: reached.source.to_string(),
        })
        .collect();
    happened.sort();
    happened
}
