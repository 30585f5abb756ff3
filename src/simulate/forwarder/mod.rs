//! The forwarder's operator: reads what was dropped into `in`, books it, and reports receipts into `out`.

mod instructions;
mod receipts;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::NaiveTime;
use serde_json::json;

use super::truth::{Announcement, Carton, Place, World};
use super::{Shared, WorldError};
use instructions::{Instructions, Unreadable};

/// Files larger than this are refused unread.
const MAX_FILE: u64 = 16 * 1024 * 1024;
/// Names that still belong to the sender.
const UNFINISHED: [&str; 4] = [".part", ".tmp", ".filepart", ".uploading"];

pub struct Operator {
    shared: Arc<Shared>,
    incoming: PathBuf,
    outgoing: PathBuf,
    read: BTreeSet<String>,
    /// Booked, not taken over yet.
    to_collect: BTreeSet<String>,
    /// Receipt rows already reported, and reports written, per order.
    reported: BTreeMap<String, (usize, usize)>,
    reports: usize,
}

/// What one look into `in` and one round of reporting did.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Round {
    pub booked: Vec<String>,
    /// Orders whose goods he took over.
    pub collected: Vec<String>,
    /// File name and reason.
    pub rejected: Vec<(String, String)>,
    /// Receipt reports written to `out`.
    pub reports: Vec<String>,
}

impl Operator {
    pub fn new(shared: Arc<Shared>, root: &Path) -> Self {
        // Finished shipments are history; of those under way everything is still to be reported.
        let reported = shared.with_world(|world| {
            let open = &world.opening_files().open_orders;
            world
                .shipments()
                .iter()
                .map(|(order, shipment)| {
                    let told = if open.contains(order) {
                        0
                    } else {
                        shipment.receipts.len()
                    };
                    (order.clone(), (told, 0))
                })
                .collect()
        });
        Self {
            shared,
            incoming: root.join("in"),
            outgoing: root.join("out"),
            read: BTreeSet::new(),
            to_collect: BTreeSet::new(),
            reported,
            reports: 0,
        }
    }

    /// Books every complete instruction that was not read before.
    pub fn take_in(&mut self, round: &mut Round) -> Result<(), WorldError> {
        let mut names: Vec<String> = Vec::new();
        let failed = || WorldError::io("list the forwarder's folder `in`");
        for entry in fs::read_dir(&self.incoming).map_err(failed())? {
            let entry = entry.map_err(failed())?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let finished = !name.starts_with('.') && !UNFINISHED.iter().any(|end| name.ends_with(end));
            if finished && name.to_ascii_lowercase().ends_with(".xml") && !self.read.contains(&name) {
                names.push(name);
            }
        }
        names.sort();
        for name in names {
            let path = self.incoming.join(&name);
            let size = fs::metadata(&path)
                .map_err(WorldError::io(format!("look at `{name}`")))?
                .len();
            let outcome = if size > MAX_FILE {
                Err(Unreadable::Reason(format!(
                    "{size} bytes are more than the {MAX_FILE} we read"
                )))
            } else {
                let bytes = fs::read(&path).map_err(WorldError::io(format!("read `{name}`")))?;
                self.book(&bytes)
            };
            self.read.insert(name.clone());
            match outcome {
                Ok(order) => round.booked.push(order),
                Err(Unreadable::OtherDocument) => {}
                Err(Unreadable::Reason(reason)) => {
                    let text = format!("REJECTED {name}\n{reason}\n");
                    self.write_out(&format!("rejected-{name}.txt"), text.as_bytes())?;
                    round.rejected.push((name, reason));
                }
            }
        }
        Ok(())
    }

    fn book(&mut self, bytes: &[u8]) -> Result<String, Unreadable> {
        let instructions = instructions::read(bytes)?;
        let order = instructions.order.clone();
        self.shared.with_world(|world| {
            let announcement = announcement(world, instructions)?;
            world
                .announce(announcement)
                .map_err(|refusal| Unreadable::Reason(refusal.to_string()))
        })?;
        self.to_collect.insert(order.clone());
        Ok(order)
    }

    /// Confirms what he has collected since he last looked: cartons and units as he took them over.
    fn confirm(&mut self, round: &mut Round) -> Result<(), WorldError> {
        let mut collected = Vec::new();
        self.shared.with_world(|world| {
            for order in &self.to_collect {
                if let Some(shipment) = world.shipments().get(order).filter(|s| s.handed_over) {
                    let units: i64 = shipment.lines.iter().map(|line| line.announced).sum();
                    let confirmation = json!({
                        "order": order,
                        "inbound_no": shipment.inbound_no,
                        "warehouse": shipment.place.code(),
                        "mode": shipment.mode.code(),
                        "cartons": shipment.cartons.len(),
                        "units": units,
                        "accepted_at": shipment.milestone("handed_over"),
                    });
                    collected.push((order.clone(), format!("{confirmation:#}\n")));
                }
            }
        });
        for (order, text) in collected {
            self.write_out(&format!("confirmed-{}.json", file_part(&order)), text.as_bytes())?;
            self.to_collect.remove(&order);
            round.collected.push(order);
        }
        Ok(())
    }

    /// Confirms collections, and writes one report per Amazon shipment that has something new; CSV and XLSX take turns.
    pub fn report(&mut self, round: &mut Round) -> Result<(), WorldError> {
        self.confirm(round)?;
        let mut files = Vec::new();
        let (reported, reports) = (&mut self.reported, &mut self.reports);
        self.shared.with_world(|world| {
            for (order, shipment) in world.shipments().iter().filter(|(_, s)| s.place == Place::Amazon) {
                let (rows, count) = reported.entry(order.clone()).or_default();
                let fresh = shipment.receipts.get(*rows..).unwrap_or_default();
                if fresh.is_empty() {
                    continue;
                }
                *rows = shipment.receipts.len();
                *count += 1;
                let spreadsheet = *reports % 2 == 1;
                *reports += 1;
                let end = if spreadsheet { "xlsx" } else { "csv" };
                let name = format!("receipt-{}-{count:02}.{end}", file_part(order));
                files.push((name, receipts::write(shipment, fresh, spreadsheet)));
            }
        });
        for (name, bytes) in files {
            self.write_out(&name, &bytes?)?;
            round.reports.push(name);
        }
        Ok(())
    }

    /// Under a hidden name first, so that nobody fetches half a file.
    fn write_out(&self, name: &str, bytes: &[u8]) -> Result<(), WorldError> {
        let hidden = self.outgoing.join(format!(".{name}.part"));
        fs::write(&hidden, bytes)
            .and_then(|()| fs::rename(&hidden, self.outgoing.join(name)))
            .map_err(WorldError::io(format!("write `{name}` for the sender")))
    }
}

/// An order number as part of a file name.
fn file_part(order: &str) -> String {
    order
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "-_.".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect()
}

/// The instruction in the world's terms; without carton contents the operator packs full cartons himself.
fn announcement(world: &World, instructions: Instructions) -> Result<Announcement, Unreadable> {
    let Instructions {
        order,
        place,
        mode,
        pickup,
        lines,
        cartons,
    } = instructions;
    let mut resolved = Vec::new();
    let mut unknown = Vec::new();
    for (code, units) in &lines {
        match world.assortment().find(code) {
            Some(good) => resolved.push((code.clone(), good, *units)),
            None => unknown.push(format!("`{code}`")),
        }
    }
    if !unknown.is_empty() {
        return Err(Unreadable::Reason(format!(
            "order `{order}`: unknown goods {}",
            unknown.join(", ")
        )));
    }
    let mut packed = Vec::new();
    for (mark, contents) in cartons {
        let mut inside = Vec::new();
        for (code, units) in contents {
            let line = lines.iter().position(|(known, _)| *known == code);
            let line = line.ok_or_else(|| {
                Unreadable::Reason(format!(
                    "order `{order}`: carton `{mark}` holds `{code}`, which no line sends"
                ))
            })?;
            inside.push((line, units));
        }
        packed.push(Carton {
            mark,
            contents: inside,
        });
    }
    if packed.is_empty() {
        packed = pack(world, &order, &resolved);
    }
    Ok(Announcement {
        order,
        place,
        mode,
        // Eight in the morning in Shenzhen.
        ready_at: pickup.map(|day| day.and_time(NaiveTime::MIN).and_utc()),
        lines: resolved,
        cartons: packed,
    })
}

fn pack(world: &World, order: &str, lines: &[(String, usize, i64)]) -> Vec<Carton> {
    let mut cartons: Vec<Carton> = Vec::new();
    for (line, (_, good, units)) in lines.iter().enumerate() {
        let full = world
            .assortment()
            .goods
            .get(*good)
            .map_or(1, |good| good.carton_units)
            .max(1);
        let mut left = *units;
        while left > 0 {
            let mark = format!("{order}U{:06}", cartons.len() + 1);
            cartons.push(Carton {
                mark,
                contents: vec![(line, left.min(full))],
            });
            left -= full;
        }
    }
    cartons
}
