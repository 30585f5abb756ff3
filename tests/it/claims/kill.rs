//! A process that dies at a commit leaves a step done or not done, never half (R70).

use serde_json::Value;

use super::stage::Stage;

const CASE: &str = "LS-20261122-001-L";

fn killed(stage: &Stage, boundary: u64, args: &[&str]) {
    let mut command = stage.command(args);
    command.env("LINKSTAR_ABORT_AT_COMMIT", boundary.to_string());
    let ran = crate::night::shop::run(&mut command);
    assert_eq!(ran.code, None, "boundary {boundary} was not reached: {ran:#?}");
}

fn claims(stage: &Stage) -> Vec<Value> {
    let ran = stage.linkstar(&["claim", "list", "--json"]);
    let listed: Value = serde_json::from_str(&ran.out).expect("JSON");
    listed["claims"].as_array().expect("claims").clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r70_a_step_that_is_killed_at_its_commit_is_done_or_not_and_can_be_done_again() {
    let stage = Stage::new(None).await;
    let opened = stage.open("2026-10-16").await;
    opened.reconciled(&[stage.carton(0)], "2026-10-16").await;
    opened.store.close().await;
    let at = "2026-10-21T09:00:00Z";
    let draft = [
        "claim",
        "draft",
        CASE,
        "--against",
        "carrier",
        "--by",
        "wang",
        "--at",
        at,
    ];
    killed(&stage, 1, &draft);
    assert!(claims(&stage).is_empty(), "before the commit nothing is there");
    killed(&stage, 2, &draft);
    assert_eq!(claims(&stage).len(), 1, "behind it, all of it is");
    let again = stage.linkstar(&draft);
    assert_eq!(again.code, Some(2), "{again:#?}");
    assert_eq!(claims(&stage).len(), 1);

    let number = claims(&stage)[0]["number"].as_str().expect("a number").to_owned();
    let pod = stage.file("pod.pdf", "x");
    let evidence = [
        "case",
        "evidence",
        "add",
        CASE,
        &pod,
        "--paper",
        "delivery_proof",
        "--at",
        "2026-10-12T10:00+01:00",
        "--by",
        "wang",
    ];
    killed(&stage, 1, &evidence);
    killed(&stage, 2, &evidence);
    let twice = stage.linkstar(&evidence);
    assert_eq!(twice.code, Some(2), "it is there once: {twice:#?}");

    let submit = [
        "claim", "submit", &number, "--ticket", "T", "--by", "wang", "--at", at,
    ];
    killed(&stage, 1, &submit);
    assert_eq!(claims(&stage)[0]["state"], "draft");
    assert_eq!(stage.linkstar(&submit).code, Some(0));
    let pay = [
        "claim",
        "pay",
        &number,
        "10GBP",
        "--reference",
        "B-1",
        "--on",
        "2026-11-01",
        "--by",
        "wang",
    ];
    killed(&stage, 1, &pay);
    killed(&stage, 2, &pay);
    // Who does not know whether it was noted notes it again.
    assert_eq!(stage.linkstar(&pay).code, Some(0));
    let claim = claims(&stage).remove(0);
    assert_eq!(claim["payments"].as_array().map(Vec::len), Some(1), "{claim}");
    let to = stage.path("dossier.zip").display().to_string();
    let dossier = [
        "claim", "dossier", &number, "--to", &to, "--by", "wang", "--at", at,
    ];
    killed(&stage, 1, &dossier);
    let before = std::fs::read(stage.path("dossier.zip")).expect("written before its commit");
    assert_eq!(stage.linkstar(&dossier).code, Some(0));
    assert_eq!(before, std::fs::read(stage.path("dossier.zip")).expect("written"));
}
