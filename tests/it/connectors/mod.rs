//! Tests of the room `connectors`: real HTTP servers, real store, the shipped connector files.

mod amazon;
mod amazon_inbound;
mod amazon_orders;
mod answers;
mod desk;
mod doctor;
mod ebay;
mod faults;
mod goodcang;
mod isolation;
mod limits;
mod prism;
mod resume;
mod rotation;
mod sales;
mod sandbox;
mod shape;
mod shape_events;
mod shape_stock;
mod shopify;
mod signing;
mod stage;
mod tape;
mod tokens;
mod waits;
mod walmart;
