//! When a notification goes to a user: at once, after their quiet hours, with their next digest, or never.
//!
//! Users think in the clock on their wall, which in most zones skips an hour in spring and shows one twice in autumn. A time
//! of the day that is skipped counts as the first instant after the gap; one that is shown twice counts the first time. So a
//! digest comes once on every day, also on those.
use chrono::{DateTime, Days, MappedLocalTime, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};

use super::{MailMode, Preferences};
use crate::notifications::Type;

/// When a notification is to be mailed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mailing {
    /// By itself, and not before that time.
    AtOnce(DateTime<Utc>),
    /// With the next digest.
    Digest,
    /// Not at all.
    Never,
}

impl Preferences {
    /// When a notification of that type that is there `now` is to be mailed.
    pub fn mailing(&self, r#type: Type, now: DateTime<Utc>) -> Mailing {
        match self.channels(r#type).mail {
            MailMode::AtOnce => Mailing::AtOnce(self.after_quiet_hours(now)),
            MailMode::Digest => Mailing::Digest,
            MailMode::Never => Mailing::Never,
        }
    }

    /// When a notification of that type that is there `now` is to be pushed; none when it is not.
    pub fn push_due(&self, r#type: Type, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.channels(r#type).push.then(|| self.after_quiet_hours(now))
    }

    /// When the next digest comes: after `now`, at the user's hour on the next day that they have by then. Quiet hours do not
    /// move it: the hour was chosen as it is.
    pub fn next_digest(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let hour = NaiveTime::from_hms_opt(self.digest_hour, 0, 0).unwrap_or_default();
        let today = now.with_timezone(&self.time_zone).date_naive();
        // The day after tomorrow as well: a zone that moves over the date line skips a day.
        let days = (0..=2).filter_map(|days| today.checked_add_days(Days::new(days)));
        let instants = days.filter_map(|day| instants(self.time_zone, day.and_time(hour))[0]);
        instants.into_iter().find(|instant| *instant > now).unwrap_or(now + TimeDelta::days(1))
    }

    /// The end of the quiet hours in which `now` is, or `now` outside of them.
    fn after_quiet_hours(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let Some(quiet) = self.quiet_hours else { return now };
        let local = now.with_timezone(&self.time_zone).naive_local();
        let (day, time) = (local.date(), local.time());
        let is_quiet = if quiet.from < quiet.to {
            (quiet.from..quiet.to).contains(&time)
        } else {
            time >= quiet.from || time < quiet.to
        };
        if !is_quiet {
            return now;
        }
        let last_day = if time < quiet.to { Some(day) } else { day.succ_opt() };
        // In the hour that the clock shows twice the first end may have passed.
        let ends = last_day.map_or([None; 2], |day| instants(self.time_zone, day.and_time(quiet.to)));
        ends.into_iter().flatten().find(|end| *end > now).unwrap_or(now)
    }
}

/// The instants at which the clocks of a zone show a time, the first one first: one, or two when they are set back. Where they
/// skip it, the first instant after the gap.
fn instants(zone: Tz, local: NaiveDateTime) -> [Option<DateTime<Utc>>; 2] {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(one) => [Some(one.to_utc()), None],
        MappedLocalTime::Ambiguous(first, second) => [Some(first.to_utc()), Some(second.to_utc())],
        MappedLocalTime::None => {
            let end = GapInfo::new(&local, &zone).and_then(|gap| gap.end);
            [end.map(|end| end.to_utc()), None]
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use chrono_tz::TZ_VARIANTS;

    use super::*;
    use crate::preferences::{ChannelChoice, QuietHours, TYPES};

    fn preferences(zone: &str, digest_hour: u32) -> Preferences {
        Preferences { time_zone: zone.parse().unwrap(), digest_hour, ..Preferences::default() }
    }

    fn quiet(zone: &str, from: &str, to: &str) -> Preferences {
        let time = |text: &str| NaiveTime::parse_from_str(text, "%H:%M").unwrap();
        Preferences {
            quiet_hours: Some(QuietHours { from: time(from), to: time(to) }),
            choices: TYPES.map(|r#type| (r#type, chosen(MailMode::AtOnce))).into(),
            ..preferences(zone, 8)
        }
    }

    fn chosen(mail: MailMode) -> ChannelChoice {
        ChannelChoice { mail: Some(mail), push: Some(true), in_app: None }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// The digest that comes after one comes a day later by the user's clock, whatever was done to it in the night.
    #[test]
    fn a_digest_comes_once_a_day_at_the_users_hour() {
        for (zone, hour, digests) in [
            ("UTC", 8, ["2026-03-28T08:00:00Z", "2026-03-29T08:00:00Z", "2026-03-30T08:00:00Z"]),
            // Summer time begins on 29 March, 2:00: the hour comes an hour earlier, the third one from a whole day later.
            ("Europe/Berlin", 8, ["2026-03-28T07:00:00Z", "2026-03-29T06:00:00Z", "2026-03-30T06:00:00Z"]),
            // 2:00 does not exist then: the first instant after the gap is 3:00.
            ("Europe/Berlin", 2, ["2026-03-28T01:00:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"]),
            // It ends on 25 October: 2:00 comes twice, the digest with the first one.
            ("Europe/Berlin", 2, ["2026-10-24T00:00:00Z", "2026-10-25T00:00:00Z", "2026-10-26T01:00:00Z"]),
            ("America/New_York", 2, ["2026-03-07T07:00:00Z", "2026-03-08T07:00:00Z", "2026-03-09T06:00:00Z"]),
            ("America/New_York", 1, ["2026-10-31T05:00:00Z", "2026-11-01T05:00:00Z", "2026-11-02T06:00:00Z"]),
            // Half an hour: from 2:00 to 2:30 on 4 October, and from 2:00 back to 1:30 on 5 April.
            ("Australia/Lord_Howe", 2, ["2026-10-02T15:30:00Z", "2026-10-03T15:30:00Z", "2026-10-04T15:00:00Z"]),
            ("Australia/Lord_Howe", 8, ["2026-04-03T21:00:00Z", "2026-04-04T21:30:00Z", "2026-04-05T21:30:00Z"]),
            // No summer time, and 5:45 before Greenwich.
            ("Asia/Kathmandu", 8, ["2026-03-28T02:15:00Z", "2026-03-29T02:15:00Z", "2026-03-30T02:15:00Z"]),
            // On this island 30 December 2011 did not exist: its digest came as the 31st began.
            ("Pacific/Apia", 8, ["2011-12-29T18:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T18:00:00Z"]),
        ] {
            let preferences = preferences(zone, hour);
            let mut now = at(digests[0]) - TimeDelta::seconds(1);
            for expected in digests {
                now = preferences.next_digest(now);
                assert_eq!(now, at(expected), "{zone} at {hour}");
            }
        }
    }

    /// Whatever its clocks do: of 2026 every zone of the world gets one digest on each of its days.
    #[test]
    fn every_zone_has_a_digest_on_every_day() {
        let first = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
        for (zone, hour) in TZ_VARIANTS.iter().flat_map(|zone| [(zone, 0), (zone, 2), (zone, 23)]) {
            let preferences = Preferences { time_zone: *zone, digest_hour: hour, ..Preferences::default() };
            let mut now = at("2025-12-30T00:00:00Z");
            while now.with_timezone(zone).date_naive() < first {
                now = preferences.next_digest(now);
            }
            for day in first.iter_days().take(365) {
                // No clock skips more than two hours in that year. In Nuuk it is the last one of a day: its digest comes at midnight.
                let late = now.with_timezone(zone).naive_local() - day.and_hms_opt(hour, 0, 0).unwrap();
                assert!((0..=120).contains(&late.num_minutes()), "{zone} at {hour} on {day}: {late}");
                now = preferences.next_digest(now);
            }
        }
    }

    #[test]
    fn what_is_sent_at_once_waits_for_the_end_of_quiet_hours() {
        for (zone, (from, to), now, due) in [
            ("UTC", ("22:00", "07:00"), "2026-05-01T21:59:59Z", "2026-05-01T21:59:59Z"),
            ("UTC", ("22:00", "07:00"), "2026-05-01T22:00:00Z", "2026-05-02T07:00:00Z"),
            ("UTC", ("22:00", "07:00"), "2026-05-02T06:59:59Z", "2026-05-02T07:00:00Z"),
            ("UTC", ("22:00", "07:00"), "2026-05-02T07:00:00Z", "2026-05-02T07:00:00Z"),
            ("UTC", ("12:00", "14:00"), "2026-05-02T13:00:00Z", "2026-05-02T14:00:00Z"),
            ("UTC", ("12:00", "14:00"), "2026-05-02T23:00:00Z", "2026-05-02T23:00:00Z"),
            ("Asia/Kathmandu", ("22:00", "07:00"), "2026-05-01T17:00:00Z", "2026-05-02T01:15:00Z"),
            // The night in which an hour is skipped is an hour shorter.
            ("Europe/Berlin", ("22:00", "07:00"), "2026-03-28T21:30:00Z", "2026-03-29T05:00:00Z"),
            ("Europe/Berlin", ("22:00", "02:30"), "2026-03-28T21:30:00Z", "2026-03-29T01:00:00Z"),
            // And half past two comes twice in the one that is an hour longer: each has its end.
            ("Europe/Berlin", ("22:00", "02:30"), "2026-10-24T21:30:00Z", "2026-10-25T00:30:00Z"),
            ("Europe/Berlin", ("22:00", "02:30"), "2026-10-25T01:10:00Z", "2026-10-25T01:30:00Z"),
        ] {
            let preferences = quiet(zone, from, to);
            let expected = at(due);
            assert_eq!(preferences.push_due(Type::UserConnected, at(now)), Some(expected), "{zone} {from} {to} {now}");
            assert_eq!(preferences.mailing(Type::UserConnected, at(now)), Mailing::AtOnce(expected));
        }
    }

    #[test]
    fn defaults_hold_until_a_user_chooses() {
        let now = at("2026-05-01T12:00:00Z");
        let mut preferences = Preferences::default();
        let mailed = |preferences: &Preferences| TYPES.map(|r#type| preferences.mailing(r#type, now));
        let (once, digest, never) = (Mailing::AtOnce(now), Mailing::Digest, Mailing::Never);
        assert_eq!(mailed(&preferences), [digest, digest, never, never, once, never, digest, digest, digest, digest]);
        let pushed = TYPES.map(|r#type| preferences.push_due(r#type, now).is_some());
        assert_eq!(pushed, [false, true, false, false, true, false, true, true, true, false]);
        preferences.choices.insert(Type::UserConnected, chosen(MailMode::Never));
        preferences
            .choices
            .insert(Type::PostReactionReceived, ChannelChoice { push: Some(true), ..Default::default() });
        assert_eq!(mailed(&preferences), [digest, digest, never, never, once, never, never, digest, digest, digest]);
        assert_eq!(preferences.push_due(Type::PostReactionReceived, now), Some(now));
    }
}
