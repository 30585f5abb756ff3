//! Documents in Excel, judged by programs we did not write.

mod edited_by_hand;
mod forms;
pub mod goods;
mod hostile;
pub mod judge;
mod papers_agree;
mod rows_inserted;
mod strange_books;
pub mod templates;
