//! The simulated users of a run: a few at a time, each performing one random action after another.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::proof::chaos::actions::{self, SimulatedUser};
use crate::proof::chaos::promises::{Expected, Outcome};
use crate::proof::chaos::workload::{UserRequest, Workload};
use crate::system::AUTH;

/// How many act at once.
const ACTORS: u64 = 10;
/// The pause between two actions, in milliseconds.
const PAUSE: std::ops::Range<u64> = 5..80;
/// After how many actions, on average, another user follows.
const ACTIONS: f64 = 60.0;
pub const PASSWORD: &str = "a long walk by the sea";

/// Lets users act until the workload's time is over.
pub fn start(workload: &Arc<Workload>, seed: u64) -> JoinSet<()> {
    let mut actors = JoinSet::new();
    for number in 0..ACTORS {
        let dice = StdRng::seed_from_u64(seed.wrapping_mul(ACTORS).wrapping_add(number));
        actors.spawn(act(workload.clone(), dice, number));
    }
    actors
}

/// Waits until the last of them has stopped.
pub async fn finish(mut actors: JoinSet<()>) -> Result<()> {
    while let Some(ended) = actors.join_next().await {
        ended.context("a simulated user has panicked")?;
    }
    Ok(())
}

async fn act(workload: Arc<Workload>, mut dice: StdRng, number: u64) {
    let mut person: Option<SimulatedUser> = None;
    let mut joined = 0;
    while Instant::now() < workload.until {
        sleep(Duration::from_millis(dice.random_range(PAUSE))).await;
        person = match person {
            Some(person) if !dice.random_bool(1.0 / ACTIONS) => actions::perform(&workload, &mut dice, person).await,
            _ => {
                joined += 1;
                // Signs up again on the next turn when it does not work out.
                join(&workload, &mut dice, &format!("person.{number}.{joined}@example.org")).await
            }
        };
    }
}

/// A new user, who has signed up and in; none when either did not succeed.
async fn join(workload: &Workload, dice: &mut StdRng, email: &str) -> Option<SimulatedUser> {
    let user = json!({ "email": email, "password": PASSWORD, "first_name": "Some", "last_name": "Body",
        "interests": ["BOOKS", "TRAVEL"] });
    let account = enter(workload, dice, "sign up", "/auth/signup", user).await?;
    let id = account["id"].as_str()?.to_owned();
    workload.promises().accounts.insert(id.clone(), Expected::Present);
    let token = sign_in(workload, dice, email).await?;
    workload.promises().sessions.push((id.clone(), token.clone()));
    Some(SimulatedUser::new(id, token))
}

/// The access token of a user who signs in; none when that did not succeed.
pub async fn sign_in(workload: &Workload, dice: &mut StdRng, email: &str) -> Option<String> {
    let credentials = json!({ "email": email, "password": PASSWORD });
    let answer = enter(workload, dice, "sign in", "/auth/signin", credentials).await?;
    Some(answer["access_token"].as_str()?.to_owned())
}

/// What a request without a session is answered, when it succeeds.
async fn enter(workload: &Workload, dice: &mut StdRng, what: &'static str, path: &str, body: Value) -> Option<Value> {
    let (path, body) = (path.to_owned(), Some(body));
    let request = UserRequest { what, service: &AUTH, method: Method::POST, path, caller: None, body };
    let Outcome::Ok(answer) = workload.ask(dice, request).await else { return None };
    Some(answer)
}
