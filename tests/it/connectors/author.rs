//! The way of `docs/connectors.md` from an empty file to green tests, walked with the program.

use std::path::Path;

use super::stage::Stage;
use super::tape::{Ran, run};

fn blocks(language: &str) -> Vec<String> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/connectors.md");
    let docs = std::fs::read_to_string(docs).expect("docs/connectors.md");
    docs.split(&format!("```{language}\n"))
        .skip(1)
        .filter_map(|rest| rest.split("```").next().map(str::to_owned))
        .collect()
}

fn good(ran: Ran) -> String {
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    ran.out
}

#[tokio::test]
async fn the_steps_of_the_docs_lead_to_green_tests() {
    let stage = Stage::open().await;
    let room = tempfile::tempdir().expect("a folder");
    let home = room.path();
    let answer = blocks("json").remove(0);
    std::fs::write(home.join("answer.json"), &answer).expect("written");
    let config = "[account]\nid = 'main'\nname = 'test'\nlanguage = 'en'\n\
        [[connector]]\nid = 'my-warehouse-de'\nuses = 'my-warehouse.toml'\nsecrets = { api_key = '${file:key}' }\n\
        warehouses = { DE1 = 'my-warehouse:DE1' }\n";
    std::fs::write(home.join("linkstar.toml"), config).expect("written");
    std::fs::write(home.join("key"), "a-very-secret-key").expect("written");

    // new: what it writes is whole, its own test holds.
    let args = [
        "connector",
        "new",
        "my-warehouse",
        "--record",
        "stock",
        "--page",
        "answer.json",
    ];
    let draft = good(run(home, &args).await);
    let file = home.join("my-warehouse.toml");
    std::fs::write(&file, draft).expect("written");
    good(run(home, &["connector", "check", "my-warehouse.toml"]).await);
    good(run(home, &["connector", "test", "my-warehouse.toml"]).await);

    // After the edits the file is the one of the docs.
    let edited = blocks("toml").remove(0);
    let faulty = edited.replace("available = \"free", "avialable = \"free");
    std::fs::write(&file, faulty).expect("written");
    let refused = run(home, &["connector", "check", "my-warehouse.toml"]).await;
    assert_eq!(refused.code, Some(2), "{}", refused.err);
    let line = refused.err.trim();
    let docs = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/connectors.md"));
    assert!(docs.expect("the docs").contains(line), "the docs show: {line}");

    let edited = edited.replace("https://api.my-warehouse.example", &stage.url);
    std::fs::write(&file, edited).expect("written");
    let said = good(run(home, &["connector", "check", "my-warehouse.toml"]).await);
    assert_eq!(said.trim(), "my-warehouse.toml: 1 streams: ok");
    let said = good(run(home, &["connector", "test", "my-warehouse.toml"]).await);
    assert_eq!(said.trim(), "my-warehouse.toml: 1 tests hold");
    let said = good(run(home, &["connector", "docs", "my-warehouse.toml"]).await);
    assert!(
        said.contains("API key from the portal, page Settings → API"),
        "{said}"
    );

    stage.json("/v1/stock", serde_json::from_str(&answer).expect("JSON"));
    good(run(home, &["connector", "record", "my-warehouse-de", "tapes/de"]).await);
    let rows = std::fs::read_to_string(home.join("tapes/de/rows.jsonl")).expect("rows");
    assert_eq!(rows.lines().count(), 3, "{rows}");
    good(run(home, &["connector", "replay", "tapes/de", "my-warehouse.toml"]).await);
    let said = run(home, &["doctor"]).await;
    assert!(
        said.out.contains("my-warehouse-de") && said.out.contains("ok"),
        "{}{}",
        said.out,
        said.err
    );
}

#[tokio::test]
async fn the_schema_is_printed() {
    let room = tempfile::tempdir().expect("a folder");
    let printed = good(run(room.path(), &["connector", "schema"]).await);
    assert_eq!(printed, linkstar::connector::schema::schema());
}
