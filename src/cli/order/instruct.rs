//! `linkstar order instruct`: what the domestic warehouse works by.

use std::path::Path;

use super::super::context::Context;
use super::super::{CliError, Exit};
use super::amend::told;
use super::look::written;
use super::{unknown, usage};
use crate::calendar::civil_day;
use crate::ids::OrderNo;
use crate::mapping::model::DocumentContext;
use crate::mapping::packing_file::read_stock;
use crate::night::desk;
use crate::night::home_stock::{self, HomeStock, shortages};
use crate::store::{order_desk, orders};

/// The papers that the domestic warehouse works by: the instruction as workbook and as PDF, and the marks of the cartons.
const FOR_THE_WAREHOUSE: [&str; 2] = ["outbound-instruction", "carton-marks"];
/// As many labels as units: on request, because most goods come labelled from the factory.
const UNIT_LABELS: &str = "unit-labels";

pub(super) struct Wanted<'a> {
    pub save: &'a Path,
    pub stock: Option<&'a Path>,
    pub unit_labels: bool,
}

pub(super) async fn run(
    context: &Context,
    number: &OrderNo,
    Wanted {
        save,
        stock,
        unit_labels,
    }: Wanted<'_>,
    scan_asked_by: Option<&str>,
) -> Result<Exit, CliError> {
    let account = &context.config.account.id;
    let night = context.night(false);
    if let Some(by) = scan_asked_by {
        let mut tx = context.store.write().await?;
        match desk::ask_for_scan(&night, &mut tx, number, by).await {
            Ok(()) => tx.commit().await?,
            Err(error) => return Err(told(&night, &mut tx, number, error).await?),
        }
    }
    let mut tx = context.store.read().await?;
    let Some(stored) = orders::get(&mut tx, account, number).await? else {
        return Err(unknown(&orders::all(&mut tx, account).await?, number.as_str()));
    };
    let mut paper = DocumentContext::new(
        civil_day(context.clock.now(), context.config.account.zone),
        number.as_str(),
    );
    paper.previous = order_desk::revisions(&mut tx, account, number).await?.pop();
    let there = match stock {
        Some(path) => {
            let bytes = std::fs::read(path).map_err(|source| CliError::File {
                what: "read",
                path: path.to_owned(),
                source,
            })?;
            let units =
                read_stock(&path.display().to_string(), &bytes).map_err(|problems| usage(&problems))?;
            Some(HomeStock::listed(units))
        }
        None => home_stock::known(&night, &mut tx, &stored.order).await?,
    };
    if let Some(there) = &there {
        paper.domestic_stock.clone_from(&there.units);
    }
    std::fs::create_dir_all(save).map_err(|source| CliError::File {
        what: "create",
        path: save.to_owned(),
        source,
    })?;
    let mut problems = Vec::new();
    for mapping in &context.tools.mappings {
        let document = mapping.meta.document.as_str();
        let wanted = FOR_THE_WAREHOUSE.contains(&document) || unit_labels && document == UNIT_LABELS;
        if !wanted || !mapping.is_for(&stored.order) {
            continue;
        }
        match mapping.write(&stored.order, &paper) {
            Ok(document) => written(&save.join(&document.file_name), &document.bytes)?,
            Err(more) => problems.extend(more),
        }
    }
    if !problems.is_empty() {
        return Err(usage(&problems));
    }
    let short = there.map_or_else(Vec::new, |there| shortages(&stored.order, &there));
    for problem in &short {
        eprintln!("{problem}");
    }
    Ok(if short.is_empty() {
        Exit::Done
    } else {
        Exit::Findings
    })
}
