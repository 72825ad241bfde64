//! A private Redis on 127.0.0.1: it keeps every write in its append-only file and never evicts, for the streams that
//! it holds are not a cache.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result};
use reqwest::Url;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::Command,
    time::timeout,
};

use crate::host::programs;
use crate::servers::folder::{Folder, write_private};
use crate::servers::postgres::Lifetime;
use crate::servers::processes::Running;
use crate::servers::stage::Stage;

/// How long loading a large append-only file may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long one question may take.
const ANSWER: Duration = Duration::from_millis(500);

/// Starts it and waits until it answers.
pub async fn start(running: &mut Running, folder: &Folder, port: u16, password: &str, kind: Lifetime) -> Result<()> {
    let home = folder.private("redis")?;
    let file = home.join("redis.conf");
    write_private(&file, &configuration(&home, port, password, kind))?;
    let mut command = Command::new(programs::redis()?);
    command.arg(&file);
    running.start(Stage::Redis, "Redis", command, &folder.log("redis")?)?;
    running.until("Redis", PATIENCE, async || answers(port, password).await.unwrap_or(false)).await
}

/// In a file and not as arguments, which every user of this machine can read.
fn configuration(home: &Path, port: u16, password: &str, kind: Lifetime) -> String {
    let home = home.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"");
    let mut lines = vec![
        "bind 127.0.0.1".to_owned(),
        format!("port {port}"),
        format!("dir \"{home}\""),
        "daemonize no".to_owned(),
        "save \"\"".to_owned(),
        "maxmemory-policy noeviction".to_owned(),
    ];
    match kind {
        Lifetime::Kept | Lifetime::Measured => lines.push("appendonly yes".to_owned()),
        // Every test takes a database of its own.
        Lifetime::ThrowAway => lines.extend(["appendonly no".to_owned(), "databases 10000".to_owned()]),
    }
    if !password.is_empty() {
        lines.push(format!("requirepass {password}"));
    }
    lines.join("\n") + "\n"
}

/// Whether it answers PING; while it loads its file it answers with an error.
async fn answers(port: u16, password: &str) -> Result<bool> {
    let question = if password.is_empty() { "PING\r\n".to_owned() } else { format!("AUTH {password}\r\nPING\r\n") };
    let expected = if password.is_empty() { "+PONG\r\n" } else { "+OK\r\n+PONG\r\n" };
    let talk = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(question.as_bytes()).await?;
        let mut answer = vec![0; expected.len()];
        stream.read_exact(&mut answer).await?;
        std::io::Result::Ok(answer == expected.as_bytes())
    };
    Ok(timeout(ANSWER, talk).await??)
}

/// Its address with its password, which belongs to the user `default` (redis-cli takes no empty name).
pub fn url(port: u16, password: &str) -> Result<Url> {
    let password = if password.is_empty() { String::new() } else { format!("default:{password}@") };
    format!("redis://{password}127.0.0.1:{port}/0").parse().with_context(|| format!("port {port} makes no address"))
}

/// Refuses when nobody listens at the address of a Redis that is not ours.
pub async fn reach(url: &Url) -> Result<()> {
    let host = url.host_str().context("the address of Redis names no host")?;
    let port = url.port().unwrap_or(6379);
    let connected = timeout(Duration::from_secs(5), TcpStream::connect((host, port))).await;
    connected
        .context("no answer within 5 s")
        .and_then(|stream| Ok(stream?))
        .map(drop)
        .with_context(|| format!("Redis at {host}:{port} cannot be reached"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_appended_and_never_evicted() {
        let text = configuration(Path::new("/a \"b\""), 16_379, "pw", Lifetime::Kept);
        for line in ["port 16379", "appendonly yes", "maxmemory-policy noeviction", "bind 127.0.0.1", "requirepass pw"]
        {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
        assert!(text.contains("dir \"/a \\\"b\\\"\""), "{text}");
    }

    #[test]
    fn tests_have_ten_thousand_databases_and_no_file() {
        let text = configuration(Path::new("/tmp"), 1, "", Lifetime::ThrowAway);
        assert!(text.contains("databases 10000\n") && text.contains("appendonly no\n"), "{text}");
        assert!(!text.contains("requirepass"), "{text}");
    }

    #[test]
    fn the_address_holds_the_password() {
        assert_eq!(url(16_379, "pw").unwrap().as_str(), "redis://default:pw@127.0.0.1:16379/0");
        assert_eq!(url(16_379, "").unwrap().as_str(), "redis://127.0.0.1:16379/0");
    }
}
