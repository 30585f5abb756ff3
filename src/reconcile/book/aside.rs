//! Units the warehouse has put aside as an exception (异常), and what they explain of a line.
//!
//! A warehouse that reports them says neither what is wrong nor whether they are among the received ones. If they are,
//! they are some of those that wait for the shelf; if not, some of those that are missing. Where only one of the two
//! leaves room for them, they are that, and the rest of the line is judged without them; where both do, both are named.

use super::gather::Count;

/// What the units put aside explain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Aside {
    pub units: i64,
    /// Of those that are missing.
    pub missing: i64,
    /// Of those that were received and are not on the shelf.
    pub waiting: i64,
    /// They may be either, or no other count has room for them.
    pub doubtful: bool,
}

impl Aside {
    /// Of a line that lacks so many units after the pool.
    pub(super) fn of(count: &Count, missing: i64) -> Self {
        let units = count.aside;
        let none = Self {
            units,
            ..Self::default()
        };
        if units == 0 {
            return none;
        }
        match (missing >= units, count.waiting() >= units) {
            (true, false) => Self {
                missing: units,
                ..none
            },
            (false, true) => Self {
                waiting: units,
                ..none
            },
            _ => Self {
                doubtful: true,
                ..none
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(arrived: i64, put_away: i64, aside: i64, missing: i64) -> Aside {
        let count = Count {
            dock: arrived,
            put_away,
            aside,
            ..Count::default()
        };
        Aside::of(&count, missing)
    }

    #[test]
    fn units_put_aside_are_where_there_is_room_for_them() {
        let split = |aside: Aside| (aside.missing, aside.waiting, aside.doubtful);
        // 100 shipped. 99 received, all on the shelf: the one is the missing one.
        assert_eq!(split(of(99, 99, 1, 1)), (1, 0, false));
        // All received, 98 on the shelf: the two wait.
        assert_eq!(split(of(100, 98, 2, 0)), (0, 2, false));
        // 99 received, 98 on the shelf: it may be either.
        assert_eq!(split(of(99, 98, 1, 1)), (0, 0, true));
        // More than anything else leaves room for.
        assert_eq!(split(of(100, 100, 3, 0)), (0, 0, true));
        assert_eq!(split(of(90, 80, 0, 10)), (0, 0, false));
    }
}
