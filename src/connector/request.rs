//! What to send, as plain data. Made anew for every attempt: with a new timestamp, a new nonce and new signatures.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Utc};

use super::Bound;
use super::body::Content;
use super::definition::{Auth, AuthKind, Basic, Call, Fields, Method, Nonce, Page, PageKind};
use super::paging::Pager;
use super::pipe::TimeFormat;
use super::sign;
use super::template::{Places, Template};
use crate::digest::hex;
use crate::secret::Secret;

/// One HTTP request. `Debug` shows neither headers nor body nor query: secrets live there.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    pub method: Method,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<Vec<u8>>,
    /// What is asked, in words that stay the same from attempt to attempt and from day to day, and hold no secret.
    pub ask: String,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.url.split('?').next().unwrap_or_default();
        write!(f, "Request({:?} {path})", self.method)
    }
}

impl Request {
    /// A plain question to an address that an answer gave: no header, no token, no signature.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        let url = url.into();
        // A signed address carries its signature behind the path.
        let path = url.split('?').next().unwrap_or_default();
        let path = path.split_once("://").map_or(path, |(_, rest)| rest);
        let path = path.split_once('/').map_or("", |(_, path)| path);
        Self {
            method: Method::Get,
            ask: format!("GET {path}"),
            url,
            headers: Vec::new(),
            body: None,
        }
    }
}

/// What is new in every attempt.
#[derive(Debug, Clone, Default)]
pub struct Fresh {
    pub now: DateTime<Utc>,
    pub nonce: [u8; 16],
    pub token: Option<Secret>,
}

/// A request before it is signed and written down.
#[derive(Clone)]
pub(super) struct Draft {
    pub method: Method,
    pub base: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub content: Content,
    pub ask: String,
}

impl Draft {
    fn write(self) -> Request {
        let mut url = self.base;
        url.push_str(&self.path);
        for (name, value) in &self.query {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(&percent(name));
            url.push('=');
            url.push_str(&percent(value));
        }
        let mut headers = self.headers;
        let body = self.content.write(&mut headers);
        Request {
            method: self.method,
            url,
            headers,
            body,
            ask: self.ask,
        }
    }
}

/// Everything the stream puts in, but for the window, whose end is another one at each pull.
fn asked(call: &Call, places: &Places, token: Option<&str>) -> String {
    let mut ask = format!("{} {}", call.method.word(), call.path.get_ref());
    let stable = places
        .shown()
        .filter(|(name, _)| !matches!(*name, "from" | "to" | "token"));
    for (name, text) in stable.chain(token.map(|token| ("next", token.to_owned()))) {
        ask.push(' ');
        ask.push_str(name);
        ask.push('=');
        ask.push_str(&text);
    }
    ask
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
        fresh: &Fresh,
    ) -> Result<Request, String> {
        let told = places;
        let mut places = places.clone();
        self.stamp(&mut places, fresh)?;
        if let Some(token) = &fresh.token {
            places.text("access_token", token.expose());
        }
        let fill = |text: &str, escape: fn(&str) -> String| {
            self.given.fill(&Template::parse(text)?, &places, escape)
        };
        let plain: fn(&str) -> String = str::to_owned;
        let token = paging.and_then(|(how, pager)| {
            matches!(how.kind, PageKind::Token | PageKind::Row)
                .then(|| Some((how.query.as_deref()?, pager.token()?, how)))
                .flatten()
        });
        let mut query: Vec<(String, String)> = Vec::new();
        let others = match token {
            Some((_, _, how)) if how.alone || !how.then.is_empty() => &how.then,
            _ => &call.query,
        };
        for (name, text) in others {
            query.push((name.clone(), fill(text.get_ref(), plain)?));
        }
        if let Some((name, token, _)) = token {
            query.retain(|(known, _)| known != name);
            query.push((name.to_owned(), token.to_owned()));
        }
        let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
        let file = &self.definition.file;
        for (name, text) in file.http().headers.iter().chain(&call.headers) {
            set(&mut headers, name, fill(text.get_ref(), plain)?);
        }
        let mut draft = Draft {
            method: call.method,
            base: self.base.clone(),
            path: fill(call.path.get_ref(), percent)?,
            query,
            headers,
            content: self.content(call, &places)?,
            ask: asked(call, told, paging.and_then(|(_, pager)| pager.token())),
        };
        match paging.and_then(|(how, pager)| Some((how.kind, pager.token()?))) {
            // The pager has made sure that it is at this connector's own host.
            Some((PageKind::Url | PageKind::Link, address)) => {
                address.clone_into(&mut draft.base);
                draft.path.clear();
                draft.query.clear();
            }
            Some((PageKind::Query, verbatim)) => {
                draft.path = format!("{}?{verbatim}", draft.path);
                draft.query.clear();
            }
            _ => {}
        }
        self.authorise(&mut draft, &places, fresh)?;
        for rule in &file.sign {
            sign::sign(rule, &mut draft, &self.given, &places)?;
        }
        Ok(draft.write())
    }

    /// Whether a call can be made without a token being asked for first.
    #[must_use]
    pub fn needs_token(&self) -> bool {
        self.definition.file.auth.kind.asks()
    }

    fn authorise(&self, draft: &mut Draft, places: &Places, fresh: &Fresh) -> Result<(), String> {
        let auth = &self.definition.file.auth;
        let fill = |text: &str| self.given.fill(&Template::parse(text)?, places, str::to_owned);
        for (name, text) in &auth.headers {
            set(&mut draft.headers, name, fill(text.get_ref())?);
        }
        if auth.kind == AuthKind::Basic
            && let Some(basic) = &auth.basic
        {
            let value = self.basic(basic)?;
            set(&mut draft.headers, "authorization", value);
        }
        if let (Some(token), Some(header)) = (&fresh.token, &auth.header) {
            let value = format!("{}{}", auth.prefix, token.expose());
            set(&mut draft.headers, header, value);
        }
        for (name, text) in &auth.query.0 {
            draft.query.push((name.clone(), fill(text.get_ref())?));
        }
        if let Some(body) = &auth.body {
            draft.content.merge_below(self.json(body, places)?);
        }
        Ok(())
    }

    fn basic(&self, basic: &Basic) -> Result<String, String> {
        let user = self.given.fill_text(basic.user.get_ref())?;
        let password = self.given.fill_text(basic.password.get_ref())?;
        Ok(format!(
            "Basic {}",
            BASE64_STANDARD.encode(format!("{user}:{password}"))
        ))
    }

    /// `{timestamp}` and `{nonce}`.
    fn stamp(&self, places: &mut Places, fresh: &Fresh) -> Result<(), String> {
        let stamp = &self.definition.file.stamp;
        let text = match stamp.timestamp.get_ref().as_str() {
            "ms" => fresh.now.timestamp_millis().to_string(),
            "s" => fresh.now.timestamp().to_string(),
            format => {
                let zone = self.given.fill_text(stamp.zone.get_ref())?;
                TimeFormat::parse(format, &zone)?.write(fresh.now)
            }
        };
        match text.parse::<i64>() {
            Ok(number) if stamp.number => places.int("timestamp", number),
            _ => places.text("timestamp", text),
        }
        let digits = hex(&fresh.nonce);
        places.text(
            "nonce",
            match stamp.nonce {
                Nonce::Hex => digits,
                Nonce::Uuid => uuid(&digits),
            },
        );
        Ok(())
    }

    /// The request for a new token; None when this system has none. `refresh` is the refresh token that is sent.
    ///
    /// # Errors
    /// The name of what is missing.
    pub fn token_request(&self, fresh: &Fresh, refresh: Option<&Secret>) -> Result<Option<Request>, String> {
        let auth = &self.definition.file.auth;
        let (true, Some(url)) = (auth.kind.asks(), &auth.url) else {
            return Ok(None);
        };
        let mut places = Places::default();
        self.stamp(&mut places, fresh)?;
        if let Some(refresh) = refresh {
            places.text("refresh_token", refresh.expose());
        }
        let fill = |text: &str| self.given.fill(&Template::parse(text)?, &places, str::to_owned);
        let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
        for (name, text) in &auth.request_headers {
            set(&mut headers, name, fill(text.get_ref())?);
        }
        if let Some(basic) = &auth.basic {
            set(&mut headers, "authorization", self.basic(basic)?);
        }
        let content = self.token_content(auth, &places)?;
        Ok(Some(
            Draft {
                method: Method::Post,
                base: fill(url.get_ref())?,
                path: String::new(),
                query: Vec::new(),
                headers,
                content,
                ask: "token".to_owned(),
            }
            .write(),
        ))
    }

    fn token_content(&self, auth: &Auth, places: &Places) -> Result<Content, String> {
        Ok(match (&auth.json, &auth.form) {
            (Some(json), _) => Content::Json(self.json(json, places)?),
            (None, Some(form)) => Content::Form(self.fields(form, places)?),
            (None, None) => Content::Form(Vec::new()),
        })
    }

    pub(super) fn fields(&self, fields: &Fields, places: &Places) -> Result<Vec<(String, String)>, String> {
        fields
            .0
            .iter()
            .map(|(name, text)| {
                let template = Template::parse(text.get_ref())?;
                Ok((name.clone(), self.given.fill(&template, places, str::to_owned)?))
            })
            .collect()
    }
}

/// A header that is said twice is sent once, as it was said last.
fn set(headers: &mut Vec<(String, String)>, name: &str, value: String) {
    let name = name.to_ascii_lowercase();
    headers.retain(|(known, _)| *known != name);
    headers.push((name, value));
}

/// 32 hexadecimal digits written as a UUID of version 4.
fn uuid(digits: &str) -> String {
    let at = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    format!(
        "{}-{}-4{}-a{}-{}",
        at(0, 8),
        at(8, 12),
        at(13, 16),
        at(17, 20),
        at(20, 32)
    )
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
