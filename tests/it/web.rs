//! The web page of a real process, asked over HTTP.

mod decide;
mod guards;
mod health;
mod pages;
mod stage;
