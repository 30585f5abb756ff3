//! What pipes do and refuse.

use super::*;
use crate::connector::tree::{self, Want};

/// `source | pipes` applied to a row.
fn run(entry: &str, row: &str) -> Result<Option<String>, Refused> {
    let tree = tree::parse(row.as_bytes(), &Want::all()).unwrap();
    let mut parts = split_outside_quotes(entry, '|').into_iter();
    let look = |source: &Source| match source {
        Source::Path(path) => path.get(&tree).map_or(Cell::Null, Cell::of_node),
        Source::Literal(text) => Cell::Text(Cow::Owned(text.clone())),
        _ => Cell::Null,
    };
    let mut cell = look(&Source::parse(&parts.next().unwrap()).unwrap());
    for part in parts {
        cell = apply(&parse(&part).unwrap(), cell, &look, &mut |_| {})?;
    }
    Ok(cell.show().map(Cow::into_owned))
}

fn is(entry: &str, row: &str, wanted: &str) {
    assert_eq!(run(entry, row), Ok(Some(wanted.to_owned())), "{entry} of {row}");
}

fn is_null(entry: &str, row: &str) {
    assert_eq!(run(entry, row), Ok(None), "{entry} of {row}");
}

#[test]
fn texts_are_cut_joined_and_changed() {
    is(
        "id | split('/', -1)",
        r#"{"id": "gid://shopify/Order/466"}"#,
        "466",
    );
    is("id | split('-', 0)", r#"{"id": "IC900278-1"}"#, "IC900278");
    is_null("id | split('-', 4)", r#"{"id": "IC900278-1"}"#);
    is("a | concat('-', b)", r#"{"a": "X", "b": 2}"#, "X-2");
    is_null("a | concat('-', b)", r#"{"a": "X"}"#);
    is(
        "a | replace(' ', '') | lower",
        r#"{"a": "In Transit"}"#,
        "intransit",
    );
    is("a | replace(',', '') | int", r#"{"a": "1,482"}"#, "1482");
}

#[test]
fn units_are_converted_without_a_loss() {
    is("a | mul(1000) | int", r#"{"a": "1.25"}"#, "1250");
    is("a | div(10)", r#"{"a": 125}"#, "12.5");
    is("a | neg | int", r#"{"a": "3"}"#, "-3");
    is_null("a | mul(1000)", r#"{"a": null}"#);
    assert_eq!(run("a | mul(10)", r#"{"a": "x"}"#).unwrap_err().found, "x");
    assert!(parse("div(0)").is_err());
}

#[test]
fn times_are_read_as_they_are_written() {
    is(
        "a | ts('epoch_ms')",
        r#"{"a": 1767312000000}"#,
        "2026-01-02T00:00:00Z",
    );
    is(
        "a | ts('epoch_s')",
        r#"{"a": "1767312000"}"#,
        "2026-01-02T00:00:00Z",
    );
    is(
        "a | ts('%m/%d/%Y', 'America/Los_Angeles')",
        r#"{"a": "01/02/2026"}"#,
        "2026-01-02T08:00:00Z",
    );
    is(
        "a | date('%Y-%m-%d', 'Asia/Shanghai')",
        r#"{"a": "2026-01-02"}"#,
        "2026-01-01T16:00:00Z",
    );
    assert!(parse("ts('iso')").unwrap_err().contains("rfc3339"));
    assert!(run("a | ts('epoch_ms')", r#"{"a": "x"}"#).is_err());
}

#[test]
fn a_state_that_lies_in_two_fields_is_one_word() {
    let entry = "cancel | enum(CANCELED=cancelled, NONE_REQUESTED=, IN_PROGRESS=) | coalesce(state) \
                 | enum(cancelled=cancelled, FULFILLED=shipped, NOT_STARTED=unshipped)";
    is(
        entry,
        r#"{"cancel": "CANCELED", "state": "FULFILLED"}"#,
        "cancelled",
    );
    is(
        entry,
        r#"{"cancel": "NONE_REQUESTED", "state": "FULFILLED"}"#,
        "shipped",
    );
    let entry = "cancelledAt | if_set('cancelled') | coalesce(state)";
    is(
        entry,
        r#"{"cancelledAt": "2026-01-01T00:00:00Z", "state": "x"}"#,
        "cancelled",
    );
    is(entry, r#"{"cancelledAt": null, "state": "x"}"#, "x");
}

#[test]
fn an_unknown_pipe_is_named_with_the_nearest() {
    assert!(parse("replase('a', 'b')").unwrap_err().contains("`replace`"));
    assert!(parse("split('a')").is_err());
    assert!(parse("mul(x)").is_err());
}

#[test]
fn offices_write_times_with_the_year_first() {
    let at = |text: &str| {
        let row = format!(r#"{{"t": "{text}"}}"#);
        run("t | ts('year_first', 'Asia/Shanghai')", &row).ok().flatten()
    };
    let half_past_eight = Some("2026-11-23T00:30:00Z".to_owned());
    for text in [
        "2026-11-23 08:30",
        "2026/11/23 8:30:00",
        "2026年11月23日 08:30",
        "2026-11-23T00:30:00Z",
        "２０２６-11-23 08:30",
        "46349.354166666664",
    ] {
        assert_eq!(at(text), half_past_eight, "{text}");
    }
    assert_eq!(at("20261123"), Some("2026-11-22T16:00:00Z".to_owned()));
    for text in ["23.11.2026", "11/23/2026", "12", "99999", "soon"] {
        assert_eq!(at(text), None, "{text}");
    }
}
