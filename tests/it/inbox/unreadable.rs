//! Quarantine: kept, shown, counted, read again or put aside by a person.

use std::fs;

use linkstar::store::inbox::QUARANTINE;

use super::stage::{Stage, receive};

const STRANGE: &str = "运单,费目,应付\nT1,海运费,800\nT2,\u{1b}[2J清关\u{202e},90\n";

#[tokio::test]
async fn r41_an_unknown_layout_is_quarantined_with_its_first_rows_and_read_again_with_a_mapping() {
    let stage = Stage::new().await;
    stage.they_leave("对账.csv", STRANGE);
    let report = stage.night(0).await;
    assert_eq!(receive(&report).counts.get("quarantined"), Some(&1), "{report:?}");
    let files = stage.files().await;
    assert_eq!(files[0].kind, QUARANTINE);
    insta::assert_snapshot!(files[0].first_rows.join("\n"), @r"
    1: 运单 | 费目 | 应付
    2: T1 | 海运费 | 800
    3: T2 | \u{1b}[2J清关\u{202e} | 90
    ");

    let (code, status) = stage.linkstar(&["status", "--json"]);
    assert_eq!(code, Some(1), "{status}");
    let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
    assert_eq!(status["files_quarantined"], 1);
    let (zh, en) = stage.mails(1).await;
    assert!(
        en.contains("1 received files could not be read") && en.contains("对账.csv"),
        "{en}"
    );
    assert!(zh.contains("收件箱有 1 个文件读不懂"), "{zh}");
    let (code, list) = stage.linkstar(&["inbox", "list"]);
    assert_eq!(code, Some(1), "{list}");
    let id = &files[0].sha256[..12];
    assert!(list.contains("quarantined") && list.contains(id), "{list}");
    let (_, shown) = stage.linkstar(&["inbox", "show", id]);
    assert!(
        shown.contains("运单 | 费目 | 应付") && !shown.contains('\u{1b}'),
        "{shown}"
    );
    let (code, said) = stage.linkstar(&["inbox", "retry", id]);
    assert_eq!(code, Some(1), "{said}");

    // A person writes a mapping for it.
    let folder = stage.home.path().join("mappings/inbound");
    fs::create_dir_all(&folder).expect("a folder");
    let mapping = "[inbound]\nlanguage = 1\nid = 'huatuo-statement'\nversion = 1\nkind = 'bill'\nparty = 'huatuo'\nformat = 'table'\n[fields]\nbill_no = { from = ['运单'] }\ncharge = { from = ['费目'] }\namount = { from = ['应付'] }\ncurrency = { from = ['币种', '费目'], map = { '海运费' = 'CNY' } }\n[[test]]\nname = 'x'\nfile = \"运单,费目,应付\\nT1,海运费,8\\n\"\nexpect = [{ bill_no = 'T1', charge = '海运费', amount = '8', currency = 'CNY' }]\n";
    fs::write(folder.join("statement.toml"), mapping).expect("written");
    let (code, said) = stage.linkstar(&["mapping", "test", "mappings/inbound/statement.toml"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = stage.linkstar(&["inbox", "retry", "对账.csv"]);
    assert_eq!(code, Some(1), "one row of it is still faulty: {said}");
    assert!(
        said.contains("read now, a bill") && said.contains("对账.csv, line 3, `currency`"),
        "{said}"
    );
    assert!(!said.contains('\u{1b}'), "{said}");
    assert_eq!(stage.files().await[0].kind, "bill");
    let (code, _) = stage.linkstar(&["inbox", "retry", id]);
    assert_eq!(code, Some(2), "it is in quarantine no more");
    assert!(!stage.mails(2).await.1.contains("could not be read"));
    let (code, said) = stage.linkstar(&["audit", "verify"]);
    assert_eq!(code, Some(0), "{said}");
}

#[tokio::test]
async fn a_quarantined_file_is_put_aside_with_a_reason_and_kept() {
    let stage = Stage::new().await;
    stage.somebody_drops("holiday.txt", "We are closed from 1 to 5 May.\n");
    stage.night(0).await;
    let (code, said) = stage.linkstar(&["inbox", "drop", "holiday.txt"]);
    assert_eq!(code, Some(2), "a reason is asked for: {said}");
    let (code, said) = stage.linkstar(&[
        "inbox",
        "drop",
        "holiday.txt",
        "--reason",
        "a greeting",
        "--by",
        "li",
    ]);
    assert_eq!(code, Some(0), "{said}");
    let (code, list) = stage.linkstar(&["inbox", "list", "--json"]);
    assert_eq!(code, Some(0), "{list}");
    let list: serde_json::Value = serde_json::from_str(&list).expect("JSON");
    assert_eq!(list["files"][0]["kind"], "dropped");
    assert!(list["files"][0]["problems"].to_string().contains("a greeting"));
    let copy = stage.home.path().join("copy.txt");
    let (code, _) = stage.linkstar(&[
        "inbox",
        "show",
        "holiday.txt",
        "--save",
        &copy.display().to_string(),
    ]);
    assert_eq!(code, Some(0));
    assert!(fs::read_to_string(copy).expect("kept").contains("1 to 5 May"));
    stage.somebody_drops("holiday again.txt", "We are closed from 1 to 5 May.\n");
    stage.night(1).await;
    assert_eq!(
        stage.files().await.len(),
        1,
        "what was put aside does not come back under another name"
    );
}
