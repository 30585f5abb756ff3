//! `linkstar papers list|write`: any paper of an order, whoever gets it.

use std::path::Path;

use serde_json::json;

use super::{FactArgs, read_transport};
use crate::cli::context::{Context, columns, heads, print, print_json};
use crate::cli::{CliError, Exit, order, preview};
use crate::ids::OrderNo;
use crate::mapping::definition::Mapping;
use crate::mapping::model::DocumentContext;
use crate::night::gates::Basis;
use crate::problem::nearest;
use crate::store::orders::{self, StoredOrder};
use crate::store::{catalog, order_desk};
use crate::wording::text;

/// The order and everything its papers say beside it.
pub(super) async fn gather(
    context: &Context,
    number: &OrderNo,
    facts: &FactArgs,
) -> Result<(StoredOrder, DocumentContext), CliError> {
    let account = &context.config.account.id;
    let night = context.night(false);
    let mut tx = context.store.read().await?;
    let Some(stored) = orders::get(&mut tx, account, number).await? else {
        let known = orders::all(&mut tx, account).await?;
        return Err(order::unknown(&known, number.as_str()));
    };
    let all = catalog::load(&mut tx, account, night.today()).await?;
    let skus = stored.order.lines.iter().map(|line| &line.goods.sku);
    let basis = Basis::for_papers(&night, &mut tx, &all, skus).await?;
    // The same revision gives the same papers on whatever day they are written: they say the day it was issued.
    let documents = orders::documents(&mut tx, account, number).await?;
    let day = orders::written_on(&stored.order, &documents);
    let mut document = DocumentContext::new(day, number.as_str());
    document.previous = order_desk::revisions(&mut tx, account, number).await?.pop();
    document.pictures = basis.pictures;
    document.transport = read_transport(facts.transport.as_deref())?;
    document.inbound_no.clone_from(&facts.inbound_no);
    Ok((stored, document))
}

/// Ids of the mappings whose papers the order's forwarder gets.
fn sent<'c>(context: &'c Context, stored: &StoredOrder) -> Vec<&'c str> {
    let forwarders = context.config.forwarders.iter();
    forwarders
        .filter(|forwarder| forwarder.id == stored.order.forwarder)
        .flat_map(|forwarder| forwarder.documents.iter().map(String::as_str))
        .collect()
}

pub(super) async fn list(
    context: &Context,
    number: &OrderNo,
    facts: &FactArgs,
    as_json: bool,
) -> Result<Exit, CliError> {
    let (stored, document) = gather(context, number, facts).await?;
    let sent = sent(context, &stored);
    let fitting = context
        .tools
        .mappings
        .iter()
        .filter(|mapping| mapping.is_for(&stored.order));
    let found: Vec<_> = fitting
        .map(|mapping| {
            let problems = mapping.write(&stored.order, &document).err().unwrap_or_default();
            (mapping, sent.contains(&mapping.meta.id.as_str()), problems)
        })
        .collect();
    if as_json {
        let papers = found.iter().map(|(mapping, sent, problems)| {
            json!({"paper": mapping.meta.id, "name": mapping.title(context.lang), "sent": sent,
                "ready": problems.is_empty(), "problems": problems})
        });
        print_json(&json!({"order": number, "papers": papers.collect::<Vec<_>>()}))?;
        return Ok(Exit::Done);
    }
    let mut rows = vec![heads(context.lang, "papers")];
    rows.extend(found.iter().map(|(mapping, sent, problems)| {
        let key = if *sent {
            "cli.papers.sent"
        } else {
            "cli.papers.asked"
        };
        let state = match problems.first() {
            None => text(context.lang, "cli.papers.ready", &[]),
            Some(first) => {
                let count = problems.len().to_string();
                let first = first.to_string();
                text(
                    context.lang,
                    "cli.papers.lacks",
                    &[("n", &count), ("first", &first)],
                )
            }
        };
        vec![
            mapping.meta.id.clone(),
            mapping.title(context.lang),
            text(context.lang, key, &[]),
            state,
        ]
    }));
    print(&columns(&rows))?;
    Ok(Exit::Done)
}

pub(super) async fn write(
    context: &Context,
    number: &OrderNo,
    (papers, facts): (&[String], &FactArgs),
    (save, pdf, png): (&Path, bool, bool),
) -> Result<Exit, CliError> {
    let (stored, document) = gather(context, number, facts).await?;
    let wanted: Vec<&str> = match papers {
        [] => sent(context, &stored),
        some => some.iter().map(String::as_str).collect(),
    };
    let mut chosen: Vec<&Mapping> = Vec::new();
    for id in &wanted {
        let known = context.tools.mappings.iter();
        match known.clone().find(|mapping| mapping.meta.id == *id) {
            // The forwarder's list may name papers of other countries.
            Some(mapping) if papers.is_empty() && !mapping.is_for(&stored.order) => {}
            Some(mapping) => chosen.push(mapping),
            None => {
                let near = nearest(id, known.map(|mapping| mapping.meta.id.as_str()));
                let near = near.map(|near| format!(", perhaps {near}")).unwrap_or_default();
                return Err(CliError::Usage(format!("there is no paper `{id}`{near}")));
            }
        }
    }
    let mut problems = Vec::new();
    for mapping in chosen {
        match mapping.write(&stored.order, &document) {
            Ok(written) => preview::save(save, &written, pdf, png)?,
            Err(more) => problems.extend(more),
        }
    }
    for problem in &problems {
        eprintln!("{problem}");
    }
    Ok(if problems.is_empty() {
        Exit::Done
    } else {
        Exit::Findings
    })
}
