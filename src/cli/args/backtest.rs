//! Arguments of `backtest`.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::Args;

use crate::ids::WarehouseCode;

#[derive(Debug, Args)]
pub struct BacktestArgs {
    /// A folder of CSV files instead of the database (docs/plan-from-files.md).
    #[arg(long, value_name = "DIR", requires = "as_of")]
    pub from: Option<PathBuf>,
    /// The first day not known any more (with a folder; else today).
    #[arg(long, value_name = "DATE")]
    pub as_of: Option<NaiveDate>,
    /// Only this warehouse.
    #[arg(long, value_name = "CODE")]
    pub warehouse: Option<WarehouseCode>,
    /// Weeks lived again, the warm-up among them (default: half of the history, at most 52).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..=260))]
    pub weeks: Option<i64>,
    /// Lives of each policy, each with lead times of its own.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub runs: u32,
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// A policy, several times or separated by blanks; the first is what the others are compared with.
    #[arg(long, value_name = "NAME")]
    pub policy: Vec<String>,
    #[arg(long)]
    pub json: bool,
    /// Write the report as one HTML file and its charts as SVG files into this folder.
    #[arg(long, value_name = "DIR")]
    pub report: Option<PathBuf>,
}
