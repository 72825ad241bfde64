//! The programs that the platform is made with and runs on: whether they are there, and new enough.

use std::{
    path::{Path, PathBuf},
    process::Output,
};

use tokio::process::Command;

use crate::host::programs::{Program, on_path};
use crate::host::{programs, workspace};
use crate::launcher::doctor::finding::Finding;

/// `pg_terminate_backend`, with which a silent replica is ended, may wait for the end since then.
pub const POSTGRES: Version = (14, 0);
/// `XTRIM … MINID`, with which streams are cut, came with it. Valkey counts on from 7.2.
pub const REDIS: Version = (6, 2);

/// Major and minor.
pub type Version = (u32, u32);

/// A program of the system: where it is, and what it says when it is asked for its version.
pub struct Found {
    program: Program,
    binary: Option<PathBuf>,
    says: String,
}

impl Found {
    pub async fn look(program: Program) -> Found {
        let binary = program.binary();
        let says = match &binary {
            // It knows no words, and says it on stderr.
            Some(binary) if program == Program::Nginx => said(Command::new(binary).arg("-v")).await,
            Some(binary) => said(Command::new(binary).arg("--version")).await,
            None => String::new(),
        };
        Found { program, binary, says }
    }

    /// Whether it is there and new enough; `installs` says whether the launcher can install what is missing.
    pub fn judge(&self, installs: bool) -> Finding {
        let (what, package) = (self.program.name(), self.program.package());
        let Some(binary) = &self.binary else {
            if installs {
                let says = format!("not installed: `cargo stack up` installs {package} with apt-get");
                return Finding::note(what, says);
            }
            return Finding::problem(what, "not installed", programs::by_hand(&[self.program]));
        };
        let least = match self.program {
            Program::Postgres => POSTGRES,
            Program::Redis => REDIS,
            Program::Psql | Program::Nginx => (0, 0),
        };
        let binary = binary.display();
        match version(&self.says) {
            Some(found) if found < least => {
                let mend = format!("install version {} or newer", written(least));
                Finding::problem(what, format!("{} is too old: {binary}", written(found)), mend)
            }
            Some(found) => Finding::ok(what, format!("{}: {binary}", written(found))),
            None => Finding::note(what, format!("{binary} does not say which version it is")),
        }
    }
}

/// Whether Postgres, as it is installed, can go on with the cluster that an earlier one made.
pub fn judge_cluster(made_by: Option<&str>, bin: Option<&Path>) -> Option<Finding> {
    let (made_by, bin) = (made_by?, bin?);
    let installed = bin.parent()?.file_name()?.to_str()?;
    // Only Debian names the folder after the version; elsewhere the launcher asks the program itself.
    installed.parse::<u32>().ok()?;
    (installed != made_by).then(|| {
        let says = format!("the data was made by version {made_by}, and {installed} is installed");
        let mend = format!("install PostgreSQL {made_by}, or delete the data with `cargo stack reset`");
        Finding::problem("cluster", says, mend)
    })
}

/// What builds the services: Rust of a version that they compile with, and a linker.
pub async fn toolchain() -> Vec<Finding> {
    let mut rustc = Command::new("rustc");
    let says = said(rustc.arg("--version").current_dir(workspace::root())).await;
    let linker = on_path("cc").or_else(|| on_path("gcc")).or_else(|| on_path("clang"));
    vec![judge_rust(&says, env!("CARGO_PKG_RUST_VERSION")), judge_linker(linker.as_deref())]
}

fn judge_rust(says: &str, needed: &str) -> Finding {
    match (version(says), version(needed)) {
        (None, _) => {
            Finding::problem("Rust", "not installed", "https://rustup.rs installs it; --prebuilt does without it")
        }
        (Some(found), Some(least)) if found < least => {
            let says = format!("{} is too old: the services need {needed}", written(found));
            Finding::problem("Rust", says, "rustup update")
        }
        (Some(found), _) => Finding::ok("Rust", format!("{}, and {needed} is needed", written(found))),
    }
}

fn judge_linker(found: Option<&Path>) -> Finding {
    match found {
        Some(found) => Finding::ok("C compiler", found.display().to_string()),
        None => Finding::problem(
            "C compiler",
            "not installed: some crates are built with it, and Rust links with it",
            "apt-get install build-essential (Fedora: dnf install gcc, Arch: pacman -S gcc, macOS: xcode-select --install)",
        ),
    }
}

/// A plugin of docker, and so not on the PATH.
const COMPOSE: &str = "docker compose";

/// Programs that some commands use, what for, and what brings them. None of them keeps a platform from coming up.
const OPTIONAL: [(&str, &str, &str); 6] = [
    ("cargo-nextest", "`cargo stack test` runs slower without it", "cargo install cargo-nextest --locked"),
    ("cargo-deny", "`cargo stack check` needs it", "that installs it itself; or: cargo install cargo-deny --locked"),
    ("schemathesis", "`cargo stack fuzz` needs it", "pip install schemathesis"),
    ("promtool", "checks the alert rules", "apt-get install prometheus"),
    ("docker", "runs the platform in containers", "https://docs.docker.com/engine/install"),
    (COMPOSE, "runs the platform in containers", "https://docs.docker.com/compose/install/linux"),
];

/// Looks which of them are there.
pub async fn optional() -> Vec<Finding> {
    let compose = Command::new("docker").args(["compose", "version"]).output().await;
    let compose = compose.is_ok_and(|answer| answer.status.success());
    judge_optional(|name| if name == COMPOSE { compose } else { on_path(name).is_some() })
}

/// Those of them that are missing, and one line for the others.
fn judge_optional(is_there: impl Fn(&str) -> bool) -> Vec<Finding> {
    let (there, missing): (Vec<_>, Vec<_>) = OPTIONAL.into_iter().partition(|(name, ..)| is_there(name));
    let mut findings = Vec::new();
    if !there.is_empty() {
        let names: Vec<_> = there.iter().map(|(name, ..)| *name).collect();
        findings.push(Finding::ok("other tools", names.join(", ")));
    }
    let missing = missing
        .into_iter()
        .map(|(name, why, brings)| Finding::note(name, format!("not installed: {why}")).with(brings));
    findings.extend(missing);
    findings
}

/// What a program says; nothing when it cannot be run.
async fn said(command: &mut Command) -> String {
    let answer = command.output().await;
    let text = |answer: Output| String::from_utf8_lossy(&[answer.stdout, answer.stderr].concat()).trim().to_owned();
    answer.map(text).unwrap_or_default()
}

/// The first version that stands in a text: `postgres (PostgreSQL) 15.18 (Debian 15.18-1)` is 15.18.
pub fn version(text: &str) -> Option<Version> {
    let words = text.split(|c: char| !(c.is_ascii_digit() || c == '.'));
    let mut numbers = words.filter(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let mut parts = numbers.next()?.split('.').map(str::parse);
    let major = parts.next()?.ok()?;
    Some((major, parts.next().and_then(Result::ok).unwrap_or_default()))
}

pub fn written((major, minor): Version) -> String {
    format!("{major}.{minor}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launcher::doctor::finding::Verdict;

    fn found(program: Program, says: &str) -> Finding {
        Found { program, binary: Some("/bin/x".into()), says: says.to_owned() }.judge(true)
    }

    #[test]
    fn versions_are_found_in_what_programs_say() {
        for (says, expected) in [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", Some((15, 18))),
            ("postgres (PostgreSQL) 19beta1", Some((19, 0))),
            ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64", Some((7, 0))),
            ("Valkey server v=8.1.1 sha=0", Some((8, 1))),
            ("nginx version: nginx/1.22.1", Some((1, 22))),
            ("rustc 1.95.0 (59807616e 2026-04-14)", Some((1, 95))),
            ("command not found", None),
        ] {
            assert_eq!(version(says), expected, "{says}");
        }
    }

    #[test]
    fn what_is_too_old_is_a_problem() {
        assert_eq!(found(Program::Postgres, "postgres (PostgreSQL) 13.9").says, "13.9 is too old: /bin/x");
        assert_eq!(found(Program::Postgres, "postgres (PostgreSQL) 14.0").verdict, Verdict::Ok);
        assert_eq!(found(Program::Redis, "Redis server v=6.0.16").verdict, Verdict::Problem);
        assert_eq!(found(Program::Redis, "Redis server v=6.2.0").verdict, Verdict::Ok);
        assert_eq!(judge_rust("rustc 1.93.1 (x)", "1.94").mend.as_deref(), Some("rustup update"));
        assert_eq!(judge_rust("rustc 1.94.0 (x)", "1.94").verdict, Verdict::Ok);
        assert_eq!(judge_rust("", "1.94").says, "not installed");
    }

    #[test]
    fn what_the_launcher_can_install_is_only_noted() {
        let missing = |installs| Found { program: Program::Redis, binary: None, says: String::new() }.judge(installs);
        assert_eq!(missing(true).says, "not installed: `cargo stack up` installs redis-server with apt-get");
        assert_eq!((missing(true).verdict, missing(false).verdict), (Verdict::Note, Verdict::Problem));
        assert!(missing(false).mend.unwrap().contains("redis"), "it says how");
    }

    #[test]
    fn a_cluster_of_another_version_is_a_problem() {
        let bin = Path::new("/usr/lib/postgresql/15/bin");
        assert_eq!(judge_cluster(Some("15"), Some(bin)), None);
        assert_eq!(judge_cluster(None, Some(bin)), None);
        let finding = judge_cluster(Some("14"), Some(bin)).unwrap();
        assert_eq!(finding.says, "the data was made by version 14, and 15 is installed");
    }

    #[test]
    fn what_some_commands_use_is_never_a_problem() {
        let findings = judge_optional(|name| name == "docker");
        assert_eq!(findings[0], Finding::ok("other tools", "docker"));
        assert_eq!(findings.len(), OPTIONAL.len());
        assert!(findings[1..].iter().all(|finding| finding.verdict == Verdict::Note && finding.mend.is_some()));
    }
}
