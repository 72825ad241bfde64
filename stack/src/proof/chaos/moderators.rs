//! The moderators of a run: they claim what was reported, decide about it, take decisions back, and resolve appeals.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::proof::chaos::actions::{REASONS, remove_random};
use crate::proof::chaos::promises::Outcome;
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
/// After how long a moderator signs in again: before an access token ends.
const SESSION: Duration = Duration::from_mins(5);

/// A user with the role of a moderator.
pub struct AppointedModerator {
    id: String,
    email: String,
}

/// Signs moderators up, and gives them the role as an operator does.
pub async fn appoint(platform: &Platform<'_>) -> Result<Vec<AppointedModerator>> {
    let (api, database) = (platform.api()?, platform.config.database(&AUTH)?);
    let mut moderators = Vec::new();
    for number in 0..MODERATORS {
        let email = format!("moderator.{number}@example.org");
        let person = api.join(&email, PASSWORD, ("Mia", "Moderator"), &["NEWS"]).await?;
        grant(platform.binary(&AUTH)?, database.as_str(), &email).await?;
        moderators.push(AppointedModerator { id: person.id, email });
    }
    Ok(moderators)
}

/// Lets them work beside the users until the workload's time is over.
pub fn start(actors: &mut JoinSet<()>, workload: &Arc<Workload>, moderators: Vec<AppointedModerator>, seed: u64) {
    for (number, moderator) in (0..).zip(moderators) {
        // Apart from the users' numbers, which count up from multiples of the seed.
        let dice = StdRng::seed_from_u64(!seed.wrapping_mul(MODERATORS).wrapping_add(number));
        let (workload, token, hidden) = (workload.clone(), String::new(), Vec::new());
        actors.spawn(Desk { workload, dice, moderator, token, hidden }.work());
    }
}

/// A moderator at work.
struct Desk {
    workload: Arc<Workload>,
    dice: StdRng,
    moderator: AppointedModerator,
    token: String,
    /// The type and the id of what they have hidden.
    hidden: Vec<(String, String)>,
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
                0..50 => self.decide(1).await,
                50..65 => self.decide(BULK).await,
                65..80 => self.restore().await,
                _ => self.resolve().await,
            }
        }
    }

    async fn pause(&mut self) {
        sleep(Duration::from_millis(self.dice.random_range(PAUSE))).await;
    }

    async fn ask(&mut self, what: &'static str, method: Method, path: &str, body: Option<Value>) -> Outcome {
        let caller = Some((self.moderator.id.as_str(), self.token.as_str()));
        let (service, path) = (&MODERATION, format!("/moderation{path}"));
        self.workload.ask(&mut self.dice, UserRequest { what, service, method, path, caller, body }).await
    }

    /// Claims the most urgent subjects, and decides about them alike.
    async fn decide(&mut self, most: usize) {
        let claimed = self.ask("claim", Method::POST, "/queue/claim", Some(json!({ "limit": most }))).await;
        let Outcome::Ok(Value::Array(claimed)) = claimed else { return };
        let subjects: Vec<_> = claimed.iter().filter_map(subject).collect();
        if subjects.is_empty() {
            return;
        }
        self.look_at(&subjects).await;
        // A user is no content that could be hidden.
        let hides = self.dice.random_bool(0.6) && subjects.iter().all(|(kind, _)| kind != "USER");
        let mut decision = self.decision(if hides { "HIDE" } else { "ALLOW" });
        let outcome = if let [(kind, id)] = subjects.as_slice() {
            let path = format!("/subjects/{kind}/{id}/decisions");
            self.ask("decide", Method::POST, &path, Some(decision)).await
        } else {
            decision["subjects"] = subjects.iter().map(|(kind, id)| json!({ "type": kind, "id": id })).collect();
            self.ask("decide in bulk", Method::POST, "/decisions/bulk", Some(decision)).await
        };
        if hides && matches!(outcome, Outcome::Ok(_)) {
            self.hidden.extend(subjects);
        }
    }

    /// Takes back what the moderator has hidden, claimed as well: so no other decides about it meanwhile.
    async fn restore(&mut self) {
        let Some(subject) = remove_random(&mut self.hidden, &mut self.dice) else { return };
        let path = format!("/subjects/{}/{}", subject.0, subject.1);
        let claimed = self.ask("claim", Method::POST, &format!("{path}/claim"), None).await;
        if matches!(claimed, Outcome::Ok(_)) {
            self.look_at(&[subject]).await;
            let decision = self.decision("RESTORE");
            self.ask("decide", Method::POST, &format!("{path}/decisions"), Some(decision)).await;
        }
    }

    /// Resolves an appeal; one of the moderator's own decisions is refused.
    async fn resolve(&mut self) {
        let appeals = self.ask("list appeals", Method::GET, "/appeals", None).await;
        let Outcome::Ok(Value::Array(appeals)) = appeals else { return };
        let Some(appeal) = appeals.choose(&mut self.dice).and_then(|appeal| appeal["id"].as_str()) else { return };
        let outcome = if self.dice.random_bool(0.5) { "OVERTURNED" } else { "UPHELD" };
        let body = json!({ "outcome": outcome, "note": "We have read it." });
        self.ask("resolve", Method::POST, &format!("/appeals/{appeal}/resolve"), Some(body)).await;
    }

    /// Looks at what was claimed: as long as that takes, it is with no other moderator.
    async fn look_at(&mut self, subjects: &[(String, String)]) {
        for (_, id) in subjects {
            self.workload.promises().claimed(id, &self.moderator.id);
        }
        self.pause().await;
        for (_, id) in subjects {
            self.workload.promises().claims.remove(id);
        }
    }

    fn decision(&mut self, action: &str) -> Value {
        let reason = REASONS.choose(&mut self.dice);
        json!({ "actions": [{ "action": action }], "reason": reason, "public_note": "Please stay kind." })
    }
}

/// The type and the id of an item of the queue.
fn subject(item: &Value) -> Option<(String, String)> {
    Some((item["type"].as_str()?.to_owned(), item["id"].as_str()?.to_owned()))
}
