//! Parties and their numbers (R3).

use super::finding::rule_places;
use super::{Finding, Gate, Level, Scene};
use crate::order::customs::PartyRole;
use crate::order::model::Party;
use crate::order::party_id::{self, PartyId, Verdict};
use crate::order::rules::Ask;

pub(super) fn examine(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let order = scene.order;
    let mut tell = |level, field: &str, found: &str, words: (&str, &[(&str, &str)])| {
        findings.push(Finding::new(
            (Gate::Documents, level),
            order,
            "",
            (field, found),
            words,
        ));
    };
    let country = scene.country();
    for (pack, rule) in scene.rules.rules(country, order.mode, order.ship_by) {
        let Ask::ImporterId(id) = &rule.ask else { continue };
        if id.of(&order.importer).is_empty() {
            let places = rule_places(pack, rule);
            let places = places.each_ref().map(|(name, value)| (*name, value.as_str()));
            tell(
                rule.level,
                &format!("importer.{}", id.code()),
                "",
                ("rule", &places),
            );
        }
    }
    for (role, party, home) in [
        ("shipper", &order.shipper, order.shipper.address.country.as_str()),
        ("importer", &order.importer, country),
    ] {
        for id in PartyId::ALL {
            let number = id.of(party);
            if number.is_empty() {
                continue;
            }
            let field = format!("{role}.{}", id.code());
            match party_id::judge(id, number, home) {
                Verdict::Fine => {}
                Verdict::Wrong(key) => tell(
                    Level::Block,
                    &field,
                    number,
                    (&format!("id.{key}"), &[("country", home)]),
                ),
                Verdict::Doubtful(key) => tell(
                    Level::Warn,
                    &field,
                    number,
                    (&format!("id.{key}"), &[("country", home)]),
                ),
            }
            let period = party.valid.get(&id).copied().unwrap_or_default();
            // On the day the goods leave, and not on the day of the order.
            let day = order.ship_by.to_string();
            if let Some(last) = period.to.filter(|last| *last < order.ship_by) {
                let found = format!("{number}, until {last}");
                tell(Level::Block, &field, &found, ("id.expired", &[("day", &day)]));
            }
            if let Some(first) = period.from.filter(|first| *first > order.ship_by) {
                let found = format!("{number}, from {first}");
                tell(Level::Block, &field, &found, ("id.not_yet", &[("day", &day)]));
            }
        }
        if !party.ioe.is_empty() {
            tell(Level::Warn, &format!("{role}.ioe"), &party.ioe, ("id.ioe", &[]));
        }
    }
    if let Some(consignee) = order.parties.get(&PartyRole::Consignee)
        && !same_entity(consignee, &order.importer)
    {
        tell(
            Level::Block,
            "parties.consignee",
            &consignee.name,
            ("consignee", &[("importer", order.importer.name.as_str())]),
        );
    }
}

/// Whether two papers mean one legal person: by a number both have, else by name.
fn same_entity(a: &Party, b: &Party) -> bool {
    for id in PartyId::ALL {
        let (left, right) = (id.of(a), id.of(b));
        if !left.is_empty() && !right.is_empty() {
            return left.eq_ignore_ascii_case(right);
        }
    }
    let plain = |name: &str| {
        name.chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect::<String>()
    };
    plain(&a.name) == plain(&b.name)
}
