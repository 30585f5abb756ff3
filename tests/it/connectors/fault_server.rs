//! Orders of ten days in many pages, and everything a server can do wrong on the way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use chrono::{Duration, NaiveDate};
use futures_util::stream;
use serde_json::{Value as Json, json};

use super::stage::gzip;

pub const ORDERS_PER_PAGE: usize = 100;
pub const LINES_PER_ORDER: usize = 2;
/// Days that are asked for one by one.
pub const WINDOWS: usize = 10;
/// A token is good for so many answers.
const TOKEN_LIFE: u64 = 25;

#[derive(Default)]
struct Seen {
    asked: u64,
    token: u64,
    used: u64,
    faults: BTreeMap<&'static str, u64>,
}

struct Inner {
    pages_a_day: usize,
    faulty: bool,
    seen: Mutex<Seen>,
}

pub struct FaultServer {
    pub url: String,
    inner: Arc<Inner>,
}

impl FaultServer {
    pub async fn open(pages: usize, faulty: bool) -> Self {
        let inner = Arc::new(Inner {
            pages_a_day: pages.div_ceil(WINDOWS),
            faulty,
            seen: Mutex::default(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let app = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, inner }
    }

    /// Requests for pages so far.
    pub fn asked(&self) -> u64 {
        self.inner.seen.lock().expect("seen").asked
    }

    pub fn faults(&self) -> BTreeMap<&'static str, u64> {
        self.inner.seen.lock().expect("seen").faults.clone()
    }

    pub fn orders(&self) -> usize {
        self.inner.pages_a_day * WINDOWS * ORDERS_PER_PAGE
    }
}

/// What happens to a request.
enum Fate {
    Served,
    Refused(u16, Vec<(&'static str, &'static str)>, Json),
    CutOff,
    Truncated,
}

impl Inner {
    fn fate(&self, token: &str) -> Fate {
        let mut seen = self.seen.lock().expect("seen");
        seen.asked += 1;
        let (number, used) = (seen.asked, seen.used);
        let expired = || Fate::Refused(401, Vec::new(), json!({"message": "the token has expired"}));
        if token != format!("t-{}", seen.token) {
            return expired();
        }
        if !self.faulty {
            return Fate::Served;
        }
        let (fault, fate) = if used >= TOKEN_LIFE {
            ("expired token", expired())
        } else if number.is_multiple_of(7) {
            let told = vec![("retry-after", "1")];
            ("429", Fate::Refused(429, told, json!({"message": "slow down"})))
        } else if number % 11 == 3 {
            ("503", Fate::Refused(503, Vec::new(), json!({"message": "later"})))
        } else if number % 13 == 5 {
            ("reset in the body", Fate::CutOff)
        } else if number % 17 == 9 {
            ("truncated gzip", Fate::Truncated)
        } else {
            seen.used += 1;
            return Fate::Served;
        };
        if fault == "expired token" {
            // Good for nothing from now on.
            seen.token += 1;
        }
        *seen.faults.entry(fault).or_insert(0) += 1;
        fate
    }

    fn new_token(&self) -> Json {
        let mut seen = self.seen.lock().expect("seen");
        seen.token += 1;
        seen.used = 0;
        json!({"access_token": format!("t-{}", seen.token), "expires_in": 3600})
    }

    /// Every second page begins with the last order of the page before, which has changed meanwhile.
    fn page(&self, from: &str, number: usize) -> Json {
        let first: NaiveDate = "2026-03-01".parse().expect("a day");
        let day: NaiveDate = from.get(..10).unwrap_or_default().parse().unwrap_or(first);
        let Ok(window) = usize::try_from((day - first).num_days()) else {
            return json!({"orders": []});
        };
        if window >= WINDOWS || number >= self.pages_a_day {
            return json!({"orders": []});
        }
        let start = (window * self.pages_a_day + number) * ORDERS_PER_PAGE;
        let again = (number % 2 == 1).then(|| order(day, start - 1, 1));
        let orders: Vec<Json> = again
            .into_iter()
            .chain((start..start + ORDERS_PER_PAGE).map(|id| order(day, id, 0)))
            .collect();
        let mut page = json!({"orders": orders});
        if number + 1 < self.pages_a_day {
            page["next"] = json!((number + 1).to_string());
        }
        page
    }
}

fn order(day: NaiveDate, id: usize, version: usize) -> Json {
    let lines: Vec<Json> = (0..LINES_PER_ORDER)
        .map(|line| {
            json!({"sku": format!("SKU-{:03}", (id * 7 + line * 13) % 300), "quantity": id % 5 + 1 + version})
        })
        .collect();
    json!({
        "id": format!("O-{id:08}"),
        "channel": "shop.example",
        "fulfilment": "Merchant",
        "status": if id.is_multiple_of(50) { "cancelled" } else { "shipped" },
        "created": format!("{day}T{:02}:15:00Z", id % 24),
        "updated": format!("{}T{:02}:00:00Z", day + Duration::days(1), 3 + version),
        "lines": lines,
    })
}

async fn answer(State(server): State<Arc<Inner>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let json = |status: u16, headers: &[(&'static str, &'static str)], body: &Json| {
        let mut answer = Response::builder().status(status);
        for (name, value) in headers {
            answer = answer.header(*name, *value);
        }
        answer.body(Body::from(body.to_string())).expect("an answer")
    };
    if parts.uri.path() == "/token" {
        return json(200, &[], &server.new_token());
    }
    let query = parts.uri.query().unwrap_or_default();
    let asked = |name: &str| {
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map_or("", |(_, value)| value)
    };
    let token = parts.headers.get("x-token").and_then(|value| value.to_str().ok());
    let fate = server.fate(token.unwrap_or_default());
    if let Fate::Refused(status, headers, body) = &fate {
        return json(*status, headers, body);
    }
    let page = server.page(asked("from"), asked("page").parse().unwrap_or(0));
    let whole = gzip(&page.to_string());
    let half = Bytes::copy_from_slice(&whole[..whole.len() / 2]);
    match fate {
        Fate::CutOff => {
            let parts = vec![Ok(half), Err(std::io::Error::other("cut"))];
            Response::new(Body::from_stream(stream::iter(parts)))
        }
        Fate::Truncated => Response::new(Body::from(half)),
        _ => Response::new(Body::from(whole)),
    }
}
