//! What happens between the services: how long an effect takes, and that a Redis which comes and goes loses nothing.

use std::{
    fs::File,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::Result;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    client::{Person, Post, eventually},
    platform::{Platform, home},
};

const PASSWORD: &str = "a long walk by the sea";

/// The original took up to a minute; this bound only tells a broken wake-up from a busy machine.
const MEDIAN_AT_MOST: Duration = Duration::from_millis(500);

/// A Redis that the test can stop and start again.
struct Redis {
    server: Child,
    port: u16,
}

impl Redis {
    fn start(folder: &Path, port: u16) -> Redis {
        let server = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--appendonly", "yes", "--save", ""])
            .args(["--appendfsync", "always", "--maxmemory-policy", "noeviction", "--dir"])
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(File::create(folder.join("redis.log")).unwrap())
            .spawn()
            .unwrap();
        Redis { server, port }
    }

    fn stop(&mut self) {
        if let Ok(None) = self.server.try_wait() {
            kill(Pid::from_raw(i32::try_from(self.server.id()).unwrap()), Signal::SIGTERM).unwrap();
            self.server.wait().unwrap();
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.stop();
    }
}

#[tokio::test]
async fn effects_are_quick_and_survive_an_absent_redis() -> Result<()> {
    let folder = home();
    let mut redis = Redis::start(folder.path(), free_port());
    let mut platform = Platform::up(&["--redis-url", &format!("redis://127.0.0.1:{}/0", redis.port)]);
    let ada = platform.api().join("ada@example.org", PASSWORD, ("Ada", "Lovelace"), &["BOOKS"]).await?;
    let post = ada.write_post("Waiting", "How long does it take?", &["BOOKS"], "POSTED").await?;

    let median = median_latency(&ada, &post).await?;
    println!("commit to effect in another service: median {:.1} ms", median.as_secs_f64() * 1000.0);
    assert!(median < MEDIAN_AT_MOST, "median {median:?}");
    let before = ada.post(&post.id).await?;

    redis.stop();
    for number in 0..5 {
        ada.comment(&post.id, &format!("Written while Redis is away, number {number}")).await?;
        ada.view(&post.id).await?;
    }
    let _redis = Redis::start(folder.path(), redis.port);

    let all = |now: &Post| (now.total_comments, now.total_views) == (before.total_comments + 5, before.total_views + 5);
    let (_, took) = eventually("what was done meanwhile is counted", async || ada.post(&post.id).await, all).await?;
    println!("after Redis came back, everything was counted within {:.1} s", took.as_secs_f64());
    platform.stop();
    Ok(())
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr()).unwrap().port()
}

/// From the answer to a view in the interaction service to the count in the post service.
async fn median_latency(person: &Person, post: &Post) -> Result<Duration> {
    let mut all = Vec::new();
    for number in 1..=25 {
        person.view(&post.id).await?;
        let ask = async || person.post(&post.id).await;
        let (_, took) = eventually("a view is counted", ask, |post| post.total_views == number).await?;
        all.push(took);
    }
    all.sort();
    Ok(all[all.len() / 2])
}
