//! `linkstar doctor`: which connection would fail tonight, and why.

use serde_json::json;

use super::args::Cli;
use super::context::{Context, columns, heads, print, print_json};
use super::{CliError, Exit};
use crate::config::WebSection;
use crate::delivery::Channel;
use crate::http::FailureKind;
use crate::http::doctor::doctor;
use crate::night::chain_folder;
use crate::night::plan::lacking;
use crate::night::step::chain;
use crate::store::outbox::{self, KnownServer};
use crate::store::plans;
use crate::transport::email::{self, Refused, SendOutcome};
use crate::transport::sftp::{Session, SftpError, Target};

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);

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
    findings.extend(chain_findings(&context).await?);
    for target in &context.tools.sftp {
        let (code, text, healthy) = match Session::open(target).await {
            Ok(session) => {
                let listed = session.list(&target.out_dir).await;
                session.close().await;
                match listed {
                    Ok(files) => {
                        let mut text = format!("{} files in {}", files.len(), target.out_dir);
                        if let Some(known) = known_server(&context, target).await? {
                            let day = known.probed_at.format("%Y-%m-%d");
                            text.push_str(&format!("; {} (tried {day})", known.capabilities.summary()));
                        }
                        ("ok".to_owned(), text, true)
                    }
                    Err(error) => (file_trouble(&error).to_owned(), chain(&error), false),
                }
            }
            Err(error) => (file_trouble(&error).to_owned(), chain(&error), false),
        };
        findings.push(Finding {
            what: target.id.clone(),
            code,
            text,
            healthy,
        });
    }
    if let Some(smtp) = &context.tools.smtp {
        let (code, text, healthy) = match email::look(smtp).await {
            Ok(name) => (
                "ok",
                format!("{name} takes the login of {} over TLS", smtp.user),
                true,
            ),
            Err(outcome) => mail_trouble(outcome),
        };
        findings.push(Finding {
            what: format!("mail {}:{}", smtp.host, smtp.port),
            code: code.to_owned(),
            text,
            healthy,
        });
    }
    if let Some(web) = &context.config.web {
        findings.push(page(web).await);
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

/// The folder of the chain, and the years that calendars lack for the current plan (R16).
async fn chain_findings(context: &Context) -> Result<Vec<Finding>, CliError> {
    let fault = |code: &str, text: String| Finding {
        what: "supply".to_owned(),
        code: code.to_owned(),
        text,
        healthy: false,
    };
    let (_, problems) = chain_folder::read(&context.config.home);
    let mut findings: Vec<Finding> = problems
        .iter()
        .map(|problem| fault("bad_file", problem.to_string()))
        .collect();
    let mut tx = context.store.read().await?;
    if let Some(plan) = plans::latest(&mut tx, &context.config.account.id).await? {
        let lacking = lacking(&plan).into_iter();
        findings.extend(lacking.map(|(missing, _)| fault("calendar_ends", missing.to_string())));
    }
    Ok(findings)
}

async fn known_server(context: &Context, target: &Target) -> Result<Option<KnownServer>, CliError> {
    let mut tx = context.store.read().await?;
    let place = (Channel::Sftp, target.id.as_str());
    Ok(outbox::known_server(&mut tx, &context.config.account.id, place).await?)
}

/// Where the pages are, and whether a process serves them now. One that does not run is no fault.
async fn page(web: &WebSection) -> Finding {
    let who = match web.users.len() {
        0 => "nobody may log in".to_owned(),
        n => format!("{n} users"),
    };
    let looked = tokio::time::timeout(PATIENCE, tokio::net::TcpStream::connect(web.listen)).await;
    let (code, said) = match looked {
        Ok(Ok(_)) => ("ok", "served"),
        _ => (
            "off",
            "not served now: `linkstar run`, or `linkstar run --role web`",
        ),
    };
    Finding {
        what: format!("web http://{}/", web.listen),
        code: code.to_owned(),
        text: format!("{said}; {who}; health and metrics at http://{}/", web.health),
        healthy: true,
    }
}

/// The words for sources, for a forwarder's server.
fn file_trouble(error: &SftpError) -> &'static str {
    let kind = match error {
        SftpError::AuthRefused { .. } => FailureKind::Expired,
        SftpError::UnknownHost { .. }
        | SftpError::ChangedHostKey { .. }
        | SftpError::RevokedHostKey { .. }
        | SftpError::PermissionDenied { .. } => FailureKind::Forbidden,
        SftpError::Silent { .. } => FailureKind::Slow,
        SftpError::KnownHosts { .. } | SftpError::KeyFile { .. } | SftpError::Missing { .. } => {
            FailureKind::Configuration
        }
        SftpError::Connect { .. } | SftpError::Lost { .. } => FailureKind::Unreachable,
        _ => FailureKind::Refused,
    };
    kind.code()
}

/// The words for sources, for the mail server.
fn mail_trouble(outcome: SendOutcome) -> (&'static str, String, bool) {
    let (kind, text) = match outcome {
        SendOutcome::Accepted { answer } => return ("ok", answer, true),
        SendOutcome::RefusedPermanent { what, text, .. } => (
            match what {
                Refused::Login => FailureKind::Expired,
                Refused::Tls => FailureKind::Forbidden,
                Refused::Settings => FailureKind::Configuration,
                Refused::Sender | Refused::Recipient | Refused::Message => FailureKind::Refused,
            },
            text,
        ),
        SendOutcome::RetryLater { code: Some(_), text } => (FailureKind::Throttled, text),
        SendOutcome::RetryLater { code: None, text } if text.starts_with(email::OUT_OF_TIME) => {
            (FailureKind::Slow, text)
        }
        SendOutcome::RetryLater { code: None, text } => (FailureKind::Unreachable, text),
        SendOutcome::Doubtful { why } => (FailureKind::Unreachable, why),
    };
    (kind.code(), text, false)
}
