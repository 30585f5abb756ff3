//! What an order costs besides its goods, as far as anybody knows (R24, R33): freight, surcharges of heavy and large cartons, duty and
//! taxes at the border. What is not known is named, and then there is no total.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::border::{Base, BorderBook, Found, Question, Rate, ValueBasis};
use super::gate::{Rates, Surcharge};
use super::model::{OrderLine, StockingOrder};
use super::rules::{Ask, RuleBook};
use super::term::{Role, responsibilities};
use crate::ids::Sku;
use crate::money::{Currency, Money, round_cents};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CashKind {
    Freight,
    Surcharge,
    Duty,
    /// VAT, GST, consumption tax and fees at the border.
    Tax,
}

impl CashKind {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Freight => "freight",
            Self::Surcharge => "surcharge",
            Self::Duty => "duty",
            Self::Tax => "tax",
        }
    }
}

/// One cost line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashLine {
    pub kind: CashKind,
    /// `freight`, `heavy`, `large`, or the tax as rule packs call it.
    pub what: String,
    /// What comes on top of the rate itself; empty: the rate itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub layer: String,
    /// What it is a share of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Money>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<Decimal>,
    /// Cartons that it is for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cartons: Vec<u32>,
    /// As it is charged.
    pub charged: Money,
    /// In the order's currency; `None` without a rate of exchange.
    pub amount: Option<Decimal>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked: Option<NaiveDate>,
}

/// Something that nobody has said, and that an amount hangs on. The text is the key `cash.lacks.<lacks>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unknown {
    /// The cost it is missing for: `freight`, `duty`, `import_vat`.
    pub what: String,
    /// `rate`, `ended`, `basis`, `freight`, `insurance`, `exchange`, `pack`, `duty`.
    pub lacks: String,
    /// The code, country, currency or day that it is lacking for.
    pub of: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<Sku>,
}

/// The cash view of an order, in its currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cash {
    pub currency: Currency,
    pub lines: Vec<CashLine>,
    pub unknown: Vec<Unknown>,
    /// Duty and taxes are inside the forwarder's rate: no cost line of ours.
    pub inside_rate: bool,
}

impl Cash {
    /// All lines together; `None` while anything is unknown.
    #[must_use]
    pub fn total(&self) -> Option<Decimal> {
        if !self.unknown.is_empty() {
            return None;
        }
        self.lines.iter().map(|line| line.amount).sum()
    }

    /// Whether there is more to tell than the freight: taxes, surcharges, or that somebody must say something of them.
    #[must_use]
    pub fn speaks(&self) -> bool {
        self.lines.iter().any(|line| line.kind != CashKind::Freight)
            || self.unknown.iter().any(|unknown| unknown.what != FREIGHT)
    }
}

const FREIGHT: &str = "freight";
const DUTY: &str = "duty";

/// Everything the cash view is made from.
#[derive(Debug, Clone, Copy)]
pub struct Bill<'a> {
    pub order: &'a StockingOrder,
    pub rules: &'a RuleBook,
    pub border: &'a BorderBook,
    pub rates: &'a Rates,
    /// The lane's freight by the kilogram of gross weight.
    pub per_kg: Option<Money>,
    pub surcharges: &'a [Surcharge],
}

/// Reckons the cost lines.
#[must_use]
pub fn reckon(bill: &Bill<'_>) -> Cash {
    let order = bill.order;
    let duties = responsibilities(order.term);
    let mut till = Till {
        bill,
        cash: Cash {
            currency: order.currency,
            lines: Vec::new(),
            unknown: Vec::new(),
            inside_rate: duties.duty_in_rate,
        },
    };
    let freight = till.freight(duties.main_carriage == Role::Seller, !duties.duty_in_rate);
    for surcharge in bill.surcharges {
        till.surcharge(surcharge);
    }
    if !duties.duty_in_rate {
        till.border(freight);
    }
    till.cash.unknown.sort();
    till.cash.unknown.dedup();
    till.cash
}

struct Till<'a, 'b> {
    bill: &'b Bill<'a>,
    cash: Cash,
}

/// What goods are reckoned on at the border.
struct Valued<'a> {
    line: &'a OrderLine,
    customs: Decimal,
    /// With freight and insurance, whatever the customs value is.
    delivered: Decimal,
    /// `None`: not known.
    duty: Option<Decimal>,
}

impl<'a> Till<'a, '_> {
    fn lack(&mut self, what: &str, lacks: &str, of: impl Into<String>, sku: Option<&Sku>) {
        self.cash.unknown.push(Unknown {
            what: what.to_owned(),
            lacks: lacks.to_owned(),
            of: of.into(),
            sku: sku.cloned(),
        });
    }

    /// An amount in the order's currency; one without a rate of exchange is named.
    fn converted(&mut self, what: &str, money: Money) -> Option<Decimal> {
        let amount = self.bill.rates.convert(money, self.cash.currency);
        if amount.is_none() {
            self.lack(what, "exchange", money.currency.code(), None);
        }
        amount
    }

    /// The freight of the whole order; a cost line of ours when the seller ships.
    fn freight(&mut self, ours: bool, needed: bool) -> Option<Decimal> {
        let order = self.bill.order;
        let charged = match self.bill.per_kg {
            Some(rate) => {
                let kilograms = Decimal::new(order.totals().gross_g, 3);
                Some(Money::new(round_cents(rate.amount * kilograms), rate.currency))
            }
            None => order
                .export
                .freight
                .map(|freight| Money::new(freight, order.currency)),
        };
        let Some(charged) = charged else {
            if ours || needed {
                self.lack(FREIGHT, "freight", order.mode.code(), None);
            }
            return None;
        };
        let amount = self.converted(FREIGHT, charged).map(round_cents);
        if ours {
            self.cash.lines.push(CashLine {
                kind: CashKind::Freight,
                what: FREIGHT.to_owned(),
                layer: String::new(),
                base: None,
                percent: None,
                cartons: Vec::new(),
                charged,
                amount,
                source: String::new(),
                checked: None,
            });
        }
        amount
    }

    fn surcharge(&mut self, surcharge: &Surcharge) {
        let what = surcharge.why.code();
        let amount = self.converted(what, surcharge.total).map(round_cents);
        self.cash.lines.push(CashLine {
            kind: CashKind::Surcharge,
            what: what.to_owned(),
            layer: String::new(),
            base: None,
            percent: None,
            cartons: surcharge.cartons.clone(),
            charged: surcharge.total,
            amount,
            source: String::new(),
            checked: None,
        });
    }

    /// What is paid for insurance: what somebody said; nothing under terms that nobody insures by.
    fn insurance(&mut self) -> Option<Decimal> {
        let order = self.bill.order;
        match (order.export.insurance, responsibilities(order.term).insurance) {
            (Some(insurance), _) => Some(insurance),
            (None, None) => Some(Decimal::ZERO),
            (None, Some(_)) => {
                self.lack(DUTY, "insurance", order.term.code(), None);
                None
            }
        }
    }

    fn border(&mut self, freight: Option<Decimal>) {
        let order = self.bill.order;
        let country = order.deliver_to.address.country.as_str();
        if !self.bill.rules.knows(country) {
            self.lack(DUTY, "pack", country, None);
            return;
        }
        let mut taxes: Vec<&str> = self
            .bill
            .rules
            .rules(country, order.mode, order.ship_by)
            .filter_map(|(_, rule)| match &rule.ask {
                Ask::Tax(name) => Some(name.as_str()),
                _ => None,
            })
            .collect();
        // Duty first: the others are reckoned on it.
        taxes.sort_by_key(|tax| (*tax != DUTY, *tax));
        taxes.dedup();
        let basis = self.bill.border.basis(country).map(|basis| basis.value);
        if basis.is_none() {
            self.lack(DUTY, "basis", country, None);
        }
        let insurance = self.insurance();
        let carriage = freight.and_then(|freight| Some(freight + insurance?));
        let Some(mut valued) = basis.and_then(|basis| values(order, basis, carriage)) else {
            // Freight, insurance or basis are named above; what hangs on them is named with them.
            for tax in taxes {
                self.lack(tax, "value", country, None);
            }
            return;
        };
        for tax in taxes {
            self.tax(tax, &mut valued, carriage.is_some());
        }
    }

    fn tax(&mut self, tax: &str, valued: &mut [Valued<'a>], delivered: bool) {
        let order = self.bill.order;
        let border = self.bill.border;
        let mut sums: BTreeMap<&str, (&Rate, Decimal, Decimal)> = BTreeMap::new();
        for one in valued.iter_mut() {
            let goods = &one.line.goods;
            let found = border.rates(&Question {
                country: &order.deliver_to.address.country,
                tax,
                hs: &goods.hs_destination,
                origin: &goods.origin,
                mode: order.mode,
                on: order.eta,
            });
            let rates = match found {
                Found::Rates(rates) => rates,
                Found::Ended(last) => {
                    self.lack(
                        tax,
                        "ended",
                        format!("{}, {last}", goods.hs_destination),
                        Some(&goods.sku),
                    );
                    continue;
                }
                Found::Unknown if tax == DUTY => {
                    self.lack(tax, "rate", goods.hs_destination.clone(), Some(&goods.sku));
                    continue;
                }
                // One rate for all goods: it is missing once.
                Found::Unknown => {
                    self.lack(tax, "rate", order.deliver_to.address.country.clone(), None);
                    continue;
                }
            };
            let mut whole = Decimal::ZERO;
            for rate in rates {
                let base = match rate.on {
                    Base::CustomsValue => one.customs,
                    Base::DutyPaid => match one.duty {
                        Some(duty) if delivered => one.delivered + duty,
                        _ => {
                            self.lack(tax, "duty", goods.hs_destination.clone(), Some(&goods.sku));
                            continue;
                        }
                    },
                };
                let share = base * rate.percent / Decimal::ONE_HUNDRED;
                whole += share;
                let (_, bases, shares) =
                    sums.entry(rate.id.as_str())
                        .or_insert((rate, Decimal::ZERO, Decimal::ZERO));
                *bases += base;
                *shares += share;
            }
            if tax == DUTY {
                one.duty = Some(whole);
            }
        }
        let mut sums: Vec<_> = sums.into_values().collect();
        sums.sort_by(|(a, ..), (b, ..)| (&a.layer, &a.id).cmp(&(&b.layer, &b.id)));
        for (rate, base, share) in sums {
            self.taxed(tax, rate, base, share);
        }
    }

    fn taxed(&mut self, tax: &str, rate: &Rate, base: Decimal, share: Decimal) {
        let currency = self.cash.currency;
        let mut amount = share;
        // Least and most are of an entry, which the whole order is.
        for (limit, least) in [(rate.least, true), (rate.most, false)] {
            let Some(limit) = limit else { continue };
            let Some(limit) = self.converted(tax, limit) else {
                return;
            };
            amount = if least {
                amount.max(limit)
            } else {
                amount.min(limit)
            };
        }
        let amount = round_cents(amount);
        self.cash.lines.push(CashLine {
            kind: if tax == DUTY {
                CashKind::Duty
            } else {
                CashKind::Tax
            },
            what: tax.to_owned(),
            layer: rate.layer.clone(),
            base: Some(Money::new(round_cents(base), currency)),
            percent: Some(rate.percent),
            cartons: Vec::new(),
            charged: Money::new(amount, currency),
            amount: Some(amount),
            source: rate.source.clone(),
            checked: rate.checked,
        });
    }
}

/// Value of each line at the border. Freight and insurance are shared out by net weight, by value where no weight is known.
/// `None`: freight or insurance are not known, and the country wants them in the value.
fn values(order: &StockingOrder, basis: ValueBasis, carriage: Option<Decimal>) -> Option<Vec<Valued<'_>>> {
    let grams = |line: &OrderLine| Decimal::from(line.goods.unit_net_g.max(0)) * Decimal::from(line.units);
    let weight: Decimal = order.lines.iter().map(grams).sum();
    let value = order.totals().value;
    let share = |line: &OrderLine| {
        if weight > Decimal::ZERO {
            grams(line) / weight
        } else if value > Decimal::ZERO {
            line.value() / value
        } else {
            Decimal::ZERO
        }
    };
    order
        .lines
        .iter()
        .map(|line| {
            let goods = line.value();
            let delivered = carriage.map(|carriage| goods + carriage * share(line));
            Some(Valued {
                line,
                customs: match basis {
                    ValueBasis::Cif => delivered?,
                    ValueBasis::Fob => goods,
                },
                delivered: delivered.unwrap_or(goods),
                duty: None,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
