//! Every reader of foreign bytes as a function of bytes, with inputs to begin with. The test `fuzz` spoils those at random;
//! the programs of `fuzz/fuzz_targets` are guided by coverage. Neither may see a panic, an endless loop or a flood of memory.

pub mod dressed;
pub mod seeds;
mod wrapped;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::NaiveDate;
use linkstar::claim::rules::ClaimRules;
use linkstar::config::{RetentionRules, load_text};
use linkstar::connector::definition::RecordKind;
use linkstar::connector::scrub::Scrub;
use linkstar::connector::{Definition, decode, draft, run_tests};
use linkstar::ids::WarehouseCode;
use linkstar::mapping::definition::{Mapping, builtin, builtin_file};
use linkstar::mapping::inbound::{self, Document, Inbound};
use linkstar::mapping::json::{Json, JsonSchema};
use linkstar::mapping::label::{code128, pdf, zpl};
use linkstar::mapping::model::DocumentContext;
use linkstar::mapping::receipt_file::{self, Teller};
use linkstar::mapping::table::{self, Limits};
use linkstar::mapping::xlsx::draft::Purpose;
use linkstar::mapping::xlsx::{At, Want, carton_ranges, image, insert_rows, write_cells};
use linkstar::mapping::xml::schema::{SCHEMA_NAMES, SchemaSet};
use linkstar::mapping::{
    catalog_file, certificate_file, mail_file, packing_file, pallet_file, plan_folder, xlsx,
};
use linkstar::order::StockingOrder;
use linkstar::pack::Tariff;
use linkstar::report::decisions;
use linkstar::store::archive::read_dossier;

use self::wrapped::Shelf;
use super::orders;

pub struct Reader {
    pub name: &'static str,
    pub run: fn(&[u8]),
    pub seeds: fn() -> Vec<Vec<u8>>,
}

macro_rules! readers {
    ($($name:ident),* $(,)?) => {
        pub const ALL: &[Reader] = &[$(Reader { name: stringify!($name), run: $name, seeds: seeds::$name }),*];
    };
}

readers!(
    workbook,
    workbook_parts,
    template,
    edited_papers,
    text_tables,
    xml,
    json,
    receipts,
    inbound_files,
    mails,
    mapping_toml,
    declared_toml,
    carton_ranges_text,
    lists,
    plan_folders,
    connector_body,
    packed,
    labels_and_pictures,
);

const CUSTOMS_TEMPLATE: &[u8] = include_bytes!("../../../mappings/templates/wimoor-Invoice.xlsx");
pub const ROW_PER_SKU: &[u8] = include_bytes!("../../../tests/fixtures/documents/row-per-sku.xlsx");
const ROW_PER_SKU_MAPPING: &str = include_str!("../../../tests/fixtures/documents/row-per-sku.toml");
/// A sheet of [`ROW_PER_SKU`], and one its formulas and lists point to.
pub const SHEETS: [&str; 2] = ["货物 明细", "渠道"];

/// An order with its context: what papers are written of and compared with.
type Scene = (StockingOrder, DocumentContext);

fn scene(seed: u64, country: &str) -> Scene {
    let order = orders::declared(seed, country);
    let context = orders::context(&order, seed);
    (order, context)
}

static TO_GB: LazyLock<Scene> = LazyLock::new(|| scene(4, "GB"));
static TO_US: LazyLock<Scene> = LazyLock::new(|| scene(4, "US"));

static MAPPINGS: LazyLock<Vec<Mapping>> = LazyLock::new(|| builtin().expect("the built-in mappings"));

fn written(id: &str, (order, context): &Scene) -> Vec<u8> {
    let mapping = MAPPINGS.iter().find(|mapping| mapping.meta.id == id);
    let written = mapping.expect("a built-in mapping").write(order, context);
    written.expect("written").bytes
}

/// Whatever is a workbook, as each reader of workbooks takes it.
pub fn workbook(bytes: &[u8]) {
    for name in ["t.xlsx", "t.xls"] {
        let _ = table::read(name, bytes, &Limits::default());
    }
    let _ = decisions::read("d.xlsx", bytes);
    let _ = xlsx::draft::draft("t.xlsx", bytes, &PURPOSE);
    let _ = draft::draft_of_export("s", RecordKind::Stock, ("s.xlsx", bytes));
}

const PURPOSE: Purpose<'static> = Purpose {
    id: "f",
    document: "booking",
    party: None,
    country: None,
};

static WORKBOOKS: LazyLock<Shelf> = LazyLock::new(|| {
    Shelf::new(&[
        ROW_PER_SKU,
        &seeds::answered_mail(),
        &written("packing-list", &TO_GB),
        &dressed::prefixed(ROW_PER_SKU),
        &dressed::with_pivot(ROW_PER_SKU),
    ])
});

/// One part of a workbook spoilt.
pub fn workbook_parts(input: &[u8]) {
    if let Some(bytes) = WORKBOOKS.with(input) {
        workbook(&bytes);
    }
}

static TEMPLATES: LazyLock<Shelf> = LazyLock::new(|| {
    Shelf::new(&[
        ROW_PER_SKU,
        CUSTOMS_TEMPLATE,
        &dressed::prefixed(ROW_PER_SKU),
        &dressed::with_pivot(ROW_PER_SKU),
    ])
});

/// One part of a forwarder's template spoilt: filled, written into, and rows put into it.
pub fn template(input: &[u8]) {
    let Some(bytes) = TEMPLATES.with(input) else {
        return;
    };
    let (order, context) = &*TO_GB;
    if let Ok(mapping) = Mapping::parse("x.toml", ROW_PER_SKU_MAPPING, &|_| Some(bytes.clone())) {
        let _ = mapping.write(order, context);
    }
    for sheet in SHEETS {
        let _ = insert_rows(&bytes, sheet, 7, 3);
        let at = At { row: 8, column: 2 };
        let _ = write_cells(&bytes, sheet, &[(at, Want::Text("=1+1".to_owned()))]);
    }
}

/// Papers that come back edited, by the mapping that wrote them; the workbook by its parts.
const EDITED: [(&str, &str); 6] = [
    ("ubl-packing-list", "p.xml"),
    ("dcsa-booking", "p.json"),
    ("carton-mark", "p.pdf"),
    ("carton-mark-zpl", "p.zpl"),
    ("packing-list", "p.xlsx"),
    ("outbound-instruction-pdf", "p.pdf"),
];

static EDITED_BOOK: LazyLock<Shelf> = LazyLock::new(|| Shelf::new(&[&written("packing-list", &TO_GB)]));

/// The first byte says which paper, the others are what it now says.
pub fn edited_papers(input: &[u8]) {
    let Some((choice, content)) = input.split_first() else {
        return;
    };
    let compare = |id: &str, name: &str, bytes: &[u8]| {
        let (order, context) = if id == "dcsa-booking" { &*TO_US } else { &*TO_GB };
        let _ = Mapping::compare(&MAPPINGS, Some(id), (name, bytes), order, context);
    };
    match EDITED.get(usize::from(*choice)) {
        Some((id, name)) => compare(id, name, content),
        None => {
            if let Some(bytes) = EDITED_BOOK.with(content) {
                compare("packing-list", "p.xlsx", &bytes);
            }
        }
    }
}

/// Text with commas, semicolons or tabs in any encoding, and HTML that calls itself a workbook.
pub fn text_tables(bytes: &[u8]) {
    for name in ["t.csv", "t.tsv", "t.xls", "t.html"] {
        let _ = table::read(name, bytes, &Limits::default());
    }
    let _ = draft::draft_of_export("s", RecordKind::Stock, ("s.csv", bytes));
}

fn validate(file: &str, bytes: &[u8], is_json: bool) {
    for name in SCHEMA_NAMES {
        let set = SchemaSet::named(name).expect("carried").expect("compiles");
        if set.is_json() == is_json {
            let _ = set.validate(file, bytes);
        }
    }
}

pub fn xml(bytes: &[u8]) {
    validate("x.xml", bytes, false);
}

pub fn json(bytes: &[u8]) {
    if let Ok(json) = Json::read("x.json", bytes) {
        let again = json.write();
        assert!(Json::read("x.json", &again).is_ok(), "what is written is read");
    }
    validate("x.json", bytes, true);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = JsonSchema::read("x.json", text);
    }
}

/// X12 944 and 861, UBL ReceiptAdvice, tables.
pub fn receipts(bytes: &[u8]) {
    static WAREHOUSE: LazyLock<WarehouseCode> =
        LazyLock::new(|| WarehouseCode::new("goodcang:UKMA").expect("a code"));
    let teller = Teller {
        warehouse: &WAREHOUSE,
        zone: chrono_tz::Europe::London,
        packs: &|_, _| None,
        is_ours: &|text| text.starts_with("SO-"),
    };
    let _ = receipt_file::read("r", bytes, &teller);
    let _ = receipt_file::texts("r", bytes);
}

/// Confirmations, rejections, tracking lists, bills, notices of customs.
pub fn inbound_files(bytes: &[u8]) {
    static ALL: LazyLock<Vec<Inbound>> = LazyLock::new(|| inbound::builtin().expect("the built-in mappings"));
    let document = Document::new("file", bytes);
    let _ = inbound::read(&ALL, None, &document, chrono_tz::Asia::Shanghai);
    let _ = document.broken();
    let _ = document.first_rows();
}

pub fn mails(bytes: &[u8]) {
    let _ = mail_file::is_mail(bytes);
    let _ = mail_file::attachments(bytes);
    let _ = linkstar::delivery::read_bounce(bytes);
}

/// Mappings, out and in; one that reads is used.
pub fn mapping_toml(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let (order, context) = &*TO_US;
    if let Ok(mapping) = Mapping::parse("x.toml", text, &builtin_file) {
        let _ = mapping.write(order, context);
    }
    if let Ok(mapping) = Inbound::parse("x.toml", text) {
        let _ = inbound::run_tests(&mapping);
    }
}

/// The other files of the trade: rule packs, tariffs, deadlines, milestones, claims, retention, connectors, configuration.
pub fn declared_toml(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    static RULES: LazyLock<linkstar::order::rules::RuleBook> =
        LazyLock::new(|| linkstar::order::rules::RuleBook::shipped().expect("the shipped packs"));
    let _ = RULES.clone().add("x.toml", text);
    let _ = Tariff::read("x.toml", text);
    let _ = linkstar::deadline::RuleBook::parse("x.toml", text);
    let _ = linkstar::ledger::milestone::Words::default().and(text, "x.toml");
    let _ = ClaimRules::default().and(text, "x.toml");
    let _ = RetentionRules::parse("x.toml", text);
    if let Ok(definition) = Definition::parse("x.toml", text) {
        let _ = run_tests(&definition);
    }
    let _ = load_text("x.toml", text, "/".as_ref(), &|_| None);
}

pub fn carton_ranges_text(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(numbers) = carton_ranges::parse(text)
    {
        let again = carton_ranges::parse(&carton_ranges::shown(&numbers));
        assert_eq!(again.ok(), Some(numbers), "what is shown is read");
    }
}

/// Packing and pallet lists, stock, certificates, and the five tables of the catalog.
pub fn lists(bytes: &[u8]) {
    let (order, _) = &*TO_GB;
    let _ = packing_file::read_packing("p.csv", bytes, order);
    let _ = pallet_file::read_pallets("p.csv", bytes, &order.cartons);
    let _ = packing_file::read_stock("s.csv", bytes);
    let _ = certificate_file::read("c.csv", bytes);
    if let Ok(table) = table::read("t.csv", bytes, &Limits::default()) {
        let _ = catalog_file::parse_items(&table);
        let _ = catalog_file::parse_codes(&table);
        let _ = catalog_file::parse_certificates(&table);
        let _ = catalog_file::parse_warehouses(&table);
        let _ = catalog_file::parse_lanes(&table);
    }
}

/// The folder a plan is made of: files apart by a zero byte, the name of each in its first line.
pub fn plan_folders(input: &[u8]) {
    let files: BTreeMap<String, Vec<u8>> = input
        .split(|byte| *byte == 0)
        .filter_map(|file| {
            let end = file.iter().position(|byte| *byte == b'\n')?;
            let name = std::str::from_utf8(&file[..end]).ok()?;
            Some((name.to_owned(), file[end + 1..].to_vec()))
        })
        .collect();
    let day = NaiveDate::from_ymd_opt(2026, 11, 23).expect("a day");
    let _ = plan_folder::read(&files, day);
}

/// A connector and one of its own test pages, by their places.
type Pages = Vec<(usize, usize)>;

/// The built-in connectors, and which of their pages an input may stand for.
static CONNECTORS: LazyLock<(Vec<Definition>, Pages)> = LazyLock::new(|| {
    let definitions: Vec<Definition> = seeds::CONNECTORS
        .iter()
        .map(|(name, text)| Definition::parse(name, text).expect("a built-in connector"))
        .collect();
    let pages = definitions.iter().enumerate();
    let pages = pages.flat_map(|(at, one)| (0..one.file.test.len()).map(move |page| (at, page)));
    let pages = pages.collect();
    (definitions, pages)
});

/// The first two bytes say which stream of which connector, the others are its answer: decoded, mapped, scrubbed.
pub fn connector_body(input: &[u8]) {
    let Some((choice, body)) = input.split_at_checked(2) else {
        return;
    };
    let (definitions, pages) = &*CONNECTORS;
    let choice = usize::from(choice[0]) + usize::from(choice[1]) * 256;
    let (at, page) = pages[choice % pages.len()];
    let mut definition = definitions[at].clone();
    let mut test = definition.file.test.swap_remove(page);
    definition.file.request_test.clear();
    test.page = String::from_utf8_lossy(body).into_owned();
    let how = definition.file.stream.get(test.stream.get_ref().as_str());
    if let Some(how) = how.map(|stream| &stream.decode)
        && let Ok(bytes) = decode::unpack(how, body, 16 << 20)
    {
        let _ = decode::parse(how, &bytes, &linkstar::connector::tree::Want::all());
    }
    definition.file.test = vec![test];
    let _ = run_tests(&definition);
    let _ = Scrub::new([], [], Vec::new()).body(body);
}

/// Archives and gzip, and the dossier of an order.
pub fn packed(bytes: &[u8]) {
    let _ = decode::gunzip(bytes, 16 << 20);
    let _ = decode::unzip(bytes, None, 16 << 20);
    let _ = read_dossier(bytes);
    let scrub = Scrub::new(["Buyer"], [], vec![("secret".to_owned(), "S".to_owned())]);
    let _ = scrub.body(bytes);
    let _ = scrub.exported(bytes);
}

/// Labels read back, bars decoded, pictures and papers looked at before they are kept.
pub fn labels_and_pictures(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        zpl::read(text).for_each(drop);
    }
    let _ = pdf::page_count(bytes);
    let _ = linkstar::mapping::pdf::read::runs(bytes);
    let _ = image::is_picture(bytes);
    let _ = linkstar::order::certificate::paper_fault(bytes);
    let dots: Vec<bool> = bytes
        .iter()
        .flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1))
        .collect();
    let _ = code128::decode(&dots);
    let _ = code128::decode_dots(&dots);
}
