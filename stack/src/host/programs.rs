//! Programs of the system: found where distributions put them, or installed from the system's packages.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
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
# One repository out of reach need not matter; if it does, the installation fails.
apt-get update -qq || true
apt-get install -y -qq --no-install-recommends "$@"
"#;

/// Major and minor.
type Version = (u32, u32);

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
    /// Installs tools of tests.
    Npm,
    /// Shows the pages to tests, and draws them.
    Chromium,
    /// Drives it.
    ChromeDriver,
}

impl Program {
    /// Its name, its package on Debian and Ubuntu, and the oldest version that will do.
    fn facts(self) -> (&'static str, &'static str, Version) {
        match self {
            // `pg_terminate_backend`, with which a silent replica is ended, may wait for the end since then.
            Program::Postgres => ("PostgreSQL", "postgresql", (14, 0)),
            Program::Psql => ("psql", "postgresql-client", (0, 0)),
            // Rights that differ from key to key came with it. Valkey continues from 7.2.
            Program::Redis => ("Redis", "redis-server", (7, 0)),
            Program::Nginx => ("nginx", "nginx", (0, 0)),
            Program::Npm => ("npm", "npm", (0, 0)),
            // `light-dark()` in style sheets came with it.
            Program::Chromium => ("Chromium", "chromium", (123, 0)),
            Program::ChromeDriver => ("ChromeDriver", "chromium-driver", (123, 0)),
        }
    }

    pub fn name(self) -> &'static str {
        self.facts().0
    }

    fn package(self) -> &'static str {
        self.facts().1
    }

    /// The file that is run.
    pub fn path(self) -> Result<PathBuf> {
        let found = match self {
            Program::Postgres => postgres(None).map(|bin| bin.join("postgres")),
            Program::Psql => on_path("psql").or_else(|| postgres(None).map(|bin| bin.join("psql"))),
            Program::Redis => on_path("redis-server").or_else(|| on_path("valkey-server")),
            Program::Npm => on_path("npm"),
            Program::Chromium => on_path("chromium").or_else(|| on_path("google-chrome")),
            Program::ChromeDriver => on_path("chromedriver"),
            // Debian keeps it where only root's PATH leads.
            Program::Nginx => {
                on_path("nginx").or_else(|| Some("/usr/sbin/nginx".into()).filter(|path: &PathBuf| path.is_file()))
            }
        };
        found.with_context(|| format!("{} not found", self.name()))
    }

    /// Fails when the installed version is too old.
    pub async fn check_version(self) -> Result<()> {
        let path = self.path()?;
        // nginx knows no long options, and answers on stderr.
        let option = if self == Program::Nginx { "-v" } else { "--version" };
        let output = Command::new(&path).arg(option).output().await;
        let output = output.with_context(|| format!("{} cannot be run", path.display()))?;
        let found = parse_version(&String::from_utf8_lossy(&[output.stdout, output.stderr].concat()));
        let ((major, minor), (_, _, oldest)) = (found.unwrap_or((u32::MAX, 0)), self.facts());
        ensure!(
            (major, minor) >= oldest,
            "{} {major}.{minor} is too old: install {}.{} or newer",
            self.name(),
            oldest.0,
            oldest.1
        );
        Ok(())
    }
}

/// The first version in a text: `postgres (PostgreSQL) 15.18 (Debian 15.18-1)` is 15.18.
fn parse_version(text: &str) -> Option<Version> {
    let words = text.split(|c: char| !(c.is_ascii_digit() || c == '.'));
    let mut numbers = words.filter(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let mut parts = numbers.next()?.split('.').map(str::parse);
    let major = parts.next()?.ok()?;
    Some((major, parts.next().and_then(Result::ok).unwrap_or_default()))
}

/// Those of the programs that are not installed.
pub fn missing(wanted: &[Program]) -> Vec<Program> {
    wanted.iter().copied().filter(|program| program.path().is_err()).collect()
}

/// The command that installs these programs; where they cannot be installed, an error says how to do it by hand.
pub fn installer(missing: &[Program]) -> Result<Command> {
    let names = missing.iter().map(|program| program.name()).collect::<Vec<_>>().join(" and ");
    let packages: Vec<_> = missing.iter().map(|program| program.package()).collect();
    if on_path("apt-get").is_none() {
        bail!(
            "{names} not found, and only Debian and Ubuntu are installed to automatically; install it yourself (Fedora: dnf \
             install postgresql-server redis nginx, Arch: pacman -S postgresql redis nginx, macOS: brew install postgresql \
             redis nginx) and try again"
        );
    }
    let mut command = if geteuid().is_root() {
        Command::new("sh")
    } else if on_path("sudo").is_some() {
        let mut sudo = Command::new("sudo");
        sudo.arg("sh");
        sudo
    } else {
        let list = packages.join(" ");
        bail!("{names} not found, and there is no sudo to install it with; run as root: apt-get install {list}");
    };
    command.args(["-c", INSTALL, "sh"]).args(packages);
    Ok(command)
}

/// Installs what is missing of the programs, after saying so, and checks their versions.
pub async fn provide(wanted: &[Program]) -> Result<()> {
    let missing = missing(wanted);
    if !missing.is_empty() {
        let mut installer = installer(&missing)?;
        let list = missing.iter().map(|program| program.package()).collect::<Vec<_>>().join(" ");
        console::info(format_args!("Installing {list} with apt-get"));
        let spinner = console::spinner(format!("Installing {list}"));
        // Not killed when the launcher is stopped: half an installation is worse than one more package.
        let output = installer.output().await.context("apt-get cannot be run")?;
        spinner.finish_and_clear();
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            bail!("{list} cannot be installed: {}", errors.trim().lines().last().unwrap_or("apt-get did not say why"));
        }
    }
    for program in wanted {
        program.check_version().await?;
    }
    Ok(())
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
    fn versions_are_found_in_the_output_of_programs() {
        for (output, expected) in [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", Some((15, 18))),
            ("postgres (PostgreSQL) 19beta1", Some((19, 0))),
            ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64", Some((7, 0))),
            ("Valkey server v=8.1.1 sha=0", Some((8, 1))),
            ("nginx version: nginx/1.22.1", Some((1, 22))),
            ("command not found", None),
        ] {
            assert_eq!(parse_version(output), expected, "{output}");
        }
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(version(Path::new("/usr/lib/postgresql/9/bin")) < version(Path::new("/usr/lib/postgresql/15/bin")));
    }
}
