//! The end of the demo, as a person reads it: what happened, whether it adds up, and where to look.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::check::Books;
use super::papers::Papers;
use super::tally::Tally;
use super::{Seller, ledger_files, letters};
use crate::cli::CliError;
use crate::cli::reconcile::book;
use crate::ledger::transit::TransitLine;
use crate::money::round_cents;
use crate::night::reconcile;
use crate::simulate::RunningWorld;
use crate::simulate::truth::Fault;
use crate::store::orders::StoredOrder;
use crate::store::{catalog, orders, outbox};
use crate::wording::{Lang, text};

/// Everything the last page is written from.
pub struct End<'a> {
    pub seller: &'a Seller,
    pub world: &'a RunningWorld,
    pub folder: &'a Path,
    pub tally: &'a Tally,
    pub books: &'a Books,
    pub papers: &'a Papers,
    pub first: NaiveDate,
    pub seed: u64,
    pub lang: Lang,
}

/// Findings and notes shown before the rest is left to the files.
const SHOWN: usize = 20;

impl End<'_> {
    fn findings(&self) -> Vec<&String> {
        let papers = &self.papers.findings;
        self.books
            .findings
            .iter()
            .chain(papers)
            .chain(&self.tally.findings)
            .collect()
    }

    /// Whether everything holds.
    pub fn holds(&self) -> bool {
        self.findings().is_empty()
    }

    fn say(&self, out: &mut String, key: &str, places: &[(&str, String)]) {
        let places: Vec<(&str, &str)> = places
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let line = text(self.lang, &format!("cli.demo.{key}"), &places);
        let _ = writeln!(out, "{line}");
    }

    /// Writes the files a person may open and returns the page.
    pub async fn write(&self) -> Result<String, CliError> {
        let night = self.seller.night();
        let account = night.account();
        let mut tx = self.seller.store.read().await?;
        let catalog = catalog::load(&mut tx, account, night.today()).await?;
        let books = reconcile::books(&night, &mut tx, &catalog).await?;
        let stored = orders::all(&mut tx, account).await?;
        let messages = outbox::count_by_state(&mut tx, account).await?;
        let chains = reconcile::chains(&night, &mut tx, &books).await?;
        let book = book(self.lang, &night.config.account.name, &books, &chains)?;
        ledger_files::write(self.folder, &books.done.lines, &book)?;
        let mut out = String::from("\n");
        self.say(
            &mut out,
            "title",
            &[
                ("seed", self.seed.to_string()),
                ("nights", self.tally.nights.to_string()),
                ("from", self.first.to_string()),
                ("to", night.today().to_string()),
            ],
        );
        out.push('\n');
        if self.holds() {
            self.say(&mut out, "good", &[]);
        } else {
            self.say(&mut out, "bad", &[("n", self.findings().len().to_string())]);
        }
        self.work(&mut out);
        self.orders(&mut out, &stored);
        let states: Vec<String> = messages
            .iter()
            .map(|(state, count)| format!("{count} {state}"))
            .collect();
        self.say(&mut out, "outbox", &[("states", states.join(", "))]);
        self.books(&mut out, &books);
        for finding in self.findings().iter().take(SHOWN) {
            let _ = writeln!(out, "    ! {finding}");
        }
        self.told(&mut out);
        self.places(&mut out)?;
        out.push('\n');
        self.say(&mut out, "ask", &[]);
        let config = self.folder.join("shop/linkstar.toml");
        let newest = stored
            .iter()
            .rfind(|stored| stored.order.plan.is_some() && stored.state.is_over())
            .or_else(|| stored.iter().find(|stored| stored.order.plan.is_some()));
        if let Some(order) = newest {
            let number = &order.order.number;
            let _ = writeln!(out, "  linkstar -c {} order show {number}", config.display());
        }
        for command in ["plan", "reconcile"] {
            let _ = writeln!(out, "  linkstar -c {} {command}", config.display());
        }
        Ok(out)
    }

    fn work(&self, out: &mut String) {
        let tally = self.tally;
        self.say(
            out,
            "pulled",
            &[
                ("rows", grouped(tally.count("rows"))),
                ("pages", grouped(tally.count("pages"))),
                ("partial", tally.partial.to_string()),
                ("failed", tally.failed.to_string()),
            ],
        );
        let (mut wanted, mut sold) = (0, 0);
        for row in self
            .world
            .truth()
            .sales
            .iter()
            .filter(|row| row.day >= self.first)
        {
            wanted += row.units.wanted;
            sold += row.units.sold;
        }
        let percent = Decimal::from(sold * 100) / Decimal::from(wanted.max(1));
        self.say(
            out,
            "sold",
            &[
                ("wanted", grouped(wanted)),
                ("sold", grouped(sold)),
                ("percent", percent.round_dp(1).to_string()),
                ("lost", grouped(wanted - sold)),
            ],
        );
        self.say(
            out,
            "answers",
            &[
                ("mails", grouped(tally.count("mails"))),
                ("adopted", tally.answered.adopted.to_string()),
                ("changed", tally.answered.changed.to_string()),
                ("rejected", tally.answered.rejected.to_string()),
            ],
        );
    }

    fn orders(&self, out: &mut String, stored: &[StoredOrder]) {
        let ours: Vec<&StoredOrder> = stored
            .iter()
            .filter(|stored| stored.order.plan.is_some())
            .collect();
        let (mut units, mut cartons, mut value) = (0, 0, Decimal::ZERO);
        let mut modes: BTreeMap<&str, usize> = BTreeMap::new();
        let mut weeks: BTreeMap<i64, i64> = BTreeMap::new();
        for order in ours.iter().map(|stored| &stored.order) {
            let totals = order.totals();
            units += totals.units;
            cartons += totals.cartons;
            value += totals.value;
            *modes.entry(order.mode.code()).or_default() += 1;
            *weeks
                .entry((order.created_on - self.first).num_days() / 7)
                .or_default() += totals.units;
        }
        let modes: Vec<String> = modes
            .iter()
            .map(|(mode, count)| format!("{count} {}", text(self.lang, &format!("mail.mode.{mode}"), &[])))
            .collect();
        let currency = ours
            .first()
            .map_or("", |stored| stored.order.currency.code())
            .to_owned();
        self.say(
            out,
            "orders",
            &[
                ("n", ours.len().to_string()),
                ("modes", modes.join(", ")),
                ("units", grouped(units)),
                ("cartons", grouped(cartons)),
                ("value", format!("{} {currency}", round_cents(value))),
                ("least", grouped(weeks.values().min().copied().unwrap_or(0))),
                ("most", grouped(weeks.values().max().copied().unwrap_or(0))),
            ],
        );
        let mut states: BTreeMap<&str, usize> = BTreeMap::new();
        for stored in stored {
            *states.entry(stored.state.code()).or_default() += 1;
        }
        let states: Vec<String> = states
            .iter()
            .map(|(state, count)| {
                let word = text(self.lang, &format!("cli.order.state.{state}"), &[]);
                format!("{count} {word}")
            })
            .collect();
        self.say(
            out,
            "states",
            &[
                ("before", (stored.len() - ours.len()).to_string()),
                ("states", states.join(", ")),
            ],
        );
        self.say(
            out,
            "papers",
            &[
                ("documents", self.papers.documents.to_string()),
                ("totals", self.papers.totals.to_string()),
                ("announced", self.papers.announced.to_string()),
            ],
        );
    }

    fn books(&self, out: &mut String, books: &reconcile::Books) {
        let done = &books.done;
        let sum = |figure: fn(&TransitLine) -> i64| grouped(done.transit.iter().map(figure).sum());
        self.say(
            out,
            "books",
            &[
                ("shipped", sum(|line| line.shipped)),
                ("moving", sum(TransitLine::moving)),
                ("received", sum(|line| line.received)),
                ("short", sum(|line| line.closed_short)),
                ("nights", self.tally.nights.to_string()),
            ],
        );
        self.say(
            out,
            "receipts",
            &[
                ("lines", grouped(i64::try_from(self.books.lines).unwrap_or(0))),
                ("differences", done.differences().count().to_string()),
                ("claims", done.claim_candidates().count().to_string()),
            ],
        );
        if self.books.unread > 0 {
            self.say(out, "unread", &[("n", self.books.unread.to_string())]);
        }
        let errors: Vec<String> = self
            .books
            .errors
            .iter()
            .map(|(fault, (count, example))| {
                let places = [("n", count.to_string())];
                let places = places.each_ref().map(|(name, value)| (*name, value.as_str()));
                let word = text(
                    self.lang,
                    &format!("cli.demo.error.{}", error_code(*fault)),
                    &places,
                );
                format!("{word} ({example})")
            })
            .collect();
        if !errors.is_empty() {
            let apart = "\n            ";
            let errors = format!("{apart}{}", errors.join(apart));
            self.say(out, "errors", &[("errors", errors)]);
        }
    }

    fn told(&self, out: &mut String) {
        if self.tally.problems.is_empty() {
            return;
        }
        out.push('\n');
        self.say(out, "told", &[]);
        for (problem, times) in self.tally.problems.iter().take(SHOWN) {
            let _ = writeln!(out, "  {times}× {problem}");
        }
        let more = self.tally.problems.len().saturating_sub(SHOWN);
        if more > 0 {
            let _ = writeln!(out, "  + {more}");
        }
    }

    fn places(&self, out: &mut String) -> Result<(), CliError> {
        let folder = self.folder;
        let mut places = self.last_mails()?;
        let endpoints = self.world.endpoints();
        places.push(("mails", endpoints.mail_folder.clone()));
        let drop = endpoints.sftp_folder.join("in");
        let mut files: Vec<PathBuf> = std::fs::read_dir(&drop)
            .into_iter()
            .flatten()
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .collect();
        files.sort();
        for (what, end) in [
            ("booking", "booking-r1.xlsx"),
            ("packing", "packing-list-r1.xlsx"),
            ("invoice", "invoice-r1.xlsx"),
            ("marks", "carton-marks.pdf"),
            ("ubl", "booking.xml"),
        ] {
            if let Some(path) = files.iter().find(|path| path.to_string_lossy().ends_with(end)) {
                places.push((what, path.clone()));
            }
        }
        places.push(("forwarder", drop));
        places.push(("receipts", endpoints.sftp_folder.join("out")));
        places.push(("reconciliation", folder.join("reconciliation.xlsx")));
        places.push(("reconciliation", folder.join("reconciliation.csv")));
        out.push('\n');
        self.say(out, "look", &[("folder", folder.display().to_string())]);
        for (what, path) in places {
            let path = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
            let what = text(self.lang, &format!("cli.demo.place.{what}"), &[]);
            let _ = writeln!(out, "  {path:<58} {what}");
        }
        Ok(())
    }

    /// The mails of the last day, and beside them what is in them.
    fn last_mails(&self) -> Result<Vec<(&'static str, PathBuf)>, CliError> {
        let mut places = Vec::new();
        let inbox = self.world.inbox();
        for (reader, what, name) in [
            ("ops@", "mail_zh", "last-mail-zh"),
            ("buyer@", "mail_en", "last-mail-en"),
        ] {
            let Some(mail) = inbox
                .iter()
                .rfind(|mail| mail.to.iter().any(|to| to.starts_with(reader)))
            else {
                continue;
            };
            let read = |path: &Path| {
                std::fs::read(path).map_err(|source| CliError::File {
                    what: "read",
                    path: path.to_owned(),
                    source,
                })
            };
            let raw = read(&mail.file)?;
            let parts = letters::parts(&raw);
            let mut put = |what: &'static str, end: &str, bytes: &[u8]| {
                let path = self.folder.join(format!("{name}.{end}"));
                std::fs::write(&path, bytes).map_err(|source| CliError::File {
                    what: "write",
                    path: path.clone(),
                    source,
                })?;
                places.push((what, path));
                Ok::<(), CliError>(())
            };
            put(what, "eml", &raw)?;
            if let Some(page) = letters::page(&parts) {
                put("page", "html", page.as_bytes())?;
            }
            if let Some(book) = letters::workbook(&parts) {
                put("workbook", "xlsx", &book.bytes)?;
            }
        }
        Ok(places)
    }
}

fn error_code(fault: Fault) -> &'static str {
    match fault {
        Fault::Short => "short",
        Fault::LateFound => "late_found",
        Fault::Over => "over",
        Fault::Damaged => "damaged",
        Fault::WrongSku => "wrong_sku",
        Fault::CartonLost => "carton_lost",
        Fault::Miscount => "miscount",
    }
}

/// Thousands apart.
fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if number < 0 { format!("-{out}") } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        let shown = [0, 999, 1000, -1_234_567].map(grouped);
        assert_eq!(shown, ["0", "999", "1,000", "-1,234,567"]);
    }
}
