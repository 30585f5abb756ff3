//! Packing list, invoice, booking form and outbound instruction of one order.

use linkstar::mapping::definition::{Mapping, Written, builtin};
use linkstar::order::model::StockingOrder;

use super::goods::{context, usual};
use super::judge;

pub fn mapping(id: &str) -> Mapping {
    let all = builtin().expect("the built-in mappings");
    all.into_iter()
        .find(|mapping| mapping.meta.id == id)
        .expect("a built-in mapping")
}

pub fn written(id: &str, order: &StockingOrder) -> Written {
    mapping(id)
        .write(order, &context())
        .unwrap_or_else(|problems| panic!("{id}: {problems:#?}"))
}

#[test]
fn r34_every_paper_is_written_and_opened_by_programs_we_did_not_write() {
    let folder = tempfile::tempdir().expect("a folder");
    let keep = std::env::var_os("LINKSTAR_KEEP").map(std::path::PathBuf::from);
    let order = usual();
    for id in [
        "packing-list",
        "commercial-invoice",
        "huatuo-booking-gb",
        "outbound-instruction",
    ] {
        let paper = written(id, &order);
        let file = folder.path().join(&paper.file_name);
        std::fs::write(&file, &paper.bytes).expect("written");
        if let Some(keep) = &keep {
            std::fs::write(keep.join(&paper.file_name), &paper.bytes).expect("written");
        }
        if let Some(cells) = judge::openpyxl(&file, false) {
            assert!(
                cells.values().any(|value| value.contains(order.number.as_str())),
                "{id}: {cells:#?}"
            );
        }
    }
}
