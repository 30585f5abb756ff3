//! A trial: shadow, pilot, live (R77).

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use super::shop::{Ran, Shop, date, morning};

fn json(ran: &Ran) -> Value {
    let value = serde_json::from_str(&ran.out);
    assert!(value.is_ok(), "{value:?}: {ran:#?}");
    value.unwrap_or_default()
}

/// The warehouse with the most suggestions, and its suggested lines with their units, most cartons first.
fn suggested(shop: &Shop) -> (String, Vec<(String, i64)>) {
    let plan = json(&shop.linkstar(&["plan", "--json"]));
    let mut found: BTreeMap<String, Vec<(String, i64)>> = BTreeMap::new();
    let mut lines = plan["lines"].as_array().expect("lines").clone();
    lines.sort_by_key(|line| std::cmp::Reverse(line["suggested_cartons"].as_i64()));
    for line in &lines {
        let units = line["suggested_units"].as_i64().filter(|units| *units > 0);
        if let (Some(warehouse), Some(sku), Some(units)) =
            (line["warehouse"].as_str(), line["sku"].as_str(), units)
        {
            found
                .entry(warehouse.to_owned())
                .or_default()
                .push((sku.to_owned(), units));
        }
    }
    found
        .into_iter()
        .max_by_key(|(_, lines)| lines.len())
        .expect("suggestions")
}

fn orders(shop: &Shop) -> usize {
    json(&shop.linkstar(&["order", "list", "--json"]))
        .as_array()
        .expect("orders")
        .iter()
        .filter(|order| {
            order["order"]
                .as_str()
                .is_some_and(|number| number.starts_with("BH26"))
        })
        .count()
}

fn set_trial(shop: &Shop, section: &str) {
    let text = fs::read_to_string(&shop.config_file).expect("a configuration");
    let text = text.split("\n# trial").next().expect("a part").to_owned();
    fs::write(&shop.config_file, format!("{text}\n# trial\n{section}\n")).expect("a configuration");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r77_in_shadow_nothing_is_ordered_and_a_pilot_of_500_units_stops_at_500() {
    let shop = Shop::new(7).await;
    set_trial(&shop, "[trial]\nstage = \"shadow\"");
    shop.night(0).await;
    let page = Shop::page(&shop.last_mail());
    assert!(
        page.contains("影子模式"),
        "the reader must know that nothing is ordered: {page}"
    );
    let at = (morning(0) + chrono::Duration::hours(1)).to_rfc3339();
    let (warehouse, lines) = suggested(&shop);
    assert!(lines.len() >= 3, "{lines:?}");
    let name = |n: usize| format!("{warehouse}/{}", lines[n].0);

    // Approved in the shadow: recorded, told, and not ordered.
    let before = orders(&shop);
    let approved = shop.linkstar(&["approve", &name(0), "--at", &at]);
    assert_eq!(approved.code, Some(1), "{approved:#?}");
    assert!(approved.err.contains("trial.stage"), "{approved:#?}");
    assert_eq!(orders(&shop), before);
    assert!(shop.dropped().is_empty(), "{:?}", shop.dropped().keys());
    let status = shop.linkstar(&["--lang", "en", "status"]);
    assert!(status.out.contains("Trial stage: shadow"), "{status:#?}");

    // A pilot of one SKU more than the first, with 500 units.
    let sku = &lines[1].0;
    set_trial(
        &shop,
        &format!(
            "[trial]\nstage = \"shadow\"\n[[trial.rule]]\nstage = \"live\"\nwarehouses = [\"{warehouse}\"]\n\
             [[trial.rule]]\nstage = \"pilot\"\nskus = [\"{sku}\", \"{}\"]\nmax_units = 500",
            lines[2].0
        ),
    );
    let ordered = shop.linkstar(&["approve", &format!("{}=460", name(1)), "--at", &at]);
    assert_eq!(ordered.code, Some(0), "{ordered:#?}");
    assert_eq!(orders(&shop), before + 1);
    // The live rule of the warehouse does not loosen the pilot of the SKU.
    let over = shop.linkstar(&["approve", &format!("{}=41", name(2)), "--at", &at]);
    assert_eq!(over.code, Some(1), "{over:#?}");
    assert!(
        over.err.contains("trial.rule.2.max_units") && over.err.contains("460 units ordered and 41 more"),
        "{over:#?}"
    );
    // Issued anew with more than is left: refused, and the order stays as it was.
    let number = ordered.out.trim();
    let more = shop.linkstar(&[
        "order",
        "reissue",
        number,
        "--units",
        &format!("{sku}=501"),
        "--reason",
        "more",
        "--by",
        "li",
        "--at",
        &at,
    ]);
    assert_eq!(more.code, Some(2), "{more:#?}");
    assert!(more.err.contains("at most 500 in all"), "{more:#?}");
    let fits = shop.linkstar(&["approve", &format!("{}=40", name(2)), "--at", &at]);
    assert_eq!(fits.code, Some(0), "{fits:#?}");
    let told = json(&shop.linkstar(&["trial", "--since", "2026-05-01", "--json"]));
    assert_eq!(told["rules"][1]["ordered_units"], 500, "{told:#}");

    // Every answer is in the statistics, also the ones that ordered nothing.
    let made = json(&shop.linkstar(&["decisions", "--since", "2026-05-01", "--json"]));
    assert_eq!(
        (&made["all"]["adopted"], &made["all"]["changed"]),
        (&Value::from(1), &Value::from(2)),
        "{made:#}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r77_what_people_ordered_is_compared_and_planned_with() {
    let shop = Shop::new(7).await;
    set_trial(&shop, "[trial]\nstage = \"shadow\"");
    shop.night(0).await;
    let (warehouse, lines) = suggested(&shop);
    // Of the first one so much that no carton explains it.
    let (more, alike) = (&lines[0], &lines[1]);
    let file = shop.folder.path().join("open_shipments.csv");
    let rows = |shipped: &str| {
        format!(
            "order,warehouse,mode,forwarder,ordered_on,shipped_on,sku,units\n\
             OWN-1,{warehouse},sea,huatuo,{day},{shipped},{},{}\n\
             OWN-1,{warehouse},sea,huatuo,{day},{shipped},{},{}\n\
             OWN-2,{warehouse},sea,huatuo,,,{},1\n\
             OWN-3,{warehouse},sea,huatuo,{day},2026-04-01,{},1\n",
            alike.0,
            alike.1,
            more.0,
            more.1 * 3,
            alike.0,
            alike.0,
            day = date(0),
        )
    };
    fs::write(&file, rows("")).expect("a file");
    let path = file.display().to_string();
    let at = shop.linkstar(&["catalog", "import", &path]);
    assert_eq!(at.code, Some(1), "two rows have faults: {at:#?}");
    let told = format!("{}{}", at.out, at.err);
    assert!(
        told.contains("ordered_on") && told.contains("2026-05-04 or later"),
        "{told}"
    );

    shop.advance(morning(1));
    shop.night(1).await;
    let plan = json(&shop.linkstar(&["plan", "--json"]));
    let line = plan["lines"]
        .as_array()
        .expect("lines")
        .iter()
        .find(|line| line["warehouse"] == warehouse.as_str() && line["sku"] == alike.0.as_str())
        .expect("the line");
    assert!(
        line["inbound"].to_string().contains("OWN-1"),
        "ordered and not shipped yet, it counts all the same: {line:#}"
    );
    let told = json(&shop.linkstar(&["trial", "--since", "2026-05-01", "--json"]));
    let answers: Vec<(&str, &str)> = told["comparison"]["ordered"]
        .as_array()
        .expect("orders")
        .iter()
        .map(|order| {
            (
                order["sku"].as_str().expect("a SKU"),
                order["answer"].as_str().expect("a word"),
            )
        })
        .collect();
    assert!(answers.contains(&(&alike.0, "alike")), "{answers:?}");
    assert!(answers.contains(&(&more.0, "more")), "{answers:?}");
    // The same file again, now shipped: handed over, not doubled.
    fs::write(&file, rows(&date(1).to_string())).expect("a file");
    shop.linkstar(&["catalog", "import", &path]);
    let order = json(&shop.linkstar(&["order", "show", "OWN-1", "--json"]));
    assert!(order.to_string().contains("handed_over"), "{order:#}");
    let screen = shop.linkstar(&["--lang", "en", "trial", "--since", "2026-05-01"]);
    assert!(
        screen.out.contains("shadow (nothing is ordered)") && screen.out.contains("more than suggested"),
        "{screen:#?}"
    );
}
