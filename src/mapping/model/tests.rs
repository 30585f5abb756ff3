use super::*;
use crate::order::model::{CartonContent, StockingOrder};

#[test]
fn the_shape_has_one_element_in_every_list() {
    fn check(path: &str, value: &Value) {
        match value {
            Value::Object(map) => map
                .iter()
                .for_each(|(key, value)| check(&format!("{path}.{key}"), value)),
            Value::Array(items) => {
                assert!(!items.is_empty(), "{path} has no element");
                items.iter().for_each(|item| check(path, item));
            }
            _ => {}
        }
    }
    check("", shape());
    assert!(shape()["cartons"][0]["contents"][0]["goods"]["hs_cn"].is_string());
}

/// Two lines; cartons 1 and 3 packed alike, carton 2 mixed.
fn order() -> StockingOrder {
    let mut order = shape::sample().unwrap();
    let mut second = order.lines[0].clone();
    second.no = 2;
    second.goods.unit_net_g = 250;
    order.lines[0].goods.unit_net_g = 100;
    (order.lines[0].units, second.units) = (21, 4);
    order.lines[0].unit_value = rust_decimal::Decimal::new(105, 3);
    order.lines.push(second);
    let carton = |no, contents: &[(u32, i64)], net_g| {
        let mut carton = order.cartons[0].clone();
        let contents = contents.iter().map(|(line, units)| CartonContent {
            line: *line,
            units: *units,
        });
        (carton.no, carton.contents, carton.net_g, carton.gross_g) =
            (no, contents.collect(), net_g, net_g + 500);
        carton
    };
    order.cartons = vec![
        carton(1, &[(1, 10)], 1000),
        carton(2, &[(1, 1), (2, 4)], 1100),
        carton(3, &[(1, 10)], 1000),
    ];
    order
}

#[test]
fn cartons_packed_alike_are_one_group_with_their_numbers() {
    let model = document_model(&order(), &DocumentContext::new(NaiveDate::MIN, "x"));
    let groups = model["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 2);
    assert_eq!(groups[0]["carton_numbers"], "1,3");
    assert_eq!(
        (&groups[0]["count"], &groups[0]["all_units"]),
        (&json!(2), &json!(20))
    );
    assert_eq!(groups[1]["contents"][1]["all_units"], 4);
}

#[test]
fn carton_weights_are_shared_out_to_lines_to_the_gram() {
    let model = document_model(&order(), &DocumentContext::new(NaiveDate::MIN, "x"));
    let sum: i64 = model["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["gross_g"].as_i64().unwrap())
        .sum();
    assert_eq!(json!(sum), model["totals"]["gross_g"]);
    assert_eq!(model["lines"][0]["carton_numbers"], "1-3");
    assert_eq!(model["cartons"][1]["contents"][1]["net_g"], 1000);
}

#[test]
fn values_are_rounded_by_line_and_prices_keep_their_places() {
    let model = document_model(&order(), &DocumentContext::new(NaiveDate::MIN, "x"));
    assert_eq!(model["lines"][0]["unit_value"], "0.105");
    assert_eq!(model["lines"][1]["unit_value"], "1.00");
    assert_eq!(
        model["lines"][0]["value"], "2.21",
        "21 x 0.105 = 2.205, halves away from zero"
    );
    assert_eq!(model["totals"]["value"], "6.21");
}

#[test]
fn addresses_lose_nothing() {
    let address = Address {
        lines: ["a", "b", "c", "d"].map(str::to_owned).to_vec(),
        city: "Leeds".to_owned(),
        country: "GB".to_owned(),
        ..Address::default()
    };
    let tree = super::address(&address);
    assert_eq!(
        (&tree["line_3"], &tree["one_line"]),
        (&json!("c, d"), &json!("a, b, c, d, Leeds, GB"))
    );
}
