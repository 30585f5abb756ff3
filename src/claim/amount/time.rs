//! What days and slots cost: by the carrier's contract, and by what the warehouse asks.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{Amount, Exchange, GRAMS, NoAmount, Term, plain};
use crate::claim::case::MissedSlot;
use crate::claim::rules::{ClaimRules, FreightShare, LateRule};
use crate::money::{Currency, Money, round_cents};

/// What an order's carriage costs, charge by charge, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freight {
    pub charges: Vec<Money>,
    pub basis: FreightBasis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FreightBasis {
    /// By whoever drafts the claim.
    Stated,
    Billed,
    /// By the rate of the lane: nobody has billed it yet.
    Expected,
}

/// What is known of a late order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lateness {
    /// Beyond the promise.
    pub days: i64,
    pub gross_g: i64,
    pub freight: Option<Freight>,
}

/// What a contract owes for goods that came so many days beyond the promise.
///
/// # Errors
/// [`NoAmount`] when nothing is owed, or a rate, the weight or the freight is not known.
pub fn late(
    rules: &ClaimRules,
    rule: &LateRule,
    lateness: &Lateness,
    currency: Currency,
    day: NaiveDate,
) -> Result<Amount, NoAmount> {
    let (days, gross_g) = (lateness.days, lateness.gross_g);
    let owed = days - i64::from(rule.free_days);
    if owed < 1 {
        return Err(NoAmount::InTime {
            days,
            free: rule.free_days,
            row: rule.row.id.clone(),
        });
    }
    let exchange = Exchange { rules, day };
    let own = rule.currency.unwrap_or(currency);
    let (rate, note) = exchange.rate(own, currency)?;
    let into = |figure: Option<Decimal>| figure.and_then(|figure| figure.checked_mul(rate));
    let mut terms = Vec::new();
    let mut add = |key: &str, figure: Decimal, more: &[(&str, String)]| {
        let whole = into(Some(figure)).ok_or(NoAmount::Overflow)?;
        let mut places = vec![
            ("days", owed.to_string()),
            ("free", rule.free_days.to_string()),
            ("exchange", note.clone()),
        ];
        places.extend(more.iter().cloned());
        terms.push(Term::new(key, round_cents(whole), &places));
        Ok::<(), NoAmount>(())
    };
    let price = |figure: Decimal| ("price", format!("{} {own}", plain(figure)));
    let days = Decimal::from(owed);
    if let Some(each) = rule.per_day {
        let whole = each.checked_mul(days).ok_or(NoAmount::Overflow)?;
        add("late_day", whole, &[price(each)])?;
    }
    if let Some(each) = rule.per_kg_day {
        let kg = Decimal::from(gross_g) / GRAMS;
        let whole = each.checked_mul(kg).and_then(|one| one.checked_mul(days));
        let kg = ("kg", kg.normalize().to_string());
        add(
            "late_kg_day",
            whole.ok_or(NoAmount::Overflow)?,
            &[price(each), kg],
        )?;
    }
    if let Some(share) = &rule.freight {
        let freight = lateness.freight.as_ref().ok_or_else(|| NoAmount::Freight {
            row: rule.row.id.clone(),
        })?;
        terms.extend(of_freight(rule, share, (freight, owed), exchange, currency)?);
    }
    let sum: Decimal = terms.iter().map(|term| term.amount).sum();
    if let Some(most) = rule.most {
        let bound = round_cents(into(Some(most)).ok_or(NoAmount::Overflow)?);
        if sum > bound {
            let places = [
                ("row", rule.row.id.clone()),
                ("how", format!("{} {own}{note}", plain(most))),
                ("most", format!("{bound} {currency}")),
            ];
            terms.push(Term::new("beyond", bound - sum, &places));
        }
    }
    Ok(whole(terms, currency, &rule.row.id, &rule.row.source))
}

/// The share of the freight, and what of it lies beyond the contract's most.
fn of_freight(
    rule: &LateRule,
    share: &FreightShare,
    (freight, owed): (&Freight, i64),
    exchange: Exchange<'_>,
    currency: Currency,
) -> Result<Vec<Term>, NoAmount> {
    let (mut whole, mut named) = (Decimal::ZERO, Vec::new());
    for charge in &freight.charges {
        let (rate, note) = exchange.rate(charge.currency, currency)?;
        let own = charge.amount.checked_mul(rate);
        whole = own
            .and_then(|own| whole.checked_add(own))
            .ok_or(NoAmount::Overflow)?;
        named.push(format!("{charge}{note}"));
    }
    // A credit note may have taken the whole freight back: then there is nothing to take a share of.
    if whole <= Decimal::ZERO {
        return Err(NoAmount::Nothing);
    }
    let of = |percent: Decimal| {
        let part = whole.checked_mul(percent).ok_or(NoAmount::Overflow)?;
        Ok::<Decimal, NoAmount>(round_cents(part / Decimal::ONE_HUNDRED))
    };
    let times = share.per.times(owed);
    let percent = share
        .percent
        .checked_mul(Decimal::from(times))
        .ok_or(NoAmount::Overflow)?;
    let amount = of(percent)?;
    let key = match freight.basis {
        FreightBasis::Stated => "late_freight_stated",
        FreightBasis::Billed => "late_freight_billed",
        FreightBasis::Expected => "late_freight_expected",
    };
    let places = [
        ("days", owed.to_string()),
        ("free", rule.free_days.to_string()),
        ("times", times.to_string()),
        ("percent", plain(share.percent).to_string()),
        ("freight", named.join(" + ")),
    ];
    let mut terms = vec![Term::new(key, amount, &places)];
    if let Some(most) = share.most_percent.filter(|most| percent > *most) {
        let bound = of(most)?;
        let places = [
            ("row", rule.row.id.clone()),
            ("how", format!("{} %", plain(most))),
            ("most", format!("{bound} {currency}")),
        ];
        terms.push(Term::new("beyond", bound - amount, &places));
    }
    Ok(terms)
}

/// What the warehouse asks for slots that were missed. A fee that was billed takes the place of the expected ones.
///
/// # Errors
/// [`NoAmount`] when a fee or a rate is not known.
pub fn slots(
    rules: &ClaimRules,
    slots: &[MissedSlot],
    billed: Option<Money>,
    currency: Currency,
    day: NaiveDate,
) -> Result<Amount, NoAmount> {
    if slots.is_empty() {
        return Err(NoAmount::Nothing);
    }
    let exchange = Exchange { rules, day };
    let mut terms = Vec::new();
    let mut add = |key: &str, slot: String, fee: Money| {
        let (rate, note) = exchange.rate(fee.currency, currency)?;
        let amount = fee.amount.checked_mul(rate).ok_or(NoAmount::Overflow)?;
        let places = [("slot", slot), ("fee", fee.to_string()), ("exchange", note)];
        terms.push(Term::new(key, round_cents(amount), &places));
        Ok::<(), NoAmount>(())
    };
    let when = |slot: &MissedSlot| slot.at.format("%Y-%m-%d %H:%M UTC").to_string();
    match billed {
        Some(fee) => {
            let all: Vec<String> = slots.iter().map(when).collect();
            add("slot_billed", all.join(", "), fee)?;
        }
        None => {
            for slot in slots {
                let fee = slot.fee.ok_or_else(|| NoAmount::Fee { slot: when(slot) })?;
                add("slot", when(slot), fee)?;
            }
        }
    }
    Ok(whole(terms, currency, "missed_fee", "deadlines.appointment"))
}

fn whole(terms: Vec<Term>, currency: Currency, row: &str, source: &str) -> Amount {
    Amount {
        total: Money::new(terms.iter().map(|term| term.amount).sum(), currency),
        terms,
        uncovered: Vec::new(),
        row: row.to_owned(),
        source: source.to_owned(),
    }
}

#[cfg(test)]
mod tests;
