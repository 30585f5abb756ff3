//! The web page: where it is served, and who may log in.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::Config;
use crate::declared::Sections;
use crate::secret::Secret;
use crate::secret::password::PasswordHash;
use crate::wording::Lang;

/// A token shorter than this can be guessed.
const LEAST_TOKEN_CHARS: usize = 32;

/// Pages for people who approve and look things up.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebSection {
    /// Address and port of the pages. Only loopback is allowed while nobody may log in.
    pub listen: SocketAddr,
    /// Address and port of `/healthz`, `/readyz` and `/metrics`; loopback only.
    pub health: SocketAddr,
    /// So long a login lasts.
    pub session_hours: u32,
    /// Reverse proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed; nobody's otherwise.
    pub trusted_proxies: Vec<IpAddr>,
    /// Who may log in; nobody when left out.
    pub users: Vec<WebUser>,
}

/// One person. Either a password or a token, never both.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebUser {
    /// What is typed at the login, and who stands in the log of decisions.
    pub name: String,
    /// What `linkstar web hash` prints: `${env:NAME}` or `${file:PATH}`.
    #[serde(default)]
    pub password_hash: Option<Secret>,
    /// A long random text that is typed in place of a password: `${env:NAME}` or `${file:PATH}`.
    #[serde(default)]
    pub token: Option<Secret>,
    /// The account's language when left out.
    #[serde(default)]
    pub language: Option<Lang>,
}

impl Default for WebSection {
    fn default() -> Self {
        let at = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        Self {
            listen: at(8420),
            health: at(8421),
            session_hours: 12,
            trusted_proxies: Vec::new(),
            users: Vec::new(),
        }
    }
}

/// What can be checked before secrets are known.
pub(super) fn check(web: &WebSection, sections: &mut Sections<'_>) {
    if web.users.is_empty() && !web.listen.ip().is_loopback() {
        sections.fault(
            "web.listen",
            web.listen.to_string(),
            "a loopback address, or at least one [[web.users]]",
        );
    }
    if !web.health.ip().is_loopback() {
        sections.fault(
            "web.health",
            web.health.to_string(),
            "a loopback address: health and metrics ask nobody who he is",
        );
    }
    if web.health == web.listen && web.listen.port() != 0 {
        sections.fault("web.health", web.health.to_string(), "another port than `listen`");
    }
    if web.session_hours == 0 || web.session_hours > 24 * 30 {
        sections.fault("web.session_hours", web.session_hours.to_string(), "1 to 720");
    }
    let mut seen = std::collections::BTreeSet::new();
    for user in &web.users {
        let name = user.name.trim();
        if name.is_empty()
            || name != user.name
            || name.chars().count() > 60
            || name.chars().any(char::is_control)
        {
            sections.fault(
                "web.users.name",
                name,
                "1 to 60 characters without blanks around them",
            );
        }
        if !seen.insert(name) {
            sections.fault("web.users.name", name, "a name that no other user has");
        }
        if user.password_hash.is_some() == user.token.is_some() {
            sections.fault(
                "web.users",
                name,
                "either `password_hash` or `token`, one of the two",
            );
        }
    }
}

/// What can be checked only afterwards; what stood there is not repeated.
pub(super) fn check_secrets(config: &Config, sections: &mut Sections<'_>) {
    for user in config.web.iter().flat_map(|web| &web.users) {
        if let Some(hash) = &user.password_hash
            && !hash.expose().starts_with("${")
            && let Err(wanted) = PasswordHash::parse(hash.expose())
        {
            let field = format!("web.users.{}.password_hash", user.name);
            sections.fault(&field, "something else", wanted.to_string());
        }
        if let Some(token) = &user.token
            && !token.expose().starts_with("${")
            && token.expose().chars().count() < LEAST_TOKEN_CHARS
        {
            let field = format!("web.users.{}.token", user.name);
            let wanted = format!("at least {LEAST_TOKEN_CHARS} characters nobody can guess");
            sections.fault(&field, "a shorter text", wanted);
        }
    }
}
