//! Settings of a policy that would be understood, and mean something nobody wants.

use super::snapshot::Policy;

/// A setting outside what it can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfRange {
    pub setting: &'static str,
    pub found: i64,
    pub wanted: &'static str,
}

const SERVICE: &str = "thousandths from 500 to 999: 98 % is 980";
const DAYS: &str = "days from 1 to 3650";
const DAYS_OR_NONE: &str = "days from 0 to 3650";

impl Policy {
    /// Every setting that is out of its range: a service of 98 thousandths is a slip for 98 percent, and would order next to nothing.
    #[must_use]
    pub fn out_of_range(&self) -> Vec<OutOfRange> {
        let service = |setting, permille: u16| (setting, i64::from(permille), 500..=999, SERVICE);
        let mut judged = vec![
            service("service_permille", self.service_permille),
            service("lead_permille", self.lead_permille),
            ("review_days", self.review_days, 1..=365, "days from 1 to 365"),
            ("warning_days", self.warning_days, 0..=3650, DAYS_OR_NONE),
            ("overstock_days", self.overstock_days, 1..=3650, DAYS),
            ("history_days", self.history_days, 1..=3650, DAYS),
            ("horizon_days", self.horizon_days, 1..=3650, DAYS),
            (
                "min_observations",
                self.min_observations,
                1..=10_000,
                "a count from 1 to 10000",
            ),
            ("remind_days", self.remind_days, 0..=3650, DAYS_OR_NONE),
            ("worse_days", self.worse_days, 0..=3650, DAYS_OR_NONE),
            (
                "paths",
                i64::from(self.paths),
                1..=100_000,
                "a count from 1 to 100000",
            ),
            ("lot_days", self.lot_days, 1..=3650, DAYS),
            (
                "holding_permille",
                i64::from(self.holding_permille),
                0..=5_000,
                "thousandths from 0 to 5000: 20 % a year is 200",
            ),
        ];
        judged.extend(
            self.service_by_rank
                .into_iter()
                .flatten()
                .map(|permille| service("service_by_rank", permille)),
        );
        judged
            .into_iter()
            .filter(|(_, found, range, _)| !range.contains(found))
            .map(|(setting, found, _, wanted)| OutOfRange {
                setting,
                found,
                wanted,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_policy_is_in_range_and_percent_for_thousandths_is_not() {
        assert_eq!(Policy::default().out_of_range(), []);
        let slipped = Policy {
            service_permille: 98,
            review_days: 0,
            service_by_rank: Some([980, 95, 900]),
            ..Policy::default()
        };
        let settings: Vec<&str> = slipped.out_of_range().iter().map(|one| one.setting).collect();
        assert_eq!(settings, ["service_permille", "review_days", "service_by_rank"]);
    }
}
