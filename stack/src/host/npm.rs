//! Tools of tests that npm has, in the target folder: nothing of them is in the repository, and `cargo clean` takes them away.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::host::programs::{self, Program};
use crate::host::{console, workspace};

/// The folder of a tool. Each has its own: npm removes from a folder what it was not asked for.
fn folder(tool: &str) -> PathBuf {
    workspace::root().join("target/tools").join(tool)
}

/// Where the packages of a tool are.
pub fn modules(tool: &str) -> PathBuf {
    folder(tool).join("node_modules")
}

/// Installs a package. It names its version, so that a test that passes today passes tomorrow.
pub async fn install(tool: &str, package: &str) -> Result<()> {
    programs::provide(&[Program::Npm]).await?;
    console::info(format_args!("Installing {package} with npm"));
    let mut npm = Command::new(Program::Npm.path()?);
    // The packages have the programs themselves; no script of theirs has to run.
    npm.args(["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"])
        .arg(folder(tool))
        .arg(package);
    let output = npm.output().await.context("npm cannot be run")?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("{package} cannot be installed: {}", errors.trim().lines().last().unwrap_or("npm did not say why"));
    }
    Ok(())
}
