//! `cargo stack roll`: every process of a platform is replaced while requests go on through the gateway, and none of them fails.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection};
use tokio::process::Command;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval};

use crate::client::{self, Api, Person, To, eventually};
use crate::platform::{PASSWORD, Platform, SERVICES};

/// Requests per second that are due while processes are replaced, and how often all of them are.
const RATE: u32 = 300;
const RUNS: u32 = 3;
/// Clients that send these requests, half of them over connections that they keep. A request that is due while all of them wait for
/// answers is sent late: a machine that carries less than the rate is asked for less, and no queue grows until a pool gives up.
const CLIENTS: usize = 16;
/// How long one of them may take: that of the gateway, which then answers with 504.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(40);

/// The requests that come in turn, to all five services: method, path (`{post}` is a post), status of the answer.
const REQUESTS: [(&str, &str, u16); 10] = [
    ("GET", "/posts/{post}", 200),
    ("POST", "/{post}/comments", 201),
    ("GET", "/users/me", 200),
    ("GET", "/me/activity-profile", 200),
    ("POST", "/posts", 201),
    ("GET", "/{post}/comments?limit=5", 200),
    ("GET", "/me/moderations", 200),
    ("PUT", "/posts/{post}", 200),
    ("POST", "/{post}/comments", 201),
    ("GET", "/me/feed?limit=5", 200),
];

/// What a client saw of all requests.
#[derive(Debug, Default)]
struct Seen {
    /// How many were answered as they should be, by their place in the list.
    answered: BTreeMap<usize, u32>,
    /// What went wrong in the others.
    failed: Vec<String>,
    /// The longest time from when a request was due until it was sent, and until it was answered.
    latest: Duration,
    slowest: Duration,
}

impl Seen {
    fn add(&mut self, other: Seen) {
        for (place, count) in other.answered {
            *self.answered.entry(place).or_default() += count;
        }
        self.failed.extend(other.failed);
        self.latest = self.latest.max(other.latest);
        self.slowest = self.slowest.max(other.slowest);
    }
}

/// The people who send, one after the other, and where.
struct Load {
    gateway: String,
    tokens: Vec<String>,
    post: String,
    /// Clients that keep connections, and that open one for each request.
    clients: [Client; 2],
}

impl Load {
    async fn begin(platform: &Platform, people: &[Person], post: &str) -> Result<Load> {
        let client = |kept| {
            let builder = Client::builder().timeout(ANSWER_TIMEOUT).no_proxy();
            builder.pool_max_idle_per_host(kept).build().context("no client")
        };
        let mut tokens = Vec::new();
        for person in people {
            tokens.push(person.api.access_token().await?.context("no session")?);
        }
        let (gateway, post) = (platform.addresses["gateway"].clone(), post.to_owned());
        Ok(Load { gateway, tokens, post, clients: [client(64)?, client(0)?] })
    }

    /// Sends the request of that number as one of the clients; what went wrong, if anything did.
    async fn send(&self, client: usize, number: usize) -> Result<(), String> {
        let (method, path, expected) = REQUESTS[number % REQUESTS.len()];
        let client = &self.clients[client % 2];
        let url = format!("{}/api/v1{}", self.gateway, path.replace("{post}", &self.post));
        let method = Method::from_bytes(method.as_bytes()).map_err(|error| error.to_string())?;
        // The author of the post is the first.
        let person = if method == Method::PUT { 0 } else { number % self.tokens.len() };
        let mut request = client.request(method.clone(), url).bearer_auth(&self.tokens[person]);
        if method != Method::GET {
            let types = ["BOOKS"];
            request = request.json(&if path == "/posts" {
                json!({ "title": "On the way", "content": "Written while it rolls.", "types": types, "status": "POSTED" })
            } else if method == Method::PUT {
                json!({ "title": "The one", "content": "Changed while it rolls.", "types": types, "status": "POSTED" })
            } else {
                json!({ "content": "A friendly remark" })
            });
        }
        let failed = |error: reqwest::Error| format!("{method} {path}: {error:?}");
        let answer = request.send().await.map_err(failed)?;
        let status = answer.status();
        let text = answer.text().await.map_err(failed)?;
        if status.as_u16() == expected { Ok(()) } else { Err(format!("{method} {path}: {status} {text}")) }
    }

    /// Has requests sent as they become due, each by the next client that is free, until it is stopped.
    async fn run(self: &Arc<Load>, stop: watch::Receiver<bool>) -> Result<Seen> {
        // What was missed is made up for at once, and has the time at which it was due.
        let turns = Arc::new(Mutex::new(interval(Duration::from_secs(1) / RATE)));
        let (next, mut clients) = (Arc::new(AtomicUsize::new(0)), JoinSet::new());
        for client in 0..CLIENTS {
            let (load, turns, next, stop) = (self.clone(), turns.clone(), next.clone(), stop.clone());
            clients.spawn(async move {
                let mut seen = Seen::default();
                while !*stop.borrow() {
                    let due = turns.lock().await.tick().await;
                    seen.latest = seen.latest.max(due.elapsed());
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    match load.send(client, number).await {
                        Ok(()) => *seen.answered.entry(number % REQUESTS.len()).or_default() += 1,
                        Err(failure) => seen.failed.push(failure),
                    }
                    seen.slowest = seen.slowest.max(due.elapsed());
                }
                seen
            });
        }
        let mut all = Seen::default();
        while let Some(seen) = clients.join_next().await {
            all.add(seen?);
        }
        Ok(all)
    }
}

async fn roll(platform: &Platform, services: &[&str]) -> Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stack"));
    command.arg("roll").arg("--data-dir").arg(platform.data()).args(services);
    Ok(command.output().await?)
}

/// The ids of the processes of services, by name.
fn pids(platform: &Platform) -> BTreeMap<String, i32> {
    platform.processes().into_iter().filter(|(name, _)| SERVICES.iter().any(|s| name.starts_with(s))).collect()
}

/// By hand: `cargo stack test -p stack --run-ignored only rolling --no-capture`, which shows the rate that was reached. Ten processes are
/// started, one after the other; on a machine that is busy with other work, services give up waiting for their database, replaced or not.
#[tokio::test]
#[ignore = "for a machine that does nothing else"]
async fn a_platform_is_replaced_under_load_without_a_request_that_fails() -> Result<()> {
    let mut platform = Platform::up(&["--replicas", "2", "--gateway", "--gateway-port", "0"]);
    let api = Api::new(&platform.addresses["gateway"].parse()?, 0)?;
    let mut people = Vec::new();
    for name in ["Ada", "Bob", "Cleo", "Dan"] {
        people.push(api.join(&format!("{name}@example.org"), PASSWORD, (name, "Example"), &["BOOKS"]).await?);
    }
    let post = people[0].write_post("The one", "Who replaces whom?", &["BOOKS"], "POSTED").await?.id;
    for person in &people {
        let known = async || Ok((person.profile().await?.is_some(), person.comments(&post).await?.len()));
        eventually("the post and the person are known", known, |known| *known == (true, 0)).await?;
    }

    let (mut all, load) = (Seen::default(), Arc::new(Load::begin(&platform, &people, &post).await?));
    for run in 1..=RUNS {
        let (seen, took) = replace_all(&platform, &load).await?;
        let answered = f64::from(seen.answered.values().sum::<u32>());
        println!(
            "run {run}: {:.0} of {RATE} requests/s were answered ({answered} in {took:.1?}); the latest was sent {:.2?} and the slowest \
             answered {:.2?} after it was due",
            answered / took.as_secs_f64(),
            seen.latest,
            seen.slowest
        );
        all.add(seen);
    }
    assert_eq!(all.failed, Vec::<String>::new());
    nothing_is_doubled(&people, &post, &all).await?;
    platform.stop();
    Ok(())
}

/// Has all processes replaced while requests are sent; what became of these, and how long that took.
async fn replace_all(platform: &Platform, load: &Arc<Load>) -> Result<(Seen, Duration)> {
    let (before, began) = (pids(platform), Instant::now());
    let (stop, stopped) = watch::channel(false);
    let rolled = async {
        let output = roll(platform, &[]).await;
        stop.send_replace(true);
        output
    };
    let (seen, output) = tokio::join!(load.run(stopped), rolled);
    let (output, took) = (output?, began.elapsed());
    let (lines, errors) = (String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
    ensure!(output.status.success(), "{errors}\n{}", platform.stderr());

    let after = pids(platform);
    assert_eq!((before.len(), after.len()), (10, 10), "{before:?} {after:?}");
    for (name, pid) in &before {
        let line = lines.lines().find(|line| line.starts_with(&format!("{name}: process {} serves", after[name])));
        ensure!(line.is_some_and(|line| line.ends_with(&format!(" in place of {pid}"))), "{name}: {lines}");
        ensure!(!fs::exists(format!("/proc/{pid}"))?, "the old {name} still runs");
    }
    Ok((seen?, took))
}

/// What was answered is there, once.
async fn nothing_is_doubled(people: &[Person], post: &str, seen: &Seen) -> Result<()> {
    let of = |path: &str| {
        let wanted = REQUESTS.iter().enumerate().filter(|(_, request)| request.0 == "POST" && request.1 == path);
        wanted.map(|(place, _)| seen.answered.get(&place).copied().unwrap_or_default()).sum::<u32>()
    };
    let comments = i64::from(of("/{post}/comments"));
    let counted = async || Ok(people[0].post(post).await?.total_comments);
    eventually("comments are counted, once", counted, |count| *count == comments).await?;
    let mut posts = 0;
    for person in people {
        let path = format!("/users/{}/posts/count", person.id);
        let answer: Value = person.api.ask(Method::GET, To::Post, &path, None).await?;
        posts += answer["count"].as_u64().with_context(|| format!("{answer} has no count"))?;
    }
    assert_eq!(posts, u64::from(of("/posts")) + 1, "a post for each that was answered, and the one");
    Ok(())
}

#[tokio::test]
async fn a_process_that_does_not_start_replaces_none() -> Result<()> {
    let mut platform = Platform::up(&[]);
    let media = platform.data().join("media");
    fs::rename(&media, platform.data().join("elsewhere"))?;
    fs::write(&media, "no folder")?;
    let before = pids(&platform);

    let output = roll(&platform, &["auth-service", "post-service"]).await?;
    let (lines, errors) = (String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
    assert_eq!(output.status.code(), Some(1), "{lines}{errors}");
    let beginning = "error: post-service was not replaced: the process before it serves on; replaced before it: 1: post-service \
                     ended (exit status: 1); the last lines of ";
    ensure!(errors.starts_with(beginning) && errors.contains("MEDIA_STORE: "), "{errors}");
    ensure!(lines.starts_with("auth-service: process "), "{lines}");

    let serves = client::http(Duration::from_secs(5))?.get(format!("{}/health/serve", platform.url(0, 1)));
    let answer: Value = serves.send().await?.json().await?;
    assert_eq!(answer, json!({ "serves": true, "process": before["post-service"] }));
    fs::remove_file(&media)?;
    fs::rename(platform.data().join("elsewhere"), &media)?;
    a_later_release_has_migrated(&platform).await?;
    let output = roll(&platform, &["post-service"]).await?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_ne!(pids(&platform)["post-service"], before["post-service"]);
    those_of_a_folder_take_over(&platform).await?;
    platform.stop();
    Ok(())
}

/// As when the release before is rolled out again: its binaries are in a folder of their own.
async fn those_of_a_folder_take_over(platform: &Platform) -> Result<()> {
    let (before, none) = (pids(platform)["post-service"], platform.data().join("logs"));
    let output = roll(platform, &["post-service", "--from", &none.to_string_lossy()]).await?;
    let errors = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(1), "{errors}");
    ensure!(errors.contains(&format!("auth-service is not in {}", none.display())), "{errors}");
    assert_eq!(pids(platform)["post-service"], before, "nothing was replaced");

    let built = Path::new(env!("CARGO_BIN_EXE_stack")).parent().context("no folder")?;
    let output = roll(platform, &["post-service", "--from", &built.to_string_lossy()]).await?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_ne!(pids(platform)["post-service"], before);
    Ok(())
}

/// As when a release is rolled back, or a process of the one before is started again while the next one is rolled out.
async fn a_later_release_has_migrated(platform: &Platform) -> Result<()> {
    let mut postgres = PgConnection::connect(&platform.connection("POST_DATABASE_URL")).await?;
    let migration = "insert into post._sqlx_migrations (version, description, success, checksum, execution_time)
        values (999999, 'of a later release', true, '', 1)";
    let recorded = postgres.execute(migration).await?;
    ensure!(recorded.rows_affected() == 1, "{recorded:?}");
    Ok(())
}

#[tokio::test]
async fn without_a_platform_there_is_none_to_replace() -> Result<()> {
    let home = crate::platform::home();
    let mut command = Command::new(env!("CARGO_BIN_EXE_stack"));
    let output = command.arg("roll").arg("--data-dir").arg(home.path()).output().await?;
    let errors = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(1));
    ensure!(errors.starts_with("error: no platform is running in "), "{errors}");
    Ok(())
}
