//! The development node of a chain, on which the post service's tests mint tokens: `anvil`, installed from npm into the target folder
//! where it is missing.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::host::programs::{self, Program};
use crate::host::{console, workspace};

/// What npm installs. The version is fixed, so that a test that passes today passes tomorrow.
const PACKAGE: &str = "@foundry-rs/anvil@1.7.1";

/// Where it is installed; the tests of the post service look for it there.
fn folder() -> PathBuf {
    workspace::root().join("target/tools")
}

/// Whether there is one, installed here or on the PATH.
fn is_there() -> bool {
    let packages = fs::read_dir(folder().join("node_modules/@foundry-rs")).into_iter().flatten().flatten();
    packages.into_iter().any(|package| package.path().join("bin/anvil").is_file())
        || programs::on_path("anvil").is_some()
}

/// Installs it where it is missing. Without it the tests that need it are skipped, or fail where `CI` is set.
pub async fn provide() {
    if !is_there()
        && let Err(cause) = install().await
    {
        console::info(format_args!("Tests that mint tokens are skipped: {cause:#}"));
    }
}

async fn install() -> Result<()> {
    programs::provide(&[Program::Npm]).await?;
    console::info(format_args!("Installing {PACKAGE} with npm"));
    let mut npm = Command::new(Program::Npm.path()?);
    // The package for this machine has the program itself; no script of it has to run.
    npm.args(["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"])
        .arg(folder())
        .arg(PACKAGE);
    let output = npm.output().await.context("npm cannot be run")?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("{PACKAGE} cannot be installed: {}", errors.trim().lines().last().unwrap_or("npm did not say why"));
    }
    Ok(())
}
