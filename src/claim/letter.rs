//! The words of a dossier: facts and figures in both languages, nobody accused of anything.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::dossier::{Blocks, Facts, Item, Listed};
use super::paper::Block;
use crate::money::{Currency, Money};
use crate::wording::{Lang, text};

const LANGS: [Lang; 2] = [Lang::Zh, Lang::En];

fn both(key: &str, places: &[(&str, String)]) -> String {
    let [zh, en] = LANGS.map(|lang| filled(lang, key, places));
    if zh == en { zh } else { format!("{zh} / {en}") }
}

fn filled(lang: Lang, key: &str, places: &[(&str, String)]) -> String {
    let places: Vec<(&str, &str)> = places
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    text(lang, key, &places)
}

fn head(keys: &[&str]) -> Vec<String> {
    keys.iter()
        .map(|key| both(&format!("claim.head.{key}"), &[]))
        .collect()
}

/// Chinese first, then English, one page each or more.
pub(super) fn letter(facts: &Facts<'_>) -> Blocks {
    let mut blocks = one(Lang::Zh, facts);
    blocks.push(Block::NewPage);
    blocks.extend(one(Lang::En, facts));
    blocks
}

fn one(lang: Lang, facts: &Facts<'_>) -> Blocks {
    let asked = &facts.claim.asked;
    let say = |key: &str, places: &[(&str, String)]| filled(lang, &format!("claim.letter.{key}"), places);
    let regime = match lang {
        Lang::Zh => facts.regime.0,
        Lang::En => facts.regime.1,
    };
    let day = facts
        .claim
        .submitted_on
        .unwrap_or_else(|| facts.claim.drafted_at.date_naive());
    let count = |units: Option<i64>| {
        units.map_or_else(
            || filled(lang, "claim.letter.unknown", &[]),
            |units| units.to_string(),
        )
    };
    let mut blocks = vec![
        Block::Title(say("title", &[("claim", facts.claim.number.clone())])),
        Block::Text(say(
            "parties",
            &[
                ("to", facts.to.to_owned()),
                ("from", facts.seller.to_owned()),
                ("date", day.to_string()),
            ],
        )),
        Block::Text(say(
            "subject",
            &[
                ("order", asked.order.to_string()),
                ("warehouse", asked.warehouse.to_string()),
                (
                    "ticket",
                    facts.claim.ticket.clone().unwrap_or_else(|| "-".to_owned()),
                ),
            ],
        )),
        Block::Heading(say("what", &[])),
    ];
    let places = [
        ("shipped", facts.shipped.to_string()),
        ("received", count(facts.received)),
        ("damaged", count(facts.damaged)),
        ("units", asked.units().to_string()),
        ("kind", asked.kinds_text(lang)),
    ];
    let of_time = asked.kind.is_of_time();
    blocks.push(Block::Text(say(if of_time { "time" } else { "counts" }, &places)));
    let happened = facts
        .case
        .happened(lang, chrono_tz::UTC, facts.claim.drafted_at.date_naive());
    blocks.extend(happened.into_iter().map(|text| Block::Text(format!("· {text}"))));
    let mut rows = vec![
        ["sku", "units", "carton", "difference"]
            .map(|key| filled(lang, &format!("claim.head.{key}"), &[]))
            .to_vec(),
    ];
    rows.extend(asked.lines.iter().map(|line| {
        vec![
            line.sku.to_string(),
            line.units.to_string(),
            facts
                .case
                .lines
                .get(&line.difference)
                .and_then(|missing| missing.carton.clone())
                .unwrap_or_else(|| "-".to_owned()),
            line.difference.clone(),
        ]
    }));
    blocks.push(Block::Table {
        shares: vec![30, 12, 32, 26],
        rows,
    });
    let agreed = facts.case.proposal.as_ref();
    // A proposal that names somebody else is no fact to tell.
    if let Some(proposal) = agreed.filter(|proposal| proposal.party == Some(asked.party)) {
        blocks.push(Block::Heading(say("course", &[])));
        blocks.push(Block::Text(proposal.text(lang)));
    }
    blocks.push(Block::Heading(say("amount", &[])));
    let mut rows = vec![
        ["term", "amount"]
            .map(|key| filled(lang, &format!("claim.head.{key}"), &[]))
            .to_vec(),
    ];
    rows.extend(
        asked
            .amount
            .terms
            .iter()
            .map(|term| vec![term.text(lang), format!("{:.2}", term.amount)]),
    );
    rows.push(vec![say("total", &[]), asked.amount.total.to_string()]);
    blocks.push(Block::Table {
        shares: vec![76, 24],
        rows,
    });
    blocks.push(Block::Note(say(
        "basis",
        &[
            ("regime", regime.to_owned()),
            ("row", asked.amount.row.clone()),
            ("source", asked.amount.source.clone()),
        ],
    )));
    if let Some(window) = facts.window {
        let last = ("to", window.last_day.to_string());
        let text = match window.not_before {
            Some(first) => say("window", &[("from", first.to_string()), last]),
            None => say("until", &[last]),
        };
        blocks.push(Block::Note(text));
    }
    blocks.push(Block::Heading(say("request", &[])));
    blocks.push(Block::Text(say(
        if of_time { "please_time" } else { "please" },
        &[],
    )));
    blocks.push(Block::Text(say(
        "papers",
        &[(
            "n",
            facts
                .items
                .iter()
                .filter(|item| item.tag.may_leave())
                .count()
                .to_string(),
        )],
    )));
    blocks.push(Block::Space);
    blocks.push(Block::Text(facts.seller.to_owned()));
    blocks
}

/// Several claims against one party, each on its line, and what they come to in each currency.
pub(super) fn cover(several: &[&Facts<'_>]) -> Blocks {
    let mut blocks = Blocks::new();
    for lang in LANGS {
        if !blocks.is_empty() {
            blocks.push(Block::NewPage);
        }
        let say = |key: &str, places: &[(&str, String)]| filled(lang, &format!("claim.cover.{key}"), places);
        let one = several.first();
        blocks.push(Block::Title(say("title", &[("n", several.len().to_string())])));
        blocks.push(Block::Text(say(
            "parties",
            &[
                ("to", one.map_or("", |facts| facts.to).to_owned()),
                ("from", one.map_or("", |facts| facts.seller).to_owned()),
            ],
        )));
        let mut rows = vec![
            ["claim", "order", "kind", "units", "last_day", "amount"]
                .map(|key| say(key, &[]))
                .to_vec(),
        ];
        let mut sums: BTreeMap<Currency, (i64, Decimal)> = BTreeMap::new();
        for facts in several {
            let asked = &facts.claim.asked;
            let total = asked.amount.total;
            let sum = sums.entry(total.currency).or_default();
            *sum = (sum.0 + asked.units(), sum.1 + total.amount);
            rows.push(vec![
                facts.claim.number.clone(),
                asked.order.to_string(),
                asked.kinds_text(lang),
                asked.units().to_string(),
                facts
                    .window
                    .map_or_else(|| "-".to_owned(), |window| window.last_day.to_string()),
                total.to_string(),
            ]);
        }
        for (currency, (units, amount)) in sums {
            let sum = Money::new(amount, currency).to_string();
            let blank = String::new;
            rows.push(vec![
                say("total", &[]),
                blank(),
                blank(),
                units.to_string(),
                blank(),
                sum,
            ]);
        }
        blocks.push(Block::Table {
            shares: vec![23, 19, 15, 9, 15, 19],
            rows,
        });
        blocks.push(Block::Text(say("each", &[])));
    }
    blocks
}

/// What is in the file, what happened, and the page of what is not there.
pub(super) fn index(facts: &Facts<'_>, listed: &[Listed<'_>], withheld: &[&Item]) -> Blocks {
    let asked = &facts.claim.asked;
    let mut blocks = vec![
        Block::Title(both(
            "claim.index.title",
            &[("claim", facts.claim.number.clone())],
        )),
        Block::Table {
            shares: vec![38, 62],
            rows: vec![
                head(&["what", "value"]),
                vec![both("claim.index.order", &[]), asked.order.to_string()],
                vec![both("claim.index.warehouse", &[]), asked.warehouse.to_string()],
                vec![
                    both("claim.index.party", &[]),
                    format!(
                        "{} / {}: {}",
                        asked.party.text(Lang::Zh),
                        asked.party.text(Lang::En),
                        facts.to
                    ),
                ],
                vec![
                    both("claim.index.regime", &[]),
                    format!("{} / {}", facts.regime.0, facts.regime.1),
                ],
                vec![both("claim.index.units", &[]), asked.units().to_string()],
                vec![both("claim.index.amount", &[]), asked.amount.total.to_string()],
            ],
        },
        Block::Heading(both("claim.index.papers", &[])),
    ];
    let mut rows = vec![head(&["number", "paper", "file", "sha256"])];
    rows.extend(listed.iter().enumerate().map(|(number, one)| {
        let mut name = one.path.clone();
        if !one.item.note.is_empty() {
            name.push_str(" · ");
            name.push_str(&one.item.note);
        }
        vec![
            (number + 1).to_string(),
            LANGS.map(|lang| one.item.paper.text(lang)).join(" / "),
            name,
            one.sha256.clone(),
        ]
    }));
    blocks.push(Block::Table {
        shares: vec![8, 26, 36, 30],
        rows,
    });
    if !facts.happened.is_empty() {
        blocks.push(Block::Heading(both("claim.index.happened", &[])));
        let mut rows = vec![head(&["time", "event", "source"])];
        let mut happened: Vec<_> = facts.happened.iter().collect();
        happened.sort();
        rows.extend(happened.into_iter().map(|one| {
            vec![
                one.at.format("%Y-%m-%d %H:%M UTC").to_string(),
                LANGS.map(|lang| one.text(lang)).join(" / "),
                one.source.clone(),
            ]
        }));
        blocks.push(Block::Table {
            shares: vec![26, 50, 24],
            rows,
        });
    }
    let nothing = facts.missing.is_empty() && withheld.is_empty() && asked.amount.uncovered.is_empty();
    if nothing {
        blocks.push(Block::Text(both("claim.index.complete", &[])));
        return blocks;
    }
    blocks.push(Block::NewPage);
    blocks.push(Block::Title(both("claim.index.missing", &[])));
    for paper in facts.missing {
        blocks.push(Block::Text(format!(
            "· {}",
            LANGS.map(|lang| paper.text(lang)).join(" / ")
        )));
    }
    for uncovered in &asked.amount.uncovered {
        blocks.push(Block::Text(format!(
            "· {}",
            LANGS.map(|lang| uncovered.text(lang)).join(" / ")
        )));
    }
    if !withheld.is_empty() {
        blocks.push(Block::Heading(both("claim.index.withheld", &[])));
        for item in withheld {
            // The name of what must not leave may itself be what must not leave.
            blocks.push(Block::Text(format!(
                "· {} ({})",
                LANGS.map(|lang| item.paper.text(lang)).join(" / "),
                both(&format!("claim.tag.{}", item.tag.code()), &[])
            )));
        }
    }
    blocks
}

/// The same words without a form.
pub(super) fn text_of(blocks: &[Block]) -> String {
    let mut out = String::new();
    for block in blocks {
        match block {
            Block::Title(text) => out.push_str(&format!("{text}\n{}\n\n", "=".repeat(40))),
            Block::Heading(text) => out.push_str(&format!("\n{text}\n{}\n", "-".repeat(40))),
            Block::Text(text) | Block::Note(text) => out.push_str(&format!("{text}\n")),
            Block::Table { rows, .. } => {
                for row in rows {
                    out.push_str(&format!("{}\n", row.join(" | ")));
                }
            }
            Block::Space => out.push('\n'),
            Block::NewPage => out.push_str("\n\n"),
        }
    }
    out
}
