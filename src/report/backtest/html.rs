//! The page: no script, no font, no picture from elsewhere.

use std::fmt::Write as _;

use super::svg::escape;
use super::{amount, conclusions, fill, head, notes, percent};
use crate::backtest::{Figures, Range, Report};
use crate::wording::Lang;

const STYLE: &str = "body{font:15px/1.55 system-ui,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif;color:#1c2430;background:#fff;max-width:1280px;margin:2rem auto;padding:0 1rem}h1{font-size:1.5rem;margin:0 0 .3rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}p.about{color:#5b6675;margin:.2rem 0 .6rem}table{border-collapse:collapse;width:100%;font-size:13px}th,td{padding:.35rem .6rem;border-bottom:1px solid #dfe4ea;text-align:right;white-space:nowrap}th:first-child,td:first-child{text-align:left}th{color:#5b6675;font-weight:600}tr.group td{background:#f3f5f8;font-weight:600;text-align:left}td small{color:#7a8594}ul{padding-left:1.2rem}svg{max-width:100%;height:auto}div.wide{overflow-x:auto}@media print{body{margin:0}}";

pub(super) fn render(report: &Report, charts: &[(&str, String)], lang: Lang) -> String {
    let mut page = String::new();
    let title = fill(lang, "title", &[]);
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n<p class=\"about\">{}</p>\n",
        lang.code(),
        escape(&head(report, lang))
    );
    let said = conclusions(report, lang);
    if !said.is_empty() {
        list(&mut page, &fill(lang, "table.conclusions", &[]), &said);
    }
    for (name, svg) in charts {
        let _ = write!(
            page,
            "<h2>{}</h2>\n<p class=\"about\">{}</p>\n{svg}\n",
            fill(lang, &format!("chart.{name}"), &[]),
            fill(lang, &format!("chart.{name}.about"), &[]),
        );
    }
    tables(&mut page, report, lang);
    list(&mut page, &fill(lang, "table.notes", &[]), &notes(report, lang));
    let _ = write!(
        page,
        "<p class=\"about\">{}</p>\n</body></html>\n",
        escape(&report.engine)
    );
    page
}

fn list(page: &mut String, title: &str, lines: &[String]) {
    let _ = write!(page, "<h2>{title}</h2>\n<ul>\n");
    for line in lines {
        let _ = writeln!(page, "<li>{}</li>", escape(line));
    }
    page.push_str("</ul>\n");
}

fn tables(page: &mut String, report: &Report, lang: Lang) {
    table(page, &fill(lang, "table.all", &[]), lang, |page| {
        for policy in &report.policies {
            row(page, &policy.policy, &policy.all);
        }
        if let Some(happened) = &report.happened {
            row(page, &fill(lang, "happened", &[]), happened);
        }
    });
    table(page, &fill(lang, "table.classes", &[]), lang, |page| {
        let classes = report.policies.first().map_or(0, |policy| policy.classes.len());
        for place in 0..classes {
            for (index, policy) in report.policies.iter().enumerate() {
                let Some((class, figures)) = policy.classes.get(place) else {
                    continue;
                };
                if index == 0 {
                    let name = fill(lang, &format!("class.{}", class.code()), &[]);
                    group(page, &format!("{name} · {} SKU", figures.items));
                }
                row(page, &policy.policy, figures);
            }
        }
    });
    table(page, &fill(lang, "table.quarters", &[]), lang, |page| {
        for (place, quarter) in report.quarters.iter().enumerate() {
            group(page, &format!("{} – {}", quarter.from, quarter.until));
            for policy in &report.policies {
                if let Some(figures) = policy.quarters.get(place) {
                    row(page, &policy.policy, figures);
                }
            }
        }
    });
}

fn table(page: &mut String, title: &str, lang: Lang, rows: impl FnOnce(&mut String)) {
    let _ = write!(page, "<h2>{title}</h2>\n<div class=\"wide\"><table><thead><tr>");
    for column in fill(lang, "table.columns", &[]).split('|') {
        let _ = write!(page, "<th>{column}</th>");
    }
    page.push_str("</tr></thead><tbody>\n");
    rows(page);
    page.push_str("</tbody></table></div>\n");
}

fn group(page: &mut String, name: &str) {
    let _ = writeln!(
        page,
        "<tr class=\"group\"><td colspan=\"9\">{}</td></tr>",
        escape(name)
    );
}

fn row(page: &mut String, name: &str, figures: &Figures) {
    let plain = |range: Option<Range>, places: usize| {
        range.map_or_else(|| "n/a".to_owned(), |range| amount(range, places))
    };
    let median = figures
        .stock_days_median
        .map_or_else(|| "n/a".to_owned(), |days| format!("{days:.1}"));
    let cells = [
        percent(figures.coverage),
        percent(figures.fill),
        percent(figures.out_of_stock),
        plain(figures.stock_days, 1),
        median,
        plain(figures.capital, 0),
        plain(figures.storage_fees, 0),
        plain(figures.freight, 0),
    ];
    let _ = write!(page, "<tr><td>{}</td>", escape(name));
    for cell in cells {
        // The interval smaller, below nothing: it belongs to its figure.
        let shown = match cell.split_once(" [") {
            Some((value, interval)) => format!("{value} <small>[{interval}</small>"),
            None => cell,
        };
        let _ = write!(page, "<td>{shown}</td>");
    }
    page.push_str("</tr>\n");
}
