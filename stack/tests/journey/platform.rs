//! A platform of a test's own: free ports, an empty data folder, and nothing left of it afterwards, pass or fail.

use std::{
    fs::{self, File, Permissions},
    io::{BufRead, BufReader},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU16, Ordering},
    },
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::client::Api;

/// The launcher, with a data folder of its own.
pub struct Platform {
    pub home: TempDir,
    pub port_base: u16,
    launcher: Child,
}

/// An empty folder that the user Postgres runs as may pass through.
pub fn home() -> TempDir {
    tempfile::Builder::new().prefix("journey-").permissions(Permissions::from_mode(0o711)).tempdir().unwrap()
}

/// Five ports in a row that nobody uses, and that no other test was given.
pub fn port_base() -> u16 {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    // Below the ports that the system gives to outgoing connections.
    let first = 21_000 + u16::try_from(std::process::id() % 1000).unwrap() * 10;
    let mut bases = (0..).map(|_| first + GIVEN.fetch_add(10, Ordering::Relaxed)).take_while(|base| *base < 32_000);
    bases.find(|base| (*base..base + 5).all(is_free)).expect("five free ports in a row")
}

/// A run of the launcher that ends by itself.
pub fn stack(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stack")).args(arguments).output().unwrap()
}

/// What a run said on stderr.
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

impl Platform {
    /// Starts a platform and returns when it is ready.
    pub fn up(arguments: &[&str]) -> Platform {
        Platform::up_in(home(), arguments)
    }

    /// The same, in a folder that an earlier one may have used.
    pub fn up_in(home: TempDir, arguments: &[&str]) -> Platform {
        // Launchers that look for free ports at the same moment find the same ones.
        static STARTING: Mutex<()> = Mutex::new(());
        let _one_at_a_time = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        let port_base = port_base();
        let errors = home.path().join("stderr");
        let mut launcher = Command::new(env!("CARGO_BIN_EXE_stack"))
            .args(["up", "--prebuilt", "--port-base", &port_base.to_string(), "--data-dir"])
            .arg(home.path().join("data"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&errors).unwrap())
            .spawn()
            .unwrap();
        let output = BufReader::new(launcher.stdout.take().unwrap());
        let platform = Platform { home, port_base, launcher };
        // The table is printed when everything is ready, and nothing else ever is.
        let mut lines = output.lines().map_while(Result::ok);
        let ready = lines.any(|line| line.starts_with("engagement-service"));
        assert!(ready, "the platform did not get ready:\n{}", platform.stderr());
        platform
    }

    /// Nobody's view of it.
    pub fn api(&self) -> Api {
        Api::new(&format!("http://127.0.0.1:{}", self.port_base).parse().unwrap()).unwrap()
    }

    pub fn data(&self) -> std::path::PathBuf {
        self.home.path().join("data")
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
