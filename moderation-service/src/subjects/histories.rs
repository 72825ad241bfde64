//! Random histories of a subject against an oracle: what the fold makes of the entries is what the decisions in force demand, in
//! whatever order they came and ended.
use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use uuid::Uuid;

use super::actions::Action;
use super::changes::{Change, Ended, PolicyRef, ReportsLeft, Ruling};
use super::reasons::Reason;
use super::state::Subject;
use super::{Review, Standing, SubjectKey, SubjectType, Visibility};
use crate::core::contract::timestamp::Timestamp;

/// Histories of a run, and the most entries of each.
const HISTORIES: usize = 10_000;
const STEPS: usize = 24;

/// A subject that nothing has happened to.
pub fn new_subject(key: SubjectKey, author: Uuid) -> Subject {
    Subject {
        key,
        author,
        version: 0,
        visibility: Visibility::Visible,
        labels: Vec::new(),
        locked: false,
        standing: Standing::Active,
        standing_until: None,
        review: Review::None,
        severity: 0.0,
        reports: 0,
        report_weight: 0.0,
        opened_at: None,
        hidden_at: None,
        active: Vec::new(),
    }
}

/// What is known without the fold: the decisions in force, and whether the content is removed.
#[derive(Default)]
struct Oracle {
    in_force: BTreeMap<Uuid, (Timestamp, Ruling)>,
    removed: bool,
}

impl Oracle {
    fn apply(&mut self, change: &Change, at: Timestamp) {
        match change {
            Change::Decided { ruling, .. } => {
                self.removed |= ruling.visibility == Some(Visibility::Removed);
                self.in_force.insert(ruling.decision, (at, (**ruling).clone()));
            }
            Change::Ended { decision, .. } => drop(self.in_force.remove(decision)),
            Change::Removed { .. } => self.removed = true,
            _ => {}
        }
    }

    /// The strictest visibility, found by asking for each from the strictest down.
    fn visibility(&self) -> Visibility {
        if self.removed {
            return Visibility::Removed;
        }
        let demanded = |wanted| self.in_force.values().any(|(_, ruling)| ruling.visibility == Some(wanted));
        let strict = [Visibility::Removed, Visibility::Hidden, Visibility::Held, Visibility::Limited];
        strict.into_iter().find(|wanted| demanded(*wanted)).unwrap_or(Visibility::Visible)
    }

    fn labels(&self) -> Vec<String> {
        let known = ["graphic", "satire", "spam"];
        let has = |label: &&str| self.in_force.values().any(|(_, ruling)| ruling.labels.iter().any(|own| own == label));
        known.into_iter().filter(has).map(str::to_owned).collect()
    }

    fn standing(&self) -> (Standing, Option<Timestamp>) {
        for standing in [Standing::Banned, Standing::Muted, Standing::ApprovalRequired] {
            let of: Vec<_> = self.in_force.values().filter(|(_, ruling)| ruling.standing == Some(standing)).collect();
            if of.iter().any(|(_, ruling)| ruling.standing_until.is_none()) {
                return (standing, None);
            }
            if let Some(latest) = of.iter().filter_map(|(_, ruling)| ruling.standing_until).max() {
                return (standing, Some(latest));
            }
        }
        (Standing::Active, None)
    }

    fn hidden_at(&self) -> Option<Timestamp> {
        let hides = |ruling: &Ruling| ruling.visibility == Some(Visibility::Hidden) && ruling.expires_at.is_none();
        let since = self.in_force.values().filter(|(_, ruling)| hides(ruling)).map(|(at, _)| *at).min();
        since.filter(|_| self.visibility() == Visibility::Hidden)
    }
}

fn time(minutes: i64) -> Timestamp {
    Timestamp(DateTime::from_timestamp(1_795_000_000, 0).unwrap() + TimeDelta::minutes(minutes))
}

/// A decision with some effects, or none.
fn ruling(dice: &mut StdRng, minute: i64, key: SubjectKey) -> Ruling {
    let end = |dice: &mut StdRng| dice.random_bool(0.5).then(|| time(minute + dice.random_range(1..9_000)));
    let labels = ["graphic", "satire", "spam"];
    let content = !key.is_user();
    let visibility = [None, Some(Visibility::Limited), Some(Visibility::Held), Some(Visibility::Hidden)];
    let standing = [None, Some(Standing::ApprovalRequired), Some(Standing::Muted), Some(Standing::Banned)];
    let removes = content && dice.random_bool(0.03);
    let visibility = if removes { Some(Visibility::Removed) } else { *visibility.choose(dice).unwrap() };
    let labels: Vec<String> =
        labels.iter().filter(|_| content && dice.random_bool(0.2)).map(|label| (*label).to_owned()).collect();
    let (expires_at, standing_until) = (end(dice), end(dice));
    Ruling {
        decision: Uuid::from_u128(dice.random()),
        actions: vec![Action::Label { label: "spam".to_owned() }, Action::Ban { hours: None }],
        reason: Reason::ALL.choose(dice).unwrap().1,
        automated: dice.random_bool(0.5),
        policy: dice.random_bool(0.3).then(|| PolicyRef { id: Uuid::nil(), version: 1, rule: "hate".to_owned() }),
        visibility: visibility.filter(|_| content),
        labels,
        locked: content && dice.random_bool(0.2),
        expires_at,
        standing: standing.choose(dice).unwrap().filter(|_| !content),
        standing_until,
    }
}

/// What happens next.
fn change(dice: &mut StdRng, minute: i64, subject: &Subject) -> Change {
    let id = Uuid::from_u128(dice.random());
    let (severity, reason) = (dice.random_range(0.0..1.0), Reason::HateSlur);
    let in_force: Vec<Uuid> = subject.active.iter().map(|held| held.ruling.decision).collect();
    let some = in_force.choose(dice).copied().unwrap_or(id);
    match dice.random_range(0..14) {
        0 => Change::Flagged { analysis: id, severity, reason },
        1 => Change::Reported { report: id, severity, weight: dice.random_range(0.0..2.0), reason },
        2 => Change::ReportsClosed { reports: subject.reports, left: None },
        3 => Change::Escalated { note: Some("for a senior".to_owned()) },
        4 => Change::Noted { note: "a note".to_owned() },
        5 => Change::Appealed { appeal: id, decision: some },
        6 if dice.random_bool(0.1) => Change::Removed { decision: some },
        7 => Change::Gone,
        8..=10 => Change::Ended { decision: some, why: Ended::Reversed, note: None },
        _ => {
            let ruling = ruling(dice, minute, subject.key);
            let closes_review = !ruling.automated && dice.random_bool(0.8);
            let (public_note, internal_note) = (Some("for you".to_owned()), None);
            let (ruling, answers_until, means) = (Box::new(ruling), None, None);
            Change::Decided { ruling, closes_review, answers_until, means, public_note, internal_note }
        }
    }
}

fn check(subject: &Subject, oracle: &Oracle, context: &str) {
    assert_eq!(subject.visibility, oracle.visibility(), "{context}: {subject:?}");
    assert_eq!(subject.labels, oracle.labels(), "{context}: {subject:?}");
    let demands_lock = oracle.in_force.values().any(|(_, ruling)| ruling.locked);
    assert_eq!(subject.locked, demands_lock, "{context}: {subject:?}");
    assert_eq!((subject.standing, subject.standing_until), oracle.standing(), "{context}: {subject:?}");
    assert_eq!(subject.hidden_at, oracle.hidden_at(), "{context}: {subject:?}");
}

/// What other services see of a subject.
fn seen(subject: &Subject) -> (Visibility, Vec<String>, bool, Standing, Option<Timestamp>, Option<Timestamp>) {
    let Subject { visibility, labels, locked, standing, standing_until, hidden_at, .. } = subject.clone();
    (visibility, labels, locked, standing, standing_until, hidden_at)
}

#[test]
fn a_subject_is_what_the_decisions_in_force_demand() {
    // `HISTORIES_SEED=1 cargo test histories` plays those of a seed again.
    let seed: u64 = option_env!("HISTORIES_SEED").map_or_else(rand::random, |seed| seed.parse().unwrap());
    let mut dice = StdRng::seed_from_u64(seed);
    let mut effects = 0;
    for number in 0..HISTORIES {
        let r#type = *[SubjectType::Post, SubjectType::Comment, SubjectType::User].choose(&mut dice).unwrap();
        let key = SubjectKey { r#type, id: Uuid::from_u128(dice.random()) };
        let (mut subject, mut oracle) = (new_subject(key, Uuid::nil()), Oracle::default());
        let mut replayed = subject.clone();
        for step in 0..dice.random_range(1..=STEPS) {
            let context = format!("seed {seed}, history {number}, step {step}");
            let minute = i64::try_from(step).unwrap();
            let change = change(&mut dice, minute, &subject);
            let before = seen(&subject);
            subject.apply(&change, time(minute));
            oracle.apply(&change, time(minute));
            check(&subject, &oracle, &context);
            assert_eq!(subject.version, minute + 1, "{context}: an entry is a version");
            if before != seen(&subject) {
                effects += 1;
                let explains = matches!(change, Change::Decided { .. } | Change::Ended { .. } | Change::Removed { .. });
                assert!(explains, "{context}: {change:?} has an effect");
            }
            // The entries, as they are written and read again, make the same subject.
            let written = serde_json::to_string(&change).unwrap();
            replayed.apply(&serde_json::from_str(&written).unwrap(), time(minute));
        }
        assert_eq!(seen(&replayed), seen(&subject), "seed {seed}, history {number}");
        assert_eq!((replayed.version, replayed.review), (subject.version, subject.review));

        // One more decision that ends again leaves no trace, whatever it did and whatever ends before it.
        let before = seen(&subject);
        let last =
            Ruling { visibility: Some(Visibility::Hidden).filter(|_| !key.is_user()), ..ruling(&mut dice, 99, key) };
        let decision = last.decision;
        let (closes_review, answers_until, public_note, internal_note) = (false, None, None, None);
        let (ruling, means) = (Box::new(last), None);
        let decided = Change::Decided { ruling, closes_review, answers_until, means, public_note, internal_note };
        subject.apply(&decided, time(99));
        subject.apply(&Change::Ended { decision, why: Ended::Overturned, note: None }, time(100));
        assert_eq!(seen(&subject), before, "seed {seed}, history {number}: the reversal is exact");
        for decision in subject.active.iter().map(|held| held.ruling.decision).collect::<Vec<_>>() {
            subject.apply(&Change::Ended { decision, why: Ended::Expired, note: None }, time(101));
        }
        let visibility = if oracle.removed { Visibility::Removed } else { Visibility::Visible };
        assert_eq!(
            seen(&subject),
            (visibility, Vec::new(), false, Standing::Active, None, None),
            "seed {seed}, history {number}"
        );
    }
    assert!(effects > HISTORIES, "the histories have effects: {effects}");
}

#[test]
fn a_review_opens_escalates_and_closes() {
    let key = SubjectKey { r#type: SubjectType::Post, id: Uuid::nil() };
    let mut post = new_subject(key, Uuid::nil());
    let reported =
        |severity| Change::Reported { report: Uuid::nil(), severity, weight: 0.5, reason: Reason::HarassmentBullying };
    post.apply(&reported(0.4), time(1));
    post.apply(&reported(0.2), time(2));
    assert_eq!((post.review, post.severity, post.reports, post.opened_at), (Review::Open, 0.4, 2, Some(time(1))));
    assert!((post.report_weight - 1.0).abs() < 1e-9);
    post.apply(&Change::Escalated { note: None }, time(3));
    assert_eq!((post.review, post.opened_at), (Review::Escalated, Some(time(1))));
    post.apply(&reported(0.9), time(4));
    assert_eq!((post.review, post.severity), (Review::Escalated, 0.9), "a report takes it from no senior");
    let mut dice = StdRng::seed_from_u64(1);
    let dismissed = Ruling { visibility: None, labels: Vec::new(), locked: false, ..ruling(&mut dice, 5, key) };
    let (ruling, answers_until, means) = (Box::new(dismissed), None, None);
    let (closes_review, public_note, internal_note) = (true, None, None);
    let decided = Change::Decided { ruling, closes_review, answers_until, means, public_note, internal_note };
    let left = Some(ReportsLeft { reports: 1, weight: 0.5 });
    post.apply(&Change::ReportsClosed { reports: 2, left }, time(5));
    assert_eq!((post.review, post.reports, post.report_weight), (Review::Escalated, 1, 0.5), "one came later");
    post.apply(&Change::ReportsClosed { reports: 1, left: None }, time(5));
    post.apply(&decided, time(5));
    assert_eq!((post.review, post.reports, post.report_weight), (Review::Closed, 0, 0.0));
    assert_eq!(post.active, [], "what has no effect is not in force");
    post.apply(&reported(0.1), time(9));
    assert_eq!((post.review, post.severity, post.opened_at), (Review::Open, 0.1, Some(time(9))), "begun anew");
    post.apply(&Change::Gone, time(10));
    assert_eq!((post.review, post.reports), (Review::Closed, 0));
}
