use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn question<'a>(country: &'a str, tax: &'a str, hs: &'a str, on: &str) -> Question<'a> {
    Question {
        country,
        tax,
        hs,
        origin: "CN",
        mode: Mode::Sea,
        on: day(on),
    }
}

/// Percent of each layer, in their order.
fn said(book: &BorderBook, question: &Question<'_>) -> String {
    match book.rates(question) {
        Found::Rates(rates) => {
            let rates: Vec<String> = rates
                .iter()
                .map(|rate| format!("{}:{}", rate.layer, rate.percent))
                .collect();
            rates.join(" ")
        }
        Found::Ended(last) => format!("ended {last}"),
        Found::Unknown => "unknown".to_owned(),
    }
}

#[test]
fn r24_the_standard_rates_that_ship_have_source_and_days_and_america_takes_no_vat() {
    let book = BorderBook::shipped().unwrap();
    let vat = |country, tax| said(&book, &question(country, tax, "6912002300", "2026-11-23"));
    for (country, tax, percent) in [
        ("DE", "import_vat", ":19"),
        ("FR", "import_vat", ":20"),
        ("IT", "import_vat", ":22"),
        ("ES", "import_vat", ":21"),
        ("GB", "import_vat", ":20"),
        ("AU", "gst", ":10"),
        ("JP", "consumption_tax", ":10"),
        ("US", "import_vat", "unknown"),
        ("PL", "import_vat", "unknown"),
    ] {
        assert_eq!(vat(country, tax), percent, "{country}");
    }
    assert_eq!(
        said(&book, &question("JP", "consumption_tax", "", "2019-09-30")),
        "unknown"
    );
    let bases: Vec<(&str, ValueBasis)> = ["US", "DE", "GB", "AU", "JP"]
        .into_iter()
        .filter_map(|country| Some((country, book.basis(country)?.value)))
        .collect();
    use ValueBasis::{Cif, Fob};
    assert_eq!(
        bases,
        [("US", Fob), ("DE", Cif), ("GB", Cif), ("AU", Fob), ("JP", Cif)]
    );
    assert!(book.rates.iter().all(|rate| !rate.source.is_empty()));
    // No duty rate ships: they change by the week, and the seller's broker knows them.
    assert!(book.rates.iter().all(|rate| rate.tax != "duty"));
}

const OF_ONES_OWN: &str = r#"
version = 1
[[rate]]
id = "us_base_9403"
countries = ["US"]
tax = "duty"
hs = ["9403"]
percent = "0"
valid_from = "2020-01-01"
source = "HTSUS chapter 94"
[[rate]]
id = "us_301"
countries = ["US"]
tax = "duty"
layer = "301"
hs = ["94"]
origins = ["CN"]
percent = "25"
valid_from = "2019-05-10"
source = "list 3"
[[rate]]
id = "us_122"
countries = ["US"]
tax = "duty"
layer = "122"
percent = "10"
valid_from = "2026-02-24"
valid_to = "2026-07-24"
source = "section 122"
"#;

#[test]
fn r50_layers_of_a_duty_stack_as_long_as_each_holds_and_a_code_without_a_rate_is_unknown() {
    let mut book = BorderBook::shipped().unwrap();
    book.add("own.toml", OF_ONES_OWN).unwrap();
    let at = |hs, on| said(&book, &question("US", "duty", hs, on));
    assert_eq!(
        at("9403200078", "2026-06-01"),
        ":0 122:10 301:25",
        "35 % in that window"
    );
    assert_eq!(at("9403200078", "2026-07-25"), ":0 301:25");
    // What comes on top is no rate of a code whose own rate nobody has entered.
    assert_eq!(at("9405214090", "2026-06-01"), "unknown");
    let mut from_vietnam = question("US", "duty", "9403200078", "2026-08-01");
    from_vietnam.origin = "VN";
    assert_eq!(said(&book, &from_vietnam), ":0");
    // A closer code goes before, and what ended is not applied.
    let closer = "version = 1\n[[rate]]\nid = \"x\"\ncountries = [\"US\"]\ntax = \"duty\"\nhs = [\"940320\"]\npercent = \"4.2\"\n\
                  valid_from = \"2026-01-01\"\nsource = \"s\"\n[[rate]]\nid = \"y\"\ncountries = [\"US\"]\ntax = \"duty\"\n\
                  hs = [\"8516\"]\npercent = \"3.7\"\nvalid_from = \"2020-01-01\"\nvalid_to = \"2025-12-31\"\nsource = \"s\"\n";
    book.add("closer.toml", closer).unwrap();
    let at = |hs, on| said(&book, &question("US", "duty", hs, on));
    assert_eq!(at("9403200078", "2026-08-01"), ":4.2 301:25");
    assert_eq!(at("8516108000", "2026-08-01"), "ended 2025-12-31");
}

#[test]
fn r24_faults_of_a_rates_file_are_named_with_their_line_and_nothing_of_it_is_used() {
    let text = "version = 1\n[[basis]]\ncountries = [\"de\"]\nvalue = \"cif\"\nsource = \"s\"\n\
                [[rate]]\nid = \"a\"\ncountries = [\"DE\"]\ntax = \"duty\"\nhs = [\"9405.21\"]\npercent = \"-3\"\nvalid_from = \"2026-01-01\"\n\
                valid_to = \"2025-01-01\"\nsource = \" \"\n\
                [[rate]]\nid = \"b\"\ncountries = [\"DE\"]\ntax = \"duty\"\npercent = \"3\"\nvalid_from = \"2026-01-01\"\nsource = \"s\"\n\
                [[rate]]\nid = \"c\"\ncountries = [\"FR\", \"DE\"]\ntax = \"duty\"\npercent = \"4\"\nvalid_from = \"2026-06-01\"\nsource = \"s\"\n";
    let mut book = BorderBook::shipped().unwrap();
    let before = book.clone();
    let problems = book.add("own.toml", text).unwrap_err();
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(said.join("\n"));
    assert_eq!(book, before);
    let unknown = book
        .add("own.toml", "version = 1\n[[rate]]\nprecent = \"3\"\n")
        .unwrap_err();
    assert!(
        unknown
            .iter()
            .any(|problem| problem.to_string().contains("did you mean `percent`")),
        "{unknown:?}"
    );
}
