//! The commands that look after what is kept: catalog, messages, inbox, archive, database.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Subcommand};

use super::At;
use crate::ids::OrderNo;

#[derive(Debug, Subcommand)]
pub enum CatalogCommand {
    /// Import a folder or single files.
    Import {
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// First civil day on which the new versions hold; today when left out.
        #[arg(long)]
        effective: Option<NaiveDate>,
        #[arg(long)]
        json: bool,
    },
    /// Codes of other systems that no item claims.
    Unmapped,
}

#[derive(Debug, Subcommand)]
pub enum OutboxCommand {
    /// Messages that are not sent, and the newest sent ones.
    List {
        #[arg(long)]
        json: bool,
    },
    /// One message: its attempts, its recipients and what came back.
    #[command(after_help = "Example: linkstar outbox show order/BH2605-0001/r1/packing-list")]
    Show {
        message: String,
        #[arg(long)]
        json: bool,
    },
    /// Try a refused, doubtful or conflicting message again.
    #[command(after_help = "Example: linkstar outbox retry order/BH2605-0001/r1/packing-list")]
    Retry { message: String },
    /// A doubtful mail did arrive: somebody has seen it.
    #[command(after_help = "Example: linkstar outbox confirm mail/daily/2026-05-04/ops@example.com")]
    Confirm { message: String },
    /// Take a message back. A file that has left is followed by one cancel file.
    #[command(
        after_help = "Example: linkstar outbox withdraw order/BH2605-0001/r1/packing-list --reason \"wrong quantity\""
    )]
    Withdraw {
        message: String,
        /// Stands in the cancel file.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum DbCommand {
    /// Version, structure, foreign keys, stored papers and their hashes, sales days and series, shipped against received.
    Check {
        /// Read every stored paper; a sample of about a thousand when left out, others each day.
        #[arg(long)]
        all: bool,
        #[arg(long)]
        json: bool,
    },
    /// Give the space of deleted rows back.
    Vacuum,
    /// Pack the sales series anew from the sales days, when a check finds that they differ.
    Repack,
    /// Write the database of this moment into a new file (SQLite; docs/storage.md for PostgreSQL).
    Backup { file: PathBuf },
}

#[derive(Debug, Subcommand)]
pub enum InboxCommand {
    /// Quarantined files first, then the newest others, then those still being written.
    List {
        #[arg(long)]
        json: bool,
    },
    /// What a file says, or its first rows when nobody could read it.
    Show {
        /// Its hash or the beginning of it, or its name.
        file: String,
        #[arg(long)]
        json: bool,
        /// Write the file itself here.
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
    },
    /// Read a quarantined file again, with the mappings as they are now.
    Retry {
        file: String,
        #[command(flatten)]
        at: At,
    },
    /// Put a quarantined file aside: it is kept, and counts no longer.
    Drop {
        file: String,
        #[arg(long)]
        reason: String,
        /// Who decides, for the log.
        #[arg(long, default_value = "cli")]
        by: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Walk the whole chain and hash every content; each thing that was changed is named.
    Verify {
        /// Check an export instead: needs neither configuration nor database.
        #[arg(long, value_name = "FILE.zip")]
        export: Option<PathBuf>,
        #[arg(long)]
        json: bool,
    },
    /// Everything of one order in one file: documents, messages, received files, events, with index and hashes.
    Export {
        order: OrderNo,
        #[arg(long, value_name = "FILE.zip")]
        to: PathBuf,
    },
    /// Check an export and write its files into a new folder: needs neither configuration nor database.
    Restore {
        file: PathBuf,
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// Keep everything of an order, however old, until the hold is lifted.
    Hold {
        order: OrderNo,
        #[arg(long)]
        reason: String,
        #[arg(long, default_value = "cli")]
        by: String,
    },
    /// Lift the hold of an order.
    Release {
        order: OrderNo,
        #[arg(long, default_value = "cli")]
        by: String,
    },
    /// Holds, lifted ones too.
    Holds {
        #[arg(long)]
        json: bool,
    },
    /// Delete the contents whose time is over, and log it. The entries and hashes stay.
    Retain {
        /// Only say what would go.
        #[arg(long)]
        dry_run: bool,
        #[arg(long, default_value = "cli")]
        by: String,
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        at: At,
    },
}

#[derive(Debug, Subcommand)]
pub enum WebCommand {
    /// Read a password from standard input and print its hash.
    Hash,
}

/// Which forecasts to judge.
#[derive(Debug, Clone, Copy, Args)]
pub struct ForecastArgs {
    /// Forecasts made in the last so many days.
    #[arg(long, default_value_t = 365, value_name = "N")]
    pub days: i64,
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub at: At,
}
