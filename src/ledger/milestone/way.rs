//! The stretches of a way: how long each took, and which one the goods are on now.
//!
//! Stretches teach only together: a clearance without the voyage beside it would be counted twice, and a voyage without
//! what comes after it would make the way too short.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::{Milestone, Story};
use crate::calendar::civil_day;
use crate::planner::Stage;

/// One stretch, in civil days of the warehouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    pub stage: Stage,
    pub from: NaiveDate,
    pub to: NaiveDate,
}

/// What a story says of the way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Way {
    /// From hand-over to delivery without a gap, or empty.
    pub done: Vec<Stretch>,
    /// Where the goods are, and since when.
    pub now: Option<(Stage, NaiveDate)>,
    /// What cannot be: an arrival before the departure. It teaches nothing and is told.
    pub backwards: Vec<(Milestone, Milestone)>,
}

/// The milestones that end a stretch and begin the next one.
const BORDERS: [(Milestone, Stage); 4] = [
    (Milestone::Departed, Stage::WaitForSailing),
    (Milestone::Arrived, Stage::Sail),
    (Milestone::CustomsReleased, Stage::Clearance),
    (Milestone::Delivered, Stage::Drayage),
];

/// The way of goods handed over at `handed_over`; the first receipt ends it where nobody told of the delivery.
#[must_use]
pub fn way(
    story: &Story,
    handed_over: Option<DateTime<Utc>>,
    received: Option<DateTime<Utc>>,
    zone: Tz,
) -> Way {
    let reached = |milestone| story.reached.get(&milestone).map(|reached| reached.at);
    let start = reached(Milestone::AtOrigin)
        .or_else(|| reached(Milestone::PickedUp))
        .or(handed_over);
    let end = match (reached(Milestone::Delivered), received) {
        (Some(delivered), Some(received)) => Some(delivered.min(received)),
        (delivered, received) => delivered.or(received),
    };
    let at = |milestone| match milestone {
        Milestone::Delivered => end,
        other => reached(other),
    };
    let mut found = Way::default();
    let Some(start) = start else { return found };
    let mut before = (start, Milestone::AtOrigin);
    let mut gap = false;
    let mut next = Stage::WaitForSailing;
    let mut done = Vec::new();
    for (number, (milestone, stage)) in BORDERS.into_iter().enumerate() {
        let Some(here) = at(milestone) else {
            gap = true;
            continue;
        };
        let days = [civil_day(before.0, zone), civil_day(here, zone)];
        if here < before.0 || days[1] < days[0] {
            found.backwards.push((before.1, milestone));
            gap = true;
            continue;
        }
        done.push(Stretch {
            stage,
            from: days[0],
            to: days[1],
        });
        before = (here, milestone);
        next = BORDERS
            .get(number + 1)
            .map_or(Stage::Putaway, |(_, stage)| *stage);
    }
    found.now = Some((next, civil_day(before.0, zone)));
    if !gap {
        found.done = done;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SourceId;
    use crate::ledger::milestone::Reached;

    fn at(day: u32) -> DateTime<Utc> {
        format!("2026-10-{day:02}T12:00:00Z").parse().unwrap()
    }

    fn story(milestones: &[(Milestone, u32)]) -> Story {
        Story {
            reached: milestones
                .iter()
                .map(|(milestone, day)| {
                    let reached = Reached {
                        at: at(*day),
                        place: None,
                        source: SourceId::new("huatuo").unwrap(),
                    };
                    (*milestone, reached)
                })
                .collect(),
            ..Story::default()
        }
    }

    fn days(way: &Way) -> Vec<(Stage, i64)> {
        way.done
            .iter()
            .map(|stretch| (stretch.stage, (stretch.to - stretch.from).num_days()))
            .collect()
    }

    #[test]
    fn r21_a_whole_way_is_its_stretches_and_they_add_up() {
        use Milestone::{Arrived, CustomsReleased, Delivered, Departed};
        let whole = story(&[
            (Departed, 5),
            (Arrived, 20),
            (CustomsReleased, 23),
            (Delivered, 26),
        ]);
        let way = way(&whole, Some(at(2)), Some(at(27)), Tz::UTC);
        assert_eq!(
            days(&way),
            [
                (Stage::WaitForSailing, 3),
                (Stage::Sail, 15),
                (Stage::Clearance, 3),
                (Stage::Drayage, 3)
            ]
        );
        assert_eq!(way.now.map(|(stage, _)| stage), Some(Stage::Putaway));
    }

    #[test]
    fn r21_an_arrival_before_the_departure_teaches_nothing_and_is_told() {
        use Milestone::{Arrived, CustomsReleased, Delivered, Departed};
        let odd = story(&[
            (Departed, 15),
            (Arrived, 10),
            (CustomsReleased, 23),
            (Delivered, 26),
        ]);
        let way = way(&odd, Some(at(2)), None, Tz::UTC);
        assert_eq!(way.done, []);
        assert_eq!(way.backwards, [(Departed, Arrived)]);
    }

    #[test]
    fn r66_each_event_says_where_the_goods_are_now() {
        use Milestone::{Arrived, CustomsReleased, Departed};
        let so_far = [(Departed, 5), (Arrived, 20), (CustomsReleased, 23)];
        let places = [
            (Stage::WaitForSailing, 2),
            (Stage::Sail, 5),
            (Stage::Clearance, 20),
            (Stage::Drayage, 23),
        ];
        for (told, (stage, since)) in (0..).zip(places) {
            let way = way(&story(&so_far[..told]), Some(at(2)), None, Tz::UTC);
            assert_eq!(way.now, Some((stage, civil_day(at(since), Tz::UTC))));
            assert_eq!(way.done, [], "not there yet");
        }
        assert_eq!(way(&story(&[]), None, None, Tz::UTC), Way::default());
    }
}
