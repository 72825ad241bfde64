//! The data folder: whether it can be written, who runs in it, what a killed launcher left, who made its cluster.

use std::{
    fs,
    io::ErrorKind,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use nix::unistd::{AccessFlags, Uid, User, access};

use crate::launcher::doctor::finding::Finding;
use crate::launcher::up;
use crate::platform::ports;
use crate::platform::ports::called;
use crate::servers::folder::{Folder, read_if_there};
use crate::servers::ledger;
use crate::servers::ledger::Entry;
use crate::servers::state::Kept;
use crate::system::{SERVICES, Service};

const WHAT: &str = "data folder";

/// What is known of a data folder without changing anything in it.
pub struct Data {
    pub path: PathBuf,
    access: Access,
    /// The launcher that holds it.
    pub launcher: Option<String>,
    /// What runs of it; without a launcher somebody has killed that.
    pub processes: Vec<Entry>,
    /// Its first port, when its launcher runs and has got that far.
    pub port_base: Option<u16>,
    /// The port of its gateway, when it has one.
    pub gateway_port: Option<u16>,
    /// The version of Postgres that made the cluster in it.
    pub cluster: Option<String>,
    /// The ports of its servers.
    pub servers: Option<(u16, u16)>,
}

#[derive(Debug, PartialEq, Eq)]
enum Access {
    /// It can be written, or made.
    Free,
    /// Something that is no folder is there, or above it.
    NoFolder(PathBuf),
    /// It, or where it would be made, is closed to us; who owns that.
    Closed(PathBuf, String),
    /// What it holds cannot be read, or not understood.
    Spoilt(String),
}

impl Data {
    pub fn look(path: &Path) -> Data {
        let closed = look_at(path);
        let (processes, kept) = (ledger::alive(path), Kept::read(path));
        let unread = processes.as_ref().err().or(kept.as_ref().err()).map(|error| format!("{error:#}"));
        let (processes, kept) = (processes.unwrap_or_default(), kept.unwrap_or_default());
        let home = kept.as_ref().and_then(|kept| kept.postgres_elsewhere.clone());
        let cluster = home.unwrap_or_else(|| path.join("postgres")).join("data/PG_VERSION");
        let launcher = Folder::holder(path);
        Data {
            path: path.to_owned(),
            access: closed.or(unread.map(Access::Spoilt)).unwrap_or(Access::Free),
            port_base: launcher.as_ref().and_then(|_| up::port_of(path, "AUTH_SERVICE_URL")),
            gateway_port: launcher.as_ref().and_then(|_| up::port_of(path, "GATEWAY_URL")),
            launcher,
            processes,
            cluster: read_if_there(&cluster).ok().flatten().map(|text| text.trim().to_owned()),
            servers: kept.map(|kept| (kept.postgres_port, kept.redis_port)),
        }
    }

    /// How many processes of each service its launcher has started, at most.
    pub fn replicas(&self) -> u16 {
        let of = |service: &Service| {
            let is_one = |process: &&Entry| process.name.starts_with(service.package);
            self.processes.iter().filter(is_one).count()
        };
        let most = SERVICES.iter().map(of).max().unwrap_or_default();
        u16::try_from(most).unwrap_or_default().max(1)
    }

    /// The ports that its own servers had: whoever took one since is not in the way, for the launcher goes elsewhere.
    pub fn judge_servers(&self) -> Vec<Finding> {
        let (Some((postgres, redis)), None) = (self.servers, &self.launcher) else { return Vec::new() };
        let taken = [("Postgres", postgres), ("Redis", redis)].into_iter().filter_map(|(name, port)| {
            let owner = ports::owner(port)?;
            let ours = self.processes.iter().any(|process| process.pid == owner.pid);
            let says = format!("of the private {name} is in use by {}", called(Some(&owner)));
            let mend = "nothing to do: `cargo stack up` takes the next that is free";
            (!ours).then(|| Finding::note(format!("port {port}"), says).with(mend))
        });
        taken.collect()
    }

    /// Who runs in it, or why nobody could.
    pub fn judge(&self) -> Finding {
        let place = self.path.display();
        match (&self.access, &self.launcher) {
            (Access::NoFolder(path), _) => {
                let mend = "move it away, or choose another folder with --data-dir";
                Finding::problem(WHAT, format!("{} is no folder", path.display()), mend)
            }
            (Access::Closed(path, owner), _) => {
                let (path, says) =
                    (path.display(), format!("{} belongs to {owner} and is closed to you", path.display()));
                let mend = format!("sudo chown -R $(id -u):$(id -g) {path}, or choose another folder with --data-dir");
                Finding::problem(WHAT, says, mend)
            }
            (Access::Spoilt(error), _) => {
                Finding::problem(WHAT, error.clone(), format!("if it is worth nothing, delete it: rm -r {place}"))
            }
            (Access::Free, Some(pid)) => Finding::ok(WHAT, format!("the platform in {place} is running (pid {pid})")),
            (Access::Free, None) if self.processes.is_empty() => Finding::ok(WHAT, format!("{place} can be written")),
            (Access::Free, None) => {
                let left: Vec<_> =
                    self.processes.iter().map(|left| format!("{} (pid {})", left.name, left.pid)).collect();
                let says = format!("a launcher that was killed left running: {}", left.join(", "));
                Finding::note(WHAT, says).with("`cargo stack up` stops them first; so does `cargo stack reset`")
            }
        }
    }
}

/// What keeps us from writing there, if anything does. What is not there is made in the nearest folder above it.
fn look_at(path: &Path) -> Option<Access> {
    let (there, found) = path.ancestors().find_map(|above| match fs::metadata(above) {
        Ok(found) => Some((above, Some(found))),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Some((above, None)),
        Err(_) => None,
    })?;
    let Some(found) = found else { return Some(Access::Closed(there.to_owned(), "somebody else".to_owned())) };
    if !found.is_dir() {
        return Some(Access::NoFolder(there.to_owned()));
    }
    let may = access(there, AccessFlags::W_OK | AccessFlags::X_OK);
    may.is_err().then(|| Access::Closed(there.to_owned(), name(found.uid())))
}

fn name(uid: u32) -> String {
    let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    user.map_or_else(|| format!("user {uid}"), |user| user.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launcher::doctor::finding::Verdict;
    use crate::servers::stage::Stage;

    fn data(access: Access, launcher: Option<&str>, processes: Vec<Entry>) -> Data {
        let launcher = launcher.map(str::to_owned);
        let path = "/data".into();
        Data { path, access, launcher, processes, port_base: None, gateway_port: None, cluster: None, servers: None }
    }

    #[test]
    fn who_runs_is_named_and_who_was_left_is_stopped_by_the_next() {
        let left = || vec![Entry { name: "Redis".into(), stage: Stage::Redis, pid: 7, born: "now".into() }];
        let running = data(Access::Free, Some("42"), left()).judge();
        assert_eq!(
            (running.verdict, running.says.as_str()),
            (Verdict::Ok, "the platform in /data is running (pid 42)")
        );
        let stale = data(Access::Free, None, left()).judge();
        let says = "a launcher that was killed left running: Redis (pid 7)";
        assert_eq!((stale.verdict, stale.says.as_str()), (Verdict::Note, says));
    }

    #[test]
    fn a_folder_of_somebody_else_is_a_problem_with_two_mends() {
        let finding = data(Access::Closed("/data".into(), "root".into()), None, Vec::new()).judge();
        assert_eq!(
            (finding.verdict, finding.says.as_str()),
            (Verdict::Problem, "/data belongs to root and is closed to you")
        );
        let mend = finding.mend.unwrap();
        assert!(mend.contains("chown") && mend.contains("--data-dir"), "{mend}");
    }

    #[test]
    fn replicas_are_counted_by_what_runs() {
        let entry = |name: &str| Entry { name: name.into(), stage: Stage::Service, pid: 7, born: "now".into() };
        let running = |names: &[&str]| data(Access::Free, Some("1"), names.iter().map(|name| entry(name)).collect());
        assert_eq!(running(&["Redis", "post-service", "auth-service-2", "auth-service"]).replicas(), 2);
        assert_eq!(running(&[]).replicas(), 1);
    }

    #[test]
    fn a_servers_port_that_somebody_took_is_no_problem() {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut found = data(Access::Free, None, Vec::new());
        found.servers = Some((port, 1));
        if cfg!(target_os = "linux") {
            let findings = found.judge_servers();
            assert_eq!((findings.len(), findings[0].verdict), (1, Verdict::Note), "{findings:?}");
        }
    }

    #[test]
    fn looking_makes_nothing() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a/b");
        let found = Data::look(&path);
        assert_eq!((found.judge().verdict, found.launcher, found.access), (Verdict::Ok, None, Access::Free));
        assert!(!home.path().join("a").exists());
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        fs::write(&file, "").unwrap();
        assert_eq!(Data::look(&file.join("data")).access, Access::NoFolder(file));
    }

    #[test]
    fn a_claimed_folder_and_its_launcher_are_found() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::claim(home.path()).unwrap();
        assert_eq!(Data::look(folder.path()).launcher, Some(std::process::id().to_string()));
        drop(folder);
        assert_eq!(Data::look(home.path()).launcher, None);
    }

    #[test]
    fn what_cannot_be_understood_is_a_problem() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("kept.json"), "{").unwrap();
        let finding = Data::look(home.path()).judge();
        assert_eq!(finding.verdict, Verdict::Problem);
        assert!(finding.says.contains("kept.json cannot be understood"), "{}", finding.says);
    }
}
