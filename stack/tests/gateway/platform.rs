//! A platform with the gateway before it, and requests through that.

use std::fs;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use nix::sys::signal::Signal;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::time::{Instant, interval};

use crate::platform::{PASSWORD, Platform};

pub const NOUNS: [&str; 5] = ["auth", "post", "interaction", "moderation", "engagement"];
/// How long an effect may take before it counts as lost.
const EFFECT_TIMEOUT: Duration = Duration::from_secs(20);

/// A platform behind its gateway.
pub struct GatewayPlatform {
    platform: Platform,
    pub http: Client,
}

/// A person who has signed in.
pub struct GatewayPerson {
    pub id: String,
    pub email: String,
    pub token: String,
}

impl Deref for GatewayPlatform {
    type Target = Platform;

    fn deref(&self) -> &Platform {
        &self.platform
    }
}

impl DerefMut for GatewayPlatform {
    fn deref_mut(&mut self) -> &mut Platform {
        &mut self.platform
    }
}

impl GatewayPlatform {
    /// Starts a platform with its gateway, and returns when both are ready.
    pub fn up(arguments: &[&str]) -> GatewayPlatform {
        let platform = Platform::up(&[&["--gateway", "--gateway-port", "0"][..], arguments].concat());
        rustls::crypto::ring::default_provider().install_default().unwrap_or_default();
        let http = Client::builder().timeout(Duration::from_secs(40)).redirect(Policy::none()).no_proxy();
        GatewayPlatform { platform, http: http.build().unwrap() }
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
    pub async fn join(&self, name: &str) -> GatewayPerson {
        let email = format!("{name}@example.org");
        let new = json!({ "email": email, "password": PASSWORD, "interests": ["BOOKS"] });
        let made = self.ask(Method::POST, "/api/v1/auth/signup", None).json(&new).send().await.unwrap();
        assert_eq!(made.status(), StatusCode::CREATED);
        let made: Value = made.json().await.unwrap();
        let token = self.sign_in(&email).await;
        GatewayPerson { id: made["id"].as_str().unwrap().to_owned(), email, token }
    }

    /// A new session; its token.
    pub async fn sign_in(&self, email: &str) -> String {
        let credentials = json!({ "email": email, "password": PASSWORD });
        let tokens = self.ask(Method::POST, "/api/v1/auth/signin", None).json(&credentials).send().await.unwrap();
        let tokens: Value = tokens.json().await.unwrap();
        tokens["access_token"].as_str().unwrap_or_else(|| panic!("{tokens}")).to_owned()
    }

    /// The line of a request in the access log. It is written when the answer has gone out.
    pub async fn logged(&self, request_id: &str) -> Value {
        let line = async || self.lines().into_iter().find(|line| line["request_id"] == request_id);
        eventually("the request is logged", line, Option::is_some).await.unwrap()
    }

    /// The access log.
    pub fn access_log(&self) -> String {
        fs::read_to_string(self.data().join("logs/gateway-access.log")).unwrap()
    }

    fn lines(&self) -> Vec<Value> {
        // The last line may be half written.
        self.access_log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
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

    /// Stops it as Ctrl-C would.
    pub fn stop(mut self) {
        self.platform.stop();
    }
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
        assert!(
            began.elapsed() < EFFECT_TIMEOUT,
            "{what}: not so after {EFFECT_TIMEOUT:?}; the last answer was {answer:?}"
        );
    }
}
