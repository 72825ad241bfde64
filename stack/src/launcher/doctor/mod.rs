//! `cargo stack doctor`: what would keep the platform from coming up on this machine, each with its mend; or, where it
//! runs, how each of its services is.
//!
//! It looks and changes nothing. Each part first looks, then judges what it has seen, by rules that know nothing of this
//! machine: so they can be tested on any.

mod data;
mod elsewhere;
mod finding;
mod health;
mod listeners;
mod machine;
mod programs;

use std::{
    io::{IsTerminal, stdout},
    path::PathBuf,
    process::ExitCode,
    time::{Duration, SystemTime},
};

use anyhow::Result;
use nix::unistd::{User, geteuid};

use crate::client;
use crate::host::programs::{Program, can_install, postgres};
use crate::host::{console, workspace};
use crate::launcher::up;
use crate::launcher::up::Up;
use crate::platform::replicas;
use crate::system::GATEWAY;
use data::Data;
use finding::{Finding, Verdict, report};
use machine::Room;

/// How long a service may take to say whether it is ready: it gives its servers 3 s.
const ANSWER: Duration = Duration::from_secs(5);

/// Looks at everything that `cargo stack up` would need with these options; fails when something is in the way.
pub async fn doctor(options: Up) -> Result<ExitCode> {
    let data = Data::look(&std::path::absolute(options.data.path())?);
    let mut findings = build(&options).await;
    findings.extend(servers(&options, &data).await);
    findings.push(data.judge());
    let (ports, runs) = listeners(&options, &data).await?;
    findings.extend(ports);
    if !runs {
        findings.extend(Room::look(&data.path, &build_folder()).judge(!options.build.prebuilt));
    }
    let files = [data.path.join("kept.json"), data.path.join("processes.json"), std::env::current_exe()?];
    findings.push(machine::judge_clock(SystemTime::now(), &machine::written(&files)));
    findings.extend(programs::optional().await);
    let sound = if runs { "The platform runs, and is whole." } else { "Nothing is in the way." };
    console::show(report(&findings, sound, stdout().is_terminal()));
    let sick = findings.iter().any(|finding| finding.verdict == Verdict::Problem);
    Ok(if sick { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What the binaries of the services come from.
async fn build(options: &Up) -> Vec<Finding> {
    if !options.build.prebuilt {
        return programs::toolchain().await;
    }
    let what = "binaries";
    vec![match workspace::prebuilt(options.build.release) {
        Ok(_) => Finding::ok(what, "all five are built"),
        Err(error) => Finding::problem(what, format!("{error:#}"), "leave out --prebuilt: then they are built"),
    }]
}

/// Postgres and Redis: the programs for private ones, or those that were given.
async fn servers(options: &Up, data: &Data) -> Vec<Finding> {
    let mut findings = Vec::new();
    for program in up::programs_for(options) {
        findings.push(programs::Found::look(program).await.judge(can_install()));
    }
    if let Some(url) = &options.postgres_url {
        findings.push(elsewhere::postgres(url).await);
    } else {
        let bin = postgres(data.cluster.as_deref());
        findings.extend(programs::judge_cluster(data.cluster.as_deref(), bin.as_deref()));
        findings.extend(user(geteuid().is_root(), Program::Postgres.binary().is_some()));
    }
    if let Some(url) = &options.redis_url {
        findings.push(elsewhere::redis(url).await);
    }
    findings
}

/// As whom Postgres would run: it refuses to run as root.
fn user(root: bool, installed: bool) -> Option<Finding> {
    let missing = root && installed && !matches!(User::from_name("postgres"), Ok(Some(_)));
    let mend = "useradd --system --create-home postgres, or run `cargo stack` as somebody else than root";
    missing.then(|| Finding::problem("user postgres", "not there, and Postgres does not run as root", mend))
}

/// The ports of the platform that runs in the folder, or of the one that would be started; and whether one runs there.
async fn listeners(options: &Up, data: &Data) -> Result<(Vec<Finding>, bool)> {
    let left: Vec<i32> = data.processes.iter().map(|process| process.pid).collect();
    let (base, replicas, gateway, left) = match (&data.launcher, data.port_base) {
        (Some(_), Some(base)) => (base, data.replicas(), data.gateway_port, &[][..]),
        (Some(_), None) => return Ok((vec![Finding::note("services", "not started yet by the launcher")], true)),
        (None, _) => {
            let gateway = Some(options.gateway_port).filter(|port| options.gateway && *port != 0);
            (options.port_base, options.replicas, gateway, &left[..])
        }
    };
    if base == 0 {
        return Ok((vec![Finding::ok("ports", "any that are free")], false));
    }
    let wanted = match replicas::ports(base, replicas) {
        Ok(mut wanted) => {
            wanted.extend(gateway.map(|port| (GATEWAY.to_owned(), port)));
            listeners::look(&client::http(ANSWER)?, wanted).await?
        }
        Err(error) => {
            let finding = Finding::problem("ports", format!("{error:#}"), "choose a lower --port-base");
            return Ok((vec![finding], false));
        }
    };
    let mut findings = listeners::judge(&wanted, left);
    findings.extend(data.judge_servers());
    Ok((findings, listeners::is_running(&wanted, left)))
}

/// Where cargo builds: above the folder of this program.
fn build_folder() -> PathBuf {
    let this = std::env::current_exe().ok();
    this.as_deref().and_then(|this| this.parent()?.parent()).unwrap_or(workspace::root()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_but_root_needs_a_user_for_postgres() {
        assert_eq!(user(false, true), None);
        assert_eq!(user(true, false), None, "the package brings the user");
    }
}
