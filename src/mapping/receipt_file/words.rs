//! Words of tables: kinds of receipts, and what of Amazon's ledger is none.

use crate::ledger::ReceiptKind;
use crate::mapping::table::half_width;

pub(super) fn kind_from(text: &str) -> Option<ReceiptKind> {
    match half_width(text).to_lowercase().replace([' ', '-'], "_").as_str() {
        "received" | "receipt" | "receipts" | "收货" | "已收货" => Some(ReceiptKind::Received),
        "put_away" | "putaway" | "stowed" | "上架" | "已上架" => Some(ReceiptKind::PutAway),
        "damaged" | "破损" | "残次" | "不良品" => Some(ReceiptKind::Damaged),
        "mislabelled" | "wrong_label" | "错标" | "贴错标" | "标签错误" => {
            Some(ReceiptKind::Mislabelled)
        }
        "set_aside" | "exception" | "异常" | "异常收货" | "异常件" => Some(ReceiptKind::SetAside),
        _ => None,
    }
}

/// The other event types of Amazon's ledger.
pub(super) fn is_other_ledger_event(text: &str) -> bool {
    [
        "Shipments",
        "CustomerReturns",
        "WhseTransfers",
        "VendorReturns",
        "Adjustments",
    ]
    .contains(&text)
}
