//! The schedules that a configuration leads to.

use chrono::{DateTime, Duration, NaiveDate, Utc};

use super::civil::{CatchUp, Schedule};
use crate::calendar::{civil_day, instant_of};
use crate::config::{self, Config};

/// The night, at its hour.
pub const NIGHT: &str = "night";
/// The hour by which the day's mail must have been delivered.
pub const MAIL_BY: &str = "mail_by";
/// Old contents go by the account's own rules of retention, when the morning's mail has left.
pub const RETENTION: &str = "retention";

/// An absence that is noticed later than this is no news any more: the next day has its own.
const ABSENCE_IS_NEWS: Duration = Duration::hours(24);

/// The night; where mails are sent the watch over them; where rules of retention are named the job that follows them.
/// The rules that ship with linkstar delete nothing by themselves.
#[must_use]
pub fn configured(config: &Config) -> Vec<Schedule> {
    use chrono::Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    let daily = |name: &str, time| Schedule {
        name: name.to_owned(),
        time,
        zone: config.account.zone,
        days: vec![Mon, Tue, Wed, Thu, Fri, Sat, Sun],
        catch_up: CatchUp::Latest,
        max_age: ABSENCE_IS_NEWS,
        watch: false,
    };
    let mut schedules = vec![Schedule {
        catch_up: match config.night.catch_up {
            config::CatchUp::None => CatchUp::None,
            config::CatchUp::Latest => CatchUp::Latest,
            config::CatchUp::All => CatchUp::All,
        },
        max_age: Duration::days(i64::from(config.night.max_age_days.max(1))),
        ..daily(NIGHT, config.night.at)
    }];
    if config.mail.is_some() {
        schedules.push(Schedule {
            watch: true,
            ..daily(MAIL_BY, config.night.mail_by)
        });
    }
    if config.archive.retention.is_some() {
        schedules.push(daily(RETENTION, config.night.mail_by));
    }
    schedules
}

/// The mail that must be there by the hour of a civil date: that of the date itself, or that of the day before where
/// the night comes after the hour.
#[must_use]
pub fn mail_date(config: &Config, date: NaiveDate) -> NaiveDate {
    if config.night.at < config.night.mail_by {
        date
    } else {
        date - Duration::days(1)
    }
}

/// The mail that must have left today at `now`, and by when; `None` before its hour and where no mails are sent.
#[must_use]
pub fn mail_due(config: &Config, now: DateTime<Utc>) -> Option<(NaiveDate, DateTime<Utc>)> {
    config.mail.as_ref()?;
    let zone = config.account.zone;
    let today = civil_day(now, zone);
    let by = instant_of(today, config.night.mail_by, zone);
    (now > by).then(|| (mail_date(config, today), by))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn config(night: &str) -> Config {
        let text = format!(
            "[account]\nid='main'\nname='x'\nzone='Europe/Berlin'\n[night]\n{night}\n[mail]\nhost='h'\nport=587\nuser='u'\n\
             password='${{env:P}}'\nfrom='a@b.c'\n[[mail.recipients]]\naddress='a@b.c'\n"
        );
        config::load_text("linkstar.toml", &text, Path::new("/nowhere"), &|_| {
            Some("p".to_owned())
        })
        .unwrap()
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_watch_is_a_schedule_of_its_own_and_only_where_mails_are_sent() {
        let mut config = config("mail_by = '08:00'");
        let names =
            |config: &Config| -> Vec<String> { configured(config).into_iter().map(|one| one.name).collect() };
        assert_eq!(names(&config), [NIGHT, MAIL_BY]);
        assert_eq!(
            configured(&config)
                .iter()
                .map(|one| one.watch)
                .collect::<Vec<_>>(),
            [false, true]
        );
        config.mail = None;
        assert_eq!(names(&config), [NIGHT]);
        assert_eq!(mail_due(&config, at("2026-06-02T20:00:00Z")), None);
    }

    #[test]
    fn r72_contents_are_deleted_daily_only_where_rules_are_named() {
        let mut config = config("mail_by = '08:00'");
        assert!(configured(&config).iter().all(|one| one.name != RETENTION));
        config.archive.retention = Some("retention.toml".into());
        let all = configured(&config);
        let retention = all.iter().find(|one| one.name == RETENTION).unwrap();
        assert_eq!(
            (retention.time, retention.watch, retention.days.len()),
            (config.night.mail_by, false, 7)
        );
    }

    #[test]
    fn a_mail_is_due_by_its_hour_in_the_accounts_zone_also_when_the_night_begins_the_evening_before() {
        let morning = config("at = '06:30'\nmail_by = '09:00'");
        let date = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(mail_due(&morning, at("2026-06-02T07:00:00Z")), None);
        assert_eq!(
            mail_due(&morning, at("2026-06-02T07:00:01Z")),
            Some((date("2026-06-02"), at("2026-06-02T07:00:00Z")))
        );
        let evening = config("at = '22:00'\nmail_by = '09:00'");
        let due = mail_due(&evening, at("2026-06-02T07:00:01Z")).unwrap();
        assert_eq!(due.0, date("2026-06-01"));
    }
}
