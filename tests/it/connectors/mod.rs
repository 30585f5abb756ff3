//! Tests of the room `connectors`: real HTTP servers, real store, the shipped connector files.

mod amazon;
mod answers;
mod desk;
mod doctor;
mod fault_run;
mod fault_server;
mod faults;
mod goodcang;
mod isolation;
mod limits;
mod prism;
mod resume;
mod rotation;
mod sales;
mod shape;
mod shape_events;
mod shape_stock;
mod signing;
mod stage;
mod tape;
mod tokens;
mod waits;
