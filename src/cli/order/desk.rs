//! `linkstar order new|edit|check|issue|pack|scan|split|merge`.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use serde_json::json;

use super::super::args::OrderCommand;
use super::super::context::{Context, fill, print, print_json};
use super::super::{CliError, Exit};
use super::amend::{parse, told};
use super::{look, usage};
use crate::ids::{OrderNo, Sku};
use crate::mapping::packing_file::read_stock;
use crate::mapping::photo_list::picture_fault;
use crate::night::amend::AmendError;
use crate::night::desk::{self, Done, PackingList, Seen, Wish, is_stopped, parts};
use crate::night::home_stock::HomeStock;
use crate::quantity::kilograms;
use crate::store::Tx;

fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    std::fs::read(path).map_err(|source| CliError::File {
        what: "read",
        path: path.to_owned(),
        source,
    })
}

fn named(path: &Path) -> String {
    path.file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// What was done, committed; what stands in the way, told.
async fn settled<T>(
    context: &Context,
    mut tx: Tx,
    number: &OrderNo,
    done: Result<T, AmendError>,
) -> Result<T, CliError> {
    match done {
        Ok(done) => {
            tx.commit().await?;
            Ok(done)
        }
        Err(error) => {
            let night = context.night(false);
            Err(told(&night, &mut tx, number, error).await?)
        }
    }
}

fn shown(context: &Context, done: &Done, line: &str, json: bool) -> Result<Exit, CliError> {
    let stopped = is_stopped(done);
    if json {
        print_json(&json!({
            "order": done.order.number,
            "revision": done.order.revision,
            "stopped": stopped,
            "problems": done.findings,
        }))?;
    } else {
        print(line)?;
        if !done.findings.is_empty() {
            print(&look::findings(context.lang, &done.findings))?;
        }
    }
    Ok(if stopped { Exit::Findings } else { Exit::Done })
}

pub(super) async fn run(context: &Context, command: &OrderCommand) -> Result<Exit, CliError> {
    let night = context.night(false);
    let lang = context.lang;
    let say = |key: &str, places: &[(&str, String)]| fill(lang, &format!("cli.order.{key}"), places);
    match command {
        OrderCommand::New {
            to,
            mode,
            lines,
            file,
            by,
            json,
            ..
        } => {
            let wish = Wish {
                warehouse: to.clone(),
                mode: *mode,
                units: wanted(lines, file.as_deref())?,
            };
            let mut tx = context.store.write().await?;
            match desk::new(&night, &mut tx, &wish, by).await {
                Ok(done) => {
                    tx.commit().await?;
                    let line = say("drafted", &[("order", done.order.number.to_string())]);
                    let shown = shown(context, &done, &line, *json)?;
                    // A draft may lack what its booking needs: that is its problem list, and not a failure of this command.
                    Ok(if is_stopped(&done) { Exit::Findings } else { shown })
                }
                Err(AmendError::Problems(problems)) => Err(usage(&problems)),
                Err(AmendError::Store(error)) => Err(error.into()),
                Err(error) => Err(CliError::Usage(crate::night::step::chain(&error))),
            }
        }
        OrderCommand::Edit {
            order,
            why,
            units,
            mode,
            json,
        } => {
            let units = parse(units, 0)?;
            let mut tx = context.store.write().await?;
            let edited = desk::edit(&night, &mut tx, order, (&units, *mode), (&why.reason, &why.by)).await;
            let done = settled(context, tx, order, edited).await?;
            shown(
                context,
                &done,
                &say("drafted", &[("order", order.to_string())]),
                *json,
            )
        }
        OrderCommand::Check { order, json, .. } => {
            let mut tx = context.store.write().await?;
            let checked = desk::check(&night, &mut tx, order).await;
            let done = settled(context, tx, order, checked).await?;
            shown(context, &done, order.as_str(), *json)
        }
        OrderCommand::Issue {
            order,
            reason,
            by,
            json,
            ..
        } => {
            let mut tx = context.store.write().await?;
            let issued = desk::issue(&night, &mut tx, order, (reason.as_deref(), by)).await;
            let issued = settled(context, tx, order, issued).await?;
            let stops = issued
                .done
                .findings
                .iter()
                .filter(|one| one.level.stops())
                .count();
            let line = if issued.documents > 0 {
                say(
                    "issued",
                    &[
                        ("order", order.to_string()),
                        ("documents", issued.documents.to_string()),
                    ],
                )
            } else {
                say("held", &[("order", order.to_string()), ("n", stops.to_string())])
            };
            shown(context, &issued.done, &line, *json)
        }
        OrderCommand::Pack {
            order,
            file,
            pallets,
            stock,
            beyond_stock,
            by,
            ..
        } => {
            let stock = match stock {
                Some(path) => {
                    let read = read_stock(&named(path), &read(path)?);
                    Some(HomeStock::listed(read.map_err(|problems| usage(&problems))?))
                }
                None => None,
            };
            let (name, bytes) = (named(file), read(file)?);
            let pallets = match pallets {
                Some(path) => Some((named(path), read(path)?)),
                None => None,
            };
            let list = PackingList {
                name: &name,
                bytes: &bytes,
                pallets: pallets
                    .as_ref()
                    .map(|(name, bytes)| (name.as_str(), bytes.as_slice())),
                stock: stock.as_ref(),
                beyond_stock: beyond_stock.as_deref(),
            };
            let mut tx = context.store.write().await?;
            let packed = desk::pack(&night, &mut tx, order, &list, by).await;
            let (done, _) = settled(context, tx, order, packed).await?;
            let totals = done.order.totals();
            let places = [
                ("order", order.to_string()),
                ("cartons", totals.cartons.to_string()),
                ("gross", kilograms(totals.gross_g).to_string()),
                ("revision", done.order.revision.to_string()),
            ];
            shown(context, &done, &say("packed", &places), false)
        }
        OrderCommand::Scan {
            order,
            file,
            photos,
            folder,
            by,
            ..
        } => {
            let Some(path) = photos.as_ref().or(file.as_ref()) else {
                return Err(CliError::Usage("wanted --file or --photos".to_owned()));
            };
            let bytes = read(path)?;
            let pictures = folder.as_deref().map(pictures).transpose()?;
            let name = named(path);
            let seen = match photos {
                Some(_) => Seen::Photos(&name, &bytes, pictures.as_ref()),
                None => Seen::Codes(&name, &bytes),
            };
            let mut tx = context.store.write().await?;
            let scanned = desk::scan(&night, &mut tx, order, seen, by).await;
            let scan = settled(context, tx, order, scanned).await?;
            let places = [
                ("order", order.to_string()),
                ("scanned", scan.scanned.to_string()),
                ("findings", scan.findings.len().to_string()),
            ];
            print(&say("scanned", &places))?;
            for finding in &scan.findings {
                print(&finding.to_string())?;
            }
            Ok(if scan.findings.is_empty() {
                Exit::Done
            } else {
                Exit::Findings
            })
        }
        OrderCommand::Split { order, why, units } => {
            let units = parse(units, 1)?;
            let mut tx = context.store.write().await?;
            let split = parts::split(&night, &mut tx, order, &units, (&why.reason, &why.by)).await;
            let (done, new) = settled(context, tx, order, split).await?;
            let places = [("order", order.to_string()), ("new", new.to_string())];
            shown(context, &done, &say("split", &places), false)
        }
        OrderCommand::Merge { order, other, why } => {
            let mut tx = context.store.write().await?;
            let merged = parts::merge(&night, &mut tx, (order, other), (&why.reason, &why.by)).await;
            let done = settled(context, tx, order, merged).await?;
            let places = [("order", order.to_string()), ("other", other.to_string())];
            shown(context, &done, &say("merged", &places), false)
        }
        _ => Err(CliError::Usage("this order command has no desk".to_owned())),
    }
}

/// The pictures of a folder, each with what is wrong with it.
fn pictures(folder: &Path) -> Result<BTreeMap<String, Option<&'static str>>, CliError> {
    let failed = |source| CliError::File {
        what: "read",
        path: folder.to_owned(),
        source,
    };
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let meta = entry.metadata().map_err(failed)?;
        if !meta.is_file() {
            continue;
        }
        let mut head = Vec::new();
        let file = std::fs::File::open(entry.path()).map_err(failed)?;
        file.take(16).read_to_end(&mut head).map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        all.insert(name, picture_fault(meta.len(), &head));
    }
    Ok(all)
}

/// The lines of `--line` and of `--file` together.
fn wanted(lines: &[String], file: Option<&Path>) -> Result<BTreeMap<Sku, i64>, CliError> {
    // A quantity of 0 is refused with the order's other faults.
    let mut units = parse(lines, i64::MIN)?;
    if let Some(path) = file {
        let more = read_stock(&named(path), &read(path)?).map_err(|problems| usage(&problems))?;
        for (sku, n) in more {
            if units.contains_key(&sku) {
                return Err(CliError::Usage(format!("`{sku}` stands in --line and in --file")));
            }
            units.insert(sku, n);
        }
    }
    Ok(units)
}
