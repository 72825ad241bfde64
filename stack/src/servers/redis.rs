//! A private Redis on 127.0.0.1: it keeps every write in its append-only file and never evicts, because its streams are not a
//! cache. Where it has passwords, each service has a user of its own, with the rights that it has in a container
//! (`redis/users.acl`), so that a right that is missing is missed here first.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::ValueEnum;
use reqwest::Url;
use tokio::process::Command;
use tokio::time::timeout;

use crate::host::programs::Program;
use crate::servers::folder::{Folder, write_private};
use crate::servers::postgres::Lifetime;
use crate::servers::process_kind::ProcessKind;
use crate::servers::processes::Processes;
use crate::servers::redis_url::{RedisUrl, place};
use crate::servers::state::Secrets;

/// The users and their rights, without passwords.
const USERS: &str = include_str!("../../../redis/users.acl");

/// How long loading a large append-only file may take.
const LOAD_TIMEOUT: Duration = Duration::from_mins(1);
/// How long one answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(500);

/// Of how many servers a private Redis is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RedisKind {
    /// One server
    Single,
    /// A Redis Cluster of three primaries with one replica each
    Cluster,
}

/// One server.
pub struct RedisServer<'a> {
    /// The name of its process.
    pub name: &'a str,
    /// That of its folder and its log.
    pub place: &'a str,
    pub port: u16,
    /// The lines that its configuration has beside those of every other.
    pub more: &'a [String],
}

/// Starts the only one and waits until it answers.
pub async fn start(
    processes: &mut Processes,
    folder: &Folder,
    port: u16,
    secrets: &Secrets,
    kind: Lifetime,
) -> Result<()> {
    let server = RedisServer { name: "Redis", place: "redis", port, more: &[] };
    start_server(processes, folder, &server, secrets, kind).await
}

/// Starts one and waits until it answers.
pub async fn start_server(
    processes: &mut Processes,
    folder: &Folder,
    server: &RedisServer<'_>,
    secrets: &Secrets,
    kind: Lifetime,
) -> Result<()> {
    let RedisServer { name, place, port, more } = *server;
    let home = folder.private(place)?;
    let file = home.join("redis.conf");
    let users = home.join("users.acl");
    if !secrets.redis.is_empty() {
        write_private(&users, &with_passwords(secrets))?;
    }
    let mut text = configuration(&home, port, (!secrets.redis.is_empty()).then_some(&*users), kind);
    text.extend(more.iter().map(|line| format!("{line}\n")));
    write_private(&file, &text)?;
    let mut command = Command::new(Program::Redis.path()?);
    command.arg(&file);
    processes.start(ProcessKind::Redis, name, command, &folder.log(place)?)?;
    let url = url(port, &secrets.redis)?;
    processes.until(name, LOAD_TIMEOUT, async || ping(&url).await.is_ok()).await
}

/// In a file and not as arguments, which every user of this machine can read.
fn configuration(home: &Path, port: u16, users: Option<&Path>, kind: Lifetime) -> String {
    let quoted = |path: &Path| path.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"");
    let mut lines = vec![
        "bind 127.0.0.1".to_owned(),
        format!("port {port}"),
        format!("dir \"{}\"", quoted(home)),
        "daemonize no".to_owned(),
        "save \"\"".to_owned(),
        "maxmemory-policy noeviction".to_owned(),
        // A feed has up to 801 members: as one packed list it takes a sixth of the memory of a skip list.
        "zset-max-listpack-entries 1024".to_owned(),
    ];
    match kind {
        Lifetime::Persistent | Lifetime::Measured => lines.push("appendonly yes".to_owned()),
        // Every test takes a database of its own.
        Lifetime::Temporary => lines.extend(["appendonly no".to_owned(), "databases 10000".to_owned()]),
    }
    if let Some(users) = users {
        lines.push(format!("aclfile \"{}\"", quoted(users)));
    }
    lines.join("\n") + "\n"
}

/// The users with their passwords; the file has no comments then.
fn with_passwords(secrets: &Secrets) -> String {
    let lines = USERS.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>();
    let users = lines.join("\n").replace("{admin}", &secrets.redis) + "\n";
    secrets.roles.iter().fold(users, |users, (noun, password)| users.replace(&format!("{{{noun}}}"), password))
}

/// Fails as long as it does not answer PING; while it loads its file it answers with an error.
async fn ping(url: &Url) -> Result<()> {
    let ping = async {
        let mut connection = redis::Client::open(url.as_str())?.get_multiplexed_async_connection().await?;
        redis::cmd("PING").exec_async(&mut connection).await
    };
    Ok(timeout(ANSWER_TIMEOUT, ping).await??)
}

/// Its address with its password, which belongs to the user `default` (redis-cli takes no empty name).
pub fn url(port: u16, password: &str) -> Result<Url> {
    let password = if password.is_empty() { String::new() } else { format!("default:{password}@") };
    format!("redis://{password}127.0.0.1:{port}/0").parse().with_context(|| format!("port {port} makes no address"))
}

/// Fails when a Redis that is not ours does not answer: of a cluster none of the nodes that its address names.
pub async fn reach(url: &RedisUrl) -> Result<()> {
    let mut outcome = Ok(());
    for server in url.servers() {
        outcome = ping(server).await.with_context(|| format!("Redis at {} cannot be reached", place(server)));
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_appended_and_never_evicted() {
        let text = configuration(Path::new("/a \"b\""), 16_379, Some(Path::new("/u")), Lifetime::Persistent);
        for line in [
            "port 16379",
            "appendonly yes",
            "maxmemory-policy noeviction",
            "zset-max-listpack-entries 1024",
            "bind 127.0.0.1",
            "aclfile \"/u\"",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
        assert!(text.contains("dir \"/a \\\"b\\\"\""), "{text}");
    }

    #[test]
    fn tests_have_ten_thousand_databases_and_no_file() {
        let text = configuration(Path::new("/tmp"), 1, None, Lifetime::Temporary);
        assert!(text.contains("databases 10000\n") && text.contains("appendonly no\n"), "{text}");
        assert!(!text.contains("aclfile"), "{text}");
    }

    #[test]
    fn every_user_has_its_password() {
        let secrets = Secrets::generate();
        let users = with_passwords(&secrets);
        assert!(users.starts_with(&format!("user default on >{} ", secrets.redis)), "{users}");
        for (noun, password) in &secrets.roles {
            assert!(users.contains(&format!("user {noun} on >{password} ")), "{noun}");
        }
        assert!(!users.contains(['{', '#']), "{users}");
    }

    #[test]
    fn the_address_holds_the_password() {
        assert_eq!(url(16_379, "pw").unwrap().as_str(), "redis://default:pw@127.0.0.1:16379/0");
        assert_eq!(url(16_379, "").unwrap().as_str(), "redis://127.0.0.1:16379/0");
    }
}
