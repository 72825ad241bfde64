//! A person exports what the platform holds about them, and leaves: afterwards no table, stream or hash has their name, their
//! address or a word of theirs.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, Value as Held};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use crate::client::{Person, To, eventually};
use crate::platform::{PASSWORD, Platform};

/// A name that nothing else on the platform contains; the person who leaves signs everything with it.
const NAME: &str = "Zephyrine";
const INSULT: &str = "I hope you die.";
const SERVICES: [&str; 5] =
    ["auth-service", "engagement-service", "interaction-service", "moderation-service", "post-service"];

/// The platform's stores, past all services.
struct Stores {
    postgres: PgConnection,
    redis: MultiplexedConnection,
    service_token: String,
}

impl Stores {
    async fn of(platform: &Platform) -> Result<Stores> {
        let kept: Value = serde_json::from_str(&fs::read_to_string(platform.data().join("kept.json"))?)?;
        let secret = |name: &str| kept["secrets"][name].as_str().unwrap_or_default().to_owned();
        let postgres = format!("postgres://postgres:{}@127.0.0.1:{}/social", secret("postgres"), kept["postgres_port"]);
        let redis = format!("redis://:{}@127.0.0.1:{}/0", secret("redis"), kept["redis_port"]);
        Ok(Stores {
            postgres: PgConnection::connect(&postgres).await?,
            redis: redis::Client::open(redis)?.get_multiplexed_async_connection().await?,
            service_token: secret("service_token"),
        })
    }

    /// The tables and keys that contain a text, in whatever case.
    async fn with(&mut self, text: &str) -> Result<Vec<String>> {
        let text = text.to_lowercase();
        let mut places = Vec::new();
        let tables = "select format('%I.%I', schemaname, tablename) from pg_tables
            where schemaname in ('auth', 'post', 'interaction', 'moderation', 'engagement')";
        let tables = sqlx::raw_sql(tables).fetch_all(&mut self.postgres).await?;
        anyhow::ensure!(tables.len() > 40, "only {} tables were found", tables.len());
        for table in tables.iter().map(|row| row.get::<String, _>(0)) {
            let held = format!(
                "select exists (select from {table} as held where position('{text}' in lower(held::text)) > 0)"
            );
            let held = sqlx::raw_sql(AssertSqlSafe(held)).fetch_one(&mut self.postgres).await?;
            places.extend(held.get::<bool, _>(0).then_some(table));
        }
        let keys: Vec<String> = self.redis.keys("*").await?;
        for key in keys {
            let kind: String = redis::cmd("TYPE").arg(&key).query_async(&mut self.redis).await?;
            let held: Held = match kind.as_str() {
                "stream" => redis::cmd("XRANGE").arg(&key).arg("-").arg("+").query_async(&mut self.redis).await?,
                "hash" => self.redis.hgetall(&key).await?,
                _ => self.redis.get(&key).await?,
            };
            places.extend(format!("{key} {held:?}").to_lowercase().contains(&text).then_some(key));
        }
        Ok(places)
    }
}

#[tokio::test]
async fn who_leaves_takes_everything_along() -> Result<()> {
    let mut platform = Platform::up(&[]);
    let api = platform.api();
    let email = format!("{}@example.org", NAME.to_lowercase());
    let leaver = api.join(&email, PASSWORD, (NAME, "Somebody"), &["BOOKS"]).await?;
    let friend = api.join("friend@example.org", PASSWORD, ("Friend", "Somebody"), &["BOOKS"]).await?;
    let kept = live(&leaver, &friend).await?;
    let mut stores = Stores::of(&platform).await?;
    let before = stores.with(NAME).await?;
    for place in ["auth.account", "post.post", "interaction.comment", "moderation.moderation", "user_registered"] {
        assert!(before.iter().any(|found| found == place), "{place} is not among {before:?}");
    }

    let export: Value = leaver.api.ask(Method::GET, To::Auth, "/users/me/export", None).await?;
    let held = &export["services"];
    assert_eq!(held["auth-service"]["accounts"][0]["email"], json!(email));
    assert_eq!(held["post-service"]["posts"][0]["title"], json!(format!("By {NAME}")));
    assert_eq!(held["interaction-service"]["comments"][0]["content"], json!(format!("Said by {NAME}")));
    assert_eq!(held["engagement-service"]["profiles"][0]["user_id"], json!(leaver.id));
    assert_eq!(held["moderation-service"]["moderations"].as_array().map(Vec::len), Some(1));

    leaver.api.ask::<()>(Method::DELETE, To::Auth, &format!("/users/{}", leaver.id), None).await?;
    let (_, took) = eventually(
        "all services have confirmed",
        async || confirmed(&platform, &stores, &leaver).await,
        |all| *all == SERVICES,
    )
    .await?;
    println!("all five services had erased everything {:.2} s after the request", took.as_secs_f64());
    // What a group had not read yet leaves its stream with the second look, a minute later at most.
    gone(&mut stores, NAME).await?;
    gone(&mut stores, &email).await?;
    assert_eq!(friend.post(&kept).await?.total_comments, 0, "the comment is not counted any more");
    platform.stop();
    Ok(())
}

/// A person uses everything that stores words; the friend's post that remains.
async fn live(leaver: &Person, friend: &Person) -> Result<String> {
    leaver
        .api
        .ask::<Value>(Method::PATCH, To::Auth, "/users/me", Some(&json!({ "bio": format!("I am {NAME}") })))
        .await?;
    leaver.connect(&friend.id).await?;
    let post = leaver.write_post(&format!("By {NAME}"), &format!("{NAME} was here."), &["BOOKS"], "POSTED").await?;
    friend.view(&post.id).await?;
    let theirs = friend.write_post("A friend's", "To be commented on.", &["BOOKS"], "POSTED").await?;
    leaver.comment(&theirs.id, &format!("Said by {NAME}")).await?;
    leaver.react(&theirs.id, "LOVE").await?;
    // Moderation keeps what it has removed: one comment more and then less.
    leaver.comment(&theirs.id, &format!("{NAME} says: {INSULT}")).await?;
    eventually("the insult is gone", async || friend.comments(&theirs.id).await, |all| all.len() == 1).await?;
    let counted = |post: &crate::client::Post| (post.total_comments, post.total_reactions) == (1, 1);
    eventually("the comment is counted", async || friend.post(&theirs.id).await, counted).await?;
    Ok(theirs.id)
}

/// The services that hold nothing about a person any more.
async fn confirmed(platform: &Platform, stores: &Stores, person: &Person) -> Result<Vec<String>> {
    let url = format!("http://127.0.0.1:{}/internal/erasures/{}", platform.port_base(), person.id);
    let answer =
        crate::client::http(Duration::from_secs(5))?.get(url).bearer_auth(&stores.service_token).send().await?;
    let erasure: Value = answer.json().await?;
    serde_json::from_value(erasure["confirmed"].clone()).context("an erasure is not as agreed")
}

/// Waits until a text is nowhere; two minutes at most.
async fn gone(stores: &mut Stores, text: &str) -> Result<()> {
    let deadline = tokio::time::Instant::now() + Duration::from_mins(2);
    let mut turns = tokio::time::interval(Duration::from_secs(1));
    loop {
        turns.tick().await;
        let places = stores.with(text).await?;
        if places.is_empty() {
            return Ok(());
        }
        anyhow::ensure!(tokio::time::Instant::now() < deadline, "{text} is still in {places:?}");
    }
}
