//! The platform's public API as a program uses it: a typed call for everything that a person does.
//!
//! Every call fails with the answer when that is not the expected one. Effects in other services follow from events, so
//! they are waited for with `eventually`, which asks again until a deadline.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::{Client, Method, RequestBuilder, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;
use tokio::time::{Instant, interval};

/// How long one answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
/// How long an effect in another service may take before it counts as lost.
const EFFECT_TIMEOUT: Duration = Duration::from_secs(20);
/// How often an effect is asked for: often enough to measure milliseconds.
const ASK_EVERY: Duration = Duration::from_millis(5);

/// How many answers in a row must be the wanted ones: a count may be passed on the way to another.
const REPETITIONS: u32 = 10;

/// The boundary of the parts of a form.
const EDGE: &str = "edge-of-a-part-5f8b1c";

/// The service that a call is for: how many steps above the first it listens.
#[derive(Debug, Clone, Copy)]
pub enum To {
    Auth = 0,
    Post = 1,
    Interaction = 2,
    Moderation = 3,
    Engagement = 4,
}

/// The platform, with or without a session.
#[derive(Debug, Clone)]
pub struct Api {
    http: Client,
    base: Url,
    /// How many ports lie between two neighbours.
    step: u16,
    session: Option<Arc<Mutex<Session>>>,
}

/// The answer to a sign-in and to each refresh of it.
#[derive(Debug, Deserialize)]
struct Tokens {
    access_token: String,
    refresh_token: String,
    /// In seconds.
    expires_in: u64,
}

/// The tokens of a person who has signed in, shared by all clones: a refresh token is good once.
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

/// A person's own activity, as the engagement service counts it.
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

/// A post in a feed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct FeedItem {
    pub id: String,
    pub author: PersonCard,
    pub total_views: i64,
    pub total_comments: i64,
    pub total_reactions: i64,
    pub my_reaction: Option<String>,
}

/// A person beside what they wrote or did.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct PersonCard {
    pub id: String,
    pub first_name: Option<String>,
}

/// A notification.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Notification {
    pub r#type: String,
    pub actors: Vec<PersonCard>,
    pub text: String,
}

/// Anything else that has an id: a user, a comment, a reaction.
#[derive(Debug, Clone, Deserialize)]
pub struct Created {
    pub id: String,
}

/// A client without a proxy, and with a limit for each answer.
pub fn http(limit: Duration) -> Result<Client> {
    // reqwest needs to be given a TLS provider; an error means that there is one already.
    rustls::crypto::ring::default_provider().install_default().unwrap_or_default();
    Client::builder().timeout(limit).no_proxy().build().context("the HTTP client cannot be made")
}

/// The address of the service that listens this number of ports above the first.
pub fn address(base: &Url, offset: u16) -> Result<Url> {
    let mut url = base.clone();
    let port = url.port_or_known_default().and_then(|port| port.checked_add(offset));
    // Without a port the URL would be that of the scheme's usual one.
    let set = port.and_then(|port| url.set_port(Some(port)).ok());
    set.with_context(|| format!("{base} is no address of a service"))?;
    Ok(url)
}

/// The request with a form that holds a picture.
pub fn with_picture(request: RequestBuilder, purpose: &str, alt: &str, file: &[u8]) -> RequestBuilder {
    let part = |name: &str| format!("--{EDGE}\r\nContent-Disposition: form-data; name=\"{name}\"");
    let texts = format!("{}\r\n\r\n{purpose}\r\n{}\r\n\r\n{alt}\r\n", part("purpose"), part("alt"));
    let head = format!("{}; filename=\"picture\"\r\n\r\n", part("file"));
    let end = format!("\r\n--{EDGE}--\r\n");
    let form = [texts.as_bytes(), head.as_bytes(), file, end.as_bytes()].concat();
    request.header("Content-Type", format!("multipart/form-data; boundary={EDGE}")).body(form)
}

impl Api {
    /// The platform whose auth service is at `base`, and whose other services are `step` ports apart: 1, or 0 where a
    /// gateway has all of them on one origin.
    pub fn new(base: &Url, step: u16) -> Result<Api> {
        Ok(Api { http: http(ANSWER_TIMEOUT)?, base: base.clone(), step, session: None })
    }

    /// Sends a request; any status is an answer.
    pub async fn send(&self, method: Method, to: To, path: &str, body: Option<&Value>) -> Result<(StatusCode, Value)> {
        let service = address(&self.base, self.step * to as u16)?;
        let url = service.join(&format!("/api/v1{path}")).context("the path makes no address")?;
        let mut request = self.http.request(method.clone(), url.clone());
        if let Some(token) = Box::pin(self.access_token()).await? {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.with_context(|| format!("{method} {url} is not answered"))?;
        let status = answer.status();
        let text = answer.text().await.with_context(|| format!("the answer of {url} breaks off"))?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    /// Uploads a picture for a purpose; its id.
    pub async fn upload(&self, purpose: &str, alt: &str, file: &[u8]) -> Result<String> {
        let url = address(&self.base, self.step * To::Post as u16)?.join("/api/v1/media").context("no address")?;
        let mut request = with_picture(self.http.post(url), purpose, alt, file);
        if let Some(token) = Box::pin(self.access_token()).await? {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.context("an upload is not answered")?;
        let (status, answer) = (answer.status(), answer.text().await.context("the answer of an upload breaks off")?);
        if status != StatusCode::ACCEPTED {
            bail!("an upload was answered with {status}: {answer}");
        }
        Ok(serde_json::from_str::<Created>(&answer).context("an uploaded picture has no id")?.id)
    }

    /// A file by its address, without a token, as a browser gets it; its status and its length.
    pub async fn file(&self, url: &str) -> Result<(StatusCode, usize)> {
        let answer = self.http.get(url).send().await.with_context(|| format!("{url} is not answered"))?;
        let status = answer.status();
        Ok((status, answer.bytes().await.with_context(|| format!("the answer of {url} breaks off"))?.len()))
    }

    /// Sends a request and parses the answer of a success; any other status is an error that shows the answer.
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
            .with_context(|| format!("the answer to {method} {path} is not as expected: {shown}"))
    }

    /// The access token, refreshed when it is time.
    pub async fn access_token(&self) -> Result<Option<String>> {
        let Some(session) = &self.session else { return Ok(None) };
        let mut session = session.lock().await;
        if Instant::now() >= session.due {
            let without_session = Api { session: None, ..self.clone() };
            let body = json!({ "refresh_token": session.tokens.refresh_token });
            *session = Session::new(without_session.ask(Method::POST, To::Auth, "/auth/refresh", Some(&body)).await?);
        }
        Ok(Some(session.tokens.access_token.clone()))
    }

    /// Signs a person up and in.
    pub async fn join(&self, email: &str, password: &str, name: (&str, &str), interests: &[&str]) -> Result<Person> {
        let user = json!({
            "email": email, "password": password, "first_name": name.0, "last_name": name.1, "interests": interests,
        });
        let made: Created = self.ask(Method::POST, To::Auth, "/auth/signup", Some(&user)).await?;
        let person = self.sign_in(email, password).await?;
        if person.id != made.id {
            bail!("{email} signed up as {} and signed in as {}", made.id, person.id);
        }
        Ok(person)
    }

    /// Signs a person in, and asks for their id.
    pub async fn sign_in(&self, email: &str, password: &str) -> Result<Person> {
        let credentials = json!({ "email": email, "password": password });
        let tokens: Tokens = self.ask(Method::POST, To::Auth, "/auth/signin", Some(&credentials)).await?;
        let api = Api { session: Some(Arc::new(Mutex::new(Session::new(tokens)))), ..self.clone() };
        let me: Created = api.ask(Method::GET, To::Auth, "/users/me", None).await?;
        Ok(Person { api, id: me.id, email: email.to_owned() })
    }
}

impl Person {
    /// Connects to another person: in one direction only.
    pub async fn connect(&self, other: &str) -> Result<Created> {
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

    /// Lets a post show pictures.
    pub async fn illustrate(&self, post: &str, content: &str, types: &[&str], media: &[String]) -> Result<Value> {
        let change = json!({ "content": content, "types": types, "media": media });
        self.api.ask(Method::PUT, To::Post, &format!("/posts/{post}"), Some(&change)).await
    }

    pub async fn post(&self, post: &str) -> Result<Post> {
        self.api.ask(Method::GET, To::Post, &format!("/posts/{post}"), None).await
    }

    pub async fn comment(&self, post: &str, content: &str) -> Result<Created> {
        let comment = json!({ "content": content });
        self.api.ask(Method::POST, To::Interaction, &format!("/{post}/comments"), Some(&comment)).await
    }

    pub async fn comments(&self, post: &str) -> Result<Vec<Created>> {
        self.api.ask(Method::GET, To::Interaction, &format!("/{post}/comments"), None).await
    }

    pub async fn react(&self, post: &str, kind: &str) -> Result<Created> {
        let reaction = json!({ "type": kind });
        self.api.ask(Method::POST, To::Interaction, &format!("/{post}/post-reactions"), Some(&reaction)).await
    }

    /// Views a post. Each view counts; for its score those of one user within half an hour are one, or each where `VIEW_WINDOW` is 0.
    pub async fn view(&self, post: &str) -> Result<Post> {
        self.api.ask(Method::GET, To::Interaction, &format!("/{post}/view"), None).await
    }

    /// The posts of their connections and their own, newest first.
    pub async fn home_feed(&self) -> Result<Vec<FeedItem>> {
        self.api.ask(Method::GET, To::Engagement, "/me/feed", None).await
    }

    /// What they are notified of, newest first.
    pub async fn notifications(&self) -> Result<Vec<Notification>> {
        self.api.ask(Method::GET, To::Engagement, "/me/notifications", None).await
    }

    /// Their own activity; none as long as the engagement service does not know them.
    pub async fn profile(&self) -> Result<Option<Profile>> {
        let (status, answer) = self.api.send(Method::GET, To::Engagement, "/me/activity-profile", None).await?;
        match status {
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::OK => Ok(Some(serde_json::from_value(answer).context("a profile is not as expected")?)),
            _ => bail!("GET /me/activity-profile was answered with {status}: {answer}"),
        }
    }
}

/// Asks until the answer is the wanted one and stays so; that answer, and after how long it first was. At the deadline the
/// error shows the last answer.
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
        if times == REPETITIONS {
            return Ok((answer, first - began));
        }
        if began.elapsed() > EFFECT_TIMEOUT {
            bail!("{what}: not so after {} s; the last answer was {answer:?}", EFFECT_TIMEOUT.as_secs());
        }
    }
}
