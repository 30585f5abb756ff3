//! linkstar keeps overseas warehouses (海外仓) stocked: it pulls sales and stock, plans, mails the suggestions,
//! turns what a person approved into stocking orders with their papers, drops them at the forwarder, reads the
//! receipts back and reconciles them.
//!
//! # The house
//!
//! Five floors; a module may use its own floor and everything below, never above (`tests/architecture.rs`).
//!
//! | floor | modules | holds |
//! |---|---|---|
//! | 4 edges | [`cli`], [`web`], [`simulate`] | what a person or a machine outside touches |
//! | 3 flow | [`night`], [`schedule`], [`jobs`] | order of steps, transactions, retries |
//! | 2 adapters | [`store`], [`http`], [`transport`], [`config`], [`telemetry`] | all input and output |
//! | 1 languages | [`connector`], [`mapping`], [`report`], [`backtest`], [`claim`] | declared files and written papers, a history lived again; bytes in, bytes out |
//! | 0 domain | the rest | the business, pure and synchronous |
//!
//! # One night
//!
//! [`night`] pulls pages through the files of `connectors/` ([`connector`] says what to ask and how to read the
//! answer, [`http`] asks), turns them into facts ([`ledger`]), plans ([`planner`]), writes the mail and its workbook
//! ([`report`]), takes decisions, issues stocking orders ([`order`]) with documents made by [`mapping`], hands
//! everything outward to the outbox ([`delivery`], [`transport`]), reads receipts and reconciles ([`reconcile`]).

pub mod calendar;
pub mod catalog;
pub mod clock;
pub mod deadline;
pub mod declared;
pub mod delivery;
pub mod digest;
pub mod identity;
pub mod ids;
pub mod ledger;
pub mod money;
pub mod order;
pub mod planner;
pub mod problem;
pub mod quantity;
pub mod reconcile;
pub mod scorecard;
pub mod secret;
pub mod wording;

pub mod backtest;
pub mod claim;
pub mod connector;
pub mod mapping;
pub mod pack;
pub mod report;

pub mod config;
pub mod http;
pub mod store;
pub mod telemetry;
pub mod transport;

pub mod jobs;
pub mod night;
pub mod schedule;

pub mod cli;
pub mod simulate;
pub mod web;
