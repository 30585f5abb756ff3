//! What the mail and the workbook say of the chain behind a line.

use chrono::Days;
use linkstar::money::{Currency, Money};
use linkstar::order::Mode;
use linkstar::planner::{
    AlertLevel, DataState, DeadlineMode, DeadlineView, Explain, MissingYear, ModePart, PlanLine, Reason,
    SupplyLine, Transfer,
};
use linkstar::report::render_mail;

use super::documents::keep;
use super::fixture::{LANGS, line, plan, report, source, today, warehouse};
use super::workbook::dump;

fn part(mode: Mode, units: i64, days: u64) -> ModePart {
    ModePart {
        mode,
        forwarder: None,
        units,
        cartons: Some(units / 20),
        eta: today() + Days::new(days),
        eta_late: today() + Days::new(days + 5),
        freight: None,
    }
}

fn lines() -> Vec<PlanLine> {
    let mut split = line(
        "LAMP-01",
        ("台灯", "Desk lamp"),
        Some(AlertLevel::Critical),
        12,
        300,
    );
    split.suggested_units = Some(560);
    split.suggested_cartons = Some(28);
    split.reasons = vec![
        Reason::TooLate,
        Reason::CertainShortage,
        Reason::ModeSplit,
        Reason::CalendarStops,
    ];
    split.explain.terms.push(Explain::days("calendar_days", 22));
    split.supply = Some(Box::new(SupplyLine {
        parts: vec![part(Mode::Air, 240, 10), part(Mode::Sea, 320, 67)],
        ..SupplyLine::default()
    }));
    let mut moved = line("MUG-02", ("马克杯", "Mug"), Some(AlertLevel::Critical), 10, 50);
    moved.suggested_units = Some(0);
    moved.suggested_cartons = Some(0);
    moved.need_units = Some(0);
    moved.reasons = vec![Reason::TransferFirst, Reason::OrderedUpstream];
    moved.supply = Some(Box::new(SupplyLine {
        transfers_in: vec![Transfer {
            from: warehouse("goodcang:UKMA"),
            to: warehouse("amazon:GB"),
            units: 120,
            cartons: Some(12),
            eta: today() + Days::new(4),
            cost: Some(Money::new(240.into(), Currency::GBP)),
        }],
        ..SupplyLine::default()
    }));
    let mut event = line(
        "BAG-07",
        ("午餐包", "Lunch bag"),
        Some(AlertLevel::Warning),
        4,
        200,
    );
    event.mode = Some(Mode::Air);
    event.reasons = vec![Reason::Due, Reason::DeadlineFaster];
    event.supply = Some(Box::new(SupplyLine {
        deadline: Some(DeadlineView {
            name: "Prime Day".to_owned(),
            date: today() + Days::new(30),
            modes: vec![DeadlineMode {
                mode: Mode::Air,
                order_by: today() + Days::new(5),
                ship_by: today() + Days::new(12),
                in_time: true,
            }],
        }),
        ..SupplyLine::default()
    }));
    let mut ends = line(
        "BOX-09",
        ("收纳盒", "Storage box"),
        Some(AlertLevel::Warning),
        6,
        300,
    );
    ends.data = DataState::Incomplete;
    ends.reasons = vec![Reason::Due, Reason::CalendarMissing];
    ends.supply = Some(Box::new(SupplyLine {
        calendar_missing: Some(MissingYear {
            calendar: "cn".to_owned(),
            year: 2028,
        }),
        ..SupplyLine::default()
    }));
    vec![split, moved, event, ends]
}

#[test]
fn r37_r19_r16_the_mail_shows_parts_transfers_deadlines_and_calendars_in_both_languages() {
    let sources = vec![source("amazon-uk", "orders", DataState::Complete, 2, Some(400))];
    let plan = plan(lines(), sources);
    for lang in LANGS {
        let mail = render_mail(&report(lang, &plan, None)).expect("a mail");
        let book = keep(&format!("chain_{}", lang.code()), &mail);
        std::fs::write(book.with_extension("html"), &mail.html).expect("written");
        insta::assert_snapshot!(format!("chain_text_{}", lang.code()), mail.text);
        let book = mail
            .attachments
            .iter()
            .find(|attachment| attachment.name.ends_with(".xlsx"));
        let text = dump(&book.expect("a workbook").bytes);
        let modes = match lang {
            linkstar::wording::Lang::Zh => "空运 240 + 海运 320",
            linkstar::wording::Lang::En => "air 240 + sea 320",
        };
        assert!(text.to_lowercase().contains(modes), "{text}");
    }
}
