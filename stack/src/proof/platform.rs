//! A platform in a temporary folder, whose processes can be killed and started again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::unistd::Pid;
use reqwest::Url;
use tokio::time::{Instant, interval};

use crate::client::Api;
use crate::host::workspace::Build;
use crate::platform::config::PlatformConfig;
use crate::platform::instances::{Instance, wait_until_ready};
use crate::platform::replicas::{self, Replica};
use crate::platform::{gateway, web};
use crate::servers::folder::Folder;
use crate::servers::postgres::Lifetime;
use crate::servers::processes::Processes;
use crate::servers::redis::RedisKind;
use crate::servers::redis_url::RedisUrl;
use crate::servers::state::{PersistedState, Secrets};
use crate::servers::temporary::TemporaryServers;
use crate::servers::{cluster, private, roles};
use crate::system::{AUTH, DATABASE, Service, WEB};

/// The distance from the first port to that of Postgres; Redis has the next, and a cluster those behind it.
const SERVERS: u16 = 50;
/// How long Postgres may take to come back after kill -9: its last processes have to end, then it recovers.
const RECOVERY_TIMEOUT: Duration = Duration::from_mins(1);
/// The pause between two attempts to start it.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// The ports at which browsers find the platform.
#[derive(Debug, Clone, Copy)]
pub struct Front {
    pub gateway: u16,
    /// The web client itself, without the gateway before it.
    pub web: u16,
}

/// The processes of a platform, and their configuration.
#[derive(Debug)]
pub struct Platform<'a> {
    servers: &'a mut TemporaryServers,
    state: PersistedState,
    lifetime: Lifetime,
    redis_kind: RedisKind,
    binaries: BTreeMap<String, PathBuf>,
    pub config: PlatformConfig,
    pub replicas: Vec<Replica>,
    /// What processes that are started get beside the configuration.
    pub settings: Vec<(String, String)>,
    /// The database as its superuser sees it, and Redis; whatever proxies the services use.
    pub database: Url,
    pub redis: RedisUrl,
}

impl<'a> Platform<'a> {
    /// Starts Postgres and one Redis for this number of replicas of every service.
    pub async fn start_servers(
        build: &Build,
        servers: &'a mut TemporaryServers,
        replicas: u16,
        lifetime: Lifetime,
    ) -> Result<Platform<'a>> {
        Platform::start_servers_with(RedisKind::Single, build, servers, replicas, lifetime).await
    }

    /// The same with a Redis of either kind.
    pub async fn start_servers_with(
        redis_kind: RedisKind,
        build: &Build,
        servers: &'a mut TemporaryServers,
        replicas: u16,
        lifetime: Lifetime,
    ) -> Result<Platform<'a>> {
        let binaries = build.binaries().await?;
        // Held to the end: a process that is killed comes back to its port.
        let port_base = servers.reservations.anywhere(|base| {
            let services = replicas::ports(base, replicas).unwrap_or_default().into_iter().map(|(_, port)| port);
            services.chain(base + SERVERS..base + SERVERS + 2 + cluster::PORTS).collect()
        })?;
        let (postgres_port, redis_port) = (port_base + SERVERS, port_base + SERVERS + 1);
        let (redis_cluster_port, secrets) = (Some(redis_port + 1), Secrets::none());
        let mut state =
            PersistedState { postgres_port, redis_port, redis_cluster_port, postgres_elsewhere: None, secrets };
        let TemporaryServers { folder, processes, .. } = &mut *servers;
        let postgres = private::start_postgres(processes, folder, &mut state, lifetime).await?;
        roles::create(&postgres, &state.secrets.roles).await?;
        private::start_redis(processes, folder, &state, redis_kind, lifetime).await?;
        let redis = private::redis_url(&state, redis_kind)?;
        let mut database = postgres.clone();
        database.set_path(DATABASE);
        // A few simulated people do what thousands would: there are no limits.
        let (secrets, mail, rate_limits) = (state.secrets.clone(), folder.private("mail")?, false);
        let media = folder.private("media")?;
        let redis_users = false;
        let config = PlatformConfig {
            port_base,
            postgres,
            pooler: None,
            redis: redis.clone(),
            redis_users,
            secrets,
            mail,
            media,
            rate_limits,
        };
        let replicas = replicas::all(replicas).collect();
        let settings = Vec::new();
        Ok(Platform { servers, state, lifetime, redis_kind, binaries, config, replicas, settings, database, redis })
    }

    /// Starts replicas that do not run yet, and waits until they are ready.
    pub async fn start(&mut self, replicas: &[Replica]) -> Result<()> {
        let instances = replicas.iter().map(|replica| self.start_replica(*replica)).collect::<Result<Vec<_>>>()?;
        wait_until_ready(&mut self.servers.processes, &instances).await
    }

    /// Starts a replica, unless it runs.
    pub fn start_replica(&mut self, replica: Replica) -> Result<Instance> {
        let TemporaryServers { folder, processes, .. } = &mut *self.servers;
        Instance::start(replica, &self.config, &self.binaries, &self.settings, folder, processes, None)
    }

    /// Starts Postgres, as often as it takes until the remains of the killed one are gone.
    pub async fn start_postgres(&mut self) -> Result<()> {
        let (began, mut turns) = (Instant::now(), interval(RETRY_PAUSE));
        loop {
            turns.tick().await;
            let TemporaryServers { folder, processes, .. } = &mut *self.servers;
            match private::start_postgres(processes, folder, &mut self.state, self.lifetime).await {
                Ok(_) => return Ok(()),
                Err(error) if began.elapsed() > RECOVERY_TIMEOUT => {
                    return Err(error.context("Postgres does not start"));
                }
                Err(_) => processes.kill("Postgres").await?,
            }
        }
    }

    /// Starts Redis, or what does not run of a cluster, and waits until it is whole.
    pub async fn start_redis(&mut self) -> Result<()> {
        let TemporaryServers { folder, processes, .. } = &mut *self.servers;
        private::start_redis(processes, folder, &self.state, self.redis_kind, self.lifetime).await
    }

    /// Starts one node of the cluster, by position.
    pub async fn start_redis_node(&mut self, node: u16) -> Result<()> {
        let TemporaryServers { folder, processes, .. } = &mut *self.servers;
        let (port, secrets) = (private::cluster_port(&self.state)?, &self.state.secrets);
        cluster::start_node(processes, folder, port, node, secrets, self.lifetime).await
    }

    /// kill -9 of Redis: of all nodes, where it is a cluster.
    pub async fn kill_redis(&mut self) -> Result<()> {
        let names = match self.redis_kind {
            RedisKind::Single => vec!["Redis".to_owned()],
            RedisKind::Cluster => (0..cluster::NODES).map(cluster::name).collect(),
        };
        for name in names {
            self.processes().kill(&name).await?;
        }
        Ok(())
    }

    /// Puts the gateway before all processes of the services, and the web client behind it; where both listen.
    pub async fn start_web(&mut self, binary: &Path) -> Result<Front> {
        let port = self.servers.reservations.anywhere(|base| vec![base, base + 1])?;
        let front = Front { gateway: port, web: port + 1 };
        let services: Vec<_> =
            self.replicas.clone().into_iter().map(|replica| self.start_replica(replica)).collect::<Result<_>>()?;
        let options = gateway::Options { port: front.gateway, rate_limits: false, web: Some(front.web), set: &[] };
        let TemporaryServers { folder, processes, .. } = &mut *self.servers;
        gateway::start(&options, folder, processes, &services).await?;
        self.restart_web(binary, front.web, front.gateway).await?;
        Ok(front)
    }

    /// Starts the web client anew, and lets it call the API at another port.
    pub async fn restart_web(&mut self, binary: &Path, port: u16, api: u16) -> Result<()> {
        let TemporaryServers { folder, processes, .. } = &mut *self.servers;
        if processes.has(WEB) {
            processes.kill(WEB).await?;
        }
        let client = web::start(port, api, binary, &[], folder, processes)?;
        web::wait(processes, &client).await
    }

    /// All of its processes.
    pub fn processes(&mut self) -> &mut Processes {
        &mut self.servers.processes
    }

    /// kill -9 of replicas: the quickest way to end them, after which nothing is lost.
    pub async fn kill(&mut self, replicas: &[Replica]) -> Result<()> {
        for replica in replicas {
            self.processes().kill(&replica.name()).await?;
        }
        Ok(())
    }

    /// The process id of a replica that runs.
    pub fn pid(&self, replica: Replica) -> Result<Pid> {
        let name = replica.name();
        self.servers.processes.pid(&name).with_context(|| format!("{name} does not run"))
    }

    /// The program of a service.
    pub fn binary(&self, service: &Service) -> Result<&Path> {
        let binary = self.binaries.get(service.package);
        binary.map(PathBuf::as_path).with_context(|| format!("there is no binary of {}", service.package))
    }

    /// Its data folder.
    pub fn folder(&self) -> &Folder {
        &self.servers.folder
    }

    /// Its API without a session.
    pub fn api(&self) -> Result<Api> {
        let base = AUTH.url(self.config.port_base, 0).parse().context("the auth service has no address")?;
        Api::new(&base, 1)
    }
}
