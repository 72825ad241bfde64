//! What the platform has answered: the promises that it is checked against afterwards.
//!
//! A request that succeeded promises that its write stays. One that was refused promises nothing. One that timed out, broke
//! off or was answered with 5xx is unknown: its write may exist or not, or come into being later, and so what it was about
//! is not checked any more.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::proof::chaos::relations::Relation;

/// What moderation has to delete: an attack that no reading excuses.
pub const INSULT: &str = "You have understood nothing, and I hope you die.";

/// The kind under which refusals are listed of a user who is muted or banned.
const RESTRICTED: &str = "restricted";
/// The kind under which comments are listed that a post does not take any more.
const LOCKED_OUT: &str = "comment on a locked post";
/// The kinds of a moderator's decision: the first request for it; one about what a scheduled decision may have taken from the moderator
/// meanwhile; and the request that is sent again, to a case that may be open for others since the first one.
pub const DECIDE: &str = "decide";
pub const DECIDE_LATE: &str = "decide late";
pub const DECIDE_AGAIN: &str = "decide again";
/// The kinds of the two requests that link an account elsewhere.
pub const BEGIN_LINK: &str = "begin link";
pub const LINK: &str = "link";
/// Refusals that have a reason in the request: a second reaction to a post, a connection to a user that the same user blocks, a second
/// report or one of the user's own, a subject that another moderator has, a request that is still being carried out, a scheduled
/// decision that was made before, an appeal that is over, a link that a request of before has made, whose outcome was unknown.
const FOUNDED: [(&str, u16); 13] = [
    ("react", 400),
    ("connect", 400),
    ("report", 409),
    ("claim", 409),
    (DECIDE_LATE, 409),
    (DECIDE_AGAIN, 409),
    ("decide in bulk", 409),
    ("schedule", 409),
    ("cancel", 409),
    ("appeal", 409),
    ("resolve", 409),
    (LINK, 409),
    (LOCKED_OUT, 403),
];
/// Failures that are none of the platform's: a service that was stopped while it called the provider may find that its time is over.
const EXCUSED: [(&str, u16); 2] = [(BEGIN_LINK, 502), (LINK, 502)];
/// The number of latest visible posts that users view and moderators schedule decisions about.
const LATEST: usize = 60;

/// How a request ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Ok(Value),
    /// 4xx, with the status.
    Refused(u16),
    Unknown,
}

/// Whether something has to exist after the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    Present,
    Absent,
    /// It is not known whether it was deleted.
    Unknown,
}

impl Expected {
    /// After a request to delete it.
    fn deleted(self, outcome: &Outcome) -> Expected {
        match (self, outcome) {
            (_, Outcome::Ok(_)) => Expected::Absent,
            (Expected::Present, Outcome::Unknown) => Expected::Unknown,
            _ => self,
        }
    }
}

/// A post that was answered with success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromisedPost {
    pub expected: Expected,
    /// None when it is not known which change came last.
    pub status: Option<&'static str>,
    /// Whether moderation has to delete it as soon as it is published.
    pub insult: bool,
}

/// A comment or a reaction that was answered with success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromisedReply {
    pub post: String,
    pub expected: Expected,
    pub insult: bool,
}

/// A scheduled decision that was answered with success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromisedSchedule {
    /// Who wrote its subject: with their data it is erased.
    pub author: String,
    /// Whether it was cancelled; none when that is not known.
    pub cancelled: Option<bool>,
}

/// A request to decide about many that was answered with success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromisedBulk {
    pub moderator: String,
    pub key: String,
    pub subjects: usize,
}

/// Actions that are counted per user, each with the stream of its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CountedAction {
    Post,
    Comment,
    Reaction,
    View,
}

impl CountedAction {
    pub fn stream(self) -> &'static str {
        match self {
            CountedAction::Post => "post_created",
            CountedAction::Comment => "post_comment_created",
            CountedAction::Reaction => "post_reaction_created",
            CountedAction::View => "post_viewed",
        }
    }
}

/// How often a user did something for certain, and how often perhaps.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    pub ok: u64,
    pub unknown: u64,
}

/// Everything that was promised.
#[derive(Debug, Default)]
pub struct Promises {
    pub ok: u64,
    pub refused: u64,
    pub unknown: u64,
    /// How often each kind of request was refused, by status.
    pub refusals: BTreeMap<(&'static str, u16), u64>,
    /// How often the outcome of each kind of request is unknown, by status; without one when no answer came in time.
    pub unknowns: BTreeMap<(&'static str, Option<u16>), u64>,
    /// What was answered not to exist, although it was promised: kind and id, and to which user.
    pub denied: BTreeSet<(&'static str, String, String)>,
    /// Users who were refused as one is who is muted or banned, with the status.
    pub restricted: BTreeSet<(String, u16)>,
    pub accounts: BTreeMap<String, Expected>,
    /// Links to accounts elsewhere, by their ids.
    pub links: BTreeMap<String, Expected>,
    /// Whether a listener shares what they listen to; none when that is not known.
    pub sharing: BTreeMap<String, Option<bool>>,
    /// The access tokens of users by their ids, in the order in which they came.
    pub sessions: Vec<(String, String)>,
    /// Whether a user has a relation to another, or to a post; none when that is not known.
    pub relations: BTreeMap<(Relation, String, String), Option<bool>>,
    pub posts: BTreeMap<String, PromisedPost>,
    pub comments: BTreeMap<String, PromisedReply>,
    pub reactions: BTreeMap<String, PromisedReply>,
    pub tallies: BTreeMap<(String, CountedAction), Tally>,
    /// Posts that other users can see, oldest first.
    pub visible: Vec<String>,
    /// Pictures that were uploaded, oldest first.
    pub pictures: Vec<String>,
    /// Which moderator has which subject or appeal, until they begin to decide about it; and those that two had at once.
    pub claims: BTreeMap<String, String>,
    pub claimed_twice: BTreeSet<String>,
    /// Posts that a moderator has asked to lock: from then on they may take no comment.
    pub locked: BTreeSet<String>,
    /// Posts about which a decision may have been scheduled. It is made even if a moderator has claimed them then, and ends the claim.
    pub scheduled: BTreeSet<String>,
    /// Scheduled decisions by their ids.
    pub schedules: BTreeMap<String, PromisedSchedule>,
    pub bulks: Vec<PromisedBulk>,
    /// The posts of home feeds and of explore as they were read when all was settled, by reader.
    pub feeds: BTreeMap<String, Vec<String>>,
    pub explored: BTreeMap<String, Vec<String>>,
}

impl Promises {
    /// Counts an outcome, whatever it was about, with the status that was answered to which user at which path.
    pub fn count(
        &mut self,
        what: &'static str,
        (person, path): (Option<&str>, &str),
        outcome: &Outcome,
        status: Option<u16>,
    ) {
        match outcome {
            Outcome::Ok(_) => self.ok += 1,
            Outcome::Unknown => {
                self.unknown += 1;
                *self.unknowns.entry((what, status)).or_default() += 1;
            }
            Outcome::Refused(status) => {
                self.refused += 1;
                // By what is known now: the lock was asked for before it was answered for.
                let is_locked_out = what == "comment" && *status == 403 && self.is_about_locked(path);
                let mut what = if is_locked_out { LOCKED_OUT } else { what };
                if let Some(person) = person.filter(|_| [401, 403].contains(status) && !is_founded(what, *status)) {
                    self.restricted.insert((person.to_owned(), *status));
                    what = RESTRICTED;
                }
                *self.refusals.entry((what, *status)).or_default() += 1;
            }
        }
    }

    /// Whether a path is that of a post, in the interaction service, which a moderator has asked to lock.
    fn is_about_locked(&self, path: &str) -> bool {
        path.split('/').nth(1).is_some_and(|post| self.locked.contains(post))
    }

    /// The latest posts that other users can see.
    pub fn latest(&self) -> &[String] {
        &self.visible[self.visible.len().saturating_sub(LATEST)..]
    }

    /// A user asked for something that was promised. It may have been deleted since by its author or by moderation, or its author and
    /// the user may have parted; if it exists at the end and none of that was, a refusal was wrong.
    pub fn asked(&mut self, what: &'static str, id: &str, person: &str, outcome: &Outcome) {
        if *outcome == Outcome::Refused(404) {
            self.denied.insert((what, id.to_owned(), person.to_owned()));
        }
    }

    /// Refusals that have no reason in a run: its users are signed in, and write what is valid. Whether those were muted or banned who
    /// were refused for that is checked afterwards.
    pub fn unfounded(&self) -> impl Iterator<Item = (&(&'static str, u16), &u64)> {
        self.refusals.iter().filter(|((what, status), _)| *what != RESTRICTED && !is_founded(what, *status))
    }

    /// Failures that are no outage: a service that cannot work answers 503, and anything else is a bug.
    pub fn failures(&self) -> impl Iterator<Item = (&'static str, u16, u64)> {
        let answered = self.unknowns.iter().filter_map(|((what, status), times)| Some((*what, (*status)?, *times)));
        answered.filter(|(what, status, _)| *status != 503 && !EXCUSED.contains(&(*what, *status)))
    }

    /// Counts an action of a user.
    pub fn tally(&mut self, person: &str, action: CountedAction, outcome: &Outcome) {
        let tally = self.tallies.entry((person.to_owned(), action)).or_default();
        match outcome {
            Outcome::Ok(_) => tally.ok += 1,
            Outcome::Unknown => tally.unknown += 1,
            Outcome::Refused(_) => {}
        }
    }

    /// A user asked for a relation to another one or to a post, or for its end.
    pub fn related(&mut self, relation: Relation, (from, to): (&str, &str), stands: bool, outcome: &Outcome) {
        let key = |relation, from: &str, to: &str| (relation, from.to_owned(), to.to_owned());
        if relation == Relation::Block && stands && !matches!(outcome, Outcome::Refused(_)) {
            // It ends the connections of the two, before or after what is under way meanwhile.
            for (from, to) in [(from, to), (to, from)] {
                self.relations.insert(key(Relation::Connection, from, to), None);
            }
        }
        let known = self.relations.entry(key(relation, from, to)).or_insert(Some(false));
        match outcome {
            // What is unknown once may still come about, after all that follows.
            Outcome::Ok(_) if known.is_some() => *known = Some(stands),
            Outcome::Unknown => *known = None,
            _ => {}
        }
    }

    /// A listener asked to share what they listen to, or to keep it to themselves.
    pub fn shared(&mut self, person: &str, shared: bool, outcome: &Outcome) {
        let Some(known) = self.sharing.get_mut(person) else { return };
        match outcome {
            Outcome::Ok(_) if known.is_some() => *known = Some(shared),
            // It may still come about, after all that follows.
            Outcome::Unknown => *known = None,
            _ => {}
        }
    }

    /// A moderator was answered that a subject or an appeal is theirs.
    pub fn claimed(&mut self, subject: &str, moderator: &str) {
        if self.scheduled.contains(subject) {
            return;
        }
        let before = self.claims.insert(subject.to_owned(), moderator.to_owned());
        if before.is_some_and(|other| other != moderator) {
            self.claimed_twice.insert(subject.to_owned());
        }
    }

    /// A moderator asked to cancel a scheduled decision.
    pub fn cancelled(&mut self, scheduled: &str, outcome: &Outcome) {
        let Some(known) = self.schedules.get_mut(scheduled) else { return };
        match outcome {
            Outcome::Ok(_) => known.cancelled = Some(true),
            Outcome::Unknown => known.cancelled = None,
            Outcome::Refused(_) => {}
        }
    }

    /// A post was to get another status.
    pub fn changed(&mut self, post: &str, status: &'static str, outcome: &Outcome) {
        let Some(known) = self.posts.get_mut(post) else { return };
        match outcome {
            Outcome::Ok(_) if known.status.is_some() => {
                known.status = Some(status);
                if status == "POSTED" && !known.insult {
                    self.visible.push(post.to_owned());
                }
            }
            Outcome::Unknown => known.status = None,
            _ => {}
        }
    }

    /// A user asked to delete something: its kind, as in `denied`, and its id.
    pub fn deleted(&mut self, kind: &'static str, id: &str, outcome: &Outcome) {
        self.visible.retain(|visible| visible != id);
        let expected = match kind {
            "account" => self.accounts.get_mut(id),
            "link" => self.links.get_mut(id),
            "post" => self.posts.get_mut(id).map(|post| &mut post.expected),
            "comment" => self.comments.get_mut(id).map(|comment| &mut comment.expected),
            _ => self.reactions.get_mut(id).map(|reaction| &mut reaction.expected),
        };
        if let Some(expected) = expected {
            *expected = expected.deleted(outcome);
        }
    }
}

/// Whether a refusal has its reason in the request: also what was deleted, and a profile that does not exist yet.
fn is_founded(what: &str, status: u16) -> bool {
    status == 404 || FOUNDED.contains(&(what, status))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: Outcome = Outcome::Ok(Value::Null);

    #[test]
    fn an_unknown_deletion_is_not_judged_and_a_later_success_is() {
        let expected = Expected::Present.deleted(&Outcome::Unknown);
        assert_eq!(expected, Expected::Unknown);
        assert_eq!(expected.deleted(&Outcome::Refused(404)), Expected::Unknown);
        assert_eq!(expected.deleted(&OK), Expected::Absent);
        assert_eq!(Expected::Present.deleted(&Outcome::Refused(404)), Expected::Present, "a refusal deletes nothing");
        assert_eq!(Expected::Absent.deleted(&Outcome::Unknown), Expected::Absent);
    }

    fn known(promises: &Promises, relation: Relation, from: &str, to: &str) -> Option<bool> {
        promises.relations[&(relation, from.to_owned(), to.to_owned())]
    }

    #[test]
    fn an_unknown_relation_stays_unknown_whatever_follows() {
        let mut promises = Promises::default();
        promises.related(Relation::Mute, ("a", "b"), true, &OK);
        assert_eq!(known(&promises, Relation::Mute, "a", "b"), Some(true));
        promises.related(Relation::Mute, ("a", "b"), false, &Outcome::Unknown);
        promises.related(Relation::Mute, ("a", "b"), true, &OK);
        assert_eq!(known(&promises, Relation::Mute, "a", "b"), None);
    }

    #[test]
    fn a_choice_to_share_is_known_until_an_outcome_is_not() {
        let mut promises = Promises::default();
        promises.sharing.insert("a".to_owned(), Some(true));
        promises.shared("a", false, &OK);
        promises.shared("a", true, &Outcome::Refused(404));
        promises.shared("b", true, &OK);
        assert_eq!(promises.sharing, BTreeMap::from([("a".to_owned(), Some(false))]));
        promises.shared("a", true, &Outcome::Unknown);
        promises.shared("a", true, &OK);
        assert_eq!(promises.sharing["a"], None);
    }

    #[test]
    fn a_link_that_was_ended_is_absent_and_a_provider_that_is_late_is_no_failure() {
        let mut promises = Promises::default();
        for link in ["a", "b"] {
            promises.links.insert(link.to_owned(), Expected::Present);
        }
        promises.deleted("link", "a", &OK);
        assert_eq!([promises.links["a"], promises.links["b"]], [Expected::Absent, Expected::Present]);
        for what in [LINK, "unlink"] {
            promises.count(what, (None, "/"), &Outcome::Unknown, Some(502));
        }
        assert_eq!(promises.failures().collect::<Vec<_>>(), [("unlink", 502, 1)]);
    }

    #[test]
    fn a_block_leaves_both_connections_unknown_and_a_refused_one_neither() {
        let mut promises = Promises::default();
        promises.related(Relation::Connection, ("a", "b"), true, &OK);
        promises.related(Relation::Block, ("b", "a"), true, &Outcome::Refused(404));
        assert_eq!(known(&promises, Relation::Connection, "a", "b"), Some(true));
        promises.related(Relation::Block, ("b", "a"), true, &OK);
        promises.related(Relation::Connection, ("b", "a"), true, &OK);
        let connections = [("a", "b"), ("b", "a")].map(|(from, to)| known(&promises, Relation::Connection, from, to));
        assert_eq!((known(&promises, Relation::Block, "b", "a"), connections), (Some(true), [None, None]));
    }

    #[test]
    fn a_subject_is_with_one_moderator_until_they_decide() {
        let mut promises = Promises::default();
        promises.claimed("post", "mia");
        promises.claimed("post", "mia");
        promises.claims.remove("post");
        promises.claimed("post", "max");
        assert_eq!(promises.claimed_twice, BTreeSet::new());
        promises.claimed("post", "mia");
        assert_eq!(promises.claimed_twice, BTreeSet::from(["post".to_owned()]));
    }

    #[test]
    fn only_refusals_with_a_reason_are_accepted() {
        let mut promises = Promises::default();
        for (what, status) in [("react", 400), ("report", 409), ("view", 404), ("sign in", 401), ("sign up", 400)] {
            promises.count(what, (None, "/"), &Outcome::Refused(status), Some(status));
        }
        let unfounded: Vec<_> = promises.unfounded().map(|(refusal, _)| *refusal).collect();
        assert_eq!(unfounded, [("sign in", 401), ("sign up", 400)]);
    }

    #[test]
    fn who_is_refused_like_a_muted_user_is_remembered() {
        let mut promises = Promises::default();
        for (what, status) in [("comment", 403), ("view", 401), ("connect", 400)] {
            promises.count(what, (Some("a"), "/post/comments"), &Outcome::Refused(status), Some(status));
        }
        assert_eq!(promises.restricted, BTreeSet::from([("a".to_owned(), 401), ("a".to_owned(), 403)]));
        assert_eq!(promises.unfounded().count(), 0);
        assert_eq!(promises.refusals[&(RESTRICTED, 403)], 1);
    }

    #[test]
    fn who_is_refused_by_a_lock_is_no_muted_user() {
        let mut promises = Promises::default();
        promises.locked.insert("post".to_owned());
        for path in ["/post/comments", "/other/comments"] {
            promises.count("comment", (Some("a"), path), &Outcome::Refused(403), Some(403));
        }
        promises.count("comment", (Some("b"), "/post/comments"), &Outcome::Refused(403), Some(403));
        assert_eq!(promises.restricted, BTreeSet::from([("a".to_owned(), 403)]), "for the other post");
        assert_eq!(promises.refusals[&(LOCKED_OUT, 403)], 2);
        assert_eq!(promises.unfounded().count(), 0);
    }

    #[test]
    fn a_scheduled_decision_ends_claims_and_is_cancelled_for_certain_or_perhaps() {
        let mut promises = Promises::default();
        promises.scheduled.insert("post".to_owned());
        promises.claimed("post", "mia");
        promises.claimed("post", "max");
        assert_eq!(promises.claimed_twice, BTreeSet::new());
        let ends = [("a", OK, Some(true)), ("b", Outcome::Unknown, None), ("c", Outcome::Refused(409), Some(false))];
        for (id, outcome, cancelled) in ends {
            let scheduled = PromisedSchedule { author: "ada".to_owned(), cancelled: Some(false) };
            promises.schedules.insert(id.to_owned(), scheduled);
            promises.cancelled(id, &outcome);
            assert_eq!(promises.schedules[id].cancelled, cancelled);
        }
    }

    #[test]
    fn an_outage_is_no_failure_and_neither_is_silence() {
        let mut promises = Promises::default();
        for status in [Some(503), None, Some(500)] {
            promises.count("view", (None, "/"), &Outcome::Unknown, status);
        }
        assert_eq!(promises.failures().collect::<Vec<_>>(), [("view", 500, 1)]);
        assert_eq!(promises.unknown, 3);
    }

    #[test]
    fn a_published_post_can_be_seen_until_it_is_deleted() {
        let mut promises = Promises::default();
        promises
            .posts
            .insert("p".to_owned(), PromisedPost { expected: Expected::Present, status: Some("DRAFT"), insult: false });
        promises.changed("p", "POSTED", &OK);
        assert_eq!(promises.visible, ["p"]);
        promises.deleted("post", "p", &Outcome::Unknown);
        assert_eq!(promises.visible, Vec::<String>::new());
        assert_eq!(promises.posts["p"].expected, Expected::Unknown);
    }
}
