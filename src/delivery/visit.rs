//! Whether a file in somebody else's folder is whole: it has stood still, from one visit to the next or within one.

use std::collections::BTreeMap;

/// How a file looks from outside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sight {
    pub name: String,
    pub size: u64,
    /// Unix milliseconds; 0 when the other side says no time.
    pub modified: i64,
}

/// What the visits before this one saw of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    pub sight: Sight,
    /// It has looked so for the settling time.
    pub settled: bool,
    /// It was seen so within the last hour.
    pub recent: bool,
    /// Its bytes, when they were taken.
    pub sha256: Option<String>,
}

/// What to make of a file that looks like this now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    Stands,
    /// Its bytes are here.
    Taken(String),
    /// Nobody knows: it is looked at again, after a pause in this visit or in the next one.
    Unsure,
    /// It looked otherwise a while ago: the next visit looks again.
    Changing,
}

/// One visit to a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Visit {
    before: BTreeMap<String, Earlier>,
    short: bool,
}

impl Visit {
    /// The night's visit: what earlier ones saw counts, what they did not see is looked at twice, and everything is
    /// read again, whatever was taken before.
    #[must_use]
    pub fn thorough(before: impl IntoIterator<Item = Earlier>) -> Self {
        Self::new(before, false)
    }

    /// A visit between two nights: one look, no pause; a file is taken by the visit that finds it as the one before
    /// left it, and what was taken is not read again.
    #[must_use]
    pub fn short(before: impl IntoIterator<Item = Earlier>) -> Self {
        Self::new(before, true)
    }

    fn new(before: impl IntoIterator<Item = Earlier>, short: bool) -> Self {
        let before = before
            .into_iter()
            .map(|earlier| (earlier.sight.name.clone(), earlier))
            .collect();
        Self { before, short }
    }

    #[must_use]
    pub fn judge(&self, now: &Sight) -> Standing {
        match self.before.get(&now.name) {
            Some(earlier) if earlier.sight == *now => match &earlier.sha256 {
                Some(sha256) if self.short => Standing::Taken(sha256.clone()),
                _ if earlier.settled => Standing::Stands,
                _ => Standing::Unsure,
            },
            // In a folder that is seldom visited a file of the same name is another file.
            Some(earlier) if earlier.recent || self.short => Standing::Changing,
            _ => Standing::Unsure,
        }
    }

    /// Whether what is unsure is looked at again after a pause.
    #[must_use]
    pub fn looks_twice(&self) -> bool {
        !self.short
    }

    /// Whether the file stands, after `first` was seen before the pause, if there was one.
    #[must_use]
    pub fn decide(&self, first: Option<&Sight>, now: &Sight) -> Standing {
        match self.judge(now) {
            Standing::Unsure if !self.short && first == Some(now) => Standing::Stands,
            // Unsure at the first look, and other than that at the second.
            Standing::Unsure if !self.short => Standing::Changing,
            // Changed within the pause.
            Standing::Stands if first.is_some_and(|first| first != now) => Standing::Changing,
            judged => judged,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sight(size: u64) -> Sight {
        Sight {
            name: "a.csv".to_owned(),
            size,
            modified: 7,
        }
    }

    fn earlier(settled: bool, recent: bool, sha256: Option<&str>) -> Earlier {
        Earlier {
            sight: sight(10),
            settled,
            recent,
            sha256: sha256.map(str::to_owned),
        }
    }

    #[test]
    fn r41_between_nights_a_file_is_taken_by_the_visit_that_finds_it_as_the_one_before_left_it() {
        let new = Visit::short([]);
        assert_eq!(new.decide(None, &sight(10)), Standing::Unsure);
        for (before, now, wanted) in [
            (earlier(true, true, None), 10, Standing::Stands),
            (earlier(false, true, None), 10, Standing::Unsure),
            (earlier(true, true, None), 11, Standing::Changing),
            (earlier(true, false, None), 11, Standing::Changing),
            (
                earlier(true, true, Some("h")),
                10,
                Standing::Taken("h".to_owned()),
            ),
            (earlier(true, true, Some("h")), 11, Standing::Changing),
        ] {
            assert_eq!(
                Visit::short([before.clone()]).decide(None, &sight(now)),
                wanted,
                "{before:?} {now}"
            );
        }
    }

    #[test]
    fn r41_in_the_night_two_looks_do_unless_an_hour_ago_it_looked_otherwise() {
        let (same, other) = (sight(10), sight(11));
        let new = Visit::thorough([]);
        assert_eq!(new.decide(Some(&same), &same), Standing::Stands);
        assert_eq!(new.decide(Some(&other), &same), Standing::Changing);
        assert_eq!(
            new.decide(None, &same),
            Standing::Changing,
            "it came within the pause"
        );
        let seen = |recent| Visit::thorough([earlier(true, recent, Some("h"))]);
        assert_eq!(
            seen(true).decide(None, &same),
            Standing::Stands,
            "read again, no pause needed"
        );
        assert_eq!(seen(true).decide(Some(&other), &same), Standing::Changing);
        assert_eq!(seen(true).decide(Some(&other), &other), Standing::Changing);
        assert_eq!(seen(false).decide(Some(&other), &other), Standing::Stands);
    }
}
