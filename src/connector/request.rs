//! What to send, as plain data. Made anew for every attempt.

use std::fmt;

use serde_json::Value as Json;

use super::Bound;
use super::definition::{AuthKind, Call, Method, Page, PageKind};
use super::paging::Pager;
use super::template::{Filling, Places, Template};

/// One HTTP request. `Debug` shows neither headers nor body nor query: secrets live there.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    pub method: Method,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<Vec<u8>>,
    /// Key of the token bucket.
    pub limit: Option<String>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.url.split('?').next().unwrap_or_default();
        write!(f, "Request({:?} {path})", self.method)
    }
}

impl Bound {
    /// Makes the request of a call. With a pager on a later page of a token-paged stream, the token goes into the query.
    ///
    /// # Errors
    /// The name of what is missing.
    pub fn request(
        &self,
        call: &Call,
        places: &Places,
        paging: Option<(&Page, &Pager)>,
    ) -> Result<Request, String> {
        let fill =
            |text: &str, escape: fn(&str) -> String| self.given.fill(&Template::parse(text)?, places, escape);
        let plain: fn(&str) -> String = str::to_owned;
        let token = paging.and_then(|(how, pager)| {
            matches!(how.kind, PageKind::Token | PageKind::Row)
                .then(|| Some((how.query.as_deref()?, pager.token()?, how.alone)))
                .flatten()
        });
        let mut query: Vec<(String, String)> = Vec::new();
        if token.is_none_or(|(_, _, alone)| !alone) {
            for (name, text) in &call.query {
                query.push((name.clone(), fill(text.get_ref(), plain)?));
            }
        }
        if let Some((name, token, _)) = token {
            query.retain(|(known, _)| known != name);
            query.push((name.to_owned(), token.to_owned()));
        }
        let next = paging.and_then(|(how, pager)| Some((how.kind, pager.token()?)));
        let mut url = format!("{}{}", self.base, fill(call.path.get_ref(), percent)?);
        match next {
            // The pager has made sure that it is at this connector's own host.
            Some((PageKind::Url | PageKind::Link, address)) => {
                address.clone_into(&mut url);
                query.clear();
            }
            Some((PageKind::Query, verbatim)) => {
                url = format!("{url}?{verbatim}");
                query.clear();
            }
            _ => {}
        }
        for (index, (name, value)) in query.iter().enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            url.push_str(&percent(name));
            url.push('=');
            url.push_str(&percent(value));
        }
        let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
        let file = &self.definition.file;
        for (name, text) in file.http.headers.iter().chain(&call.headers) {
            headers.push((name.to_ascii_lowercase(), fill(text.get_ref(), plain)?));
        }
        if file.auth.kind == AuthKind::Headers {
            for (name, text) in &file.auth.headers {
                headers.push((name.to_ascii_lowercase(), fill(text.get_ref(), plain)?));
            }
        }
        let body = match &call.body {
            Some(body) => {
                headers.push(("content-type".to_owned(), "application/json".to_owned()));
                Some(self.body(body, places)?.to_string().into_bytes())
            }
            None => None,
        };
        Ok(Request {
            method: call.method,
            url,
            headers,
            body,
            limit: call.limit.as_ref().map(|limit| limit.get_ref().clone()),
        })
    }

    fn body(&self, body: &Json, places: &Places) -> Result<Json, String> {
        Ok(match body {
            Json::String(text) => {
                let template = Template::parse(text)?;
                match template.single_place().and_then(|name| places.get(name)) {
                    Some(Filling::Int(value)) => Json::from(*value),
                    // The first page of all has no token.
                    Some(Filling::Text(text)) if text.is_empty() => Json::Null,
                    _ => Json::String(self.given.fill(&template, places, str::to_owned)?),
                }
            }
            Json::Array(items) => Json::Array(
                items
                    .iter()
                    .map(|item| self.body(item, places))
                    .collect::<Result<_, _>>()?,
            ),
            Json::Object(fields) => Json::Object(
                fields
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), self.body(value, places)?)))
                    .collect::<Result<_, String>>()?,
            ),
            Json::Null | Json::Bool(_) | Json::Number(_) => body.clone(),
        })
    }

    /// The request for a new access token; None when this system has none.
    ///
    /// # Errors
    /// The name of what is missing.
    pub fn token_request(&self) -> Result<Option<Request>, String> {
        let auth = &self.definition.file.auth;
        let (AuthKind::RefreshToken, Some(url)) = (auth.kind, &auth.url) else {
            return Ok(None);
        };
        let mut form = String::new();
        for (name, text) in &auth.form {
            if !form.is_empty() {
                form.push('&');
            }
            form.push_str(&percent(name));
            form.push('=');
            form.push_str(&percent(&self.given.fill_text(text.get_ref())?));
        }
        Ok(Some(Request {
            method: Method::Post,
            url: self.given.fill_text(url.get_ref())?,
            headers: vec![
                ("accept".to_owned(), "application/json".to_owned()),
                (
                    "content-type".to_owned(),
                    "application/x-www-form-urlencoded".to_owned(),
                ),
            ],
            body: Some(form.into_bytes()),
            limit: None,
        }))
    }
}

/// Everything but letters, digits and `-._~` as `%XX`.
#[must_use]
pub fn percent(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes()
        .fold(String::with_capacity(text.len()), |mut out, byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                let _ = write!(out, "%{byte:02X}");
            }
            out
        })
}
