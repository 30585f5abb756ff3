//! How good forwarders and warehouses are (R42): kept promises, lead times, losses, papers and claims, each with the number of
//! observations and the range the truth probably lies in. From too little nothing is said, and nobody is ranked above another whose
//! range overlaps his.

use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveDate};
use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive as _, ToPrimitive as _};
use serde::{Deserialize, Serialize};

use crate::ids::{ForwarderId, OrderNo, WarehouseCode};
use crate::money::Currency;
use crate::order::Mode;

/// Fewer shipments say nothing.
pub const LEAST: usize = 5;
/// Two-sided, 95 of 100.
const Z: f64 = 1.959_964;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "role", content = "name")]
pub enum Provider {
    Forwarder(ForwarderId),
    Warehouse(WarehouseCode),
}

impl Provider {
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Forwarder(id) => id.as_str(),
            Self::Warehouse(code) => code.as_str(),
        }
    }

    #[must_use]
    pub fn role(&self) -> &'static str {
        match self {
            Self::Forwarder(_) => "forwarder",
            Self::Warehouse(_) => "warehouse",
        }
    }
}

/// One shipment on one provider's stretch: hand-over to delivery, or delivery to shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    pub provider: Provider,
    pub order: OrderNo,
    pub mode: Mode,
    pub warehouse: WarehouseCode,
    pub from: NaiveDate,
    /// `None`: under way.
    pub to: Option<NaiveDate>,
    /// What was promised, where anything was.
    pub promised_p50: Option<NaiveDate>,
    pub promised_p90: Option<NaiveDate>,
    /// Of lines whose count is final: shipped, missing, damaged.
    pub counted: Option<(i64, i64, i64)>,
    /// Refused bookings and reissued papers.
    pub paper_faults: i64,
    /// What it should have cost, and what was billed, in one currency.
    pub billed: Option<(Decimal, Decimal)>,
}

/// One claim against a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub provider: Provider,
    pub submitted: NaiveDate,
    pub answered: Option<NaiveDate>,
    /// Nothing more is expected.
    pub ended: bool,
    pub currency: Currency,
    pub amount: Decimal,
    /// In the same currency.
    pub recovered: Decimal,
}

/// A share with its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    pub hits: i64,
    pub of: i64,
    pub rate: Decimal,
    pub low: Decimal,
    pub high: Decimal,
}

/// How far bills lie above what was expected, on average over shipments; below it negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deviation {
    pub rate: Decimal,
    pub low: Decimal,
    pub high: Decimal,
    pub of: usize,
}

/// Days, with the range the quantile lies in; open where there are too few observations for an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Days {
    pub days: i64,
    pub low: Option<i64>,
    pub high: Option<i64>,
    pub of: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovered {
    pub currency: Currency,
    pub asked: Decimal,
    pub recovered: Decimal,
    pub rate: Decimal,
}

/// What of a provider is looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "of", content = "name")]
pub enum Part {
    All,
    /// Mode and warehouse.
    Lane(String),
    /// By the day of the hand-over.
    Quarter(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    pub provider: Provider,
    pub part: Part,
    pub shipments: usize,
    /// Enough to say anything: the figures below are there only then.
    pub enough: bool,
    pub arrived: usize,
    /// By the promised day that half, and nine of ten, should keep.
    pub kept_p50: Option<Share>,
    pub kept_p90: Option<Share>,
    pub lead_p50: Option<Days>,
    pub lead_p90: Option<Days>,
    pub promised_p50: Option<i64>,
    pub promised_p90: Option<i64>,
    /// Units of those shipped.
    pub lost: Option<Share>,
    pub damaged: Option<Share>,
    /// Shipments with a fault in their papers.
    pub papers: Option<Share>,
    /// Billed against expected, of shipments where both are known.
    pub billed: Option<Deviation>,
    pub claims: usize,
    /// From the day a claim went out to its first answer.
    pub answer: Option<Days>,
    pub recovered: Vec<Recovered>,
    /// One more than the number of those who certainly keep their promises more often; `None` when that cannot be said of anybody.
    pub rank: Option<usize>,
}

/// Scores of every provider, as a whole, by lane and by quarter.
#[must_use]
pub fn scores(passages: &[Passage], claims: &[Asked]) -> Vec<Score> {
    let mut parts: BTreeMap<(Provider, Part), Vec<&Passage>> = BTreeMap::new();
    for passage in passages {
        let lane = format!("{} {}", passage.mode.code(), passage.warehouse);
        let quarter = format!("{}Q{}", passage.from.year(), passage.from.month0() / 3 + 1);
        for part in [Part::All, Part::Lane(lane), Part::Quarter(quarter)] {
            parts
                .entry((passage.provider.clone(), part))
                .or_default()
                .push(passage);
        }
    }
    for claim in claims {
        parts.entry((claim.provider.clone(), Part::All)).or_default();
    }
    let mut scores: Vec<Score> = parts
        .into_iter()
        .map(|((provider, part), passages)| {
            let own: Vec<&Asked> = claims
                .iter()
                .filter(|claim| part == Part::All && claim.provider == provider)
                .collect();
            score(provider, part, &passages, &own)
        })
        .collect();
    rank(&mut scores);
    scores
}

fn score(provider: Provider, part: Part, passages: &[&Passage], claims: &[&Asked]) -> Score {
    let enough = passages.len() >= LEAST;
    let arrived: Vec<(&Passage, NaiveDate)> = passages
        .iter()
        .filter_map(|passage| Some((*passage, passage.to?)))
        .collect();
    let said = enough && arrived.len() >= LEAST;
    let kept = |promise: fn(&Passage) -> Option<NaiveDate>| {
        let judged: Vec<bool> = arrived
            .iter()
            .filter_map(|(passage, to)| Some(*to <= promise(passage)?))
            .collect();
        (said && judged.len() >= LEAST)
            .then(|| wilson(judged.iter().filter(|kept| **kept).count(), judged.len()))
    };
    let mut lead: Vec<i64> = arrived
        .iter()
        .map(|(passage, to)| (*to - passage.from).num_days())
        .collect();
    lead.sort_unstable();
    let promised = |promise: fn(&Passage) -> Option<NaiveDate>| {
        let mut days: Vec<i64> = passages
            .iter()
            .filter_map(|passage| Some((promise(passage)? - passage.from).num_days()))
            .collect();
        days.sort_unstable();
        said.then(|| quantile(&days, 0.5)).flatten().map(|days| days.days)
    };
    let counted: Vec<(i64, i64, i64)> = passages.iter().filter_map(|passage| passage.counted).collect();
    let units = |part: fn(&(i64, i64, i64)) -> i64| {
        let pairs: Vec<(i64, i64)> = counted.iter().map(|count| (part(count), count.0)).collect();
        (enough && pairs.len() >= LEAST).then(|| ratio(&pairs)).flatten()
    };
    let faults = passages.iter().filter(|passage| passage.paper_faults > 0).count();
    let mut answers: Vec<i64> = claims
        .iter()
        .filter_map(|claim| Some((claim.answered? - claim.submitted).num_days()))
        .collect();
    answers.sort_unstable();
    let by_forwarder = matches!(provider, Provider::Forwarder(_));
    Score {
        shipments: passages.len(),
        arrived: arrived.len(),
        kept_p50: kept(|passage| passage.promised_p50),
        kept_p90: kept(|passage| passage.promised_p90),
        lead_p50: said.then(|| quantile(&lead, 0.5)).flatten(),
        lead_p90: said.then(|| quantile(&lead, 0.9)).flatten(),
        promised_p50: promised(|passage| passage.promised_p50),
        promised_p90: promised(|passage| passage.promised_p90),
        lost: units(|count| count.1),
        damaged: units(|count| count.2),
        papers: (enough && by_forwarder).then(|| wilson(faults, passages.len())),
        billed: deviation(passages).filter(|_| enough),
        claims: claims.len(),
        answer: quantile(&answers, 0.5),
        recovered: recovered(claims),
        rank: None,
        provider,
        part,
        enough,
    }
}

/// Of claims that nothing more is expected of, by currency.
fn recovered(claims: &[&Asked]) -> Vec<Recovered> {
    let mut sums: BTreeMap<Currency, (Decimal, Decimal)> = BTreeMap::new();
    for claim in claims.iter().filter(|claim| claim.ended) {
        let sum = sums.entry(claim.currency).or_default();
        sum.0 += claim.amount;
        sum.1 += claim.recovered;
    }
    sums.into_iter()
        .filter(|(_, (asked, _))| *asked > Decimal::ZERO)
        .map(|(currency, (asked, recovered))| Recovered {
            currency,
            asked,
            recovered,
            rate: (recovered / asked).round_dp(4),
        })
        .collect()
}

/// The one rounding of shares: four places.
fn rounded(share: f64) -> Decimal {
    Decimal::from_f64(share.clamp(0.0, 1.0))
        .unwrap_or_default()
        .round_dp(4)
}

#[expect(clippy::cast_precision_loss, reason = "counts of shipments")]
fn wilson(hits: usize, of: usize) -> Share {
    let n = of.max(1) as f64;
    let p = hits as f64 / n;
    let middle = (p + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let reach = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt() / (1.0 + Z * Z / n);
    Share {
        hits: i64::try_from(hits).unwrap_or(i64::MAX),
        of: i64::try_from(of).unwrap_or(i64::MAX),
        rate: rounded(p),
        low: rounded(middle - reach),
        high: rounded(middle + reach),
    }
}

/// Units of one shipment are lost together, so the range comes from how shipments differ. Where none lost anything, it is that of
/// shipments with a loss.
#[expect(clippy::cast_precision_loss, reason = "counts of units")]
fn ratio(pairs: &[(i64, i64)]) -> Option<Share> {
    let lost: i64 = pairs.iter().map(|(lost, _)| lost).sum();
    let shipped: i64 = pairs.iter().map(|(_, shipped)| shipped).sum();
    if shipped <= 0 || pairs.len() < 2 {
        return None;
    }
    let rate = lost as f64 / shipped as f64;
    let n = pairs.len() as f64;
    let spread: f64 = pairs
        .iter()
        .map(|(lost, shipped)| (*lost as f64 - rate * *shipped as f64).powi(2))
        .sum();
    let error = (n / (n - 1.0) * spread).sqrt() / shipped as f64;
    let (low, high) = if lost == 0 {
        (Decimal::ZERO, wilson(0, pairs.len()).high)
    } else {
        (rounded(rate - Z * error), rounded(rate + Z * error))
    };
    Some(Share {
        hits: lost,
        of: shipped,
        rate: rounded(rate),
        low,
        high,
    })
}

/// The mean of the shipments' own deviations: they may be in several currencies.
#[expect(clippy::cast_precision_loss, reason = "counts of shipments")]
fn deviation(passages: &[&Passage]) -> Option<Deviation> {
    let all: Vec<f64> = passages
        .iter()
        .filter_map(|passage| passage.billed)
        .filter_map(|(expected, billed)| ((billed - expected).checked_div(expected)?).to_f64())
        .collect();
    if all.len() < LEAST {
        return None;
    }
    let n = all.len() as f64;
    let mean = all.iter().sum::<f64>() / n;
    let spread = all.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let reach = Z * (spread / n).sqrt();
    let place = |share: f64| Decimal::from_f64(share).map(|share| share.round_dp(4));
    Some(Deviation {
        rate: place(mean)?,
        low: place(mean - reach)?,
        high: place(mean + reach)?,
        of: all.len(),
    })
}

/// The least value that so large a part does not exceed, with the range from its place among the sorted ones.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "places among some hundred values"
)]
fn quantile(sorted: &[i64], part: f64) -> Option<Days> {
    let n = sorted.len();
    let place = ((n as f64 * part).ceil() as usize).max(1);
    let days = *sorted.get(place.checked_sub(1)?)?;
    let reach = Z * (n as f64 * part * (1.0 - part)).sqrt();
    let low = (n as f64 * part - reach).floor();
    let high = (n as f64 * part + reach).ceil() as usize + 1;
    Some(Days {
        days,
        low: if low >= 1.0 {
            sorted.get(low as usize - 1).copied()
        } else {
            None
        },
        high: sorted.get(high - 1).copied(),
        of: n,
    })
}

fn rank(scores: &mut [Score]) {
    let whole = |score: &Score| score.part == Part::All;
    let kept: Vec<(&'static str, Option<Share>)> = scores
        .iter()
        .map(|score| (score.provider.role(), score.kept_p90.filter(|_| whole(score))))
        .collect();
    for score in scores.iter_mut().filter(|score| score.part == Part::All) {
        let Some(own) = score.kept_p90 else { continue };
        let role = score.provider.role();
        let others = kept
            .iter()
            .filter(|(other, _)| *other == role)
            .filter_map(|(_, share)| *share);
        let better = others.clone().filter(|other| other.low > own.high).count();
        let worse = others.filter(|other| other.high < own.low).count();
        // Ranges that overlap with all the others' say nothing of a place.
        score.rank = (better + worse > 0).then_some(better + 1);
    }
}

impl Deviation {
    /// `+4.2 % (+1.0–+7.4, n 60)`
    #[must_use]
    pub fn text(&self) -> String {
        let percent = |share: Decimal| (share * Decimal::ONE_HUNDRED).to_f64().unwrap_or(0.0);
        format!(
            "{:+.1} % ({:+.1}–{:+.1}, n {})",
            percent(self.rate),
            percent(self.low),
            percent(self.high),
            self.of
        )
    }
}

impl Share {
    /// `93.3 % (84.1–97.4, n 60)`
    #[must_use]
    pub fn text(&self) -> String {
        let percent =
            |share: Decimal| format!("{:.1}", (share * Decimal::ONE_HUNDRED).to_f64().unwrap_or(0.0));
        format!(
            "{} % ({}–{}, n {})",
            percent(self.rate),
            percent(self.low),
            percent(self.high),
            self.of
        )
    }
}

impl Days {
    /// `34 (31–40, n 25)`
    #[must_use]
    pub fn text(&self) -> String {
        let end = |day: Option<i64>| day.map_or_else(|| "?".to_owned(), |day| day.to_string());
        format!(
            "{} ({}–{}, n {})",
            self.days,
            end(self.low),
            end(self.high),
            self.of
        )
    }
}

#[cfg(test)]
mod tests;
