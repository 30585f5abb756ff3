use super::*;

#[test]
fn a_page_of_stock_becomes_a_file_that_holds_at_once() {
    let page = r#"{"code": 0, "total": 2, "data": {"items": [
        {"sku": "A-1", "wh_code": "DE1", "qty": {"available": "12", "reserved": 3}, "barcode": "40"},
        {"sku": "A-2", "wh_code": "DE1", "qty": {"available": "0"}}]}}"#;
    let text = draft("my-warehouse", RecordKind::Stock, Some(page)).unwrap();
    let definition = Definition::parse("draft", &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(crate::connector::run_tests(&definition), Ok(1), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn what_is_not_found_is_named_and_the_check_says_so() {
    let text = draft("shop", RecordKind::OrderLine, Some("sku,qty\nA,1\n")).unwrap();
    assert!(text.contains("# order_id = \"\"   # required"), "{text}");
    let error = Definition::parse("draft", &text).unwrap_err().to_string();
    assert!(error.contains("order_id"), "{error}");
}

#[test]
fn a_page_without_rows_is_told() {
    assert_eq!(
        draft("shop", RecordKind::Stock, Some(r#"{"a": 1}"#)),
        Err("the page holds no list of rows".to_owned())
    );
    let broken = draft("shop", RecordKind::Stock, Some("{\"a\": [")).unwrap_err();
    assert!(broken.starts_with("the page is no JSON"), "{broken}");
}
