//! What an export declaration is sent back for, before anybody sends it (R44).

use super::tariff::Tariff;
use crate::order::model::{OrderLine, StockingOrder};
use crate::problem::Problem;

/// Everything wrong with the declaration's facts, all at once, each with the field to mend.
pub(super) fn faults(order: &StockingOrder, tariff: &Tariff) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut report = |place: &str, field: &str, found: String, wanted: &str| {
        problems.push(Problem::new(order.number.as_str(), place, field, found, wanted));
    };
    for carton in order
        .cartons
        .iter()
        .filter(|carton| carton.net_g > carton.gross_g)
    {
        let found = format!("{} g", carton.net_g);
        let wanted = format!("at most the gross weight, {} g", carton.gross_g);
        report(&format!("carton {}", carton.no), "net_g", found, &wanted);
    }
    for line in &order.lines {
        let place = format!("line {} ({})", line.no, line.goods.sku);
        for (field, found, wanted) in line_faults(line, tariff) {
            report(&place, field, found, wanted);
        }
    }
    let heads = [("shipper.name_zh", &order.shipper.name_zh)];
    for (field, text) in heads {
        if let Some(found) = misread(text) {
            report("", field, found, GBK);
        }
    }
    problems
}

const GBK: &str = "text in UTF-8: this was read from GBK as something else";

fn line_faults(line: &OrderLine, tariff: &Tariff) -> Vec<(&'static str, String, &'static str)> {
    let customs = &line.goods.customs;
    let mut faults = Vec::new();
    let second = (
        !customs.second_legal_unit.is_empty(),
        customs.second_legal_factor.is_some(),
    );
    match second {
        (true, false) => faults.push((
            "second_legal_factor",
            String::new(),
            "how many of the second legal unit one unit is",
        )),
        (false, true) => faults.push((
            "second_legal_unit",
            String::new(),
            "the code of the second legal unit",
        )),
        _ => {}
    }
    let elements = match customs.declared_elements.as_str() {
        "" => 0,
        text => text.split('|').count(),
    };
    if let Some(rule) = tariff.code.get(&line.goods.hs_cn) {
        if rule.elements.is_some_and(|wanted| wanted != elements) {
            faults.push((
                "declared_elements",
                format!("{elements} of them"),
                "as many elements as the tariff code asks",
            ));
        }
        if rule
            .legal_unit
            .as_ref()
            .is_some_and(|unit| *unit != customs.legal_unit)
        {
            faults.push((
                "legal_unit",
                customs.legal_unit.clone(),
                "the tariff code's legal unit",
            ));
        }
        if rule
            .second_legal_unit
            .as_ref()
            .is_some_and(|unit| *unit != customs.second_legal_unit)
        {
            let found = customs.second_legal_unit.clone();
            faults.push(("second_legal_unit", found, "the tariff code's second legal unit"));
        }
    }
    let texts = [
        ("customs_name_zh", &line.goods.customs_name_zh),
        ("material_zh", &line.goods.material_zh),
        ("declared_elements", &customs.declared_elements),
    ];
    for (field, text) in texts {
        if let Some(found) = misread(text) {
            faults.push((field, found, GBK));
        }
    }
    faults
}

/// A text whose bytes were GBK and were read as UTF-8 or Latin-1: replacement characters, or nothing but accented letters
/// where Chinese belongs.
fn misread(text: &str) -> Option<String> {
    let accented = text.chars().filter(|c| ('\u{80}'..='\u{ff}').contains(c)).count();
    let wrong = text.contains('\u{fffd}') || (accented >= 2 && accented * 2 > text.chars().count());
    wrong.then(|| text.to_owned())
}
