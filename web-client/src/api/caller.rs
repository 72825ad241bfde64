//! Calls of the API in the name of one browser.
use std::net::IpAddr;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use reqwest::{RequestBuilder, Response, Url, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::failures::{Failure, refused};

/// How long one answer of the API may take, its body included: a page that takes longer is given up by people, too.
const ANSWER: Duration = Duration::from_secs(10);
/// The longest answer that is read: 200 posts of the longest text are less.
const LONGEST: usize = 8 << 20;

/// Who calls, and from where.
#[derive(Clone)]
pub struct Caller {
    pub http: reqwest::Client,
    /// Where the API is.
    pub api: Url,
    pub token: Option<String>,
    pub address: IpAddr,
    /// As the browser describes itself; the list of sessions shows it.
    pub agent: String,
    /// `00-<trace>-<span>-01` of the request that this call is a part of.
    pub trace: String,
}

/// A page of a list, and where it goes on.
#[derive(Debug)]
pub struct Listed<T> {
    pub items: Vec<T>,
    /// The cursor of the next page, where there is one.
    pub next: Option<String>,
}

impl Caller {
    /// Reads one thing.
    pub async fn get<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, &str)]) -> Result<T, Failure> {
        let answer = self.answer(self.request(Method::GET, path)?.query(query)).await?;
        read(answer).await
    }

    /// Reads a page of a list.
    pub async fn list<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Listed<T>, Failure> {
        let answer = self.answer(self.request(Method::GET, path)?.query(query)).await?;
        let next = next_cursor(&answer);
        Ok(Listed { items: read(answer).await?, next })
    }

    /// Sends a body and reads the answer.
    pub async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        read(self.answer(self.request(method, path)?.json(body)).await?).await
    }

    /// Sends a body whose answer says nothing more than that it was done.
    pub async fn put(&self, method: Method, path: &[&str], body: &Value) -> Result<(), Failure> {
        self.answer(self.request(method, path)?.json(body)).await.map(drop)
    }

    /// As [`put`](Self::put), and the same key makes the same thing once: a double click is one post.
    pub async fn put_once(&self, path: &[&str], key: &str, body: &Value) -> Result<Value, Failure> {
        let mut request = self.request(Method::POST, path)?.json(body);
        if !key.is_empty() {
            request = request.header("idempotency-key", key);
        }
        read(self.answer(request).await?).await
    }

    /// Asks for a change without a body.
    pub async fn act(&self, method: Method, path: &[&str], query: &[(&str, &str)]) -> Result<(), Failure> {
        self.answer(self.request(method, path)?.query(query)).await.map(drop)
    }

    /// A request below `/api/v1`, its path's parts encoded.
    pub fn request(&self, method: Method, path: &[&str]) -> Result<RequestBuilder, Failure> {
        let mut url = self.api.clone();
        if path.iter().any(|part| matches!(*part, "" | "." | "..")) {
            return Err(Failure::MISSING);
        }
        let Ok(mut parts) = url.path_segments_mut() else { return Err(Failure::MISSING) };
        parts.pop_if_empty().extend(["api", "v1"]).extend(path);
        drop(parts);
        Ok(self.headed(self.http.request(method, url).timeout(ANSWER)))
    }

    fn headed(&self, request: RequestBuilder) -> RequestBuilder {
        let request = request
            .header("x-forwarded-for", self.address.to_string())
            .header("traceparent", &self.trace)
            .header(header::USER_AGENT, &self.agent);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// The answer, where it is a good one.
    pub async fn answer(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let answer = request.send().await.map_err(away)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        if status == StatusCode::UNAUTHORIZED && self.token.is_some() {
            return Err(Failure::SignedOut);
        }
        Err(refused(status, &body(answer).await?))
    }
}

/// The cursor that the header `Link` names for the next page.
fn next_cursor(answer: &Response) -> Option<String> {
    let links = answer.headers().get_all(header::LINK).into_iter().filter_map(|link| link.to_str().ok());
    let next = links.flat_map(|line| line.split(',')).find(|link| link.contains("rel=\"next\""))?;
    let target = next.split_once('<')?.1.split_once('>')?.0;
    let base = Url::parse("http://here").ok()?;
    let url = base.join(target).ok()?;
    url.query_pairs().find(|(name, _)| name == "cursor").map(|(_, value)| value.into_owned())
}

pub(super) async fn read<T: DeserializeOwned>(answer: Response) -> Result<T, Failure> {
    let body = body(answer).await?;
    // Nothing is what some changes are answered with.
    let body = if body.is_empty() { b"null".as_slice() } else { &body };
    serde_json::from_slice(body).map_err(|error| Failure::Away(format!("an answer that cannot be read: {error}")))
}

/// That an answer did not come. The address is left out: its query may hold a secret, as that of a new password does, and this is logged.
pub(super) fn away(error: reqwest::Error) -> Failure {
    Failure::Away(error.without_url().to_string())
}

/// The body, up to a bound.
async fn body(mut answer: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(away)? {
        if body.len() + part.len() > LONGEST {
            return Err(Failure::Away(format!("an answer of more than {LONGEST} bytes")));
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}
