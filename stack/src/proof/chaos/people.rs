//! The people of a run: a few at a time, each doing one thing after another, thrown by dice of their own.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::proof::chaos::acts;
use crate::proof::chaos::acts::Person;
use crate::proof::chaos::record::{Fate, Outcome};
use crate::proof::chaos::world::{Request, World};
use crate::system::AUTH;

/// How many act at once.
const ACTORS: u64 = 10;
/// How long somebody thinks between two actions, in milliseconds.
const THOUGHT: std::ops::Range<u64> = 5..80;
/// After how many actions, on average, somebody else comes.
const STAYS: f64 = 60.0;
const PASSWORD: &str = "a long walk by the sea";

/// Lets people act until the world's time is over.
pub fn start(world: &Arc<World>, seed: u64) -> JoinSet<()> {
    let mut actors = JoinSet::new();
    for number in 0..ACTORS {
        let dice = StdRng::seed_from_u64(seed.wrapping_mul(ACTORS).wrapping_add(number));
        actors.spawn(act(world.clone(), dice, number));
    }
    actors
}

/// Waits until the last of them has stopped.
pub async fn finish(mut actors: JoinSet<()>) -> Result<()> {
    while let Some(ended) = actors.join_next().await {
        ended.context("a person of the run broke down")?;
    }
    Ok(())
}

async fn act(world: Arc<World>, mut dice: StdRng, number: u64) {
    let mut person: Option<Person> = None;
    let mut met = 0;
    while Instant::now() < world.until {
        sleep(Duration::from_millis(dice.random_range(THOUGHT))).await;
        person = match person {
            Some(person) if !dice.random_bool(1.0 / STAYS) => acts::something(&world, &mut dice, person).await,
            _ => {
                met += 1;
                // Signs up again on the next turn when it does not work out.
                join(&world, &mut dice, &format!("person.{number}.{met}@example.org")).await
            }
        };
    }
}

/// A new person, who has signed up and in; none when either did not succeed.
async fn join(world: &World, dice: &mut StdRng, email: &str) -> Option<Person> {
    let user = json!({ "email": email, "password": PASSWORD, "first_name": "Some", "last_name": "Body",
        "interests": ["BOOKS", "TRAVEL"] });
    let request = |what, path: &str, body: Value| Request {
        what,
        service: &AUTH,
        method: Method::POST,
        path: path.to_owned(),
        token: "",
        body: Some(body),
    };
    let Outcome::Ok(account) = world.ask(dice, request("sign up", "/auth/signup", user)).await else { return None };
    let id = account["id"].as_str()?.to_owned();
    world.record().accounts.insert(id.clone(), Fate::There);
    let credentials = json!({ "email": email, "password": PASSWORD });
    let outcome = world.ask(dice, request("sign in", "/auth/signin", credentials)).await;
    let Outcome::Ok(answer) = outcome else { return None };
    Some(Person::new(id, answer["access_token"].as_str()?.to_owned()))
}
