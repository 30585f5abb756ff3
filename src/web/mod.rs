//! The web page: for people who approve and look things up.
//!
//! Server-rendered, without scripts, in the words and figures of the mail. A page shows only the account its login
//! belongs to; a decision goes the way an answered workbook goes. Health and metrics have a port of their own that only
//! this machine reaches. TLS is the work of a reverse proxy.

mod decide;
mod gate;
mod health;
mod login;
mod operation;
mod orders;
mod page;
mod plan;
mod serve;
mod throttle;
mod token;
mod traffic;

use std::sync::Arc;

use crate::config::{WebSection, WebUser};
use crate::digest::sha256_hex;
use crate::ids::AccountId;
use crate::night::Night;

pub use serve::{Bound, ServeError, bind};
pub use token::salt;

/// An account that is served: everything a night works with.
pub trait Seller: Send + Sync {
    fn night(&self) -> Night<'_>;
}

/// What the pages of one address know.
struct Site {
    sellers: Vec<Arc<dyn Seller>>,
    throttle: throttle::Throttle,
    /// Passwords are hashed one or two at a time: each takes memory.
    hashing: tokio::sync::Semaphore,
}

impl Site {
    fn seller(&self, account: &str) -> Option<&Arc<dyn Seller>> {
        self.sellers
            .iter()
            .find(|seller| seller.night().account().as_str() == account)
    }

    fn proxies(&self) -> Vec<std::net::IpAddr> {
        self.sellers
            .first()
            .and_then(|seller| section(&seller.night()).map(|web| web.trusted_proxies.clone()))
            .unwrap_or_default()
    }
}

fn section<'n>(night: &Night<'n>) -> Option<&'n WebSection> {
    night.config.web.as_ref()
}

/// Says which password or token a login was made with, without telling it.
fn credential(account: &AccountId, user: &WebUser) -> String {
    let secret = user
        .password_hash
        .as_ref()
        .or(user.token.as_ref())
        .map_or("", |secret| secret.expose());
    sha256_hex(format!("{account}\n{}\n{secret}", user.name).as_bytes())
}
