//! What all simulated users share: requests to some replica of a service, and the promises so far.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use rand::RngExt;
use rand::rngs::StdRng;
use reqwest::{Client, Method, StatusCode, header};
use serde_json::Value;
use tokio::time::Instant;

use crate::client;
use crate::platform::replicas::Replica;
use crate::proof::chaos::promises::{Outcome, Promises};
use crate::system::{POST, Service};
use crate::traffic::pictures;

/// How long a user waits for an answer before its outcome is unknown.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(4);

/// What all users of a run share.
pub struct Workload {
    http: Client,
    port_base: u16,
    replicas: Vec<Replica>,
    promises: Mutex<Promises>,
    /// When the users stop.
    pub until: Instant,
}

/// A request, to be sent to a service.
pub struct UserRequest<'a> {
    /// Its kind, in the report.
    pub what: &'static str,
    pub service: &'static Service,
    pub method: Method,
    pub path: String,
    /// Who sends it: their id and their access token.
    pub caller: Option<(&'a str, &'a str)>,
    pub body: Option<Value>,
}

impl Workload {
    pub fn new(replicas: &[Replica], port_base: u16, until: Instant) -> Result<Workload> {
        let promises = Mutex::new(Promises::default());
        Ok(Workload { http: client::http(ANSWER_TIMEOUT)?, port_base, replicas: replicas.to_vec(), promises, until })
    }

    /// The promises; never locked across an await.
    pub fn promises(&self) -> MutexGuard<'_, Promises> {
        self.promises.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request to one of the replicas, as a balancer would, and returns how it ended.
    pub async fn ask(&self, dice: &mut StdRng, request: UserRequest<'_>) -> Outcome {
        self.ask_under(None, dice, request).await
    }

    /// Sends a request under an `Idempotency-Key`, where one is given: sent again under it, it is carried out once.
    pub async fn ask_under(&self, key: Option<&str>, dice: &mut StdRng, request: UserRequest<'_>) -> Outcome {
        self.send(("Idempotency-Key", key), dice, request).await.0
    }

    /// Sends a request as a browser does, with its cookie where it has one; how it ended, and the cookie that came with the answer.
    pub async fn browse(
        &self,
        cookie: Option<&str>,
        dice: &mut StdRng,
        request: UserRequest<'_>,
    ) -> (Outcome, Option<String>) {
        self.send(("Cookie", cookie), dice, request).await
    }

    /// Sends a request with one more header, where it has a value.
    async fn send(
        &self,
        (name, value): (&str, Option<&str>),
        dice: &mut StdRng,
        request: UserRequest<'_>,
    ) -> (Outcome, Option<String>) {
        let UserRequest { what, service, method, path, caller, body } = request;
        let mut call = self.http.request(method, self.url(dice, service, &path));
        if let Some(value) = value {
            call = call.header(name, value);
        }
        if let Some((_, token)) = caller {
            call = call.bearer_auth(token);
        }
        if let Some(body) = &body {
            call = call.json(body);
        }
        self.finish(what, (caller.map(|(person, _)| person), path.as_str()), call).await
    }

    /// Uploads a picture of a user to one of the replicas.
    pub async fn upload(&self, dice: &mut StdRng, (person, token): (&str, &str)) -> Outcome {
        let call = self.http.post(self.url(dice, &POST, "/media")).bearer_auth(token);
        let picture = pictures::picture(dice.random());
        let call = client::with_picture(call, "POST", "A gradient", &picture);
        self.finish("upload", (Some(person), "/media"), call).await.0
    }

    /// The address of a path at one of the replicas.
    fn url(&self, dice: &mut StdRng, service: &'static Service, path: &str) -> String {
        let replicas: Vec<&Replica> = self.replicas.iter().filter(|replica| replica.service == service).collect();
        format!("{}/api/v1{path}", replicas[dice.random_range(0..replicas.len())].url(self.port_base))
    }

    /// Sends a request of a kind by a user to a path, and returns how it ended, with the cookie of the answer.
    async fn finish(
        &self,
        what: &'static str,
        by_and_path: (Option<&str>, &str),
        call: reqwest::RequestBuilder,
    ) -> (Outcome, Option<String>) {
        let answered = answer(call).await.ok();
        let outcome = match &answered {
            Some((status, _, _)) if status.is_client_error() => Outcome::Refused(status.as_u16()),
            Some((status, body, _)) if status.is_success() => Outcome::Ok(body.clone()),
            _ => Outcome::Unknown,
        };
        let status = answered.as_ref().map(|(status, _, _)| status.as_u16());
        self.promises().count(what, by_and_path, &outcome, status);
        (outcome, answered.and_then(|(_, _, cookie)| cookie))
    }
}

/// The whole answer, with its cookie where it has one; an error when it, or its end, did not come.
async fn answer(call: reqwest::RequestBuilder) -> Result<(StatusCode, Value, Option<String>)> {
    let answer = call.send().await?;
    let status = answer.status();
    let cookie = answer.headers().get(header::SET_COOKIE).and_then(|cookie| cookie.to_str().ok());
    // Without its attributes.
    let cookie = cookie.and_then(|cookie| cookie.split(';').next()).map(str::to_owned);
    let text = answer.text().await?;
    // No content reads as null.
    let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? };
    Ok((status, body, cookie))
}
