//! Faults that can be switched on per endpoint, and the shape every HTTP answer of the world passes through.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};

/// What an endpoint does instead of answering well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    TooManyRequests {
        #[serde(default)]
        retry_after_s: Option<u64>,
    },
    Unavailable,
    /// The connection dies in the middle of the body.
    Reset,
    /// A body that ends well and holds half of what it should.
    HalfPage,
    ExpiredToken,
    Slow {
        millis: u64,
    },
    EmptyList,
    /// A column or key the reader relies on has another name.
    ChangedColumn,
    /// SFTP only: the disk is full after this many bytes of a file.
    DiskFull {
        after_bytes: u64,
    },
}

/// One switched-on fault. Endpoints are named in docs/world.md; `*` at the end stands for any rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointFault {
    pub endpoint: String,
    pub fault: FaultKind,
    /// How many requests it hits; `None` until the faults are cleared.
    #[serde(default)]
    pub times: Option<u32>,
}

#[derive(Debug, Default)]
pub struct Faults(Mutex<Vec<EndpointFault>>);

impl Faults {
    pub fn add(&self, fault: EndpointFault) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }

    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The fault the next request to `endpoint` meets; counts it.
    #[must_use]
    pub fn take(&self, endpoint: &str) -> Option<FaultKind> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hits = |fault: &EndpointFault| match fault.endpoint.strip_suffix('*') {
            Some(head) => endpoint.starts_with(head),
            None => fault.endpoint == endpoint,
        };
        let index = faults
            .iter()
            .position(|fault| hits(fault) && fault.times != Some(0))?;
        let fault = faults.get_mut(index)?;
        if let Some(times) = &mut fault.times {
            *times -= 1;
        }
        Some(fault.fault.clone())
    }
}

/// An answer before faults are applied to its transport.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub content_type: &'static str,
    pub rate_limit: Option<&'static str>,
    pub body: Vec<u8>,
}

impl Answer {
    #[must_use]
    pub fn json(status: StatusCode, body: &serde_json::Value) -> Self {
        let body = body.to_string().into_bytes();
        Self {
            status,
            content_type: "application/json",
            rate_limit: None,
            body,
        }
    }
}

/// Runs one request through the fault that is switched on for it. `make` gets the faults that concern content.
pub async fn serve(
    faults: &Faults,
    endpoint: &str,
    refusal: fn(StatusCode) -> Answer,
    make: impl FnOnce(Option<&FaultKind>) -> Answer,
) -> Response {
    let fault = faults.take(endpoint);
    match &fault {
        Some(FaultKind::TooManyRequests { retry_after_s }) => {
            let mut response = build(refusal(StatusCode::TOO_MANY_REQUESTS));
            if let Some(value) = retry_after_s.and_then(|s| HeaderValue::from_str(&s.to_string()).ok()) {
                response.headers_mut().insert(header::RETRY_AFTER, value);
            }
            return response;
        }
        Some(FaultKind::Unavailable) => return build(refusal(StatusCode::SERVICE_UNAVAILABLE)),
        Some(FaultKind::Slow { millis }) => tokio::time::sleep(Duration::from_millis(*millis)).await,
        _ => {}
    }
    let answer = make(fault.as_ref());
    if fault == Some(FaultKind::Reset) {
        cut_off(answer)
    } else {
        build(answer)
    }
}

/// Keeps the first half of a body that has no rows to halve.
pub fn halve(body: &mut Vec<u8>) {
    body.truncate(body.len() / 2);
}

fn build(answer: Answer) -> Response {
    let rate_limit = answer.rate_limit;
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(answer.content_type),
    );
    if let Some(limit) = rate_limit {
        let name = HeaderName::from_static("x-amzn-ratelimit-limit");
        headers.insert(name, HeaderValue::from_static(limit));
    }
    response
}

/// Promises the whole length, sends half, then lets the connection die.
fn cut_off(mut answer: Answer) -> Response {
    let length = answer.body.len();
    let half = Bytes::from(answer.body.drain(..length / 2).collect::<Vec<u8>>());
    answer.body = Vec::new();
    let mut response = build(answer);
    // The pause lets the half leave before the connection goes.
    let dead = async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        Err(std::io::Error::new(
            std::io::ErrorKind::ConnectionReset,
            "simulated reset",
        ))
    };
    let halves = stream::once(std::future::ready(Ok(half))).chain(stream::once(dead));
    *response.body_mut() = Body::from_stream(halves);
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_hits_its_endpoint_as_often_as_asked() {
        let faults = Faults::default();
        faults.add(EndpointFault {
            endpoint: "goodcang.*".into(),
            fault: FaultKind::Unavailable,
            times: Some(2),
        });
        assert_eq!(faults.take("amazon.inventory"), None);
        assert_eq!(faults.take("goodcang.inventory"), Some(FaultKind::Unavailable));
        assert_eq!(faults.take("goodcang.grn_list"), Some(FaultKind::Unavailable));
        assert_eq!(faults.take("goodcang.grn_list"), None);
        let json =
            r#"{"endpoint":"amazon.token","fault":{"kind":"too_many_requests","retry_after_s":2},"times":1}"#;
        assert!(serde_json::from_str::<EndpointFault>(json).is_ok());
    }
}
