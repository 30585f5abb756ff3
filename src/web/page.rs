//! The frame around every page, and the pages that say why there is none.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::gate::Visit;
use crate::store::StoreError;
use crate::wording::{Lang, text};

/// What every page has around its content.
pub(super) struct Shell {
    lang: Lang,
    pub title: String,
    /// Name of the account and of the person, inside.
    pub who: Option<(String, String)>,
    pub csrf: String,
    /// This page, for the switch of the language; always ends so that `lang=` can follow.
    pub switch: String,
    pub section: &'static str,
}

impl Shell {
    pub fn inside(visit: &Visit, title: &str) -> Self {
        let join = if visit.here.contains('?') { '&' } else { '?' };
        let section = match visit.here.split(['?', '/']).nth(1).unwrap_or_default() {
            "orders" => "orders",
            "messages" => "messages",
            "operation" => "operation",
            _ => "today",
        };
        Self {
            lang: visit.lang,
            title: title.to_owned(),
            who: Some((
                visit.seller.night().config.account.name.clone(),
                visit.user.clone(),
            )),
            csrf: visit.csrf(),
            switch: format!("{}{join}", visit.here),
            section,
        }
    }

    pub fn outside(lang: Lang, title: &str) -> Self {
        Self {
            lang,
            title: title.to_owned(),
            who: None,
            csrf: String::new(),
            switch: "?".to_owned(),
            section: "",
        }
    }

    pub fn code(&self) -> &'static str {
        self.lang.code()
    }

    /// A text of the web page.
    pub fn t(&self, key: &str) -> String {
        text(self.lang, &format!("web.{key}"), &[])
    }

    /// The name of a place of the navigation.
    pub fn nav(&self, section: &str) -> String {
        self.t(&format!("nav.{section}"))
    }

    /// Whether a place of the navigation is this one, for `aria-current`.
    pub fn is(&self, section: &str) -> bool {
        self.section == section
    }
}

/// An instant as a person of this account reads it.
pub(super) fn moment(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string()
}

pub(super) fn show(lang: Lang, status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "page not written");
            Fault::new(lang, StatusCode::INTERNAL_SERVER_ERROR, "web.fault.inside").into_response()
        }
    }
}

/// Why there is no page.
#[derive(Debug)]
pub(super) struct Fault {
    lang: Lang,
    status: StatusCode,
    title: String,
    lines: Vec<String>,
    links: Vec<(String, String)>,
    retry_after: Option<i64>,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage<'a> {
    shell: Shell,
    lines: &'a [String],
    links: &'a [(String, String)],
}

impl Fault {
    pub fn new(lang: Lang, status: StatusCode, key: &str) -> Self {
        Self {
            lang,
            status,
            title: text(lang, key, &[]),
            lines: Vec::new(),
            links: Vec::new(),
            retry_after: None,
        }
    }

    pub fn titled(lang: Lang, status: StatusCode, title: String) -> Self {
        Self {
            title,
            ..Self::new(lang, status, "web.fault.inside")
        }
    }

    pub fn say(mut self, line: impl Into<String>) -> Self {
        self.lines.push(line.into());
        self
    }

    /// A way on.
    pub fn link(mut self, to: impl Into<String>, words: impl Into<String>) -> Self {
        self.links.push((to.into(), words.into()));
        self
    }

    pub fn retry_after(mut self, seconds: i64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The store did not answer: logged here, and nothing of it shown.
    pub fn store(lang: Lang, error: &StoreError) -> Self {
        Self::inside(lang, error)
    }

    pub fn inside(lang: Lang, error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error, "page cannot be shown");
        Self::new(lang, StatusCode::SERVICE_UNAVAILABLE, "web.fault.inside")
    }

    pub fn missing(lang: Lang) -> Self {
        Self::new(lang, StatusCode::NOT_FOUND, "web.fault.missing")
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let page = NoticePage {
            shell: Shell::outside(self.lang, &self.title),
            lines: &self.lines,
            links: &self.links,
        };
        let mut response = match page.render() {
            Ok(html) => (self.status, Html(html)).into_response(),
            Err(_) => (self.status, self.title).into_response(),
        };
        if let Some(seconds) = self.retry_after
            && let Ok(value) = HeaderValue::from_str(&seconds.to_string())
        {
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        response
    }
}
