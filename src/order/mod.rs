//! The stocking order (备货单): one model from which every document is written.

pub mod border;
pub mod build;
pub mod cartons;
pub mod cash;
pub mod certificate;
pub mod customs;
pub mod gate;
pub mod labels;
pub mod model;
pub mod packed;
pub mod party_id;
pub mod reference;
pub mod rules;
pub mod state;
pub mod term;

pub use build::{Draft, DraftLine, build, provisional};
pub use cartons::CartonSpec;
pub use certificate::Certificate;
pub use customs::{
    BatteryFacts, Container, CustomsFacts, ExportFacts, Pallet, Parties, PartyRole, Transport,
};
pub use model::{
    Address, Carton, CartonContent, Goods, Mode, OrderLine, Party, Period, StockingOrder, Term, Totals,
};
pub use packed::{Gs1Prefix, Packed};
pub use party_id::PartyId;
pub use reference::ReferenceKind;
pub use state::{OrderEvent, OrderEventKind, OrderState, replay};
