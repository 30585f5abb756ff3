//! Forwarder and mail: real OpenSSH, lettre and Python against the world's servers.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Output, Stdio};

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use linkstar::simulate::{EndpointFault, Endpoints, FaultKind, RunningWorld};

use crate::services::has;

use super::{at, world};

/// Runs OpenSSH's `sftp` with a batch of commands.
async fn sftp(to: &Endpoints, batch: &str) -> Output {
    use std::io::Write as _;
    let mut command = Command::new("sftp");
    command
        .args([
            "-b",
            "-",
            "-o",
            "BatchMode=yes",
            "-o",
            "IdentitiesOnly=yes",
            "-o",
            "StrictHostKeyChecking=yes",
        ])
        .arg("-i")
        .arg(&to.sftp_key_file)
        .arg("-o")
        .arg(format!("UserKnownHostsFile={}", to.sftp_known_hosts.display()))
        .args([
            "-P",
            &to.sftp_port.to_string(),
            &format!("{}@{}", to.sftp_user, to.sftp_host),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let batch = batch.to_owned();
    tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().expect("sftp starts");
        child
            .stdin
            .take()
            .expect("piped")
            .write_all(batch.as_bytes())
            .expect("sftp reads its batch");
        child.wait_with_output().expect("sftp ends")
    })
    .await
    .expect("the task ends")
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn openssh_puts_lists_fetches_and_cannot_overwrite_by_rename() {
    if !has("sftp", "openssh-client") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let running = world(&dir.path().join("world")).await;
    let to = running.endpoints().clone();
    let file = dir.path().join("note.bin");
    let bytes: Vec<u8> = (0..300_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    fs::write(&file, &bytes).unwrap();
    let back = dir.path().join("back.bin");
    let batch = format!(
        "put -f {} /in/a.bin.part\nrename /in/a.bin.part /in/a.bin\nls -l /in\nget /in/a.bin {}\nput {} /in/b.bin\nrm /in/b.bin\n",
        file.display(),
        back.display(),
        file.display()
    );
    let output = sftp(&to, &batch).await;
    assert!(output.status.success(), "{}", errors(&output));
    assert!(fs::read(&back).unwrap() == bytes && fs::read(to.sftp_folder.join("in/a.bin")).unwrap() == bytes);
    assert!(!to.sftp_folder.join("in/b.bin").exists());
    // `rename -l` is the plain operation of the protocol; without it OpenSSH uses posix-rename.
    let output = sftp(
        &to,
        &format!(
            "put {} /in/c.bin\nrename -l /in/c.bin /in/a.bin\n",
            file.display()
        ),
    )
    .await;
    assert!(!output.status.success() && to.sftp_folder.join("in/c.bin").exists());
    let output = sftp(&to, &format!("put {} /elsewhere.bin\n", file.display())).await;
    assert!(
        errors(&output).contains("Permission denied"),
        "{}",
        errors(&output)
    );
    let output = sftp(&to, &format!("put {} /in/../../../escape.bin\n", file.display())).await;
    assert!(!output.status.success() && !dir.path().join("escape.bin").exists());

    running.fault(EndpointFault {
        endpoint: "sftp.write".into(),
        fault: FaultKind::DiskFull { after_bytes: 100_000 },
        times: Some(1),
    });
    let output = sftp(&to, &format!("put {} /in/full.bin\n", file.display())).await;
    assert!(!output.status.success(), "{}", errors(&output));

    running.change_host_key();
    let output = sftp(&to, "ls\n").await;
    assert!(
        errors(&output).contains("REMOTE HOST IDENTIFICATION HAS CHANGED"),
        "{}",
        errors(&output)
    );
    running.stop().await;
}

fn instructions(order: &str, place: &str, mode: u8, lines: &[(&str, i64)]) -> String {
    let goods: String = lines
        .iter()
        .map(|(sku, units)| {
            format!(
                "<cac:GoodsItem><cbc:ID>1</cbc:ID><cbc:Quantity unitCode=\"C62\">{units}</cbc:Quantity><cac:Item>\
                 <cac:SellersItemIdentification><cbc:ID>{sku}</cbc:ID></cac:SellersItemIdentification></cac:Item>\
                 </cac:GoodsItem>"
            )
        })
        .collect();
    format!(
        "<ForwardingInstructions xmlns=\"urn:oasis:names:specification:ubl:schema:xsd:ForwardingInstructions-2\" \
         xmlns:cac=\"urn:cac\" xmlns:cbc=\"urn:cbc\"><cbc:ID>{order}</cbc:ID><cac:Shipment><cbc:ID>{order}</cbc:ID>{goods}\
         <cac:ShipmentStage><cbc:TransportModeCode>{mode}</cbc:TransportModeCode></cac:ShipmentStage>\
         <cac:Delivery><cac:DeliveryLocation><cbc:ID>{place}</cbc:ID></cac:DeliveryLocation></cac:Delivery>\
         </cac:Shipment></ForwardingInstructions>"
    )
}

fn drop_in(running: &RunningWorld, name: &str, text: &str) {
    fs::write(running.endpoints().sftp_folder.join("in").join(name), text).expect("dropped");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instruction_becomes_an_inbound_and_its_receipts_reconcile_to_the_truth() {
    let dir = tempfile::tempdir().unwrap();
    let running = world(dir.path()).await;
    let lines = [("BAG-22386", 240), ("CHK-21918", 120)];
    drop_in(
        &running,
        "SO-A.xml",
        &instructions("SO-A", "amazon:GB", 4, &lines),
    );
    drop_in(
        &running,
        "SO-G.xml",
        &instructions("SO-G", "goodcang:UKMA", 4, &lines),
    );
    drop_in(
        &running,
        "SO-G-packing.xml",
        "<PackingList><ID>SO-G</ID></PackingList>",
    );
    drop_in(
        &running,
        "SO-X.xml",
        &instructions("SO-X", "goodcang:UKMA", 4, &[("NOT-OURS", 5)]),
    );
    drop_in(&running, "SO-H.xml.part", "<ForwardingInstr");
    let advance = running.advance_to(at("2026-05-12T18:00:00Z")).unwrap();
    assert_eq!(advance.forwarder.booked, ["SO-A", "SO-G"]);
    assert_eq!(
        advance.forwarder.rejected,
        [("SO-X.xml".into(), "order `SO-X`: unknown goods `NOT-OURS`".into())]
    );
    let out = running.endpoints().sftp_folder.join("out");
    assert!(out.join("rejected-SO-X.xml.txt").exists());
    let mut reports = Vec::new();
    for day in 13..=31 {
        let advance = running
            .advance_to(at(&format!("2026-05-{day}T18:00:00Z")))
            .unwrap();
        reports.extend(advance.forwarder.reports);
    }
    for day in 1..=28 {
        reports.extend(
            running
                .advance_to(at(&format!("2026-06-{day:02}T18:00:00Z")))
                .unwrap()
                .forwarder
                .reports,
        );
    }
    let confirmed = fs::read_to_string(out.join("confirmed-SO-G.json")).expect("confirmed when collected");
    let confirmed: serde_json::Value = serde_json::from_str(&confirmed).unwrap();
    assert_eq!(
        (&confirmed["order"], &confirmed["units"]),
        (&"SO-G".into(), &360.into())
    );
    let ends = |end: &str| reports.iter().any(|name| name.ends_with(end));
    assert!(ends(".csv") && ends(".xlsx"), "{reports:?}");
    let truth = running.truth();
    assert!(truth.shipment("SO-A").unwrap().closed);
    let mut sums: BTreeMap<(String, String, String), i64> = BTreeMap::new();
    for name in reports.iter().filter(|name| name.starts_with("receipt-")) {
        for row in table(&out.join(name)) {
            assert!(row[1].starts_with(&format!("{}U000", row[0])), "{row:?}");
            assert!(at(&row[5]) <= at("2026-06-28T18:00:00Z"));
            let key = (row[0].clone(), row[2].clone(), row[3].clone());
            *sums.entry(key).or_default() += row[4].parse::<i64>().unwrap();
        }
    }
    // Ours and those that were under way when the world began: reported exactly, nothing twice.
    let opening = running.opening_files().open_orders;
    let told = truth.shipments.iter().filter(|shipment| {
        shipment.warehouse.code() == "amazon:GB"
            && (shipment.order == "SO-A" || opening.contains(&shipment.order))
    });
    let mut compared = 0;
    for (shipment, line) in told.flat_map(|shipment| shipment.lines.iter().map(move |line| (shipment, line)))
    {
        let sum = |kind: &str| {
            sums.get(&(shipment.order.clone(), line.sku.clone(), kind.to_owned()))
                .copied()
                .unwrap_or(0)
        };
        assert_eq!(sum("received"), line.reported_received, "{shipment:?}");
        assert_eq!((sum("put_away"), sum("damaged")), (line.put_away, line.damaged));
        compared += i64::from(line.reported_received > 0);
    }
    assert!(compared > 10, "{compared}");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_control_interface_moves_shows_and_explains_the_world() {
    let dir = tempfile::tempdir().unwrap();
    let running = world(dir.path()).await;
    let (client, control) = (reqwest::Client::new(), running.endpoints().control_url.clone());
    let body = serde_json::json!({ "to": "2026-05-14T18:00:00Z" });
    let moved = client
        .post(format!("{control}/advance"))
        .json(&body)
        .send()
        .await
        .unwrap();
    let moved: serde_json::Value = moved.json().await.unwrap();
    assert_eq!(moved["now"], "2026-05-14T18:00:00Z");
    assert_eq!(running.now(), at("2026-05-14T18:00:00Z"));
    let truth: serde_json::Value = client
        .get(format!("{control}/truth"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(truth, serde_json::to_value(running.truth()).unwrap());
    let inbox: serde_json::Value = client
        .get(format!("{control}/inbox"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(inbox, serde_json::json!([]));
    let wrong = serde_json::json!({ "endpoint": "goodcang.*", "fault": { "kind": "explode" } });
    let refused = client
        .post(format!("{control}/fault"))
        .json(&wrong)
        .send()
        .await
        .unwrap();
    assert!(refused.status().is_client_error());
    for file in [
        "catalog/items.csv",
        "catalog/lanes.csv",
        "opening/past_shipments.csv",
        "world.json",
    ] {
        assert!(dir.path().join(file).exists(), "{file}");
    }
    running.stop().await;
    assert!(
        client.get(format!("{control}/truth")).send().await.is_err(),
        "the port is free again"
    );
}

/// Rows of a receipt report below its header, cells as text.
fn table(path: &std::path::Path) -> Vec<Vec<String>> {
    use calamine::{DataType as _, Reader as _};
    if path.extension().is_some_and(|end| end == "csv") {
        let mut reader = csv::Reader::from_path(path).expect("a CSV report");
        let rows = reader
            .records()
            .map(|row| row.expect("a row").iter().map(str::to_owned).collect());
        return rows.collect();
    }
    let mut book: calamine::Xlsx<_> = calamine::open_workbook(path).expect("an XLSX report");
    let sheet = book.worksheet_range("receipts").expect("the sheet");
    let text = |cell: &calamine::Data| cell.as_i64().map_or_else(|| cell.to_string(), |n| n.to_string());
    sheet
        .rows()
        .skip(1)
        .map(|row| row.iter().map(text).collect())
        .collect()
}

fn mailer(to: &Endpoints, password: &str, trusted: bool) -> AsyncSmtpTransport<Tokio1Executor> {
    let mut tls = TlsParameters::builder(to.smtp_host.clone());
    if trusted {
        let ca = fs::read(&to.smtp_ca_file).expect("the CA file");
        tls = tls.add_root_certificate(Certificate::from_pem(&ca).expect("a CA"));
    }
    AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&to.smtp_host)
        .port(to.smtp_port)
        .tls(Tls::Required(tls.build().expect("TLS settings")))
        .credentials(Credentials::new(to.smtp_user.clone(), password.to_owned()))
        .build()
}

#[tokio::test(flavor = "multi_thread")]
async fn lettre_sends_over_starttls_and_the_inbox_keeps_the_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let running = world(dir.path()).await;
    let to = running.endpoints().clone();
    let mail = Message::builder()
        .from("LinkStar <plan@lanting.example>".parse::<Mailbox>().unwrap())
        .to("lin@lanting.example".parse().unwrap())
        .subject("补货建议")
        .multipart(MultiPart::alternative_plain_html(
            "第一行\r\n.以点开头\r\n".to_owned(),
            "<p>第一行</p>".to_owned(),
        ))
        .unwrap();
    let answer = mailer(&to, &to.smtp_password, true)
        .send(mail.clone())
        .await
        .unwrap();
    assert!(answer.is_positive());
    let inbox = running.inbox();
    assert_eq!(
        (inbox.len(), inbox[0].to.as_slice()),
        (1, ["lin@lanting.example".to_owned()].as_slice())
    );
    let stored = fs::read(&inbox[0].file).unwrap();
    let sent = mail.formatted();
    assert!(
        stored == sent || stored == [sent.as_slice(), b"\r\n"].concat(),
        "stored as sent"
    );

    let refused = mailer(&to, "wrong", true).send(mail.clone()).await.unwrap_err();
    assert!(refused.is_permanent(), "{refused}");
    assert!(
        mailer(&to, &to.smtp_password, false)
            .send(mail.clone())
            .await
            .is_err(),
        "an unknown CA is refused"
    );
    running.fault(EndpointFault {
        endpoint: "smtp.rcpt".into(),
        fault: FaultKind::Unavailable,
        times: Some(1),
    });
    let later = mailer(&to, &to.smtp_password, true).send(mail).await.unwrap_err();
    assert!(later.is_transient(), "{later}");
    assert_eq!(running.inbox().len(), 1);
}

const PYTHON: &str = r#"
import smtplib, ssl, sys
host, port, user, password, ca = sys.argv[1:]
s = smtplib.SMTP(host, int(port), timeout=20)
s.ehlo()
try:
    s.docmd("AUTH", "PLAIN AGEAYg==")[0] == 530 or sys.exit("AUTH before TLS was not refused")
    s.starttls(context=ssl.create_default_context(cafile=ca))
    s.ehlo()
    assert s.has_extn("auth") and not s.has_extn("starttls") and s.has_extn("size")
    try:
        s.login(user, "wrong")
        sys.exit("wrong password was accepted")
    except smtplib.SMTPAuthenticationError as error:
        assert error.smtp_code == 535, error
    s.login(user, password)
    refused = s.sendmail("a@b.example", ["c@d.example", "e@f.example"], "Subject: x\r\n\r\n..two dots\r\n.one\r\n")
    assert not refused
finally:
    s.close()
"#;

#[tokio::test(flavor = "multi_thread")]
async fn pythons_smtplib_is_served_and_refused_by_the_book() {
    if !has("python3", "python3") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let running = world(dir.path()).await;
    let to = running.endpoints().clone();
    let mut command = Command::new("python3");
    command.args([
        "-c",
        PYTHON,
        &to.smtp_host,
        &to.smtp_port.to_string(),
        &to.smtp_user,
        &to.smtp_password,
    ]);
    command.arg(&to.smtp_ca_file);
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap();
    assert!(output.status.success(), "{}", errors(&output));
    let inbox = running.inbox();
    assert_eq!((inbox.len(), inbox[0].to.len()), (1, 2));
    assert_eq!(
        fs::read_to_string(&inbox[0].file).unwrap(),
        "Subject: x\r\n\r\n..two dots\r\n.one\r\n"
    );
}
