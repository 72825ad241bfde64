//! What the platform has answered: the promises that it is checked against afterwards.
//!
//! A request that succeeded promises that its write stays. One that was refused promises nothing. One that timed out, broke
//! off or was answered with 5xx is unknown: its write may exist or not, or come into being later, and so what it was about
//! is not checked any more.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What moderation has to delete: an attack that no reading excuses.
pub const INSULT: &str = "You have understood nothing, and I hope you die.";

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
    /// What was answered not to exist, although it was promised: kind and id.
    pub denied: BTreeSet<(&'static str, String)>,
    pub accounts: BTreeMap<String, Expected>,
    /// Whether a user is connected to another; none when that is not known.
    pub connections: BTreeMap<(String, String), Option<bool>>,
    pub posts: BTreeMap<String, PromisedPost>,
    pub comments: BTreeMap<String, PromisedReply>,
    pub reactions: BTreeMap<String, PromisedReply>,
    pub tallies: BTreeMap<(String, CountedAction), Tally>,
    /// Posts that other users can see, oldest first.
    pub visible: Vec<String>,
    /// Pictures that were uploaded, oldest first.
    pub pictures: Vec<String>,
}

impl Promises {
    /// Counts an outcome, whatever it was about, with the status that was answered.
    pub fn count(&mut self, what: &'static str, outcome: &Outcome, status: Option<u16>) {
        match outcome {
            Outcome::Ok(_) => self.ok += 1,
            Outcome::Unknown => {
                self.unknown += 1;
                *self.unknowns.entry((what, status)).or_default() += 1;
            }
            Outcome::Refused(status) => {
                self.refused += 1;
                *self.refusals.entry((what, *status)).or_default() += 1;
            }
        }
    }

    /// A user asked for something that was promised. It may have been deleted since by its author or by moderation; if it
    /// exists at the end, a refusal was wrong.
    pub fn asked(&mut self, what: &'static str, id: &str, outcome: &Outcome) {
        if *outcome == Outcome::Refused(404) {
            self.denied.insert((what, id.to_owned()));
        }
    }

    /// Refusals that have no reason in a run: its users are signed in, and write what is valid.
    pub fn unfounded(&self) -> impl Iterator<Item = (&(&'static str, u16), &u64)> {
        // A second reaction to a post, a second report of it or one of the user's own, what was deleted, and a profile that does not
        // exist yet.
        let founded =
            |what: &str, status: u16| status == 404 || [("react", 400), ("report", 409)].contains(&(what, status));
        self.refusals.iter().filter(move |((what, status), _)| !founded(what, *status))
    }

    /// Failures that are no outage: a service that cannot work answers 503, and anything else is a bug.
    pub fn failures(&self) -> impl Iterator<Item = (&'static str, u16, u64)> {
        let answered = self.unknowns.iter().filter_map(|((what, status), times)| Some((*what, (*status)?, *times)));
        answered.filter(|(_, status, _)| *status != 503)
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

    /// A user asked to be connected to another one, or to be disconnected.
    pub fn connected(&mut self, from: &str, to: &str, connected: bool, outcome: &Outcome) {
        let known = self.connections.entry((from.to_owned(), to.to_owned())).or_insert(Some(false));
        match outcome {
            // What is unknown once may still come about, after all that follows.
            Outcome::Ok(_) if known.is_some() => *known = Some(connected),
            Outcome::Unknown => *known = None,
            _ => {}
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
            "post" => self.posts.get_mut(id).map(|post| &mut post.expected),
            "comment" => self.comments.get_mut(id).map(|comment| &mut comment.expected),
            _ => self.reactions.get_mut(id).map(|reaction| &mut reaction.expected),
        };
        if let Some(expected) = expected {
            *expected = expected.deleted(outcome);
        }
    }
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

    #[test]
    fn an_unknown_connection_stays_unknown_whatever_follows() {
        let mut promises = Promises::default();
        promises.connected("a", "b", true, &OK);
        assert_eq!(promises.connections[&("a".to_owned(), "b".to_owned())], Some(true));
        promises.connected("a", "b", false, &Outcome::Unknown);
        promises.connected("a", "b", true, &OK);
        assert_eq!(promises.connections[&("a".to_owned(), "b".to_owned())], None);
    }

    #[test]
    fn only_refusals_with_a_reason_are_accepted() {
        let mut promises = Promises::default();
        for (what, status) in [("react", 400), ("report", 409), ("view", 404), ("view", 401), ("sign up", 400)] {
            promises.count(what, &Outcome::Refused(status), Some(status));
        }
        let unfounded: Vec<_> = promises.unfounded().map(|(refusal, _)| *refusal).collect();
        assert_eq!(unfounded, [("sign up", 400), ("view", 401)]);
    }

    #[test]
    fn an_outage_is_no_failure_and_neither_is_silence() {
        let mut promises = Promises::default();
        for status in [Some(503), None, Some(500)] {
            promises.count("view", &Outcome::Unknown, status);
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
