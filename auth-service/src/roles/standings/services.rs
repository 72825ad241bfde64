//! Calculates the status of an account from what people and moderation have decided.
use chrono::{DateTime, Utc};

use super::models::{AccountStatus, Standing, StatusByPeople};
use crate::core::app::identity::Status;

/// How strict a restriction is: a ban before a mute, then the later end; none of what restricts nothing or is over.
fn strictness(status: &AccountStatus, now: DateTime<Utc>) -> Option<(bool, DateTime<Utc>)> {
    let until = status.until.unwrap_or(DateTime::<Utc>::MAX_UTC);
    let restricts = matches!(status.status, Status::Muted | Status::Banned) && until > now;
    restricts.then_some((status.status == Status::Banned, until))
}

/// The restriction that an account has at a time; none: it has none. Of two that are as strict it is that of people.
pub fn effective(people: &StatusByPeople, moderation: Option<&Standing>, now: DateTime<Utc>) -> Option<AccountStatus> {
    let StatusByPeople { account, decided, .. } = people;
    // What the account has of people is theirs, over or not, also without a history, as on the original platform.
    let by_people = if matches!(account.status, Status::Muted | Status::Banned) && !account.moderated {
        Some(*account)
    } else {
        decided.map(|(status, _)| status)
    };
    let is_newer = |standing: &&Standing| decided.is_none_or(|(_, at)| standing.at.0 > at);
    let by_moderation = moderation.filter(is_newer).map(|standing| AccountStatus {
        status: standing.status,
        until: standing.until.map(|until| until.0),
        moderated: true,
    });
    let restrictions = [by_moderation, by_people].into_iter().flatten();
    restrictions.filter(|status| strictness(status, now).is_some()).max_by_key(|status| strictness(status, now))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;
    use crate::core::contract::timestamp::Timestamp;

    fn hour(number: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(number)
    }

    fn status(status: Status, until: Option<i64>, moderated: bool) -> AccountStatus {
        AccountStatus { status, until: until.map(hour), moderated }
    }

    /// What moderation says, from an hour on, until another.
    fn standing(word: Status, at: i64, until: Option<i64>) -> Standing {
        let until = until.map(|until| Timestamp(hour(until)));
        let at = Timestamp(hour(at));
        let (user_id, version) = (Uuid::nil(), 1);
        Standing { user_id, version, at, status: word, until, reason: None, moderation_id: None, refused: false }
    }

    #[test]
    fn the_strictest_of_what_people_and_moderation_have_decided_holds() {
        use Status::{Active, Banned, Muted};
        // What people decided at hour 10 and until when, what moderation did when and until when; what holds at hour 20, and whose it is.
        let cases = [
            (None, None, None),
            (None, Some((Muted, 5, None)), Some((Muted, None, true))),
            (None, Some((Muted, 5, Some(20))), None),
            (None, Some((Active, 5, None)), None),
            (Some((Banned, None)), Some((Active, 15, None)), Some((Banned, None, false))),
            (Some((Banned, None)), Some((Muted, 15, None)), Some((Banned, None, false))),
            (Some((Banned, Some(30))), Some((Banned, 15, Some(40))), Some((Banned, Some(40), true))),
            (Some((Banned, Some(30))), Some((Banned, 15, Some(30))), Some((Banned, Some(30), false))),
            (Some((Muted, None)), Some((Banned, 15, Some(30))), Some((Banned, Some(30), true))),
            (Some((Muted, None)), Some((Banned, 15, Some(20))), Some((Muted, None, false))),
            // A person decided later.
            (Some((Active, None)), Some((Banned, 5, None)), None),
            (Some((Muted, Some(30))), Some((Banned, 5, None)), Some((Muted, Some(30), false))),
            (Some((Active, None)), Some((Banned, 15, None)), Some((Banned, None, true))),
        ];
        for (people, moderation, expected) in cases {
            let decided = people.map(|(word, until)| (status(word, until, false), hour(10)));
            let moderation = moderation.map(|(word, at, until)| standing(word, at, until));
            let expected = expected.map(|(word, until, moderated)| status(word, until, moderated));
            // Whatever the account has at the moment of the question, as far as these decisions can have led to it.
            let by_moderation = moderation.as_ref().filter(|standing| standing.status != Active);
            let by_moderation = by_moderation.map(|standing| AccountStatus {
                status: standing.status,
                until: standing.until.map(|until| until.0),
                moderated: true,
            });
            for account in [Some(status(Active, None, false)), by_moderation].into_iter().flatten() {
                let people = StatusByPeople { now: Timestamp(hour(20)), account, decided };
                assert_eq!(effective(&people, moderation.as_ref(), hour(20)), expected, "{moderation:?}");
            }
        }
    }

    #[test]
    fn a_restriction_of_the_original_platform_is_one_of_people() {
        let account = status(Status::Banned, None, false);
        let people = StatusByPeople { now: Timestamp(hour(20)), account, decided: None };
        assert_eq!(effective(&people, Some(&standing(Status::Active, 5, None)), hour(20)), Some(account));
    }
}
