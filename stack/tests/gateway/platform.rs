//! A platform of a test's own with the gateway before it, and nothing left of it afterwards, pass or fail.

use std::{
    collections::BTreeMap,
    fs::{self, File, Permissions},
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{Instant, interval};

pub const NOUNS: [&str; 5] = ["auth", "post", "interaction", "moderation", "engagement"];
const PASSWORD: &str = "a long walk by the sea";
/// How long an effect may take before it counts as lost.
const EFFECT: Duration = Duration::from_secs(20);

/// The launcher, with a data folder of its own.
pub struct Platform {
    home: TempDir,
    /// The address of each process, by name.
    addresses: BTreeMap<String, String>,
    launcher: Child,
    pub http: Client,
}

/// Somebody who has signed in.
pub struct Person {
    pub id: String,
    pub email: String,
    pub token: String,
}

impl Platform {
    /// Starts a platform with its gateway, and returns when both are ready.
    pub fn up(arguments: &[&str]) -> Platform {
        // Postgres runs as another user, who has to pass through.
        let passable = Permissions::from_mode(0o711);
        let home = tempfile::Builder::new().prefix("gateway-").permissions(passable).tempdir().unwrap();
        let mut launcher = Command::new(env!("CARGO_BIN_EXE_stack"))
            .args(["up", "--prebuilt", "--port-base", "0", "--gateway", "--gateway-port", "0", "--data-dir"])
            .arg(home.path().join("data"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(home.path().join("stderr")).unwrap())
            .spawn()
            .unwrap();
        let output = BufReader::new(launcher.stdout.take().unwrap());
        rustls::crypto::ring::default_provider().install_default().unwrap_or_default();
        let redirects = reqwest::redirect::Policy::none();
        let http = Client::builder().timeout(Duration::from_secs(40)).redirect(redirects).no_proxy().build().unwrap();
        let mut platform = Platform { home, addresses: BTreeMap::new(), launcher, http };
        for line in output.lines().map_while(Result::ok) {
            if let [name, url, ..] = line.split_whitespace().collect::<Vec<_>>()[..] {
                platform.addresses.insert(name.to_owned(), url.to_owned());
                if name == "gateway" {
                    return platform;
                }
            }
        }
        panic!("the platform did not get ready:\n{}", platform.stderr());
    }

    /// The address of the gateway.
    pub fn gateway(&self) -> &str {
        &self.addresses["gateway"]
    }

    /// The gateway's host and port.
    pub fn authority(&self) -> &str {
        self.gateway().trim_start_matches("http://")
    }

    /// The address of a service itself.
    pub fn service(&self, noun: &str) -> &str {
        &self.addresses[&format!("{noun}-service")]
    }

    /// A request to the gateway, with a token where one is given.
    pub fn ask(&self, method: Method, path: &str, token: Option<&str>) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.gateway()));
        if let Some(token) = token { request.bearer_auth(token) } else { request }
    }

    /// Signs a person up and in, through the gateway.
    pub async fn join(&self, name: &str) -> Person {
        let email = format!("{name}@example.org");
        let new = json!({ "email": email, "password": PASSWORD, "interests": ["BOOKS"] });
        let made = self.ask(Method::POST, "/api/v1/auth/signup", None).json(&new).send().await.unwrap();
        assert_eq!(made.status(), StatusCode::CREATED);
        let made: Value = made.json().await.unwrap();
        let token = self.sign_in(&email).await;
        Person { id: made["id"].as_str().unwrap().to_owned(), email, token }
    }

    /// A new session; its token.
    pub async fn sign_in(&self, email: &str) -> String {
        let credentials = json!({ "email": email, "password": PASSWORD });
        let tokens = self.ask(Method::POST, "/api/v1/auth/signin", None).json(&credentials).send().await.unwrap();
        let tokens: Value = tokens.json().await.unwrap();
        tokens["access_token"].as_str().unwrap_or_else(|| panic!("{tokens}")).to_owned()
    }

    /// What the access log has of a request. The line is written when the answer has gone out.
    pub async fn logged(&self, request_id: &str) -> Value {
        let line = async || self.lines().into_iter().find(|line| line["request_id"] == request_id);
        eventually("the request is logged", line, Option::is_some).await.unwrap()
    }

    /// The access log.
    pub fn access_log(&self) -> String {
        fs::read_to_string(self.home.path().join("data/logs/gateway-access.log")).unwrap()
    }

    fn lines(&self) -> Vec<Value> {
        // The last line may be half written.
        self.access_log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    pub fn stderr(&self) -> String {
        fs::read_to_string(self.home.path().join("stderr")).unwrap_or_default()
    }

    /// A value of `connections.env`.
    pub fn connection(&self, name: &str) -> String {
        let text = fs::read_to_string(self.home.path().join("data/connections.env")).unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix("='")?.strip_suffix('\''));
        value.unwrap().to_owned()
    }

    /// Sends a signal to one of its processes.
    pub fn signal_to(&self, process: &str, signal: Signal) {
        kill(self.pid_of(process), signal).unwrap();
    }

    /// Stops one of its processes with SIGSTOP, and returns when the last of its threads stands still.
    pub async fn pause(&self, process: &str) {
        self.signal_to(process, Signal::SIGSTOP);
        let threads = format!("/proc/{}/task", self.pid_of(process));
        let states = async || -> Vec<String> {
            let files =
                fs::read_dir(&threads).unwrap().map(|thread| fs::read_to_string(thread.unwrap().path().join("stat")));
            let state = |stat: String| stat.rsplit_once(") ").unwrap().1[..1].to_owned();
            files.map(|stat| state(stat.unwrap())).collect()
        };
        eventually("it stands still", states, |states| states.iter().all(|state| state == "T")).await;
    }

    fn pid_of(&self, process: &str) -> Pid {
        let text = fs::read_to_string(self.home.path().join("data/processes.json")).unwrap();
        let entries: Vec<Value> = serde_json::from_str(&text).unwrap();
        let entry = entries.iter().find(|entry| entry["name"] == process).unwrap();
        Pid::from_raw(i32::try_from(entry["pid"].as_i64().unwrap()).unwrap())
    }

    /// Waits until the launcher has ended by itself; what it said.
    pub fn ended(&mut self) -> (Option<i32>, String) {
        let status = self.launcher.wait().unwrap();
        (status.code(), self.stderr())
    }

    /// Stops it as Ctrl-C would.
    pub fn stop(mut self) {
        kill(self.pid(), Signal::SIGINT).unwrap();
        let (code, said) = self.ended();
        assert_eq!(code, Some(0), "{said}");
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.launcher.id()).unwrap())
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        if let Ok(None) = self.launcher.try_wait() {
            kill(self.pid(), Signal::SIGTERM).unwrap();
            self.launcher.wait().unwrap();
        }
    }
}

/// A run of the launcher that ends by itself.
pub fn stack(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stack")).args(arguments).output().unwrap()
}

/// Asks until the answer is the wanted one; at the deadline it shows the last one.
pub async fn eventually<T: std::fmt::Debug>(what: &str, ask: impl AsyncFn() -> T, wanted: impl Fn(&T) -> bool) -> T {
    let began = Instant::now();
    let mut turns = interval(Duration::from_millis(20));
    loop {
        turns.tick().await;
        let answer = ask().await;
        if wanted(&answer) {
            return answer;
        }
        assert!(began.elapsed() < EFFECT, "{what}: not so after {EFFECT:?}; the last answer was {answer:?}");
    }
}
