//! Documents in Excel, judged by programs we did not write.

mod edited_by_hand;
pub mod goods;
pub mod judge;
mod papers_agree;
mod rows_inserted;
pub mod templates;
