//! A seller without any interface: a fresh folder, exports in it, and a plan.

use std::fmt::Write as _;
use std::path::Path;

use super::super::tape::run;

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).expect("readable")
}

#[tokio::test]
async fn a_night_from_files_only_reaches_a_plan() {
    let room = tempfile::tempdir().expect("a folder");
    let home = room.path().join("shop");
    let init = tokio::process::Command::new(env!("CARGO_BIN_EXE_linkstar"))
        .arg("init")
        .arg(&home)
        .output()
        .await
        .expect("linkstar runs");
    assert!(init.status.success());
    let config = text(&home.join("linkstar.toml"));
    let section = "\n[[connector]]\nid = \"uk-files\"\nuses = \"linkstar-files\"\nwarehouses = { UKMA = \"goodcang:UKMA\" }\n\
        params = { folder = \"exports\", zone = \"Europe/London\", with_orders = \"yes\", fulfilment = \"UKMA\" }\n";
    std::fs::write(home.join("linkstar.toml"), format!("{config}{section}")).expect("written");
    let codes = "system,store,kind,code,sku,multiple,valid_from,valid_to\nuk-files,,warehouse_sku,杯-1,MUG-350-WH,1,,\nuk-files,,msku,杯-1,MUG-350-WH,1,,\n";
    std::fs::write(home.join("catalog/codes.csv"), codes).expect("written");
    let exports = home.join("exports");
    let doctor = run(&home, &["--lang", "en", "doctor"]).await;
    assert_eq!(doctor.code, Some(3), "{}{}", doctor.out, doctor.err);
    assert!(doctor.out.contains("uk-files  unreachable"), "{}", doctor.out);
    std::fs::create_dir(&exports).expect("a folder");
    let doctor = run(&home, &["--lang", "en", "doctor"]).await;
    assert!(doctor.out.contains("uk-files  no_file"), "{}", doctor.out);

    let mut orders = "订单号,下单时间,状态,商品SKU,数量\n".to_owned();
    let first = chrono::NaiveDate::from_ymd_opt(2026, 8, 1).expect("a day");
    for (number, day) in first.iter_days().take(113).enumerate() {
        let _ = writeln!(orders, "O-{number},{day} 16:00,已发货,杯-1,{}", 6 + number % 5);
    }
    let gbk = encoding_rs::GBK.encode(&orders).0.into_owned();
    std::fs::write(exports.join("订单.csv"), gbk).expect("written");
    std::fs::write(
        exports.join("库存_20261122_0500.csv"),
        "仓库,SKU,可用库存\nUKMA,杯-1,90\n",
    )
    .expect("written");
    let good = run(
        &home,
        &["catalog", "import", "catalog", "--effective", "2026-01-01"],
    )
    .await;
    assert_eq!(good.code, Some(0), "{}{}", good.out, good.err);
    super::touch(&exports.join("订单.csv"), "2026-11-21T20:00:00Z");
    let doctor = run(&home, &["--lang", "en", "doctor", "--json"]).await;
    assert!(
        doctor
            .out
            .contains("1 rows in 库存_20261122_0500.csv of 2026-11-21 21:00 GMT"),
        "{}",
        doctor.out
    );
    let planned = run(&home, &["--lang", "en", "pull", "--plan"]).await;
    assert!(
        planned
            .out
            .contains("uk-files/stock: reads stock* | 库存* | inventory* in"),
        "{}",
        planned.out
    );

    let night = run(&home, &["night", "--at", "2026-11-22T06:30:00+08:00"]).await;
    let shown = run(&home, &["--lang", "en", "plan", "--json"]).await;
    let plan: serde_json::Value = serde_json::from_str(&shown.out).expect("JSON");
    let line = plan["lines"]
        .as_array()
        .expect("lines")
        .iter()
        .find(|line| line["warehouse"] == "goodcang:UKMA")
        .unwrap_or_else(|| panic!("{}\n{}{}", shown.out, night.out, night.err));
    assert_eq!(line["available"], 90, "{line}");
    assert!(
        line["suggested_units"].as_i64().is_some_and(|units| units > 0),
        "{line}"
    );

    // What was read can be recorded and read again without the folder.
    let recorded = run(&home, &["connector", "record", "uk-files", "tape"]).await;
    assert_eq!(recorded.code, Some(0), "{}{}", recorded.out, recorded.err);
    std::fs::remove_dir_all(&exports).expect("removed");
    let replayed = run(&home, &["connector", "replay", "tape", "linkstar-files"]).await;
    assert_eq!(replayed.code, Some(0), "{}{}", replayed.out, replayed.err);
}
