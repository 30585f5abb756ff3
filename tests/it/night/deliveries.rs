//! Bad days of the forwarder: nothing is lost, nothing is sent twice.

use std::fs;

use chrono::Duration;
use linkstar::digest::sha256_hex;
use linkstar::night::{Step, StepReport, StepState, decide};
use linkstar::simulate::FaultKind;

use super::super::services::has;
use super::shop::{Shop, morning, step};
use super::state::dump;
use crate::documents::templates::edited;

/// A first night that was answered: orders are issued, their papers wait in the outbox.
async fn answered() -> (Shop, StepReport) {
    let shop = Shop::new(7).await;
    shop.night(0).await;
    shop.answer();
    let opened = shop.open(morning(0) + Duration::hours(2)).await;
    let decided = decide::run(&opened.night(false)).await.expect("the store works");
    opened.store.close().await;
    (shop, decided)
}

async fn papers(shop: &Shop) -> Vec<String> {
    let store = shop.store().await;
    let mut rows = dump(&store, "outbox", "channel state attempt remote_name last_error").await;
    store.close().await;
    rows.retain(|row| row.starts_with("sftp"));
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_host_key_refuses_until_known_hosts_is_mended_and_loses_nothing() {
    let (shop, decided) = answered().await;
    assert!(
        decided.counts.get("documents").is_some_and(|count| *count > 0),
        "{decided:?}"
    );
    shop.world.change_host_key();
    let at = morning(0) + Duration::hours(2);
    let report = shop.deliver(at).await;
    assert_eq!(report.state, StepState::Partial);
    assert!(shop.dropped().is_empty());
    let waiting = papers(&shop).await;
    assert!(
        !waiting.is_empty() && !waiting.iter().any(|row| row.starts_with("sftp | sent")),
        "{waiting:#?}"
    );
    let said = report.problems.join("\n");
    assert!(
        said.contains("HOST KEY") && said.contains("Nothing was sent"),
        "{said}"
    );
    let known = shop.world.endpoints().sftp_known_hosts.clone();
    assert!(
        said.contains(&known.display().to_string()),
        "the file is named: {said}"
    );
    // A person looks the new key up and mends the file: the server's own offer stands in for the telephone.
    let port = shop.world.endpoints().sftp_port.to_string();
    let scan = || {
        std::process::Command::new("ssh-keyscan")
            .args(["-p", &port, "127.0.0.1"])
            .output()
    };
    if !has("ssh-keyscan", "openssh-client") {
        return;
    }
    let offered = tokio::task::block_in_place(scan).expect("ssh-keyscan runs");
    assert!(
        offered.status.success() && !offered.stdout.is_empty(),
        "ssh-keyscan: {}",
        String::from_utf8_lossy(&offered.stderr)
    );
    fs::write(&known, offered.stdout).expect("known_hosts is written");
    let store = shop.store().await;
    let stuck = dump(&store, "outbox", "state business_key").await;
    store.close().await;
    for row in &stuck {
        let (state, key) = row.split_once(" | ").expect("two columns");
        if key.starts_with("order/") && state != "due" {
            let retried = shop.linkstar(&["outbox", "retry", key]);
            assert_eq!(retried.code, Some(0), "{retried:?}");
        }
    }
    // `outbox retry` works by the wall clock, and so does this delivery.
    let sent = shop.linkstar(&["deliver"]);
    assert_eq!(sent.code, Some(0), "{sent:?}");
    let now = papers(&shop).await;
    assert!(now.iter().all(|row| row.starts_with("sftp | sent")), "{now:#?}");
    assert_eq!(shop.dropped().len(), waiting.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_at_the_forwarder_is_tried_again_and_each_file_arrives_once() {
    let (shop, _) = answered().await;
    shop.fault("sftp.write", FaultKind::DiskFull { after_bytes: 4_096 }, None);
    let report = shop.deliver(morning(0) + Duration::hours(2)).await;
    assert_eq!(report.state, StepState::Partial, "{report:?}");
    let waiting = papers(&shop).await;
    assert!(
        waiting.iter().any(|row| row.starts_with("sftp | due")),
        "{waiting:#?}"
    );
    assert!(
        shop.dropped().keys().all(|name| name.starts_with('.')
            || waiting
                .iter()
                .any(|row| row.contains("sent") && row.contains(name.as_str()))),
        "no partial under a final name: {:?}",
        shop.dropped().keys()
    );
    shop.world.clear_faults();
    // Every wait of the back-off has run out by then.
    for hours in [8, 16, 24] {
        shop.deliver(morning(0) + Duration::hours(hours)).await;
    }
    let now = papers(&shop).await;
    assert!(now.iter().all(|row| row.starts_with("sftp | sent")), "{now:#?}");
    assert_eq!(shop.dropped().len(), now.len(), "{:?}", shop.dropped().keys());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_template_with_a_moved_header_stops_the_night_before_it_begins_and_names_the_cells() {
    let shop = Shop::new(7).await;
    // The forwarder's new form has two labels and two columns the other way round; a person put its new hash into the
    // mapping and did not look further.
    let own = shop.home.join("mappings");
    fs::create_dir_all(own.join("templates")).expect("a folder");
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings");
    let template = "templates/wimoor-ship-customs-v1.xlsx";
    let known = fs::read(root.join(template)).expect("a template");
    let swapped = [("A1", "0"), ("A2", "3"), ("A28", "44"), ("B28", "45")];
    let form = edited(&known, "xl/worksheets/sheet1.xml", |xml| {
        let cell = |at: &str, text: &str| {
            let start = xml.find(&format!("<c r=\"{at}\"")).expect("the cell");
            let style = &xml[start..start + xml[start..].find("<v>").expect("a value")];
            (format!("{style}<v>{text}</v>"), style.to_owned())
        };
        swapped.chunks(2).fold(xml.clone(), |done, pair| {
            let (one, one_style) = cell(pair[0].0, pair[0].1);
            let (two, two_style) = cell(pair[1].0, pair[1].1);
            done.replace(&one, &format!("{one_style}<v>{}</v>", pair[1].1))
                .replace(&two, &format!("{two_style}<v>{}</v>", pair[0].1))
        })
    });
    fs::write(own.join(template), &form).expect("a template");
    let mapping = fs::read_to_string(root.join("huatuo-booking-gb.toml")).expect("the mapping");
    let (old, new) = (sha256_hex(&known), sha256_hex(&form));
    assert!(mapping.contains(&old));
    fs::write(own.join("huatuo-booking-gb.toml"), mapping.replace(&old, &new)).expect("a mapping");

    let checked = shop.linkstar(&["check"]);
    assert_eq!(checked.code, Some(2));
    insta::assert_snapshot!(checked.err, @r"
    error: templates/wimoor-ship-customs-v1.xlsx, sheet 模板, cell A1, `header`: found `店铺`, wanted 服务* (it stands at A2 now)
    templates/wimoor-ship-customs-v1.xlsx, sheet 模板, cell A2, `header`: found `服务*`, wanted 店铺 (it stands at A1 now)
    templates/wimoor-ship-customs-v1.xlsx, sheet 模板, cell A28, `header`: found `产品SKU`, wanted 货箱编号* (it stands at B28 now)
    templates/wimoor-ship-customs-v1.xlsx, sheet 模板, cell B28, `header`: found `货箱编号*`, wanted 产品SKU (it stands at A28 now)
    ");
    let night = shop.linkstar(&["night", "--at", &morning(0).to_rfc3339()]);
    assert_eq!(night.code, Some(2));
    assert_eq!(night.err, checked.err);
    assert!(shop.dropped().is_empty() && shop.world.inbox().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_for_an_unknown_order_is_named_and_counted_nowhere() {
    let shop = Shop::new(7).await;
    shop.night(0).await;
    shop.advance(morning(1));
    let out = shop.world.endpoints().sftp_folder.join("out");
    let sku = {
        let opening = shop.world.opening_files().open_shipments;
        let row = opening.lines().nth(1).expect("a shipment").to_owned();
        row.split(',').nth(5).expect("its SKU").to_owned()
    };
    fs::write(
        out.join("receipt-of-somebody.csv"),
        format!(
            "reference,carton,sku,kind,units,at\nBH990101-77,,{sku},received,5,2026-05-04T12:00:00+01:00\n"
        ),
    )
    .expect("a report");
    let report = shop.night(1).await;
    let reconciled = step(&report, Step::Reconcile);
    assert!(
        reconciled
            .problems
            .iter()
            .any(|problem| problem.contains("BH990101-77")),
        "{report:?}"
    );
    let told = shop.linkstar(&["reconcile", "--at", &morning(1).to_rfc3339()]);
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(
        told.err.contains("BH990101-77") && !told.out.contains("BH990101-77"),
        "{told:?}"
    );
}
