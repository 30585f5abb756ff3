//! Integration tests against real servers. One binary: every room is a module.

mod archive;
mod backtest;
mod catalog;
mod claims;
mod connectors;
mod delivery;
mod documents;
mod fleet;
mod fuzz;
mod inbox;
mod jobs;
mod mail;
mod night;
mod papers;
mod planner;
mod receipts;
mod reconcile;
mod services;
mod store;
mod web;
mod world;
