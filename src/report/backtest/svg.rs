//! Charts of a backtest. Words are text, so that a reader can search and a screen reader can read them.

use std::fmt::Write as _;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::fill;
use crate::backtest::{Range, Report};
use crate::wording::Lang;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 380.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 560.0;
const TOP: f64 = 20.0;
const BASE: f64 = 320.0;
/// Told apart by people who see few colours, too, and by the order of the legend.
const INKS: [&str; 8] = [
    "#0b6bcb", "#d9480f", "#2b8a3e", "#7048a8", "#b08800", "#c2255c", "#0c8599", "#495057",
];

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn ink(place: usize) -> &'static str {
    INKS.get(place % INKS.len()).copied().unwrap_or("#000")
}

fn number(value: Decimal) -> f64 {
    value.to_f64().unwrap_or(0.0)
}

fn edges(range: Range) -> (f64, f64, f64) {
    let value = number(range.value);
    (
        value,
        range.low.map_or(value, number),
        range.high.map_or(value, number),
    )
}

/// A panel with a vertical axis of shares.
struct Chart {
    out: String,
    low: f64,
    high: f64,
}

impl Chart {
    fn new(title: &str, values: impl Iterator<Item = f64>) -> Self {
        let least = values.fold(1.0_f64, f64::min);
        let low = ((least - 0.01).max(0.0) * 20.0).floor() / 20.0;
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\" font-family=\"system-ui,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif\" font-size=\"12\"><title>{}</title>\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n",
            escape(title)
        );
        let step = if 1.0 - low > 0.5 {
            0.1
        } else if 1.0 - low > 0.2 {
            0.05
        } else {
            0.02
        };
        let high = 1.0;
        let mut chart = Self {
            out: String::new(),
            low,
            high,
        };
        let mut tick = (low / step).ceil() * step;
        while tick <= high + 1e-9 {
            let y = chart.y(tick);
            let _ = writeln!(
                out,
                "<path d=\"M{LEFT} {y:.1}H{RIGHT}\" stroke=\"#e3e7ec\"/><text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#5b6675\">{:.0} %</text>",
                LEFT - 8.0,
                y + 4.0,
                tick * 100.0
            );
            tick += step;
        }
        chart.out = out;
        chart
    }

    fn y(&self, share: f64) -> f64 {
        BASE - (share - self.low) / (self.high - self.low).max(1e-9) * (BASE - TOP)
    }

    fn target(&mut self, permille: u16) {
        let y = self.y(f64::from(permille) / 1000.0);
        let _ = writeln!(
            self.out,
            "<path d=\"M{LEFT} {y:.1}H{RIGHT}\" stroke=\"#1c2430\" stroke-dasharray=\"5 4\"/>"
        );
    }

    /// A dot with its interval.
    fn dot(&mut self, x: f64, range: Range, ink: &str) {
        let (value, low, high) = edges(range);
        let (y, bottom, top) = (self.y(value), self.y(low), self.y(high));
        let _ = writeln!(
            self.out,
            "<path d=\"M{x:.1} {bottom:.1}V{top:.1}\" stroke=\"{ink}\" stroke-width=\"1.5\"/><circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.5\" fill=\"{ink}\"/>"
        );
    }

    fn label(&mut self, x: f64, y: f64, anchor: &str, text: &str) {
        let _ = writeln!(
            self.out,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"#5b6675\">{}</text>",
            escape(text)
        );
    }

    fn legend(&mut self, names: &[String]) {
        for (place, name) in names.iter().enumerate() {
            let y = TOP + 12.0 + place as f64 * 20.0;
            let _ = writeln!(
                self.out,
                "<circle cx=\"{:.0}\" cy=\"{:.1}\" r=\"4.5\" fill=\"{}\"/><text x=\"{:.0}\" y=\"{y:.1}\" fill=\"#1c2430\">{}</text>",
                RIGHT + 24.0,
                y - 4.0,
                ink(place),
                RIGHT + 36.0,
                escape(name)
            );
        }
    }

    fn finish(mut self) -> String {
        let _ = write!(
            self.out,
            "<path d=\"M{LEFT} {TOP}V{BASE}H{RIGHT}\" fill=\"none\" stroke=\"#8a96a8\"/>\n</svg>"
        );
        self.out
    }
}

fn names(report: &Report) -> Vec<String> {
    report
        .policies
        .iter()
        .map(|policy| policy.policy.clone())
        .collect()
}

/// Share served over days of stock, a cross for each policy.
pub(super) fn frontier(report: &Report, lang: Lang) -> String {
    let mut shown: Vec<(String, Range, Range)> = report
        .policies
        .iter()
        .filter_map(|policy| Some((policy.policy.clone(), policy.all.stock_days?, policy.all.fill?)))
        .collect();
    if let Some(happened) = &report.happened
        && let (Some(days), Some(fill_rate)) = (happened.stock_days, happened.fill)
    {
        shown.push((fill(lang, "happened", &[]), days, fill_rate));
    }
    let lows = shown.iter().map(|(_, _, fill)| edges(*fill).1);
    let mut chart = Chart::new(&fill(lang, "chart.frontier", &[]), lows);
    let widest = shown
        .iter()
        .map(|(_, days, _)| edges(*days).2)
        .fold(1.0, f64::max);
    let step = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0]
        .into_iter()
        .find(|step| widest / step <= 8.0)
        .unwrap_or(100.0);
    let most = (widest / step).ceil() * step;
    let place = |days: f64| LEFT + days / most * (RIGHT - LEFT);
    let mut tick = 0.0;
    while tick <= most + 1e-9 {
        chart.label(place(tick), BASE + 18.0, "middle", &format!("{tick:.0}"));
        tick += step;
    }
    chart.label(
        (LEFT + RIGHT) / 2.0,
        BASE + 40.0,
        "middle",
        &fill(lang, "chart.stock_days", &[]),
    );
    chart.label(LEFT + 8.0, TOP - 6.0, "start", &fill(lang, "chart.fill", &[]));
    for (index, (_, days, fill)) in shown.iter().enumerate() {
        let (value, low, high) = edges(*days);
        let y = chart.y(edges(*fill).0);
        let _ = writeln!(
            chart.out,
            "<path d=\"M{:.1} {y:.1}H{:.1}\" stroke=\"{}\" stroke-width=\"1.5\"/>",
            place(low),
            place(high),
            ink(index)
        );
        chart.dot(place(value), *fill, ink(index));
    }
    let named: Vec<String> = shown.into_iter().map(|(name, _, _)| name).collect();
    chart.legend(&named);
    chart.finish()
}

/// Cycle service quarter by quarter, a line for each policy.
pub(super) fn quarters(report: &Report, lang: Lang) -> String {
    let groups: Vec<String> = report
        .quarters
        .iter()
        .map(|quarter| quarter.from.to_string())
        .collect();
    let values: Vec<Vec<Option<Range>>> = report
        .policies
        .iter()
        .map(|policy| policy.quarters.iter().map(|figures| figures.coverage).collect())
        .collect();
    grouped(report, lang, "quarters", &groups, &values, true)
}

/// Cycle service by how often items sell.
pub(super) fn classes(report: &Report, lang: Lang) -> String {
    let groups: Vec<String> = report.policies.first().map_or_else(Vec::new, |policy| {
        policy
            .classes
            .iter()
            .map(|(class, _)| fill(lang, &format!("class.{}", class.code()), &[]))
            .collect()
    });
    let values: Vec<Vec<Option<Range>>> = report
        .policies
        .iter()
        .map(|policy| {
            policy
                .classes
                .iter()
                .map(|(_, figures)| figures.coverage)
                .collect()
        })
        .collect();
    grouped(report, lang, "classes", &groups, &values, false)
}

fn grouped(
    report: &Report,
    lang: Lang,
    name: &str,
    groups: &[String],
    values: &[Vec<Option<Range>>],
    joined: bool,
) -> String {
    let lows = values.iter().flatten().flatten().map(|range| edges(*range).1);
    let lows = lows.chain([f64::from(report.service_permille) / 1000.0]);
    let mut chart = Chart::new(&fill(lang, &format!("chart.{name}"), &[]), lows);
    chart.target(report.service_permille);
    let wide = (RIGHT - LEFT) / groups.len().max(1) as f64;
    for (place, group) in groups.iter().enumerate() {
        // Long names in two rows of the label's height.
        let y = BASE + 18.0 + f64::from(u8::from(!joined && place % 2 == 1)) * 16.0;
        chart.label(LEFT + (place as f64 + 0.5) * wide, y, "middle", group);
    }
    chart.label(LEFT + 8.0, TOP - 6.0, "start", &fill(lang, "chart.coverage", &[]));
    let count = values.len().max(1) as f64;
    for (index, policy) in values.iter().enumerate() {
        let x = |place: usize| {
            let beside = (index as f64 - (count - 1.0) / 2.0) * (wide * 0.5 / count);
            LEFT + (place as f64 + 0.5) * wide + beside
        };
        if joined {
            let points: Vec<String> = policy
                .iter()
                .enumerate()
                .filter_map(|(place, range)| {
                    let y = chart.y(number((*range)?.value));
                    Some(format!("{:.1},{y:.1}", x(place)))
                })
                .collect();
            let _ = writeln!(
                chart.out,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\" opacity=\".6\"/>",
                points.join(" "),
                ink(index)
            );
        }
        for (place, range) in policy.iter().enumerate() {
            if let Some(range) = range {
                chart.dot(x(place), *range, ink(index));
            }
        }
    }
    chart.legend(&names(report));
    chart.finish()
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_from_files_cannot_break_out_of_the_page() {
        assert_eq!(
            super::escape("<a href=\"x\">&"),
            "&lt;a href=&quot;x&quot;&gt;&amp;"
        );
    }
}
