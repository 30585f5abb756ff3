//! What happened in a case about time, in words.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::Case;
use crate::wording::{Lang, text};

impl Case {
    /// Every missed slot, and the days beyond the promise as of a day; nothing in other cases.
    #[must_use]
    pub fn happened(&self, lang: Lang, zone: Tz, today: NaiveDate) -> Vec<String> {
        let show = |at: DateTime<Utc>| at.with_timezone(&zone).format("%Y-%m-%d %H:%M %Z").to_string();
        let unknown = || text(lang, "claim.happened.no_fee", &[]);
        let slots = self.slots.iter().map(|slot| {
            let fee = slot.fee.map_or_else(unknown, |fee| fee.to_string());
            let places = [("at", show(slot.at)), ("until", show(slot.until)), ("fee", fee)];
            let key = if slot.until > slot.at { "window" } else { "slot" };
            say(lang, key, &places)
        });
        let late = self.late.as_ref().map(|late| {
            let places = [
                ("promised", late.promised.to_string()),
                ("by", late.by.clone()),
                ("days", late.days(today).to_string()),
                ("on", late.arrived.unwrap_or(today).to_string()),
            ];
            let key = if late.arrived.is_some() {
                "late"
            } else {
                "under_way"
            };
            say(lang, key, &places)
        });
        slots.chain(late).collect()
    }
}

fn say(lang: Lang, key: &str, places: &[(&str, String)]) -> String {
    let places: Vec<(&str, &str)> = places
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    text(lang, &format!("claim.happened.{key}"), &places)
}
