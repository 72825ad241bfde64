//! `cargo stack up`: from nothing to a platform that answers, and back to nothing.

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use tokio::{process::Command, time::Instant};

use crate::{
    cli::Up,
    console,
    environment::Wiring,
    folder::{Folder, write_private},
    ledger::Ledger,
    ports,
    postgres::Lifetime,
    process::Running,
    programs::{self, Program},
    ready, redis, roles, servers,
    stage::Stage,
    stop::Stop,
    system::{SERVICES, Service},
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
    let mut running = Running::new(Ledger::open(&folder).await?)?;
    let outcome = tokio::select! {
        error = run(&options, &folder, &mut running) => Err(error),
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
async fn run(options: &Up, folder: &Folder, running: &mut Running) -> anyhow::Error {
    match start(options, folder, running).await {
        Ok(()) => running.first_end().await,
        Err(error) => error,
    }
}

async fn start(options: &Up, folder: &Folder, running: &mut Running) -> Result<()> {
    let wanted = wanted_ports(options)?;
    ports::check(&wanted)?;
    let ours: Vec<u16> = wanted.iter().map(|(_, port)| *port).collect();
    let mut kept = servers::decide(folder, &ours)?;
    programs::provide(&programs_for(options)).await?;
    let binaries = if options.prebuilt {
        workspace::prebuilt(options.release)?
    } else {
        workspace::build(options.release).await?
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
    let wiring = Wiring {
        port_base: options.port_base,
        postgres,
        redis,
        secrets: kept.secrets,
        mail,
        rate_limits: options.rate_limits,
    };
    write_private(&folder.path().join("connections.env"), &connections(&wiring)?)?;
    let instances = start_services(options, folder, running, &binaries, &wiring)?;
    ready::wait(running, &instances).await?;
    console::show(listing(&instances));
    console::tell(format_args!(
        "\nEverything is ready; Ctrl-C stops it.\nLetters: {}. Addresses for psql and redis-cli: {}",
        wiring.mail.display(),
        folder.path().join("connections.env").display()
    ));
    Ok(())
}

fn start_services(
    options: &Up,
    folder: &Folder,
    running: &mut Running,
    binaries: &BTreeMap<String, PathBuf>,
    wiring: &Wiring,
) -> Result<Vec<Instance>> {
    let mut instances = Vec::new();
    for (service, replica) in processes(options.replicas) {
        let name = name(service, replica);
        let binary = binaries.get(service.package).with_context(|| format!("cargo built no {}", service.package))?;
        let mut command = Command::new(binary);
        command.envs(wiring.environment(service, replica)?);
        let log = folder.log(&name)?;
        let url = service.url(options.port_base, replica);
        let started = Instant::now();
        running.start(Stage::Service, &name, command, &log)?;
        instances.push(Instance { name, url, log, started });
    }
    Ok(instances)
}

/// Every process of every service, service by service.
pub fn processes(replicas: u16) -> impl Iterator<Item = (&'static Service, u16)> {
    SERVICES.iter().flat_map(move |service| (0..replicas).map(move |replica| (service, replica)))
}

/// What a process is called: in lists, and its log.
pub fn name(service: &Service, replica: u16) -> String {
    if replica == 0 { service.package.to_owned() } else { format!("{}-{}", service.package, replica + 1) }
}

fn wanted_ports(options: &Up) -> Result<Vec<(String, u16)>> {
    processes(options.replicas)
        .map(|(service, replica)| {
            let port = service.port(options.port_base, replica);
            let name = name(service, replica);
            let port = port.with_context(|| format!("{name} would need a port beyond 65535; lower --port-base"))?;
            Ok((name, port))
        })
        .collect()
}

fn programs_for(options: &Up) -> Vec<Program> {
    let mut programs = vec![if options.postgres_url.is_some() { Program::Psql } else { Program::Postgres }];
    if options.redis_url.is_none() {
        programs.push(Program::Redis);
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
    fn every_replica_wants_a_port_and_has_a_name() {
        let wanted = wanted_ports(&options("stack up --replicas 2 --port-base 9000")).unwrap();
        assert_eq!(wanted.len(), 10);
        assert_eq!(wanted[2], ("post-service".to_owned(), 9001));
        assert_eq!(wanted[3], ("post-service-2".to_owned(), 9101));
    }

    #[test]
    fn ports_that_do_not_exist_are_refused() {
        let error = wanted_ports(&options("stack up --port-base 65533")).unwrap_err().to_string();
        assert_eq!(error, "moderation-service would need a port beyond 65535; lower --port-base");
    }

    #[test]
    fn servers_that_exist_are_not_installed() {
        let options = options("stack up --postgres-url postgres://a@b/c --redis-url redis://b");
        assert_eq!(programs_for(&options), [Program::Psql]);
    }
}
