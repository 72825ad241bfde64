//! Helpers of all features' tests: the service with its own mailbox, users who have signed up, and their mails.
use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use clap::FromArgMatches;
use redis::AsyncCommands;
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;
use uuid::Uuid;

use crate::SERVICE;
use crate::app::App;
use crate::auth::schedulers::ResetWorker;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::{Platform, Reply};
use crate::directory::schedulers::{HashWriter, key};
use crate::linked_accounts::providers::Providers;
use crate::mails::schedulers::MailSender;
use crate::mails::services::MailTransport;
use crate::settings::Settings;

/// A password that is accepted.
pub const PASSWORD: &str = "seven wild geese";

/// A user who has signed up and in.
pub struct Person {
    pub id: Uuid,
    pub email: String,
    pub token: String,
}

/// The service with a mailbox of its own, which goes when the test ends.
pub struct Posted {
    /// The state of its handlers.
    pub app: App,
    /// The providers of its sign-ins.
    pub providers: Arc<Providers>,
    platform: Platform,
    settings: Settings,
    mailbox: Arc<TempDir>,
}

impl Deref for Posted {
    type Target = Platform;

    fn deref(&self) -> &Platform {
        &self.platform
    }
}

impl Posted {
    fn over(mut platform: Platform, mailbox: Arc<TempDir>) -> Self {
        let settings = Settings::from_arg_matches(&platform.settings()).unwrap();
        let app = App::new(&platform.app, &settings.tokens, settings.rules()).unwrap();
        let transport = MailTransport::new(&settings.mails).unwrap();
        let environment = platform.app.settings.environment;
        let providers = Arc::new(Providers::new(&settings.linked, &settings.tokens, environment).unwrap());
        let mut features = crate::features(&app, transport, providers.clone(), settings.internal_port);
        platform.router = SERVICE.router(&platform.app, &mut features);
        Self { app, providers, platform, settings, mailbox }
    }

    /// Another process of the service with the same stores and mailbox.
    pub fn beside(&self) -> Self {
        self.beside_with(&[])
    }

    /// The same, with settings that take the place of those of this one.
    pub fn beside_with(&self, settings: &[&str]) -> Self {
        Self::over(self.platform.beside(settings), self.mailbox.clone())
    }

    /// The folder of its mails.
    pub fn mail_dir(&self) -> &Path {
        self.mailbox.path()
    }

    /// A worker that sends mails by the transport that the settings name.
    pub fn mail_sender(&self) -> MailSender {
        MailSender::new(&self.platform.app, Arc::new(MailTransport::new(&self.settings.mails).unwrap()))
    }
}

/// The service, with a mailbox of its own.
pub async fn start(database: PgConnectOptions, settings: &[&str]) -> Posted {
    let mailbox = TempDir::new().unwrap();
    let mut arguments = vec!["--mail-dir", mailbox.path().to_str().unwrap()];
    arguments.extend(settings);
    let platform = Platform::start(&SERVICE, database, &arguments).await;
    Posted::over(platform, Arc::new(mailbox))
}

/// Signs a user up.
pub async fn sign_up(platform: &Platform, email: &str) -> Value {
    let body = json!({ "email": email, "password": PASSWORD, "interests": [] });
    let reply = platform.call("POST", "/auth/signup", None, Some(body)).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    reply.body
}

/// The answer to a sign-in.
pub async fn sign_in(platform: &Platform, email: &str, password: &str) -> Reply {
    platform.call("POST", "/auth/signin", None, Some(json!({ "email": email, "password": password }))).await
}

/// Signs a user up and in.
pub async fn join(platform: &Platform, name: &str) -> Person {
    let email = format!("{name}@example.com");
    let user = sign_up(platform, &email).await;
    let token = sign_in(platform, &email, PASSWORD).await.body["access_token"].as_str().unwrap().to_owned();
    Person { id: serde_json::from_value(user["id"].clone()).unwrap(), email, token }
}

/// The ids in a list, in its order.
pub fn ids(list: &Reply) -> Vec<Uuid> {
    assert_eq!(list.status, 200, "{list:?}");
    list.body.as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap().parse().unwrap()).collect()
}

/// The fields of a user that every answer has: those of the contract and the role.
pub fn account(user: &Value) -> Value {
    user.as_object().unwrap().iter().take(14).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Runs a worker until it has no work left.
pub async fn finish(mut worker: impl Worker) {
    while worker.step().await.unwrap() == Outcome::Busy {}
}

/// Sends all mails, empties the mailbox and returns its mails, in no order.
pub async fn mailbox(platform: &Posted) -> Vec<String> {
    finish(ResetWorker::new(&platform.app)).await;
    finish(platform.mail_sender()).await;
    let mut mails = Vec::new();
    for file in std::fs::read_dir(platform.mail_dir()).unwrap() {
        let path = file.unwrap().path();
        // The line breaks of the encoding do not belong to the text.
        mails.push(std::fs::read_to_string(&path).unwrap().replace("=\r\n", "").replace("=3D", "="));
        std::fs::remove_file(path).unwrap();
    }
    mails
}

/// The rest of the line of a mail that begins with `start`.
pub fn line<'a>(mail: &'a str, start: &str) -> Option<&'a str> {
    mail.lines().find_map(|line| line.strip_prefix(start))
}

/// Sends all mails, empties the mailbox and returns the receivers of mails with a token, each with the token.
pub async fn mailed(platform: &Posted) -> Vec<(String, String)> {
    let mails = mailbox(platform).await;
    let with_token = |mail: &String| Some((line(mail, "To: ")?.to_owned(), line(mail, "Token: ")?.to_owned()));
    let mut mails: Vec<_> = mails.iter().filter_map(with_token).collect();
    mails.sort();
    mails
}

/// Sends all mails, empties the mailbox and returns the one token that went to an address.
pub async fn token_to(platform: &Posted, email: &str) -> String {
    let mails = mailed(platform).await;
    let tokens: Vec<_> = mails.iter().filter(|(recipient, _)| recipient == email).map(|(_, token)| token).collect();
    assert_eq!(tokens.len(), 1, "{mails:?}");
    tokens[0].clone()
}

/// Brings back a token of a mail of verification, from the browser of all other requests.
pub async fn activate(platform: &Platform, token: &str) -> Reply {
    platform.call("POST", &format!("/users/activate?activation_token={token}"), None, None).await
}

/// Signs a user up and in, verifies their address, and empties the mailbox.
pub async fn join_verified(platform: &Posted, name: &str) -> Person {
    let person = join(platform, name).await;
    let token = token_to(platform, &person.email).await;
    assert_eq!(activate(platform, &token).await.status, 200);
    assert_eq!(mailbox(platform).await.len(), 1, "the welcome");
    person
}

/// The hash that other services read of a user, after all pending writes, without its version.
pub async fn hash(platform: &Platform, id: Uuid) -> BTreeMap<String, String> {
    finish(HashWriter::new(&platform.app)).await;
    let mut hash: BTreeMap<String, String> = platform.app.redis.clone().hgetall(key(id)).await.unwrap();
    assert_eq!(hash.remove("version").is_some(), !hash.is_empty());
    hash
}

/// The status and the sentence of a refusal.
pub fn detail(reply: &Reply) -> (u16, &Value) {
    (reply.status.as_u16(), &reply.body["detail"])
}
