//! What the mail says, in both languages and on the days when little is known.

use std::path::{Path, PathBuf};

use linkstar::planner::{AlertLevel, DataState, Reason};
use linkstar::report::{MAX_HTML_BYTES, MailContent, render_mail};
use linkstar::transport::email::build_message;
use linkstar::wording::Lang;

use super::fixture::{self, LANGS};

/// Where a person can open what the tests made: `target/tmp/mail`.
pub fn keep(name: &str, mail: &MailContent) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mail");
    std::fs::create_dir_all(&folder).expect("a folder below target");
    let id = format!("<{name}@linkstar>");
    let message =
        build_message(mail, "bot@example.com", "li@example.com", &id, fixture::now()).expect("a message");
    std::fs::write(folder.join(format!("{name}.eml")), message).expect("written");
    let book = folder.join(format!("{name}.xlsx"));
    std::fs::write(&book, &mail.attachments[0].bytes).expect("written");
    book
}

fn full(lang: Lang) -> MailContent {
    let (plan, diff) = (fixture::full_plan(), fixture::full_diff());
    render_mail(&fixture::full_report(lang, &plan, &diff)).expect("a mail")
}

#[test]
fn r75_html_and_text_in_both_languages() {
    for lang in LANGS {
        let mail = full(lang);
        keep(&format!("full-{}", lang.code()), &mail);
        insta::assert_snapshot!(format!("html_{}", lang.code()), mail.html);
        insta::assert_snapshot!(
            format!("text_{}", lang.code()),
            format!("Subject: {}\n\n{}", mail.subject, mail.text)
        );
        // The catalogue shows a key it does not have in brackets.
        assert!(!mail.html.contains("[mail."), "{}", mail.html);
    }
}

#[test]
fn r75_the_subject_decides_without_opening() {
    assert_eq!(
        full(Lang::Zh).subject,
        "[补货日报] 2026-11-22 · 红3 黄3 · 需下单 ≥ ¥86k · 数据: 1源过期"
    );
    let plan = fixture::full_plan();
    let mut mine = fixture::report(Lang::En, &plan, None);
    mine.owner = Some(fixture::owner("Li", &["22423"]));
    let mail = render_mail(&mine).expect("a mail");
    assert_eq!(
        mail.subject,
        "[Restock·Li] 2026-11-22 · red 1 amber 0 · order ¥11.2k · data: 1 stale"
    );
    assert!(
        mail.text.contains("22423") && !mail.text.contains("85123A"),
        "{}",
        mail.text
    );
}

#[test]
fn r75_a_day_with_every_source_stale_says_so_at_the_top_and_totals_nothing() {
    let mut plan = fixture::full_plan();
    for source in &mut plan.sources {
        source.state = DataState::Stale;
    }
    for line in &mut plan.lines {
        line.data = DataState::Stale;
        line.reasons = vec![Reason::StockStale];
    }
    for lang in LANGS {
        let mail = render_mail(&fixture::report(lang, &plan, None)).expect("a mail");
        keep(&format!("stale-{}", lang.code()), &mail);
        insta::assert_snapshot!(
            format!("text_stale_{}", lang.code()),
            format!("Subject: {}\n\n{}", mail.subject, mail.text)
        );
    }
    let mail = render_mail(&fixture::report(Lang::Zh, &plan, None)).expect("a mail");
    assert_eq!(
        mail.subject,
        "[补货日报] 2026-11-22 · 红? 黄? · 需下单 ? · 数据: 2源过期"
    );
}

#[test]
fn r75_a_day_without_any_data_still_goes_and_says_so() {
    let mut plan = fixture::plan(
        Vec::new(),
        vec![
            fixture::source("amazon-uk", "orders", DataState::Missing, 0, None),
            fixture::source("goodcang-uk", "inventory", DataState::Missing, 0, None),
        ],
    );
    plan.funnel = linkstar::planner::Funnel::default();
    for lang in LANGS {
        let mail = render_mail(&fixture::report(lang, &plan, None)).expect("a mail");
        keep(&format!("empty-{}", lang.code()), &mail);
        insta::assert_snapshot!(
            format!("text_empty_{}", lang.code()),
            format!("Subject: {}\n\n{}", mail.subject, mail.text)
        );
        assert!(mail.inline.is_empty());
    }
    // Not even a source: the mail is still a mail.
    let nothing = fixture::plan(Vec::new(), Vec::new());
    let mail = render_mail(&fixture::report(Lang::En, &nothing, None)).expect("a mail");
    assert_eq!(
        mail.subject,
        "[Restock] 2026-11-22 · no usable data today · data: no source"
    );
}

#[test]
fn unknown_stock_is_shown_as_unknown_and_never_as_zero() {
    let plan = fixture::full_plan();
    let mail = render_mail(&fixture::report(Lang::En, &plan, None)).expect("a mail");
    let block = mail.text.split("23166").nth(1).expect("the line is in the mail");
    let block = block.split("\n\n").next().expect("a block");
    assert!(
        block.contains("On hand ?") && block.contains("Suggestion: unknown"),
        "{block}"
    );
}

#[test]
fn what_comes_from_outside_is_text_and_nothing_else() {
    let mut line = fixture::line(
        "=cmd|' /C calc'!A0",
        ("<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>"),
        Some(AlertLevel::Critical),
        5,
        10,
    );
    line.inbound[0].reference = "<b>".to_owned();
    let mut source = fixture::source("amazon-uk", "orders", DataState::Stale, 5, Some(1));
    source.problem = Some("<script src=//evil.example/x.js></script>\r\nX: y".to_owned());
    let plan = fixture::plan(vec![line], vec![source]);
    for lang in LANGS {
        let mut report = fixture::report(lang, &plan, None);
        report.account = "<style>*{display:none}</style>";
        let mail = render_mail(&report).expect("a mail");
        let lower = mail.html.to_lowercase();
        for bad in ["<script", "<img src=x", "\"><img", "<style>*", "http:", "https:"] {
            assert!(!lower.contains(bad), "{bad} in {}", mail.html);
        }
        assert!(!mail.text.contains('\r') && !mail.text.lines().any(|line| line.starts_with("X: y")));
        let book = super::workbook::dump(&mail.attachments[0].bytes);
        assert!(book.contains("=cmd|' /C calc'!A0"), "{book}");
        let sheet = super::workbook::part(&mail.attachments[0].bytes, "xl/worksheets/sheet1.xml");
        assert!(!sheet.contains("<f>"), "a formula in the cells");
    }
}

#[test]
fn a_thousand_lines_keep_the_body_small_and_the_workbook_whole() {
    let lines: Vec<_> = (0..1000)
        .map(|n| {
            let name = "很长的名称<&>".repeat(30);
            fixture::line(
                &format!("SKU-{n:05}"),
                (&name, &name),
                Some(AlertLevel::Critical),
                7,
                40,
            )
        })
        .collect();
    let plan = fixture::plan(
        lines,
        vec![fixture::source("a", "b", DataState::Complete, 1, Some(1))],
    );
    let mail = render_mail(&fixture::report(Lang::Zh, &plan, None)).expect("a mail");
    assert!(mail.html.len() <= MAX_HTML_BYTES, "{} bytes", mail.html.len());
    assert!(mail.html.ends_with("</html>"));
    assert!(mail.text.contains("还有 970 行"), "{}", mail.text.len());
    assert_eq!(mail.inline.len(), 12);
}

#[test]
fn the_same_report_is_the_same_bytes() {
    let (first, second) = (full(Lang::Zh), full(Lang::Zh));
    assert_eq!(first, second);
}

#[test]
fn every_picture_of_the_body_is_there_and_is_a_png_of_twice_the_size() {
    let mail = full(Lang::En);
    assert_eq!(mail.inline.len(), 3);
    for image in &mail.inline {
        assert!(mail.html.contains(&format!("cid:{}", image.cid)));
        assert_eq!(image.png.get(..8), Some(&b"\x89PNG\r\n\x1a\n"[..]));
        assert_eq!(
            image.png.get(16..24),
            Some(&[0, 0, 4, 96, 0, 0, 0, 168][..]),
            "1120 × 168"
        );
        assert!(!image.alt.is_empty());
    }
    assert_eq!(mail.html.matches("cid:").count(), 3);
}
