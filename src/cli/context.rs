//! What most commands open first: configuration, store, tools, clock.

use std::io::Write as _;

use chrono::{DateTime, Utc};

use super::CliError;
use super::args::Cli;
use crate::clock::{Clock, FixedClock};
use crate::config::{self, Config};
use crate::http::Pace;
use crate::night::{Night, Tools};
use crate::store::Store;
use crate::telemetry::{SystemClock, init_logs};
use crate::wording::{Lang, text};

/// An opened installation.
pub struct Context {
    pub config: Config,
    pub store: Store,
    pub tools: Tools,
    pub clock: Box<dyn Clock>,
    pub lang: Lang,
}

impl Context {
    /// Opens everything; `at` stands in for the wall clock.
    pub async fn open(cli: &Cli, at: Option<DateTime<Utc>>) -> Result<Self, CliError> {
        let config = config::load(&cli.config)?;
        init_logs(&config.log);
        // Another "now" than the wall clock's: waiting in real time would not bring it nearer.
        let pace = if at.is_some() { Pace::Skip } else { Pace::Real };
        let tools = Tools::new(&config, pace)?;
        let store = Store::open(&config.store_url()).await?;
        let clock: Box<dyn Clock> = match at {
            Some(at) => Box::new(FixedClock::new(at)),
            None => Box::new(SystemClock),
        };
        // What one process takes of a source's limits, the others do not have.
        tools.client.share(
            &store,
            &config.account.id,
            format!("{}@{}", std::process::id(), config.home.display()),
        );
        let lang = cli.lang.unwrap_or(config.account.language);
        Ok(Self {
            config,
            store,
            tools,
            clock,
            lang,
        })
    }

    pub fn night(&self, dry_run: bool) -> Night<'_> {
        Night {
            store: &self.store,
            clock: &*self.clock,
            config: &self.config,
            tools: &self.tools,
            dry_run,
        }
    }
}

/// Data goes to standard output, everything else to standard error.
pub fn print(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    Ok(())
}

pub fn print_json(value: &serde_json::Value) -> Result<(), CliError> {
    print(&serde_json::to_string_pretty(value)?)
}

/// Column heads, as `cli.toml` names them, separated by `|`.
#[must_use]
pub fn heads(lang: Lang, table: &str) -> Vec<String> {
    text(lang, &format!("cli.columns.{table}"), &[])
        .split('|')
        .map(str::to_owned)
        .collect()
}

/// The word for a code; a code without one stays as it is.
#[must_use]
pub fn word(lang: Lang, area: &str, code: &str) -> String {
    let key = format!("{area}.{code}");
    let words = text(lang, &key, &[]);
    if words == format!("[{key}]") {
        code.to_owned()
    } else {
        words
    }
}

/// A text with its places filled in.
#[must_use]
pub fn fill(lang: Lang, key: &str, places: &[(&str, String)]) -> String {
    let places: Vec<(&str, &str)> = places
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    text(lang, key, &places)
}

/// Columns padded to their widest cell; CJK characters count double, as terminals draw them.
#[must_use]
pub fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |text: &str| -> usize {
        text.chars()
            .map(|c| if (c as u32) >= 0x2e80 { 2 } else { 1 })
            .sum()
    };
    let widths: Vec<usize> = (0..count)
        .map(|column| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(|cell| width(cell))
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, wide) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat(wide.saturating_sub(width(cell)) + 2));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_align_chinese_as_terminals_draw_it() {
        let rows = vec![
            vec!["单号".to_owned(), "n".to_owned()],
            vec!["BH1".to_owned(), "2".to_owned()],
        ];
        assert_eq!(super::columns(&rows), "单号  n\nBH1   2\n");
    }
}
