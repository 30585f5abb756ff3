//! Reads mapping files and writes or reads documents. Bytes in, bytes out.

pub mod catalog_file;
pub mod certificate_file;
pub mod definition;
pub mod flat;
pub mod inbound;
pub mod json;
pub mod label;
pub mod mail_file;
pub mod model;
pub mod packing_file;
pub mod pallet_file;
pub mod pdf;
pub mod photo_list;
pub mod plan_folder;
pub mod receipt_file;
pub mod table;
pub mod value;
pub mod xlsx;
pub mod xml;
