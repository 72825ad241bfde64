//! The workspace that this tool belongs to: where it is, and cargo run in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::LazyLock;

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::Args;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::Command;

use crate::host::console;
use crate::host::shutdown::Shutdown;
use crate::system::SERVICES;

/// How long a build from nothing takes after this tool has been built.
const DEBUG_BUILD: &str = "about three minutes";
const RELEASE_BUILD: &str = "more than ten minutes";

/// The folder of the workspace's `Cargo.toml`: the one that cargo runs this tool from, or the one that it was built in.
/// They differ when several clones share a target folder.
pub fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        #[expect(clippy::disallowed_methods, reason = "cargo sets it; it is no setting of this tool")]
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let workspace = |here: &Path| here.parent().map(Path::to_path_buf);
        let ours = |root: &PathBuf| SERVICES.iter().all(|service| root.join(service.package).is_dir());
        let built_in = Path::new(env!("CARGO_MANIFEST_DIR"));
        manifest.and_then(|here| workspace(&here)).filter(ours).or(workspace(built_in)).unwrap_or_default()
    });
    &ROOT
}

/// What `cargo run` says of this tool in its environment. A build script that reads the same names of its own package (ring's)
/// would be run again, and everything above it compiled again, whenever cargo is run by this tool and then by hand.
const OF_THIS_TOOL: [&str; 8] = [
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_LINKS",
    "CARGO_MANIFEST_PATH",
    "CARGO_PKG_NAME",
    "CARGO_PKG_VERSION_MAJOR",
    "CARGO_PKG_VERSION_MINOR",
    "CARGO_PKG_VERSION_PATCH",
    "CARGO_PKG_VERSION_PRE",
];

/// Cargo in the workspace, so that the services compile without a database.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(root()).env("SQLX_OFFLINE", "true");
    for name in OF_THIS_TOOL {
        command.env_remove(name);
    }
    for service in &SERVICES {
        command.env_remove(service.database_variable());
    }
    command
}

/// Runs a command to its end. When the launcher is stopped meanwhile, all that the command started is stopped first.
pub async fn run(command: &mut Command, shutdown: &mut Shutdown) -> Result<ExitStatus> {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    let mut child = command.process_group(0).spawn().with_context(|| format!("{name} cannot be run"))?;
    let group = ProcessGroup::of(&child);
    tokio::select! {
        status = child.wait() => status.with_context(|| format!("{name} does not end")),
        () = shutdown.requested() => {
            drop(group);
            child.wait().await.with_context(|| format!("{name} does not end"))?;
            bail!("stopped before it was done")
        }
    }
}

/// Which binaries of the services are run.
#[derive(Debug, Args)]
pub struct Build {
    /// Build and run with optimisation
    #[arg(long)]
    pub release: bool,
    /// Build nothing: run the binaries beside this one
    #[arg(long)]
    pub prebuilt: bool,
}

impl Build {
    /// The binaries of the services, by package; built before, unless that was done.
    pub async fn binaries(&self) -> Result<BTreeMap<String, PathBuf>> {
        if self.prebuilt {
            return prebuilt(self.release);
        }
        if prebuilt(self.release).is_err() {
            let time = if self.release { RELEASE_BUILD } else { DEBUG_BUILD };
            console::info(format_args!("Building the services for the first time: {time} on two cores"));
        }
        build(&SERVICES.map(|service| service.package), self.release).await?;
        prebuilt(self.release)
    }

    /// The binary of a program that is no service; built before, unless that was done.
    pub async fn binary(&self, package: &str) -> Result<PathBuf> {
        if !self.prebuilt {
            build(&[package], self.release).await?;
        }
        binary(&folder_of(self.release)?, package, self.release)
    }
}

/// This tool itself, built with optimisation; its path.
pub async fn build_itself() -> Result<PathBuf> {
    let name = env!("CARGO_PKG_NAME");
    build(&[name], true).await?;
    Ok(folder_of(true)?.join(name))
}

/// Builds binaries; cargo shows its progress. By their names and not by their packages, as the alias `cargo stack` does: the
/// features of dependencies are then those of the whole workspace, and nothing is compiled twice.
async fn build(binaries: &[&str], release: bool) -> Result<()> {
    let mut command = cargo(&["build"]);
    command.args(binaries.iter().flat_map(|binary| ["--bin", binary])).args(release.then_some("--release"));
    let mut child = command.stdin(Stdio::null()).process_group(0).spawn().context("cargo cannot be run")?;
    let _group = ProcessGroup::of(&child);
    let status = child.wait().await.context("cargo does not end")?;
    ensure!(status.success(), "{} cannot be built; see the compiler's errors above", binaries.join(", "));
    Ok(())
}

/// The binaries of an earlier build, beside this one (or in `release` beside `debug`).
pub fn prebuilt(release: bool) -> Result<BTreeMap<String, PathBuf>> {
    let folder = folder_of(release)?;
    all(|package| binary(&folder, package, release))
}

/// The binaries of the services in any folder, as that of another release.
pub fn binaries_in(folder: &Path) -> Result<BTreeMap<String, PathBuf>> {
    all(|package| find(folder, package))
}

fn all(find: impl Fn(&str) -> Result<PathBuf>) -> Result<BTreeMap<String, PathBuf>> {
    SERVICES.iter().map(|service| Ok((service.package.to_owned(), find(service.package)?))).collect()
}

fn binary(folder: &Path, package: &str, release: bool) -> Result<PathBuf> {
    let release = if release { " --release" } else { "" };
    let fix = format!("leave out --prebuilt, or build it first: cargo build{release} -p {package}");
    find(folder, package).map_err(|error| anyhow!("{error}; {fix}"))
}

fn find(folder: &Path, package: &str) -> Result<PathBuf> {
    let binary = folder.join(package);
    ensure!(binary.is_file(), "{package} is not in {}", folder.display());
    Ok(binary)
}

/// The folder of this program, or the one beside it with optimised binaries.
fn folder_of(release: bool) -> Result<PathBuf> {
    let this = std::env::current_exe().context("this program does not know where it is")?;
    let mut folder = this.parent().context("this program is in no folder")?.to_owned();
    if release && folder.file_name().is_some_and(|name| name != "release") {
        folder.set_file_name("release");
    }
    Ok(folder)
}

/// A process group of ours: asked to stop when this value is dropped before its leader has ended.
struct ProcessGroup(Option<Pid>);

impl ProcessGroup {
    fn of(child: &tokio::process::Child) -> ProcessGroup {
        ProcessGroup(child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw))
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        // An error means that the group has ended already.
        self.0.map(|group| killpg(group, Signal::SIGTERM)).transpose().unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_holds_every_service() {
        for service in &SERVICES {
            assert!(root().join(service.package).join("Cargo.toml").is_file(), "{}", service.package);
        }
    }

    #[test]
    fn a_service_that_is_in_no_folder_is_named() {
        let home = tempfile::tempdir().unwrap();
        let error = |found: Result<BTreeMap<String, PathBuf>>| found.unwrap_err().to_string();
        assert_eq!(error(binaries_in(home.path())), format!("auth-service is not in {}", home.path().display()));
        for service in &SERVICES {
            std::fs::write(home.path().join(service.package), "").unwrap();
        }
        let found = binaries_in(home.path()).unwrap();
        assert_eq!((found.len(), &found["post-service"]), (5, &home.path().join("post-service")));
    }

    #[test]
    fn the_compiler_is_kept_away_from_live_databases() {
        let command = cargo(&["check"]);
        let environment: BTreeMap<_, _> = command.as_std().get_envs().collect();
        assert_eq!(environment["SQLX_OFFLINE".as_ref() as &std::ffi::OsStr], Some("true".as_ref()));
        assert_eq!(environment["AUTH_SERVICE_DATABASE_URL".as_ref() as &std::ffi::OsStr], None);
    }
}
