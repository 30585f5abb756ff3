//! Open cases as the mail has them.

use std::collections::BTreeSet;

use linkstar::report::CaseSummary;
use linkstar::wording::{Lang, text};

use super::fixture::{ahead, sku, warehouse};

pub fn of(lang: Lang) -> Vec<CaseSummary> {
    let case = |number: &str, at: &str, units, party: &str, state: &str| CaseSummary {
        number: number.to_owned(),
        warehouse: warehouse(at),
        skus: BTreeSet::from([sku("22423")]),
        units,
        party: text(lang, &format!("claim.party.{party}"), &[]),
        state: text(lang, &format!("cli.{state}"), &[]),
        last_day: None,
    };
    vec![
        CaseSummary {
            last_day: Some(ahead(9)),
            ..case(
                "SO-2026-0041-L",
                "goodcang:UKMA",
                48,
                "warehouse",
                "claim.state.draft",
            )
        },
        case(
            "SO-2026-0044-D",
            "amazon:GB",
            3,
            "undetermined",
            "case.state.open",
        ),
    ]
}
