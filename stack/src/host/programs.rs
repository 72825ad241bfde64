//! Programs of the system: found where distributions put them, or installed from the system's packages.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use nix::unistd::geteuid;
use tokio::process::Command;

use crate::host::console;

/// Installs packages without starting their servers on the system's ports: ours are private instances. While
/// `policy-rc.d` answers 101, "not now", no package starts one.
const INSTALL: &str = r#"
set -e
if [ ! -e /usr/sbin/policy-rc.d ]; then
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    trap 'exit 130' INT TERM HUP
    printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
fi
export DEBIAN_FRONTEND=noninteractive
# One repository out of reach need not matter; if it does, the install says so.
apt-get update -qq || true
apt-get install -y -qq --no-install-recommends "$@"
"#;

/// A program that the platform needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// The server, with `initdb`, `psql` and `pg_isready` beside it.
    Postgres,
    /// Only psql, for a server that runs elsewhere.
    Psql,
    Redis,
    /// The gateway.
    Nginx,
}

impl Program {
    pub fn name(self) -> &'static str {
        match self {
            Program::Postgres => "PostgreSQL",
            Program::Psql => "psql",
            Program::Redis => "Redis",
            Program::Nginx => "nginx",
        }
    }

    pub fn package(self) -> &'static str {
        match self {
            Program::Postgres => "postgresql",
            Program::Psql => "postgresql-client",
            Program::Redis => "redis-server",
            Program::Nginx => "nginx",
        }
    }

    fn find(self) -> Option<PathBuf> {
        match self {
            Program::Postgres => postgres(None),
            Program::Psql => on_path("psql").or_else(|| postgres(None).map(|bin| bin.join("psql"))),
            Program::Redis => on_path("redis-server").or_else(|| on_path("valkey-server")),
            // Debian keeps it where only root's PATH leads.
            Program::Nginx => {
                on_path("nginx").or_else(|| Some("/usr/sbin/nginx".into()).filter(|path: &PathBuf| path.is_file()))
            }
        }
    }

    /// The file that is run.
    pub fn binary(self) -> Option<PathBuf> {
        let found = self.find()?;
        Some(if self == Program::Postgres { found.join("postgres") } else { found })
    }
}

/// Whether missing programs can be installed: with apt-get, by root or whoever may become it.
pub fn can_install() -> bool {
    on_path("apt-get").is_some() && (geteuid().is_root() || on_path("sudo").is_some())
}

/// How somebody installs programs where `provide` cannot.
pub fn by_hand(missing: &[Program]) -> String {
    let packages: Vec<_> = missing.iter().map(|program| program.package()).collect();
    if on_path("apt-get").is_some() {
        return format!("run as root: apt-get install {}", packages.join(" "));
    }
    "install it yourself (Fedora: dnf install postgresql-server redis nginx, Arch: pacman -S postgresql redis nginx, \
     macOS: brew install postgresql redis nginx) and try again"
        .to_owned()
}

/// Installs what is missing of `wanted`, after saying so.
pub async fn provide(wanted: &[Program]) -> Result<()> {
    let missing: Vec<Program> = wanted.iter().copied().filter(|program| program.find().is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.iter().map(|program| program.name()).collect::<Vec<_>>().join(" and ");
    let packages: Vec<_> = missing.iter().map(|program| program.package()).collect();
    let list = packages.join(" ");
    if on_path("apt-get").is_none() {
        bail!("{names} not found, and only Debian and Ubuntu are installed to automatically; {}", by_hand(&missing));
    }
    let mut command = if geteuid().is_root() {
        Command::new("sh")
    } else if on_path("sudo").is_some() {
        let mut sudo = Command::new("sudo");
        sudo.arg("sh");
        sudo
    } else {
        bail!("{names} not found, and there is no sudo to install it with; {}", by_hand(&missing));
    };
    console::tell(format_args!("{names} not found: installing {list} with apt-get"));
    let spinner = console::spinner(format!("Installing {list}"));
    // Not killed when the launcher is stopped: half an installation is worse than one more package.
    let answer = command.args(["-c", INSTALL, "sh"]).args(&packages).output().await.context("apt-get cannot be run")?;
    spinner.finish_and_clear();
    if !answer.status.success() {
        let said = String::from_utf8_lossy(&answer.stderr);
        bail!("{list} cannot be installed: {}", said.trim().lines().last().unwrap_or("apt-get did not say why"));
    }
    if let Some(program) = missing.iter().find(|program| program.find().is_none()) {
        bail!("{} was installed with the package {}, but is not found", program.name(), program.package());
    }
    Ok(())
}

/// Where `redis-server` is.
pub fn redis() -> Result<PathBuf> {
    Program::Redis.find().context("redis-server not found")
}

/// Where `nginx` is.
pub fn nginx() -> Result<PathBuf> {
    Program::Nginx.find().context("nginx not found")
}

/// Where `psql` is.
pub fn psql() -> Result<PathBuf> {
    Program::Psql.find().context("psql not found")
}

/// The folder that holds Postgres's programs: of the given major version where there is one, else of the newest.
pub fn postgres(major: Option<&str>) -> Option<PathBuf> {
    // Debian keeps every version in a folder of its own and off the PATH.
    let mut found: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.flatten().map(|version| version.path().join("bin")).collect())
        .unwrap_or_default();
    found.retain(|bin| bin.join("postgres").is_file() && bin.join("initdb").is_file());
    found.sort_by_key(|bin| version(bin));
    let wanted = found.iter().find(|bin| major.is_some() && version(bin) == major.and_then(|text| text.parse().ok()));
    wanted.or(found.last()).cloned().or_else(|| {
        // A link on the PATH leads to the folder in which the other programs are too.
        let postgres = on_path("postgres")?.canonicalize().ok()?;
        postgres.parent().filter(|bin| bin.join("initdb").is_file()).map(Path::to_path_buf)
    })
}

fn version(bin: &Path) -> Option<u32> {
    bin.parent()?.file_name()?.to_str()?.parse().ok()
}

/// The first program of this name on the PATH.
pub fn on_path(name: &str) -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "PATH belongs to the system; it is no setting of this tool")]
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_on_the_path_is_found() {
        assert!(on_path("sh").is_some_and(|sh| sh.is_absolute()));
        assert_eq!(on_path("no-such-program-anywhere"), None);
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(version(Path::new("/usr/lib/postgresql/9/bin")) < version(Path::new("/usr/lib/postgresql/15/bin")));
    }
}
