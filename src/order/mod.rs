//! The stocking order (备货单): one model from which every document is written.

pub mod build;
pub mod cartons;
pub mod customs;
pub mod model;
pub mod reference;
pub mod state;
pub mod term;

pub use build::{Draft, DraftLine, build};
pub use cartons::CartonSpec;
pub use customs::{
    BatteryFacts, Container, CustomsFacts, ExportFacts, Pallet, Parties, PartyRole, Transport,
};
pub use model::{Address, Carton, CartonContent, Goods, Mode, OrderLine, Party, StockingOrder, Term, Totals};
pub use reference::ReferenceKind;
pub use state::{OrderEvent, OrderEventKind, OrderState, replay};
