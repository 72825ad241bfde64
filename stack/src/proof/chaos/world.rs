//! The platform as its users have it: a request to some replica of a service, and what was promised so far.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Result;
use rand::{RngExt, rngs::StdRng};
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;
use tokio::time::Instant;

use crate::client;
use crate::proof::chaos::platform::Replica;
use crate::proof::chaos::record::{Outcome, Record};
use crate::system::Service;

/// How long somebody waits for an answer before it is unknown.
const PATIENCE: Duration = Duration::from_secs(4);

/// What all people of a run share.
pub struct World {
    http: Client,
    replicas: Vec<Replica>,
    record: Mutex<Record>,
    /// When people stop to act.
    pub until: Instant,
}

/// A request, to be sent to a service.
pub struct Request<'a> {
    /// What it is, in the protocol.
    pub what: &'static str,
    pub service: &'static Service,
    pub method: Method,
    pub path: String,
    pub token: &'a str,
    pub body: Option<Value>,
}

impl World {
    pub fn new(replicas: &[Replica], until: Instant) -> Result<World> {
        let record = Mutex::new(Record::default());
        Ok(World { http: client::http(PATIENCE)?, replicas: replicas.to_vec(), record, until })
    }

    /// The promises; never held while anybody waits.
    pub fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request to one of the replicas, as a balancer would, and says how it ended.
    pub async fn ask(&self, dice: &mut StdRng, request: Request<'_>) -> Outcome {
        let Request { what, service, method, path, token, body } = request;
        let replicas: Vec<&Replica> = self.replicas.iter().filter(|replica| replica.service == service).collect();
        let url = format!("{}/api/v1{path}", replicas[dice.random_range(0..replicas.len())].url);
        let mut call = self.http.request(method, url);
        if !token.is_empty() {
            call = call.bearer_auth(token);
        }
        if let Some(body) = &body {
            call = call.json(body);
        }
        let answered = answer(call).await.ok();
        let outcome = match &answered {
            Some((status, _)) if status.is_client_error() => Outcome::Refused(status.as_u16()),
            Some((status, body)) if status.is_success() => Outcome::Ok(body.clone()),
            _ => Outcome::Unknown,
        };
        self.record().count(what, &outcome, answered.map(|(status, _)| status.as_u16()));
        outcome
    }
}

/// The whole answer; an error when it, or its end, did not come.
async fn answer(call: reqwest::RequestBuilder) -> Result<(StatusCode, Value)> {
    let answer = call.send().await?;
    let status = answer.status();
    let text = answer.text().await?;
    // No content reads as null.
    let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? };
    Ok((status, body))
}
