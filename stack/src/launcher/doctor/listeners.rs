//! Who listens where the services would: nobody, services of ours, or somebody who is in the way.

use std::{
    io::ErrorKind,
    net::{Ipv4Addr, TcpListener},
};

use anyhow::Result;
use futures::future::join_all;
use reqwest::Client;

use crate::host::reservations::Claims;
use crate::launcher::doctor::finding::Finding;
use crate::launcher::doctor::health;
use crate::launcher::doctor::health::Health;
use crate::platform::ports;
use crate::platform::ports::{Owner, called};
use crate::system::{GATEWAY, SERVICES, Service};

/// A port that a process of the platform wants.
pub struct Wanted {
    pub name: String,
    pub port: u16,
    pub found: Found,
}

/// What is there.
pub enum Found {
    Nobody,
    /// Nobody listens, and a launcher of ours keeps it for one that will.
    Claimed,
    /// We may not listen there.
    Forbidden,
    Somebody {
        owner: Option<Owner>,
        health: Health,
    },
}

impl Found {
    /// Looks at a port, and asks who listens there.
    async fn look(http: &Client, name: &str, port: u16) -> Result<Found> {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => {
                drop(listener);
                Ok(if Claims::default().take(&[port])? { Found::Nobody } else { Found::Claimed })
            }
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(Found::Forbidden),
            Err(_) => {
                let health = health::ask(http, name, &format!("http://127.0.0.1:{port}")).await;
                Ok(Found::Somebody { owner: ports::owner(port), health })
            }
        }
    }

    /// Whether a service of ours listens there, be it one that does not answer at the moment.
    fn is_ours(&self) -> bool {
        let Found::Somebody { owner, health } = self else { return false };
        // The system cuts the names of processes.
        let cut = |service: &Service| service.package.get(..15).unwrap_or(service.package);
        let named = |owner: &Owner| SERVICES.iter().any(|service| cut(service) == owner.name);
        *health != Health::Foreign || owner.as_ref().is_some_and(named)
    }
}

/// Looks at all of them at once.
pub async fn look(http: &Client, wanted: Vec<(String, u16)>) -> Result<Vec<Wanted>> {
    let looks = wanted.into_iter().map(async |(name, port)| {
        let found = Found::look(http, &name, port).await?;
        Ok(Wanted { name, port, found })
    });
    join_all(looks).await.into_iter().collect()
}

/// What that means: for a platform that is to be started, or for one that runs there already. `left` are processes that
/// the next launcher stops before it starts any.
pub fn judge(wanted: &[Wanted], left: &[i32]) -> Vec<Finding> {
    let runs = is_running(wanted, left);
    let findings: Vec<_> = wanted.iter().filter_map(|one| one.judge(runs, left)).collect();
    if findings.is_empty() { vec![Finding::ok(range(wanted), "free")] } else { findings }
}

/// Whether a platform runs on these ports, be it a part of one. The gateway alone is none: others answer on its port as
/// it does.
pub fn is_running(wanted: &[Wanted], left: &[i32]) -> bool {
    wanted.iter().any(|one| one.name != GATEWAY && one.found.is_ours() && !one.found.is_of(left))
}

impl Found {
    /// Whether one of these processes listens there.
    fn is_of(&self, left: &[i32]) -> bool {
        matches!(self, Found::Somebody { owner: Some(owner), .. } if left.contains(&owner.pid))
    }
}

impl Wanted {
    /// Nothing where a platform could be started.
    fn judge(&self, runs: bool, left: &[i32]) -> Option<Finding> {
        let Wanted { name, port, found } = self;
        let what = format!("port {port}");
        let option = if name == GATEWAY { "--gateway-port" } else { "--port-base" };
        let elsewhere = format!("choose other ports with {option} (0 takes any that are free)");
        Some(match found {
            Found::Nobody | Found::Claimed if runs => {
                let mend = "its log says why it ended; end what runs of the platform, and start it anew";
                Finding::problem(name, format!("does not run on port {port}, though others do"), mend)
            }
            Found::Nobody => return None,
            Found::Claimed => {
                let says = format!("of {name} is kept by another launcher for one of its processes");
                Finding::problem(what, says, format!("wait until that has ended, or {elsewhere}"))
            }
            Found::Forbidden => Finding::problem(what, format!("of {name} may only be used by root"), elsewhere),
            Found::Somebody { owner, .. } if found.is_of(left) => Finding::note(
                what,
                format!("of {name} is in use by {}, which a killed launcher left", called(owner.as_ref())),
            ),
            Found::Somebody { owner, health } if runs && found.is_ours() => {
                let who = format!("{} on port {port}", called(owner.as_ref()));
                match health {
                    Health::Ready => Finding::ok(name, format!("runs and is ready: {who}")),
                    Health::Lacks(missed) => {
                        let missed = missed.join(", ");
                        let mend =
                            format!("see to {missed}; the service heals by itself, and its log says what it tries");
                        Finding::problem(name, format!("runs and lacks {missed}: {who}"), mend)
                    }
                    Health::Foreign => Finding::problem(
                        name,
                        format!("runs and does not answer: {who}"),
                        "if it is not stopped (SIGSTOP), its log says what it does; end it, and start the platform anew",
                    ),
                }
            }
            Found::Somebody { owner, .. } => {
                let says = format!("of {name} is in use by {}", called(owner.as_ref()));
                let stop =
                    owner.as_ref().map_or_else(|| "stop it".to_owned(), |owner| format!("stop it: kill {}", owner.pid));
                Finding::problem(what, says, format!("{stop}; or {elsewhere}"))
            }
        })
    }
}

/// What the ports of the first replicas are called together.
fn range(wanted: &[Wanted]) -> String {
    let ports = || wanted.iter().map(|one| one.port);
    match (ports().min(), ports().max()) {
        (Some(first), Some(last)) if usize::from(last - first) < wanted.len() => format!("ports {first}–{last}"),
        (Some(first), Some(last)) => format!("{} ports, {first} to {last}", wanted.len()),
        _ => "ports".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launcher::doctor::finding::Verdict;

    fn wanted(found: [Found; 3]) -> Vec<Wanted> {
        let names = ["auth-service", "post-service", "interaction-service"];
        let ports = names.into_iter().zip(8000..).zip(found);
        ports.map(|((name, port), found)| Wanted { name: name.to_owned(), port, found }).collect()
    }

    fn somebody(name: &str, pid: i32, health: Health) -> Found {
        Found::Somebody { owner: Some(Owner { name: name.to_owned(), pid }), health }
    }

    fn lines(found: [Found; 3], left: &[i32]) -> Vec<(Verdict, String)> {
        let findings = judge(&wanted(found), left);
        assert!(findings.iter().all(|finding| finding.verdict != Verdict::Problem || finding.mend.is_some()));
        findings.into_iter().map(|Finding { verdict, what, says, .. }| (verdict, format!("{what}: {says}"))).collect()
    }

    #[test]
    fn free_ports_are_one_line() {
        let found = [Found::Nobody, Found::Nobody, Found::Nobody];
        assert_eq!(lines(found, &[]), [(Verdict::Ok, "ports 8000–8002: free".to_owned())]);
    }

    #[test]
    fn whoever_is_in_the_way_is_named() {
        let found = [Found::Forbidden, somebody("python3", 7, Health::Foreign), Found::Claimed];
        let expected = [
            "port 8000: of auth-service may only be used by root",
            "port 8001: of post-service is in use by python3 (pid 7)",
            "port 8002: of interaction-service is kept by another launcher for one of its processes",
        ];
        assert_eq!(lines(found, &[]), expected.map(|line| (Verdict::Problem, line.to_owned())));
    }

    #[test]
    fn a_platform_that_runs_is_no_conflict_and_what_it_lacks_is_said() {
        let found = [
            somebody("docker-proxy", 1, Health::Ready),
            somebody("post-service", 2, Health::Lacks(vec!["Redis"])),
            // Its name is cut, and it is stopped.
            somebody("interaction-ser", 3, Health::Foreign),
        ];
        let expected = [
            (Verdict::Ok, "auth-service: runs and is ready: docker-proxy (pid 1) on port 8000"),
            (Verdict::Problem, "post-service: runs and lacks Redis: post-service (pid 2) on port 8001"),
            (Verdict::Problem, "interaction-service: runs and does not answer: interaction-ser (pid 3) on port 8002"),
        ];
        assert_eq!(lines(found, &[]), expected.map(|(verdict, line)| (verdict, line.to_owned())));
        let found = [somebody("auth-service", 1, Health::Ready), Found::Nobody, Found::Claimed];
        let missing = lines(found, &[]).into_iter().filter(|(verdict, _)| *verdict == Verdict::Problem);
        let missing: Vec<_> = missing.map(|(_, line)| line).collect();
        assert_eq!(missing[0], "post-service: does not run on port 8001, though others do");
        assert_eq!(missing.len(), 2);
    }

    #[test]
    fn what_a_killed_launcher_left_is_not_in_the_way() {
        let found = [somebody("auth-service", 7, Health::Ready), Found::Nobody, Found::Nobody];
        let says = "port 8000: of auth-service is in use by auth-service (pid 7), which a killed launcher left";
        assert_eq!(lines(found, &[7]), [(Verdict::Note, says.to_owned())]);
    }

    #[tokio::test]
    async fn a_listener_that_is_not_ours_is_found_with_its_owner() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let http = crate::client::http(std::time::Duration::from_millis(200)).unwrap();
        let found = look(&http, vec![("auth-service".to_owned(), port)]).await.unwrap();
        let findings = judge(&found, &[]);
        assert_eq!(findings[0].what, format!("port {port}"));
        if cfg!(target_os = "linux") {
            assert!(findings[0].says.ends_with(&format!("(pid {})", std::process::id())), "{findings:?}");
        }
    }
}
