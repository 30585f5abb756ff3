//! What days and slots cost: by the carrier's contract, and by what the warehouse asks.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{Amount, Exchange, GRAMS, NoAmount, Term, plain};
use crate::claim::case::MissedSlot;
use crate::claim::rules::{ClaimRules, LateRule};
use crate::money::{Currency, Money, round_cents};

/// What a contract owes for goods that came so many days beyond the promise.
///
/// # Errors
/// [`NoAmount`] when nothing is owed, or a rate or the weight is not known.
pub fn late(
    rules: &ClaimRules,
    rule: &LateRule,
    (days, gross_g): (i64, i64),
    currency: Currency,
    day: NaiveDate,
) -> Result<Amount, NoAmount> {
    let owed = days - i64::from(rule.free_days);
    if owed < 1 {
        return Err(NoAmount::InTime {
            days,
            free: rule.free_days,
            row: rule.row.id.clone(),
        });
    }
    let (rate, note) = Exchange { rules, day }.rate(rule.currency, currency)?;
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
    let price = |figure: Decimal| ("price", format!("{} {}", plain(figure), rule.currency));
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
    let sum: Decimal = terms.iter().map(|term| term.amount).sum();
    if let Some(most) = rule.most {
        let bound = round_cents(into(Some(most)).ok_or(NoAmount::Overflow)?);
        if sum > bound {
            let places = [
                ("row", rule.row.id.clone()),
                ("how", format!("{} {}{note}", plain(most), rule.currency)),
                ("most", format!("{bound} {currency}")),
            ];
            terms.push(Term::new("beyond", bound - sum, &places));
        }
    }
    Ok(whole(terms, currency, &rule.row.id, &rule.row.source))
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
