//! `policy.toml`, or the same as rows of `policy.csv`: how to order.

use std::collections::BTreeMap;

use super::cells::{Column, Sheet, decimal, flag, whole};
use super::facts::permille;
use crate::money::{Currency, Money};
use crate::planner::{CertainShortage, Method, MoqPolicy, Policy, TargetRule};
use crate::problem::{Problem, nearest};

/// What a day means that has no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AbsentDay {
    /// Judged from the file: see `sales::absent_day`.
    Auto,
    Zero,
    Gap,
}

pub struct Settings {
    pub policy: Policy,
    pub absent_day: AbsentDay,
    /// Lead time of a warehouse that no other file gives one.
    pub lead_p50: Option<i64>,
    pub lead_p90: Option<i64>,
    budget_currency: Option<Currency>,
}

const KEYS: [&str; 35] = [
    "review_days",
    "service_level",
    "lead_percentile",
    "warning_days",
    "overstock_days",
    "history_days",
    "horizon_days",
    "min_observations",
    "certain_shortage",
    "moq",
    "count_unknown_inbound",
    "season",
    "remind_days",
    "worse_days",
    "seed",
    "absent_day",
    "lead_p50",
    "lead_p90",
    "service_a",
    "service_b",
    "service_c",
    "tournament",
    "origin_calendar",
    "split_modes",
    "target",
    "capital_cost",
    "budget",
    "budget_currency",
    "container_m3",
    "container_kg",
    "method",
    "lot_days",
    "order_cost",
    "holding_rate",
    "calibrate",
];

static COLUMNS: [Column; 2] = [
    Column {
        name: "key",
        aliases: &["name", "参数"],
        needed: true,
    },
    Column {
        name: "value",
        aliases: &["值"],
        needed: true,
    },
];

/// Defaults where nothing is said; every wrong key and value is listed.
pub fn read(files: &BTreeMap<String, Vec<u8>>, problems: &mut Vec<Problem>) -> Settings {
    let mut settings = Settings {
        policy: Policy::default(),
        absent_day: AbsentDay::Auto,
        lead_p50: None,
        lead_p90: None,
        budget_currency: None,
    };
    if let Some(bytes) = files.get("policy.toml") {
        for (key, value) in toml_pairs(bytes, problems) {
            let place = line_of(bytes, &key);
            set(&mut settings, "policy.toml", &place, &key, &value, problems);
        }
    }
    let sheet = files
        .get("policy.csv")
        .and_then(|bytes| Sheet::open("policy.csv", bytes, &COLUMNS, problems));
    if let Some(sheet) = sheet {
        for row in sheet.rows() {
            let (key, value) = (sheet.cell(&row, "key"), sheet.cell(&row, "value"));
            set(
                &mut settings,
                "policy.csv",
                &format!("line {}", row.line),
                key,
                value,
                problems,
            );
        }
    }
    let file = match files.contains_key("policy.toml") {
        true => "policy.toml",
        false => "policy.csv",
    };
    settle_lead(&mut settings, file, problems);
    if let (Some(budget), Some(currency)) = (&mut settings.policy.supply.budget, settings.budget_currency) {
        budget.currency = currency;
    }
    settings
}

/// A late edge without a median, or before it, is no lead time.
fn settle_lead(settings: &mut Settings, file: &str, problems: &mut Vec<Problem>) {
    let Some(late) = settings.lead_p90 else {
        return;
    };
    let wanted = match settings.lead_p50 {
        Some(median) if late >= median => return,
        Some(median) => format!("at least `lead_p50` ({median}); {median} is used"),
        None => "`lead_p50` beside it; not used alone".to_owned(),
    };
    settings.lead_p90 = settings.lead_p50;
    problems.push(Problem::new(file, "", "lead_p90", late.to_string(), wanted));
}

/// Where a key stands; a table of TOML does not remember it.
fn line_of(bytes: &[u8], key: &str) -> String {
    let text = String::from_utf8_lossy(bytes);
    let is_here = |line: &str| {
        let name = line.split('=').next().unwrap_or_default().trim();
        name.trim_matches(['"', '\'']) == key
    };
    let line = text.lines().position(is_here);
    line.map_or_else(String::new, |index| format!("line {}", index + 1))
}

fn toml_pairs(bytes: &[u8], problems: &mut Vec<Problem>) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(bytes);
    match text.parse::<toml::Table>() {
        Ok(table) => table
            .into_iter()
            .map(|(key, value)| match value {
                toml::Value::String(text) => (key, text),
                other => (key, other.to_string()),
            })
            .collect(),
        Err(error) => {
            let line = error
                .span()
                .and_then(|span| text.get(..span.start))
                .map_or_else(String::new, |before| {
                    format!("line {}", before.matches('\n').count() + 1)
                });
            problems.push(Problem::new(
                "policy.toml",
                line,
                "",
                error.message(),
                "TOML, `key = value`",
            ));
            Vec::new()
        }
    }
}

/// `120 CNY`.
fn money(value: &str) -> Option<Money> {
    let (amount, currency) = value.trim().split_once(' ')?;
    let amount = decimal(amount).filter(|amount| amount.is_sign_positive() && !amount.is_zero())?;
    Some(Money::new(amount, Currency::new(currency.trim()).ok()?))
}

/// A yearly share as thousandths.
fn yearly(value: &str) -> Option<u16> {
    let permille = (decimal(value.trim())? * rust_decimal::Decimal::ONE_THOUSAND).round();
    u16::try_from(i64::try_from(permille).ok()?)
        .ok()
        .filter(|permille| (1..=5_000).contains(permille))
}

fn choose<T: Copy>(value: &str, choices: &[(&str, T)]) -> Option<T> {
    let found = choices.iter().find(|(name, _)| *name == value);
    found.map(|(_, choice)| *choice)
}

fn set(
    settings: &mut Settings,
    file: &str,
    place: &str,
    key: &str,
    value: &str,
    problems: &mut Vec<Problem>,
) {
    let policy = &mut settings.policy;
    let days = |least: i64, most: i64| whole(value).filter(|days| (least..=most).contains(days));
    let (done, wanted): (Option<()>, &str) = match key {
        "review_days" => (
            days(1, 365).map(|days| policy.review_days = days),
            "whole days from 1 to 365",
        ),
        "service_level" => (
            permille(value).map(|share| policy.service_permille = share),
            "a share such as 0.95 (from 0.5 to 0.999)",
        ),
        "service_a" | "service_b" | "service_c" => (
            permille(value).map(|share| {
                let all = policy.service_permille;
                let targets = policy.service_by_rank.get_or_insert([all; 3]);
                targets[usize::from(key.ends_with('b')) + 2 * usize::from(key.ends_with('c'))] = share;
            }),
            "a share such as 0.95 (from 0.5 to 0.999)",
        ),
        "lead_percentile" => (
            permille(value).map(|share| policy.lead_permille = share),
            "a share such as 0.9 (from 0.5 to 0.999)",
        ),
        "warning_days" => (
            days(0, 365).map(|days| policy.warning_days = days),
            "whole days from 0 to 365",
        ),
        "overstock_days" => (
            days(1, 3650).map(|days| policy.overstock_days = days),
            "whole days from 1 to 3650",
        ),
        "history_days" => (
            days(28, 731).map(|days| policy.history_days = days),
            "whole days from 28 to 731",
        ),
        "horizon_days" => (
            days(30, 400).map(|days| policy.horizon_days = days),
            "whole days from 30 to 400",
        ),
        "min_observations" => (
            days(1, 1000).map(|least| policy.min_observations = least),
            "a whole number from 1",
        ),
        "remind_days" => (
            days(1, 365).map(|days| policy.remind_days = days),
            "whole days from 1 to 365",
        ),
        "worse_days" => (
            days(1, 365).map(|days| policy.worse_days = days),
            "whole days from 1 to 365",
        ),
        "seed" => (
            whole(value)
                .and_then(|seed| u64::try_from(seed).ok())
                .map(|seed| policy.seed = seed),
            "a whole number from 0",
        ),
        "tournament" => (flag(value).map(|on| policy.tournament = on), "true or false"),
        "season" => (flag(value).map(|on| policy.season = on), "true or false"),
        "count_unknown_inbound" => (
            flag(value).map(|on| policy.count_unknown_inbound = on),
            "true or false",
        ),
        "certain_shortage" => (
            choose(
                value,
                &[
                    ("keep", CertainShortage::Keep),
                    ("subtract", CertainShortage::Subtract),
                ],
            )
            .map(|choice| policy.certain_shortage = choice),
            "`keep` or `subtract`",
        ),
        "moq" => (
            choose(value, &[("raise", MoqPolicy::Raise), ("wait", MoqPolicy::Wait)])
                .map(|choice| policy.moq = choice),
            "`raise` or `wait`",
        ),
        "absent_day" => (
            choose(
                value,
                &[
                    ("auto", AbsentDay::Auto),
                    ("zero", AbsentDay::Zero),
                    ("gap", AbsentDay::Gap),
                ],
            )
            .map(|choice| settings.absent_day = choice),
            "`auto`, `zero` or `gap`",
        ),
        "origin_calendar" => (
            choose(value, &[("cn", "cn"), ("none", "none")])
                .map(|calendar| policy.supply.origin_calendar = calendar.to_owned()),
            "`cn` or `none`",
        ),
        "split_modes" => (
            flag(value).map(|on| policy.supply.split_modes = on),
            "true or false",
        ),
        "target" => (
            choose(
                value,
                &[("service", TargetRule::Service), ("cost", TargetRule::Cost)],
            )
            .map(|rule| policy.supply.target = rule),
            "`service` or `cost`",
        ),
        "capital_cost" => (
            decimal(value)
                .map(|share| (share * rust_decimal::Decimal::ONE_THOUSAND).round())
                .and_then(|share| u16::try_from(i64::try_from(share).ok()?).ok())
                .filter(|share| *share <= 1000)
                .map(|share| policy.supply.capital_permille = share),
            "a yearly share such as 0.12 (from 0 to 1)",
        ),
        "budget" => (
            decimal(value)
                .filter(|amount| !amount.is_sign_negative())
                .map(|amount| {
                    let currency = policy
                        .supply
                        .budget
                        .map_or(Currency::CNY, |budget| budget.currency);
                    policy.supply.budget = Some(Money::new(amount, currency));
                }),
            "an amount, 0 or more",
        ),
        "budget_currency" => (
            Currency::new(value).ok().map(|currency| {
                settings.budget_currency = Some(currency);
            }),
            "an ISO 4217 code such as CNY",
        ),
        "container_m3" => (
            decimal(value)
                .map(|volume| (volume * rust_decimal::Decimal::ONE_THOUSAND).round())
                .and_then(|litres| i64::try_from(litres).ok())
                .filter(|litres| (1..=1_000_000).contains(litres))
                .map(|litres| policy.supply.container_l = Some(litres)),
            "cubic metres above 0",
        ),
        "container_kg" => (
            days(1, 1_000_000).map(|kg| policy.supply.container_kg = Some(kg)),
            "whole kilograms above 0",
        ),
        "method" => (
            Method::from_name(value).map(|method| policy.method = method),
            "`linkstar`, `base-stock`, `R,S`, `s,S` or `r,Q`",
        ),
        "lot_days" => (
            days(1, 365).map(|days| policy.lot_days = days),
            "whole days from 1 to 365",
        ),
        "order_cost" => (
            money(value).map(|cost| policy.order_cost = Some(cost)),
            "an amount and its currency, such as `120 CNY`",
        ),
        "holding_rate" => (
            yearly(value).map(|share| policy.holding_permille = share),
            "a share of the unit cost a year, such as 0.2 (from 0.001 to 5)",
        ),
        "calibrate" => (flag(value).map(|on| policy.calibrate = on), "true or false"),
        "lead_p50" => (
            days(0, 400).map(|days| settings.lead_p50 = Some(days)),
            "whole days from 0 to 400",
        ),
        "lead_p90" => (
            days(0, 400).map(|days| settings.lead_p90 = Some(days)),
            "whole days from 0 to 400",
        ),
        _ => {
            let wanted = match nearest(key, KEYS) {
                Some(near) => format!("a known key (is `{near}` meant?)"),
                None => format!("one of {}", KEYS.join(", ")),
            };
            problems.push(Problem::new(file, place, key, key, wanted));
            return;
        }
    };
    if done.is_none() {
        problems.push(Problem::new(file, place, key, value, wanted));
    }
}
