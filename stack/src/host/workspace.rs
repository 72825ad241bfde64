//! The workspace that this tool belongs to: where it is, and cargo run in it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::LazyLock,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use serde::Deserialize;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

use crate::host::shutdown::Stop;
use crate::system::SERVICES;

/// The folder of the workspace's `Cargo.toml`: the one that cargo runs us from, or else the one that we were built in.
/// They differ when several clones share a target folder.
pub fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        #[expect(
            clippy::disallowed_methods,
            reason = "cargo tells where it runs us from; it is no setting of this tool"
        )]
        let told = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let workspace = |here: &Path| here.parent().map(Path::to_path_buf);
        let ours = |root: &PathBuf| SERVICES.iter().all(|service| root.join(service.package).is_dir());
        let built_in = Path::new(env!("CARGO_MANIFEST_DIR"));
        told.and_then(|here| workspace(&here)).filter(ours).or(workspace(built_in)).unwrap_or_default()
    });
    &ROOT
}

/// Cargo in the workspace, with what the services compile without: a database.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(root()).env("SQLX_OFFLINE", "true");
    for service in &SERVICES {
        command.env_remove(service.database_variable());
    }
    command
}

/// Runs a command to its end. When the launcher is stopped meanwhile, all that the command started is stopped too, and
/// waited for.
pub async fn run(command: &mut Command, stop: &mut Stop) -> Result<ExitStatus> {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    let mut child = command.process_group(0).spawn().with_context(|| format!("{name} cannot be run"))?;
    let group = Group::of(&child);
    tokio::select! {
        status = child.wait() => status.with_context(|| format!("{name} does not end")),
        () = stop.asked() => {
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
        if self.prebuilt { prebuilt(self.release) } else { build(self.release).await }
    }
}

/// Builds the services and says where each binary is, by package. Cargo shows its own progress.
async fn build(release: bool) -> Result<BTreeMap<String, PathBuf>> {
    compile(&SERVICES.map(|service| service.package), release).await.context("the services cannot be built")
}

/// This tool itself, built with optimisation; says where it is.
pub async fn build_itself() -> Result<PathBuf> {
    let name = env!("CARGO_PKG_NAME");
    let mut built = compile(&[name], true).await.with_context(|| format!("{name} cannot be built"))?;
    built.remove(name).with_context(|| format!("cargo built no {name}"))
}

async fn compile(packages: &[&str], release: bool) -> Result<BTreeMap<String, PathBuf>> {
    let mut arguments = vec!["build", "--message-format=json-render-diagnostics"];
    arguments.extend(packages.iter().flat_map(|package| ["-p", package]));
    if release {
        arguments.push("--release");
    }
    let mut command = cargo(&arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
    let mut child = command.spawn().context("cargo cannot be run")?;
    let _group = Group::of(&child);
    let mut lines = BufReader::new(child.stdout.take().context("cargo has no output")?).lines();
    let mut binaries = BTreeMap::new();
    while let Some(line) = lines.next_line().await.context("cargo's output cannot be read")? {
        if let Some((package, binary)) = executable(&line) {
            binaries.insert(package, binary);
        }
    }
    let status = child.wait().await.context("cargo does not end")?;
    if !status.success() {
        bail!("the compiler's own words are above");
    }
    Ok(binaries)
}

/// The binaries of an earlier build, beside this one (or in `release` beside `debug`).
pub fn prebuilt(release: bool) -> Result<BTreeMap<String, PathBuf>> {
    let (folder, mut binaries) = (beside(release)?, BTreeMap::new());
    for service in &SERVICES {
        let binary = folder.join(service.package);
        if !binary.is_file() {
            bail!(
                "{} is not in {}; leave out --prebuilt, or build it first: cargo build{} -p {}",
                service.package,
                folder.display(),
                if release { " --release" } else { "" },
                service.package
            );
        }
        binaries.insert(service.package.to_owned(), binary);
    }
    Ok(binaries)
}

/// The folder of this program, or its neighbour with what was optimised.
fn beside(release: bool) -> Result<PathBuf> {
    let this = std::env::current_exe().context("this program does not know where it is")?;
    let mut folder = this.parent().context("this program is in no folder")?.to_owned();
    if release && folder.file_name().is_some_and(|name| name != "release") {
        folder.set_file_name("release");
    }
    Ok(folder)
}

/// Name and path of the binary that a line of cargo's JSON tells of.
fn executable(line: &str) -> Option<(String, PathBuf)> {
    #[derive(Deserialize)]
    struct Message {
        reason: String,
        target: Option<Target>,
        executable: Option<PathBuf>,
    }
    #[derive(Deserialize)]
    struct Target {
        name: String,
    }
    let message: Message = serde_json::from_str(line).ok()?;
    if message.reason != "compiler-artifact" {
        return None;
    }
    Some((message.target?.name, message.executable?))
}

/// A process group of ours: asked to stop when this value is dropped before its leader has ended.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &tokio::process::Child) -> Group {
        Group(child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // An error says that the group has ended already, which is what is wanted.
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
    fn binaries_are_read_from_cargos_messages() {
        let line = r#"{"reason":"compiler-artifact","target":{"name":"auth-service","kind":["bin"]},"executable":"/t/auth-service"}"#;
        assert_eq!(executable(line), Some(("auth-service".to_owned(), "/t/auth-service".into())));
        let library = r#"{"reason":"compiler-artifact","target":{"name":"serde"},"executable":null}"#;
        assert_eq!(executable(library), None);
        assert_eq!(executable("not json"), None);
    }

    #[test]
    fn the_compiler_is_kept_away_from_live_databases() {
        let command = cargo(&["check"]);
        let environment: BTreeMap<_, _> = command.as_std().get_envs().collect();
        assert_eq!(environment["SQLX_OFFLINE".as_ref() as &std::ffi::OsStr], Some("true".as_ref()));
        assert_eq!(environment["AUTH_SERVICE_DATABASE_URL".as_ref() as &std::ffi::OsStr], None);
    }
}
