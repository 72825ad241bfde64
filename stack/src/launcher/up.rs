//! `cargo stack up`: starts the whole platform, watches it, and stops it again.

use std::net::TcpListener;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use clap::{ArgGroup, Args, value_parser};
use reqwest::Url;
use tokio::time::Instant;

use crate::host::programs::{self, Program};
use crate::host::reservations::PortReservations;
use crate::host::shutdown::Shutdown;
use crate::host::workspace::Build;
use crate::host::{arguments, console};
use crate::launcher::connections;
use crate::launcher::control::{Control, Request};
use crate::launcher::rolling::Rolling;
use crate::platform::config::{PlatformConfig, Setting};
use crate::platform::instances::{Instance, check_survival, wait_until_live, wait_until_ready};
use crate::platform::order::{self, Component};
use crate::platform::replicas::{self, Replica};
use crate::platform::{gateway, ports, web};
use crate::servers::folder::{DataFolder, Folder};
use crate::servers::ledger::Ledger;
use crate::servers::pooler::Pooler;
use crate::servers::postgres::{Lifetime, Postgres};
use crate::servers::processes::Processes;
use crate::servers::redis::{self, RedisKind};
use crate::servers::redis_url::RedisUrl;
use crate::servers::state::PersistedState;
use crate::servers::{private, roles};
use crate::system::{Service, WEB};

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
#[command(group = ArgGroup::new("front").args(["gateway", "web"]).multiple(true))]
pub struct Up {
    #[command(flatten)]
    pub data: DataFolder,
    /// First port: the services listen on N … N+4; 0 is anywhere
    #[arg(long, value_name = "N", default_value_t = 8000)]
    pub port_base: u16,
    /// Processes per service; replica k listens 100·k ports above the first
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u16).range(1..=50))]
    pub replicas: u16,
    /// Keep the services' rate limits; without it there are none, because a demo and a seed come from one address
    #[arg(long)]
    pub rate_limits: bool,
    #[command(flatten)]
    pub build: Build,
    /// Use this Postgres; its user must be allowed to create roles and a database
    #[arg(long, value_name = "URL", value_parser = |text: &str| arguments::url(text, &["postgres", "postgresql"]))]
    pub postgres_url: Option<Url>,
    /// Use this Redis: one server, `redis://HOST,HOST?cluster` or `redis+sentinel://HOST,HOST/SERVICE`
    #[arg(long, value_name = "URL", value_parser = RedisUrl::parse)]
    pub redis_url: Option<RedisUrl>,
    /// Start one server, or a Redis Cluster of three primaries with a replica each
    #[arg(long, value_name = "KIND", value_enum, default_value_t = RedisKind::Single, conflicts_with = "redis_url")]
    pub redis: RedisKind,
    /// Put a transaction pooler between the services and Postgres
    #[arg(long, conflicts_with = "postgres_url")]
    pub pooler: bool,
    /// Put nginx before the services, as one origin for all of them
    #[arg(long)]
    pub gateway: bool,
    /// Serve the pages of the web client at the gateway's `/`; implies --gateway
    #[arg(long)]
    pub web: bool,
    /// Port of the gateway; 0 is anywhere
    #[arg(long, value_name = "N", default_value_t = 8080, requires = "front")]
    pub gateway_port: u16,
    /// A setting of a service or of the gateway, as in post-service.LOG=debug; may be given several times
    #[arg(long, value_name = "SERVICE.NAME=VALUE", value_parser = Setting::parse)]
    pub set: Vec<Setting>,
    /// Start these first, in this order, separated by commas: postgres, redis, a service; any order does
    #[arg(long, value_name = "COMPONENTS", value_delimiter = ',', value_parser = Component::parse)]
    pub start_order: Vec<Component>,
}

impl Up {
    /// The web client needs the gateway.
    pub fn has_gateway(&self) -> bool {
        self.gateway || self.web
    }
}

/// Starts everything, and stops it on request or when a part of it has ended.
pub async fn up(options: Up) -> Result<ExitCode> {
    let mut shutdown = Shutdown::listen()?;
    let folder = Folder::claim(&options.data.path()).map_err(|error| with_hint(&error))?;
    // Held for longer than any process lives.
    let (mut reservations, mut pooler) = (PortReservations::default(), None);
    let mut processes = Processes::new(Ledger::open(&folder).await?)?;
    let outcome = tokio::select! {
        error = run(&options, &folder, &mut reservations, &mut pooler, &mut processes) => Err(error),
        () = shutdown.requested() => Ok(ExitCode::SUCCESS),
    };
    if let Err(error) = &outcome {
        console::error(error);
    }
    if !processes.is_empty() {
        console::info("Stopping");
        processes.stop().await?;
        console::info("Stopped");
    }
    Ok(outcome.unwrap_or(ExitCode::FAILURE))
}

/// Starts the platform and watches it; returns only with the reason why it is no longer complete.
async fn run(
    options: &Up,
    folder: &Folder,
    reservations: &mut PortReservations,
    pooler: &mut Option<Pooler>,
    processes: &mut Processes,
) -> anyhow::Error {
    match start(options, folder, reservations, pooler, processes).await {
        Ok(running) => watch(options, folder, &running, processes).await,
        Err(error) => with_hint(&error),
    }
}

/// An error that kept the platform from coming up, and where to learn more.
fn with_hint(error: &anyhow::Error) -> anyhow::Error {
    anyhow!("{error:#}\n`cargo stack doctor` with the same arguments checks what else is in the way on this machine")
}

/// A platform that is complete.
struct Running {
    config: PlatformConfig,
    gateway_port: Option<u16>,
}

/// Replaces processes on request; returns when a server has ended, or the last replica of a service.
async fn watch(options: &Up, folder: &Folder, running: &Running, processes: &mut Processes) -> anyhow::Error {
    let Running { config, gateway_port } = running;
    let extra = |service: &Service| extra_environment(options, service, *gateway_port);
    let rolling = Rolling { build: &options.build, config, folder, replicas: options.replicas, extra: &extra };
    let control = Control::open(folder);
    loop {
        let outcome = tokio::select! {
            end = processes.next_end() => end.and_then(|end| check_survival(processes, end, options.replicas)),
            request = control.next() => match request {
                Ok((Request::Roll { services, from }, mut caller)) => {
                    rolling.roll(&services, from.as_deref(), processes, &mut caller).await
                }
                Err(error) => Err(error),
            },
        };
        if let Err(error) = outcome {
            return error;
        }
    }
}

async fn start(
    options: &Up,
    folder: &Folder,
    reservations: &mut PortReservations,
    pooler: &mut Option<Pooler>,
    processes: &mut Processes,
) -> Result<Running> {
    let port_base = reserve_ports(options, reservations)?;
    let gateway_port =
        if options.has_gateway() { Some(gateway::reserve_port(options.gateway_port, reservations)?) } else { None };
    let web_port =
        if options.web { Some(web::reserve_port(port_base, options.port_base == 0, reservations)?) } else { None };
    let mut state = private::prepare_state(folder, reservations, options.redis)?;
    programs::provide(&programs_for(options)).await?;
    let binaries = options.build.binaries().await?;

    // Decided before anything runs, so that a service can be given the address of a server that is started after it.
    let postgres = match &options.postgres_url {
        Some(url) => url.clone(),
        None => Postgres::url(state.postgres_port, &state.secrets.postgres)?,
    };
    let redis = match &options.redis_url {
        Some(url) => url.clone(),
        None => private::redis_url(&state, options.redis)?,
    };
    let (mail, media, secrets) = (folder.private("mail")?, folder.private("media")?, state.secrets.clone());
    let (redis_users, rate_limits) = (options.redis_url.is_none(), options.rate_limits);
    if options.pooler {
        *pooler = Some(Pooler::before(&postgres).await?);
    }
    let pooler = pooler.as_ref().map(|pooler| pooler.port);
    let config = PlatformConfig { port_base, postgres, pooler, redis, redis_users, secrets, mail, media, rate_limits };
    connections::write(folder, &config, gateway_port, options.web)?;

    let mut instances = Vec::new();
    for component in order::complete(&options.start_order) {
        if let Component::Service(service) = component {
            let extra = extra_environment(options, service, gateway_port);
            for number in 0..options.replicas {
                let replica = Replica { service, number };
                let socket = socket(replica, port_base, &extra)?;
                instances.push(Instance::start(replica, &config, &binaries, &extra, folder, processes, socket)?);
            }
            continue;
        }
        // Otherwise it would be chance whether a service that was started before a server has ever missed it.
        wait_until_live(processes, &instances).await?;
        let began = Instant::now();
        let name = start_server(component, options, &config, folder, &mut state, processes).await?;
        console::info(format_args!("{name} is ready after {}", console::seconds(began.elapsed())));
    }
    instances.sort_by_key(|instance| replicas::all(options.replicas).position(|one| one.name() == instance.name));
    wait_until_ready(processes, &instances).await?;
    if let Some(port) = gateway_port {
        let gateway = gateway::Options { port, rate_limits: options.rate_limits, web: web_port, set: &options.set };
        instances.push(gateway::start(&gateway, folder, processes, &instances).await?);
    }
    if let (Some(gateway_port), Some(port)) = (gateway_port, web_port) {
        let binary = options.build.binary(WEB).await?;
        let web = web::start(port, gateway_port, &binary, &options.set, folder, processes)?;
        web::wait(processes, &web).await?;
        instances.push(web);
    }
    console::show(listing(&instances));
    if let Some(port) = gateway_port.filter(|_| options.web) {
        console::info(format_args!("\nThe platform for browsers: {}", gateway::url(port)));
    }
    console::info(format_args!(
        "\nEverything is ready; Ctrl-C stops it.\nMails: {}. Addresses for psql, redis-cli and curl: {}",
        config.mail.display(),
        folder.path().join(connections::FILE).display()
    ));
    Ok(Running { config, gateway_port })
}

/// The socket that a replica accepts from, so that another process can take its place; none where it listens elsewhere.
fn socket(replica: Replica, port_base: u16, extra: &[(String, String)]) -> Result<Option<TcpListener>> {
    let is_elsewhere = extra.iter().any(|(name, _)| name == "HOST" || name == "PORT");
    let port = replica.service.port(port_base, replica.number).filter(|_| !is_elsewhere);
    port.map(ports::listen).transpose().with_context(|| format!("{} cannot be started", replica.name()))
}

/// Starts a private server, or sets up or tries the one that was given; its name.
async fn start_server(
    server: Component,
    options: &Up,
    config: &PlatformConfig,
    folder: &Folder,
    state: &mut PersistedState,
    processes: &mut Processes,
) -> Result<&'static str> {
    if server == Component::Postgres {
        if options.postgres_url.is_none() {
            private::start_postgres(processes, folder, state, Lifetime::Persistent).await?;
        }
        roles::create(&config.postgres, &config.secrets.roles).await?;
        return Ok("Postgres");
    }
    match &options.redis_url {
        Some(url) => redis::reach(url).await?,
        None => private::start_redis(processes, folder, state, options.redis, Lifetime::Persistent).await?,
    }
    Ok("Redis")
}

/// What a service is given because of the gateway, and by `--set`.
fn extra_environment(options: &Up, service: &Service, gateway_port: Option<u16>) -> Vec<(String, String)> {
    let gateway = gateway_port.map(gateway::environment).into_iter().flatten();
    // Links in mails lead to its pages.
    let pages = gateway_port.filter(|_| options.web).map(|port| ("WEB_URL", gateway::url(port)));
    let gateway = gateway.chain(pages);
    let set = options.set.iter().filter(|setting| setting.service == service.package);
    let set = set.map(|setting| (setting.name.clone(), setting.value.clone()));
    gateway.map(|(name, value)| (name.to_owned(), value)).chain(set).collect()
}

/// Reserves the ports of all services; the first of them.
fn reserve_ports(options: &Up, reservations: &mut PortReservations) -> Result<u16> {
    if options.port_base == 0 {
        let ports = |base| replicas::ports(base, options.replicas).unwrap_or_default();
        return reservations.anywhere(|base| ports(base).into_iter().map(|(_, port)| port).collect());
    }
    ports::reserve(&replicas::ports(options.port_base, options.replicas)?, reservations, "--port-base")?;
    Ok(options.port_base)
}

/// The programs of the system that a platform with these options runs on.
pub fn programs_for(options: &Up) -> Vec<Program> {
    let mut programs = vec![if options.postgres_url.is_some() { Program::Psql } else { Program::Postgres }];
    if options.redis_url.is_none() {
        programs.push(Program::Redis);
    }
    if options.has_gateway() {
        programs.push(Program::Nginx);
    }
    programs
}

fn listing(instances: &[Instance]) -> String {
    let mut rows = vec![["service", "URL", "Swagger", "log"].map(str::to_owned).to_vec()];
    rows.extend(instances.iter().map(|instance| {
        let Instance { name, url, log, .. } = instance;
        // The pages have no API of their own.
        let swagger = if name == WEB { "-".to_owned() } else { format!("{url}/docs") };
        vec![name.clone(), url.clone(), swagger, log.display().to_string()]
    }));
    format!("\n{}", console::table(&rows))
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches;

    use super::*;

    #[test]
    fn servers_that_exist_are_not_installed() {
        let command = Up::augment_args(clap::Command::new("up"));
        let line = "up --postgres-url postgres://a@b/c --redis-url redis://b";
        let options = Up::from_arg_matches(&command.get_matches_from(line.split(' '))).unwrap();
        assert_eq!(programs_for(&options), [Program::Psql]);
    }
}
