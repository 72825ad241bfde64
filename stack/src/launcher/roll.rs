//! `cargo stack roll`: has a running platform start its services anew, one process after another, while requests go on.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Args;

use crate::launcher::control::{self, Request};
use crate::servers::folder::{DataFolder, Folder};
use crate::system::SERVICES;

#[derive(Debug, Args)]
pub struct Roll {
    #[command(flatten)]
    pub data: DataFolder,
    /// Build nothing: take the binaries of this folder, such as those of the release before
    #[arg(long, value_name = "DIR")]
    pub from: Option<PathBuf>,
    /// Only these services, as post-service [default: all five]
    #[arg(value_name = "SERVICE", value_parser = service)]
    pub services: Vec<String>,
}

fn service(name: &str) -> Result<String, String> {
    let known = SERVICES.map(|service| service.package);
    if known.contains(&name) { Ok(name.to_owned()) } else { Err(format!("it must be one of {}", known.join(", "))) }
}

/// Asks the launcher of the data folder, shows each process that was replaced, and fails with the reason when one was not.
pub async fn roll(options: Roll) -> Result<ExitCode> {
    let data = std::path::absolute(options.data.path())?;
    ensure!(
        Folder::holder(&data).is_some(),
        "no platform is running in {}; `cargo stack up --replicas 2 --gateway` starts one",
        data.display()
    );
    // The launcher may have been started elsewhere.
    let from = options.from.map(std::path::absolute).transpose()?;
    control::ask(&data, &Request::Roll { services: options.services, from }).await?;
    Ok(ExitCode::SUCCESS)
}
