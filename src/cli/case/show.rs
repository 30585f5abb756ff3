//! Cases for people and programs to look at.

use serde_json::{Value, json};

use super::super::claim;
use super::super::context::{Context, columns, fill, heads, print, print_json};
use super::super::{CliError, Exit};
use super::{no_case, refused};
use crate::claim::case::CaseState;
use crate::claim::evidence::missing;
use crate::claim::state::Claim;
use crate::night::cases::{self, World};
use crate::store::catalog;
use crate::store::claims;
use crate::wording::text;

pub(super) async fn list(context: &Context, all: bool, json: bool) -> Result<Exit, CliError> {
    let night = context.night(false);
    let mut tx = context.store.read().await?;
    let catalog = catalog::load(&mut tx, night.account(), night.today()).await?;
    let found = cases::standing(&night, &mut tx, &catalog, all).await?;
    if json {
        let listed: Vec<Value> = found
            .iter()
            .map(|one| {
                json!({
                    "case": one.case.number,
                    "order": one.case.subject.order,
                    "warehouse": one.case.subject.warehouse,
                    "kind": one.case.subject.kind,
                    "state": one.case.state,
                    "units": one.case.units(),
                    "party": one.case.against(),
                    "last_day": one.last_day,
                    "claims": one.claims.iter().map(|claim| claim.number.as_str()).collect::<Vec<_>>(),
                })
            })
            .collect();
        print_json(&json!({ "cases": listed }))?;
    } else if found.is_empty() {
        print(&text(context.lang, "cli.case.none", &[]))?;
    } else {
        let mut rows = vec![heads(context.lang, "cases")];
        rows.extend(found.iter().map(|one| {
            vec![
                one.case.number.clone(),
                one.case.subject.kind.text(context.lang),
                one.case.units().to_string(),
                one.case.subject.warehouse.to_string(),
                one.party_text(context.lang),
                one.last_day.map_or_else(|| "?".to_owned(), |day| day.to_string()),
                one.claims
                    .iter()
                    .map(|claim| claim.number.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            ]
        }));
        print(&columns(&rows))?;
    }
    let waits = found.iter().any(|one| one.case.state != CaseState::Closed);
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
        .filter(|claim| claim.asked.is_about(number))
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
            "photos_not_put_here": scene.photos_elsewhere(),
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
    for happened in case.happened(lang, scene.zone, night.today()) {
        out.push_str(&format!("{happened}\n"));
    }
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
    let photos = scene.photos_elsewhere();
    if !photos.is_empty() {
        let named = photos.join(&text(lang, "claim.comma", &[]));
        out.push_str(&format!(
            "{}\n",
            fill(lang, "cli.case.photos", &[("photos", named)])
        ));
    }
    for one in &own {
        out.push_str(&format!("{}\n", claim::line(one, lang)));
    }
    print(&out)?;
    Ok(Exit::Done)
}
