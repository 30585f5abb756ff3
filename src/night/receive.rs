//! Receive: reports that forwarders left on their servers and that people dropped into the inbox.

use std::collections::BTreeSet;
use std::path::Path;

use super::inbox::{self, Kind};
use super::notice::Notice;
use super::pickup::{self, Errand};
use super::step::{StepReport, chain};
use super::{Night, NightError, customs_receipts, forwarded, reports};
use crate::digest::sha256_hex;
use crate::ids::OrderNo;
use crate::mapping::inbound::{self, Document, Reading, shown};
use crate::mapping::mail_file::{self, Attachment};
use crate::order::ReferenceKind;
use crate::problem::Problem;
use crate::report::decisions;
use crate::store::inbox::{self as store_inbox, InboxFile};
use crate::store::orders as store_orders;
use crate::store::{Tx, blob, catalog, references, turn};

pub(super) async fn step(night: &Night<'_>) -> StepReport {
    match run(night).await {
        Ok(report) => report,
        Err(error) => StepReport::failed(chain(&error)),
    }
}

/// Takes what forwarders left and people dropped.
///
/// # Errors
/// When the store fails; a forwarder that cannot be reached is in the report.
pub async fn run(night: &Night<'_>) -> Result<StepReport, NightError> {
    visit(night, Errand::Night).await
}

/// The same between two nights, when forwarders are visited shortly.
///
/// # Errors
/// As [`run`].
pub async fn between_nights(night: &Night<'_>) -> Result<StepReport, NightError> {
    visit(night, Errand::Between).await
}

async fn visit(night: &Night<'_>, errand: Errand) -> Result<StepReport, NightError> {
    let mut report = StepReport::default();
    if !night.dry_run {
        pickup::from_forwarders(night, errand, &mut report).await?;
    }
    let (files, problems) = inbox::new_files(night).await?;
    for problem in problems {
        report.partial(problem.to_string());
    }
    for file in files {
        if super::bounce::take(night, &file, &mut report).await? {
            continue;
        }
        if matches!(file.kind(), Kind::Other) {
            let problems = take(
                night,
                inbox::INBOX,
                &file.name,
                &file.sha256,
                &file.bytes,
                &mut report,
            )
            .await?;
            inbox::put_away(&file.path, &problems).map_err(|source| NightError::File {
                path: file.path.clone(),
                source,
            })?;
        }
    }
    Ok(report)
}

/// Reads one file; its events and the note that it was read are one transaction. The same bytes again, under
/// whatever name, do nothing.
///
/// # Errors
/// When the store fails; what is wrong with the file is returned and reported.
pub async fn take(
    night: &Night<'_>,
    origin: &str,
    name: &str,
    sha256: &str,
    bytes: &[u8],
    report: &mut StepReport,
) -> Result<Vec<Problem>, NightError> {
    if !mail_file::is_mail(bytes) {
        return take_file(night, origin, name, sha256, bytes, report).await;
    }
    // The files first: when something ends this in between, the mail is taken again, and each file is known by its bytes.
    let mut problems = Vec::new();
    for file in mail_file::attachments(bytes).unwrap_or_default() {
        let name = format!("{}/{}", shown(name, MAX_NAME_CHARS), file.name);
        if decisions::read(&name, &file.bytes).is_ok() {
            if let Err(error) = to_inbox(night, &file) {
                problems.push(Problem::new(
                    &name,
                    "",
                    "",
                    error.to_string(),
                    "a folder it can be put into",
                ));
            }
            continue;
        }
        let sha256 = sha256_hex(&file.bytes);
        problems.extend(take_file(night, origin, &name, &sha256, &file.bytes, report).await?);
    }
    problems.extend(take_file(night, origin, name, sha256, bytes, report).await?);
    Ok(problems)
}

/// A workbook of decisions that came by mail is decided upon as one that was dropped.
fn to_inbox(night: &Night<'_>, file: &Attachment) -> std::io::Result<()> {
    let folder = night.config.path(&night.config.inbox.folder);
    let mark: String = sha256_hex(&file.bytes).chars().take(12).collect();
    let whole = folder.join(format!("{mark}-{}", file.name));
    let part = folder.join(format!(".{mark}.part"));
    std::fs::write(&part, &file.bytes)?;
    std::fs::rename(part, whole)
}

async fn take_file(
    night: &Night<'_>,
    origin: &str,
    name: &str,
    sha256: &str,
    bytes: &[u8],
    report: &mut StepReport,
) -> Result<Vec<Problem>, NightError> {
    let account = night.account();
    let name = shown(name, MAX_NAME_CHARS);
    let mut tx = night.store.write().await?;
    turn::hold(&mut tx, account, turn::ORDERS, night.now()).await?;
    let read = interpret(night, &mut tx, origin, &name, bytes).await?;
    let file = InboxFile {
        sha256: sha256.to_owned(),
        origin: origin.to_owned(),
        name,
        kind: read.kind.clone(),
        problems: read.problems.clone(),
        facts: read.facts.clone(),
        first_rows: read.first_rows.clone(),
        read_at: night.now(),
    };
    if !store_inbox::remember(&mut tx, account, &file, bytes).await? {
        drop(tx);
        report.count("known", 1);
        return Ok(Vec::new());
    }
    for order in &read.orders {
        store_inbox::link(&mut tx, account, sha256, order).await?;
    }
    tx.commit().await?;
    read.tell(report);
    Ok(read.problems)
}

/// Reads a quarantined file again, with the mappings as they are now.
///
/// # Errors
/// When the store fails, or the file's bytes are gone.
pub async fn retry(
    night: &Night<'_>,
    file: &InboxFile,
    report: &mut StepReport,
) -> Result<InboxFile, NightError> {
    let account = night.account();
    let mut tx = night.store.write().await?;
    turn::hold(&mut tx, account, turn::ORDERS, night.now()).await?;
    let bytes = blob::get(&mut tx, account, &file.sha256).await?;
    let read = interpret(night, &mut tx, &file.origin, &file.name, &bytes).await?;
    let after = InboxFile {
        kind: read.kind.clone(),
        problems: read.problems.clone(),
        facts: read.facts.clone(),
        first_rows: read.first_rows.clone(),
        ..file.clone()
    };
    if store_inbox::settle(&mut tx, account, &after).await? {
        for order in &read.orders {
            store_inbox::link(&mut tx, account, &file.sha256, order).await?;
        }
        tx.commit().await?;
        read.tell(report);
    }
    Ok(after)
}

/// What a file turned out to be, with its effects in the caller's transaction.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) kind: String,
    pub(super) problems: Vec<Problem>,
    pub(super) facts: Vec<Reading>,
    pub(super) first_rows: Vec<String>,
    /// Orders it speaks of.
    pub(super) orders: BTreeSet<OrderNo>,
    pub(super) notices: Vec<Notice>,
    pub(super) new_events: u64,
}

impl Taken {
    fn tell(&self, report: &mut StepReport) {
        report.count("files", 1);
        report.count("events", usize::try_from(self.new_events).unwrap_or(0));
        if self.kind == store_inbox::QUARANTINE {
            report.count("quarantined", 1);
        }
        for notice in &self.notices {
            report.partial(notice.recorded());
        }
        for problem in &self.problems {
            report.partial(problem.to_string());
        }
    }
}

async fn interpret(
    night: &Night<'_>,
    tx: &mut Tx,
    origin: &str,
    name: &str,
    bytes: &[u8],
) -> Result<Taken, NightError> {
    let account = night.account();
    if mail_file::is_mail(bytes) {
        return Ok(of_mail(name, bytes));
    }
    let catalog = catalog::load(tx, account, night.today()).await?;
    let orders = store_orders::all(tx, account).await?;
    let document = Document::new(name, bytes);
    let sender = night
        .config
        .forwarders
        .iter()
        .map(|forwarder| forwarder.id.as_str())
        .find(|id| *id == origin);
    let readings = inbound::read(&night.tools.inbound, sender, &document, night.config.account.zone);
    if readings.iter().any(|reading| !reading.records.is_empty()) {
        let read = (readings, document.first_rows());
        return forwarded::apply(night, tx, (origin, name), read, &orders).await;
    }
    let mut taken = Taken::default();
    // The printed declaration (报关单 PDF), by the number in its name.
    if bytes.starts_with(b"%PDF-") {
        for number in customs_receipts::numbers_in(name) {
            let of = references::order_of(tx, account, ReferenceKind::Declaration, number).await?;
            taken.orders.extend(of);
        }
        if !taken.orders.is_empty() {
            taken.kind = "export-declaration".to_owned();
            return Ok(taken);
        }
    }
    if reports::take(night, tx, (name, bytes), &catalog, &orders, &mut taken)
        .await?
        .is_some()
    {
        return Ok(taken);
    }
    // Somebody's layout whose every row is faulty is told by its own faults.
    let theirs: Vec<Problem> = readings
        .iter()
        .flat_map(|reading| reading.problems.clone())
        .collect();
    if !theirs.is_empty() {
        taken.problems = theirs;
    } else if let Some(broken) = document.broken() {
        taken.problems = vec![broken];
    }
    taken.kind = store_inbox::QUARANTINE.to_owned();
    taken.first_rows = document.first_rows();
    if taken.problems.is_empty() {
        let first = taken.first_rows.first().map(String::as_str).unwrap_or_default();
        taken
            .problems
            .push(Problem::new(name, "", "", first, KNOWN_FILES));
    }
    Ok(taken)
}

/// A mail is what it brought; one that brought nothing is for a person.
fn of_mail(name: &str, bytes: &[u8]) -> Taken {
    let mut taken = Taken {
        kind: "mail".to_owned(),
        ..Taken::default()
    };
    if let Err(wanted) = mail_file::attachments(bytes) {
        taken.kind = store_inbox::QUARANTINE.to_owned();
        taken.first_rows = Document::new(name, bytes).first_rows();
        taken.problems = vec![Problem::new(name, "", "", "a mail", wanted.to_string())];
    }
    taken
}

const MAX_NAME_CHARS: usize = 120;
const KNOWN_FILES: &str = "a receipt report (table, UBL, X12), a file that an inbound mapping knows, or the workbook of a daily mail";

/// As a person hands a file over on the command line.
///
/// # Errors
/// When the store fails or the file cannot be read.
pub async fn take_path(
    night: &Night<'_>,
    path: &Path,
    report: &mut StepReport,
) -> Result<Vec<Problem>, NightError> {
    let failed = |source| NightError::Read {
        path: path.to_owned(),
        source,
    };
    let size = std::fs::metadata(path).map_err(failed)?.len();
    let name = inbox::shown_name(path);
    if size > inbox::MAX_FILE_BYTES {
        let wanted = format!("at most {} bytes", inbox::MAX_FILE_BYTES);
        let problem = Problem::new(&name, "", "size", size.to_string(), wanted);
        report.partial(problem.to_string());
        return Ok(vec![problem]);
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    take(night, "cli", &name, &sha256_hex(&bytes), &bytes, report).await
}
