//! Claims for people and programs to look at.

use chrono::NaiveDate;
use serde_json::json;

use super::super::case::refused;
use super::super::context::{Context, columns, fill, heads, print, print_json};
use super::super::{CliError, Exit};
use super::{found, scene_of};
use crate::claim::state::Claim;
use crate::claim::window::Window;
use crate::money::Money;
use crate::night::cases;
use crate::store::claims;
use crate::wording::{Lang, text};

/// One line of a list.
pub(in crate::cli) fn line(claim: &Claim, lang: Lang) -> String {
    let recovered: Vec<String> = claim
        .recovered()
        .into_iter()
        .map(|(currency, amount)| Money::new(amount, currency).to_string())
        .collect();
    let places = [
        ("claim", claim.number.clone()),
        ("party", claim.asked.party.text(lang)),
        ("state", state_text(claim, lang)),
        ("units", claim.asked.units().to_string()),
        ("amount", claim.asked.amount.total.to_string()),
        (
            "recovered",
            if recovered.is_empty() {
                "0".to_owned()
            } else {
                recovered.join(" + ")
            },
        ),
    ];
    let mut out = fill(lang, "cli.claim.line", &places);
    if claim.found > 0 {
        out.push_str(&fill(lang, "cli.claim.found", &[("n", claim.found.to_string())]));
    }
    out
}

fn state_text(claim: &Claim, lang: Lang) -> String {
    text(lang, &format!("cli.claim.state.{}", claim.state.code()), &[])
}

pub(in crate::cli) fn window_text(window: &Window, lang: Lang) -> String {
    let show = |day: Option<NaiveDate>| day.map_or_else(|| "-".to_owned(), |day| day.to_string());
    let sources: Vec<String> = window
        .used
        .iter()
        .map(|used| format!("{} ({}, {})", used.id, used.source, used.checked))
        .collect();
    fill(
        lang,
        "cli.claim.window",
        &[
            ("regime", window.regime.clone()),
            ("first", show(window.not_before)),
            ("notice", show(window.notice_by)),
            ("last", window.last_day.to_string()),
            ("suit", show(window.suit_by)),
            ("rows", sources.join("; ")),
        ],
    )
}

pub(super) async fn list(context: &Context, json: bool) -> Result<Exit, CliError> {
    let night = context.night(false);
    let mut tx = context.store.read().await?;
    let all = claims::claims(&mut tx, night.account()).await.map_err(refused)?;
    if json {
        print_json(&json!({ "claims": all }))?;
    } else if all.is_empty() {
        print(&text(context.lang, "cli.claim.none", &[]))?;
    } else {
        let lines: Vec<String> = all.iter().map(|claim| line(claim, context.lang)).collect();
        print(&lines.join("\n"))?;
    }
    Ok(if all.iter().any(|claim| claim.state.is_running()) {
        Exit::Findings
    } else {
        Exit::Done
    })
}

pub(super) async fn show(context: &Context, number: &str, json: bool) -> Result<Exit, CliError> {
    let night = context.night(false);
    let mut tx = context.store.read().await?;
    let claim = found(context, &mut tx, number).await?;
    let scene = scene_of(context, &mut tx, &claim.asked.case, &claim.asked.beside).await?;
    let log = claims::claim_events(&mut tx, night.account(), number).await?;
    let window = scene.window(&night, (claim.asked.party, cases::named(&claim)), Some(&claim));
    if json {
        print_json(&json!({
            "claim": claim,
            "recovered": claim.recovered().into_iter().map(|(currency, amount)| Money::new(amount, currency)).collect::<Vec<_>>(),
            "outstanding": claim.outstanding(),
            "window": window.as_ref().ok(),
            "why_no_window": window.as_ref().err().map(ToString::to_string),
            "log": log,
        }))?;
        return Ok(Exit::Done);
    }
    let lang = context.lang;
    let mut out = format!("{}\n", line(&claim, lang));
    for term in &claim.asked.amount.terms {
        out.push_str(&format!("  {:>12.2}  {}\n", term.amount, term.text(lang)));
    }
    out.push_str(&format!(
        "  {:>12}  {}\n",
        claim.asked.amount.total.to_string(),
        claim.asked.amount.source
    ));
    for uncovered in &claim.asked.amount.uncovered {
        out.push_str(&format!("  ! {}\n", uncovered.text(lang)));
    }
    match window {
        Ok(window) => out.push_str(&format!("{}\n", window_text(&window, lang))),
        Err(why) => out.push_str(&format!("{why}\n")),
    }
    print(&out)?;
    Ok(Exit::Done)
}

pub(super) async fn ledger(context: &Context, json: bool) -> Result<Exit, CliError> {
    let night = context.night(false);
    let mut tx = context.store.read().await?;
    let payments = claims::recoveries(&mut tx, night.account()).await?;
    if json {
        print_json(&json!({ "payments": payments }))?;
        return Ok(Exit::Done);
    }
    let mut rows = vec![heads(context.lang, "recoveries")];
    rows.extend(payments.iter().map(|payment| {
        vec![
            payment.paid_on.to_string(),
            payment.claim.clone(),
            payment.reference.clone(),
            payment.amount.to_string(),
        ]
    }));
    print(&columns(&rows))?;
    Ok(Exit::Done)
}

/// The newest rate of each currency; findings when none of them holds any more.
pub(super) fn rates(context: &Context, json: bool) -> Result<Exit, CliError> {
    let night = context.night(false);
    let today = night.today();
    let rates = night.tools.claims.rates(today);
    if json {
        let listed: Vec<_> = rates
            .iter()
            .map(|(rate, holds)| {
                json!({
                    "currency": rate.currency, "rate": rate.rate.to_string(), "on": rate.on,
                    "source": rate.source, "holds": holds,
                })
            })
            .collect();
        print_json(&json!({ "rates": listed, "on": today }))?;
    } else {
        let mut rows = vec![heads(context.lang, "sdr_rates")];
        rows.extend(rates.iter().map(|(rate, holds)| {
            let key = if *holds {
                "cli.claim.rate.holds"
            } else {
                "cli.claim.rate.old"
            };
            vec![
                rate.currency.to_string(),
                rate.rate.normalize().to_string(),
                rate.on.to_string(),
                text(context.lang, key, &[]),
                rate.source.clone(),
            ]
        }));
        print(&columns(&rows))?;
        if rates.iter().any(|(_, holds)| !holds) {
            eprintln!("{}", text(context.lang, "cli.claim.rate.keep", &[]));
        }
    }
    let all = !rates.is_empty() && rates.iter().all(|(_, holds)| *holds);
    Ok(if all { Exit::Done } else { Exit::Findings })
}
