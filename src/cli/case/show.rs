//! Cases for people and programs to look at.

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::super::claim;
use super::super::context::{Context, columns, fill, heads, print, print_json};
use super::super::{CliError, Exit};
use super::{no_case, refused};
use crate::claim::case::{Case, CaseState};
use crate::claim::evidence::missing;
use crate::claim::state::Claim;
use crate::night::cases::{self, Scene, World};
use crate::store::catalog;
use crate::store::claims;
use crate::wording::{Lang, text};

/// The last day against whoever is asked, or why nobody knows it.
fn last_day(context: &Context, scene: &Scene, claim: Option<&Claim>) -> Result<NaiveDate, String> {
    let party = claim
        .map(|claim| claim.asked.party)
        .or_else(|| scene.case.against())
        .ok_or_else(|| cases::NotYet::Nobody.to_string())?;
    let named = claim.and_then(cases::named);
    scene
        .window(&context.night(false), (party, named), claim)
        .map(|window| window.last_day)
        .map_err(|error| error.to_string())
}

fn party_of(case: &Case, lang: Lang) -> String {
    match (case.party, &case.proposal) {
        (Some(party), _) => party.text(lang),
        (None, Some(proposal)) => {
            let party = proposal.party_text(lang);
            fill(lang, "cli.case.proposed", &[("party", party)])
        }
        (None, None) => text(lang, "claim.party.undetermined", &[]),
    }
}

pub(super) async fn list(context: &Context, all: bool, json: bool) -> Result<Exit, CliError> {
    let night = context.night(false);
    let mut tx = context.store.read().await?;
    let catalog = catalog::load(&mut tx, night.account(), night.today()).await?;
    let world = World::load(&night, &mut tx, &catalog).await?;
    let claims = claims::claims(&mut tx, night.account()).await.map_err(refused)?;
    let mut found: Vec<(Option<NaiveDate>, Scene, Vec<&Claim>)> = Vec::new();
    for case in claims::cases(&mut tx, night.account()).await.map_err(refused)? {
        if case.state == CaseState::Closed && !all {
            continue;
        }
        let own: Vec<&Claim> = claims
            .iter()
            .filter(|claim| claim.asked.case == case.number)
            .collect();
        if let Some(scene) = cases::scene(&night, &mut tx, &world, case).await? {
            let running = own.iter().rev().find(|claim| claim.state.is_running()).copied();
            let last = last_day(context, &scene, running).ok();
            found.push((last, scene, own));
        }
    }
    found.sort_by(|(a, one, _), (b, other, _)| {
        (a.is_none(), a, &one.case.number).cmp(&(b.is_none(), b, &other.case.number))
    });
    if json {
        let listed: Vec<Value> = found
            .iter()
            .map(|(last, scene, own)| {
                json!({
                    "case": scene.case.number,
                    "order": scene.case.subject.order,
                    "warehouse": scene.case.subject.warehouse,
                    "kind": scene.case.subject.kind,
                    "state": scene.case.state,
                    "units": scene.case.units(),
                    "party": scene.case.against(),
                    "last_day": last,
                    "claims": own.iter().map(|claim| claim.number.as_str()).collect::<Vec<_>>(),
                })
            })
            .collect();
        print_json(&json!({ "cases": listed }))?;
    } else if found.is_empty() {
        print(&text(context.lang, "cli.case.none", &[]))?;
    } else {
        let mut rows = vec![heads(context.lang, "cases")];
        rows.extend(found.iter().map(|(last, scene, own)| {
            let case = &scene.case;
            vec![
                case.number.clone(),
                case.subject.kind.text(context.lang),
                case.units().to_string(),
                case.subject.warehouse.to_string(),
                party_of(case, context.lang),
                last.map_or_else(|| "?".to_owned(), |day| day.to_string()),
                own.iter()
                    .map(|claim| claim.number.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            ]
        }));
        print(&columns(&rows))?;
    }
    let waits = found
        .iter()
        .any(|(_, scene, _)| scene.case.state != CaseState::Closed);
    Ok(if waits { Exit::Findings } else { Exit::Done })
}

pub(super) async fn show(context: &Context, number: &str, json: bool) -> Result<Exit, CliError> {
    let night = context.night(false);
    let account = night.account();
    let mut tx = context.store.read().await?;
    let Some(case) = claims::get(&mut tx, account, number).await.map_err(refused)? else {
        return Err(no_case(
            &claims::cases(&mut tx, account).await.map_err(refused)?,
            number,
        ));
    };
    let catalog = catalog::load(&mut tx, account, night.today()).await?;
    let world = World::load(&night, &mut tx, &catalog).await?;
    let log = claims::case_events(&mut tx, account, number).await?;
    let own: Vec<Claim> = claims::claims(&mut tx, account)
        .await
        .map_err(refused)?
        .into_iter()
        .filter(|claim| claim.asked.case == number)
        .collect();
    let Some(scene) = cases::scene(&night, &mut tx, &world, case).await? else {
        return Err(CliError::Usage(format!("the order of case `{number}` is gone")));
    };
    let case = &scene.case;
    let party = case.against();
    let window = party.map(|party| scene.window(&night, (party, None), None));
    let needs = party.map_or(&[][..], |party| night.tools.claims.papers(party));
    let lacking = missing(needs, case.evidence.iter().map(|evidence| evidence.paper));
    if json {
        print_json(&json!({
            "case": case,
            "units": case.units(),
            "days": scene.days(None),
            "window": window.as_ref().and_then(|window| window.as_ref().ok()),
            "why_no_window": window.as_ref().and_then(|window| window.as_ref().err().map(ToString::to_string)),
            "not_put_here": lacking,
            "claims": own,
            "log": log,
        }))?;
        return Ok(Exit::Done);
    }
    let lang = context.lang;
    let mut out = format!(
        "{}\n",
        fill(
            lang,
            "cli.case.head",
            &[
                ("case", case.number.clone()),
                ("kind", case.subject.kind.text(lang)),
                ("order", case.subject.order.to_string()),
                ("warehouse", case.subject.warehouse.to_string()),
                ("units", case.units().to_string()),
                (
                    "state",
                    text(lang, &format!("cli.case.state.{}", case.state.code()), &[])
                ),
            ],
        )
    );
    let mut rows = vec![heads(lang, "case_lines")];
    rows.extend(case.lines.values().map(|line| {
        vec![
            line.difference.clone(),
            line.sku.to_string(),
            line.carton.clone().unwrap_or_default(),
            line.units.to_string(),
        ]
    }));
    out.push_str(&columns(&rows));
    if let Some(proposal) = &case.proposal {
        out.push_str(&format!("{}\n", proposal.text(lang)));
        if !proposal.missing.is_empty() {
            let papers: Vec<String> = proposal.missing.iter().map(|paper| paper.text(lang)).collect();
            let papers = papers.join(&text(lang, "claim.comma", &[]));
            out.push_str(&format!(
                "{}\n",
                fill(lang, "cli.case.would_settle", &[("papers", papers)])
            ));
        }
    }
    match &window {
        Some(Ok(window)) => out.push_str(&format!("{}\n", claim::window_text(window, lang))),
        Some(Err(why)) => out.push_str(&format!("{why}\n")),
        None => {}
    }
    for evidence in &case.evidence {
        out.push_str(&format!("  {} {}\n", evidence.paper.text(lang), evidence.name));
    }
    for one in &own {
        out.push_str(&format!("{}\n", claim::line(one, lang)));
    }
    print(&out)?;
    Ok(Exit::Done)
}
