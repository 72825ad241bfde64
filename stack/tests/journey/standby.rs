//! A standby of Postgres that is five seconds behind: people read what they wrote at once, others as soon as the standby has it, and what is
//! withdrawn is gone at once for all.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::{Client, Method};
use tempfile::TempDir;

use crate::client::{self, Person, Post, To, eventually};
use crate::journey::outages::two_people;
use crate::platform::{Platform, home};
use crate::reservations::PortReservations;

/// How many posts are written, each of which is looked for at once.
const POSTS: usize = 20;
/// The service of posts by its place in the table of addresses.
const POST_SERVICE: u16 = 1;

/// A standby of the platform's Postgres; it ends with the test.
struct Standby {
    port: u16,
    home: TempDir,
    server: Option<Child>,
    _reservations: PortReservations,
}

impl Standby {
    /// A port for it, before there is anything to be a standby of.
    fn reserve() -> Result<Standby> {
        let mut reservations = PortReservations::default();
        let port = reservations.anywhere(|base| vec![base])?;
        Ok(Standby { port, home: home(), server: None, _reservations: reservations })
    }

    /// Copies the platform's Postgres and replays its log, five seconds late. Every role of this machine may read it.
    fn follow(&mut self, platform: &Platform) -> Result<()> {
        let process = PathBuf::from(format!("/proc/{}", platform.pid_of("Postgres")));
        let owner = fs::metadata(&process)?;
        let program = fs::read_link(process.join("exe"))?;
        let bin = program.parent().context("the program of Postgres is in no folder")?;
        let data = self.home.path().join("data");
        fs::create_dir(&data)?;
        fs::set_permissions(&data, PermissionsExt::from_mode(0o700))?;
        chown(&data, Some(owner.uid()), Some(owner.gid()))?;
        let run = |program: &Path| {
            let mut command = Command::new(program);
            // Postgres does not run as root; it runs as the one that it is a standby of.
            command.uid(owner.uid()).gid(owner.gid()).current_dir("/").stdin(Stdio::null());
            command
        };
        let mut copy = run(&bin.join("pg_basebackup"));
        copy.arg("-d").arg(platform.connection("DATABASE_URL")).arg("-D").arg(&data);
        let copied = copy.args(["-R", "-X", "stream", "-c", "fast"]).output()?;
        ensure!(copied.status.success(), "pg_basebackup: {}", String::from_utf8_lossy(&copied.stderr));
        fs::write(data.join("pg_hba.conf"), "host all all 127.0.0.1/32 trust\n")?;
        let mut server = run(&bin.join("postgres"));
        server.arg("-D").arg(&data);
        let port = format!("port={}", self.port);
        // As many connections as the primary has, or it refuses to start.
        let settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=500"];
        for setting in settings.into_iter().chain([port.as_str(), "recovery_min_apply_delay=5s"]) {
            server.args(["-c", setting]);
        }
        let log = fs::File::create(self.home.path().join("standby.log"))?;
        self.server = Some(server.stdout(log.try_clone()?).stderr(log).spawn()?);
        Ok(())
    }

    fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            kill(Pid::from_raw(i32::try_from(server.id()).unwrap()), Signal::SIGINT).unwrap();
            server.wait().unwrap();
        }
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The ids of the newest posts that a person is shown, newest first.
async fn newest(person: &Person) -> Result<Vec<String>> {
    let posts: Vec<Post> = person.api.ask(Method::GET, To::Post, "/posts?limit=5", None).await?;
    Ok(posts.into_iter().map(|post| post.id).collect())
}

/// How often the post service has counted something.
async fn count(http: &Client, platform: &Platform, name: &str) -> Result<u64> {
    let text = http.get(format!("{}/metrics", platform.url(0, POST_SERVICE))).send().await?.text().await?;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    Ok(value.unwrap_or("0").parse()?)
}

#[tokio::test]
async fn people_read_what_they_wrote_while_a_standby_is_five_seconds_behind() -> Result<()> {
    let mut standby = Standby::reserve()?;
    let setting = format!("post-service.DATABASE_REPLICA_URL=postgres://post@127.0.0.1:{}/social", standby.port);
    let mut platform = Platform::up(&["--set", &setting]);
    let (ada, bob) = two_people(&platform.api()).await?;
    // There is no standby yet, which is no reason not to be ready.
    newest(&bob).await?;
    standby.follow(&platform)?;
    let http = client::http(Duration::from_secs(15))?;
    let of_standby = async || {
        newest(&bob).await?;
        count(&http, &platform, "replica_reads_total").await
    };
    eventually("the standby answers", of_standby, |reads| *reads > 0).await?;

    let (mut stale, mut behind, mut last) = (0, 0, None);
    for number in 0..POSTS {
        let post = ada.write_post(&format!("Number {number}"), "Is it there?", &["BOOKS"], "POSTED").await?.id;
        stale += usize::from(newest(&ada).await?.first() != Some(&post));
        behind += usize::from(newest(&bob).await?.first() != Some(&post));
        last = Some(post);
    }
    assert_eq!(stale, 0, "of {POSTS} reads of one's own writes");
    assert!(behind > 0, "a reader who wrote nothing is answered by the standby");
    let own = count(&http, &platform, r#"replica_fallbacks_total{reason="own_write"}"#).await?;
    assert!(own > 0, "what the standby has not replayed is read from the primary");

    let last = last.context("there is a last post")?;
    let shown = async || newest(&bob).await;
    let (_, took) = eventually("the standby has it", shown, |posts| posts.first() == Some(&last)).await?;
    println!("of {POSTS} posts {behind} were not shown to another reader at once, and the last one after {took:.1?}");
    ada.change_post(&last, "Is it there?", &["BOOKS"], "ARCHIVED").await?;
    ensure!(!newest(&bob).await?.contains(&last), "what was withdrawn is gone at once, though the standby has it");

    // The standby goes away, and nothing fails.
    standby.stop();
    for _ in 0..POSTS {
        newest(&bob).await?;
    }
    platform.stop();
    Ok(())
}
