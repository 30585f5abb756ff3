//! One request, one answer: allowed hosts, time, size.

use std::time::Duration;

use super::{Client, Failure, FailureKind};
use crate::connector::definition::Method;
use crate::connector::request::Request;

/// An answer as it came.
pub(super) struct RawAnswer {
    pub status: u16,
    pub headers: Box<reqwest::header::HeaderMap>,
    pub body: Vec<u8>,
}

impl RawAnswer {
    pub fn header(&self, name: &str) -> Option<String> {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    }
}

/// Where requests may go.
pub(super) struct Allowed<'a> {
    /// The host of the definition's base and token addresses.
    pub own: &'a [&'a str],
    pub others: &'a [String],
}

fn host_of(url: &str) -> Option<String> {
    reqwest::Url::parse(url).ok()?.host_str().map(str::to_owned)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// The address, when it may be called: HTTPS (or HTTP on this machine) to a host the definition names.
pub(super) fn allowed(url: &str, to: &Allowed<'_>) -> Result<reqwest::Url, Failure> {
    let refuse = |why: &str| Failure::new(FailureKind::Configuration, why.to_owned());
    let url = reqwest::Url::parse(url).map_err(|_| refuse("the address is no URL"))?;
    let host = url.host_str().unwrap_or_default();
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(host)) {
        return Err(refuse(&format!("`{}://{host}` is not encrypted", url.scheme())));
    }
    let own = to
        .own
        .iter()
        .filter_map(|base| host_of(base))
        .any(|own| own == host);
    let other = to.others.iter().any(|pattern| match pattern.strip_prefix("*.") {
        Some(domain) => host.strip_suffix(domain).is_some_and(|sub| sub.ends_with('.')),
        None => pattern == host,
    });
    if own || other {
        Ok(url)
    } else {
        Err(refuse(&format!(
            "host `{host}` is not among those the connector may call"
        )))
    }
}

/// How much later than the HTTP client's the outer deadline ends a request.
const GRACE: Duration = Duration::from_millis(500);

impl Client {
    /// The answer, whole, or a failure when `timeout` has passed, whatever the server does in between: the HTTP client
    /// has a deadline of its own, this one does not depend on it.
    pub(super) async fn send(
        &self,
        url: reqwest::Url,
        request: &Request,
        timeout: Duration,
        max_body: u64,
    ) -> Result<RawAnswer, Failure> {
        let host = url.host_str().unwrap_or_default().to_owned();
        match tokio::time::timeout(timeout + GRACE, self.exchange(url, request, timeout, max_body)).await {
            Ok(answer) => answer,
            Err(_) => Err(too_slow(&host, timeout)),
        }
    }

    async fn exchange(
        &self,
        url: reqwest::Url,
        request: &Request,
        timeout: Duration,
        max_body: u64,
    ) -> Result<RawAnswer, Failure> {
        let host = url.host_str().unwrap_or_default().to_owned();
        let mut builder = match request.method {
            Method::Get => self.inner.get(url),
            Method::Post => self.inner.post(url),
            Method::Put => self.inner.put(url),
            Method::Patch => self.inner.patch(url),
            Method::Delete => self.inner.delete(url),
        }
        .timeout(timeout);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        let failed = |error: reqwest::Error| transport_failure(&host, timeout, error);
        let mut answer = builder.send().await.map_err(failed)?;
        let (status, headers) = (answer.status().as_u16(), Box::new(answer.headers().clone()));
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if u64::try_from(body.len() + chunk.len()).unwrap_or(u64::MAX) > max_body {
                return Err(Failure::new(
                    FailureKind::WrongSchema,
                    format!("the answer of {host} is larger than {max_body} bytes"),
                ));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(RawAnswer {
            status,
            headers,
            body,
        })
    }
}

fn too_slow(host: &str, timeout: Duration) -> Failure {
    Failure::new(
        FailureKind::Slow,
        format!("{host} did not finish its answer within {} s", timeout.as_secs()),
    )
}

/// Errors of the transport print the address with its query: it is left away, the cause is kept.
fn transport_failure(host: &str, timeout: Duration, error: reqwest::Error) -> Failure {
    let error = error.without_url();
    if error.is_timeout() && !error.is_connect() {
        return too_slow(host, timeout);
    }
    if error.is_builder() {
        return Failure::new(
            FailureKind::Configuration,
            format!("the request to {host} cannot be made: {error}"),
        );
    }
    let mut text = format!("{host}: {error}");
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    Failure::new(FailureKind::Unreachable, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_go_only_to_named_hosts_and_unencrypted_only_to_this_machine() {
        let others = ["*.amazonaws.com".to_owned()];
        let to = Allowed {
            own: &["https://api.example.com/x", "http://127.0.0.1:8080"],
            others: &others,
        };
        let may = |url: &str| allowed(url, &to).is_ok();
        assert!(may("https://api.example.com/y?z=1"));
        assert!(may("https://bucket.s3.amazonaws.com/doc?sig=1"));
        assert!(may("http://127.0.0.1:9999/doc"));
        assert!(!may("http://api.example.com/y"));
        assert!(!may("https://evil.example.org/"));
        assert!(!may("https://amazonaws.com.evil.org/"));
        assert!(!may("https://evilamazonaws.com/"));
        assert!(!may("file:///etc/passwd"));
        assert!(!may("https://api.example.com@evil.org/"));
    }
}
