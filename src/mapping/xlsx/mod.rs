//! Workbooks: a forwarder's own filled without loss, and ours written new.

pub mod address;
mod book;
pub mod carton_ranges;
pub mod cell;
mod formula;
pub mod fresh;
mod package;
mod part;
pub mod template;

use crate::mapping::definition::Mapping;
use crate::mapping::model::{DocumentContext, document_model};
use crate::mapping::value::Scope;
use crate::order::model::StockingOrder;
use crate::problem::Problem;

/// Compares a workbook that a person may have edited with the order it belongs to (R35): every difference with its
/// cell, what stands there and what should. Numbers kept as text and merged cells are tolerated.
#[must_use]
pub fn compare(
    file_name: &str,
    bytes: &[u8],
    mapping: &Mapping,
    order: &StockingOrder,
    context: &DocumentContext,
) -> Vec<Problem> {
    let model = document_model(order, context);
    mapping.check(file_name, bytes, &Scope::new(&model, &mapping.maps))
}
