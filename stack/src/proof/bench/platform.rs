//! The platform that is measured: one optimised process of every service, and servers that sync as they should.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use anyhow::{Context, Result};
use nix::unistd::Pid;
use reqwest::Url;
use sqlx::PgPool;
use tokio::{process::Command, time::Instant};

use crate::client::Api;
use crate::host::programs;
use crate::host::workspace::Build;
use crate::platform::environment::Wiring;
use crate::platform::ports::Apart;
use crate::platform::ready;
use crate::platform::ready::Instance;
use crate::proof::bench::database;
use crate::proof::bench::options::Run;
use crate::proof::redis::Redis;
use crate::servers::folder::Folder;
use crate::servers::pair::ThrowAway;
use crate::servers::postgres::Lifetime;
use crate::servers::stage::Stage;
use crate::servers::state::{Kept, Secrets};
use crate::servers::{pair, roles};
use crate::system::{AUTH, DATABASE, SERVICES, Service};

/// Connections of the bench itself: one to measure with, one to look.
const CONNECTIONS: u32 = 2;

/// All of it, and its stores.
pub struct Platform<'a> {
    servers: &'a mut ThrowAway,
    binaries: BTreeMap<String, PathBuf>,
    wiring: Wiring,
    database: Url,
    /// The tables of all services.
    pub tables: PgPool,
}

impl<'a> Platform<'a> {
    /// Starts everything and waits until it is ready.
    pub async fn start(options: &Run, servers: &'a mut ThrowAway) -> Result<Platform<'a>> {
        let build = Build { release: true, prebuilt: options.prebuilt };
        let binaries = build.binaries().await?;
        let Apart { port_base, postgres_port, redis_port } = Apart::claim(&mut servers.claims, 1)?;
        let mut kept = Kept { postgres_port, redis_port, postgres_elsewhere: None, secrets: Secrets::none() };
        let ThrowAway { folder, running, .. } = servers;
        let postgres = pair::start_postgres(running, folder, &mut kept, Lifetime::Measured).await?;
        roles::create(&programs::psql()?, &postgres, &kept.secrets.roles).await?;
        let redis = pair::start_redis(running, folder, &kept, Lifetime::Measured).await?;
        let mut database = postgres.clone();
        database.set_path(DATABASE);
        let tables = database::open(&database, "bench", CONNECTIONS).await?;
        // Ten people do here what thousands would: there are no limits.
        let (secrets, mail, rate_limits) = (kept.secrets, folder.private("mail")?, false);
        let wiring = Wiring { port_base, postgres, redis, secrets, mail, rate_limits };
        let mut platform = Platform { servers, binaries, wiring, database, tables };
        platform.start_services(&SERVICES).await?;
        Ok(platform)
    }

    /// Starts services and waits until they are ready.
    pub async fn start_services(&mut self, services: &[Service]) -> Result<()> {
        let instances = services.iter().map(|service| self.start_service(service)).collect::<Result<Vec<_>>>()?;
        ready::wait(&mut self.servers.running, &instances).await
    }

    fn start_service(&mut self, service: &Service) -> Result<Instance> {
        let name = service.package.to_owned();
        let binary = self.binaries.get(&name).with_context(|| format!("cargo built no {name}"))?;
        let mut command = Command::new(binary);
        command.envs(self.wiring.environment(service, 0)?);
        let (log, url) = (self.servers.folder.log(&name)?, service.url(self.wiring.port_base, 0));
        let started = Instant::now();
        self.servers.running.start(Stage::Service, &name, command, &log)?;
        Ok(Instance { name, url, log, started })
    }

    /// Ends services as a crash would: it is the quickest way, and changes nothing.
    pub async fn kill(&mut self, services: &[Service]) -> Result<()> {
        for service in services {
            self.servers.running.kill(service.package).await?;
        }
        Ok(())
    }

    /// The process of a service that runs.
    pub fn pid(&self, service: &Service) -> Result<Pid> {
        self.servers.running.pid(service.package).with_context(|| format!("{} does not run", service.package))
    }

    /// The platform as nobody in particular.
    pub fn api(&self) -> Result<Api> {
        let base: Url = AUTH.url(self.wiring.port_base, 0).parse().context("the auth service has no address")?;
        Api::new(&base, 1)
    }

    /// Connections to the tables of one service, as many as it may take.
    pub async fn tables_of(&self, service: &Service, connections: u32) -> Result<PgPool> {
        database::open(&self.database, service.noun, connections).await
    }

    /// Where a service listens.
    pub fn address(&self, service: &Service) -> Result<SocketAddr> {
        let port =
            service.port(self.wiring.port_base, 0).with_context(|| format!("no port for {}", service.package))?;
        Ok((Ipv4Addr::LOCALHOST, port).into())
    }

    /// The database as a service's role sees it.
    pub fn database_of(&self, service: &Service) -> Result<Url> {
        self.wiring.database(service)
    }

    /// Where files of this run may be put.
    pub fn folder(&self) -> &Folder {
        &self.servers.folder
    }

    /// A connection to the Redis that holds the streams.
    pub async fn redis(&self) -> Result<Redis> {
        Redis::open(&self.wiring.redis).await
    }
}
