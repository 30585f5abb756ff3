use super::*;
use serde_json::json;

fn model() -> Value {
    json!({
        "order": {"number": "LS-1", "ship_by": "2026-03-09", "note": "", "battery": false, "currency": "USD"},
        "lines": [{"no": 1, "units": 40, "value": "12.50", "name": "杯"}, {"no": 2, "units": 8, "value": "0.105", "name": "杯"}],
        "cartons": [{"no": 1, "gross_g": 12345, "mm": 605, "contents": [{"units": 40}, {"units": 8}]}],
    })
}

fn maps() -> Maps {
    Maps::from([(
        "money".to_owned(),
        BTreeMap::from([("USD".to_owned(), "美元".to_owned())]),
    )])
}

fn fill(text: &str) -> Result<Option<String>, Fault> {
    let (model, maps) = (model(), maps());
    Template::parse(text).unwrap().fill(&Scope::new(&model, &maps))
}

#[test]
fn places_pipes_and_braces() {
    let shown = |text: &str| fill(text).unwrap().unwrap();
    assert_eq!(shown("{order.number}-{{x}}"), "LS-1-{x}");
    assert_eq!(shown("{order.ship_by|date(%d/%m/%Y)}"), "09/03/2026");
    assert_eq!(shown("{order.currency|map(money)}"), "美元");
    assert_eq!(
        shown("{order.battery|yes_no}/{order.battery|yes_no('Y','N')}"),
        "否/N"
    );
    assert_eq!(shown("{order.note|default('a|b}, c')}"), "a|b}, c");
    assert_eq!(shown("{order.note|or(order.number)}"), "LS-1");
    assert_eq!(shown("{order.currency|or(order.number)}"), "USD");
    assert_eq!(shown("{lines[].units|sum}"), "48");
    assert_eq!(shown("{lines[].value|sum|fixed(2)}"), "12.61");
    assert_eq!(shown("{lines[].name|join(', ')}"), "杯");
    assert_eq!(shown("{lines[].no|join(', ')}"), "1, 2");
    assert_eq!(shown("{lines[].no|first}"), "1");
    assert_eq!(shown("{order.number|max(4)}"), "LS-1");
}

#[test]
fn measures_keep_their_places() {
    let (model, maps) = (model(), maps());
    let root = Scope::new(&model, &maps);
    let each = Each::try_from("carton in cartons".to_owned()).unwrap();
    let scope = each.scopes(&root).unwrap().remove(0);
    let shown = |text: &str| Template::parse(text).unwrap().fill(&scope).unwrap().unwrap();
    assert_eq!(shown("{carton.gross_g|kg}"), "12.345");
    assert_eq!(shown("{carton.mm|cm}"), "60.5");
}

#[test]
fn inner_scopes_see_the_outer_names() {
    let (model, maps) = (model(), maps());
    let each = [
        Each::try_from("carton in cartons".to_owned()).unwrap(),
        Each::try_from("content in carton.contents".to_owned()).unwrap(),
    ];
    let template = Template::parse("{order.number}/{carton.no}/{content.units}").unwrap();
    let rows: Vec<String> = scopes(&each, &Scope::new(&model, &maps))
        .unwrap()
        .iter()
        .map(|scope| template.fill(scope).unwrap().unwrap())
        .collect();
    assert_eq!(rows, ["LS-1/1/40", "LS-1/1/8"]);
}

#[test]
fn empty_is_nothing_and_required_is_a_fault_with_its_path() {
    assert_eq!(fill("").unwrap(), None);
    assert_eq!(fill("{order.note}, ").unwrap(), None);
    let fault = fill("{order.note|required}").unwrap_err();
    assert_eq!((fault.path.as_str(), fault.found.as_str()), ("order.note", ""));
    let fault = fill("{order.number|max(3)}").unwrap_err();
    assert_eq!(fault.wanted, "at most 3 characters, not 4");
    assert!(fill("{order.number|kg}").is_err());
    assert!(fill("{lines[].no}").unwrap_err().wanted.contains("join"));
    assert!(fill("{order}").is_err());
    assert!(
        fill("{order.number|map(money)}")
            .unwrap_err()
            .wanted
            .contains("`money`")
    );
}

#[test]
fn slips_are_named_with_the_nearest_word() {
    let wrong = |text: &str| Template::parse(text).unwrap_err().reason;
    assert!(wrong("{a|uper}").contains("`upper`"));
    assert!(wrong("{a").contains("without"));
    assert!(wrong("a}").contains("without"));
    assert!(wrong("{a|fixed(x)}").contains("whole number"));
    assert!(wrong("{a|date(%Q)}").contains("date format"));
    assert!(wrong("{A b}").contains("path"));
    let (model, maps) = (model(), maps());
    let template = Template::parse("{order.nuber}{order.currency|map(mony)}").unwrap();
    let faults = template.faults(&Scope::new(&model, &maps));
    assert!(faults[0].wanted.contains("`number`"), "{faults:?}");
    assert!(faults[1].wanted.contains("`money`"), "{faults:?}");
}
