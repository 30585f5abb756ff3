//! Who asks, from where, in which language; and what stands at the head of every answer.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::page::{Fault, Shell};
use super::{Seller, Site, credential, section, token};
use crate::digest::sha256_hex;
use crate::store::session;
use crate::wording::Lang;

pub(super) const SESSION: &str = "linkstar_session";
/// Proves that a login form was served to this browser.
pub(super) const FORM: &str = "linkstar_form";
const LANGUAGE: &str = "linkstar_lang";
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";
/// Longer addresses are not remembered through a login.
const MOST_TARGET_CHARS: usize = 300;

/// Somebody who is logged in.
pub(super) struct Visit {
    pub seller: Arc<dyn Seller>,
    pub user: String,
    pub token: String,
    pub lang: Lang,
    /// The page that was asked for, without `lang`.
    pub here: String,
}

impl Visit {
    pub fn shell(&self, title: &str) -> Shell {
        Shell::inside(self, title)
    }

    /// Every form carries this.
    pub fn csrf(&self) -> String {
        token::of_form(&self.token)
    }

    /// # Errors
    /// When the form was not served to this login.
    pub fn check(&self, given: Option<&String>) -> Result<(), Fault> {
        if given.is_some_and(|given| token::form_fits(&self.token, given)) {
            Ok(())
        } else {
            Err(Fault::new(self.lang, StatusCode::FORBIDDEN, "web.fault.form"))
        }
    }
}

impl FromRequestParts<Arc<Site>> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Response> {
        match enter(parts, site).await {
            Ok(Some(visit)) => Ok(visit),
            Ok(None) if parts.method == Method::GET => Err(to_login(&parts.uri)),
            Ok(None) => Err(Redirect::to("/login").into_response()),
            Err(fault) => Err(fault.into_response()),
        }
    }
}

async fn enter(parts: &Parts, site: &Site) -> Result<Option<Visit>, Fault> {
    let Some(cookie) = cookie(&parts.headers, SESSION) else {
        return Ok(None);
    };
    let Some((mark, token)) = cookie.split_once('.') else {
        return Ok(None);
    };
    let seller = site
        .sellers
        .iter()
        .find(|seller| mark_of(seller.night().account().as_str()) == mark);
    let Some(seller) = seller else { return Ok(None) };
    let night = seller.night();
    let asked = language(&parts.headers, &parts.uri);
    let lang = asked.unwrap_or(night.config.account.language);
    let store = |error: crate::store::StoreError| Fault::store(lang, &error);
    let mut tx = night.store.read().await.map_err(store)?;
    let found = session::find(
        &mut tx,
        night.account(),
        &sha256_hex(token.as_bytes()),
        night.now(),
    )
    .await
    .map_err(store)?;
    let Some(found) = found else { return Ok(None) };
    // Somebody who may not log in any more, or not with that password, is out at once.
    let user = section(&night)
        .into_iter()
        .flat_map(|web| &web.users)
        .find(|user| user.name == found.user && credential(night.account(), user) == found.credential);
    let Some(user) = user else { return Ok(None) };
    Ok(Some(Visit {
        user: user.name.clone(),
        lang: asked.or(user.language).unwrap_or(night.config.account.language),
        token: token.to_owned(),
        here: without_lang(&parts.uri),
        seller: Arc::clone(seller),
    }))
}

/// Stands for an account in a cookie: which account there are is nobody's business.
pub(super) fn mark_of(account: &str) -> String {
    let digest = sha256_hex(format!("account\n{account}").as_bytes());
    digest.get(..16).unwrap_or(&digest).to_owned()
}

fn to_login(uri: &Uri) -> Response {
    let target = without_lang(uri);
    if target == "/" || !is_inside(&target) {
        return Redirect::to("/login").into_response();
    }
    Redirect::to(&format!("/login?to={}", encoded(&target))).into_response()
}

/// Whether a place to go on to after the login is one of ours.
pub(super) fn is_inside(target: &str) -> bool {
    target.starts_with('/')
        && !target.starts_with("//")
        && target.chars().count() <= MOST_TARGET_CHARS
        && target.chars().all(|c| c.is_ascii_graphic() && c != '\\')
}

/// As a part of an address.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

pub(super) fn set_cookie(name: &str, value: &str, seconds: i64, secure: bool) -> Option<HeaderValue> {
    let secure = if secure { "; Secure" } else { "" };
    HeaderValue::from_str(&format!(
        "{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
    ))
    .ok()
}

fn asked_in_query(uri: &Uri) -> Option<Lang> {
    let pairs = uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .filter(|(key, _)| *key == "lang")
        .find_map(|(_, value)| named(value))
}

fn named(text: &str) -> Option<Lang> {
    let text = text.trim().to_ascii_lowercase();
    match text.split(['-', '_']).next() {
        Some("zh") => Some(Lang::Zh),
        Some("en") => Some(Lang::En),
        _ => None,
    }
}

/// What was asked for: by `?lang`, by the cookie an earlier `?lang` left, by the browser.
pub(super) fn language(headers: &HeaderMap, uri: &Uri) -> Option<Lang> {
    let chosen = asked_in_query(uri).or_else(|| cookie(headers, LANGUAGE).and_then(|text| named(&text)));
    chosen.or_else(|| {
        let accepted = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
        let mut best: Option<(u32, Lang)> = None;
        for part in accepted.split(',').take(20) {
            let (tag, weight) = part.split_once(';').unwrap_or((part, ""));
            let weight = weight
                .trim()
                .strip_prefix("q=")
                .map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0));
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 0 and 1000"
            )]
            let weight = (weight.clamp(0.0, 1.0) * 1000.0) as u32;
            if let Some(lang) = named(tag)
                && weight > 0
                && best.is_none_or(|(known, _)| weight > known)
            {
                best = Some((weight, lang));
            }
        }
        best.map(|(_, lang)| lang)
    })
}

fn without_lang(uri: &Uri) -> String {
    let query: Vec<&str> = uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("lang="))
        .collect();
    if query.is_empty() {
        uri.path().to_owned()
    } else {
        format!("{}?{}", uri.path(), query.join("&"))
    }
}

/// The peer, or whom a proxy that is trusted names: the last address it did not add itself.
pub(super) fn client(headers: &HeaderMap, peer: SocketAddr, trusted: &[IpAddr]) -> IpAddr {
    let peer = peer.ip().to_canonical();
    if !trusted.contains(&peer) {
        return peer;
    }
    let named: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    for text in named.iter().rev() {
        match text.trim().parse::<IpAddr>() {
            Ok(address) if trusted.contains(&address.to_canonical()) => {}
            Ok(address) => return address.to_canonical(),
            Err(_) => break,
        }
    }
    peer
}

/// Whether the browser speaks TLS to a proxy that is trusted: then cookies go over TLS only.
pub(super) fn is_secure(headers: &HeaderMap, peer: SocketAddr, trusted: &[IpAddr]) -> bool {
    trusted.contains(&peer.ip().to_canonical())
        && headers
            .get("x-forwarded-proto")
            .is_some_and(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https"))
}

/// Heads of every answer, and the memory of a chosen language.
pub(super) async fn heads(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let chosen = asked_in_query(request.uri());
    let secure = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .is_some_and(|peer| is_secure(request.headers(), peer.0, &site.proxies()));
    let mut response = next.run(request).await;
    let heads = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        heads.insert(name, HeaderValue::from_static(value));
    }
    heads
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    if secure {
        heads.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    const YEAR: i64 = 365 * 24 * 3600;
    if let Some(lang) = chosen
        && let Some(cookie) = set_cookie(LANGUAGE, lang.code(), YEAR, secure)
    {
        heads.append(header::SET_COOKIE, cookie);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    header::HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn the_language_is_what_was_asked_for_last() {
        let uri = |text: &'static str| Uri::from_static(text);
        let browser = headers(&[("accept-language", "fr, en;q=0.3, zh-TW;q=0.8")]);
        assert_eq!(language(&browser, &uri("/")), Some(Lang::Zh));
        assert_eq!(language(&browser, &uri("/?lang=en")), Some(Lang::En));
        let kept = headers(&[("accept-language", "zh"), ("cookie", "a=b; linkstar_lang=en")]);
        assert_eq!(language(&kept, &uri("/")), Some(Lang::En));
        assert_eq!(language(&kept, &uri("/?lang=zh-CN")), Some(Lang::Zh));
        assert_eq!(
            language(&headers(&[("accept-language", "fr")]), &uri("/?lang=xx")),
            None
        );
        assert_eq!(without_lang(&uri("/line?sku=A&lang=en")), "/line?sku=A");
    }

    #[test]
    fn forwarded_addresses_are_believed_of_a_trusted_proxy_only() {
        let peer: SocketAddr = "10.0.0.9:1".parse().unwrap();
        let proxy: IpAddr = "10.0.0.9".parse().unwrap();
        let told = headers(&[
            ("x-forwarded-for", "1.2.3.4, 5.6.7.8"),
            ("x-forwarded-proto", "https"),
        ]);
        assert_eq!(client(&told, peer, &[]), peer.ip());
        assert!(!is_secure(&told, peer, &[]));
        // What stands before the last one was written by whoever asked.
        assert_eq!(client(&told, peer, &[proxy]).to_string(), "5.6.7.8");
        assert!(is_secure(&told, peer, &[proxy]));
        let rubbish = headers(&[("x-forwarded-for", "1.2.3.4, rubbish")]);
        assert_eq!(client(&rubbish, peer, &[proxy]), peer.ip());
    }

    #[test]
    fn only_our_own_pages_are_gone_on_to() {
        for good in ["/", "/orders/BH260907-01", "/line?sku=A%20B&warehouse=x"] {
            assert!(is_inside(good), "{good}");
        }
        for bad in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a b",
            "/\r\nSet-Cookie:x",
            "/备货",
        ] {
            assert!(!is_inside(bad), "{bad}");
        }
        assert!(!is_inside(&format!("/{}", "x".repeat(300))));
        assert_eq!(encoded("/a?b=ü&c"), "%2Fa%3Fb%3D%C3%BC%26c");
    }
}
