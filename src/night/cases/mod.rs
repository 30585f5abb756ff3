//! Cases and claims of real orders (R68–R70): opened and kept true by the reconciliation, drafted and told on by people.

mod evidence;
mod follow;
mod scene;
mod timing;

use chrono::NaiveDate;

use super::{Night, NightError};
use crate::catalog::Catalog;
use crate::claim::amount::{self, Amount, Ground, NoAmount, amount};
use crate::claim::case::{Case, CaseState};
use crate::claim::rules::{NoRule, Regime, Scope};
use crate::claim::state::{Claim, Claimed};
use crate::claim::window::{NoWindow, Window, window};
use crate::claim::{LossKind, Party};
use crate::money::Currency;
use crate::store::{Tx, claims};
use crate::wording::{Lang, text};

pub use evidence::{asked_of, dossier, named};
pub use follow::{Followed, follow, look_again, open_by_hand};
pub use scene::{More, Scene, World, scene, scene_of_claim};

/// Under which rules insurers pay: the policies are rows of their own.
pub const INSURANCE: &str = "insurance";

/// Why nobody can be asked yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotYet {
    #[error(transparent)]
    Rule(#[from] NoRule),
    #[error(transparent)]
    Window(#[from] NoWindow),
    #[error(transparent)]
    Amount(#[from] NoAmount),
    #[error("nobody is named yet: assign the case first")]
    Nobody,
    #[error("nobody knows for which day the goods were promised")]
    NoPromise,
    #[error("a policy pays for goods that are gone or broken, not for a {0}")]
    NotInsured(&'static str),
    #[error(
        "no rules say what a {party} owes here: put the contract into [claims] rules, or name them with --regime ({known})"
    )]
    NoRegime { party: &'static str, known: String },
    #[error("`{regime}` is about a {of}, not a {party}")]
    OtherParty {
        regime: String,
        of: &'static str,
        party: &'static str,
    },
}

impl Scene {
    fn scope<'a>(&'a self, country: &'a str) -> Scope<'a> {
        let order = &self.stored.order;
        Scope {
            mode: order.mode,
            country,
            warehouse: &order.warehouse,
            forwarder: order.forwarder.as_str(),
        }
    }

    /// The rules a party is asked under: those that were named, else those that say most of the order.
    ///
    /// # Errors
    /// [`NotYet`] when there are none.
    pub fn regime<'r>(
        &self,
        night: &'r Night<'_>,
        party: Party,
        named: Option<&str>,
    ) -> Result<&'r Regime, NotYet> {
        let rules = &night.tools.claims;
        if let Some(named) = named {
            let regime = rules
                .regime(named)
                .ok_or_else(|| NoRule::Regime(named.to_owned()))?;
            if regime.against != party {
                return Err(NotYet::OtherParty {
                    regime: named.to_owned(),
                    of: regime.against.code(),
                    party: party.code(),
                });
            }
            return Ok(regime);
        }
        let fitting = rules.against(party, self.scope(&self.country));
        // Of those that say as much of the order, one that knows of such cases.
        let speaks = |regime: &&&Regime| rules.speaks_of(&regime.id, self.case.subject.kind);
        fitting
            .iter()
            .find(speaks)
            .or(fitting.first())
            .copied()
            .ok_or_else(|| NotYet::NoRegime {
                party: party.code(),
                known: rules.ids().join(", "),
            })
    }

    /// From when until when a party may be asked.
    ///
    /// # Errors
    /// [`NotYet`] names the row or the day that is missing.
    pub fn window(
        &self,
        night: &Night<'_>,
        (party, named): (Party, Option<&str>),
        claim: Option<&Claim>,
    ) -> Result<Window, NotYet> {
        let regime = self.regime(night, party, named)?;
        let of = |kind: LossKind| {
            window(
                &night.tools.claims,
                &regime.id,
                (kind, &self.country),
                &self.days(claim),
                night.today(),
            )
        };
        let mut narrowest = of(self.case.subject.kind)?;
        for kind in &self.beside {
            narrowest = narrowest.and(of(*kind)?);
        }
        Ok(narrowest)
    }

    /// While nobody is named, the shortest time that any of those has who may have been it.
    #[must_use]
    pub fn nearest_last_day(&self, night: &Night<'_>) -> Option<NaiveDate> {
        let proposal = self.case.proposal.as_ref();
        let candidates = proposal.map_or(&[][..], |proposal| &proposal.candidates);
        let windows = candidates
            .iter()
            .filter_map(|party| self.window(night, (*party, None), None).ok());
        windows.map(|window| window.last_day).min()
    }

    /// How much a party may be asked for.
    ///
    /// # Errors
    /// [`NotYet`] names what is not known.
    pub fn amount(
        &self,
        night: &Night<'_>,
        (party, named): (Party, Option<&str>),
        lines: &[Claimed],
        more: &More,
        on: NaiveDate,
    ) -> Result<Amount, NotYet> {
        let rules = &night.tools.claims;
        let days = self.days(None);
        // The rule of the day the goods were lost, at the rate of the day somebody asks.
        let lost_on = days.delivered.or(days.shipped).unwrap_or(on);
        let loss = self.loss(lines, more);
        let currency: Currency = more.currency.unwrap_or(self.stored.order.currency);
        let kind = self.case.subject.kind;
        if kind.is_of_time() && party == Party::Insurer {
            return Err(NotYet::NotInsured(kind.code()));
        }
        match kind {
            LossKind::MissedSlot => {
                return Ok(amount::slots(rules, &self.case.slots, more.fee, currency, on)?);
            }
            LossKind::Delay => {
                let regime = self.regime(night, party, named)?;
                let shipped = days.shipped.unwrap_or(on);
                let rule = rules.late(&regime.id, shipped)?;
                let gross_g = self.stored.order.totals().gross_g;
                let stated = more.freight.map(|freight| amount::Freight {
                    charges: vec![freight],
                    basis: amount::FreightBasis::Stated,
                });
                let late = amount::Lateness {
                    days: self.days_late(on)?,
                    gross_g,
                    freight: stated.or_else(|| self.freight.clone()),
                };
                return Ok(amount::late(rules, rule, &late, currency, on)?);
            }
            LossKind::Loss | LossKind::Damage => {}
        }
        let ground = if party == Party::Insurer {
            Ground::Policy(rules.policy(self.stored.order.mode, days.shipped.unwrap_or(on))?)
        } else {
            let regime = self.regime(night, party, named)?;
            Ground::Limit(rules.limit(&regime.id, lost_on)?)
        };
        Ok(amount(rules, ground, &loss, currency, on)?)
    }
}

/// A case as a list shows it.
pub struct Standing {
    pub case: Case,
    pub claims: Vec<Claim>,
    /// To ask whoever is asked; the nearest of all that may be while nobody is named.
    pub last_day: Option<NaiveDate>,
}

impl Standing {
    /// The claim that somebody is still to answer or pay, else the last one.
    #[must_use]
    pub fn claim(&self) -> Option<&Claim> {
        let running = self.claims.iter().rev().find(|claim| claim.state.is_running());
        running.or_else(|| self.claims.last())
    }

    /// Who is asked: decided, or proposed.
    #[must_use]
    pub fn party_text(&self, lang: Lang) -> String {
        let claimed = self.claim().map(|claim| claim.asked.party);
        match (claimed.or(self.case.party), &self.case.proposal) {
            (Some(party), _) => party.text(lang),
            (None, Some(proposal)) if proposal.party.is_some() => {
                let party = proposal.party_text(lang);
                text(lang, "cli.case.proposed", &[("party", &party)])
            }
            _ => text(lang, "claim.party.undetermined", &[]),
        }
    }

    /// How far it is: the claim's state, else the case's.
    #[must_use]
    pub fn state_text(&self, lang: Lang) -> String {
        match self.claim() {
            Some(claim) => text(lang, &format!("cli.claim.state.{}", claim.state.code()), &[]),
            None => text(lang, &format!("cli.case.state.{}", self.case.state.code()), &[]),
        }
    }
}

/// Open cases, or all, the one with the nearest last day first and those without one last.
///
/// # Errors
/// When the store fails.
pub async fn standing(
    night: &Night<'_>,
    tx: &mut Tx,
    catalog: &Catalog,
    all: bool,
) -> Result<Vec<Standing>, NightError> {
    let account = night.account();
    let world = World::load(night, tx, catalog).await?;
    let every = claims::claims(tx, account).await?;
    let mut found = Vec::new();
    for case in claims::cases(tx, account).await? {
        if case.state == CaseState::Closed && !all {
            continue;
        }
        let own: Vec<Claim> = every
            .iter()
            .filter(|claim| claim.asked.is_about(&case.number))
            .cloned()
            .collect();
        let Some(scene) = scene(night, tx, &world, case).await? else {
            continue;
        };
        let running = own.iter().rev().find(|claim| claim.state.is_running());
        let party = running
            .map(|claim| claim.asked.party)
            .or_else(|| scene.case.against());
        let last_day = match party {
            Some(party) => {
                let window = scene.window(night, (party, running.and_then(named)), running);
                window.ok().map(|window| window.last_day)
            }
            None => scene.nearest_last_day(night),
        };
        found.push(Standing {
            case: scene.case,
            claims: own,
            last_day,
        });
    }
    found.sort_by(|a, b| {
        (a.last_day.is_none(), a.last_day, &a.case.number).cmp(&(
            b.last_day.is_none(),
            b.last_day,
            &b.case.number,
        ))
    });
    Ok(found)
}
