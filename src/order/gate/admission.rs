//! Whether the goods may enter: registrations, certificates and what is forbidden (R7, R25, R26).

use chrono::NaiveDate;
use serde::Serialize;

use super::finding::{SKU_PLACE, rule_places};
use super::{Finding, Gate, Level, Scene};
use crate::ids::Sku;
use crate::order::certificate::Certificate;
use crate::order::customs::PartyRole;
use crate::order::model::OrderLine;
use crate::order::rules::{Ask, Concern, Pack, Rule};

/// How goods stand against one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Admission {
    Ok,
    Missing,
    Expired,
    NotNeeded,
    /// Nobody has said what the goods are: whether it is needed is not known.
    Unclassified,
}

/// One line of goods against one rule, with the evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Admitted {
    pub sku: Sku,
    /// `pack/rule`.
    pub rule: String,
    /// The type of paper asked for.
    pub paper: String,
    pub state: Admission,
    /// Number of the paper that answers it, or that did.
    pub evidence: String,
    pub until: Option<NaiveDate>,
}

/// Every line against every rule that asks for a paper.
#[must_use]
pub fn admissions(scene: &Scene<'_>) -> Vec<Admitted> {
    let mut all = Vec::new();
    for (pack, rule, paper) in paper_rules(scene) {
        for line in &scene.order.lines {
            let (state, certificate) = judge(scene, rule, paper, line);
            let evidence = match certificate {
                Some(certificate) => certificate.number.clone(),
                None if state == Admission::Ok => responsible(scene),
                None => String::new(),
            };
            all.push(Admitted {
                sku: line.goods.sku.clone(),
                rule: format!("{}/{}", pack.id, rule.id),
                paper: paper.to_owned(),
                state,
                evidence,
                until: certificate.and_then(|certificate| certificate.valid_to),
            });
        }
    }
    all
}

fn paper_rules<'a>(scene: &'a Scene<'_>) -> impl Iterator<Item = (&'a Pack, &'a Rule, &'a str)> {
    scene
        .rules
        .rules(scene.country(), scene.order.mode, scene.order.ship_by)
        .filter_map(|(pack, rule)| match &rule.ask {
            Ask::Certificate(paper) | Ask::Registration(paper) => Some((pack, rule, paper.as_str())),
            _ => None,
        })
}

const RESPONSIBLE_PERSON: &str = "responsible_person";

/// The party that stands in for the registration, where the order names him.
fn responsible(scene: &Scene<'_>) -> String {
    scene
        .order
        .party(PartyRole::ResponsiblePerson)
        .map_or_else(String::new, |party| party.name.clone())
}

/// The best paper there is: one that holds, else the one that ended last.
fn judge<'a>(
    scene: &Scene<'a>,
    rule: &Rule,
    paper: &str,
    line: &OrderLine,
) -> (Admission, Option<&'a Certificate>) {
    match rule.speaks_of(&line.goods) {
        Concern::No => return (Admission::NotNeeded, None),
        Concern::Unknown => return (Admission::Unclassified, None),
        Concern::Yes => {}
    }
    if paper == RESPONSIBLE_PERSON && !responsible(scene).is_empty() {
        return (Admission::Ok, None);
    }
    let (sku, category) = (&line.goods.sku, line.goods.customs.category.as_str());
    let fitting = scene.certificates.iter().filter(|certificate| {
        (certificate.kind == paper || rule.or.contains(&certificate.kind))
            && certificate.covers(sku, category, scene.country())
    });
    let day = scene.order.ship_by;
    let mut best: Option<&Certificate> = None;
    for certificate in fitting {
        let rank = |one: &Certificate| (one.holds_on(day), one.valid_to.unwrap_or(NaiveDate::MAX));
        if best.is_none_or(|known| rank(certificate) > rank(known)) {
            best = Some(certificate);
        }
    }
    match best {
        Some(certificate) if certificate.holds_on(day) => (Admission::Ok, best),
        Some(certificate) if certificate.valid_to.is_some_and(|last| last < day) => {
            (Admission::Expired, best)
        }
        // One that begins only after the goods have left is none.
        Some(_) | None => (Admission::Missing, None),
    }
}

pub(super) fn examine(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let order = scene.order;
    let country = scene.country();
    if !scene.rules.knows(country) {
        findings.push(Finding::new(
            (Gate::Admission, Level::Hold),
            order,
            "",
            ("deliver_to.address.country", country),
            ("no_pack", &[("country", country)]),
        ));
    }
    unclassified(scene, findings);
    forbidden(scene, findings);
    for (pack, rule, paper) in paper_rules(scene) {
        let gate = match rule.ask {
            Ask::Certificate(_) => Gate::Certificates,
            _ => Gate::Admission,
        };
        let words = rule_places(pack, rule);
        let words = words.each_ref().map(|(name, value)| (*name, value.as_str()));
        // What is asked of whatever is shipped is asked once; else of every line.
        let of_all =
            matches!(rule.ask, Ask::Registration(_)) && rule.categories.is_empty() && rule.flags.is_empty();
        for line in &order.lines {
            let place = if of_all {
                String::new()
            } else {
                format!("{SKU_PLACE}{}", line.goods.sku)
            };
            let mut tell = |level, found: &str, key: &str, more: &[(&str, &str)]| {
                let mut places = words.to_vec();
                places.extend(more);
                findings.push(Finding::new(
                    (gate, level),
                    order,
                    &place,
                    (paper, found),
                    (key, &places),
                ));
            };
            let day = order.ship_by.to_string();
            match judge(scene, rule, paper, line) {
                (Admission::Missing, _) => tell(rule.level, "", "rule", &[]),
                (Admission::Expired, Some(certificate)) => {
                    let last = certificate
                        .valid_to
                        .map_or_else(String::new, |last| last.to_string());
                    let found = format!("{}, until {last}", certificate.number);
                    tell(Level::Block, &found, "paper.expired", &[("day", &day)]);
                }
                (Admission::Ok, Some(certificate)) => {
                    if let Some(last) = certificate.valid_to.filter(|last| *last < order.eta) {
                        let found = format!("{}, until {last}", certificate.number);
                        let eta = order.eta.to_string();
                        tell(Level::Warn, &found, "paper.ends", &[("day", &eta)]);
                    }
                }
                _ => {}
            }
        }
    }
}

/// Goods that nobody has classified, with what their tariff code hints at.
fn unclassified(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    for line in &scene.order.lines {
        let goods = &line.goods;
        let category = goods.customs.category.as_str();
        if scene.rules.categories.contains_key(category) {
            continue;
        }
        let hint = scene
            .rules
            .hint(&goods.hs_cn)
            .or_else(|| scene.rules.hint(&goods.hs_destination));
        let (key, id) = match hint {
            Some(hint) => ("category_hint", hint.id.as_str()),
            None => ("category", ""),
        };
        findings.push(Finding::new(
            (Gate::Admission, Level::Hold),
            scene.order,
            format!("{SKU_PLACE}{}", goods.sku),
            ("category", category),
            (key, &[("hint", id)]),
        ));
    }
}

fn forbidden(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let order = scene.order;
    let rules = scene
        .rules
        .rules(scene.country(), order.mode, order.ship_by)
        .filter(|(_, rule)| rule.ask == Ask::Forbidden);
    for (pack, rule) in rules {
        let words = rule_places(pack, rule);
        let words = words.each_ref().map(|(name, value)| (*name, value.as_str()));
        for line in &order.lines {
            if rule.speaks_of(&line.goods) == Concern::Yes {
                findings.push(Finding::new(
                    (Gate::Admission, rule.level),
                    order,
                    format!("{SKU_PLACE}{}", line.goods.sku),
                    ("category", &line.goods.customs.category),
                    ("forbidden", &words),
                ));
            }
        }
    }
}
