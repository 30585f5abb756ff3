//! The tests of requests inside a connector file: a moment, secrets, and what must be sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::definition::{Call, RequestTest, Stream};
use super::load::Definition;
use super::request::{Fresh, Request};
use super::selftest::TestFailure;
use super::template::Places;
use super::write::{Announcement, Ids};
use super::{Bound, ConnectorConfig};
use crate::ids::{SourceId, WarehouseCode};
use crate::secret::Secret;

/// Runs every one; those that do not hold, with what differs.
pub(super) fn run(definition: &Definition) -> impl Iterator<Item = TestFailure> {
    definition.file.request_test.iter().filter_map(|test| {
        let why = match made(definition, test) {
            Ok(request) => differences(test, &request),
            Err(why) => why,
        };
        (!why.is_empty()).then(|| TestFailure {
            test: test.name.clone(),
            why,
        })
    })
}

fn made(definition: &Definition, test: &RequestTest) -> Result<Request, Vec<String>> {
    let bound = bind(definition, test)?;
    let now: DateTime<Utc> = test
        .now
        .parse()
        .map_err(|_| vec![format!("`{}` is no time such as 2026-01-02T03:04:05Z", test.now)])?;
    let fresh = Fresh {
        now,
        nonce: [0; 16],
        token: (!test.token.is_empty()).then(|| Secret::new(test.token.clone())),
    };
    if let Some(name) = &test.write {
        let name = name.get_ref();
        let write = bound
            .write(name)
            .ok_or_else(|| vec![format!("no write `{name}`")])?;
        let warehouse = test.places.get("warehouse").map_or("W", String::as_str);
        let order = Announcement::example(name, warehouse).map_err(|error| vec![error.to_string()])?;
        let ids = Ids::Known(test.ids.clone());
        return bound
            .write_request(write, &order, &ids, &fresh)
            .map_err(|why| vec![why]);
    }
    let name = test.stream.as_ref().map_or("", |name| name.get_ref());
    let (stream, _) = bound
        .stream(name)
        .ok_or_else(|| vec![format!("no stream `{name}`")])?;
    let call = call(stream, &test.call)
        .ok_or_else(|| vec![format!("stream `{name}` has no call `{}`", test.call)])?;
    let mut places = Places::default();
    for (name, value) in &test.places {
        match value.parse::<i64>() {
            // Counts are numbers in JSON; everything else stays as it is written.
            Ok(number) if ["page", "size", "offset"].contains(&name.as_str()) => places.int(name, number),
            _ => places.text(name, value),
        }
    }
    bound
        .request(call, &places, None, &fresh)
        .map_err(|why| vec![why])
}

fn call<'a>(stream: &'a Stream, name: &str) -> Option<&'a Call> {
    let report = stream.report.as_ref();
    match name {
        "request" => stream.request.as_ref(),
        "create" => report.map(|report| &report.create),
        "poll" => report.map(|report| &report.poll),
        "document" => report.and_then(|report| report.document.as_ref()),
        _ => None,
    }
}

fn differences(test: &RequestTest, request: &Request) -> Vec<String> {
    let mut why = Vec::new();
    let mut compare = |what: String, wanted: &str, got: Option<&str>| {
        if got != Some(wanted) {
            let got = got.map_or("nothing".to_owned(), |got| format!("`{got}`"));
            why.push(format!("{what}: expected `{wanted}`, got {got}"));
        }
    };
    if let Some(url) = &test.url {
        compare("url".to_owned(), url, Some(&request.url));
    }
    for (name, wanted) in &test.headers {
        let got = request
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str());
        compare(format!("header `{name}`"), wanted, got);
    }
    if let Some(body) = &test.body {
        let got = request.body.as_ref().map(|body| String::from_utf8_lossy(body));
        compare("body".to_owned(), body, got.as_deref());
    }
    why
}

fn bind(definition: &Definition, test: &RequestTest) -> Result<Bound, Vec<String>> {
    let secrets = definition
        .file
        .secrets
        .keys()
        .map(|name| {
            let value = test.secrets.get(name).map_or("test", String::as_str);
            (name.clone(), Secret::new(value))
        })
        .collect();
    let id = |error: crate::ids::IdError| vec![error.to_string()];
    let warehouses = definition
        .file
        .stream
        .values()
        .filter_map(|stream| stream.warehouse.as_ref())
        .map(|code| code.get_ref().as_str())
        .map(|code| if code == "*" { "W" } else { code })
        .map(|code| {
            Ok((
                code.to_owned(),
                WarehouseCode::new(format!("test:{code}")).map_err(id)?,
            ))
        })
        .collect::<Result<BTreeMap<_, _>, Vec<String>>>()?;
    let config = ConnectorConfig {
        id: SourceId::new("test").map_err(id)?,
        definition: Arc::new(definition.clone()),
        params: test.params.clone(),
        secrets,
        warehouses,
    };
    Bound::new(&config).map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::run_tests;

    const FILE: &str = r#"version = 1
name = "x"
zone = "UTC"
doctor = "stock"
[secrets.app_key]
about = "key"
[secrets.app_secret]
about = "secret"
[http]
base = "https://example.com"
[auth]
kind = "keys"
query = { app_key = "${secret:app_key}", format = "json", timestamp = "{timestamp}", v = "1.0.0" }
[[sign]]
kind = "md5_wrap"
into = "query.sign"
key = "${secret:app_secret}"
parts = ["app_key{query.app_key}", "format{query.format}", "method{query.method}", "timestamp{query.timestamp}", "v{query.v}", "{body}"]
[stream.stock]
record = "stock"
snapshot = "complete"
warehouse = "*"
request = { method = "POST", path = "/r", query = { method = "fu.wms.inbound.getlist" }, body = { warehouse_code = "{warehouse}", page_no = "{page}", page_size = 100 } }
rows = "data[]"
[stream.stock.map]
sku_code = "sku"
available = "units | int"
[[request_test]]
name = "the provider's own example"
stream = "stock"
now = "2018-07-26T08:06:53.187Z"
secrets = { app_key = "AK", app_secret = "SK" }
places = { warehouse = "USNYCA", page = "1" }
url = "https://example.com/r?method=fu.wms.inbound.getlist&app_key=AK&format=json&timestamp=1532592413187&v=1.0.0&sign=a395dbff7e7580cb9be99121797b5db4"
headers = { content-type = "application/json" }
body = '{"warehouse_code":"USNYCA","page_no":1,"page_size":100}'
"#;

    #[test]
    fn an_author_tests_a_signature_in_the_file_itself() {
        let run = |text: &str| {
            let definition = Definition::parse("x.toml", text).unwrap_or_else(|error| panic!("{error}"));
            run_tests(&definition)
        };
        assert_eq!(run(FILE), Ok(1));
        let wrong = run(&FILE
            .replace("\"SK\"", "\"SX\"")
            .replace("page_no\":1", "page_no\":2"))
        .unwrap_err();
        assert_eq!(wrong.len(), 1);
        let said = wrong[0].to_string();
        assert!(
            said.contains("url: expected") && said.contains("body: expected"),
            "{said}"
        );
        let wrong = run(&FILE.replace("2018-07-26T08:06:53.187Z", "yesterday")).unwrap_err();
        assert!(wrong[0].to_string().contains("`yesterday` is no time"));
    }
}
