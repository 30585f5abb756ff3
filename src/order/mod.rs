//! The stocking order (备货单): one model from which every document is written.

pub mod model;

pub use model::{Address, Carton, CartonContent, Goods, Mode, OrderLine, Party, StockingOrder, Term, Totals};
