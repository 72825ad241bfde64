//! The platform that is broken: two replicas of every service, and their servers behind a proxy each.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use anyhow::{Context, Error, Result};
use nix::sys::signal::Signal;
use reqwest::Url;
use tokio::{
    process::Command,
    time::{Instant, interval},
};

use crate::host::programs;
use crate::host::workspace::Build;
use crate::platform::environment::Wiring;
use crate::platform::ports::Apart;
use crate::platform::ready::Instance;
use crate::platform::{ready, replicas};
use crate::proof::chaos::append_only::AppendOnly;
use crate::proof::chaos::checks;
use crate::proof::chaos::proxy::Proxy;
use crate::servers::pair::ThrowAway;
use crate::servers::postgres::Lifetime;
use crate::servers::processes::Running;
use crate::servers::stage::Stage;
use crate::servers::state::{Kept, Secrets};
use crate::servers::{pair, redis, roles};
use crate::system::{DATABASE, Service};

/// Processes per service: with two there is always somebody to take work over from, and to be overtaken by.
const REPLICAS: u16 = 2;
/// How long Postgres may take to come back after kill -9: its last processes have to end, then it recovers.
const RECOVERY: Duration = Duration::from_mins(1);
/// The pause between two tries to start it.
const AGAIN: Duration = Duration::from_millis(200);

/// One process of a service.
#[derive(Debug, Clone)]
pub struct Replica {
    pub name: String,
    pub service: &'static Service,
    pub number: u16,
    /// Its address without a path.
    pub url: String,
}

/// All processes, and how they reach each other.
#[derive(Debug)]
pub struct Platform<'a> {
    servers: &'a mut ThrowAway,
    kept: Kept,
    binaries: BTreeMap<String, PathBuf>,
    wiring: Wiring,
    pub replicas: Vec<Replica>,
    pub postgres_link: Proxy,
    pub redis_link: Proxy,
    /// The database and Redis past the proxies: for faults and checks.
    pub database: Url,
    pub redis: Url,
    pub append_only: AppendOnly,
}

impl<'a> Platform<'a> {
    /// Starts everything and waits until it is ready.
    pub async fn start(build: &Build, servers: &'a mut ThrowAway) -> Result<Platform<'a>> {
        let binaries = build.binaries().await?;
        // Held to the end: what is killed comes back to its port.
        let Apart { port_base, postgres_port, redis_port } = Apart::claim(&mut servers.claims, REPLICAS)?;
        let mut kept = Kept { postgres_port, redis_port, postgres_elsewhere: None, secrets: Secrets::none() };
        let ThrowAway { folder, running, .. } = servers;
        // They have to keep what they were given: that is what is tried.
        let mut postgres = pair::start_postgres(running, folder, &mut kept, Lifetime::Kept).await?;
        roles::create(&programs::psql()?, &postgres, &kept.secrets.roles).await?;
        let redis = pair::start_redis(running, folder, &kept, Lifetime::Kept).await?;
        let (postgres_link, redis_link) =
            (Proxy::start(kept.postgres_port).await?, Proxy::start(kept.redis_port).await?);
        let mut database = postgres.clone();
        database.set_path(DATABASE);
        postgres.set_port(Some(postgres_link.port)).ok().context("Postgres has no port")?;
        let wiring = Wiring {
            port_base,
            postgres,
            redis: redis::url(redis_link.port, "")?,
            secrets: kept.secrets.clone(),
            mail: folder.private("mail")?,
            rate_limits: false,
        };
        let append_only = AppendOnly::of(folder.path());
        let replicas = all_replicas(port_base);
        let mut platform = Platform {
            servers,
            kept,
            binaries,
            wiring,
            replicas,
            postgres_link,
            redis_link,
            database,
            redis,
            append_only,
        };
        let instances = (0..platform.replicas.len()).map(|replica| platform.start_replica(replica));
        let instances = instances.collect::<Result<Vec<_>>>()?;
        ready::wait(&mut platform.servers.running, &instances).await?;
        Ok(platform)
    }

    /// Starts one process of a service; it may run already.
    pub fn start_replica(&mut self, replica: usize) -> Result<Instance> {
        let Replica { name, service, number, url } = self.replicas[replica].clone();
        let log = self.servers.folder.log(&name)?;
        let started = Instant::now();
        if !self.running().has(&name) {
            let binary = self.binaries.get(service.package);
            let mut command = Command::new(binary.with_context(|| format!("cargo built no {}", service.package))?);
            command.envs(self.wiring.environment(service, number)?);
            self.running().start(Stage::Service, &name, command, &log)?;
        }
        Ok(Instance { name, url, log, started })
    }

    /// kill -9 of one process of a service.
    pub async fn kill_replica(&mut self, replica: usize) -> Result<()> {
        let name = self.replicas[replica].name.clone();
        self.running().kill(&name).await
    }

    /// SIGSTOP or SIGCONT to one process of a service.
    pub fn signal(&mut self, replica: usize, signal: Signal) -> Result<()> {
        let name = self.replicas[replica].name.clone();
        self.running().signal(&name, signal)
    }

    /// kill -9 of Postgres.
    pub async fn kill_postgres(&mut self) -> Result<()> {
        self.running().kill("Postgres").await
    }

    /// Starts Postgres, as often as it takes until the remains of the one that was killed are gone.
    pub async fn start_postgres(&mut self) -> Result<()> {
        let (began, mut again) = (Instant::now(), interval(AGAIN));
        loop {
            again.tick().await;
            let ThrowAway { folder, running, .. } = &mut *self.servers;
            match pair::start_postgres(running, folder, &mut self.kept, Lifetime::Kept).await {
                Ok(_) => return Ok(()),
                Err(error) if began.elapsed() > RECOVERY => return Err(error.context("Postgres does not come back")),
                Err(_) => running.kill("Postgres").await?,
            }
        }
    }

    /// kill -9 of Redis.
    pub async fn kill_redis(&mut self) -> Result<()> {
        self.running().kill("Redis").await
    }

    pub async fn start_redis(&mut self) -> Result<()> {
        let ThrowAway { folder, running, .. } = &mut *self.servers;
        pair::start_redis(running, folder, &self.kept, Lifetime::Kept).await.map(drop)
    }

    /// How many events were told so far.
    pub async fn events(&self) -> Result<u64> {
        checks::events(&programs::psql()?, &self.database).await
    }

    /// Stops everything in order, as an operator would.
    pub async fn stop(&mut self) -> Result<()> {
        self.running().stop().await
    }

    /// Waits until every process of every service is ready.
    pub async fn ready(&mut self) -> Result<()> {
        let instances = (0..self.replicas.len()).map(|replica| self.start_replica(replica));
        let instances = instances.collect::<Result<Vec<_>>>()?;
        ready::wait(&mut self.servers.running, &instances).await
    }

    /// Returns when a process has ended that nobody killed.
    pub async fn first_end(&mut self) -> Error {
        self.running().first_end().await
    }

    /// The log of every process of a service, by its name.
    pub fn logs(&self) -> Result<Vec<(String, PathBuf)>> {
        self.replicas
            .iter()
            .map(|replica| Ok((replica.name.clone(), self.servers.folder.log(&replica.name)?)))
            .collect()
    }

    fn running(&mut self) -> &mut Running {
        &mut self.servers.running
    }
}

fn all_replicas(port_base: u16) -> Vec<Replica> {
    replicas::processes(REPLICAS)
        .map(|(service, number)| {
            let url = service.url(port_base, number);
            Replica { name: replicas::name(service, number), service, number, url }
        })
        .collect()
}
