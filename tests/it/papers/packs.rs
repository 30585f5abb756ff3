//! Export and import packs (R44, R48), and edited papers against their order (R35).

use std::io::{Cursor, Read as _};

use linkstar::digest::sha256_hex;
use linkstar::mapping::definition::Mapping;
use linkstar::mapping::model::DocumentContext;
use linkstar::order::gate::{Finding, Gate, Level};
use linkstar::order::model::StockingOrder;
use linkstar::order::{Certificate, PartyRole};
use linkstar::pack::{Pack, PackKind, Paper, Request, Tariff, assemble};
use linkstar::problem::Problem;

use super::all;
use super::orders::{context, declared};

fn tariff(text: &str) -> Tariff {
    Tariff::read("tariff.toml", text).expect("a tariff")
}

/// What a pack is made of besides the order.
#[derive(Default)]
struct Given {
    papers: Vec<Paper>,
    findings: Vec<Finding>,
    tariff: Tariff,
    no_power_of_attorney: bool,
    inspection: &'static str,
}

fn pack(kind: PackKind, order: &StockingOrder, given: &Given) -> Pack {
    assemble(&Request {
        kind,
        order,
        context: &context(order, 3),
        mappings: all(),
        papers: &given.papers,
        findings: &given.findings,
        tariff: &given.tariff,
        inspection: given.inspection,
        power_of_attorney: if given.no_power_of_attorney { " " } else { "POA-7" },
    })
}

fn fields(pack: &Pack) -> Vec<&str> {
    pack.problems
        .iter()
        .map(|problem| problem.field.as_str())
        .collect()
}

fn unzipped(bytes: Vec<u8>) -> Vec<(String, Vec<u8>)> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).expect("a ZIP");
    (0..zip.len())
        .map(|place| {
            let mut file = zip.by_index(place).expect("a file");
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).expect("read");
            (file.name().expect("a name").into_owned(), bytes)
        })
        .collect()
}

/// An order whose own importer is the consignee, as it usually is.
fn order(seed: u64, country: &str) -> StockingOrder {
    let mut order = declared(seed, country);
    order.parties.remove(&PartyRole::Consignee);
    order
}

fn certificate(kind: &str, order: &StockingOrder) -> Certificate {
    Certificate {
        kind: kind.to_owned(),
        number: "CE-1".to_owned(),
        issuer: "TÜV".to_owned(),
        country: String::new(),
        skus: vec![order.lines[0].goods.sku.clone()],
        categories: Vec::new(),
        valid_from: None,
        valid_to: None,
        owner: String::new(),
        sha256: None,
        file_name: "../../etc/ce 1.pdf".to_owned(),
    }
}

#[test]
fn r44_an_export_pack_holds_valid_data_with_an_index_and_hashes_and_repeats_to_the_byte() {
    let order = order(3, "GB");
    let made = pack(PackKind::Export, &order, &Given::default());
    assert!(made.is_complete(), "{:?} {:?}", made.problems, made.tasks);
    let bytes = made.write().expect("written");
    assert_eq!(
        bytes,
        pack(PackKind::Export, &order, &Given::default())
            .write()
            .expect("again")
    );
    let files = unzipped(bytes);
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    for wanted in [
        "DecMessage.xml",
        "CEB303.xml",
        "contract",
        "invoice",
        "packing-list",
        "00-index.pdf",
        "pack.json",
    ] {
        assert!(
            names.iter().any(|name| name.contains(wanted)),
            "{wanted} in {names:?}"
        );
    }
    let (last, sums) = files.last().expect("hashes");
    assert_eq!(last, "SHA256SUMS");
    let sums = String::from_utf8(sums.clone()).expect("UTF-8");
    for (name, bytes) in &files[..files.len() - 1] {
        assert!(
            sums.contains(&format!("{}  {name}\n", sha256_hex(bytes))),
            "{name}"
        );
    }
    assert!(files[0].1.starts_with(b"%PDF-"));
    if let Some(folder) = std::env::var_os("LINKSTAR_KEEP") {
        let path = std::path::Path::new(&folder).join(made.file_name());
        std::fs::write(path, made.write().expect("written")).expect("kept");
    }
}

#[test]
fn r44_a_second_unit_without_its_factor_wrong_elements_and_gbk_are_errors_with_their_field() {
    let mut faulty = order(3, "GB");
    faulty.lines[0].goods.customs.second_legal_unit = "007".to_owned();
    faulty.lines[0].goods.material_zh = "Ä¾ÖÆ".to_owned();
    let code = faulty.lines[0].goods.hs_cn.clone();
    let rules = tariff(&format!("[code.{code}]\nelements = 8\n"));
    let made = pack(
        PackKind::Export,
        &faulty,
        &Given {
            tariff: rules,
            ..Given::default()
        },
    );
    let first: Vec<&str> = made
        .problems
        .iter()
        .filter(|problem| problem.place.starts_with("line 1 "))
        .map(|problem| problem.field.as_str())
        .collect();
    assert_eq!(first, ["second_legal_factor", "declared_elements", "material_zh"]);
    assert!(made.write().is_err() && !made.is_complete());

    let needs_two = tariff(&format!(
        "[code.{code}]\nelements = 5\nsecond_legal_unit = \"011\"\n"
    ));
    let made = pack(
        PackKind::Export,
        &order(3, "GB"),
        &Given {
            tariff: needs_two,
            ..Given::default()
        },
    );
    assert!(fields(&made).iter().all(|field| *field == "second_legal_unit") && !made.problems.is_empty());

    let mut heavy = order(3, "GB");
    heavy.cartons[1].net_g = heavy.cartons[1].gross_g + 1;
    let made = pack(PackKind::Export, &heavy, &Given::default());
    assert_eq!(fields(&made), ["net_g"]);
    assert_eq!(made.problems[0].place, "carton 2");
}

#[test]
fn r46_goods_under_inspection_are_not_declared_without_the_ledgers_number_and_an_old_table_is_told() {
    let order = order(3, "GB");
    let code = order.lines[0].goods.hs_cn.clone();
    let rules = || {
        tariff(&format!(
            "checked = \"2026-01-02\"\n[code.{code}]\ninspection = true\ninspection_days = 10\n"
        ))
    };
    let made = pack(
        PackKind::Export,
        &order,
        &Given {
            tariff: rules(),
            ..Given::default()
        },
    );
    let open: Vec<&linkstar::pack::Task> = made.tasks.iter().filter(|task| task.is_open()).collect();
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!(
        (open[0].en.as_str(), open[0].due),
        (
            "Number of the inspection ledger",
            Some(order.ship_by - chrono::Days::new(10))
        )
    );
    assert!(!made.is_complete() && made.write().is_err());
    let named = Given {
        tariff: rules(),
        inspection: "126000000123456",
        ..Given::default()
    };
    assert!(pack(PackKind::Export, &order, &named).is_complete());
    let day = |text: &str| -> chrono::NaiveDate { text.parse().expect("a day") };
    assert_eq!(rules().stale_days(day("2026-07-01")), None);
    assert_eq!(rules().stale_days(day("2026-07-02")), Some(181));
    assert_eq!(
        Tariff::default().stale_days(day("2026-07-02")),
        None,
        "nobody said when"
    );
}

#[test]
fn r44_an_unknown_key_in_the_tariff_file_is_named_with_its_line() {
    let problems = Tariff::read("tariff.toml", "[code.1]\nelement = 3\n").expect_err("refused");
    assert!(
        problems[0].to_string().contains("line 2") && problems[0].to_string().contains("elements"),
        "{problems:?}"
    );
}

#[test]
fn r48_a_complete_german_pack_is_a_zip_with_certificates_and_a_checklist_of_who_and_when() {
    let order = order(4, "DE");
    let papers = vec![Paper {
        certificate: certificate("ce", &order),
        bytes: Some(b"%PDF-1.7 certificate".to_vec()),
    }];
    let made = pack(
        PackKind::Import,
        &order,
        &Given {
            papers,
            ..Given::default()
        },
    );
    assert!(made.is_complete(), "{:?} {:?}", made.problems, made.tasks);
    assert!(
        made.tasks
            .iter()
            .all(|task| task.due.is_some() || task.en.starts_with("Certificate"))
    );
    let files = unzipped(made.write().expect("written"));
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert!(
        names.contains(&"certificates/001-ce-ce_1.pdf"),
        "no foreign path in {names:?}"
    );
    let machine = files.iter().find(|(name, _)| name == "pack.json").expect("facts");
    let machine: serde_json::Value = serde_json::from_slice(&machine.1).expect("JSON");
    assert_eq!(machine["country"], "DE");
    assert!(
        machine["checklist"]
            .as_array()
            .is_some_and(|all| all.iter().any(|task| task["who"] == "broker") || all.len() > 4)
    );
    // The bill of lading may follow; it is in the list all the same.
    let bill = made.tasks.iter().find(|task| task.may_follow).expect("the bill");
    assert!(bill.is_open());
}

#[test]
fn r48_a_german_pack_without_eori_or_power_of_attorney_is_incomplete_and_says_so() {
    let order = order(4, "DE");
    let finding = Finding {
        gate: Gate::Documents,
        level: Level::Hold,
        problem: Problem::new(
            order.number.as_str(),
            "",
            "importer.eori",
            "",
            "the importer's EORI",
        ),
        wanted_zh: "进口商 EORI".to_owned(),
    };
    let findings = vec![finding];
    let made = pack(
        PackKind::Import,
        &order,
        &Given {
            findings,
            ..Given::default()
        },
    );
    assert_eq!(fields(&made), ["importer.eori"]);
    assert!(!made.is_complete() && made.write().is_err());

    let made = pack(
        PackKind::Import,
        &order,
        &Given {
            no_power_of_attorney: true,
            ..Given::default()
        },
    );
    let open: Vec<&str> = made
        .tasks
        .iter()
        .filter(|task| task.is_open() && !task.may_follow)
        .map(|task| task.en.as_str())
        .collect();
    assert_eq!(open, ["Power of attorney"]);
    assert!(!made.is_complete());
}

#[test]
fn r48_a_bill_of_lading_to_another_than_the_importer_holds_the_pack() {
    let mut order = order(4, "DE");
    let mut other = order.importer.clone();
    other.name = "Somebody Else GmbH".to_owned();
    order.parties.insert(PartyRole::Consignee, other);
    let made = pack(PackKind::Import, &order, &Given::default());
    assert_eq!(fields(&made), ["consignee"]);
}

#[test]
fn r48_the_us_pack_by_sea_has_the_filing_a_day_before_departure_and_the_gb_pack_the_declaration() {
    let us = order(3, "US");
    let made = pack(PackKind::Import, &us, &Given::default());
    assert!(made.is_complete(), "{:?}", made.problems);
    let isf = made
        .tasks
        .iter()
        .find(|task| task.done_by.iter().any(|name| name.contains("ISF10")))
        .expect("the filing");
    assert_eq!(isf.due.map(|day| day.to_string()).as_deref(), Some("2026-03-19"));
    let gb = pack(PackKind::Import, &order(3, "GB"), &Given::default());
    assert!(gb.files.iter().any(|file| file.path.ends_with("CDS.xml")));
    assert!(gb.files.iter().all(|file| !file.path.contains("ISF10")));
}

/// The papers of one order as they were written, by mapping.
fn papers(order: &StockingOrder, document: &DocumentContext) -> Vec<(String, String, Vec<u8>)> {
    let wanted = [
        "commercial-invoice",
        "packing-list",
        "ubl-invoice",
        "dec-message-export",
        "dcsa-booking",
    ];
    all()
        .iter()
        .filter(|mapping| wanted.contains(&mapping.meta.id.as_str()))
        .map(|mapping| {
            let written = mapping.write(order, document).expect("written");
            (mapping.meta.id.clone(), written.file_name, written.bytes)
        })
        .collect()
}

#[test]
fn r35_papers_in_workbooks_xml_and_json_agree_with_the_order_and_a_value_changed_by_one_is_named() {
    let order = order(6, "US");
    let document = context(&order, 6);
    let written = papers(&order, &document);
    assert_eq!(written.len(), 5);
    for (id, name, bytes) in &written {
        let (of, problems) = Mapping::compare(all(), None, (name, bytes), &order, &document);
        assert_eq!((of.as_str(), problems), (id.as_str(), vec![]), "{name}");
        // A browser's second copy of the same file.
        let copy = name.replacen('.', " (1).", 1);
        assert_eq!(
            Mapping::compare(all(), None, (&copy, bytes), &order, &document).0,
            *id
        );
        // The same papers against an order whose value is one dollar more: every one of them says so.
        let mut dearer = order.clone();
        dearer.lines[0].unit_value += rust_decimal::Decimal::ONE;
        let (_, problems) = Mapping::compare(all(), Some(id), (name, bytes), &dearer, &document);
        assert_eq!(problems.is_empty(), id == "packing-list", "{id}: {problems:?}");
        let mut more = order.clone();
        more.lines[0].units += 1;
        more.cartons[0].contents[0].units += 1;
        let (_, problems) = Mapping::compare(all(), Some(id), (name, bytes), &more, &document);
        assert!(
            !problems.is_empty() || id == "dcsa-booking",
            "{id} does not say the units"
        );
    }
    let (of, problems) = Mapping::compare(all(), None, ("holiday.xlsx", b"PK"), &order, &document);
    assert!(
        of.is_empty() && problems[0].wanted.contains("ubl-invoice"),
        "{problems:?}"
    );
}
