//! Papers that a person, or another program, has had in hands before they are sent (R35).

use linkstar::mapping::xlsx;
use linkstar::order::model::StockingOrder;

use super::goods::{context, usual};
use super::judge;
use super::papers_agree::{mapping, written};
use super::templates::{edited, file, shown};

fn compared(order: &StockingOrder, edit: impl Fn(String) -> String) -> String {
    let form = mapping("huatuo-booking-gb");
    let paper = form.write(order, &context()).expect("no problem with the order");
    let bytes = edited(&paper.bytes, "xl/worksheets/sheet1.xml", edit);
    shown(&xlsx::compare("booking.xlsx", &bytes, form, order, &context()))
}

#[test]
fn r35_what_a_person_changed_is_named_by_its_cell() {
    let order = usual();
    let price = compared(&order, |xml| xml.replacen("<v>2.15</v>", "<v>3.15</v>", 1));
    insta::assert_snapshot!(price);
    let text_number = compared(&order, |xml| {
        xml.replacen(
            "<c r=\"F29\" s=\"37\"><v>48</v></c>",
            "<c r=\"F29\" s=\"37\" t=\"inlineStr\"><is><t>48</t></is></c>",
            1,
        )
    });
    assert_eq!(text_number, "", "a number kept as text is tolerated");
    let formula = compared(&order, |xml| {
        xml.replacen(
            "<c r=\"F29\" s=\"37\"><v>48</v></c>",
            "<c r=\"F29\" s=\"37\"><f>24*2</f></c>",
            1,
        )
    });
    assert!(
        formula.contains("cell F29") && formula.contains("formula"),
        "{formula}"
    );
    let header = compared(&order, |xml| {
        xml.replacen(
            "<c r=\"F28\" s=\"10\" t=\"s\"><v>49</v></c>",
            "<c r=\"F28\" s=\"10\" t=\"s\"><v>48</v></c>",
            1,
        )
    });
    assert!(
        header.contains("cell F28") && header.contains("产品申报数量*"),
        "{header}"
    );
    let row = compared(&order, |xml| {
        xml.replacen(
            "<c r=\"N43\"",
            "<c r=\"A43\" t=\"inlineStr\"><is><t>extra</t></is></c><c r=\"N43\"",
            1,
        )
    });
    assert!(row.contains("cell A43") && row.contains("extra"), "{row}");
}

#[test]
fn r35_an_edited_invoice_is_named_by_its_cell_and_what_is_no_workbook_too() {
    let order = usual();
    let invoice = mapping("commercial-invoice");
    let paper = invoice.write(&order, &context()).unwrap();
    let bytes = edited(&paper.bytes, "xl/worksheets/sheet1.xml", |xml| {
        xml.replace("<v>1189.05</v>", "<v>1190.05</v>")
    });
    let problems = xlsx::compare("invoice.xlsx", &bytes, invoice, &order, &context());
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert_eq!(
        (problems[0].found.as_str(), problems[0].wanted.as_str()),
        ("1190.05", "1189.05")
    );
    assert!(problems[0].place.contains("cell I"), "{problems:#?}");
    let garbage = xlsx::compare(
        "invoice.xlsx",
        b"PK\x03\x04 not a zip",
        invoice,
        &order,
        &context(),
    );
    assert_eq!(garbage.len(), 1);
    let half = &paper.bytes[..paper.bytes.len() / 2];
    assert_eq!(
        xlsx::compare("invoice.xlsx", half, invoice, &order, &context()).len(),
        1
    );
}

#[test]
fn r35_papers_saved_again_by_another_program_are_still_the_same_papers() {
    let order = usual();
    let folder = tempfile::tempdir().unwrap();
    for id in [
        "packing-list",
        "commercial-invoice",
        "huatuo-booking-gb",
        "outbound-instruction",
    ] {
        let paper = written(id, &order);
        let file = file(folder.path(), &paper.bytes);
        let Some(saved) = judge::libreoffice(&file, folder.path()) else {
            return;
        };
        let bytes = std::fs::read(saved).unwrap();
        let problems = xlsx::compare("saved.xlsx", &bytes, mapping(id), &order, &context());
        assert!(problems.is_empty(), "{id}: {}", shown(&problems));
    }
}

#[test]
fn r35_a_printed_instruction_is_found_by_its_name_and_another_revisions_text_is_named() {
    let before = usual();
    let mut order = usual();
    let paper = written("outbound-instruction-pdf", &before);
    let mappings = linkstar::mapping::definition::builtin().expect("the built-in mappings");
    let compared = |order: &StockingOrder, name: &str, bytes: &[u8]| {
        linkstar::mapping::definition::Mapping::compare(&mappings, None, (name, bytes), order, &context())
    };
    let (of, problems) = compared(&before, "LS-20261122-001-outbound-r1 (1).pdf", &paper.bytes);
    assert_eq!(
        (of.as_str(), problems.len()),
        ("outbound-instruction-pdf", 0),
        "{problems:#?}"
    );
    order.lines[0].goods.name_zh = "烛台".to_owned();
    let (_, problems) = compared(&order, &paper.file_name, &paper.bytes);
    let said = shown(&problems);
    assert!(said.contains("page 1") && said.contains("wanted 烛台"), "{said}");
    let (_, problems) = compared(&before, &paper.file_name, b"%PDF-1.7 half");
    assert_eq!(problems.len(), 1, "{problems:#?}");
}
