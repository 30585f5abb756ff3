//! What the charts of a backtest show, as lines, dots and words; `svg` and `png` write them.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::fill;
use super::picture::{Anchor, Ink, Picture, Shape};
use crate::backtest::{Range, Report};
use crate::wording::Lang;

const LEFT: f64 = 64.0;
const RIGHT: f64 = 560.0;
const TOP: f64 = 20.0;
const BASE: f64 = 320.0;
/// Told apart by people who see few colours, too, and by the order of the legend.
const INKS: [Ink; 8] = [
    Ink(0x0b_6b_cb),
    Ink(0xd9_48_0f),
    Ink(0x2b_8a_3e),
    Ink(0x70_48_a8),
    Ink(0xb0_88_00),
    Ink(0xc2_25_5c),
    Ink(0x0c_85_99),
    Ink(0x49_50_57),
];
const DARK: Ink = Ink(0x1c_24_30);
const WORDS: Ink = Ink(0x5b_66_75);
const GRID: Ink = Ink(0xe3_e7_ec);
const AXIS: Ink = Ink(0x8a_96_a8);

fn ink(place: usize) -> Ink {
    INKS.get(place % INKS.len()).copied().unwrap_or(DARK)
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
    picture: Picture,
    low: f64,
    high: f64,
}

impl Chart {
    fn new(title: String, values: impl Iterator<Item = f64>) -> Self {
        let least = values.fold(1.0_f64, f64::min);
        let low = ((least - 0.01).max(0.0) * 20.0).floor() / 20.0;
        let step = if 1.0 - low > 0.5 {
            0.1
        } else if 1.0 - low > 0.2 {
            0.05
        } else {
            0.02
        };
        let mut chart = Self {
            picture: Picture {
                title,
                shapes: Vec::new(),
            },
            low,
            high: 1.0,
        };
        let mut tick = (low / step).ceil() * step;
        while tick <= chart.high + 1e-9 {
            let y = chart.y(tick);
            chart.line(vec![(LEFT, y), (RIGHT, y)], GRID, 1.0);
            chart.words(
                (LEFT - 8.0, y + 4.0),
                Anchor::End,
                WORDS,
                &format!("{:.0} %", tick * 100.0),
            );
            tick += step;
        }
        chart.line(vec![(LEFT, TOP), (LEFT, BASE), (RIGHT, BASE)], AXIS, 1.0);
        chart
    }

    fn y(&self, share: f64) -> f64 {
        BASE - (share - self.low) / (self.high - self.low).max(1e-9) * (BASE - TOP)
    }

    fn line(&mut self, points: Vec<(f64, f64)>, ink: Ink, width: f64) {
        self.picture.shapes.push(Shape::Line {
            points,
            ink,
            width,
            dashed: false,
            faint: false,
        });
    }

    fn words(&mut self, (x, y): (f64, f64), anchor: Anchor, ink: Ink, text: &str) {
        let text = text.to_owned();
        self.picture.shapes.push(Shape::Text {
            x,
            y,
            anchor,
            ink,
            text,
        });
    }

    fn target(&mut self, permille: u16) {
        let y = self.y(f64::from(permille) / 1000.0);
        self.picture.shapes.push(Shape::Line {
            points: vec![(LEFT, y), (RIGHT, y)],
            ink: DARK,
            width: 1.0,
            dashed: true,
            faint: false,
        });
    }

    /// A dot with its interval.
    fn dot(&mut self, x: f64, range: Range, ink: Ink) {
        let (value, low, high) = edges(range);
        let (y, bottom, top) = (self.y(value), self.y(low), self.y(high));
        self.line(vec![(x, bottom), (x, top)], ink, 1.5);
        self.picture.shapes.push(Shape::Dot { x, y, ink });
    }

    fn label(&mut self, x: f64, y: f64, anchor: Anchor, text: &str) {
        self.words((x, y), anchor, WORDS, text);
    }

    fn legend(&mut self, names: &[String]) {
        for (place, name) in names.iter().enumerate() {
            let y = TOP + 12.0 + place as f64 * 20.0;
            self.picture.shapes.push(Shape::Dot {
                x: RIGHT + 24.0,
                y: y - 4.0,
                ink: ink(place),
            });
            self.words((RIGHT + 36.0, y), Anchor::Start, DARK, name);
        }
    }

    fn finish(self) -> Picture {
        self.picture
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
pub(super) fn frontier(report: &Report, lang: Lang) -> Picture {
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
    let mut chart = Chart::new(fill(lang, "chart.frontier", &[]), lows);
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
        chart.label(place(tick), BASE + 18.0, Anchor::Middle, &format!("{tick:.0}"));
        tick += step;
    }
    chart.label(
        (LEFT + RIGHT) / 2.0,
        BASE + 40.0,
        Anchor::Middle,
        &fill(lang, "chart.stock_days", &[]),
    );
    chart.label(
        LEFT + 8.0,
        TOP - 6.0,
        Anchor::Start,
        &fill(lang, "chart.fill", &[]),
    );
    for (index, (_, days, fill)) in shown.iter().enumerate() {
        let (value, low, high) = edges(*days);
        let y = chart.y(edges(*fill).0);
        chart.line(vec![(place(low), y), (place(high), y)], ink(index), 1.5);
        chart.dot(place(value), *fill, ink(index));
    }
    let named: Vec<String> = shown.into_iter().map(|(name, _, _)| name).collect();
    chart.legend(&named);
    chart.finish()
}

/// Cycle service quarter by quarter, a line for each policy.
pub(super) fn quarters(report: &Report, lang: Lang) -> Picture {
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
pub(super) fn classes(report: &Report, lang: Lang) -> Picture {
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
) -> Picture {
    let lows = values.iter().flatten().flatten().map(|range| edges(*range).1);
    let lows = lows.chain([f64::from(report.service_permille) / 1000.0]);
    let mut chart = Chart::new(fill(lang, &format!("chart.{name}"), &[]), lows);
    chart.target(report.service_permille);
    let wide = (RIGHT - LEFT) / groups.len().max(1) as f64;
    for (place, group) in groups.iter().enumerate() {
        // Long names in two rows of the label's height.
        let y = BASE + 18.0 + f64::from(u8::from(!joined && place % 2 == 1)) * 16.0;
        chart.label(LEFT + (place as f64 + 0.5) * wide, y, Anchor::Middle, group);
    }
    chart.label(
        LEFT + 8.0,
        TOP - 6.0,
        Anchor::Start,
        &fill(lang, "chart.coverage", &[]),
    );
    let count = values.len().max(1) as f64;
    for (index, policy) in values.iter().enumerate() {
        let x = |place: usize| {
            let beside = (index as f64 - (count - 1.0) / 2.0) * (wide * 0.5 / count);
            LEFT + (place as f64 + 0.5) * wide + beside
        };
        if joined {
            let points: Vec<(f64, f64)> = policy
                .iter()
                .enumerate()
                .filter_map(|(place, range)| Some((x(place), chart.y(number((*range)?.value)))))
                .collect();
            chart.picture.shapes.push(Shape::Line {
                points,
                ink: ink(index),
                width: 1.5,
                dashed: false,
                faint: true,
            });
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
