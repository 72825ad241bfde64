//! `cargo stack up`: from nothing to a platform that answers, and back to nothing.

use std::{fmt::Write as _, path::Path, process::ExitCode};

use anyhow::{Result, anyhow};
use clap::{Args, value_parser};
use reqwest::Url;

use crate::host::programs::Program;
use crate::host::reservations::Claims;
use crate::host::shutdown::Stop;
use crate::host::workspace::Build;
use crate::host::{arguments, console, programs};
use crate::launcher::start::Start;
use crate::platform::environment::{Setting, Wiring};
use crate::platform::order::Part;
use crate::platform::ready::Instance;
use crate::platform::{gateway, order, ports, ready, replicas};
use crate::servers::folder::{DataFolder, Folder, read_if_there, write_private};
use crate::servers::ledger::Ledger;
use crate::servers::postgres::Postgres;
use crate::servers::processes::{End, Running};
use crate::servers::{pair, redis};
use crate::system::SERVICES;

/// Where everything is, in a file to `source`.
const CONNECTIONS: &str = "connections.env";

#[derive(Debug, Args)]
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
    /// Use this Redis
    #[arg(long, value_name = "URL", value_parser = |text: &str| arguments::url(text, &["redis", "rediss"]))]
    pub redis_url: Option<Url>,
    /// Put nginx before the services, as one origin for all of them
    #[arg(long)]
    pub gateway: bool,
    /// Port of the gateway; 0 is anywhere
    #[arg(long, value_name = "N", default_value_t = 8080, requires = "gateway")]
    pub gateway_port: u16,
    /// Tell a service, or the gateway, something of its own, as in post-service.LOG=debug; may be given several times
    #[arg(long, value_name = "SERVICE.NAME=VALUE", value_parser = Setting::parse)]
    pub set: Vec<Setting>,
    /// Start these first, in this order, separated by commas: postgres, redis, a service; any order does
    #[arg(long, value_name = "PARTS", value_delimiter = ',', value_parser = Part::named)]
    pub start_order: Vec<Part>,
}

/// Starts everything, and stops it when asked or when a part of it has ended.
pub async fn up(options: Up) -> Result<ExitCode> {
    let mut stop = Stop::listen()?;
    let folder = Folder::claim(&options.data.path()).map_err(|error| pointed(&error))?;
    // Held for longer than any process lives.
    let mut claims = Claims::default();
    let mut running = Running::new(Ledger::open(&folder).await?)?;
    let outcome = tokio::select! {
        error = run(&options, &folder, &mut claims, &mut running) => Err(error),
        () = stop.asked() => Ok(ExitCode::SUCCESS),
    };
    if let Err(error) = &outcome {
        console::complain(error);
    }
    if !running.is_empty() {
        console::tell("Stopping");
        running.stop().await?;
        console::tell("Stopped");
    }
    Ok(outcome.unwrap_or(ExitCode::FAILURE))
}

/// Starts the platform and watches it; only ever returns why it is no longer whole.
async fn run(options: &Up, folder: &Folder, claims: &mut Claims, running: &mut Running) -> anyhow::Error {
    match start(options, folder, claims, running).await {
        Ok(()) => watch(running, options.replicas).await,
        Err(error) => pointed(&error),
    }
}

/// An error that kept the platform from coming up, and where to learn more.
fn pointed(error: &anyhow::Error) -> anyhow::Error {
    anyhow!("{error:#}\n`cargo stack doctor` with the same arguments tells what else is in the way on this machine")
}

/// Returns when a server has ended, or the last process that did what it did.
async fn watch(running: &mut Running, replicas: u16) -> anyhow::Error {
    loop {
        let End { name, error } = match running.next_end().await {
            Ok(end) => end,
            Err(error) => return error,
        };
        let others: Vec<_> = replicas::kin(&name, replicas).into_iter().filter(|other| running.has(other)).collect();
        if others.is_empty() {
            return error;
        }
        console::tell(format_args!("{error:#}\nIts work goes to {}", others.join(", ")));
    }
}

async fn start(options: &Up, folder: &Folder, claims: &mut Claims, running: &mut Running) -> Result<()> {
    let port_base = claim_ports(options, claims)?;
    let gateway_port = if options.gateway { Some(gateway::claim_port(options.gateway_port, claims)?) } else { None };
    let mut kept = pair::decide(folder, claims)?;
    programs::provide(&programs_for(options)).await?;
    let binaries = options.build.binaries().await?;

    // Decided before anything runs, so that a service can be told of a server that is started after it.
    let postgres = match &options.postgres_url {
        Some(url) => url.clone(),
        None => Postgres::url(kept.postgres_port, &kept.secrets.postgres)?,
    };
    let redis = match &options.redis_url {
        Some(url) => url.clone(),
        None => redis::url(kept.redis_port, &kept.secrets.redis)?,
    };
    let (mail, secrets) = (folder.private("mail")?, kept.secrets.clone());
    let wiring = Wiring { port_base, postgres, redis, secrets, mail, rate_limits: options.rate_limits };
    write_private(&folder.path().join(CONNECTIONS), &connections(&wiring, gateway_port)?)?;
    let (kept, wiring) = (&mut kept, &wiring);
    let mut start = Start { options, folder, running, kept, binaries, wiring, gateway_port, instances: Vec::new() };
    for part in order::complete(&options.start_order) {
        start.part(part).await?;
    }
    let mut instances = start.instances;
    let name = |(service, replica)| replicas::name(service, replica);
    let place = |instance: &Instance| replicas::processes(options.replicas).position(|one| name(one) == instance.name);
    instances.sort_by_key(place);
    ready::wait(running, &instances).await?;
    if let Some(port) = gateway_port {
        let gateway = gateway::Options { port, rate_limits: options.rate_limits, set: &options.set };
        instances.push(gateway::start(&gateway, folder, running, &instances).await?);
    }
    console::show(listing(&instances));
    console::tell(format_args!(
        "\nEverything is ready; Ctrl-C stops it.\nLetters: {}. Addresses for psql, redis-cli and curl: {}",
        wiring.mail.display(),
        folder.path().join(CONNECTIONS).display()
    ));
    Ok(())
}

/// Claims the ports of all services; the first of them.
fn claim_ports(options: &Up, claims: &mut Claims) -> Result<u16> {
    if options.port_base == 0 {
        let ports = |base| replicas::ports(base, options.replicas).unwrap_or_default();
        return claims.anywhere(|base| ports(base).into_iter().map(|(_, port)| port).collect());
    }
    ports::claim(&replicas::ports(options.port_base, options.replicas)?, claims, "--port-base")?;
    Ok(options.port_base)
}

/// The programs of the system that a platform with these options runs on.
pub fn programs_for(options: &Up) -> Vec<Program> {
    let mut programs = vec![if options.postgres_url.is_some() { Program::Psql } else { Program::Postgres }];
    if options.redis_url.is_none() {
        programs.push(Program::Redis);
    }
    if options.gateway {
        programs.push(Program::Nginx);
    }
    programs
}

/// A file to `source`: how to look into the running servers.
fn connections(wiring: &Wiring, gateway_port: Option<u16>) -> Result<String> {
    let mut text = String::from(
        "# Every service's own role: psql $AUTH_DATABASE_URL; the streams: redis-cli -u $REDIS_URL\n\
         # Its API: curl $AUTH_SERVICE_URL/health/ready\n",
    );
    for service in &SERVICES {
        writeln!(text, "{}_DATABASE_URL='{}'", service.noun.to_uppercase(), wiring.database(service)?)?;
    }
    writeln!(text, "DATABASE_URL='{}'\nREDIS_URL='{}'", wiring.postgres, wiring.redis)?;
    for service in &SERVICES {
        writeln!(text, "{}_SERVICE_URL='{}'", service.noun.to_uppercase(), service.url(wiring.port_base, 0))?;
    }
    if let Some(port) = gateway_port {
        writeln!(text, "GATEWAY_URL='{}'", gateway::url(port))?;
    }
    writeln!(text, "SERVICE_TOKEN='{}'", wiring.secrets.service_token)?;
    Ok(text)
}

/// The port of an address that the platform which was last started in a folder has: `AUTH_SERVICE_URL`, `GATEWAY_URL`.
pub fn port_of(folder: &Path, name: &str) -> Option<u16> {
    let text = read_if_there(&folder.join(CONNECTIONS)).ok()??;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix("='")?.strip_suffix('\''))?;
    line.parse::<Url>().ok()?.port()
}

fn listing(instances: &[Instance]) -> String {
    let mut rows = vec![["service", "URL", "Swagger", "log"].map(str::to_owned).to_vec()];
    rows.extend(instances.iter().map(|instance| {
        let Instance { name, url, log, .. } = instance;
        vec![name.clone(), url.clone(), format!("{url}/docs"), log.display().to_string()]
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
