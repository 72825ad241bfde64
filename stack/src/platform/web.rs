//! The web client: one process in front of which the gateway stands, and which calls the gateway.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use tokio::process::Command;
use tokio::time::Instant;

use crate::client;
use crate::host::reservations::PortReservations;
use crate::platform::config::Setting;
use crate::platform::instances::{Instance, check_ready};
use crate::platform::{gateway, ports};
use crate::servers::folder::Folder;
use crate::servers::process_kind::ProcessKind;
use crate::servers::processes::Processes;
use crate::system::{WEB, WEB_OFFSET};

/// How long it may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// How long one answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);

/// Reserves its port: the one behind those of the services, or any where they are anywhere.
pub fn reserve_port(port_base: u16, anywhere: bool, reservations: &mut PortReservations) -> Result<u16> {
    if anywhere {
        return reservations.anywhere(|base| vec![base]);
    }
    let port = port_base.saturating_add(WEB_OFFSET);
    ports::reserve(&[(WEB.to_owned(), port)], reservations, "--port-base")?;
    Ok(port)
}

/// Starts it before or after its gateway.
pub fn start(
    port: u16,
    gateway_port: u16,
    binary: &Path,
    set: &[Setting],
    folder: &Folder,
    processes: &mut Processes,
) -> Result<Instance> {
    let (started, log) = (Instant::now(), folder.log(WEB)?);
    let mut command = Command::new(binary);
    command.envs([
        ("HOST", "127.0.0.1".to_owned()),
        ("PORT", port.to_string()),
        ("API_URL", gateway::url(gateway_port)),
        ("TRUSTED_PROXIES", "127.0.0.1/32".to_owned()),
        ("ENVIRONMENT", "development".to_owned()),
        ("LOG_FORMAT", "pretty".to_owned()),
        ("NO_COLOR", "1".to_owned()),
    ]);
    let set = set.iter().filter(|setting| setting.service == WEB);
    command.envs(set.map(|setting| (setting.name.as_str(), setting.value.as_str())));
    processes.start(ProcessKind::Service, WEB, command, &log)?;
    Ok(Instance { name: WEB.to_owned(), url: gateway::url(port), log, started })
}

/// Waits until it is ready, which it is when the gateway is.
pub async fn wait(processes: &mut Processes, web: &Instance) -> Result<()> {
    let http = client::http(ANSWER_TIMEOUT)?;
    processes.until(WEB, START_TIMEOUT, async || check_ready(&http, &web.url).await.is_ok()).await
}
