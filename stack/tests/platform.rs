//! A platform of a test's own: free ports, an empty data folder, and nothing left of it afterwards, pass or fail.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

use crate::client::Api;

pub const SERVICES: [&str; 5] =
    ["auth-service", "post-service", "interaction-service", "moderation-service", "engagement-service"];
/// The password of every person of a test.
pub const PASSWORD: &str = "a long walk by the sea";

/// The launcher, with a data folder of its own.
pub struct Platform {
    pub home: TempDir,
    /// The address of each process, by name.
    pub addresses: BTreeMap<String, String>,
    launcher: Child,
}

/// An empty folder that the user Postgres runs as may pass through.
pub fn home() -> TempDir {
    tempfile::Builder::new().prefix("journey-").permissions(Permissions::from_mode(0o711)).tempdir().unwrap()
}

/// A run of the launcher that ends by itself.
pub fn stack(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stack")).args(arguments).output().unwrap()
}

/// What a run wrote to stderr.
pub fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

impl Platform {
    /// Starts a platform and returns when it is ready.
    pub fn up(arguments: &[&str]) -> Platform {
        Platform::up_in(home(), arguments)
    }

    /// The same, in a folder that an earlier one may have used.
    pub fn up_in(home: TempDir, arguments: &[&str]) -> Platform {
        let mut launcher = Command::new(env!("CARGO_BIN_EXE_stack"))
            // A few users do what thousands would: every view counts.
            .args(["up", "--prebuilt", "--set", "interaction-service.VIEW_WINDOW=0", "--port-base", "0", "--data-dir"])
            .arg(home.path().join("data"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(home.path().join("stderr")).unwrap())
            .spawn()
            .unwrap();
        let output = BufReader::new(launcher.stdout.take().unwrap());
        let last = match () {
            () if arguments.contains(&"--web") => "web-client",
            () if arguments.contains(&"--gateway") => "gateway",
            () => SERVICES[4],
        };
        let mut platform = Platform { home, addresses: BTreeMap::new(), launcher };
        // The table is printed when everything is ready, and nothing else ever is.
        for line in output.lines().map_while(Result::ok) {
            if let [name, url, ..] = line.split_whitespace().collect::<Vec<_>>()[..] {
                platform.addresses.insert(name.to_owned(), url.to_owned());
                if name == last {
                    return platform;
                }
            }
        }
        panic!("the platform did not get ready:\n{}", platform.stderr());
    }

    /// Its API without a session.
    pub fn api(&self) -> Api {
        self.api_of(0)
    }

    /// The API of one replica of every service, without a session.
    pub fn api_of(&self, replica: u16) -> Api {
        Api::new(&self.url(replica, 0).parse().unwrap(), 1).unwrap()
    }

    pub fn port_base(&self) -> u16 {
        self.addresses[SERVICES[0]].rsplit(':').next().unwrap().parse().unwrap()
    }

    /// The address of a process, by the place of its service in the table.
    pub fn url(&self, replica: u16, service: u16) -> String {
        format!("http://127.0.0.1:{}", self.port_base() + 100 * replica + service)
    }

    pub fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// A value of `connections.env`.
    pub fn connection(&self, name: &str) -> String {
        let text = fs::read_to_string(self.data().join("connections.env")).unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix("='")?.strip_suffix('\''));
        value.unwrap().to_owned()
    }

    pub fn stderr(&self) -> String {
        fs::read_to_string(self.home.path().join("stderr")).unwrap_or_default()
    }

    /// Every process of it by name, the launcher aside.
    pub fn processes(&self) -> Vec<(String, i32)> {
        let text = fs::read_to_string(self.data().join("processes.json")).unwrap();
        let entries: Vec<Value> = serde_json::from_str(&text).unwrap();
        let entry = |entry: &Value| {
            let pid = entry["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok()).unwrap();
            (entry["name"].as_str().unwrap().to_owned(), pid)
        };
        entries.iter().map(entry).collect()
    }

    /// The process id of one of its processes.
    pub fn pid_of(&self, process: &str) -> Pid {
        let (_, pid) = self.processes().into_iter().find(|(name, _)| name == process).unwrap();
        Pid::from_raw(pid)
    }

    /// Sends a signal to one of its processes.
    pub fn signal_to(&self, process: &str, signal: Signal) {
        kill(self.pid_of(process), signal).unwrap();
    }

    /// Sends a signal to the launcher.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.launcher.id()).unwrap()), signal).unwrap();
    }

    /// Waits until the launcher has ended by itself.
    pub fn ended(&mut self) -> ExitStatus {
        self.launcher.wait().unwrap()
    }

    /// Stops it as Ctrl-C would, and checks that all of it is gone.
    pub fn stop(&mut self) {
        let processes = self.processes();
        self.signal(Signal::SIGINT);
        let status = self.ended();
        assert!(status.success(), "the launcher ended with {status}:\n{}", self.stderr());
        assert_eq!(alive(&processes), Vec::<String>::new(), "left running");
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        if let Ok(None) = self.launcher.try_wait() {
            self.signal(Signal::SIGTERM);
            self.ended();
        }
    }
}

/// Those of the processes that still run.
pub fn alive(processes: &[(String, i32)]) -> Vec<String> {
    let runs = |pid: i32| {
        let stat = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with('Z'))
    };
    processes.iter().filter(|(_, pid)| runs(*pid)).map(|(name, pid)| format!("{name} ({pid})")).collect()
}
