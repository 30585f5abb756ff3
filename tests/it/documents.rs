//! Documents in Excel, judged by programs we did not write.

mod goods;
mod judge;
mod papers_agree;
mod templates;
