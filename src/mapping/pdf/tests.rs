use super::read::{Run, runs};
use crate::mapping::definition::{Mapping, SAMPLE, builtin};
use crate::mapping::model::{DocumentContext, Pictures, document_model};
use crate::mapping::value::Scope;
use crate::order::model::StockingOrder;

fn instruction() -> Mapping {
    let all = builtin().unwrap();
    all.into_iter()
        .find(|mapping| mapping.meta.id == "outbound-instruction-pdf")
        .unwrap()
}

fn sample_order() -> StockingOrder {
    crate::mapping::definition::sample_order(SAMPLE, &|_| None).unwrap()
}

fn context(order: &StockingOrder) -> DocumentContext {
    DocumentContext::new("2026-11-22".parse().unwrap(), order.number.as_str())
}

fn checked(bytes: &[u8]) -> Vec<String> {
    let (mapping, order) = (instruction(), sample_order());
    let model = document_model(&order, &context(&order));
    let scope = Scope::new(&model, &mapping.maps);
    let problems = mapping.check("paper.pdf", bytes, &scope, &Pictures::default());
    problems.iter().map(ToString::to_string).collect()
}

fn written() -> Vec<u8> {
    let order = sample_order();
    instruction().write(&order, &context(&order)).unwrap().bytes
}

fn said(runs: &[Run]) -> String {
    let texts: Vec<&str> = runs.iter().map(|run| run.text.as_str()).collect();
    texts.join("\n")
}

#[test]
fn a_paper_is_read_back_text_by_text_and_written_again_byte_by_byte() {
    let bytes = written();
    assert_eq!(bytes, written());
    let texts = runs(&bytes).unwrap();
    let all = said(&texts);
    for text in [
        "出 库 指 令",
        "OUTBOUND INSTRUCTION",
        "LS-20261122-001   rev 1",
        "装箱 Pack",
    ] {
        assert!(all.contains(text), "no `{text}` in {all}");
    }
    assert_eq!(checked(&bytes), Vec::<String>::new());
}

/// The file with its first page's content replaced, as a program saves it that writes what changed behind the rest: the new
/// object, and a table that points back to the old one.
fn with_content(bytes: &[u8], edit: impl Fn(&str) -> String) -> Vec<u8> {
    use std::io::Read as _;
    let text = String::from_utf8_lossy(bytes);
    let number = text
        .split("/Contents ")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    let find = |what: &str| {
        bytes
            .windows(what.len())
            .position(|window| window == what.as_bytes())
            .unwrap()
    };
    let object = find(&format!("\n{number} 0 obj\n"));
    let start = object
        + bytes[object..]
            .windows(7)
            .position(|window| window == b"stream\n")
            .unwrap()
        + 7;
    let mut content = String::new();
    let mut packed = flate2::read::ZlibDecoder::new(&bytes[start..]);
    packed.read_to_string(&mut content).unwrap();
    let content = edit(&content);
    let (table, place) = (text.rsplit("startxref\n").next().unwrap(), bytes.len());
    let table = table.lines().next().unwrap();
    let root = text.rsplit("/Root ").next().unwrap().split('R').next().unwrap();
    let object = format!(
        "{number} 0 obj\n<</Length {}>>\nstream\n{content}\nendstream\nendobj\n",
        content.len()
    );
    let end = place + object.len();
    let mut out = bytes.to_vec();
    out.extend(object.into_bytes());
    out.extend(
        format!("xref\n{number} 1\n{place:010} 00000 n \ntrailer\n<</Root {root}R/Prev {table}>>\nstartxref\n{end}\n%%EOF\n")
            .into_bytes(),
    );
    out
}

#[test]
fn what_another_hand_changed_is_named_with_its_page_and_place() {
    let bytes = written();
    let same = with_content(&bytes, str::to_owned);
    assert_eq!(checked(&same), Vec::<String>::new());
    // The first text of the page is its title: it loses its first character, and then goes altogether.
    let shorter = with_content(&bytes, |text| text.replacen(" Tm[(\\000\\001", " Tm[(", 1));
    let problems = checked(&shorter);
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert!(
        problems[0].contains("page 1") && problems[0].contains("OUTBOUND"),
        "{problems:#?}"
    );
    let gone = with_content(&bytes, |text| {
        let (from, to) = (text.find("BT ").unwrap(), text.find("ET").unwrap());
        format!("{}{}", &text[..from], &text[to + 2..])
    });
    assert!(checked(&gone)[0].contains("found ``"), "{:#?}", checked(&gone));
}

#[test]
fn what_is_no_pdf_or_a_broken_one_is_an_error() {
    let bytes = written();
    assert!(runs(b"PK\x03\x04").is_err());
    assert!(runs(b"%PDF-1.7\n").is_err());
    for cut in [bytes.len() / 3, bytes.len() / 2, bytes.len() - 40] {
        assert!(runs(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    // A table that points at itself, and pages that are their own children.
    let round = b"%PDF-1.7\n1 0 obj\n<</Kids[1 0 R]/Pages 1 0 R>>\nendobj\nxref\n0 2\n0000000000 65535 f \n0000000009 00000 n \ntrailer\n<</Root 1 0 R/Prev 53>>\nstartxref\n53\n%%EOF";
    assert!(runs(round).is_err());
}
