//! In and out.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, LazyLock};

use askama::Template;
use axum::Form;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::Duration;

use super::gate::{self, FORM, SESSION, Visit};
use super::page::{Fault, Shell, show};
use super::{Seller, Site, credential, section, token};
use crate::config::WebUser;
use crate::digest::sha256_hex;
use crate::night::step::chain;
use crate::secret::password::{MOST_CHARS, PasswordHash, hash, same};
use crate::store::session::{self, Session};
use crate::wording::{Lang, text};

pub(super) type Fields = BTreeMap<String, String>;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    shell: Shell,
    form: String,
    to: String,
    user: String,
    account: String,
    ask_account: bool,
    nobody: bool,
    problem: Option<String>,
}

/// Hashed for a name nobody has, so that it takes as long as for one that somebody has.
static NOBODY: LazyLock<Option<PasswordHash>> =
    LazyLock::new(|| PasswordHash::parse(&hash("nobody", [0; 16]).ok()?).ok());

fn lang_of(site: &Site, headers: &HeaderMap, uri: &Uri) -> Lang {
    gate::language(headers, uri).unwrap_or_else(|| {
        let first = site.sellers.first();
        first.map_or(Lang::Zh, |seller| seller.night().config.account.language)
    })
}

fn page(
    site: &Site,
    lang: Lang,
    secure: bool,
    fields: &Fields,
    status: StatusCode,
    problem: Option<String>,
) -> Response {
    let fresh = match token::fresh() {
        Ok(fresh) => fresh,
        Err(error) => {
            tracing::error!(error, "no login");
            return Fault::new(lang, StatusCode::SERVICE_UNAVAILABLE, "web.fault.inside").into_response();
        }
    };
    let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
    let page = LoginPage {
        shell: Shell::outside(lang, &text(lang, "web.login.title", &[])),
        form: token::of_form(&fresh),
        to: Some(field("to"))
            .filter(|to| gate::is_inside(to))
            .unwrap_or_default(),
        user: field("user"),
        account: field("account"),
        ask_account: site.sellers.len() > 1,
        nobody: site
            .sellers
            .iter()
            .all(|seller| section(&seller.night()).is_none_or(|web| web.users.is_empty())),
        problem,
    };
    let mut response = show(lang, status, &page);
    if let Some(cookie) = gate::set_cookie(FORM, &fresh, 3600, secure) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

pub(super) async fn ask(
    State(site): State<Arc<Site>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Query(fields): Query<Fields>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let to: Fields = fields.into_iter().filter(|(name, _)| name == "to").collect();
    let secure = gate::is_secure(&headers, peer, &site.proxies());
    let lang = lang_of(&site, &headers, &uri);
    page(&site, lang, secure, &to, StatusCode::OK, None)
}

pub(super) async fn take(
    State(site): State<Arc<Site>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    uri: Uri,
    Form(fields): Form<Fields>,
) -> Result<Response, Fault> {
    let lang = lang_of(&site, &headers, &uri);
    let proxies = site.proxies();
    let secure = gate::is_secure(&headers, peer, &proxies);
    let from = gate::client(&headers, peer, &proxies);
    let served = gate::cookie(&headers, FORM);
    let fits = served
        .zip(fields.get("form"))
        .is_some_and(|(served, given)| token::form_fits(&served, given));
    if !fits {
        return Err(Fault::new(lang, StatusCode::FORBIDDEN, "web.fault.form")
            .link("/login", text(lang, "web.login.title", &[])));
    }
    let field = |name: &str| fields.get(name).map_or("", |value| value.trim());
    let seller = match (site.sellers.as_slice(), field("account")) {
        ([one], _) => Some(one),
        (_, account) => site.seller(account),
    };
    let name = field("user");
    let who = format!(
        "{}\n{name}",
        seller.map_or_else(String::new, |seller| seller.night().account().to_string())
    );
    let Some(now) = site.sellers.first().map(|seller| seller.night().now()) else {
        return Err(Fault::missing(lang));
    };
    if let Some(seconds) = site.throttle.wait(&who, from, now) {
        tracing::warn!(%from, user = name.escape_debug().to_string(), "login refused: too many tries");
        let minutes = (seconds / 60 + 1).to_string();
        return Err(Fault::new(lang, StatusCode::TOO_MANY_REQUESTS, "web.fault.tries")
            .say(text(lang, "web.login.wait", &[("n", &minutes)]))
            .retry_after(seconds));
    }
    site.throttle.count(&who, from, now);
    let password = fields.get("password").map_or("", String::as_str);
    let user = match seller {
        Some(seller) => known(seller, name),
        None => None,
    };
    let right = fits_password(&site, user.as_ref(), password).await;
    let (Some(seller), Some(user), true) = (seller, user, right) else {
        tracing::warn!(%from, user = name.escape_debug().to_string(), "login refused");
        let problem = text(lang, "web.login.wrong", &[]);
        return Ok(page(
            &site,
            lang,
            secure,
            &fields,
            StatusCode::UNAUTHORIZED,
            Some(problem),
        ));
    };
    site.throttle.forgive(&who, from);
    begin(seller, &user, from, lang, secure, &fields).await
}

fn known(seller: &Arc<dyn Seller>, name: &str) -> Option<WebUser> {
    let night = seller.night();
    let users = section(&night)
        .map(|web| web.users.as_slice())
        .unwrap_or_default();
    users.iter().find(|user| user.name == name).cloned()
}

async fn fits_password(site: &Site, user: Option<&WebUser>, password: &str) -> bool {
    if let Some(token) = user.and_then(|user| user.token.as_ref()) {
        let digest = |text: &str| sha256_hex(text.as_bytes());
        return same(
            digest(token.expose()).as_bytes(),
            digest(password.trim()).as_bytes(),
        );
    }
    let kept = user
        .and_then(|user| user.password_hash.as_ref())
        .and_then(|kept| PasswordHash::parse(kept.expose()).ok());
    let somebody = kept.is_some();
    let Some(kept) = kept.or_else(|| NOBODY.clone()) else {
        return false;
    };
    // Never closed.
    let Ok(_place) = site.hashing.acquire().await else {
        return false;
    };
    let password: String = password.chars().take(MOST_CHARS + 1).collect();
    let fits = tokio::task::spawn_blocking(move || kept.fits(&password)).await;
    somebody && fits.unwrap_or(false)
}

async fn begin(
    seller: &Arc<dyn Seller>,
    user: &WebUser,
    from: IpAddr,
    lang: Lang,
    secure: bool,
    fields: &Fields,
) -> Result<Response, Fault> {
    let night = seller.night();
    let hours = section(&night).map_or(1, |web| web.session_hours);
    let fresh = token::fresh().map_err(|error| {
        tracing::error!(error, "no login");
        Fault::new(lang, StatusCode::SERVICE_UNAVAILABLE, "web.fault.inside")
    })?;
    let now = night.now();
    let begun = Session {
        token_sha256: sha256_hex(fresh.as_bytes()),
        user: user.name.clone(),
        credential: credential(night.account(), user),
        expires_at: now + Duration::hours(i64::from(hours)),
    };
    let store = |error: crate::store::StoreError| {
        tracing::error!("login not kept: {}", chain(&error));
        Fault::new(lang, StatusCode::SERVICE_UNAVAILABLE, "web.fault.inside")
    };
    let mut tx = night.store.write().await.map_err(store)?;
    session::begin(&mut tx, night.account(), &begun, now)
        .await
        .map_err(store)?;
    tx.commit().await.map_err(store)?;
    tracing::info!(account = %night.account(), user = user.name, %from, "logged in");
    let to = fields
        .get("to")
        .filter(|to| gate::is_inside(to))
        .map_or("/", String::as_str);
    let mut response = Redirect::to(to).into_response();
    let value = format!("{}.{fresh}", gate::mark_of(night.account().as_str()));
    let cookies = [
        gate::set_cookie(SESSION, &value, i64::from(hours) * 3600, secure),
        gate::set_cookie(FORM, "", 0, secure),
    ];
    for cookie in cookies.into_iter().flatten() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

pub(super) async fn leave(visit: Visit, Form(fields): Form<Fields>) -> Result<Response, Fault> {
    visit.check(fields.get("csrf"))?;
    let night = visit.seller.night();
    let store = |error: crate::store::StoreError| Fault::store(visit.lang, &error);
    let mut tx = night.store.write().await.map_err(store)?;
    session::end(&mut tx, night.account(), &sha256_hex(visit.token.as_bytes()))
        .await
        .map_err(store)?;
    tx.commit().await.map_err(store)?;
    let mut response = Redirect::to("/login").into_response();
    if let Some(cookie) = gate::set_cookie(SESSION, "", 0, false) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
