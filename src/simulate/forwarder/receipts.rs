//! Receipt reports as the forwarder sends them: one table, as CSV or as a workbook.

use chrono::{DateTime, SecondsFormat, TimeZone as _, Utc};
use rust_xlsxwriter::{DocProperties, Workbook, XlsxError};

use crate::simulate::WorldError;
use crate::simulate::truth::{Receipt, Shipment};

pub const COLUMNS: [&str; 6] = ["reference", "carton", "sku", "kind", "units", "at"];

struct Row<'a> {
    reference: &'a str,
    carton: &'a str,
    sku: &'a str,
    kind: &'static str,
    units: i64,
    at: String,
}

fn rows<'a>(shipment: &'a Shipment, receipts: &[Receipt]) -> Vec<Row<'a>> {
    receipts
        .iter()
        .filter_map(|receipt| {
            Some(Row {
                reference: &shipment.order,
                carton: &shipment.cartons.get(receipt.carton)?.mark,
                sku: &shipment.lines.get(receipt.line)?.code,
                kind: receipt.kind.code(),
                units: receipt.units,
                at: receipt.at.to_rfc3339_opts(SecondsFormat::Secs, true),
            })
        })
        .collect()
}

pub fn write(shipment: &Shipment, receipts: &[Receipt], spreadsheet: bool) -> Result<Vec<u8>, WorldError> {
    let rows = rows(shipment, receipts);
    if spreadsheet {
        workbook(&rows, shipment.announced_at).map_err(WorldError::setup("write a receipt workbook"))
    } else {
        text(&rows).map_err(WorldError::setup("write a receipt table"))
    }
}

fn text(rows: &[Row<'_>]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for row in rows {
        let units = row.units.to_string();
        writer.write_record([row.reference, row.carton, row.sku, row.kind, &units, &row.at])?;
    }
    writer.flush()?;
    writer
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))
}

/// The creation date inside the file is the shipment's, so that the same report has the same bytes.
fn workbook(rows: &[Row<'_>], made: DateTime<Utc>) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let made = Utc.timestamp_opt(made.timestamp(), 0).single().unwrap_or(made);
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&made));
    let sheet = workbook.add_worksheet().set_name("receipts")?;
    for (column, title) in (0_u16..).zip(COLUMNS) {
        sheet.write(0, column, title)?;
    }
    for (line, row) in (1_u32..).zip(rows) {
        for (column, cell) in (0_u16..).zip([row.reference, row.carton, row.sku, row.kind]) {
            sheet.write(line, column, cell)?;
        }
        sheet.write(line, 4, row.units)?;
        sheet.write(line, 5, row.at.as_str())?;
    }
    workbook.save_to_buffer()
}
