//! A person exports what the platform holds about them, and leaves: afterwards no table, stream, hash or log has their name,
//! their address or a word of theirs, also where streams had to pass entries that are no events.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, Value as Held};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use crate::client::{Api, Person, To, eventually};
use crate::pictures;
use crate::platform::{PASSWORD, Platform};

/// A name that nothing else on the platform contains; the person who leaves signs everything with it.
const NAME: &str = "Zephyrine";
/// Streams in which there is, before the person leaves, what is no event: that of leaving itself, and two with their words.
const SPOILED: [&str; 3] = ["user_deleted", "post_created", "post_comment_created"];
const ADVERT: &str = "Congratulations! You have won a prize, click here to claim your money: http://win.example";
const SERVICES: [&str; 5] =
    ["auth-service", "engagement-service", "interaction-service", "moderation-service", "post-service"];

/// What an entry of a stream holds.
type Fields = HashMap<Vec<u8>, Vec<u8>>;

/// The platform's stores, past all services.
struct Stores {
    logs: PathBuf,
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
            logs: platform.data().join("logs"),
            postgres: PgConnection::connect(&postgres).await?,
            redis: redis::Client::open(redis)?.get_multiplexed_async_connection().await?,
            service_token: secret("service_token"),
        })
    }

    /// Writes into each stream what is no event; what a service has to park names a person.
    async fn spoil(&mut self, streams: &[&str], person: &Person) -> Result<()> {
        let words = json!({ "id": 7, "created_by": person.id, "content": format!("Forged by {NAME}") }).to_string();
        for stream in streams {
            let spoiled: [&[&[u8]]; 3] =
                [&[b"nothing", b"1"], &[b"message", b"\xff", b"\xfe", b""], &[b"message", words.as_bytes()]];
            for entry in spoiled {
                let mut add = redis::cmd("XADD");
                add.arg(stream).arg("*");
                for part in entry {
                    add.arg(*part);
                }
                add.exec_async(&mut self.redis).await?;
            }
        }
        Ok(())
    }

    /// Removes from the streams what no service has published; none of them can do it.
    async fn clean(&mut self, streams: &[&str]) -> Result<()> {
        for stream in streams {
            let entries: Vec<(String, Fields)> = self.redis.xrange_all(*stream).await?;
            let forged = |fields: &Fields| !fields.contains_key(b"event_id".as_slice());
            let ids: Vec<_> = entries.into_iter().filter(|(_, fields)| forged(fields)).map(|(id, _)| id).collect();
            let removed: usize = self.redis.xdel(*stream, &ids).await?;
            anyhow::ensure!(removed == 3, "{stream} has lost {removed} entries that are no events");
        }
        Ok(())
    }

    /// Parked events of a service.
    async fn parked(&mut self, schema: &str) -> Result<i64> {
        let count = AssertSqlSafe(format!("select count(*) from {schema}.dead_letter"));
        Ok(sqlx::raw_sql(count).fetch_one(&mut self.postgres).await?.get(0))
    }

    /// The tables, keys and logs that contain a text, in whatever case.
    async fn with(&mut self, text: &str) -> Result<Vec<String>> {
        let text = text.to_lowercase();
        let mut places = Vec::new();
        // The parts of a table are found in the table.
        let tables = "select format('%I.%I', nspname, relname) from pg_class
            join pg_namespace on pg_namespace.oid = relnamespace and relkind in ('r', 'p') and not relispartition
            where nspname in ('auth', 'post', 'interaction', 'moderation', 'engagement')";
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
        for log in fs::read_dir(&self.logs)? {
            let log = log?.path();
            let held = String::from_utf8_lossy(&fs::read(&log)?).to_lowercase();
            places.extend(held.contains(&text).then(|| log.display().to_string()));
        }
        Ok(places)
    }
}

#[tokio::test]
async fn who_leaves_takes_everything_along() -> Result<()> {
    let mut platform = Platform::up(&["--gateway", "--gateway-port", "0"]);
    // All of it goes through the gateway, whose log outlives every account.
    let api = Api::new(&platform.addresses["gateway"].parse()?, 0)?;
    let email = format!("{}@example.org", NAME.to_lowercase());
    let leaver = api.join(&email, PASSWORD, (NAME, "Somebody"), &["BOOKS"]).await?;
    let friend = api.join("friend@example.org", PASSWORD, ("Friend", "Somebody"), &["BOOKS"]).await?;
    let kept = live(&leaver, &friend).await?;
    let mut stores = Stores::of(&platform).await?;
    stores.spoil(&SPOILED, &leaver).await?;
    let before = stores.with(NAME).await?;
    let media = platform.data().join("media");
    assert!(!files(&media)?.is_empty(), "the picture is in {}", media.display());
    for place in ["auth.account", "post.post", "interaction.comment", "moderation.moderation", "user_registered"] {
        assert!(before.iter().any(|found| found == place), "{place} is not among {before:?}");
    }

    let export: Value = leaver.api.ask(Method::GET, To::Auth, "/users/me/export", None).await?;
    let held = &export["services"];
    assert_eq!(held["auth-service"]["accounts"][0]["email"], json!(email));
    assert_eq!(held["post-service"]["posts"][0]["title"], json!(format!("By {NAME}")));
    // What moderation has hidden is theirs, too.
    let comments = &held["interaction-service"]["comments"];
    assert_eq!(comments[0]["content"], json!(format!("{NAME} says: {ADVERT}")));
    assert_eq!(comments[1]["content"], json!(format!("Said by {NAME}")));
    assert_eq!(held["engagement-service"]["profiles"][0]["user_id"], json!(leaver.id));
    assert_eq!(held["moderation-service"]["moderations"].as_array().map(Vec::len), Some(1));

    leaver.api.ask::<()>(Method::DELETE, To::Auth, &format!("/users/{}", leaver.id), None).await?;
    let (_, took) = eventually(
        "all services have confirmed",
        async || confirmed(&platform, &stores, &leaver).await,
        |all| *all == SERVICES,
    )
    .await?;
    for schema in ["post", "interaction", "moderation", "engagement"] {
        assert!(stores.parked(schema).await? >= 2, "{schema} has parked what is no event");
    }
    println!("all five services had erased everything {:.2} s after the request", took.as_secs_f64());
    stores.clean(&SPOILED).await?;
    // What a group had not read yet leaves its stream with the second look, a minute later at most.
    gone(&mut stores, NAME).await?;
    gone(&mut stores, &email).await?;
    eventually("the files of the pictures are gone", async || files(&media), Vec::is_empty).await?;
    let ask = async || friend.post(&kept).await;
    eventually("the comment is not counted any more", ask, |post| post.total_comments == 0).await?;
    platform.stop();
    Ok(())
}

/// A person uses everything that stores words; the friend's post that remains.
async fn live(leaver: &Person, friend: &Person) -> Result<String> {
    let profile = json!({
        "username": NAME, "bio": format!("I am {NAME}"), "location": format!("{NAME}ville"), "birth_date": "1990-05-17",
        "avatar_url": format!("https://example.org/{NAME}.png"), "interests": ["BOOKS"],
    });
    leaver.api.ask::<Value>(Method::PATCH, To::Auth, "/users/me", Some(&profile)).await?;
    let by_name = format!("/users/by-username/{NAME}");
    friend.api.ask::<Value>(Method::GET, To::Auth, &by_name, None).await?;
    friend.api.ask::<Value>(Method::GET, To::Auth, &format!("/users/search?q={NAME}"), None).await?;
    leaver.connect(&friend.id).await?;
    let post = leaver.write_post(&format!("By {NAME}"), &format!("{NAME} was here."), &["BOOKS"], "POSTED").await?;
    friend.view(&post.id).await?;
    illustrate(leaver, friend, &post.id).await?;
    let theirs = friend.write_post("A friend's", "To be commented on.", &["BOOKS"], "POSTED").await?;
    leaver.comment(&theirs.id, &format!("Said by {NAME}")).await?;
    leaver.react(&theirs.id, "LOVE").await?;
    // Moderation keeps what it has removed: one comment more and then less.
    leaver.comment(&theirs.id, &format!("{NAME} says: {ADVERT}")).await?;
    eventually("the advertisement is gone", async || friend.comments(&theirs.id).await, |all| all.len() == 1).await?;
    let counted = |post: &crate::client::Post| (post.total_comments, post.total_reactions) == (1, 1);
    eventually("the comment is counted", async || friend.post(&theirs.id).await, counted).await?;
    Ok(theirs.id)
}

/// The post gets a picture, and the friend sees it without a token, as a browser does.
async fn illustrate(leaver: &Person, friend: &Person, post: &str) -> Result<()> {
    let picture = leaver.api.upload("POST", &format!("A gradient by {NAME}"), &pictures::picture(1)).await?;
    let path = format!("/media/{picture}");
    let state = async || leaver.api.ask::<Value>(Method::GET, To::Post, &path, None).await;
    eventually("the picture is processed", state, |media| media["status"] == "READY").await?;
    leaver.illustrate(post, &format!("{NAME} was here."), &["BOOKS"], &[picture]).await?;
    let seen: Value = friend.api.ask(Method::GET, To::Post, &format!("/posts/{post}"), None).await?;
    let address = seen["media"][0]["thumbnail"].as_str().context("the post shows no picture")?;
    let (status, length) = friend.api.file(address).await?;
    assert_eq!((status, length > 100), (StatusCode::OK, true), "{address}");
    Ok(())
}

/// The files below a folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
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
