//! `linkstar connector record` and `replay`, run as an author runs them.

use std::path::Path;

use serde_json::json;

use super::stage::{Reply, Stage};

pub(super) struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

pub(super) async fn run(home: &Path, args: &[&str]) -> Ran {
    let out = tokio::process::Command::new(env!("CARGO_BIN_EXE_linkstar"))
        .arg("--config")
        .arg(home.join("linkstar.toml"))
        .args(args)
        .current_dir(home)
        .output()
        .await
        .expect("linkstar runs");
    Ran {
        code: out.status.code(),
        out: String::from_utf8_lossy(&out.stdout).into_owned(),
        err: String::from_utf8_lossy(&out.stderr).into_owned(),
    }
}

fn configure(home: &Path, url: &str) {
    let config = format!(
        "[account]\nid = 'main'\nname = 'test'\nlanguage = 'en'\n\
         [[connector]]\nid = 'goodcang-uk'\nuses = 'goodcang'\nparams = {{ base_url = '{url}', history_days = '40' }}\n\
         secrets = {{ app_key = '${{file:key}}', app_token = '${{file:token}}' }}\nwarehouses = {{ UKMA = 'goodcang:UKMA' }}\n"
    );
    std::fs::write(home.join("linkstar.toml"), config).expect("written");
    std::fs::write(home.join("key"), "a-very-secret-key").expect("written");
    std::fs::write(home.join("token"), "a-very-secret-token").expect("written");
}

fn warehouse(stage: &Stage) {
    // The key comes back, and with it a person: neither may be on the tape.
    stage.json(
        "/inventory/get_product_inventory",
        json!({"ask": "Success", "message": "hello a-very-secret-key", "count": "2", "data": [
            {"product_sku": "A", "warehouse_code": "UKMA", "sellable": "7", "onway": "5", "contact_name": "Ann Other"},
            {"product_sku": "B", "warehouse_code": "UKMA", "sellable": "0"}]}),
    );
    // Two windows of at most thirty days; throttled once on the way.
    let list = "/inbound_order/get_grn_list";
    stage.json(list, json!({"ask": "Success", "count": "0", "data": []}));
    stage.on(
        list,
        Reply::With(429, vec![("retry-after", "1".to_owned())], json!({})),
    );
    stage.json(
        list,
        json!({"ask": "Success", "count": "1", "data": [{"receiving_code": "RV1", "reference_no": "SO-1", "receiving_status": "9",
            "update_at": "2026-01-21 09:48:07", "warehouse_code": "UKMA"}]}),
    );
    stage.json(
        "/inbound_order/get_grn_detail",
        json!({"ask": "Success", "data": {"overseas_detail": [
            {"box_no": "RV1-1", "product_sku": "A", "overseas_pre_count": "100", "overseas_shelves_count": "96"}]}}),
    );
    stage.json(
        "/inbound_order/get_receipt_batch",
        json!({"ask": "Success", "data": {"gc_receiving_data": [
            {"receiving_code": "RV1", "box_no": "RV1-1", "product_sku": "A", "received_qty": "60", "received_time": "2026-01-20 09:38:59"}]}}),
    );
    stage.json("/inbound_order/get_batch", json!({"ask": "Success", "data": []}));
}

#[tokio::test]
async fn a_recorded_source_replays_to_the_same_bytes_without_network_secrets_or_persons() {
    let stage = Stage::open().await;
    warehouse(&stage);
    let home = tempfile::tempdir().expect("a folder");
    configure(home.path(), &stage.url);
    let recorded = run(home.path(), &["connector", "record", "goodcang-uk", "tape"]).await;
    assert_eq!(recorded.code, Some(0), "{}{}", recorded.out, recorded.err);

    let mut everything = String::new();
    for entry in std::fs::read_dir(home.path().join("tape")).expect("a tape") {
        let entry = entry.expect("an entry");
        assert!(
            !entry.file_name().to_string_lossy().contains("scratch"),
            "{entry:?}"
        );
        everything.push_str(&std::fs::read_to_string(entry.path()).expect("text"));
    }
    for gone in ["a-very-secret-key", "a-very-secret-token", "Ann Other"] {
        assert!(!everything.contains(gone), "{gone}");
    }
    assert!(everything.contains("hello [app_key]"), "{everything}");
    let rows = std::fs::read_to_string(home.path().join("tape/rows.jsonl")).expect("rows");
    insta::assert_snapshot!(rows);

    // The server is gone; the rows are the same, byte for byte.
    stage.clear();
    let asked = stage.asked("/inventory/get_product_inventory").len();
    let again = run(home.path(), &["connector", "replay", "tape", "goodcang"]).await;
    assert_eq!(again.code, Some(0), "{}{}", again.out, again.err);
    assert_eq!(stage.asked("/inventory/get_product_inventory").len(), asked);

    // A file that reads the stock from elsewhere is told row by row.
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("connectors/goodcang.toml");
    let text = std::fs::read_to_string(shipped).expect("goodcang.toml");
    let changed = text.replace("available = \"sellable | int\"", "available = \"onway | int\"");
    assert_ne!(text, changed);
    std::fs::write(home.path().join("changed.toml"), changed).expect("written");
    let differs = run(home.path(), &["connector", "replay", "tape", "changed.toml"]).await;
    assert_eq!(differs.code, Some(1), "{}{}", differs.out, differs.err);
    insta::assert_snapshot!(differs.err);
}

#[tokio::test]
async fn what_cannot_be_recorded_is_named() {
    let stage = Stage::open().await;
    let home = tempfile::tempdir().expect("a folder");
    configure(home.path(), &stage.url);
    let wrong = run(home.path(), &["connector", "record", "goodcang-us", "tape"]).await;
    assert_eq!(wrong.code, Some(2), "{}", wrong.err);
    insta::assert_snapshot!(wrong.err, @"error: no source `goodcang-us` is configured; did you mean `goodcang-uk`?");
    std::fs::create_dir(home.path().join("full")).expect("a folder");
    std::fs::write(home.path().join("full/file"), "x").expect("written");
    let full = run(home.path(), &["connector", "record", "goodcang-uk", "full"]).await;
    assert_eq!(full.code, Some(2), "{}", full.err);
    insta::assert_snapshot!(full.err, @"error: full is not empty");
}
