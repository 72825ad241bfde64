//! What the README's permission matrix (`## Who may what`) is tested with: users, and a request for each operation.
use std::future::{Ready, ready};
use std::ops::Deref;

use axum::body::Body;
use axum::http::{Request, header};
use chrono::Utc;
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use crate::accounts::models::{AccountChange, ChangeKind};
use crate::core::app::identity::Status;
use crate::linked_accounts;
use crate::roles::models::{DecisionKind, set_role, set_status};
use crate::roles::signals;
use crate::sessions::models::Device;
use crate::sessions::services::start_session;
use crate::testing::{PASSWORD, Posted};
use crate::tokens::models::MailedToken;
use crate::tokens::{Purpose, services::issue};
use crate::users::address::EmailAddress;
use crate::users::models::{Account, Draft};
use crate::users::{ApiWord, role_of};

/// The operations beside the API that only this service has.
pub const BESIDE: &[&str] = &[
    "GET /internal/erasures/{person}",
    "GET /internal/linked-accounts/{user_id}/{provider}/token",
    "GET /internal/read-model/people",
    "GET /internal/read-model/connections",
    "GET /internal/read-model/blocks",
];

/// The service, and the hash of all passwords: a hash for each of many hundred users would take minutes.
pub struct World {
    platform: Posted,
    hash: String,
}

impl Deref for World {
    type Target = Posted;

    fn deref(&self) -> &Posted {
        &self.platform
    }
}

/// The settings that this service needs in tests: a provider whose endpoints need not be looked up.
pub fn settings() -> Ready<Vec<String>> {
    let github = json!([{ "name": "github", "profile": "GITHUB", "client_id": "x", "client_secret": "y" }]);
    let redirect = "https://www.example.com/linked-accounts/callback";
    let settings = ["--linked-providers", &github.to_string(), "--linked-redirect-url", redirect];
    ready(settings.map(str::to_owned).to_vec())
}

/// Starts the service for all requests.
pub async fn start(database: PgConnectOptions) -> World {
    let platform = crate::testing::start(database, &["--producers", "auth-service=http://127.0.0.1:1"]).await;
    let hash = platform.app.passwords.hash(PASSWORD).await.unwrap();
    World { platform, hash }
}

/// The owner of what a request is about.
pub struct Person {
    pub id: Uuid,
    pub token: String,
    email: String,
    session: Uuid,
    refresh_token: String,
}

/// A new user who is signed in.
pub async fn new_user(world: &World) -> Person {
    let email = format!("{}@example.com", Uuid::now_v7());
    let address = EmailAddress::parse(&email).unwrap();
    let draft = Draft { email: &address, first_name: None, last_name: None, interests: &[] };
    let mut tx = world.app.db.begin().await.unwrap();
    let account = Account::create(&mut tx, &draft, &world.hash, &[0; 32]).await.unwrap().unwrap();
    let device = Device { name: None, address_prefix: None };
    let started = start_session(&mut tx, &account, &device).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    let session = started.session;
    let (token, _) = world.app.tokens.issue(account.id, session.id, session.expires_at.0, Utc::now()).unwrap();
    Person { id: account.id, token, email, session: session.id, refresh_token: started.refresh_token }
}

/// The token of a user with that status and role.
pub async fn token(world: &World, person: &Person, status: &str, role: &str) -> String {
    let mut tx = world.app.db.begin().await.unwrap();
    let restriction = [Status::Muted, Status::Banned].into_iter().find(|known| known.word() == status);
    if let Some(status) = restriction {
        set_status(&mut tx, person.id, status, None, false).await.unwrap();
        signals::decided(&mut tx, person.id, None, DecisionKind::Status(status, None, None), None).await.unwrap();
    }
    set_role(&mut tx, person.id, role_of(role).unwrap()).await.unwrap();
    tx.commit().await.unwrap();
    person.token.clone()
}

/// Lets a user block another one.
pub async fn block(world: &World, owner: &Person, other: &Person) {
    let reply = world.call("POST", &format!("/users/{}/block", other.id), Some(&owner.token), None).await;
    assert_eq!(reply.status, 204, "{reply:?}");
}

/// A token as it is mailed to the owner's address.
async fn mailed(world: &World, owner: &Person, purpose: Purpose) -> String {
    let mut tx = world.app.db.begin().await.unwrap();
    let about = if purpose == Purpose::Undo {
        let account = Account::lock(&mut tx, owner.id).await.unwrap().unwrap();
        Some(AccountChange::record(&mut tx, &account, ChangeKind::Password).await.unwrap())
    } else {
        None
    };
    let token = MailedToken { user: owner.id, email: owner.email.clone(), about };
    let secret = issue(&mut tx, &token, purpose).await.unwrap();
    tx.commit().await.unwrap();
    secret
}

/// A request for an operation, about the account of `owner`, or, where it takes two, about another one; without a token.
pub async fn request(world: &World, operation: &str, owner: &Person) -> Request<Body> {
    let (method, template) = operation.split_once(' ').unwrap();
    let credentials = json!({ "email": owner.email, "password": PASSWORD });
    let new = "one tame goose";
    let mut form = None;
    let (path, body) = match template.trim_start_matches("/api/v1") {
        "/auth/signin" => (String::new(), Some(credentials)),
        "/auth/token" => {
            form = Some(format!("username={}&password={}", owner.email, PASSWORD.replace(' ', "+")));
            (String::new(), None)
        }
        "/auth/signup" => {
            let email = format!("{}@example.com", Uuid::now_v7());
            (String::new(), Some(json!({ "email": email, "password": PASSWORD, "interests": [] })))
        }
        "/auth/change-password" => {
            let body = json!({ "current_password": PASSWORD, "new_password": new, "confirm_password": new });
            (String::new(), Some(body))
        }
        "/auth/undo-change" => (String::new(), Some(json!({ "token": mailed(world, owner, Purpose::Undo).await }))),
        "/auth/forgot-password" | "/auth/resend-verification" => (format!("{template}?email={}", owner.email), None),
        "/auth/reset-password" => {
            let (token, new) = (mailed(world, owner, Purpose::PasswordReset).await, new.replace(' ', "+"));
            (format!("{template}?reset_token={token}&password={new}&confirmed_password={new}"), None)
        }
        "/users/activate" => {
            (format!("{template}?activation_token={}", mailed(world, owner, Purpose::Activation).await), None)
        }
        "/auth/refresh" => (String::new(), Some(json!({ "refresh_token": owner.refresh_token }))),
        "/auth/sessions/{session_id}" => (template.replace("{session_id}", &owner.session.to_string()), None),
        "/auth/providers/callback" => (String::new(), Some(json!({ "state": "invented", "code": "invented" }))),
        path if path.starts_with("/auth/providers/{provider}/") => (template.replace("{provider}", "github"), None),
        "/auth/linked-accounts/{id}" => {
            let id = linked_accounts::tests::link(world, owner.id, "github").await;
            (template.replace("{id}", &id.to_string()), None)
        }
        "/internal/linked-accounts/{user_id}/{provider}/token" => {
            linked_accounts::tests::link(world, owner.id, "github").await;
            let path = template.replace("{user_id}", &owner.id.to_string());
            (path.replace("{provider}", "github"), None)
        }
        path if path.starts_with("/internal/read-model/") => (String::new(), None),
        "/internal/erasures/{person}" => (template.replace("{person}", &owner.id.to_string()), None),
        "/users/search" => (format!("{template}?q=anna"), None),
        "/users/lookup" => (String::new(), Some(json!({ "ids": [owner.id] }))),
        "/users/me" if method == "PATCH" => (String::new(), Some(json!({ "bio": "x" }))),
        "/users/{user_id}" if method == "PUT" => {
            let body = json!({ "email": owner.email, "password": PASSWORD, "interests": [] });
            (template.replace("{user_id}", &owner.id.to_string()), Some(body))
        }
        path if ["/connect", "/toggle", "/disconnect", "/block", "/unblock"].iter().any(|end| path.ends_with(end)) => {
            (template.replace("{user_id}", &new_user(world).await.id.to_string()), None)
        }
        "/users/by-username/{username}" => {
            let name = format!("p{}", &owner.id.simple().to_string()[12..]);
            let named = world.call("PATCH", "/users/me", Some(&owner.token), Some(json!({ "username": name }))).await;
            assert_eq!(named.status, 200, "{named:?}");
            (template.replace("{username}", &name), None)
        }
        "/admin/users/{user_id}/role" => {
            (template.replace("{user_id}", &owner.id.to_string()), Some(json!({ "role": "MODERATOR" })))
        }
        "/admin/users/{user_id}/status" => {
            let body = json!({ "status": "ACTIVE", "reason": "a test" });
            (template.replace("{user_id}", &owner.id.to_string()), Some(body))
        }
        _ => (template.replace("{user_id}", &owner.id.to_string()), None),
    };
    let path = if path.is_empty() { template.to_owned() } else { path };
    let kind = if form.is_some() { "application/x-www-form-urlencoded" } else { "application/json" };
    let body = form.or_else(|| body.map(|body: Value| body.to_string())).map_or_else(Body::empty, Body::from);
    Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, kind).body(body).unwrap()
}
