//! The gateway: the system's nginx, with the configuration of `gateway/` filled in for this machine. All that it writes is in
//! the data folder.

mod templates;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::resource::{Resource, getrlimit};
use nix::unistd::{Group, User, getegid, geteuid};
use reqwest::StatusCode;
use tokio::process::Command;
use tokio::time::Instant;

use crate::client;
use crate::host::programs::Program;
use crate::host::reservations::PortReservations;
use crate::host::workspace;
use crate::platform::config::Setting;
use crate::platform::instances::Instance;
use crate::platform::ports;
use crate::servers::folder::{Folder, write_private};
use crate::servers::process_kind::ProcessKind;
use crate::servers::processes::Processes;
use crate::system::{GATEWAY, SERVICES};

/// How long nginx may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// The files that a worker of nginx needs beside one for each connection: logs, sockets that listen, verdicts.
const FILES_BESIDE: u64 = 256;

/// Reserves the port of the gateway; 0 is anywhere.
pub fn reserve_port(port: u16, reservations: &mut PortReservations) -> Result<u16> {
    if port == 0 {
        return reservations.anywhere(|base| vec![base]);
    }
    ports::reserve(&[(GATEWAY.to_owned(), port)], reservations, "--gateway-port")?;
    Ok(port)
}

/// How long the gateway keeps a connection to a service that nothing is sent on, in seconds.
const KEPT_FOR: u32 = 2;
/// How long a service that is asked to end still serves, in seconds: longer, so that the gateway has given up every connection to
/// it by then, either with an answer or because nothing was sent.
const DRAIN_SECONDS: u32 = 3;

/// The settings of a service behind the gateway: the proxy that may report a caller's address, the address in mails, and how long
/// it serves on when it is replaced.
pub fn environment(port: u16) -> [(&'static str, String); 4] {
    [
        ("TRUSTED_PROXIES", "127.0.0.1/32".to_owned()),
        ("PUBLIC_URL", url(port)),
        ("MEDIA_URL", url(port)),
        ("DRAIN_SECONDS", DRAIN_SECONDS.to_string()),
    ]
}

/// Where it is.
pub fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// The settings of a gateway.
pub struct Options<'a> {
    pub port: u16,
    pub rate_limits: bool,
    /// The port of the web client, where there is one.
    pub web: Option<u16>,
    /// What the caller wants, for the services too.
    pub set: &'a [Setting],
}

/// Starts nginx before these processes of the services, and waits until it answers.
pub async fn start(
    options: &Options<'_>,
    folder: &Folder,
    processes: &mut Processes,
    services: &[Instance],
) -> Result<Instance> {
    let began = Instant::now();
    let place = workspace::root().join("gateway");
    let home = folder.private("gateway")?;
    let access_log = folder.log("gateway-access")?;
    // Empty at first, as every log of a platform.
    write_private(&access_log, "")?;
    let settings = settings(options, &place, &home, &access_log)?;
    for (path, text) in templates::fill(&place.join("templates"), &settings)? {
        write(&home.join(path), &text)?;
    }
    write(&home.join("upstreams/services.conf"), &upstreams(services))?;

    let mut command = Command::new(Program::Nginx.path()?);
    command.args(["-e", "stderr", "-c"]).arg(home.join("nginx.conf"));
    if geteuid().is_root() {
        // Otherwise its workers would run as a user that may not open the data folder.
        command.args(["-g", &format!("user {};", ourselves()?)]);
    }
    let log = folder.log(GATEWAY)?;
    processes.start(ProcessKind::Gateway, GATEWAY, command, &log)?;
    let (http, url) = (client::http(ANSWER_TIMEOUT)?, url(options.port));
    processes
        .until(GATEWAY, START_TIMEOUT, async || {
            let answer = http.get(format!("{url}/health/live")).send().await;
            answer.is_ok_and(|answer| answer.status() == StatusCode::OK)
        })
        .await?;
    Ok(Instance { name: GATEWAY.to_owned(), url, log, started: began })
}

/// Every setting: the default, what this machine needs, and what the caller wants.
fn settings(options: &Options<'_>, place: &Path, home: &Path, access_log: &Path) -> Result<BTreeMap<String, String>> {
    let mut settings = templates::defaults(&place.join("gateway.env"))?;
    let ours = [
        ("LISTEN", format!("127.0.0.1:{}", options.port)),
        ("RUN", home.display().to_string()),
        ("PAGES", place.join("pages").display().to_string()),
        ("ACCESS_LOG", access_log.display().to_string()),
        ("RESOLVER", "127.0.0.1".to_owned()),
        ("RATE_LIMITS", if options.rate_limits { "on" } else { "off" }.to_owned()),
    ];
    // Where this machine allows fewer open files than a container does.
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).context("the limit of open files cannot be read")?;
    let wanted = settings.get("GATEWAY_FILES").and_then(|files| files.parse().ok()).unwrap_or(most);
    if most < wanted {
        settings.insert("GATEWAY_FILES".to_owned(), most.to_string());
        settings.insert("GATEWAY_WORKER_CONNECTIONS".to_owned(), most.saturating_sub(FILES_BESIDE).to_string());
    }
    if let Some(port) = options.web {
        // Its calls come from here, and it reports whose they are.
        settings.insert("GATEWAY_WEB".to_owned(), format!("127.0.0.1:{port}"));
        settings.insert("GATEWAY_TRUSTED_PROXY".to_owned(), "127.0.0.1/32".to_owned());
    }
    let services = SERVICES.iter().map(|service| (service.noun.to_uppercase(), service.package.to_owned()));
    let ours = ours.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(services);
    settings.extend(ours.map(|(name, value)| (format!("GATEWAY_{name}"), value)));
    for Setting { name, value, .. } in options.set.iter().filter(|setting| setting.service == GATEWAY) {
        let Some(known) = settings.get_mut(name) else { bail!("the gateway has no setting {name}") };
        known.clone_from(value);
    }
    Ok(settings)
}

/// A group of servers for each service: all its processes, and connections to them that are kept for a while.
fn upstreams(services: &[Instance]) -> String {
    let group = |package: &str| {
        let ours = services.iter().filter(|instance| instance.name.starts_with(package));
        let address = |instance: &Instance| instance.url.trim_start_matches("http://").to_owned();
        let servers: Vec<_> =
            ours.map(|instance| format!("    server {} fail_timeout=2s;\n", address(instance))).collect();
        format!(
            "upstream {package} {{\n{}    keepalive 32;\n    keepalive_timeout {KEPT_FOR}s;\n}}\n",
            servers.concat()
        )
    };
    SERVICES.iter().map(|service| group(service.package)).collect()
}

/// The names of the user and the group that we are.
fn ourselves() -> Result<String> {
    let user = User::from_uid(geteuid())?.context("our user has no name")?.name;
    let group = Group::from_gid(getegid())?.context("our group has no name")?.name;
    Ok(format!("{user} {group}"))
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    write_private(path, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_process_of_a_service_is_in_its_group() {
        let instance = |name: &str, port: u16| Instance {
            name: name.to_owned(),
            url: url(port),
            log: "log".into(),
            started: Instant::now(),
        };
        let text = upstreams(&[instance("auth-service", 8000), instance("auth-service-2", 8100)]);
        let auth = "upstream auth-service {\n    server 127.0.0.1:8000 fail_timeout=2s;\n    \
                    server 127.0.0.1:8100 fail_timeout=2s;\n    keepalive 32;\n    keepalive_timeout 2s;\n}\n";
        assert!(text.starts_with(auth), "{text}");
    }
}
