//! The moderators of a run: they claim what was reported, decide about it at once or for later, take decisions back, and resolve
//! appeals.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::types::chrono::Utc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::client::Person;
use crate::proof::chaos::actions::{REASONS, remove_random};
use crate::proof::chaos::promises::{
    DECIDE, DECIDE_AGAIN, DECIDE_LATE, Outcome, PromisedBulk, PromisedSchedule, Promises,
};
use crate::proof::chaos::users::{PASSWORD, sign_in};
use crate::proof::chaos::workload::{UserRequest, Workload};
use crate::proof::platform::Platform;
use crate::system::{AUTH, MODERATION};
use crate::traffic::moderator::grant;

/// How many work at once: what one has decided, another judges.
const MODERATORS: u64 = 3;
/// The pause between two turns, and how long a moderator looks at what they have claimed, in milliseconds.
const PAUSE: std::ops::Range<u64> = 20..300;
/// Subjects that are decided about at once, at most.
const BULK: usize = 5;
/// Appeals that are claimed at once, at most.
const APPEALS: usize = 2;
/// What decisions that are scheduled do.
const LATER: [&str; 3] = ["HIDE", "LIMIT", "LOCK"];
/// How often a decision is asked for whose outcome is unknown.
const ATTEMPTS: usize = 3;
/// In how many milliseconds a scheduled decision is due: later than a moderator waits for an answer, so that no request that is answered
/// came too late.
const DUE_IN: std::ops::Range<u64> = 6_000..9_000;
/// After how long a moderator signs in again: before an access token ends.
const SESSION: Duration = Duration::from_mins(5);

/// Signs moderators up, and gives them the role as an operator does.
pub async fn appoint(platform: &Platform<'_>) -> Result<Vec<Person>> {
    let (api, database) = (platform.api()?, platform.config.database(&AUTH)?);
    let mut moderators = Vec::new();
    for number in 0..MODERATORS {
        let email = format!("moderator.{number}@example.org");
        let person = api.join(&email, PASSWORD, ("Mia", "Moderator"), &["NEWS"]).await?;
        grant(platform.binary(&AUTH)?, database.as_str(), &email).await?;
        moderators.push(person);
    }
    Ok(moderators)
}

/// Lets them work beside the users until the workload's time is over.
pub fn start(actors: &mut JoinSet<()>, workload: &Arc<Workload>, moderators: Vec<Person>, seed: u64) {
    for (number, moderator) in (0..).zip(moderators) {
        // Apart from the users' numbers, which count up from multiples of the seed.
        let dice = StdRng::seed_from_u64(!seed.wrapping_mul(MODERATORS).wrapping_add(number));
        let (workload, token) = (workload.clone(), String::new());
        let desk = Desk { workload, dice, moderator, token, restricted: Vec::new(), scheduled: Vec::new() };
        actors.spawn(desk.work());
    }
}

/// A moderator at work.
struct Desk {
    workload: Arc<Workload>,
    dice: StdRng,
    moderator: Person,
    token: String,
    /// The type and the id of what they have hidden, limited, locked or labelled.
    restricted: Vec<(String, String)>,
    /// The ids of decisions that they have scheduled.
    scheduled: Vec<String>,
}

impl Desk {
    async fn work(mut self) {
        let mut session_ends = Instant::now();
        while Instant::now() < self.workload.until {
            self.pause().await;
            if Instant::now() >= session_ends {
                let token = sign_in(&self.workload, &mut self.dice, &self.moderator.email).await;
                let Some(token) = token else { continue };
                (self.token, session_ends) = (token, Instant::now() + SESSION);
            }
            match self.dice.random_range(0..100) {
                0..45 => self.decide(1).await,
                45..59 => self.decide(BULK).await,
                59..72 => self.restore().await,
                72..80 => self.schedule().await,
                80..84 => self.cancel().await,
                _ => self.resolve().await,
            }
        }
    }

    async fn pause(&mut self) {
        sleep(Duration::from_millis(self.dice.random_range(PAUSE))).await;
    }

    async fn ask(&mut self, what: &'static str, method: Method, path: &str, body: Option<Value>) -> Outcome {
        self.ask_under(None, what, method, path, body).await
    }

    async fn ask_under(
        &mut self,
        key: Option<&str>,
        what: &'static str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Outcome {
        let caller = Some((self.moderator.id.as_str(), self.token.as_str()));
        let (service, path) = (&MODERATION, format!("/moderation{path}"));
        let request = UserRequest { what, service, method, path, caller, body };
        self.workload.ask_under(key, &mut self.dice, request).await
    }

    /// Asks for decisions, and again until it is known what became of them: all requests have one key, and so are carried out once.
    async fn carry_out(&mut self, kinds: [&'static str; ATTEMPTS], path: &str, decision: &Value) -> Outcome {
        let key = key(decision);
        for what in kinds {
            let outcome = self.ask_under(Some(&key), what, Method::POST, path, Some(decision.clone())).await;
            if outcome != Outcome::Unknown {
                return outcome;
            }
        }
        Outcome::Unknown
    }

    /// Decides about one subject.
    async fn decide_about(&mut self, (kind, id): &(String, String), decision: &Value) -> Outcome {
        let is_scheduled = self.workload.promises().scheduled.contains(id);
        let first = if is_scheduled { DECIDE_LATE } else { DECIDE };
        let path = format!("/subjects/{kind}/{id}/decisions");
        self.carry_out([first, DECIDE_AGAIN, DECIDE_AGAIN], &path, decision).await
    }

    /// Decides about several alike, each of which has its own result.
    async fn decide_in_bulk(&mut self, subjects: &[(String, String)], mut decision: Value) -> Outcome {
        decision["subjects"] = subjects.iter().map(|(kind, id)| json!({ "type": kind, "id": id })).collect();
        let outcome = self.carry_out(["decide in bulk"; ATTEMPTS], "/decisions/bulk", &decision).await;
        if matches!(outcome, Outcome::Ok(_)) {
            let (moderator, key) = (self.moderator.id.clone(), key(&decision));
            self.workload.promises().bulks.push(PromisedBulk { moderator, key, subjects: subjects.len() });
        }
        outcome
    }

    /// Claims the most urgent subjects, and decides about them alike.
    async fn decide(&mut self, most: usize) {
        let claimed = self.ask("claim", Method::POST, "/queue/claim", Some(json!({ "limit": most }))).await;
        let Outcome::Ok(Value::Array(claimed)) = claimed else { return };
        let subjects: Vec<_> = claimed.iter().filter_map(subject).collect();
        if subjects.is_empty() {
            return;
        }
        let ids: Vec<String> = subjects.iter().map(|(_, id)| id.clone()).collect();
        self.look_at(&ids).await;
        let action = action_for(&subjects, self.dice.random_range(0..100));
        let decision = self.decision(&action);
        note_lock(&mut self.workload.promises(), &action, &ids);
        let outcome = match subjects.as_slice() {
            [subject] => self.decide_about(subject, &decision).await,
            _ => self.decide_in_bulk(&subjects, decision).await,
        };
        if can_be_restored(&action) && matches!(outcome, Outcome::Ok(_)) {
            self.restricted.extend(subjects);
        }
    }

    /// Takes back what the moderator has restricted, claimed as well: so no other decides about it meanwhile.
    async fn restore(&mut self) {
        let Some(subject) = remove_random(&mut self.restricted, &mut self.dice) else { return };
        let path = format!("/subjects/{}/{}/claim", subject.0, subject.1);
        let claimed = self.ask("claim", Method::POST, &path, None).await;
        if matches!(claimed, Outcome::Ok(_)) {
            self.look_at(std::slice::from_ref(&subject.1)).await;
            let decision = self.decision(&json!({ "action": "RESTORE" }));
            self.decide_about(&subject, &decision).await;
        }
    }

    /// Decides now about a post what is done in some seconds; another moderator may have claimed it.
    async fn schedule(&mut self) {
        let post = self.workload.promises().latest().choose(&mut self.dice).cloned();
        let Some(post) = post else { return };
        let word = LATER.choose(&mut self.dice);
        let action = json!({ "action": word });
        let mut decision = self.decision(&action);
        let due_at = Utc::now() + Duration::from_millis(self.dice.random_range(DUE_IN));
        decision["at"] = json!(due_at.to_rfc3339());
        // Before the request, which may be carried out whatever is answered.
        {
            let mut promises = self.workload.promises();
            promises.scheduled.insert(post.clone());
            note_lock(&mut promises, &action, [&post]);
        }
        let path = format!("/subjects/POST/{post}/scheduled-decisions");
        let outcome = self.ask("schedule", Method::POST, &path, Some(decision)).await;
        let Outcome::Ok(scheduled) = outcome else { return };
        let [Some(id), Some(author)] = ["id", "author"].map(|name| scheduled[name].as_str().map(str::to_owned)) else {
            return;
        };
        let promised = PromisedSchedule { author, cancelled: Some(false) };
        self.workload.promises().schedules.insert(id.clone(), promised);
        self.scheduled.push(id);
    }

    /// Cancels what the moderator has scheduled; it may have been made before.
    async fn cancel(&mut self) {
        let Some(scheduled) = remove_random(&mut self.scheduled, &mut self.dice) else { return };
        let outcome = self.ask("cancel", Method::DELETE, &format!("/scheduled-decisions/{scheduled}"), None).await;
        self.workload.promises().cancelled(&scheduled, &outcome);
    }

    /// Claims the most urgent appeals, none of which is against the moderator's own decisions, and resolves them. One whose decision was
    /// taken back meanwhile has succeeded.
    async fn resolve(&mut self) {
        let claimed =
            self.ask("claim appeals", Method::POST, "/appeals/claim", Some(json!({ "limit": APPEALS }))).await;
        let Outcome::Ok(Value::Array(claimed)) = claimed else { return };
        let appeals: Vec<String> =
            claimed.iter().filter_map(|appeal| appeal["id"].as_str().map(str::to_owned)).collect();
        if appeals.is_empty() {
            return;
        }
        self.look_at(&appeals).await;
        for appeal in appeals {
            let outcome = if self.dice.random_bool(0.5) { "OVERTURNED" } else { "UPHELD" };
            let body = json!({ "outcome": outcome, "note": "We have read it." });
            self.ask("resolve", Method::POST, &format!("/appeals/{appeal}/resolve"), Some(body)).await;
        }
    }

    /// Looks at what was claimed, by ids: as long as that takes, it is with no other moderator.
    async fn look_at(&mut self, claimed: &[String]) {
        for id in claimed {
            self.workload.promises().claimed(id, &self.moderator.id);
        }
        self.pause().await;
        for id in claimed {
            self.workload.promises().claims.remove(id);
        }
    }

    /// A decision, with a note that no other one has: by it, what was made twice is found.
    fn decision(&mut self, action: &Value) -> Value {
        let reason = REASONS.choose(&mut self.dice);
        let note = format!("{:032x}", self.dice.random::<u128>());
        json!({ "actions": [action], "reason": reason, "public_note": "Please stay kind.", "internal_note": note })
    }
}

/// What is done to subjects alike, by a throw below 100: it fits all of them, so what is left is allowed.
fn action_for(subjects: &[(String, String)], throw: u32) -> Value {
    let are = |kinds: &[&str]| subjects.iter().all(|(kind, _)| kinds.contains(&kind.as_str()));
    match throw {
        0..38 if are(&["POST", "COMMENT", "MEDIA"]) => json!({ "action": "HIDE" }),
        38..44 if are(&["POST", "COMMENT", "MEDIA"]) => json!({ "action": "REMOVE" }),
        44..52 if are(&["POST", "COMMENT"]) => json!({ "action": "LABEL", "label": "satire" }),
        52..60 if are(&["POST"]) => json!({ "action": "LIMIT" }),
        60..68 if are(&["POST"]) => json!({ "action": "LOCK" }),
        _ => json!({ "action": "ALLOW" }),
    }
}

/// Whether to restore its subject undoes an action.
fn can_be_restored(action: &Value) -> bool {
    action["action"] != "ALLOW" && action["action"] != "REMOVE"
}

/// Remembers the posts that are to be locked.
fn note_lock<'a>(promises: &mut Promises, action: &Value, posts: impl IntoIterator<Item = &'a String>) {
    if action["action"] == "LOCK" {
        promises.locked.extend(posts.into_iter().cloned());
    }
}

/// The key under which a decision is asked for: its note.
fn key(decision: &Value) -> String {
    decision["internal_note"].as_str().unwrap_or_default().to_owned()
}

/// The type and the id of an item of the queue.
fn subject(item: &Value) -> Option<(String, String)> {
    Some((item["type"].as_str()?.to_owned(), item["id"].as_str()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(kinds: &[&str]) -> Vec<String> {
        let subjects: Vec<_> = kinds.iter().map(|kind| ((*kind).to_owned(), "id".to_owned())).collect();
        let mut words: Vec<_> =
            (0..100).filter_map(|throw| action_for(&subjects, throw)["action"].as_str().map(str::to_owned)).collect();
        words.dedup();
        words
    }

    #[test]
    fn what_is_done_fits_all_subjects() {
        assert_eq!(words(&["POST"]), ["HIDE", "REMOVE", "LABEL", "LIMIT", "LOCK", "ALLOW"]);
        assert_eq!(words(&["POST", "COMMENT"]), ["HIDE", "REMOVE", "LABEL", "ALLOW"]);
        assert_eq!(words(&["MEDIA"]), ["HIDE", "REMOVE", "ALLOW"]);
        assert_eq!(words(&["POST", "USER"]), ["ALLOW"]);
    }

    #[test]
    fn a_lock_is_remembered_and_can_be_restored() {
        let (mut promises, posts) = (Promises::default(), ["post".to_owned()]);
        for word in ["ALLOW", "REMOVE", "HIDE"] {
            let action = json!({ "action": word });
            note_lock(&mut promises, &action, &posts);
            assert_eq!((promises.locked.len(), can_be_restored(&action)), (0, word == "HIDE"), "{word}");
        }
        note_lock(&mut promises, &json!({ "action": "LOCK" }), &posts);
        assert!(promises.locked.contains("post"));
    }
}
