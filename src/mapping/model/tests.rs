use super::*;

#[test]
fn the_shape_has_one_element_in_every_list() {
    fn check(path: &str, value: &Value) {
        match value {
            Value::Object(map) => map
                .iter()
                .for_each(|(key, value)| check(&format!("{path}.{key}"), value)),
            Value::Array(items) => {
                assert_eq!(items.is_empty(), false, "{path} has no element");
                items.iter().for_each(|item| check(path, item));
            }
            _ => {}
        }
    }
    check("", shape());
    assert!(shape()["cartons"][0]["contents"][0]["goods"]["hs_cn"].is_string());
}
