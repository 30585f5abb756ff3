//! The folder `supply` beside the configuration: it reaches the plan, the orders and what is expected of them.

use serde_json::Value;

use super::shop::{Shop, morning};

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_folder_of_the_chain_reaches_plan_orders_and_forecasts_and_its_faults_are_told() {
    let shop = Shop::new(7).await;
    let folder = shop.home.join("supply");
    std::fs::create_dir_all(&folder).expect("a folder");
    let put = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("written");
    let at = morning(0).to_rfc3339();

    put(
        "calendar.csv",
        "calendar,from,to,stages\nwh,2026-12-24,2026-12-20,putaway\n",
    );
    let doctor = shop.linkstar(&["doctor"]);
    assert_eq!(doctor.code, Some(3), "{doctor:#?}");
    assert!(doctor.out.contains("calendar.csv, line 2, `to`"), "{doctor:#?}");
    let night = shop.linkstar(&["night", "--at", &at]);
    assert_eq!(night.code, Some(1), "{night:#?}");
    assert!(night.err.contains("calendar.csv, line 2"), "{night:#?}");
    put(
        "calendar.csv",
        "calendar,from,to,stages\nwh,2026-12-24,2026-12-26,putaway\n",
    );
    assert_eq!(shop.linkstar(&["doctor"]).code, Some(0));

    // Everything that is sold earns enough to fly what the sea comes too late for.
    let plan = json(&shop.linkstar(&["plan", "--json"]).out);
    let lines = plan["lines"].as_array().expect("lines");
    let mut terms = "sku,margin,currency\n".to_owned();
    let mut freight = "warehouse,mode,per_unit,currency\n".to_owned();
    for line in lines {
        let (sku, warehouse) = (
            line["sku"].as_str().expect("a SKU"),
            line["warehouse"].as_str().expect("a code"),
        );
        if !terms.contains(&format!("\n{sku},")) {
            terms.push_str(&format!("{sku},500,CNY\n"));
        }
        for (mode, price) in [("sea", 2), ("rail", 4), ("air", 9), ("express", 20)] {
            let row = format!("{warehouse},{mode},{price},CNY\n");
            if !freight.contains(&row) {
                freight.push_str(&row);
            }
        }
    }
    put("terms.csv", &terms);
    put("freight.csv", &freight);
    shop.advance(morning(1));
    let second = shop.linkstar(&["night", "--at", &morning(1).to_rfc3339()]);
    assert!(matches!(second.code, Some(0 | 1)), "{second:#?}");
    let plan = json(&shop.linkstar(&["plan", "--json"]).out);
    let lines = plan["lines"].as_array().expect("lines");
    let weighed = |line: &&Value| line["supply"]["target"]["missing_costs"] == "500";
    assert_eq!(
        lines.iter().filter(weighed).count(),
        lines.len(),
        "the margin reached every line"
    );
    let first = lines
        .iter()
        .find(|line| line["suggested_units"].as_i64() > Some(0))
        .expect("a suggestion");
    let (sku, warehouse) = (
        first["sku"].as_str().expect("a SKU"),
        first["warehouse"].as_str().expect("a code"),
    );

    // What is expected of the order's way is kept with it.
    let later = (morning(1) + chrono::Duration::hours(2)).to_rfc3339();
    let approved = shop.linkstar(&["approve", &format!("{warehouse}/{sku}"), "--at", &later]);
    assert_eq!(approved.code, Some(0), "{approved:#?}");
    let orders: Vec<&str> = approved.out.split_whitespace().collect();
    let shown = json(&shop.linkstar(&["lead-times", "--json"]).out);
    let expected = shown["orders"].as_array().expect("orders");
    assert_eq!(expected.len(), orders.len(), "{shown}");
    assert!(!expected.is_empty());
    for forecast in expected {
        assert!(orders.contains(&forecast["order"].as_str().expect("a number")));
        assert!(forecast["p50"].as_str() <= forecast["p90"].as_str());
        assert_eq!(forecast["arrived"], Value::Null);
    }
    assert!(
        shop.linkstar(&["--lang", "en", "lead-times"])
            .out
            .contains("within p90 %")
    );
}
