//! What people do with a browser that runs no script: the web client over the whole platform, form by form.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, StatusCode, header};
use tokio::time::{Instant, interval};

use super::mailbox::{letters, mailed_token};
use crate::platform::{PASSWORD, Platform};

/// How long an effect may take before it counts as lost.
const EFFECT_TIMEOUT: Duration = Duration::from_secs(30);

/// A browser: it keeps cookies, and says of its forms where they come from.
struct Browser {
    http: Client,
    origin: String,
    cookies: BTreeMap<String, String>,
}

/// A page that was shown, and its address.
#[derive(Debug)]
struct Page {
    path: String,
    status: StatusCode,
    text: String,
}

impl Browser {
    fn new(origin: &str) -> Result<Browser> {
        rustls::crypto::ring::default_provider().install_default().unwrap_or_default();
        let http = Client::builder().timeout(Duration::from_secs(40)).redirect(Policy::none()).no_proxy().build()?;
        Ok(Browser { http, origin: origin.to_owned(), cookies: BTreeMap::new() })
    }

    async fn open(&mut self, path: &str) -> Result<Page> {
        self.ask(Method::GET, path, None).await
    }

    /// Sends a form and follows where it leads.
    async fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Result<Page> {
        self.ask(Method::POST, path, Some(fields)).await
    }

    async fn ask(&mut self, method: Method, path: &str, fields: Option<&[(&str, &str)]>) -> Result<Page> {
        let (mut method, mut path, mut fields) = (method, path.to_owned(), fields);
        for _ in 0..5 {
            let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let mut request = self.http.request(method, format!("{}{path}", self.origin));
            request = request.header(header::COOKIE, cookies.join("; ")).header("sec-fetch-site", "same-origin");
            if let Some(fields) = fields {
                request = request.form(fields);
            }
            let answer = request.send().await?;
            for line in answer.headers().get_all(header::SET_COOKIE) {
                let (name, rest) = line.to_str()?.split_once('=').context("no cookie")?;
                let value = rest.split(';').next().unwrap_or_default();
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            let to = answer.headers().get(header::LOCATION).map(|to| to.to_str().map(str::to_owned)).transpose()?;
            let Some(to) = to else {
                return Ok(Page { path, status: answer.status(), text: answer.text().await? });
            };
            path = to.split('#').next().unwrap_or_default().to_owned();
            (method, fields) = (Method::GET, None);
        }
        anyhow::bail!("{path} leads in a circle")
    }

    /// Opens a page until it shows a text.
    async fn wait_for(&mut self, path: &str, text: &str) -> Result<Page> {
        let (began, mut turns) = (Instant::now(), interval(Duration::from_millis(100)));
        loop {
            turns.tick().await;
            let page = self.open(path).await?;
            if page.status == StatusCode::OK && page.text.contains(text) {
                return Ok(page);
            }
            ensure!(began.elapsed() < EFFECT_TIMEOUT, "{path} does not show {text}: {}", page.text);
        }
    }

    /// Signs up, follows the link of the mail, and signs in.
    async fn join(&mut self, platform: &Platform, email: &str, first_name: &str, last_name: &str) -> Result<()> {
        let form = [
            ("email", email),
            ("password", PASSWORD),
            ("first_name", first_name),
            ("last_name", last_name),
            ("interests", "BOOKS"),
        ];
        let page = self.send("/signup", &form).await?;
        ensure!(page.text.contains("Look into your mail"), "{page:?}");
        let token = self.token(platform, email).await?;
        let page = self.open(&format!("/activate?token={token}")).await?;
        ensure!(page.text.contains(&token), "its page has a button with the token: {page:?}");
        let page = self.send("/activate", &[("token", &token)]).await?;
        ensure!(page.text.contains("Your address is confirmed"), "{page:?}");
        let page = self.send("/signin", &[("email", email), ("password", PASSWORD), ("next", "/connect")]).await?;
        ensure!(page.path == "/connect" && page.status == StatusCode::OK, "{page:?}");
        Ok(())
    }

    /// The token of the link to the client's own page, from the mail.
    async fn token(&self, platform: &Platform, email: &str) -> Result<String> {
        let (began, mut turns) = (Instant::now(), interval(Duration::from_millis(100)));
        loop {
            turns.tick().await;
            let to = |letter: &String| letter.contains(email) && letter.contains(&format!("{}/activate?", self.origin));
            let mut mails = letters(&platform.data().join("mail")).unwrap_or_default();
            mails.retain(to);
            if let Some(token) = mailed_token(&mails, "token") {
                return Ok(token);
            }
            ensure!(began.elapsed() < EFFECT_TIMEOUT, "no mail leads {email} to {}", self.origin);
        }
    }
}

/// What is no page is the API's or nothing, as it is without pages.
async fn the_api_stays_apart(browser: &Browser) -> Result<()> {
    let ask = async |path: &str| -> Result<_> {
        let answer = browser.http.get(format!("{}{path}", browser.origin)).send().await?;
        let kind =
            answer.headers().get(header::CONTENT_TYPE).map(|kind| kind.to_str().map(str::to_owned)).transpose()?;
        Ok((answer.status(), kind.unwrap_or_default()))
    };
    for path in
        ["/api", "/api/v1/nothing", "/internal/events", "/metrics", "/status/all", "/docs/all/", "/a;b", "/a%2fb"]
    {
        let (status, kind) = ask(path).await?;
        ensure!(
            status == StatusCode::NOT_FOUND && kind.starts_with("application/problem+json"),
            "{path}: {status} {kind}"
        );
    }
    let (status, kind) = ask("/api/v1/posts").await?;
    ensure!(status == StatusCode::UNAUTHORIZED && kind.starts_with("application/problem+json"), "{status} {kind}");
    let (status, kind) = ask("/nothing").await?;
    ensure!(status == StatusCode::NOT_FOUND && kind.starts_with("text/html"), "{status} {kind}");
    Ok(())
}

/// The id in an address like `/posts/<id>?done=posted`.
fn id_of(page: &Page) -> Result<String> {
    let id = page.path.split(['/', '?']).nth(2).context("no id")?;
    ensure!(id.len() == 36, "{page:?}");
    Ok(id.to_owned())
}

/// Two people join, one writes, the other reads it in the feed, reacts and comments, and the first is notified of both. It takes
/// as long as a platform takes to start and to publish.
#[tokio::test]
async fn people_meet_with_browsers_that_run_no_script() -> Result<()> {
    let mut platform = Platform::up(&["--web", "--gateway-port", "0"]);
    let origin = platform.addresses["gateway"].clone();
    let (mut ada, mut bob) = (Browser::new(&origin)?, Browser::new(&origin)?);

    let guest = ada.open("/").await?;
    ensure!(guest.text.contains("<h1>A calm place to talk</h1>"), "{guest:?}");
    let status = ada.open("/status").await?;
    ensure!(status.text.contains("data-service=\"auth\""), "the state of the services has moved: {status:?}");
    the_api_stays_apart(&ada).await?;
    let closed = ada.open("/notifications").await?;
    ensure!(closed.path == "/signin?next=%2Fnotifications", "{closed:?}");

    ada.join(&platform, "ada@example.org", "Ada", "Lovelace").await?;
    bob.join(&platform, "bob@example.org", "Bob", "Frankston").await?;
    let page =
        ada.send("/settings", &[("username", "ada.l"), ("first_name", "Ada"), ("last_name", "Lovelace")]).await?;
    ensure!(page.path == "/settings?done=saved", "{page:?}");

    let profile = bob.wait_for("/@ada.l", "/connect\"").await?;
    let ada_id =
        profile.text.split("action=\"/users/").nth(1).and_then(|rest| rest.get(..36)).context("no id")?.to_owned();
    let connected = bob.send(&format!("/users/{ada_id}/connect"), &[("next", "/@ada.l")]).await?;
    ensure!(connected.text.contains("/disconnect\""), "{connected:?}");

    // A form with files is sent in parts.
    let boundary = "a-boundary-of-the-test";
    let part = |name: &str, value: &str| {
        format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body = [
        part("title", "On the engine"),
        part("content", "It can do <b>what we order</b> it to. #engines"),
        part("types", "BOOKS"),
        part("status", "POSTED"),
        format!("--{boundary}--\r\n"),
    ];
    let cookies: Vec<_> = ada.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let written = ada.http.post(format!("{origin}/compose")).body(body.concat());
    let written = written.header(header::CONTENT_TYPE, format!("multipart/form-data; boundary={boundary}"));
    let written = written.header(header::COOKIE, cookies.join("; ")).header("sec-fetch-site", "same-origin");
    let written = written.send().await?;
    ensure!(written.status() == StatusCode::SEE_OTHER, "{}: {}", written.status(), written.text().await?);
    let to = written.headers()[header::LOCATION].to_str()?.to_owned();
    let post = ada.open(&to).await?;
    ensure!(post.text.contains("It can do &#60;b&#62;what we order&#60;/b&#62; it to."), "{post:?}");
    let id = id_of(&post)?;

    let feed = bob.wait_for("/", "On the engine").await?;
    ensure!(feed.text.contains("href=\"/tags/engines\""), "{feed:?}");
    let page = format!("/posts/{id}");
    let reacted = bob.send(&format!("{page}/react"), &[("type", "LOVE"), ("next", &page)]).await?;
    ensure!(reacted.text.contains("1 reaction"), "{reacted:?}");
    let commented = bob.send(&format!("{page}/comments"), &[("content", "Well said"), ("key", "k-1")]).await?;
    ensure!(commented.path == page && commented.text.contains("Well said"), "{commented:?}");

    ada.wait_for("/notifications", "Bob Frankston commented on your post").await?;
    ada.wait_for("/notifications", "Bob Frankston reacted to your post").await?;
    let counted = ada.open("/").await?;
    ensure!(counted.text.contains("class=\"badge\""), "the number stands on every page: {counted:?}");

    let forged = bob.http.post(format!("{origin}/signout")).header("sec-fetch-site", "cross-site").send().await?;
    ensure!(forged.status() == StatusCode::FORBIDDEN);
    let out = bob.send("/signout", &[]).await?;
    ensure!(out.text.contains("You are signed out."), "{out:?}");
    ensure!(bob.cookies["web_access"].is_empty() && bob.cookies["web_refresh"].is_empty());
    platform.stop();
    Ok(())
}
