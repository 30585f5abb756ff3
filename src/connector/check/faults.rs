//! One faulty file per kind of fault: what `linkstar connector check` says of each.

use crate::connector::Definition;

const GOOD: &str = r#"version = 1
name = "x"
zone = "${param:zone}"
doctor = "stock"
params.zone = { about = "zone", default = "UTC" }
secrets.key = { about = "key" }
[http]
base = "https://example.com"
[auth]
kind = "keys"
headers = { key = "${secret:key}" }
[limits]
all = { rate = 1.0, burst = 1 }
[stream.stock]
record = "stock"
snapshot = "complete"
warehouse = "*"
each = { status = ["1", "2"] }
request = { method = "POST", path = "/stock", limit = "all", body = { s = "{each.status}", p = "{page}" } }
page = { kind = "number", total = "total", size = 100 }
rows = "data[]"
[stream.stock.map]
sku_code = "sku"
available = "units | int"
[stream.inbound]
record = "inbound"
snapshot = "partial"
request = { method = "GET", path = "/inbound", query = { since = "{from}" } }
rows = "data[]"
pass = { kind = "type" }
[stream.inbound.cursor]
start_days = "30"
window_days = 7
format = "%Y-%m-%d"
[stream.inbound.map]
inbound_no = "no"
warehouse = "wh"
state = "status"
closed = "status | enum(9=true, *=false)"
[stream.lines]
record = "inbound_line"
snapshot = "partial"
parent = "inbound"
request = { method = "GET", path = "/inbound/{parent.inbound_no}" }
rows = "lines[]"
[stream.lines.map]
inbound_no = "parent:inbound_no"
sku_code = "sku"
announced = "units | int"
[[sign]]
kind = "md5_wrap"
into = "query.sign"
key = "${secret:key}"
parts = ["{query.a}"]
[[test]]
name = "t"
stream = "stock"
page = '{}'
rows = []
"#;

/// What is wrong, what stands in the good file, and what the faulty one has instead.
const FAULTS: &[(&str, &str, &str)] = &[
    ("no TOML", "name = \"x\"", "name = = \"x\""),
    ("a text without its end", "name = \"x\"", "name = \"x"),
    ("a key twice", "name = \"x\"", "name = \"x\"\nname = \"y\""),
    ("an unknown key at the top", "doctor =", "docter ="),
    ("an unknown section", "[limits]", "[limit]"),
    (
        "an unknown key of a stream",
        "snapshot = \"complete\"",
        "snapshto = \"complete\"",
    ),
    (
        "an unknown key inside braces",
        "limit = \"all\"",
        "limt = \"all\"",
    ),
    ("an unknown key of an array of tables", "into = ", "onto = "),
    ("an unknown word", "record = \"stock\"", "record = \"stok\""),
    (
        "an unknown kind of paging",
        "kind = \"number\"",
        "kind = \"nummer\"",
    ),
    ("a number where a text must stand", "name = \"x\"", "name = 7"),
    (
        "a text where a number must stand",
        "window_days = 7",
        "window_days = \"7\"",
    ),
    (
        "a text where a list must stand",
        "parts = [\"{query.a}\"]",
        "parts = \"{query.a}\"",
    ),
    (
        "a text where a table must stand",
        "headers = { key = \"${secret:key}\" }",
        "headers = \"key\"",
    ),
    ("a number below 0", "size = 100", "size = -1"),
    (
        "a required key is missing at the top",
        "zone = \"${param:zone}\"\n",
        "",
    ),
    (
        "a required key is missing in a stream",
        "record = \"stock\"\n",
        "",
    ),
    (
        "a required key is missing inside braces",
        "method = \"POST\", ",
        "",
    ),
    (
        "a required field of the record is missing",
        "closed = \"status | enum(9=true, *=false)\"\n",
        "",
    ),
    (
        "a field that the record does not have",
        "available =",
        "avialable =",
    ),
    (
        "a bad path",
        "sku_code = \"sku\"\navail",
        "sku_code = \"a..b\"\navail",
    ),
    (
        "a bad path of the rows",
        "rows = \"data[]\"\n[stream.stock.map]",
        "rows = \"data[\"\n[stream.stock.map]",
    ),
    ("a bad path of paging", "total = \"total\"", "total = \"a[b\""),
    (
        "an unknown pipe",
        "\"units | int\"\n[stream.inbound]",
        "\"units | itn\"\n[stream.inbound]",
    ),
    (
        "a pipe with wrong arguments",
        "\"units | int\"\n[stream.inbound]",
        "\"units | int(3)\"\n[stream.inbound]",
    ),
    (
        "a pipe without its bracket",
        "enum(9=true, *=false)",
        "enum(9=true, *=false",
    ),
    ("an unknown place in a body", "p = \"{page}\"", "p = \"{pgae}\""),
    (
        "an unknown place in a path",
        "path = \"/stock\"",
        "path = \"/stock/{warehose}\"",
    ),
    ("an unknown place in a query", "{from}", "{form}"),
    ("a place without its bracket", "{from}", "{from"),
    ("`each` that is not declared", "{each.status}", "{each.state}"),
    (
        "`parent` of a field that is not mapped",
        "{parent.inbound_no}",
        "{parent.inbound_nr}",
    ),
    ("`parent` where there is none", "{from}", "{parent.inbound_no}"),
    (
        "`parent:` of a field that there is not",
        "parent:inbound_no",
        "parent:inbound_on",
    ),
    (
        "a parameter that is not declared",
        "${param:zone}",
        "${param:zoen}",
    ),
    (
        "a secret that is not declared",
        "headers = { key = \"${secret:key}\" }",
        "headers = { key = \"${secret:kye}\" }",
    ),
    (
        "a limit that is not declared",
        "limit = \"all\"",
        "limit = \"al\"",
    ),
    (
        "a stream that is not there",
        "doctor = \"stock\"",
        "doctor = \"stok\"",
    ),
    (
        "a parent that is not there",
        "parent = \"inbound\"",
        "parent = \"inbond\"",
    ),
    (
        "a test of a stream that is not there",
        "stream = \"stock\"",
        "stream = \"stocks\"",
    ),
    (
        "two ways to ask",
        "rate = 1.0, burst = 1",
        "rate = 1.0, burst = 1, per_day = 5",
    ),
    (
        "a complete answer of what is no stock",
        "record = \"inbound\"\nsnapshot = \"partial\"",
        "record = \"inbound\"\nsnapshot = \"complete\"",
    ),
    ("a cursor without its window", "window_days = 7\n", ""),
    (
        "a pattern of time that is none",
        "format = \"%Y-%m-%d\"",
        "format = \"%Q\"",
    ),
    ("paging without an end", "total = \"total\", ", ""),
    ("another version", "version = 1", "version = 2"),
];

fn said(text: &str) -> String {
    Definition::parse("x.toml", text).map_or_else(|error| error.to_string(), |_| "nothing".to_owned())
}

#[test]
fn the_good_file_has_no_fault() {
    assert_eq!(said(GOOD), "nothing");
}

#[test]
fn every_kind_of_fault_has_line_column_and_the_nearest_name() {
    let mut all = String::new();
    for (kind, good, bad) in FAULTS {
        assert!(GOOD.contains(good), "{kind}");
        let said = said(&GOOD.replacen(good, bad, 1));
        for line in said.lines() {
            assert!(
                line.starts_with("x.toml, line ") && line.contains(", column "),
                "{kind}: {line}"
            );
        }
        all.push_str(&format!("{kind}\n  {}\n", said.replace('\n', "\n  ")));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn faults_of_shape_are_named_all_at_once() {
    let text = GOOD
        .replace("snapshot = \"complete\"", "snapshto = \"complete\"")
        .replace("window_days = 7", "window_days = \"7\"")
        .replace("into = ", "onto = ");
    insta::assert_snapshot!(said(&text), @r#"
    x.toml, line 16, column 1, `stream.stock`: found `snapshto`, wanted a known name; did you mean `snapshot`?
    x.toml, line 33, column 15, `stream.inbound.cursor.window_days`: found `"7"`, wanted a whole number, 0 or more
    x.toml, line 52, column 1, `sign[1]`: found `onto`, wanted a known name; did you mean `into`?
    "#);
}

/// Whole sections that are not there, beside faults in what is.
#[test]
fn missing_sections_are_named_all_at_once_with_the_faults_of_the_rest() {
    let text = GOOD
        .replace("doctor = \"stock\"\n", "")
        .replace("[http]\nbase = \"https://example.com\"\n", "")
        .replace("record = \"stock\"\n", "")
        .replace(
            "[stream.lines.map]\ninbound_no = \"parent:inbound_no\"\nsku_code = \"sku\"\nannounced = \"units | int\"\n",
            "",
        )
        .replace("enum(9=true, *=false)", "enm(9=true, *=false)")
        .replace("into = \"query.sign\"\n", "");
    insta::assert_snapshot!(said(&text));
}

#[test]
fn an_empty_file_says_everything_it_must_have() {
    insta::assert_snapshot!(said(""));
    insta::assert_snapshot!(said("version = 1\n[stream.stock]\n"));
    insta::assert_snapshot!(said("[stream.stock.map]\nsku_code = \"sku\"\n"));
}

#[test]
fn a_key_without_its_value_is_not_missing_too() {
    let text = GOOD
        .replace("zone = \"${param:zone}\"", "zone = 7")
        .replace("base = \"https://example.com\"", "bose = 7");
    insta::assert_snapshot!(said(&text));
}

/// Columns count characters, so that an editor jumps to the right one behind Chinese.
#[test]
fn columns_count_characters() {
    let text = GOOD.replace(
        "params.zone = { about = \"zone\", ",
        "params.zone = { about = \"仓库时区\", defualt = \"x\", ",
    );
    assert_eq!(
        said(&text),
        "x.toml, line 5, column 33, `params.zone`: found `defualt`, wanted a known name; did you mean `default`?"
    );
}
