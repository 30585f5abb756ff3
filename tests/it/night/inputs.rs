//! Files a person got wrong: what the program says, word for word.

use std::fs;
use std::path::Path;

use super::shop::{Ran, run};
use std::process::Command;

fn linkstar(folder: &Path, args: &[&str]) -> Ran {
    run(Command::new(env!("CARGO_BIN_EXE_linkstar"))
        .current_dir(folder)
        .env_remove("LINKSTAR_TEST_NOT_SET")
        .args(args))
}

fn fresh() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let made = linkstar(folder.path(), &["init", "."]);
    assert_eq!(made.code, Some(0), "{made:?}");
    folder
}

fn edit(folder: &Path, from: &str, to: &str) {
    let path = folder.join("linkstar.toml");
    let text = fs::read_to_string(&path).expect("a configuration");
    assert!(text.contains(from));
    fs::write(path, text.replacen(from, to, 1)).expect("a configuration");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_configuration_key_is_told_with_the_nearest_name() {
    let folder = fresh();
    edit(folder.path(), "review_days", "reveiw_days");
    edit(folder.path(), "[inbox]\nfolder", "[inbox]\nfoldre");
    let said = linkstar(folder.path(), &["check"]);
    assert_eq!(said.code, Some(2));
    insta::assert_snapshot!(said.err, @r"
    error: linkstar.toml, line 22, column 1, `plan`: found `reveiw_days`, wanted a known name; did you mean `review_days`?
    linkstar.toml, line 51, column 1, `inbox`: found `foldre`, wanted a known name; did you mean `folder`?
    ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_secret_is_told_by_the_name_of_its_variable() {
    let folder = fresh();
    edit(
        folder.path(),
        "[log]",
        "[mail]\nhost = \"localhost\"\nport = 587\ntls = \"starttls\"\nuser = \"u\"\npassword = \"${env:LINKSTAR_TEST_NOT_SET}\"\nfrom = \"linkstar <a@b.example>\"\n[log]",
    );
    let said = linkstar(folder.path(), &["night", "--dry-run"]);
    assert_eq!(said.code, Some(2));
    insta::assert_snapshot!(said.err, @r"
    error: linkstar.toml, `mail.recipients`: found ``, wanted at least one recipient with an address
    linkstar.toml, `mail.password`: found `${env:LINKSTAR_TEST_NOT_SET}`, wanted the environment variable `LINKSTAR_TEST_NOT_SET` to be set and not empty
    ");
    assert!(
        !folder.path().join("data/linkstar.db").exists(),
        "nothing was begun"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_item_row_with_three_faults_tells_all_three_and_the_good_rows_load() {
    let folder = fresh();
    let path = folder.path().join("catalog/items.csv");
    let text = fs::read_to_string(&path).expect("items");
    let heads: Vec<&str> = text.lines().next().expect("heads").split(',').collect();
    let good = text.lines().nth(1).expect("an example");
    let mut bad: Vec<&str> = good.split(',').collect();
    for (head, cell) in [
        ("sku", "BAD-1"),
        ("unit_gross_g", "heavy"),
        ("carton_units", "-3"),
        ("origin", "CHINA"),
    ] {
        bad[heads.iter().position(|known| *known == head).expect("a column")] = cell;
    }
    fs::write(&path, format!("{}\n{good}\n{}\n", heads.join(","), bad.join(","))).expect("items");
    let said = linkstar(folder.path(), &["catalog", "import", "catalog/items.csv"]);
    assert_eq!(said.code, Some(1));
    insta::assert_snapshot!(said.err, @r"
    items.csv, line 3, `unit_gross_g`: found `heavy`, wanted a whole number
    items.csv, line 3, `carton_units`: found `-3`, wanted a whole number above 0
    items.csv, line 3, `origin`: found `CHINA`, wanted a country as two capital letters, like CN
    ");
    let loaded: Vec<&str> = said
        .out
        .lines()
        .find(|line| line.starts_with("items.csv"))
        .expect("the file is reported")
        .split_whitespace()
        .collect();
    assert_eq!(loaded.get(1), Some(&"1"), "the good row is new: {}", said.out);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_command_or_file_is_a_usage_error() {
    let folder = fresh();
    for args in [
        &["nihgt"][..],
        &["-c", "nowhere.toml", "check"],
        &["explain", "NO-SUCH-SKU"],
        &["order", "show", "BH260101-01"],
        &["mapping", "check", "linkstar.toml"],
        &["connector", "test", "catalog/items.csv"],
        &["init", "."],
    ] {
        let said = linkstar(folder.path(), args);
        assert_eq!(said.code, Some(2), "{args:?}: {said:?}");
        assert!(
            !said.err.trim().is_empty() && said.out.is_empty(),
            "{args:?}: {said:?}"
        );
    }
}
