//! One walk through the commands of the real binary, in the order a newcomer would use them.

use std::path::Path;

use super::shop::{Ran, Shop, date, morning};

fn says(ran: &Ran, code: i32, texts: &[&str]) {
    assert_eq!(ran.code, Some(code), "{ran:#?}");
    for text in texts {
        assert!(ran.out.contains(text), "`{text}` is not in {ran:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_of_one_morning() {
    let shop = Shop::new(7).await;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = |name: &str| root.join(name).display().to_string();
    let at = morning(0).to_rfc3339();
    let later = (morning(0) + chrono::Duration::hours(2)).to_rfc3339();

    says(
        &shop.linkstar(&["check"]),
        0,
        &["2 connectors", "1 forwarders: ok"],
    );
    says(
        &shop.linkstar(&["doctor"]),
        0,
        &["amazon-uk", "goodcang-uk", "huatuo"],
    );
    says(
        &shop.linkstar(&["connector", "list"]),
        0,
        &["amazon-sp-api", "goodcang"],
    );
    says(
        &shop.linkstar(&["connector", "test", &file("connectors/goodcang.toml")]),
        0,
        &["tests hold"],
    );
    says(
        &shop.linkstar(&["mapping", "check", &file("mappings/huatuo-booking-gb.toml")]),
        0,
        &["huatuo-booking-gb version 1: ok"],
    );
    // A second import of the same tables changes nothing.
    let catalog = shop.home.join("catalog/items.csv").display().to_string();
    let again = shop.linkstar(&[
        "catalog",
        "import",
        &catalog,
        "--effective",
        "2025-01-01",
        "--json",
    ]);
    says(&again, 0, &[r#""new": 0"#, r#""changed": 0"#]);

    says(&shop.linkstar(&["plan"]), 2, &[]);
    let night = shop.linkstar(&["night", "--at", &at]);
    assert!(matches!(night.code, Some(0 | 1)), "{night:#?}");
    assert!(night.out.contains("sent 2"), "{night:#?}");
    let json = shop.linkstar(&["plan", "--json"]);
    let plan: serde_json::Value = serde_json::from_str(&json.out).expect("a plan as JSON");
    let first = plan["lines"]
        .as_array()
        .expect("lines")
        .iter()
        .find(|line| line["suggested_units"].as_i64() > Some(0))
        .expect("a suggestion");
    let (sku, warehouse) = (
        first["sku"].as_str().expect("a SKU"),
        first["warehouse"].as_str().expect("a code"),
    );
    let id = plan["id"].as_str().expect("an id");
    let wanted = first["suggested_units"].to_string();
    says(
        &shop.linkstar(&["--lang", "en", "explain", sku, "--warehouse", warehouse]),
        0,
        &[sku, &wanted],
    );
    says(&shop.linkstar(&["explain", &format!("{sku}X")]), 2, &[]);
    says(&shop.linkstar(&["replay", &id[..8]]), 0, &["same bytes"]);
    says(&shop.linkstar(&["diff"]), 2, &[]);

    let approved = shop.linkstar(&["approve", &format!("{warehouse}/{sku}"), "--at", &later]);
    assert_eq!(approved.code, Some(0), "{approved:#?}");
    let order = approved.out.trim().to_owned();
    says(
        &shop.linkstar(&["approve", &format!("{warehouse}/{sku}"), "--at", &later]),
        0,
        &[],
    );
    let papers = shop.folder.path().join("papers").display().to_string();
    says(
        &shop.linkstar(&["order", "show", &order, "--save", &papers]),
        0,
        &[&order, sku],
    );
    assert!(super::shop::files(Path::new(&papers)).len() >= 4);
    let listed = shop.linkstar(&["order", "list", "--json"]);
    says(&listed, 0, &[&order]);
    assert_eq!(
        listed.out.matches(&format!("\"{order}\"")).count(),
        1,
        "approved twice, ordered once"
    );
    says(&shop.linkstar(&["deliver", "--at", &later]), 0, &["sent"]);
    assert!(
        shop.dropped().keys().any(|name| name.starts_with(&order)),
        "{:?}",
        shop.dropped().keys()
    );
    says(
        &shop.linkstar(&["outbox", "list"]),
        0,
        &[&order, "mail/daily/2026-05-04/ops@lanting.example"],
    );
    says(&shop.linkstar(&["status", &order]), 0, &[&order]);
    // By the wall clock today's mail has not left yet, or was never due: both are honest.
    let status = shop.linkstar(&["status"]);
    assert!(
        matches!(status.code, Some(0 | 1)) && status.out.contains("night-2026-05-04"),
        "{status:#?}"
    );

    shop.advance(morning(1));
    let second = shop.linkstar(&["night", "--at", &morning(1).to_rfc3339()]);
    assert!(matches!(second.code, Some(0 | 1)), "{second:#?}");
    says(&shop.linkstar(&["diff"]), 0, &[]);
    let books = shop.linkstar(&["reconcile", "--at", &morning(1).to_rfc3339(), "--json"]);
    assert!(matches!(books.code, Some(0 | 1)), "{books:#?}");
    let lines: serde_json::Value = serde_json::from_str(&books.out).expect("lines as JSON");
    assert!(lines.as_array().is_some_and(|lines| !lines.is_empty()));
    let listed = shop.linkstar(&["differences", "--all", "--json"]);
    assert!(matches!(listed.code, Some(0 | 1)), "{listed:#?}");
    let listed: serde_json::Value = serde_json::from_str(&listed.out).expect("differences as JSON");
    if let Some(id) = listed[0]["difference"]["id"].as_str() {
        says(&shop.linkstar(&["differences", "show", &id[..8]]), 0, &[id]);
    }
    for (words, told) in [
        (["show", "0000000000000000", "--json"], "0000000000000000"),
        (["list", "--kind", "lost"], "carton_missing"),
    ] {
        let refused = shop.linkstar(&[&["differences"][..], &words[..]].concat());
        assert!(
            refused.code == Some(2) && refused.err.contains(told),
            "{refused:#?}"
        );
    }
    let file = shop.folder.path().join("reconciled.xlsx");
    let name = file.to_str().expect("a path");
    let written = shop.linkstar(&["reconcile", "--day", &date(0).to_string(), "--book", name]);
    assert!(
        matches!(written.code, Some(0 | 1)) && file.exists(),
        "{written:#?}"
    );

    // The forwarder's server is gone: another exit code than a fault of the input.
    let port = shop.world.endpoints().sftp_port;
    shop.edit_config(&format!("port = {port}"), "port = 1");
    says(&shop.linkstar(&["doctor"]), 3, &["unreachable"]);
}
