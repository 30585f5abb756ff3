//! Tests of the room `connectors`: real HTTP servers, real store, the shipped connector files.

mod amazon;
mod doctor;
mod faults;
mod goodcang;
mod isolation;
mod prism;
mod resume;
mod sales;
mod shape;
mod shape_stock;
mod stage;
