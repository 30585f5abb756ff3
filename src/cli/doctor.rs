//! `linkstar doctor`: which connection would fail tonight, and why.

use serde_json::json;

use super::args::Cli;
use super::context::{Context, columns, heads, print, print_json};
use super::{CliError, Exit};
use crate::http::doctor::doctor;
use crate::night::step::chain;
use crate::transport::sftp::Session;

struct Finding {
    what: String,
    code: String,
    text: String,
    healthy: bool,
}

pub async fn run(cli: &Cli, json: bool) -> Result<Exit, CliError> {
    let context = Context::open(cli, None).await?;
    let mut findings = Vec::new();
    for connector in &context.tools.connectors {
        let said = doctor(&context.tools.client, &*context.clock, connector).await;
        findings.push(Finding {
            what: said.source.to_string(),
            code: said.code.to_owned(),
            text: said.text,
            healthy: said.healthy,
        });
    }
    for target in &context.tools.sftp {
        let (code, text, healthy) = match Session::open(target).await {
            Ok(session) => {
                let listed = session.list(&target.out_dir).await;
                session.close().await;
                match listed {
                    Ok(files) => (
                        "ok".to_owned(),
                        format!("{} files in {}", files.len(), target.out_dir),
                        true,
                    ),
                    Err(error) => ("unreadable".to_owned(), chain(&error), false),
                }
            }
            Err(error) => ("unreachable".to_owned(), chain(&error), false),
        };
        findings.push(Finding {
            what: target.id.clone(),
            code,
            text,
            healthy,
        });
    }
    if json {
        let shown: Vec<_> = findings
            .iter()
            .map(|finding| json!({"what": finding.what, "state": finding.code, "text": finding.text}))
            .collect();
        print_json(&json!(shown))?;
    } else {
        let mut rows = vec![heads(context.lang, "doctor")];
        rows.extend(
            findings
                .iter()
                .map(|finding| vec![finding.what.clone(), finding.code.clone(), finding.text.clone()]),
        );
        print(&columns(&rows))?;
    }
    let healthy = findings.iter().all(|finding| finding.healthy);
    Ok(if healthy { Exit::Done } else { Exit::Unavailable })
}
