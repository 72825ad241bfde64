//! Linked accounts through the routes, with an identity provider on this machine.
mod freshness;
mod identities;
mod misbehaviour;
mod provider;
mod races;
mod replacements;
mod rotation;
mod settings;
mod tokens;

use std::collections::HashMap;

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use self::provider::{CLIENT, IdentityProvider, REDIRECT, SECRET};
use super::grants::ProviderTokens;
use super::models::{LinkedAccount, LinkedState, LoginAttempt};
use super::providers::{Provider, ProviderKey};
use crate::accounts::events::LINKED_ACCOUNT_CHANGED;
use crate::core::app::identity::Status;
use crate::core::testing::{Platform, Reply};
use crate::roles::models::{DecisionKind, set_status};
use crate::sessions::models::Session;
use crate::testing::{PASSWORD, Person, Posted, detail, join, join_verified, mailbox, sign_in, start};

/// The setting of a provider of `OpenID` Connect.
fn oidc(provider: &IdentityProvider) -> Value {
    json!({ "name": "acme", "title": "Acme", "issuer": provider.url, "client_id": CLIENT, "client_secret": SECRET })
}

/// The service with these providers.
async fn start_with(database: PgConnectOptions, providers: Value, settings: &[&str]) -> Posted {
    let providers = providers.to_string();
    let linked =
        ["--linked-providers", &providers, "--linked-redirect-url", REDIRECT, "--linked-allow-private", "true"];
    start(database, &[&linked[..], settings].concat()).await
}

/// The service with a provider.
async fn start_linked(database: PgConnectOptions) -> (Posted, IdentityProvider) {
    let provider = IdentityProvider::start().await;
    (start_with(database, json!([oidc(&provider)]), &[]).await, provider)
}

/// A browser that is on its way to a provider.
struct Visit {
    url: String,
    cookie: String,
}

/// Sends a request as a browser does, with its cookie.
async fn browse(platform: &Platform, path: &str, token: Option<&str>, cookie: Option<&str>, body: Value) -> Reply {
    let mut request = Request::post(format!("/api/v1{path}")).header(header::CONTENT_TYPE, "application/json");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, format!("theme=dark; {cookie}"));
    }
    platform.send(request.body(Body::from(body.to_string())).unwrap()).await
}

/// Begins a sign-in, or, with a token, a link.
async fn begin(platform: &Platform, provider: &str, token: Option<&str>) -> Visit {
    let end = if token.is_some() { "link" } else { "sign-in" };
    depart(platform, &format!("/auth/providers/{provider}/{end}"), token).await
}

/// Begins a sign-in or a link by its path.
async fn depart(platform: &Platform, path: &str, token: Option<&str>) -> Visit {
    let reply = browse(platform, path, token, None, json!({})).await;
    assert_eq!((reply.status.as_u16(), &reply.body["expires_in"]), (200, &json!(600)), "{reply:?}");
    let set = reply.headers[header::SET_COOKIE].to_str().unwrap();
    let (cookie, rest) = set.split_once("; ").unwrap();
    assert_eq!(rest, "HttpOnly; SameSite=Lax; Path=/; Max-Age=600");
    Visit { url: reply.body["authorization_url"].as_str().unwrap().to_owned(), cookie: cookie.to_owned() }
}

/// Brings back what the provider has sent the browser back with.
async fn finish(platform: &Platform, visit: &Visit, token: Option<&str>, back: &HashMap<String, String>) -> Reply {
    browse(platform, "/auth/providers/callback", token, Some(&visit.cookie), json!(back)).await
}

/// Signs in, or, with a token, links, from the beginning to the end.
async fn visit(platform: &Platform, provider: &IdentityProvider, name: &str, token: Option<&str>) -> Reply {
    let visit = begin(platform, name, token).await;
    finish(platform, &visit, token, &provider.agree(&visit.url)).await
}

/// Signs in by `acme`, where the person signs in again.
async fn visit_freshly(platform: &Platform, provider: &IdentityProvider) -> Reply {
    let visit = depart(platform, "/auth/providers/acme/sign-in?fresh=true", None).await;
    finish(platform, &visit, None, &provider.agree(&visit.url)).await
}

/// A link of an account to a provider, whose tokens are good.
pub async fn link(platform: &Posted, user: Uuid, provider: &str) -> Uuid {
    let id = Uuid::now_v7();
    let tokens = ProviderTokens { access: "an-access-token".into(), refresh: None, replaced: Vec::new() };
    let sealed = platform.providers.keyring.seal(&serde_json::to_vec(&tokens).unwrap(), id.as_bytes()).unwrap();
    let state = LinkedState { name: None, email: None, scopes: "openid", tokens: &sealed, expires_at: None };
    let mut tx = platform.app.db.begin().await.unwrap();
    let unknown = ProviderKey { issuer: provider, name: provider };
    let key = platform.providers.get(provider).map_or(unknown, Provider::key);
    LinkedAccount::create(&mut tx, id, user, (key, &id.to_string()), &state).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn me(platform: &Platform, token: &str) -> Value {
    let reply = platform.call("GET", "/users/me", Some(token), None).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body
}

/// Lets a person's sessions look eleven minutes old.
async fn age(platform: &Posted, person: &Person) {
    let mut tx = platform.app.db.begin().await.unwrap();
    Session::age(&mut tx, person.id, 660.0).await.unwrap();
    tx.commit().await.unwrap();
}

async fn linked(platform: &Platform, token: &str) -> Vec<Value> {
    let reply = platform.call("GET", "/auth/linked-accounts", Some(token), None).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    serde_json::from_value(reply.body).unwrap()
}

/// A person who is new gets an account with what the provider has verified, and comes back to it.
#[sqlx::test(migrations = false)]
async fn a_new_person_signs_in_and_comes_back(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let listed = platform.call("GET", "/auth/providers", None, None).await;
    assert_eq!(listed.body, json!([{ "name": "acme", "title": "Acme", "fresh": true }]));
    let first = visit(&platform, &provider, "acme", None).await;
    assert_eq!((first.status.as_u16(), &first.body["token_type"]), (200, &json!("bearer")), "{first:?}");
    assert_eq!(first.headers[header::CACHE_CONTROL], "no-store");
    let token = first.body["access_token"].as_str().unwrap();
    let person = me(&platform, token).await;
    let seen = |field: &str| person[field].clone();
    assert_eq!(
        (seen("email"), seen("is_verified"), seen("status")),
        (json!("anna@example.com"), json!(true), json!("ACTIVE"))
    );
    assert_eq!(
        (seen("first_name"), seen("last_name"), seen("username")),
        (json!("Anna"), json!("Berg"), json!("anna.b"))
    );
    let registered = platform.published("user_registered").await;
    assert_eq!((registered.len(), &registered[0]["id"]), (1, &person["id"]));
    let mails = mailbox(&platform).await;
    assert_eq!(mails.len(), 1, "the welcome, and no token to verify what is verified: {mails:?}");

    let again = visit(&platform, &provider, "acme", None).await;
    let again = me(&platform, again.body["access_token"].as_str().unwrap()).await;
    assert_eq!(again["id"], person["id"]);
    let links = linked(&platform, token).await;
    assert_eq!(links.len(), 1);
    assert_eq!(
        (&links[0]["provider"], &links[0]["email"], &links[0]["active"]),
        (&json!("acme"), &person["email"], &json!(true))
    );
    assert!(links[0]["last_used_at"].is_string() && links[0].get("tokens").is_none(), "{links:?}");
    // There is no password that opens the account, not even the mark in its place.
    for password in ["!", "", PASSWORD] {
        assert_ne!(sign_in(&platform, "anna@example.com", password).await.status, 200, "{password}");
    }
    let refreshed = json!({ "refresh_token": first.body["refresh_token"] });
    assert_eq!(platform.call("POST", "/auth/refresh", None, Some(refreshed)).await.status, 200);
}

/// Two people may be called the same elsewhere; here one of them gets a number.
#[sqlx::test(migrations = false)]
async fn usernames_of_new_people_are_unique(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let mut usernames = Vec::new();
    for n in 1..=3 {
        provider.set(|mind| {
            mind.claims["sub"] = json!(format!("person-{n}"));
            mind.claims["email"] = json!(format!("anna{n}@example.com"));
        });
        let reply = visit(&platform, &provider, "acme", None).await;
        let person = me(&platform, reply.body["access_token"].as_str().unwrap()).await;
        usernames.push(person["username"].as_str().unwrap().to_owned());
    }
    assert_eq!(usernames[..2], ["anna.b", "anna.berg"], "what they are called there, then their name");
    assert!(usernames[2].starts_with("anna.b") && usernames[2].len() == 10, "{usernames:?}");
    // What a provider says of a name that may not be shown here is left out, and the sign-in goes on.
    provider.set(|mind| {
        mind.claims =
            json!({ "sub": "person-9", "email": "x@example.com", "email_verified": "true", "name": "\u{202e}" });
    });
    let reply = visit(&platform, &provider, "acme", None).await;
    let person = me(&platform, reply.body["access_token"].as_str().unwrap()).await;
    assert_eq!((&person["first_name"], &person["username"]), (&Value::Null, &Value::Null));
}

/// Who controls an address at a provider does not control the account that has it here, verified or not.
#[sqlx::test(migrations = false)]
async fn an_address_opens_no_account(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let anna = join_verified(&platform, "anna").await;
    let bert = join(&platform, "bert").await;
    mailbox(&platform).await;
    for (email, verified, sentence) in [
        (json!(anna.email), json!(true), "There is an account with this address"),
        (json!("ANNA@Example.com "), json!(true), "There is an account with this address"),
        (json!(bert.email), json!(true), "There is an account with this address"),
        (json!("carl@example.com"), json!(false), "The provider has no verified address"),
        (json!("carl@example.com"), Value::Null, "The provider has no verified address"),
        (Value::Null, json!(true), "The provider has no verified address"),
        (json!("no address"), json!(true), "The provider has no verified address"),
    ] {
        provider.set(|mind| {
            mind.claims["email"] = email.clone();
            mind.claims["email_verified"] = verified;
        });
        let reply = visit(&platform, &provider, "acme", None).await;
        let (status, said) = detail(&reply);
        assert!(status == 409 && said.as_str().unwrap().starts_with(sentence), "{email}: {reply:?}");
    }
    assert_eq!(linked(&platform, &anna.token).await, Vec::<Value>::new());
    assert_eq!(platform.published("user_registered").await.len(), 2, "nobody new");
}

/// A link takes a fresh sign-in and a verified address, and is one person's at one provider.
#[sqlx::test(migrations = false)]
async fn a_person_links_an_account_and_signs_in_by_it(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let (anna, bert) = (join_verified(&platform, "anna").await, join_verified(&platform, "bert").await);
    let fresh = join(&platform, "carl").await;
    let path = "/auth/providers/acme/link";
    let unverified = browse(&platform, path, Some(&fresh.token), None, json!({})).await;
    assert_eq!(detail(&unverified), (403, &json!("Verify the address of your account first")));
    // Another address there than here is no matter: the subject is what counts.
    provider.set(|mind| mind.claims["email"] = json!("elsewhere@example.com"));
    let reply = visit(&platform, &provider, "acme", Some(&anna.token)).await;
    assert_eq!((reply.status.as_u16(), &reply.body["provider"]), (201, &json!("acme")), "{reply:?}");
    assert_eq!(reply.body["name"], "Anna Berg");
    let mails = mailbox(&platform).await;
    let is_warned = |mail: &String| mail.contains(&anna.email) && mail.contains("an account of Acme was linked");
    assert!(mails.iter().any(is_warned), "{mails:?}");
    let event = platform.published(LINKED_ACCOUNT_CHANGED).await.pop().unwrap();
    let said = [&event["user_id"], &event["provider"], &event["linked"], &event["at"]];
    assert_eq!(said, [&json!(anna.id), &json!("acme"), &json!(true), &reply.body["linked_at"]]);
    let by_link = visit(&platform, &provider, "acme", None).await;
    assert_eq!(me(&platform, by_link.body["access_token"].as_str().unwrap()).await["id"], json!(anna.id));

    let taken = visit(&platform, &provider, "acme", Some(&bert.token)).await;
    assert_eq!(detail(&taken), (409, &json!("This account of the provider is linked to another account")));
    provider.set(|mind| mind.claims["sub"] = json!("person-2"));
    let second = visit(&platform, &provider, "acme", Some(&anna.token)).await;
    let sentence = "Another account of this provider is linked already; unlink it first";
    assert_eq!(detail(&second), (409, &json!(sentence)));
    age(&platform, &bert).await;
    let late = browse(&platform, path, Some(&bert.token), None, json!({})).await;
    assert_eq!((late.status.as_u16(), &late.body["code"]), (401, &json!("insufficient_user_authentication")));
    let unknown = browse(&platform, "/auth/providers/other/sign-in", None, None, json!({})).await;
    assert_eq!(detail(&unknown), (404, &json!("Provider not found")));
}

/// What one browser has begun no other one finishes, nor a second time, nor later.
#[sqlx::test(migrations = false)]
async fn a_sign_in_belongs_to_the_browser_that_began_it(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let (mine, thiefs) = (begin(&platform, "acme", None).await, begin(&platform, "acme", None).await);
    let back = provider.agree(&mine.url);
    let unknown = |reply: Reply| {
        let (status, sentence) = detail(&reply);
        assert!(
            status == 400 && sentence.as_str().unwrap().starts_with("This sign-in was not begun in this browser"),
            "{reply:?}"
        );
    };
    unknown(finish(&platform, &thiefs, None, &back).await);
    unknown(browse(&platform, "/auth/providers/callback", None, None, json!(back)).await);
    // The thief's attempt left it as it was; it is good once.
    assert_eq!(finish(&platform, &mine, None, &back).await.status, 200);
    unknown(finish(&platform, &mine, None, &back).await);
    let late = begin(&platform, "acme", None).await;
    let back = provider.agree(&late.url);
    LoginAttempt::age(&platform.app.db, 601.0).await.unwrap();
    unknown(finish(&platform, &late, None, &back).await);
    LoginAttempt::sweep(&platform.app.db).await.unwrap();

    // A link is finished in the session that began it, and in no other one, not even of the same person.
    let anna = join_verified(&platform, "bert").await;
    let other = sign_in(&platform, &anna.email, PASSWORD).await.body["access_token"].as_str().unwrap().to_owned();
    for token in [None, Some(other.as_str())] {
        let visit = begin(&platform, "acme", Some(&anna.token)).await;
        unknown(finish(&platform, &visit, token, &provider.agree(&visit.url)).await);
    }
    assert_eq!(linked(&platform, &anna.token).await, Vec::<Value>::new());
}

/// A person who changes their mind gets an answer, and may begin again; bad input loses nothing.
#[sqlx::test(migrations = false)]
async fn a_person_may_say_no_at_the_provider(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let visit = begin(&platform, "acme", None).await;
    let mut back = provider.agree(&visit.url);
    for body in [json!({}), json!({ "state": 5 }), json!({ "state": back["state"], "code": "x".repeat(2049) })] {
        let reply = browse(&platform, "/auth/providers/callback", None, Some(&visit.cookie), body.clone()).await;
        assert!([400, 422].contains(&reply.status.as_u16()), "{body}: {reply:?}");
    }
    back.remove("code");
    back.insert("error".to_owned(), "access_denied".to_owned());
    let reply = finish(&platform, &visit, None, &back).await;
    assert_eq!(detail(&reply), (400, &json!("The provider does not accept this sign-in; begin again")));
    assert_eq!(super::tests::visit(&platform, &provider, "acme", None).await.status, 200);
}

/// A banned person stays out by whatever way, and a muted one signs in as ever.
#[sqlx::test(migrations = false)]
async fn moderation_holds_for_sign_ins_by_a_link(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let first = visit(&platform, &provider, "acme", None).await;
    let id: Uuid =
        serde_json::from_value(me(&platform, first.body["access_token"].as_str().unwrap()).await["id"].clone())
            .unwrap();
    for (status, expected) in [(Status::Muted, 200), (Status::Banned, 403)] {
        let mut tx = platform.app.db.begin().await.unwrap();
        set_status(&mut tx, id, status, None, false).await.unwrap();
        let kind = DecisionKind::Status(status, None, None);
        crate::roles::signals::decided(&mut tx, id, None, kind, None).await.unwrap();
        tx.commit().await.unwrap();
        let reply = visit(&platform, &provider, "acme", None).await;
        assert_eq!(reply.status, expected, "{reply:?}");
    }
}
