//! Every statement of the store, prepared on both engines, and none of the daily ones reaching across accounts.
//!
//! Statements are collected twice: as they were run, by the contract's night on each engine, and as they stand in the
//! sources. Each one of the sources must have been run, or be complete enough to be prepared from its text.

use std::collections::BTreeSet;

use linkstar::store::Store;
use linkstar::store::statements::{self, Class, Statement};
use linkstar::store::tables;
use sqlx::{Connection as _, Executor as _};

use super::contract::transcripts;
use super::literals::{self, Constants, Literal, flat, folder};
use super::sqlite_url;
use crate::services::{fresh_database, services};

/// Files whose statements one engine alone understands or that work on a database as a whole, each with its reason.
/// They may reach across accounts.
const WHOLE_DATABASE: [(&str, &str); 9] = [
    ("copy.rs", "moves every account's rows"),
    ("copy/progress.rs", "a copy is of a whole database"),
    ("copy/rows.rs", "moves every account's rows"),
    ("dialect.rs", "the words that one engine alone has"),
    ("executor/whole.rs", "migrations belong to no account"),
    (
        "postgres.rs",
        "what this engine alone does: its pool, its list of migrations",
    ),
    ("tables.rs", "reads each engine's own catalog"),
    ("upkeep.rs", "a check looks at every account"),
    ("upkeep/series.rs", "a check looks at every account"),
];

/// Statements of the daily work that reach across accounts, by their beginning, each with its reason.
const ACROSS: [(&str, &str); 0] = [];

fn whole_database(file: &str) -> bool {
    WHOLE_DATABASE.iter().any(|(name, _)| *name == file)
}

/// What the engines do not share: row locks.
fn without_locks(text: &str) -> String {
    text.replace(" FOR UPDATE SKIP LOCKED", "")
        .replace(" FOR UPDATE", "")
        .replace(" FOR SHARE", "")
}

/// Whether a statement that was run began as this literal, with anything in its `{…}`.
fn began_as(run: &str, literal: &str) -> bool {
    let mut rest = run;
    for (number, part) in holes(literal).iter().enumerate() {
        let part = part.trim();
        match rest.find(part) {
            Some(0) => rest = &rest[part.len()..],
            Some(place) if number > 0 => rest = &rest[place + part.len()..],
            _ => return false,
        }
    }
    true
}

/// The text between the `{…}`.
fn holes(literal: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = literal;
    while let Some((before, after)) = rest.split_once('{') {
        parts.push(before);
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    parts.push(rest);
    parts
}

/// A literal with what is known put into its `{…}`: constants, no row lock, one place of a list.
fn completed(literal: &Literal, constants: &Constants) -> Option<String> {
    let mut text = String::new();
    let mut rest = literal.text.as_str();
    let mut place = literal
        .text
        .split('$')
        .skip(1)
        .filter_map(|piece| {
            let digits: String = piece.chars().take_while(char::is_ascii_digit).collect();
            digits.parse::<usize>().ok()
        })
        .max()
        .unwrap_or(0);
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        text.push_str(before);
        match name {
            "skip_locked" | "lock" => {}
            "" | "list" | "places" | "kinds" => {
                place += 1;
                text.push_str(&format!("${place}"));
            }
            name => text.push_str(constants.get(&(folder(&literal.file), name.to_owned()))?),
        }
        rest = after;
    }
    text.push_str(rest);
    // The head of a bulk insert: as for one row.
    if text.starts_with("INSERT INTO")
        && text.ends_with(')')
        && !text.contains("VALUES")
        && !text.contains("SELECT")
    {
        let columns = text.split_once('(')?.1.matches(',').count() + 1;
        let places: Vec<String> = (1..=columns).map(|place| format!("${place}")).collect();
        text.push_str(&format!(" VALUES ({})", places.join(", ")));
    }
    Some(flat(&text))
}

/// Without its arguments PostgreSQL cannot know what `$4 + $5` adds; linkstar adds nothing but BIGINT.
fn with_counted_places(text: &str) -> String {
    let mut done = String::new();
    let mut pieces = text.split('$');
    done.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let digits = piece.chars().take_while(char::is_ascii_digit).count();
        let (place, rest) = piece.split_at(digits);
        done.push_str(&format!("${place}"));
        if rest.starts_with(" + ") || rest.starts_with(" - ") {
            done.push_str("::BIGINT");
        }
        done.push_str(rest);
    }
    done
}

struct Engines {
    sqlite: sqlx::SqliteConnection,
    postgres: sqlx::PgConnection,
}

impl Engines {
    async fn on_sqlite(&mut self, text: &str) -> Result<(), String> {
        let text = sqlx::AssertSqlSafe(format!("EXPLAIN {}", without_locks(text)));
        self.sqlite
            .execute(sqlx::raw_sql(text))
            .await
            .map(drop)
            .map_err(|error| format!("SQLite: {error}"))
    }

    /// With the classes the arguments were bound as, where they are known.
    async fn on_postgres(&mut self, text: &str, classes: &[Class]) -> Result<(), String> {
        let types: Vec<&str> = classes
            .iter()
            .map(|class| match class {
                Class::Int => "BIGINT",
                Class::Text => "TEXT",
                Class::Bytes => "BYTEA",
            })
            .collect();
        let types = if types.is_empty() {
            String::new()
        } else {
            format!("({})", types.join(", "))
        };
        let text = sqlx::AssertSqlSafe(format!("PREPARE asked {types} AS {text}; DEALLOCATE asked"));
        self.postgres
            .execute(sqlx::raw_sql(text))
            .await
            .map(drop)
            .map_err(|error| format!("PostgreSQL: {error}"))
    }
}

fn is_daily(text: &str) -> bool {
    ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "]
        .iter()
        .any(|word| text.starts_with(word))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_statement_is_prepared_on_both_engines() {
    let Some(services) = services() else { return };
    transcripts().await;
    let url = fresh_database(&services).await;
    Store::open(&url).await.unwrap().close().await;
    let dir = tempfile::tempdir().unwrap();
    let file = sqlite_url(dir.path(), "prepare.db");
    Store::open(&file).await.unwrap().close().await;
    let mut engines = Engines {
        sqlite: sqlx::SqliteConnection::connect(&file).await.unwrap(),
        postgres: sqlx::PgConnection::connect(&url).await.unwrap(),
    };

    let (literals, constants) = literals::read();
    assert!(literals.len() > 80, "the sources were read: {}", literals.len());
    let mut wrong = Vec::new();

    // What was run, on the other engine too. Tests of other rooms run in this process: statements on tables of their
    // own or with words of one engine are not the store's.
    let run: BTreeSet<Statement> = statements::seen()
        .into_iter()
        .map(|statement| Statement {
            text: flat(&statement.text),
            ..statement
        })
        .filter(|statement| {
            literals
                .iter()
                .any(|literal| !whole_database(&literal.file) && began_as(&statement.text, &literal.text))
        })
        .collect();
    for statement in run.iter().filter(|statement| is_daily(&statement.text)) {
        let on_sqlite = engines.on_sqlite(&statement.text).await;
        let on_postgres = engines.on_postgres(&statement.text, &statement.classes).await;
        wrong.extend(
            [on_sqlite, on_postgres]
                .into_iter()
                .filter_map(Result::err)
                .map(|why| format!("{why}\n  {}", statement.text)),
        );
    }

    // What stands in the sources.
    let (mut on_both, mut from_text) = (0, 0);
    for literal in &literals {
        let ran = |postgres: bool| {
            run.iter()
                .any(|statement| statement.postgres == postgres && began_as(&statement.text, &literal.text))
        };
        if ran(false) && ran(true) {
            on_both += 1;
            continue;
        }
        if literal.file.starts_with("copy") {
            // Made from the catalog; run on both engines by the tests of the copy.
            continue;
        }
        let Some(text) = completed(literal, &constants) else {
            if !whole_database(&literal.file) {
                wrong.push(format!(
                    "{}: never run by the contract, and its text is not complete: {}",
                    literal.place, literal.text
                ));
            }
            continue;
        };
        from_text += 1;
        let on_sqlite = engines.on_sqlite(&text).await;
        let on_postgres = engines.on_postgres(&with_counted_places(&text), &[]).await;
        let results = [on_sqlite, on_postgres];
        if whole_database(&literal.file) && results.iter().any(Result::is_ok) {
            continue;
        }
        wrong.extend(
            results
                .into_iter()
                .filter_map(Result::err)
                .map(|why| format!("{}: {why}\n  {text}", literal.place)),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!(
        "{} statements in the sources: {on_both} run and prepared on both engines, {from_text} prepared from their text; \
         {} distinct ones run",
        literals.len(),
        run.len()
    );
    assert!(
        on_both * 2 > literals.len(),
        "the contract ran {on_both} of {}",
        literals.len()
    );
}

/// Names of tables in a statement, each with the alias it goes by, and whether rows are inserted into it.
fn tables_of(text: &str, known: &[String]) -> Vec<(String, Option<String>, bool)> {
    let spaced = text.replace('(', " ( ").replace(')', " ) ").replace(',', " , ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        if !["FROM", "JOIN", "INTO", "UPDATE"].contains(word) {
            continue;
        }
        let Some(name) = words
            .get(at + 1)
            .filter(|name| known.iter().any(|table| table == *name))
        else {
            continue;
        };
        let alias = words
            .get(at + 2)
            .filter(|next| next.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
            .map(|alias| (*alias).to_owned());
        found.push(((*name).to_owned(), alias, *word == "INTO"));
    }
    found
}

/// Each table of the statement is bound to one account: by `account_id = …`, or by the first inserted column.
fn stays_in_account(text: &str, known: &[String]) -> bool {
    let tables = tables_of(text, known);
    let plain = text
        .match_indices("account_id = ")
        .filter(|(at, _)| !text[..*at].ends_with('.'))
        .count();
    let unnamed = tables
        .iter()
        .filter(|(_, alias, insert)| alias.is_none() && !insert)
        .count();
    let inserts_bound = tables
        .iter()
        .filter(|(_, _, insert)| *insert)
        .all(|(table, _, _)| text.contains(&format!("INSERT INTO {table} (account_id,")));
    let aliases_bound = tables
        .iter()
        .filter_map(|(_, alias, _)| alias.as_ref())
        .all(|alias| text.contains(&format!("{alias}.account_id = ")));
    inserts_bound && aliases_bound && plain >= unnamed
}

#[tokio::test]
async fn no_statement_of_the_daily_work_crosses_accounts() {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let mut tx = store.read().await.unwrap();
    let known = tables::names(&mut tx).await.unwrap();
    let (literals, constants) = literals::read();
    let mut looked_at = 0;
    let mut wrong = Vec::new();
    for literal in literals.iter().filter(|literal| !whole_database(&literal.file)) {
        let text = completed(literal, &constants).unwrap_or_else(|| literal.text.clone());
        if tables_of(&text, &known).is_empty() || ACROSS.iter().any(|(begin, _)| text.starts_with(begin)) {
            continue;
        }
        looked_at += 1;
        if !stays_in_account(&text, &known) {
            wrong.push(format!("{}: {text}", literal.place));
        }
    }
    assert!(looked_at > 80, "{looked_at}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn statements_that_cross_are_recognised() {
    let known = ["job".to_owned(), "outbox".to_owned()];
    for sound in [
        "SELECT job_id FROM job WHERE account_id = $1 AND state = 'ready'",
        "INSERT INTO job (account_id, job_id) VALUES ($1, $2)",
        "UPDATE outbox SET state = $2 WHERE account_id = $1 AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.account_id = $1)",
    ] {
        assert!(stays_in_account(sound, &known), "{sound}");
    }
    for crossing in [
        "SELECT job_id FROM job WHERE state = 'ready'",
        "INSERT INTO job (job_id, account_id) VALUES ($1, $2)",
        "DELETE FROM outbox WHERE state = 'sent'",
        "UPDATE outbox SET state = $2 WHERE account_id = $1 AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.state = $2)",
        "SELECT j.job_id FROM job j JOIN outbox o ON o.business_key = j.job_id WHERE j.account_id = $1",
    ] {
        assert!(!stays_in_account(crossing, &known), "{crossing}");
    }
}
