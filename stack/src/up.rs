//! `cargo stack up`: from nothing to a platform that answers, and back to nothing.

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use tokio::{process::Command, time::Instant};

use crate::{
    claims::Claims,
    cli::Up,
    console,
    environment::Wiring,
    folder::{Folder, write_private},
    gateway,
    ledger::Ledger,
    ports,
    postgres::Lifetime,
    process::{End, Running},
    programs::{self, Program},
    ready, redis, replicas, roles, servers,
    stage::Stage,
    stop::Stop,
    system::SERVICES,
    workspace,
};

/// One process of a service, as it is listed.
#[derive(Debug, Clone)]
pub struct Instance {
    pub name: String,
    pub url: String,
    pub log: PathBuf,
    pub started: Instant,
}

/// Starts everything, and stops it when asked or when a part of it has ended.
pub async fn up(options: Up) -> Result<ExitCode> {
    let mut stop = Stop::listen()?;
    let folder = Folder::claim(&place(options.place.data_dir.clone()))?;
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

/// The data folder that was asked for, or the workspace's own.
pub fn place(asked: Option<PathBuf>) -> PathBuf {
    asked.unwrap_or_else(|| workspace::root().join(".stack"))
}

/// Starts the platform and watches it; only ever returns why it is no longer whole.
async fn run(options: &Up, folder: &Folder, claims: &mut Claims, running: &mut Running) -> anyhow::Error {
    match start(options, folder, claims, running).await {
        Ok(()) => watch(running, options.replicas).await,
        Err(error) => error,
    }
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
    let gateway_port = gateway::claim_port(options, claims)?;
    let mut kept = servers::decide(folder, claims)?;
    programs::provide(&programs_for(options)).await?;
    let binaries = if options.build.prebuilt {
        workspace::prebuilt(options.build.release)?
    } else {
        workspace::build(options.build.release).await?
    };

    let began = Instant::now();
    let postgres = match &options.postgres_url {
        Some(url) => url.clone(),
        None => servers::start_postgres(running, folder, &mut kept, Lifetime::Kept).await?,
    };
    roles::create(&programs::psql()?, &postgres, &kept.secrets.roles).await?;
    console::tell(format_args!("Postgres is ready after {}", console::seconds(began.elapsed())));
    let began = Instant::now();
    let redis = match &options.redis_url {
        Some(url) => redis::reach(url).await.map(|()| url.clone())?,
        None => servers::start_redis(running, folder, &kept, Lifetime::Kept).await?,
    };
    console::tell(format_args!("Redis is ready after {}", console::seconds(began.elapsed())));

    let mail = folder.private("mail")?;
    let wiring = Wiring { port_base, postgres, redis, secrets: kept.secrets, mail, rate_limits: options.rate_limits };
    write_private(&folder.path().join("connections.env"), &connections(&wiring)?)?;
    let mut instances = start_services(options, folder, running, &binaries, &wiring, gateway_port)?;
    ready::wait(running, &instances).await?;
    if let Some(port) = gateway_port {
        instances.push(gateway::start(options, folder, running, port, &instances).await?);
    }
    console::show(listing(&instances));
    console::tell(format_args!(
        "\nEverything is ready; Ctrl-C stops it.\nLetters: {}. Addresses for psql and redis-cli: {}",
        wiring.mail.display(),
        folder.path().join("connections.env").display()
    ));
    Ok(())
}

/// Claims the ports of all services; the first of them.
fn claim_ports(options: &Up, claims: &mut Claims) -> Result<u16> {
    if options.port_base == 0 {
        let ports = |base| replicas::ports(base, options.replicas).unwrap_or_default();
        return claims.anywhere(|base| ports(base).into_iter().map(|(_, port)| port).collect());
    }
    ports::claim(&replicas::ports(options.port_base, options.replicas)?, claims)?;
    Ok(options.port_base)
}

fn start_services(
    options: &Up,
    folder: &Folder,
    running: &mut Running,
    binaries: &BTreeMap<String, PathBuf>,
    wiring: &Wiring,
    gateway_port: Option<u16>,
) -> Result<Vec<Instance>> {
    let mut instances = Vec::new();
    for (service, replica) in replicas::processes(options.replicas) {
        let name = replicas::name(service, replica);
        let binary = binaries.get(service.package).with_context(|| format!("cargo built no {}", service.package))?;
        let mut command = Command::new(binary);
        command.envs(wiring.environment(service, replica)?);
        command.envs(gateway_port.map(gateway::environment).into_iter().flatten());
        let own = options.set.iter().filter(|setting| setting.service == service.package);
        command.envs(own.map(|setting| (&setting.name, &setting.value)));
        let log = folder.log(&name)?;
        let url = service.url(wiring.port_base, replica);
        let started = Instant::now();
        running.start(Stage::Service, &name, command, &log)?;
        instances.push(Instance { name, url, log, started });
    }
    Ok(instances)
}

fn programs_for(options: &Up) -> Vec<Program> {
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
fn connections(wiring: &Wiring) -> Result<String> {
    let mut text =
        String::from("# Every service's own role: psql $AUTH_DATABASE_URL; the streams: redis-cli -u $REDIS_URL\n");
    for service in &SERVICES {
        writeln!(text, "{}_DATABASE_URL='{}'", service.noun.to_uppercase(), wiring.database(service)?)?;
    }
    writeln!(text, "DATABASE_URL='{}'\nREDIS_URL='{}'", wiring.postgres, wiring.redis)?;
    writeln!(text, "SERVICE_TOKEN='{}'", wiring.secrets.service_token)?;
    Ok(text)
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
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn options(line: &str) -> Up {
        match Cli::try_parse_from(line.split(' ')).unwrap().command {
            Command::Up(up) => up,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn servers_that_exist_are_not_installed() {
        let options = options("stack up --postgres-url postgres://a@b/c --redis-url redis://b");
        assert_eq!(programs_for(&options), [Program::Psql]);
    }
}
