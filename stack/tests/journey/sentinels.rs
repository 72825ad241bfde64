//! A platform whose Redis has sentinels: they choose another primary when it is gone, and every service follows them.

use std::fs;
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::Result;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::client::eventually;
use crate::journey::outages::two_people;
use crate::journey::servers::Redis;
use crate::platform::{Platform, home};
use crate::reservations::PortReservations;

/// Three sentinels, of which two decide; ended with the test.
struct Sentinels {
    ports: Vec<u16>,
    processes: Vec<Child>,
    _home: TempDir,
    _reservations: PortReservations,
}

impl Sentinels {
    /// Sentinels that watch a primary, and its replicas.
    fn watch(primary: u16) -> Result<Self> {
        let (home, mut reservations) = (home(), PortReservations::default());
        let ports: Vec<u16> = (0..3).map(|_| reservations.anywhere(|base| vec![base])).collect::<Result<_, _>>()?;
        let mut processes = Vec::new();
        for port in &ports {
            let folder = home.path().join(port.to_string());
            fs::create_dir(&folder)?;
            let file = folder.join("sentinel.conf");
            // One second of silence is enough here; a deployment waits longer.
            let watched = format!(
                "sentinel monitor main {} {primary} 2\nsentinel down-after-milliseconds main 1000\nsentinel failover-timeout main 5000\n",
                Ipv4Addr::LOCALHOST
            );
            fs::write(&file, format!("port {port}\nbind 127.0.0.1\ndir {}\n{watched}", folder.display()))?;
            let log = fs::File::create(folder.join("sentinel.log"))?;
            let process =
                Command::new("redis-server").arg(&file).arg("--sentinel").stdin(Stdio::null()).stdout(log).spawn()?;
            processes.push(process);
        }
        Ok(Self { ports, processes, _home: home, _reservations: reservations })
    }

    fn url(&self) -> String {
        let hosts: Vec<_> = self.ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        format!("redis+sentinel://{}/main/0", hosts.join(","))
    }

    /// How many of them know of the others and of a replica, so that they can decide.
    async fn ready(&self) -> usize {
        let mut ready = 0;
        for port in &self.ports {
            let info = async {
                let client = redis::Client::open((Ipv4Addr::LOCALHOST.to_string(), *port))?;
                let mut connection = client.get_multiplexed_async_connection().await?;
                redis::cmd("INFO").arg("sentinel").query_async::<String>(&mut connection).await
            };
            // One that does not answer yet is not ready.
            ready += usize::from(
                info.await.is_ok_and(|info| info.contains("status=ok") && info.contains("slaves=1,sentinels=3")),
            );
        }
        ready
    }
}

impl Drop for Sentinels {
    fn drop(&mut self) {
        for process in &mut self.processes {
            kill(Pid::from_raw(i32::try_from(process.id()).unwrap()), Signal::SIGTERM).unwrap();
            process.wait().unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_follow_the_sentinels_to_another_primary_and_nothing_is_lost() -> Result<()> {
    let (mut primary, replica) = (Redis::start(), Redis::start());
    for server in [&primary, &replica] {
        eventually("a Redis answers", async || Ok(server.replication().await.is_ok()), |answers| *answers).await?;
    }
    replica.follow(Some(&primary)).await?;
    let sentinels = Sentinels::watch(primary.port())?;
    eventually("the sentinels know each other", async || Ok(sentinels.ready().await), |ready| *ready == 3).await?;
    let mut platform = Platform::up(&["--redis-url", &sentinels.url()]);
    let (ada, bob) = two_people(&platform.api()).await?;
    let post = ada.write_post("Watched", "Who is it now?", &["BOOKS"], "POSTED").await?;
    bob.view(&post.id).await?;
    let views = async || Ok(ada.post(&post.id).await?.total_views);
    eventually("the first view is counted", views, |found| *found == 1).await?;

    primary.stop();
    let began = Instant::now();
    for _ in 0..20 {
        bob.view(&post.id).await?;
    }
    eventually("the views are counted, once", views, |found| *found == 21).await?;
    println!("after the primary was gone, views were counted within {:.1?}", began.elapsed());
    assert!(replica.replication().await?.contains("role:master"));

    // What was the primary comes back, and is made a replica.
    primary.start_again();
    eventually(
        "the old primary follows",
        async || Ok(primary.replication().await.unwrap_or_default()),
        |found| found.contains("role:slave"),
    )
    .await?;
    for _ in 0..20 {
        bob.view(&post.id).await?;
    }
    eventually("later views are counted, too", views, |found| *found == 41).await?;
    platform.stop();
    Ok(())
}
