//! Rule packs as people write them.

use chrono::NaiveDate;
use serde::Deserialize;

use super::{Ask, Category, Flag, Pack, Rule, RuleBook, Words};
use crate::declared::{Faults, Sections};
use crate::order::gate::Level;
use crate::order::model::Mode;
use crate::order::party_id::PartyId;
use crate::problem::{Problem, nearest};

const VERSION: i64 = 1;

/// Packs that ship with linkstar.
const SHIPPED: [(&str, &str); 6] = [
    ("goods.toml", include_str!("../../../config/rules/goods.toml")),
    ("us.toml", include_str!("../../../config/rules/us.toml")),
    ("eu.toml", include_str!("../../../config/rules/eu.toml")),
    ("gb.toml", include_str!("../../../config/rules/gb.toml")),
    ("jp.toml", include_str!("../../../config/rules/jp.toml")),
    ("au.toml", include_str!("../../../config/rules/au.toml")),
];
const KINDS: (&str, &str) = ("kinds.toml", include_str!("../../../config/rules/kinds.toml"));

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPack {
    id: String,
    countries: Vec<String>,
    zh: String,
    en: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    id: String,
    /// The pack it belongs to; the one of the file when it has a single one.
    pack: Option<String>,
    asks: Asks,
    what: Option<String>,
    #[serde(default)]
    or: Vec<String>,
    hours_before_loading: Option<u32>,
    #[serde(default)]
    modes: Vec<Mode>,
    #[serde(default)]
    categories: Vec<String>,
    #[serde(default)]
    flags: Vec<Flag>,
    level: Level,
    zh: String,
    en: String,
    valid_from: NaiveDate,
    valid_to: Option<NaiveDate>,
    source: String,
    checked: Option<NaiveDate>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Asks {
    ImporterId,
    Certificate,
    Registration,
    Filing,
    Forbidden,
    Label,
    Tax,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCategory {
    id: String,
    zh: String,
    en: String,
    #[serde(default)]
    hs: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPaper {
    id: String,
    zh: String,
    en: String,
}

impl RuleBook {
    /// The packs that ship with linkstar.
    ///
    /// # Errors
    /// When one of them is wrong, which a test rules out.
    pub fn shipped() -> Result<Self, Vec<Problem>> {
        let mut book = Self::default();
        book.kinds(KINDS.0, KINDS.1)?;
        let mut problems = Vec::new();
        for (file, text) in SHIPPED {
            if let Err(more) = book.add(file, text) {
                problems.extend(more);
            }
        }
        if problems.is_empty() {
            Ok(book)
        } else {
            Err(problems)
        }
    }

    /// Adds the categories and types of papers of a file.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    fn kinds(&mut self, file: &str, text: &str) -> Result<(), Vec<Problem>> {
        let mut sections = Sections::parse(file, text)?;
        sections.expect_version(VERSION);
        self.take_kinds(&mut sections);
        sections.finish(&["version", "category", "paper"])
    }

    fn take_kinds(&mut self, sections: &mut Sections<'_>) {
        for one in sections.take_each::<WrittenCategory>("category") {
            let category = Category {
                id: one.id.clone(),
                words: Words {
                    zh: one.zh,
                    en: one.en,
                },
                hs: one.hs,
            };
            self.categories.insert(one.id, category);
        }
        for one in sections.take_each::<WrittenPaper>("paper") {
            let words = Words {
                zh: one.zh,
                en: one.en,
            };
            self.papers.insert(one.id, words);
        }
    }

    /// Adds the packs of a file; one with the id of a pack that is there takes its place.
    ///
    /// # Errors
    /// Everything that is wrong with the file at once, each with its line.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), Vec<Problem>> {
        let mut sections = Sections::parse(file, text)?;
        sections.expect_version(VERSION);
        self.take_kinds(&mut sections);
        let mut faults = Faults::new(file, text);
        let mut packs: Vec<Pack> = Vec::new();
        for (place, written) in sections.take_each::<WrittenPack>("pack").into_iter().enumerate() {
            let at = format!("pack[{}]", place + 1);
            if written.countries.is_empty() {
                faults.add(&at, "countries", "", "at least one country, or \"*\"");
            }
            for country in &written.countries {
                let framed = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
                if !framed && country != super::EVERYWHERE {
                    faults.add(
                        &at,
                        "countries",
                        country,
                        "two capital letters, like DE, or \"*\"",
                    );
                }
            }
            if packs.iter().any(|pack| pack.id == written.id) {
                faults.add(&at, "id", &written.id, "an id that stands here once");
            }
            packs.push(Pack {
                id: written.id,
                words: Words {
                    zh: written.zh,
                    en: written.en,
                },
                countries: written.countries,
                rules: Vec::new(),
            });
        }
        let rules: Vec<WrittenRule> = sections.take_each("rule");
        // What could not be read has its own place already, and the numbers of the others have moved.
        sections.finish(&["version", "pack", "rule", "category", "paper"])?;
        for (place, written) in rules.into_iter().enumerate() {
            let at = format!("rule[{}]", place + 1);
            self.rule(&at, written, &mut packs, &mut faults);
        }
        if !faults.problems.is_empty() {
            return Err(faults.problems);
        }
        for pack in packs {
            self.packs.retain(|known| known.id != pack.id);
            self.packs.push(pack);
        }
        Ok(())
    }

    fn rule(&self, at: &str, written: WrittenRule, packs: &mut [Pack], faults: &mut Faults<'_>) {
        let before = faults.problems.len();
        let pack = match (&written.pack, packs) {
            (None, [only]) => Some(only),
            (Some(id), packs) => packs.iter_mut().find(|pack| pack.id == *id),
            (None, _) => None,
        };
        if written.source.trim().is_empty() {
            faults.add(at, "source", "", "who says so: law, contract or page");
        }
        for (field, text) in [("zh", &written.zh), ("en", &written.en)] {
            if text.trim().is_empty() {
                faults.add(at, field, "", "what is asked for, in both languages");
            }
        }
        if let Some(last) = written.valid_to.filter(|last| *last < written.valid_from) {
            let wanted = format!("a day not before {}", written.valid_from);
            faults.add(at, "valid_to", &last.to_string(), &wanted);
        }
        for category in written
            .categories
            .iter()
            .filter(|id| !self.categories.contains_key(*id))
        {
            faults.unknown(at, "categories", category, self.categories.keys());
        }
        let ask = self.ask(at, &written, faults);
        let Some(pack) = pack else {
            let found = written.pack.as_deref().unwrap_or_default();
            faults.add(at, "pack", found, "the id of a [[pack]] of this file");
            return;
        };
        let rule = match ask {
            Some(ask) if faults.problems.len() == before => Rule {
                ask,
                or: written.or,
                words: Words {
                    zh: written.zh,
                    en: written.en,
                },
                id: written.id,
                modes: written.modes,
                categories: written.categories,
                flags: written.flags,
                level: written.level,
                valid_from: written.valid_from,
                valid_to: written.valid_to,
                source: written.source,
                checked: written.checked,
            },
            _ => return,
        };
        let clash = pack.rules.iter().find(|known| {
            known.id == rule.id
                && known.valid_to.is_none_or(|last| rule.valid_from <= last)
                && rule.valid_to.is_none_or(|last| known.valid_from <= last)
        });
        if let Some(clash) = clash {
            let until = clash
                .valid_to
                .map_or_else(|| "for good".to_owned(), |last| format!("until {last}"));
            let wanted = format!(
                "a period of its own: `{}` holds from {} {until}",
                rule.id, clash.valid_from
            );
            faults.add(at, "valid_from", &rule.valid_from.to_string(), &wanted);
            return;
        }
        pack.rules.push(rule);
    }

    fn ask(&self, at: &str, written: &WrittenRule, faults: &mut Faults<'_>) -> Option<Ask> {
        let what = written.what.clone().unwrap_or_default();
        if what.is_empty() && !matches!(written.asks, Asks::Forbidden) {
            faults.add(at, "what", "", "the name of what is asked for");
            return None;
        }
        if written.hours_before_loading.is_some() != matches!(written.asks, Asks::Filing) {
            let found = written
                .hours_before_loading
                .map(|hours| hours.to_string())
                .unwrap_or_default();
            let wanted = "hours with `asks = \"filing\"`, and nowhere else";
            faults.add(at, "hours_before_loading", &found, wanted);
        }
        match written.asks {
            Asks::ImporterId => {
                let id = PartyId::parse(&what);
                if id.is_none() {
                    faults.unknown(at, "what", &what, &PartyId::ALL.map(|id| id.code().to_owned()));
                }
                id.map(Ask::ImporterId)
            }
            Asks::Certificate | Asks::Registration => {
                for (field, paper) in [("what", &what)]
                    .into_iter()
                    .chain(written.or.iter().map(|paper| ("or", paper)))
                    .filter(|(_, paper)| !self.papers.contains_key(*paper))
                {
                    faults.unknown(at, field, paper, self.papers.keys());
                }
                Some(match written.asks {
                    Asks::Certificate => Ask::Certificate(what),
                    _ => Ask::Registration(what),
                })
            }
            Asks::Filing => Some(Ask::Filing {
                name: what,
                hours_before_loading: written.hours_before_loading?,
            }),
            Asks::Forbidden => Some(Ask::Forbidden),
            Asks::Label => Some(Ask::Label(what)),
            Asks::Tax => Some(Ask::Tax(what)),
        }
    }
}

impl Faults<'_> {
    fn unknown<'k>(
        &mut self,
        at: &str,
        field: &str,
        found: &str,
        known: impl IntoIterator<Item = &'k String>,
    ) {
        let near = nearest(found, known.into_iter().map(String::as_str))
            .map(|near| format!("; did you mean `{near}`?"))
            .unwrap_or_default();
        self.add(at, field, found, &format!("a known name{near}"));
    }
}
