//! Addresses and ways in.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use futures_util::future::join_all;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use super::page::Fault;
use super::throttle::Throttle;
use super::{Seller, Site, decide, gate, health, login, operation, orders, plan, section, traffic};
use crate::wording::Lang;

/// A page full of answers, each with a long reason, takes less.
const MOST_FORM_BYTES: usize = 512 * 1024;
/// Passwords that are hashed at the same time.
const HASHES_AT_ONCE: usize = 2;
/// An answer that is still being written when the process stops gets so long.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("no configuration has a [web] section: there is nothing to serve")]
    Nothing,
    #[error("accounts `{one}` and `{other}` are served at {address}, but {what}")]
    Clash {
        one: String,
        other: String,
        address: SocketAddr,
        what: &'static str,
    },
    #[error("cannot listen on {address}")]
    Listen {
        address: SocketAddr,
        #[source]
        source: std::io::Error,
    },
}

/// Addresses that are held, with what is served there.
pub struct Bound {
    servers: Vec<(TcpListener, Router)>,
}

/// One address with the accounts served there.
type Place = (SocketAddr, Vec<Arc<dyn Seller>>);

fn gather(places: &mut Vec<Place>, address: SocketAddr, seller: &Arc<dyn Seller>) {
    match places.iter_mut().find(|(known, _)| *known == address) {
        Some((_, sellers)) => sellers.push(Arc::clone(seller)),
        None => places.push((address, vec![Arc::clone(seller)])),
    }
}

/// Takes the addresses that the configurations name. Accounts of one address share its pages, each login sees its own.
///
/// # Errors
/// When no configuration wants pages, two accounts cannot share an address, or it is taken.
pub async fn bind(sellers: &[Arc<dyn Seller>]) -> Result<Bound, ServeError> {
    let (mut pages, mut local): (Vec<Place>, Vec<Place>) = (Vec::new(), Vec::new());
    for seller in sellers {
        let night = seller.night();
        if let Some(web) = section(&night) {
            gather(&mut pages, web.listen, seller);
            gather(&mut local, web.health, seller);
        }
    }
    if pages.is_empty() {
        return Err(ServeError::Nothing);
    }
    let mut bound = Bound { servers: Vec::new() };
    for (address, sellers) in pages {
        check(address, &sellers)?;
        let site = Site {
            sellers,
            throttle: Throttle::default(),
            hashing: Semaphore::new(HASHES_AT_ONCE),
        };
        bound.listen(address, router(Arc::new(site)), "pages").await?;
    }
    for (address, sellers) in local {
        bound.listen(address, health::router(sellers), "health").await?;
    }
    Ok(bound)
}

fn check(address: SocketAddr, sellers: &[Arc<dyn Seller>]) -> Result<(), ServeError> {
    for (place, seller) in sellers.iter().enumerate() {
        let night = seller.night();
        for earlier in sellers.iter().take(place) {
            let known = earlier.night();
            let clash = |what| ServeError::Clash {
                one: known.account().to_string(),
                other: night.account().to_string(),
                address,
                what,
            };
            if known.account() == night.account() {
                return Err(clash(
                    "a login could not say which of them it means: give them other ids",
                ));
            }
            let proxies =
                |night: &crate::night::Night<'_>| section(night).map(|web| web.trusted_proxies.clone());
            if proxies(&known) != proxies(&night) {
                return Err(clash("they trust different proxies"));
            }
        }
    }
    Ok(())
}

impl Bound {
    async fn listen(&mut self, address: SocketAddr, router: Router, what: &str) -> Result<(), ServeError> {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|source| ServeError::Listen { address, source })?;
        let address = listener.local_addr().unwrap_or(address);
        tracing::info!(%address, what, "listening");
        self.servers.push((listener, router));
        Ok(())
    }

    /// Serves until `stopping` turns true; then what is under way is finished, for a while.
    pub async fn run(self, stopping: watch::Receiver<bool>) {
        let served = self.servers.into_iter().map(|(listener, router)| {
            let mut stopping = stopping.clone();
            let mut late = stopping.clone();
            async move {
                let stop = async move {
                    let _ = stopping.wait_for(|stop| *stop).await;
                };
                let served = axum::serve(
                    listener,
                    router.into_make_service_with_connect_info::<SocketAddr>(),
                )
                .with_graceful_shutdown(stop);
                tokio::select! {
                    ended = served => if let Err(error) = ended {
                        tracing::error!(%error, "the page is not served any more");
                    },
                    () = async {
                        let _ = late.wait_for(|stop| *stop).await;
                        tokio::time::sleep(PATIENCE).await;
                    } => tracing::warn!("an answer was cut off by the stop"),
                }
            }
        });
        join_all(served).await;
    }
}

fn router(site: Arc<Site>) -> Router {
    Router::new()
        .route("/", get(plan::today))
        .route("/line", get(plan::line))
        .route("/find", get(plan::find))
        .route("/decide", post(decide::take))
        .route("/orders", get(orders::all))
        .route("/orders/{order}", get(orders::one))
        .route("/orders/{order}/documents/{sha256}", get(orders::document))
        .route("/messages", get(traffic::all))
        .route("/operation", get(operation::all))
        .route("/login", get(login::ask).post(login::take))
        .route("/logout", post(login::leave))
        .route("/style.css", get(style))
        .fallback(missing)
        .layer(DefaultBodyLimit::max(MOST_FORM_BYTES))
        .layer(middleware::from_fn_with_state(Arc::clone(&site), gate::heads))
        .with_state(site)
}

async fn style() -> Response {
    (
        [
            (header::CONTENT_TYPE, "text/css; charset=utf-8"),
            (header::CACHE_CONTROL, "max-age=3600"),
        ],
        include_str!("templates/style.css"),
    )
        .into_response()
}

async fn missing(headers: HeaderMap, uri: Uri) -> Fault {
    Fault::missing(gate::language(&headers, &uri).unwrap_or(Lang::Zh)).link("/", "linkstar")
}
