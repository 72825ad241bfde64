//! The platform's public API as a program uses it: a typed call for everything that a person does.
//!
//! Every call says what it expected when the answer is another one. Effects in other services follow from events, so
//! they are waited for with `eventually`, which asks again until a deadline.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use reqwest::{Client, Method, Response, StatusCode, Url};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use tokio::{
    sync::Mutex,
    time::{Instant, interval},
};

/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(15);
/// How long an effect in another service may take before it counts as lost.
const EFFECT: Duration = Duration::from_secs(20);
/// How often an effect is asked for: often enough to measure milliseconds.
const ASK_EVERY: Duration = Duration::from_millis(5);

/// How many answers in a row must be the wanted ones: a count that is passed on the way to another is not the end.
const STAYS: u32 = 10;

/// Whom a call is for: how many steps above the first its service listens.
#[derive(Debug, Clone, Copy)]
pub enum To {
    Auth = 0,
    Post = 1,
    Interaction = 2,
    Engagement = 4,
}

/// The platform, as nobody or as somebody.
#[derive(Debug, Clone)]
pub struct Api {
    http: Client,
    base: Url,
    /// How many ports lie between two neighbours.
    step: u16,
    session: Option<Arc<Mutex<Session>>>,
}

/// What a sign-in and each refresh of it answer.
#[derive(Debug, Deserialize)]
struct Tokens {
    access_token: String,
    refresh_token: String,
    /// In seconds.
    expires_in: u64,
}

/// The tokens of somebody who has signed in, shared by all who act for them: a refresh token is good once.
#[derive(Debug)]
struct Session {
    tokens: Tokens,
    /// When to refresh them: long enough before the access token ends for a request that is on its way then.
    due: Instant,
}

impl Session {
    fn new(tokens: Tokens) -> Session {
        let due = Instant::now() + Duration::from_secs(tokens.expires_in / 2);
        Session { tokens, due }
    }
}

/// A person who has signed in.
#[derive(Debug, Clone)]
pub struct Person {
    pub api: Api,
    pub id: String,
    pub email: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Post {
    pub id: String,
    pub title: Option<String>,
    pub status: String,
    pub total_views: i64,
    pub total_comments: i64,
    pub total_reactions: i64,
    pub score: f64,
    pub popularity: f64,
}

/// What the engagement service knows of a person's own activity.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Profile {
    pub user_id: String,
    pub total_owned_posts: i64,
    pub total_post_views: i64,
    pub total_post_reactions: i64,
    pub total_post_comments: i64,
    pub engagement_score: f64,
    pub status: String,
    pub summary: Map<String, Value>,
}

/// Anything else that has an id: a user, a comment, a reaction.
#[derive(Debug, Clone, Deserialize)]
pub struct Made {
    pub id: String,
}

/// A client that goes straight to this machine's ports and waits so long for an answer.
pub fn http(patience: Duration) -> Result<Client> {
    // reqwest asks which TLS to use; an error says that somebody has answered already.
    rustls::crypto::ring::default_provider().install_default().unwrap_or_default();
    Client::builder().timeout(patience).no_proxy().build().context("HTTP cannot be spoken")
}

/// Where the service is that listens so many ports above the first.
pub fn address(base: &Url, offset: u16) -> Result<Url> {
    let mut url = base.clone();
    let port = url.port_or_known_default().and_then(|port| port.checked_add(offset));
    // Without a port the URL would be that of the scheme's usual one.
    let set = port.and_then(|port| url.set_port(Some(port)).ok());
    set.with_context(|| format!("{base} is no address of a service"))?;
    Ok(url)
}

impl Api {
    /// The platform whose auth service is at `base`, and whose other services are `step` ports apart: 1, or 0 where a
    /// gateway has all of them on one origin.
    pub fn new(base: &Url, step: u16) -> Result<Api> {
        Ok(Api { http: http(ANSWER)?, base: base.clone(), step, session: None })
    }

    /// Sends a request; any status is an answer.
    pub async fn send(&self, method: Method, to: To, path: &str, body: Option<&Value>) -> Result<(StatusCode, Value)> {
        let answer = self.request(method, to, path, body).await?;
        let (status, url) = (answer.status(), answer.url().clone());
        let text = answer.text().await.with_context(|| format!("the answer of {url} breaks off"))?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok((status, body))
    }

    /// Sends a request; the answer as it comes, whatever it says.
    pub async fn request(&self, method: Method, to: To, path: &str, body: Option<&Value>) -> Result<Response> {
        let service = address(&self.base, self.step * to as u16)?;
        let url = service.join(&format!("/api/v1{path}")).context("the path makes no address")?;
        let mut request = self.http.request(method.clone(), url.clone());
        if let Some(token) = Box::pin(self.access_token()).await? {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().await.with_context(|| format!("{method} {url} is not answered"))
    }

    /// Sends a request and takes what a success answers; any other status is an error that shows the answer.
    pub async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        to: To,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T> {
        let (status, answer) = self.send(method.clone(), to, path, body).await?;
        if !status.is_success() {
            bail!("{method} {path} was answered with {status}: {answer}");
        }
        // No content reads as null.
        let answer = if status == StatusCode::NO_CONTENT { Value::Null } else { answer };
        let shown = answer.to_string();
        serde_json::from_value(answer)
            .with_context(|| format!("the answer to {method} {path} is not as agreed: {shown}"))
    }

    /// The access token, refreshed when it is time.
    pub async fn access_token(&self) -> Result<Option<String>> {
        let Some(session) = &self.session else { return Ok(None) };
        let mut session = session.lock().await;
        if Instant::now() >= session.due {
            let nobody = Api { session: None, ..self.clone() };
            let body = json!({ "refresh_token": session.tokens.refresh_token });
            *session = Session::new(nobody.ask(Method::POST, To::Auth, "/auth/refresh", Some(&body)).await?);
        }
        Ok(Some(session.tokens.access_token.clone()))
    }

    /// Signs a person up and in.
    pub async fn join(&self, email: &str, password: &str, name: (&str, &str), interests: &[&str]) -> Result<Person> {
        let user = json!({
            "email": email, "password": password, "first_name": name.0, "last_name": name.1, "interests": interests,
        });
        let made: Made = self.ask(Method::POST, To::Auth, "/auth/signup", Some(&user)).await?;
        let person = self.sign_in(email, password).await?;
        if person.id != made.id {
            bail!("{email} signed up as {} and signed in as {}", made.id, person.id);
        }
        Ok(person)
    }

    /// Signs a person in, and finds out who that is.
    pub async fn sign_in(&self, email: &str, password: &str) -> Result<Person> {
        let credentials = json!({ "email": email, "password": password });
        let tokens: Tokens = self.ask(Method::POST, To::Auth, "/auth/signin", Some(&credentials)).await?;
        let api = Api { session: Some(Arc::new(Mutex::new(Session::new(tokens)))), ..self.clone() };
        let me: Made = api.ask(Method::GET, To::Auth, "/users/me", None).await?;
        Ok(Person { api, id: me.id, email: email.to_owned() })
    }
}

impl Person {
    /// Connects to somebody: one direction only.
    pub async fn connect(&self, other: &str) -> Result<Made> {
        self.api.ask(Method::POST, To::Auth, &format!("/users/{other}/connect"), None).await
    }

    pub async fn write_post(&self, title: &str, content: &str, types: &[&str], status: &str) -> Result<Post> {
        let post = json!({ "title": title, "content": content, "types": types, "status": status });
        self.api.ask(Method::POST, To::Post, "/posts", Some(&post)).await
    }

    pub async fn change_post(&self, post: &str, content: &str, types: &[&str], status: &str) -> Result<Post> {
        let change = json!({ "content": content, "types": types, "status": status });
        self.api.ask(Method::PUT, To::Post, &format!("/posts/{post}"), Some(&change)).await
    }

    pub async fn post(&self, post: &str) -> Result<Post> {
        self.api.ask(Method::GET, To::Post, &format!("/posts/{post}"), None).await
    }

    pub async fn comment(&self, post: &str, content: &str) -> Result<Made> {
        let comment = json!({ "content": content });
        self.api.ask(Method::POST, To::Interaction, &format!("/{post}/comments"), Some(&comment)).await
    }

    pub async fn comments(&self, post: &str) -> Result<Vec<Made>> {
        self.api.ask(Method::GET, To::Interaction, &format!("/{post}/comments"), None).await
    }

    pub async fn react(&self, post: &str, kind: &str) -> Result<Made> {
        let reaction = json!({ "type": kind });
        self.api.ask(Method::POST, To::Interaction, &format!("/{post}/post-reactions"), Some(&reaction)).await
    }

    /// Looks at a post; every look counts.
    pub async fn view(&self, post: &str) -> Result<Post> {
        self.api.ask(Method::GET, To::Interaction, &format!("/{post}/view"), None).await
    }

    /// Their own activity; none as long as the engagement service has not heard of them.
    pub async fn profile(&self) -> Result<Option<Profile>> {
        let (status, answer) = self.api.send(Method::GET, To::Engagement, "/me/activity-profile", None).await?;
        match status {
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::OK => Ok(Some(serde_json::from_value(answer).context("a profile is not as agreed")?)),
            _ => bail!("GET /me/activity-profile was answered with {status}: {answer}"),
        }
    }
}

/// Asks until the answer is the wanted one and stays so, and says after how long it first was; at the deadline it shows
/// the last answer.
pub async fn eventually<T: std::fmt::Debug>(
    what: &str,
    ask: impl AsyncFn() -> Result<T>,
    wanted: impl Fn(&T) -> bool,
) -> Result<(T, Duration)> {
    let began = Instant::now();
    let mut turns = interval(ASK_EVERY);
    let mut since = (0, began);
    loop {
        turns.tick().await;
        let answer = ask().await?;
        since = match since {
            _ if !wanted(&answer) => (0, began),
            (0, _) => (1, Instant::now()),
            (times, first) => (times + 1, first),
        };
        let (times, first) = since;
        if times == STAYS {
            return Ok((answer, first - began));
        }
        if began.elapsed() > EFFECT {
            bail!("{what}: not so after {} s; the last answer was {answer:?}", EFFECT.as_secs());
        }
    }
}
