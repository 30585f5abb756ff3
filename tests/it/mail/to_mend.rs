//! What keeps orders from going: a section of the mail, and the problem list (问题清单) as a sheet.

use linkstar::order::gate::{Finding, Gate, Level};
use linkstar::problem::Problem;
use linkstar::report::{ToMend, problem_list, render_mail};
use linkstar::wording::Lang;

use super::documents::keep;
use super::fixture::{self, LANGS};

fn rows(count: usize) -> Vec<ToMend> {
    let kinds = [
        (
            Gate::Admission,
            Level::Block,
            "importer DE",
            "registrations.packaging_epr",
            "",
            (
                "包装 EPR 注册号：缺号时德国平台与海关都不放行，请在进口商资料中补上",
                "a packaging registration: neither the marketplace nor customs lets the goods pass without it",
            ),
        ),
        (
            Gate::Value,
            Level::Hold,
            "line 2",
            "declared_value",
            "0.40 GBP",
            (
                "至少 1.08 GBP（成本的一半）",
                "at least 1.08 GBP, half of what it cost",
            ),
        ),
        (
            Gate::Goods,
            Level::Warn,
            "items.csv, line 214",
            "battery",
            "",
            (
                "是或否：品名像带电产品",
                "yes or no: the name sounds like a battery",
            ),
        ),
    ];
    (0..count)
        .map(|no| {
            let (gate, level, place, field, found, (zh, en)) = kinds[no % kinds.len()];
            let file = format!("order BH261122-{:02}", no / 3 + 1);
            ToMend {
                about: format!("BH261122-{:02}", no / 3 + 1),
                sku: None,
                since: Some(fixture::today()),
                finding: Finding {
                    gate,
                    level,
                    problem: Problem::new(file, place, field, found, en),
                    wanted_zh: zh.to_owned(),
                },
            }
        })
        .collect()
}

#[test]
fn r26_what_is_in_the_way_stands_in_the_mail_and_in_the_sheet_with_the_field_to_mend() {
    let plan = fixture::full_plan();
    for lang in LANGS {
        for count in [1, 5, 60] {
            let mut report = fixture::report(lang, &plan, None);
            report.to_mend = rows(count);
            let mail = render_mail(&report).unwrap();
            let name = format!("to-mend-{count}-{}", lang.code());
            let book = keep(&name, &mail);
            std::fs::write(book.with_extension("html"), &mail.html).unwrap();
            let wanted = match lang {
                Lang::Zh => "包装 EPR 注册号",
                Lang::En => "a packaging registration",
            };
            for text in [&mail.html, &mail.text] {
                assert!(text.contains(wanted), "{text}");
                assert!(text.contains("registrations.packaging_epr"), "{text}");
            }
            let sheet = problem_list(lang, &report.to_mend).unwrap();
            std::fs::write(book.with_file_name(format!("{name}-list.xlsx")), &sheet).unwrap();
            let file = book.with_file_name(format!("{name}-list.xlsx"));
            let Some(cells) = crate::documents::judge::openpyxl(&file, false) else {
                continue;
            };
            let fields = cells.keys().filter(|at| at.contains("!D")).count();
            let whole = count.div_ceil(3);
            assert_eq!(fields, count + 1, "a title and a field for each");
            assert!(cells.values().filter(|text| text.contains(wanted)).count() == whole);
        }
    }
}
