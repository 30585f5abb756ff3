//! Tests of the room `connectors`: real HTTP servers, real store, the shipped connector files.

mod amazon;
mod amazon_more;
mod doctor;
mod ebay;
mod faults;
mod goodcang;
mod isolation;
mod prism;
mod resume;
mod sales;
mod sandbox;
mod shape;
mod shape_stock;
mod shopify;
mod stage;
mod walmart;
