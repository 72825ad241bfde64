//! What the platform said to whom: the promises that it is held to afterwards.
//!
//! A request that succeeded promises that its write stays. One that was refused promises nothing. One that timed out,
//! broke off or was answered with 5xx is unknown: its write may be there or not, or come about later, and so whatever it
//! was about is not judged any more.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// How a request ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Ok(Value),
    /// 4xx, with the status.
    Refused(u16),
    Unknown,
}

/// What must be found of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    There,
    Gone,
    /// It was about to be deleted, and nobody knows whether it was.
    Uncertain,
}

impl Fate {
    /// After a request to delete it.
    fn deleted(self, outcome: &Outcome) -> Fate {
        match (self, outcome) {
            (_, Outcome::Ok(_)) => Fate::Gone,
            (Fate::There, Outcome::Unknown) => Fate::Uncertain,
            _ => self,
        }
    }
}

/// A post that was answered with success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    pub fate: Fate,
    /// None when nobody knows which change came last.
    pub status: Option<&'static str>,
    /// Whether moderation has to delete it as soon as it is published.
    pub insult: bool,
}

/// A comment or a reaction that was answered with success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub post: String,
    pub fate: Fate,
    pub insult: bool,
}

/// Kinds of facts that are counted per person, by the stream that tells of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told {
    Post,
    Comment,
    Reaction,
    View,
}

impl Told {
    pub fn stream(self) -> &'static str {
        match self {
            Told::Post => "post_created",
            Told::Comment => "post_comment_created",
            Told::Reaction => "post_reaction_created",
            Told::View => "post_viewed",
        }
    }
}

/// How often somebody did something for sure, and how often perhaps.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    pub ok: u64,
    pub unknown: u64,
}

/// Everything that was promised.
#[derive(Debug, Default)]
pub struct Record {
    pub ok: u64,
    pub refused: u64,
    pub unknown: u64,
    /// What was refused with which status how often.
    pub refusals: BTreeMap<(&'static str, u16), u64>,
    /// What is unknown after which status how often; without a status when nobody answered in time.
    pub unknowns: BTreeMap<(&'static str, Option<u16>), u64>,
    /// What was said not to be there, though it was promised: what, and its id.
    pub denied: BTreeSet<(&'static str, String)>,
    pub accounts: BTreeMap<String, Fate>,
    /// Who is connected to whom; none when nobody knows.
    pub connections: BTreeMap<(String, String), Option<bool>>,
    pub posts: BTreeMap<String, Post>,
    pub comments: BTreeMap<String, Answer>,
    pub reactions: BTreeMap<String, Answer>,
    pub tallies: BTreeMap<(String, Told), Tally>,
    /// Posts that others can see, oldest first.
    pub visible: Vec<String>,
}

impl Record {
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

    /// Somebody asked for what they knew to be there. It may have been deleted since by its author or by moderation; if it
    /// is found at the end, a refusal was a lie.
    pub fn asked(&mut self, what: &'static str, id: &str, outcome: &Outcome) {
        if *outcome == Outcome::Refused(404) {
            self.denied.insert((what, id.to_owned()));
        }
    }

    /// Refusals that nothing in a run gives a reason for: people are who they say, and write what is valid.
    pub fn unfounded(&self) -> impl Iterator<Item = (&(&'static str, u16), &u64)> {
        // A second reaction to a post, what is gone, and a profile that was not heard of yet.
        let founded = |what: &str, status: u16| status == 404 || (what, status) == ("react", 400);
        self.refusals.iter().filter(move |((what, status), _)| !founded(what, *status))
    }

    /// Failures that are no outage: a service that cannot work says 503, and anything else is a bug.
    pub fn failures(&self) -> impl Iterator<Item = (&'static str, u16, u64)> {
        let answered = self.unknowns.iter().filter_map(|((what, status), times)| Some((*what, (*status)?, *times)));
        answered.filter(|(_, status, _)| *status != 503)
    }

    /// Counts something that a person did.
    pub fn tally(&mut self, person: &str, told: Told, outcome: &Outcome) {
        let tally = self.tallies.entry((person.to_owned(), told)).or_default();
        match outcome {
            Outcome::Ok(_) => tally.ok += 1,
            Outcome::Unknown => tally.unknown += 1,
            Outcome::Refused(_) => {}
        }
    }

    pub fn left(&mut self, person: &str, outcome: &Outcome) {
        if let Some(fate) = self.accounts.get_mut(person) {
            *fate = fate.deleted(outcome);
        }
    }

    /// A person wished to be connected to another one, or not to be any more.
    pub fn connected(&mut self, from: &str, to: &str, wish: bool, outcome: &Outcome) {
        let known = self.connections.entry((from.to_owned(), to.to_owned())).or_insert(Some(false));
        match outcome {
            // What is unknown once may still come about, after all that follows.
            Outcome::Ok(_) if known.is_some() => *known = Some(wish),
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

    pub fn post_deleted(&mut self, post: &str, outcome: &Outcome) {
        self.visible.retain(|visible| visible != post);
        if let Some(known) = self.posts.get_mut(post) {
            known.fate = known.fate.deleted(outcome);
        }
    }

    pub fn comment_deleted(&mut self, comment: &str, outcome: &Outcome) {
        if let Some(known) = self.comments.get_mut(comment) {
            known.fate = known.fate.deleted(outcome);
        }
    }

    pub fn reaction_deleted(&mut self, reaction: &str, outcome: &Outcome) {
        if let Some(known) = self.reactions.get_mut(reaction) {
            known.fate = known.fate.deleted(outcome);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: Outcome = Outcome::Ok(Value::Null);

    #[test]
    fn an_unknown_deletion_is_not_judged_and_a_later_success_is() {
        let fate = Fate::There.deleted(&Outcome::Unknown);
        assert_eq!(fate, Fate::Uncertain);
        assert_eq!(fate.deleted(&Outcome::Refused(404)), Fate::Uncertain);
        assert_eq!(fate.deleted(&OK), Fate::Gone);
        assert_eq!(Fate::There.deleted(&Outcome::Refused(404)), Fate::There, "a refusal deletes nothing");
        assert_eq!(Fate::Gone.deleted(&Outcome::Unknown), Fate::Gone);
    }

    #[test]
    fn an_unknown_connection_stays_unknown_whatever_follows() {
        let mut record = Record::default();
        record.connected("a", "b", true, &OK);
        assert_eq!(record.connections[&("a".to_owned(), "b".to_owned())], Some(true));
        record.connected("a", "b", false, &Outcome::Unknown);
        record.connected("a", "b", true, &OK);
        assert_eq!(record.connections[&("a".to_owned(), "b".to_owned())], None);
    }

    #[test]
    fn only_what_people_give_a_reason_for_may_be_refused() {
        let mut record = Record::default();
        for (what, status) in [("react", 400), ("view", 404), ("view", 401), ("sign up", 400)] {
            record.count(what, &Outcome::Refused(status), Some(status));
        }
        let unfounded: Vec<_> = record.unfounded().map(|(refusal, _)| *refusal).collect();
        assert_eq!(unfounded, [("sign up", 400), ("view", 401)]);
    }

    #[test]
    fn an_outage_is_no_failure_and_neither_is_silence() {
        let mut record = Record::default();
        for status in [Some(503), None, Some(500)] {
            record.count("view", &Outcome::Unknown, status);
        }
        assert_eq!(record.failures().collect::<Vec<_>>(), [("view", 500, 1)]);
        assert_eq!(record.unknown, 3);
    }

    #[test]
    fn a_published_post_can_be_seen_until_it_is_deleted() {
        let mut record = Record::default();
        record.posts.insert("p".to_owned(), Post { fate: Fate::There, status: Some("DRAFT"), insult: false });
        record.changed("p", "POSTED", &OK);
        assert_eq!(record.visible, ["p"]);
        record.post_deleted("p", &Outcome::Unknown);
        assert_eq!(record.visible, Vec::<String>::new());
        assert_eq!(record.posts["p"].fate, Fate::Uncertain);
    }
}
