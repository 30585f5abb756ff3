//! `linkstar order`.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Subcommand};

use super::At;
use crate::ids::{OrderNo, WarehouseCode};
use crate::order::Mode;

fn mode(text: &str) -> Result<Mode, String> {
    Mode::parse(text).ok_or_else(|| "one of sea, rail, truck, air, express".to_owned())
}

#[derive(Debug, Subcommand)]
pub enum OrderCommand {
    /// Every order and where it is.
    List {
        #[arg(long)]
        json: bool,
    },
    /// One order with its lines, events and documents.
    Show {
        order: OrderNo,
        #[arg(long)]
        json: bool,
        /// What changed between its revisions.
        #[arg(long)]
        changes: bool,
        /// Write its documents into this folder.
        #[arg(long, value_name = "DIR")]
        save: Option<PathBuf>,
    },
    /// A draft of an order by hand. What its booking lacks is listed; `order issue` sends it through the gates.
    #[command(
        after_help = "Example: linkstar order new --to goodcang:UKMA --mode sea --line MUG-350-WH=72 --line LAMP-1=40\n         linkstar order new --to goodcang:UKMA --mode sea --file lines.csv    (columns: sku, units)"
    )]
    New {
        /// The warehouse, with its provider.
        #[arg(long, value_name = "WAREHOUSE")]
        to: WarehouseCode,
        #[arg(long, value_parser = mode)]
        mode: Mode,
        #[arg(long = "line", value_name = "SKU=UNITS")]
        lines: Vec<String>,
        /// A table with the columns sku and units.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// Who orders, for the log.
        #[arg(long, default_value = "cli")]
        by: String,
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        at: At,
    },
    /// Change a draft: units of goods, or the mode.
    #[command(
        after_help = "Example: linkstar order edit BH260907-01 --reason 'one carton more' --units MUG-350-WH=108\n         linkstar order edit BH260907-01 --reason 'not now' --units LAMP-1=0"
    )]
    Edit {
        order: OrderNo,
        #[command(flatten)]
        why: OrderReason,
        /// `SKU=UNITS`; 0 takes the goods out, other SKUs come in.
        #[arg(long, value_name = "SKU=UNITS")]
        units: Vec<String>,
        #[arg(long, value_parser = mode)]
        mode: Option<Mode>,
        #[arg(long)]
        json: bool,
    },
    /// Look at an order by every gate, as the catalog, certificates and rules are today. Exit code 1: something stops it.
    #[command(after_help = "Example: linkstar order check BH260907-01 --json")]
    Check {
        order: OrderNo,
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        at: At,
    },
    /// Issue a draft: through the gates, papers written, to the forwarder. What stops it is listed, and it stays a draft.
    #[command(after_help = "Example: linkstar order issue BH260907-01")]
    Issue {
        order: OrderNo,
        /// Why goods are declared at another value than in another order of the same day.
        #[arg(long)]
        reason: Option<String>,
        #[arg(long, default_value = "cli")]
        by: String,
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        at: At,
    },
    /// Take the actual packing from the warehouse's list: the cartons stand from then on, and the papers follow them.
    #[command(
        after_help = "The list has a row for each SKU of a carton, or of cartons packed alike: carton (1-10,12), sku, units, gross_kg, length_cm,\nwidth_cm, height_cm; net_kg and sscc where known. The measures of a mixed carton stand on one of its rows.\nExample: linkstar order pack BH260907-01 --file packing.xlsx"
    )]
    Pack {
        order: OrderNo,
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
        /// How the cartons stand on pallets: pallet, cartons (1-10,12), gross_kg, length_cm, width_cm, height_cm, and sscc where known.
        #[arg(long, value_name = "FILE")]
        pallets: Option<PathBuf>,
        /// What the domestic warehouse has (sku, units): more is not packed.
        #[arg(long, value_name = "FILE")]
        stock: Option<PathBuf>,
        /// Why more may be packed than `--stock` has.
        #[arg(long, value_name = "REASON")]
        beyond_stock: Option<String>,
        #[arg(long, default_value = "cli")]
        by: String,
        #[command(flatten)]
        at: At,
    },
    /// Check the labels that were scanned back against the cartons. Exit code 1: the order stays packed, unverified.
    #[command(
        after_help = "Example: linkstar order scan BH260907-01 --file scans.txt\n         linkstar order scan BH260907-01 --photos photos.csv --folder pictures"
    )]
    Scan {
        order: OrderNo,
        /// One code a line, or a table of them.
        #[arg(
            long,
            value_name = "FILE",
            required_unless_present = "photos",
            conflicts_with = "photos"
        )]
        file: Option<PathBuf>,
        /// Instead of a scan: which picture shows which cartons (columns carton, photo; 1-10,12).
        #[arg(long, value_name = "FILE")]
        photos: Option<PathBuf>,
        /// Where those pictures lie: each is looked for, and looked at. Without it only the names are compared.
        #[arg(long, value_name = "DIR", requires = "photos")]
        folder: Option<PathBuf>,
        #[arg(long, default_value = "cli")]
        by: String,
        #[command(flatten)]
        at: At,
    },
    /// Write the outbound instruction (出库指令) for the domestic warehouse, with its carton marks.
    #[command(after_help = "Example: linkstar order instruct BH260907-01 --save out --stock stock.csv")]
    Instruct {
        order: OrderNo,
        #[arg(long, value_name = "DIR")]
        save: PathBuf,
        /// What the domestic warehouse has (sku, units): what is short is listed.
        #[arg(long, value_name = "FILE")]
        stock: Option<PathBuf>,
        /// The warehouse is to scan the labels back, or to photograph them: until then the goods are not handed over.
        #[arg(long)]
        scan_back: bool,
        /// The label of each unit as well, one for each piece.
        #[arg(long)]
        unit_labels: bool,
        #[arg(long, default_value = "cli")]
        by: String,
        #[command(flatten)]
        at: At,
    },
    /// The goods were handed over to the forwarder. Refused while labels that have to be scanned back are not.
    #[command(
        after_help = "Example: linkstar order hand-over BH260907-01 --by wang\n         linkstar order hand-over BH260907-01 --by wang --unverified 'scanner broken, counted by hand'"
    )]
    HandOver {
        order: OrderNo,
        /// Why the goods go although nobody has seen to their labels; stands in the order's log with who says so.
        #[arg(long, value_name = "REASON")]
        unverified: Option<String>,
        #[arg(long, default_value = "cli")]
        by: String,
        #[command(flatten)]
        at: At,
    },
    /// What an order costs besides its goods: freight, surcharges, duty and taxes at the border; without an order, what the plan's
    /// suggestions would cost. Exit code 1: something is unknown, and named.
    #[command(after_help = "Example: linkstar order cash BH260907-01\n         linkstar order cash --json")]
    Cash {
        order: Option<OrderNo>,
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        at: At,
    },
    /// What is in the way of approved lines, drafts and orders that have not left (问题清单). Exit code 1: something stops one.
    #[command(after_help = "Example: linkstar order problems --save problems.xlsx")]
    Problems {
        #[arg(long)]
        json: bool,
        /// Write the list as a workbook.
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
    },
    /// What a destination asks for, by the rule packs, on a day.
    #[command(after_help = "Example: linkstar order rules DE --mode sea --on 2026-10-01")]
    Rules {
        /// ISO 3166 alpha-2.
        country: String,
        #[arg(long, value_parser = mode, default_value = "sea")]
        mode: Mode,
        /// The day the goods ship; today when left out.
        #[arg(long)]
        on: Option<NaiveDate>,
        #[arg(long)]
        json: bool,
    },
    /// Take goods out of an order into one of their own, before they leave.
    #[command(
        after_help = "Example: linkstar order split BH260907-01 --reason 'lamps wait for UKCA' --units LAMP-1=40"
    )]
    Split {
        order: OrderNo,
        #[command(flatten)]
        why: OrderReason,
        #[arg(long, value_name = "SKU=UNITS", required = true)]
        units: Vec<String>,
    },
    /// Put the goods of another order into this one; the other is given up.
    #[command(after_help = "Example: linkstar order merge BH260907-01 BH260907-02 --reason 'one container'")]
    Merge {
        order: OrderNo,
        other: OrderNo,
        #[command(flatten)]
        why: OrderReason,
    },
    /// Issue an order anew, from the catalog and the configuration as they are now: a new revision with papers of its
    /// own takes the place of the one before, whose papers are taken back.
    #[command(
        after_help = "Example: linkstar order revise BH260907-01 --reason 'MSDS added'\n         linkstar order revise BH260907-01 --reason 'less battery goods' --units 85123A=120"
    )]
    #[command(alias = "reissue")]
    Revise {
        order: OrderNo,
        #[command(flatten)]
        why: OrderReason,
        /// `SKU=UNITS` changes a line; the others stay as they are.
        #[arg(long, value_name = "SKU=UNITS")]
        units: Vec<String>,
    },
    /// Tell an order to the warehouse (入库预报) or the carrier (订舱), once: the request that its connector file declares.
    #[command(
        after_help = "Example: linkstar order announce BH260907-01 --dry-run\n         linkstar order announce BH260907-01 --to maersk"
    )]
    Announce {
        order: OrderNo,
        /// Which source is told; not needed where only one serves the order's warehouse.
        #[arg(long, value_name = "SOURCE")]
        to: Option<String>,
        /// Show the request; send nothing, write nothing.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        at: At,
    },
    /// Give an order up before it is handed over; its papers are taken back.
    #[command(after_help = "Example: linkstar order cancel BH260907-01 --reason 'supplier cannot deliver'")]
    Cancel {
        order: OrderNo,
        #[command(flatten)]
        why: OrderReason,
    },
}

#[derive(Debug, Args)]
pub struct OrderReason {
    /// Stands in the order's log and in the cancel files.
    #[arg(long)]
    pub reason: String,
    /// Who decides, for the log.
    #[arg(long, default_value = "cli")]
    pub by: String,
    #[command(flatten)]
    pub at: At,
}
