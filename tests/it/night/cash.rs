//! What orders and suggestions cost besides their goods, through the real binary.

use std::fs;

use serde_json::Value;

use super::shop::{Ran, Shop, morning};

fn run(shop: &Shop, args: &[&str]) -> Ran {
    let at = morning(0).to_rfc3339();
    let mut all = vec!["--lang", "en", "order"];
    all.extend(args);
    all.extend(["--at", &at]);
    shop.linkstar(&all)
}

fn json(ran: &Ran) -> Value {
    assert!(ran.out.trim_start().starts_with('{'), "no JSON: {ran:?}");
    serde_json::from_str(&ran.out).expect("JSON")
}

const RATES: &str = "version = 1\n[[rate]]\nid = \"gb_all\"\ncountries = [\"GB\"]\ntax = \"duty\"\npercent = \"12\"\n\
                     valid_from = \"2026-01-01\"\nsource = \"UK Global Tariff\"\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r24_r33_the_purchaser_sees_duty_vat_and_surcharges_of_orders_and_of_the_plan_by_the_term() {
    let shop = Shop::new(3).await;
    let new = |lines: &[&str]| shop.drafted(lines);
    // Delivered duty paid: duty is inside the forwarder's rate.
    let paid = new(&["GLS-84755=144"]);
    let inside = json(&run(&shop, &["cash", &paid, "--json"]));
    assert_eq!(inside["inside_rate"], true, "{inside}");
    let kinds = |cash: &Value| -> Vec<String> {
        let lines = cash["lines"].as_array().expect("lines");
        lines
            .iter()
            .filter_map(|line| Some(format!("{} {}", line["kind"].as_str()?, line["what"].as_str()?)))
            .collect()
    };
    assert_eq!(kinds(&inside), ["freight freight"]);

    // DDU: nobody has entered a rate of duty, so there is no total, and it says of what.
    let text = fs::read_to_string(&shop.config_file).expect("a configuration");
    let term = text
        .lines()
        .find(|line| line.starts_with("term = "))
        .expect("a term")
        .to_owned();
    shop.edit_config(&term, "term = \"DDU\"");
    let at_place = new(&["GLS-84755=144"]);
    let unknown = run(&shop, &["cash", &at_place]);
    assert_eq!(unknown.code, Some(1), "{unknown:?}");
    for said in ["? customs duty: no rate for", "[GLS-84755]", "total", "unknown"] {
        assert!(unknown.out.contains(said), "{said}: {unknown:?}");
    }
    fs::write(shop.home.join("border.toml"), RATES).expect("written");
    shop.edit_config("[order]\n", "[order]\nborder = \"border.toml\"\n");
    let looked = run(&shop, &["check", &at_place]);
    assert_eq!(looked.code, Some(0), "{looked:?}");
    let known = json(&run(&shop, &["cash", &at_place, "--json"]));
    assert_eq!(
        kinds(&known),
        ["freight freight", "duty duty", "tax import_vat"],
        "{known}"
    );
    let shown = json(&shop.linkstar(&["order", "show", &at_place, "--json"]));
    assert_eq!(shown["cash"]["lines"], known["lines"]);
    let figure = |at: usize, field: &str| -> rust_decimal::Decimal {
        let text = known["lines"][at][field]
            .as_str()
            .or(known["lines"][at][field]["amount"].as_str());
        text.expect("a figure").parse().expect("a decimal")
    };
    let value: rust_decimal::Decimal = shown["value"]
        .as_str()
        .expect("a value")
        .parse()
        .expect("a decimal");
    let freight = figure(0, "amount");
    // What `[order.export]` says of the whole order.
    let insurance = rust_decimal::Decimal::from(35);
    assert_eq!(figure(1, "base"), value + freight + insurance, "with both: CIF");
    assert_eq!(
        figure(2, "base"),
        value + freight + insurance + figure(1, "amount"),
        "VAT is on the duty too"
    );

    // A carton of more than 22 kg costs 120 more, of the order and of the plan.
    let lanes = fs::read_to_string(shop.home.join("catalog/lanes.csv")).expect("lanes");
    let mut rows = lanes.lines();
    let mut with = format!(
        "{},heavy_over_g,heavy_fee,heavy_currency\n",
        rows.next().expect("a head")
    );
    for row in rows {
        with.push_str(&format!("{row},1000,120,CNY\n"));
    }
    let path = shop.folder.path().join("lanes.csv");
    fs::write(&path, with).expect("written");
    assert_eq!(
        shop.linkstar(&[
            "catalog",
            "import",
            &path.display().to_string(),
            "--effective",
            "2025-06-01"
        ])
        .code,
        Some(0)
    );
    let checked = run(&shop, &["check", &at_place]);
    assert!(checked.out.contains("120.00 CNY more each"), "{checked:?}");
    let heavy = json(&run(&shop, &["cash", &at_place, "--json"]));
    let surcharge = &heavy["lines"][1];
    assert_eq!(
        (&surcharge["kind"], &surcharge["what"]),
        (&"surcharge".into(), &"heavy".into())
    );
    let cartons = surcharge["cartons"].as_array().map_or(0, Vec::len);
    assert_eq!(surcharge["charged"]["amount"], (cartons * 120).to_string());

    shop.night(0).await;
    let planned = json(&run(&shop, &["cash", "--json"]));
    let shipments = planned["shipments"].as_array().expect("shipments");
    assert!(!shipments.is_empty(), "{planned}");
    for one in shipments {
        let kinds = kinds(one);
        let wanted = [
            "freight freight",
            "surcharge heavy",
            "duty duty",
            "tax import_vat",
        ];
        assert_eq!(kinds, wanted, "{one}");
    }
    let book = linkstar::cli::demo::person::workbook(&shop.last_mail()).expect("a workbook");
    let folder = shop.folder.path().join("book.xlsx");
    fs::write(&folder, &book).expect("written");
    if let Some(keep) = std::env::var_os("LINKSTAR_KEEP") {
        fs::write(std::path::Path::new(&keep).join("cash.xlsx"), &book).expect("kept");
    }
    let mut sheets = calamine::open_workbook_auto(&folder).expect("a workbook");
    let sheet = calamine::Reader::worksheet_range(&mut sheets, "现金").expect("the sheet of cash");
    let names: Vec<String> = sheet
        .rows()
        .filter_map(|row| Some(row.get(2)?.to_string()))
        .collect();
    for said in ["头程运费", "超重箱附加费", "关税", "进口增值税", "合计"] {
        assert!(
            names.iter().any(|name| name.starts_with(said)),
            "{said}: {names:?}"
        );
    }

    // A rates file with a fault: nothing starts, and the line is named.
    fs::write(shop.home.join("border.toml"), RATES.replace("\"12\"", "\"-12\"")).expect("written");
    let refused = run(&shop, &["cash", &at_place]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused.err.contains("border.toml, line 6") && refused.err.contains("percent"),
        "{refused:?}"
    );
}
