//! Signing up and in, tokens and passwords, through their routes.
mod proofs;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use argon2::password_hash::PasswordHasher;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, Version};
use axum::body::Body;
use axum::http::{Request, header};
use chrono::{TimeDelta, Utc};
use clap::FromArgMatches;
use futures::future::join_all;
use jsonwebtoken::{EncodingKey, Header};
use redis::AsyncCommands;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::SERVICE;
use crate::accounts::attempts::{account_key, pause_key};
use crate::accounts::events::USER_REGISTERED;
use crate::app::access_tokens::TokenSettings;
use crate::core::ground::settings::Base;
use crate::core::testing::counted::Counted;
use crate::core::testing::{Platform, Reply};
use crate::profiles::events::USER_UPDATED;
use crate::testing::{PASSWORD, account, join, mailed, sign_in, sign_up, start};
use crate::tokens::models::UserToken;
use crate::users::address::EmailAddress;
use crate::users::models::Account;

const SECRET: &str = "a secret of thirty-two bytes, or more";

fn detail(reply: &Reply) -> (u16, &Value) {
    (reply.status.as_u16(), &reply.body["detail"])
}

/// What was wrong, place by place.
fn faults(reply: &Reply) -> Vec<(String, &str)> {
    assert_eq!(reply.status, 422, "{reply:?}");
    assert_eq!(reply.headers[header::CONTENT_TYPE], "application/problem+json");
    let fault = |fault: &Value| fault["loc"].as_array().unwrap().iter().map(ToString::to_string).collect::<Vec<_>>();
    let list = reply.body["detail"].as_array().unwrap().iter();
    list.map(|item| (fault(item).join(".").replace('"', ""), item["type"].as_str().unwrap())).collect()
}

async fn register(platform: &Platform, body: Value) -> Reply {
    platform.call("POST", "/auth/signup", None, Some(body)).await
}

async fn form(platform: &Platform, kind: &str, body: &str) -> Reply {
    let request = Request::post("/api/v1/auth/token").header(header::CONTENT_TYPE, kind);
    platform.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

async fn verify(platform: &Platform, token: &str) -> Reply {
    platform.call("GET", "/auth/verify-token", Some(token), None).await
}

async fn forgot(platform: &Platform, email: &str) -> Reply {
    platform.call("POST", &format!("/auth/forgot-password?email={email}"), None, None).await
}

async fn reset(platform: &Platform, token: &str, password: &str) -> Reply {
    let path = format!("/auth/reset-password?reset_token={token}&password={password}&confirmed_password={password}");
    platform.call("POST", &path, None, None).await
}

fn signed(claims: &Value, secret: &str) -> String {
    jsonwebtoken::encode(&Header::default(), claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

#[sqlx::test(migrations = false)]
async fn a_person_is_answered_as_the_original_does_and_told(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let someone = "00000000-0000-4000-8000-000000000000";
    let body = json!({ "email": "Anna@Example.com", "password": PASSWORD, "interests": ["BOOKS", "BOOKS"],
        "last_name": null, "created_by": someone, "updated_by": someone });
    let reply = register(&platform, body).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let user = reply.body;
    let names: Vec<_> = user.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = "id created_at created_by updated_at updated_by email first_name last_name is_verified date_joined \
        rating status interests role";
    assert_eq!(names, expected.split_whitespace().collect::<Vec<_>>());
    assert_eq!((&user["email"], &user["interests"]), (&json!("Anna@example.com"), &json!(["BOOKS", "BOOKS"])));
    assert_eq!((&user["created_by"], &user["updated_by"]), (&Value::Null, &Value::Null));
    assert_eq!((&user["is_verified"], &user["status"]), (&json!(false), &json!("INACTIVE")));
    assert_eq!(user["rating"].to_string(), "0.0");
    assert!(user["date_joined"].as_str().unwrap().ends_with("+00:00"));
    assert_eq!(platform.published(USER_REGISTERED).await, [user]);
}

#[sqlx::test(migrations = false)]
async fn all_that_is_wrong_with_a_sign_up_is_told_at_once(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let good = json!({ "email": "a@example.com", "password": PASSWORD, "interests": [] });
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    let missing = register(&platform, json!({ "zeta": 1, "alpha": 2 })).await;
    assert_eq!(
        faults(&missing),
        [
            ("body.email".into(), "value_error.missing"),
            ("body.password".into(), "value_error.missing"),
            ("body.interests".into(), "value_error.missing"),
            ("body.alpha".into(), "value_error.extra"),
            ("body.zeta".into(), "value_error.extra"),
        ]
    );
    let long = "x".repeat(101);
    let cases = [
        ("email", json!(null), "type_error.none.not_allowed"),
        ("email", json!([]), "type_error.str"),
        ("email", json!(7), "value_error.email"),
        ("email", json!("x@y.zz trailing junk"), "value_error.email"),
        ("email", json!("nobody"), "value_error.email"),
        ("email", json!("a\u{0}@example.com"), "value_error.any_str.control_character"),
        ("email", json!(format!("{}@example.com", "x".repeat(39))), "value_error.any_str.max_length"),
        ("first_name", json!(long), "value_error.any_str.max_length"),
        ("last_name", json!({}), "type_error.str"),
        ("last_name", json!("\u{0}"), "value_error.any_str.control_character"),
        ("password", json!("sevench"), "value_error.any_str.min_length"),
        ("password", json!("x".repeat(129)), "value_error.any_str.max_length"),
        ("password", json!("PassWord123"), "value_error.password.common"),
        ("password", json!("seven\u{0}wild"), "value_error.any_str.control_character"),
        ("interests", json!("NEWS"), "type_error.list"),
        ("interests", json!(null), "type_error.none.not_allowed"),
        ("created_by", json!("me"), "type_error.uuid"),
    ];
    for (name, value, kind) in cases {
        let reply = register(&platform, with(name, value.clone())).await;
        assert_eq!(faults(&reply), [(format!("body.{name}"), kind)], "{name} {value}");
    }
    for interests in [json!(["KNITTING"]), json!([7]), json!([{}]), json!(["news"])] {
        let reply = register(&platform, with("interests", interests)).await;
        assert_eq!(detail(&reply), (400, &json!("Should be from valid interest choices")));
    }
    let raw = |body: &str| {
        let request = Request::post("/api/v1/auth/signup").header(header::CONTENT_TYPE, "application/json");
        request.body(Body::from(body.to_owned())).unwrap()
    };
    let surrogate = good.to_string().replace("a@", r"\ud800@");
    assert_eq!(faults(&platform.send(raw(&surrogate)).await)[0].1, "value_error.jsondecode");
    assert_eq!(faults(&platform.send(raw("")).await), [("body".into(), "value_error.missing")]);
    assert_eq!(platform.send(raw("[]")).await.body["detail"].as_array().unwrap().len(), 3);
    // The shortest and the longest that are good.
    for (email, password) in [("b@example.com", "€".repeat(8)), ("c@example.com", "€".repeat(128))] {
        let reply = register(&platform, json!({ "email": email, "password": password, "interests": [] })).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        assert_eq!(sign_in(&platform, email, &password).await.status, 200);
    }
}

#[sqlx::test(migrations = false)]
async fn an_address_has_one_account_whatever_its_case(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let body = |email: &str| json!({ "email": email, "password": PASSWORD, "interests": [] });
    let emails = ["Anna@Example.com", "anna@example.com", "ANNA@EXAMPLE.COM", "anna@Example.com"];
    let replies = join_all(emails.map(|email| register(&platform, body(email)))).await;
    assert!(replies.iter().all(|reply| reply.status == 201), "{replies:?}");
    let in_one = sign_in(&platform, "aNNa@eXample.com", PASSWORD).await;
    let whose = verify(&platform, in_one.body["access_token"].as_str().unwrap()).await;
    let told = platform.published(USER_REGISTERED).await;
    assert_eq!((told.len(), &told[0]["id"]), (1, &whose.body["id"]));
    assert_eq!(replies.iter().filter(|reply| reply.body["id"] == whose.body["id"]).count(), 1);
}

#[sqlx::test(migrations = false)]
async fn a_sign_up_does_not_tell_who_is_there(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let body = |email: &str| {
        json!({ "email": email, "password": "eight tame geese", "interests": ["NEWS", "NEWS"],
            "first_name": "Some", "last_name": null })
    };
    let known = register(&platform, body("Anna@example.com")).await;
    let unknown = register(&platform, body("Nora@example.com")).await;
    assert_eq!((known.status.as_u16(), unknown.status.as_u16()), (201, 201));
    let names = |reply: &Reply| -> Vec<String> { reply.headers.keys().map(ToString::to_string).collect() };
    assert_eq!(names(&known), names(&unknown));
    // The same but for what differs between any two people.
    let shape = |reply: &Reply| {
        let mut body = reply.body.clone();
        for name in ["created_at", "updated_at", "date_joined"] {
            let at = body[name].take();
            assert_eq!((at.as_str().unwrap().len(), &at), (32, &reply.body["created_at"]), "to the microsecond");
        }
        let id = serde_json::from_value::<uuid::Uuid>(body["id"].take()).unwrap();
        assert_eq!(id.get_version_num(), 7);
        body["email"].take();
        body.to_string()
    };
    assert_eq!(shape(&known), shape(&unknown));
    assert_eq!((&known.body["email"], &known.body["status"]), (&json!("Anna@example.com"), &json!("INACTIVE")));
    assert_ne!(known.body["id"], json!(anna.id));
    assert_eq!(sign_in(&platform, &anna.email, "eight tame geese").await.status, 404, "anna's password is her own");
    assert_eq!(verify(&platform, &anna.token).await.status, 200);
    assert_eq!(platform.published(USER_REGISTERED).await.len(), 2, "anna and nora");

    // What is sent again under one key is answered alike, too.
    for email in ["anna@example.com", "nina@example.com"] {
        let again = async || {
            let request = Request::post("/api/v1/auth/signup").header("idempotency-key", email);
            let request = request.header(header::CONTENT_TYPE, "application/json");
            platform.send(request.body(Body::from(body(email).to_string())).unwrap()).await
        };
        let (first, second) = (again().await, again().await);
        assert_eq!((first.status, first.body), (second.status, second.body));
        assert_eq!(second.headers["idempotency-replayed"], "true");
    }
}

#[sqlx::test(migrations = false)]
async fn signing_in_gives_a_token_and_does_not_tell_who_is_there(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    sign_up(&platform, "anna@example.com").await;
    let body = json!({ "email": "anna@example.com", "password": PASSWORD, "more": "is ignored" });
    let reply = platform.call("POST", "/auth/signin", None, Some(body)).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.body["token_type"], "bearer");
    let wrong = sign_in(&platform, "anna@example.com", "eight tame geese").await;
    let unknown = sign_in(&platform, "nobody@example.com", PASSWORD).await;
    assert_eq!(detail(&wrong), (404, &json!("Wrong username or password")));
    assert_eq!((unknown.status, &unknown.body), (wrong.status, &wrong.body));
    let empty = platform.call("POST", "/auth/signin", None, Some(json!({ "password": null }))).await;
    assert_eq!(
        faults(&empty),
        [("body.email".into(), "value_error.missing"), ("body.password".into(), "type_error.none.not_allowed")]
    );
    let nul = sign_in(&platform, "anna@example.com\0", PASSWORD).await;
    assert_eq!(faults(&nul)[0].1, "value_error.any_str.control_character");
}

#[sqlx::test(migrations = false)]
async fn known_and_unknown_addresses_cost_as_many_hashes(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &["--trusted-proxies", "127.0.0.0/8"]).await;
    let body = |email: &str| json!({ "email": email, "password": PASSWORD, "interests": [] });
    // Another browser than the one that asks: whether one sends a sign-up twice is not what others learn.
    let signed_up = from(&platform, "203.0.113.1", "/auth/signup", None, Some(body("anna@example.com"))).await;
    assert_eq!(signed_up.status, 201);
    let hashes = || platform.app.passwords.hashes();
    let mut costs = Vec::new();
    for email in ["anna@example.com", "nobody@example.com"] {
        let before = hashes();
        sign_in(&platform, email, "eight tame geese").await;
        let signed_in = hashes();
        form(&platform, "application/x-www-form-urlencoded", &format!("username={email}&password=wrong")).await;
        let with_form = hashes();
        forgot(&platform, email).await;
        let forgotten = hashes();
        register(&platform, body(email)).await;
        costs.push([signed_in - before, with_form - signed_in, forgotten - with_form, hashes() - forgotten]);
    }
    assert_eq!(costs, [[1, 1, 0, 1]; 2]);
    let before = hashes();
    reset(&platform, "nonsense", "eight-tame-geese").await;
    assert_eq!(hashes(), before, "a token that somebody made up costs none");
}

#[sqlx::test(migrations = false)]
async fn oauth_clients_send_a_form(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    sign_up(&platform, "anna@example.com").await;
    let kind = "application/x-www-form-urlencoded";
    let good = "grant_type=password&username=anna%40example.com&password=seven+wild+geese&scope=&client_id=x";
    let reply = form(&platform, kind, good).await;
    assert_eq!((reply.status.as_u16(), &reply.body["token_type"]), (200, &json!("bearer")), "{reply:?}");
    assert_eq!(verify(&platform, reply.body["access_token"].as_str().unwrap()).await.status, 200);
    for body in ["username=anna%40example.com&password=wrong", "username=nobody%40example.com&password=wrong"] {
        let reply = form(&platform, kind, body).await;
        assert_eq!(detail(&reply), (401, &json!("Invalid username or password")));
    }
    let both =
        [("body.username".to_owned(), "value_error.missing"), ("body.password".to_owned(), "value_error.missing")];
    let json = json!({ "username": "anna@example.com", "password": PASSWORD }).to_string();
    assert_eq!(faults(&form(&platform, "application/json", &json).await), both);
    assert_eq!(faults(&form(&platform, kind, "").await), both);
    assert_eq!(faults(&form(&platform, kind, "username=&password=").await), both);
    let other = form(&platform, kind, &good.replace("=password&", "=client_credentials&")).await;
    assert_eq!(faults(&other), [("body.grant_type".to_owned(), "value_error.str.regex")]);
    assert_eq!(other.body["detail"][0]["msg"], "string does not match regex \"password\"");
    assert_eq!(form(&platform, kind, "username=a%00&password=b").await.status, 422);
    assert_eq!(form(&platform, kind, "username=%ff&password=b").await.status, 401);

    // A page sends a FormData as it is.
    let kind = "multipart/form-data; boundary=edge";
    let part = |name: &str, value: &str| {
        format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let parts = [part("username", "anna@example.com"), part("password", PASSWORD), "--edge--\r\n".into()].concat();
    let reply = form(&platform, kind, &parts).await;
    assert_eq!((reply.status.as_u16(), &reply.body["token_type"]), (200, &json!("bearer")));
    assert_eq!(faults(&form(&platform, kind, "--edge--\r\n").await), both);
    assert_eq!(form(&platform, kind, "--edge\r\nbroken").await.status, 400);
    let large =
        form(&platform, kind, &[part("username", &"x".repeat(128 * 1024)), "--edge--\r\n".into()].concat()).await;
    assert_eq!(large.status, 413);
}

#[sqlx::test(migrations = false)]
async fn a_token_tells_other_services_whose_it_is(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let ben = join(&platform, "ben").await;
    platform.call("POST", &format!("/users/{}/connect", ben.id), Some(&anna.token), None).await;
    let counted = Counted::begin();
    let verified = verify(&platform, &anna.token).await;
    assert_eq!(verified.status, 200);
    let said = ["x-user-id", "x-user-role", "x-user-status"].map(|name| verified.headers[name].to_str().unwrap());
    assert_eq!(said, [anna.id.to_string().as_str(), "USER", "INACTIVE"], "a gateway reads no bodies");
    counted.assert("token_checks_total{outcome=\"valid\"} 1");
    let names: Vec<_> = verified.body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!((names[0], &names[13..]), ("id", &["role", "total_connections", "session_id", "expires_at"][..]));
    assert_eq!((&verified.body["id"], &verified.body["total_connections"]), (&json!(anna.id), &json!(1)));
    let nothing = platform.call("GET", "/auth/verify-token", None, None).await;
    assert_eq!(detail(&nothing), (401, &json!("Not authenticated")));
    assert_eq!(nothing.headers[header::WWW_AUTHENTICATE], "Bearer");
    let bad = verify(&platform, "nonsense").await;
    assert_eq!(detail(&bad), (401, &json!("Invalid username or password")));
    assert!(bad.headers.get(header::WWW_AUTHENTICATE).is_none());
    counted.assert("token_checks_total{outcome=\"refused\"} 1");
    platform.call("DELETE", &format!("/users/{}", anna.id), Some(&anna.token), None).await;
    assert_eq!(verify(&platform, &anna.token).await.status, 401, "it dies with its person");
}

#[sqlx::test(migrations = false)]
async fn tokens_of_the_original_are_accepted_when_asked_for(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database.clone(), &["--secret-key", SECRET, "--accept-legacy-tokens", "true"]).await;
    let [anna, ben] = [join(&platform, "anna").await, join(&platform, "ben").await];
    let original = signed(&json!({ "id": anna.id, "email": anna.email }), SECRET);
    let verified = verify(&platform, &original).await;
    assert_eq!(verified.body["email"], "anna@example.com");
    assert_eq!((&verified.body["session_id"], &verified.body["expires_at"]), (&Value::Null, &Value::Null));
    let exp = (Utc::now() + TimeDelta::minutes(1)).timestamp();
    let ending = verify(&platform, &signed(&json!({ "id": anna.id, "exp": exp }), SECRET)).await;
    assert_eq!(ending.status, 200);
    assert!(ending.body["expires_at"].is_string());
    for (claims, secret) in [
        (json!({ "id": anna.id, "exp": 1 }), SECRET),
        (json!({ "id": anna.id }), "another secret of thirty-two bytes"),
        (json!({ "id": uuid::Uuid::now_v7() }), SECRET),
        (json!({ "email": anna.email }), SECRET),
    ] {
        assert_eq!(verify(&platform, &signed(&claims, secret)).await.status, 401, "{claims}");
    }
    let strong = Header::new(jsonwebtoken::Algorithm::HS512);
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let other_algorithm = jsonwebtoken::encode(&strong, &json!({ "id": anna.id }), &key).unwrap();
    assert_eq!(verify(&platform, &other_algorithm).await.status, 401);
    let strict = start(database, &["--secret-key", SECRET]).await;
    assert_eq!(verify(&strict, &original).await.status, 401, "nobody has asked for it");

    assert_eq!(platform.call("POST", "/auth/signout", Some(&original), None).await.status, 400);
    let body = json!({ "current_password": PASSWORD, "new_password": "eight tame geese",
        "confirm_password": "eight tame geese" });
    assert_eq!(platform.call("POST", "/auth/change-password", Some(&original), Some(body)).await.status, 200);
    assert_eq!(verify(&platform, &original).await.status, 401);
    let original = signed(&json!({ "id": ben.id }), SECRET);
    assert_eq!(platform.call("POST", "/auth/signout-everywhere", Some(&original), None).await.status, 204);
    assert_eq!(verify(&platform, &original).await.status, 401);
}

#[test]
fn production_refuses_a_secret_that_everybody_knows() {
    let check = |arguments: &[&str]| {
        let given = ["auth-service", "--database-url", "postgres://localhost/x"].iter().chain(arguments);
        let given = SERVICE.command().try_get_matches_from(given).unwrap();
        let environment = Base::from_arg_matches(&given).unwrap().environment;
        let settings = TokenSettings::from_arg_matches(&given).unwrap();
        settings.check(environment).map_err(|error| error.to_string())
    };
    let refusal =
        |name: &str, fault: &str| Err(format!("{name} {fault}; make one for production with: openssl rand -base64 32"));
    assert_eq!(check(&[]), Ok(()));
    let production = ["--environment", "production"];
    assert_eq!(check(&production), refusal("SECRET_KEY", "holds a word of development"), "the default");
    let random = "2Wc0mVwMyr0Y5uHn8Gf0vQk1Zb3uXoXcJ4sT7aYpLeA=";
    let short = [&production[..], &["--secret-key", &random[..31]]].concat();
    assert_eq!(check(&short), refusal("SECRET_KEY", "has fewer than 32 bytes"));
    let good = [&production[..], &["--secret-key", random]].concat();
    assert_eq!(check(&good), Ok(()));
    let previous = [&good[..], &["--previous-secret-keys", &random[..31]]].concat();
    assert_eq!(check(&previous), refusal("PREVIOUS_SECRET_KEYS", "has fewer than 32 bytes"));
}

#[sqlx::test(migrations = false)]
async fn a_new_password_ends_the_tokens_of_before(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let change = async |current: &str, new: &str, confirm: &str| {
        let body = json!({ "current_password": current, "new_password": new, "confirm_password": confirm, "more": 1 });
        platform.call("POST", "/auth/change-password", Some(&anna.token), Some(body)).await
    };
    let wrong = change("nine geese here", "eight tame geese", "other").await;
    assert_eq!(detail(&wrong), (400, &json!("Current password not matching")));
    let other = change(PASSWORD, "eight tame geese", "eight tame gees").await;
    assert_eq!(detail(&other), (400, &json!("Password and confirm password missmatched")));
    assert_eq!(faults(&change(PASSWORD, "short", "short").await)[0].0, "body.new_password");
    assert_eq!(verify(&platform, &anna.token).await.status, 200, "nothing has changed yet");

    let before = platform.call("GET", "/users/me", Some(&anna.token), None).await.body;
    let changed = change(PASSWORD, "eight tame geese", "eight tame geese").await;
    assert_eq!((changed.status.as_u16(), &changed.body["token_type"]), (200, &json!("bearer")));
    let new = changed.body["access_token"].as_str().unwrap();
    assert_eq!(verify(&platform, &anna.token).await.status, 401);
    assert_eq!(verify(&platform, new).await.status, 200);
    assert_ne!(platform.call("GET", "/users/me", Some(new), None).await.body["updated_at"], before["updated_at"]);
    assert_eq!(sign_in(&platform, &anna.email, PASSWORD).await.status, 404);
    assert_eq!(sign_in(&platform, &anna.email, "eight tame geese").await.status, 200);
    assert_eq!(change(PASSWORD, "eight tame geese", "eight tame geese").await.status, 401);
}

#[sqlx::test(migrations = false)]
async fn of_many_password_changes_at_once_one_wins(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let change = |n: usize| {
        let new = format!("{n} tame geese here");
        let body = json!({ "current_password": PASSWORD, "new_password": new, "confirm_password": new });
        platform.call("POST", "/auth/change-password", Some(&anna.token), Some(body))
    };
    let replies = join_all((0..5).map(change)).await;
    let winners: Vec<usize> = (0..5).filter(|n| replies[*n].status == 200).collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(sign_in(&platform, &anna.email, &format!("{} tame geese here", winners[0])).await.status, 200);
}

#[sqlx::test(migrations = false)]
async fn a_forgotten_password_does_not_tell_who_is_there(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    mailed(&platform).await;
    let known = forgot(&platform, "ANNA%40example.com").await;
    let unknown = forgot(&platform, "nobody%40example.com").await;
    for nonsense in ["nonsense", "anna+news@example.com", "anna%40exa%E2%80%8Bmple.com"] {
        assert_eq!(faults(&forgot(&platform, nonsense).await)[0].0, "query.email", "{nonsense}");
    }
    for reply in [&known, &unknown] {
        assert_eq!(reply.status, 200);
        let names: Vec<_> = reply.body.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["updated_by", "created_at", "created_by", "user_id", "updated_at", "id"]);
        assert_eq!((&reply.body["updated_by"], &reply.body["created_by"]), (&Value::Null, &Value::Null));
        let at = reply.body["created_at"].as_str().unwrap();
        assert!(at.parse::<chrono::NaiveDateTime>().is_ok(), "{at} has no offset");
        for id in ["id", "user_id"] {
            assert!(serde_json::from_value::<uuid::Uuid>(reply.body[id].clone()).is_ok_and(|id| id != anna.id));
        }
    }
    let headers = |reply: &Reply| -> Vec<String> { reply.headers.keys().map(ToString::to_string).collect() };
    assert_eq!(headers(&known), headers(&unknown));
    let mails = mailed(&platform).await;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].0, "anna@example.com");
    assert!(!known.body.to_string().contains(&mails[0].1));
    let stolen = reset(&platform, known.body["id"].as_str().unwrap(), "eight-tame-geese").await;
    assert_eq!(detail(&stolen), (401, &json!("Invalid Token")));
    let missing = platform.call("POST", "/auth/forgot-password", None, None).await;
    assert_eq!(faults(&missing), [("query.email".into(), "value_error.missing")]);
    assert_eq!(faults(&forgot(&platform, "a%00").await)[0].1, "value_error.any_str.control_character");
}

#[sqlx::test(migrations = false)]
async fn a_reset_works_once_and_ends_the_tokens_of_before(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let [(_, activation)] = mailed(&platform).await.try_into().unwrap();
    for _ in 0..2 {
        forgot(&platform, "anna%40example.com").await;
    }
    let [(_, token), (_, spare)] = mailed(&platform).await.try_into().unwrap();
    let path = format!("/auth/reset-password?reset_token={token}&password=eight-tame-geese&confirmed_password=x");
    let other = platform.call("POST", &path, None, None).await;
    assert_eq!(detail(&other), (400, &json!("Password and confirm password missmatched")));
    assert_eq!(
        faults(&reset(&platform, &token, "password1").await),
        [("query.password".into(), "value_error.password.common")]
    );
    let missing = platform.call("POST", "/auth/reset-password", None, None).await;
    let places: Vec<_> = faults(&missing).into_iter().map(|fault| fault.0).collect();
    assert_eq!(places, ["query.reset_token", "query.password", "query.confirmed_password"]);
    for wrong in ["nonsense", "%00", &activation] {
        let reply = reset(&platform, wrong, "eight-tame-geese").await;
        assert!([401, 422].contains(&reply.status.as_u16()), "{wrong}: {reply:?}");
    }
    assert_eq!(verify(&platform, &anna.token).await.status, 200);

    let done = reset(&platform, &token, "eight-tame-geese").await;
    assert_eq!((done.status.as_u16(), &done.body["email"]), (200, &json!("anna@example.com")), "{done:?}");
    assert_eq!(done.body.as_object().unwrap().len(), 14);
    assert_eq!(verify(&platform, &anna.token).await.status, 401);
    assert_eq!(sign_in(&platform, &anna.email, PASSWORD).await.status, 404);
    assert_eq!(sign_in(&platform, &anna.email, "eight-tame-geese").await.status, 200);
    for used in [&token, &spare] {
        let again = reset(&platform, used, "nine-tame-geese").await;
        assert_eq!(detail(&again), (401, &json!("Invalid Token")));
        assert_eq!(again.headers[header::CONTENT_TYPE], "application/problem+json");
    }
}

#[sqlx::test(migrations = false)]
async fn a_reset_ends_after_five_minutes(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    mailed(&platform).await;
    forgot(&platform, "anna%40example.com").await;
    let [(_, token)] = mailed(&platform).await.try_into().unwrap();
    UserToken::age(&platform.app.db, anna.id, 300.0).await.unwrap();
    for _ in 0..2 {
        let late = reset(&platform, &token, "eight-tame-geese").await;
        assert_eq!(detail(&late), (401, &json!("Token Expired")));
    }
    UserToken::age(&platform.app.db, anna.id, -30.0).await.unwrap();
    assert_eq!(reset(&platform, &token, "eight-tame-geese").await.status, 200);
}

#[sqlx::test(migrations = false)]
async fn of_many_resets_at_once_with_one_token_one_wins(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    join(&platform, "anna").await;
    mailed(&platform).await;
    forgot(&platform, "anna%40example.com").await;
    let [(_, token)] = mailed(&platform).await.try_into().unwrap();
    let passwords: Vec<_> = (0..8).map(|n| format!("{n}-tame-geese")).collect();
    let replies = join_all(passwords.iter().map(|password| reset(&platform, &token, password))).await;
    let mut statuses: Vec<_> = replies.iter().map(|reply| reply.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401, 401, 401, 401, 401, 401, 401]);
}

#[sqlx::test(migrations = false)]
async fn an_address_is_verified_once_by_the_mail(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let [(recipient, token)] = mailed(&platform).await.try_into().unwrap();
    assert_eq!(recipient, "anna@example.com");
    let activate = async |query: &str| platform.call("POST", &format!("/users/activate{query}"), None, None).await;
    assert_eq!(faults(&activate("").await), [("query.activation_token".into(), "value_error.missing")]);
    assert_eq!(detail(&activate("?activation_token=x").await), (401, &json!("Invalid Token")));
    let done = activate(&format!("?activation_token={token}")).await;
    assert_eq!((done.status.as_u16(), &done.body["id"]), (200, &json!(anna.id)));
    assert_eq!((&done.body["is_verified"], &done.body["status"]), (&json!(true), &json!("ACTIVE")));
    let again = activate(&format!("?activation_token={token}")).await;
    assert_eq!(detail(&again), (401, &json!("Invalid Token")));
    assert_eq!(account(&platform.call("GET", "/users/me", Some(&anna.token), None).await.body), done.body);
    assert_eq!(account(&platform.published(USER_UPDATED).await[0]), done.body);
}

#[sqlx::test(migrations = false)]
async fn the_list_of_tokens_is_ones_own_and_opens_nothing(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    join(&platform, "ben").await;
    forgot(&platform, "anna%40example.com").await;
    let mails = mailed(&platform).await;
    let list = platform.call("GET", "/auth/all-tokens", Some(&anna.token), None).await;
    assert_eq!(list.status, 200);
    let tokens = list.body.as_array().unwrap();
    assert_eq!(tokens.len(), 2);
    for token in tokens {
        let names: Vec<_> = token.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["id", "created_at", "created_by", "updated_at", "updated_by"]);
        assert_eq!((&token["created_by"], &token["updated_by"]), (&json!(anna.id), &Value::Null));
        let stolen = reset(&platform, token["id"].as_str().unwrap(), "eight-tame-geese").await;
        assert_eq!(stolen.status, 401);
    }
    assert!(mails.iter().all(|(_, secret)| !list.body.to_string().contains(secret)));
    assert_eq!(platform.call("GET", "/auth/all-tokens", None, None).await.status, 401);
}

#[sqlx::test(migrations = false)]
async fn a_flood_of_passwords_is_turned_away(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    sign_up(&platform, "anna@example.com").await;
    let places = &platform.app.passwords.places;
    let cores = u32::try_from(places.available_permits()).unwrap();
    let taken = places.acquire_many(cores).await.unwrap();
    let flood = (0..cores as usize + 64 + 8).map(|_| sign_in(&platform, "anna@example.com", PASSWORD));
    let replies = join_all(flood).await;
    let refusal = json!("Too many passwords to check at the moment");
    for reply in &replies {
        assert_eq!(detail(reply), (503, &refusal));
        assert_eq!(reply.headers[header::RETRY_AFTER], "2");
    }
    drop(taken);
    assert_eq!(sign_in(&platform, "anna@example.com", PASSWORD).await.status, 200);
}

#[sqlx::test(migrations = false)]
async fn a_stale_hash_is_renewed_at_sign_in(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let db = &platform.app.db;
    let cheap = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(1024, 1, 1, None).unwrap());
    let stale: PasswordHash = cheap.hash_password(PASSWORD.as_bytes()).unwrap();
    let stale = stale.to_string();
    let before = Account::find(db, anna.id).await.unwrap().unwrap().password_hash;
    Account::rehash(db, anna.id, &before, &stale).await.unwrap();
    assert_eq!(sign_in(&platform, &anna.email, "eight tame geese").await.status, 404);
    assert_eq!(Account::find(db, anna.id).await.unwrap().unwrap().password_hash, stale);
    assert_eq!(sign_in(&platform, &anna.email, PASSWORD).await.status, 200);
    let after = Account::find(db, anna.id).await.unwrap().unwrap().password_hash;
    assert!(after.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{after}");
    assert_eq!(verify(&platform, &anna.token).await.status, 200, "it is the same password");
}

/// A request from another client than all others.
async fn from(platform: &Platform, client: &str, path: &str, token: Option<&str>, body: Option<Value>) -> Reply {
    let mut request = Request::post(format!("/api/v1{path}")).header("x-forwarded-for", client);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    platform.send(request.header(header::CONTENT_TYPE, "application/json").body(body).unwrap()).await
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

/// A hash of before was made from the two code points of an umlaut, as that keyboard sent them.
#[sqlx::test(migrations = false)]
async fn a_hash_of_a_password_that_was_not_normalised_is_renewed_at_sign_in(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let db = &platform.app.db;
    let (composed, decomposed) = ("gr\u{fc}n wie Gras", "gru\u{308}n wie Gras");
    let old: PasswordHash = Argon2::default().hash_password(decomposed.as_bytes()).unwrap();
    let before = Account::find(db, anna.id).await.unwrap().unwrap().password_hash;
    Account::rehash(db, anna.id, &before, &old.to_string()).await.unwrap();
    assert_eq!(sign_in(&platform, &anna.email, composed).await.status, 404, "it was never typed so");
    assert_eq!(sign_in(&platform, &anna.email, decomposed).await.status, 200);
    for typed in [composed, decomposed] {
        assert_eq!(sign_in(&platform, &anna.email, typed).await.status, 200, "from here on in each form");
    }
    let change = json!({ "current_password": decomposed, "new_password": "Zo\u{eb} und die G\u{e4}nse",
        "confirm_password": "Zoe\u{308} und die Ga\u{308}nse" });
    let token = sign_in(&platform, &anna.email, composed).await.body["access_token"].as_str().unwrap().to_owned();
    let changed = platform.call("POST", "/auth/change-password", Some(&token), Some(change)).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let longest = "u\u{308}".repeat(128);
    let body = json!({ "email": "ben@example.com", "password": longest, "interests": [] });
    assert_eq!(register(&platform, body).await.status, 201, "128 letters");
    let body = json!({ "email": "carla@example.com", "password": format!("{longest}u"), "interests": [] });
    assert_eq!(faults(&register(&platform, body).await), [("body.password".into(), "value_error.any_str.max_length")]);
}

/// How long the caller has to wait, as the answer says; none when it is no refusal of a limit.
fn retry_after(reply: &Reply) -> Option<u64> {
    (reply.status == 429).then(|| reply.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap())
}

#[sqlx::test(migrations = false)]
async fn who_guesses_at_an_account_waits_longer_and_longer(_: PgPoolOptions, database: PgConnectOptions) {
    // Off for addresses, so that what is seen is the account's own.
    let platform = start(database, &["--rate-limits", "sign_in=1000/1"]).await;
    join(&platform, "anna").await;
    let guess = async |email: &str| sign_in(&platform, email, "eight tame geese").await;
    for email in ["anna@example.com", "nobody@example.com"] {
        for _ in 0..10 {
            assert_eq!(guess(email).await.status, 404);
        }
        let key = pause_key(&account_key(&address(email)));
        for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert_eq!(guess(email).await.status, 404);
            let mut redis = platform.app.redis.clone();
            assert_eq!(redis.hget::<_, _, u64>(&key, "pause").await.unwrap(), pause * 1000);
            if pause == 60 {
                let wait = retry_after(&guess(email).await).unwrap();
                assert!((50..=60).contains(&wait), "{wait} s");
            }
            let far: u64 = 4_102_444_800_000;
            let _: () = redis.hset(&key, "free_at", far).await.unwrap();
            let hashes = platform.app.passwords.hashes();
            let early = guess(&email.to_uppercase()).await;
            assert_eq!(detail(&early), (429, &json!("Too many requests")));
            assert_eq!(platform.app.passwords.hashes(), hashes, "it is asked before the hash");
            // The pause goes by.
            let _: () = redis.hset(&key, "free_at", 0).await.unwrap();
        }
        let keys: Vec<String> = platform.app.redis.clone().keys("rl:account*").await.unwrap();
        assert!(
            !keys.is_empty() && keys.iter().all(|key| !key.contains("anna") && !key.contains("nobody")),
            "{keys:?}"
        );
    }
    guess("anna@example.com").await;
    assert_eq!(sign_in(&platform, "anna@example.com", PASSWORD).await.status, 429, "even the right one waits");
    let _: () = platform
        .app
        .redis
        .clone()
        .hset(pause_key(&account_key(&address("anna@example.com"))), "free_at", 0)
        .await
        .unwrap();
    assert_eq!(sign_in(&platform, "anna@example.com", PASSWORD).await.status, 200);
    for _ in 0..10 {
        assert_eq!(guess("anna@example.com").await.status, 404, "the right one has made an end of it");
    }
    let _: () = platform
        .app
        .redis
        .clone()
        .hset(pause_key(&account_key(&address("nobody@example.com"))), "free_at", 1)
        .await
        .unwrap();
    guess("nobody@example.com").await;
    assert_eq!(guess("nobody@example.com").await.status, 429, "somebody else's is their own");
}

#[sqlx::test(migrations = false)]
async fn mails_for_a_new_password_are_few_whoever_asks(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &["--rate-limits", "forgot_password=1000/1"]).await;
    join(&platform, "anna").await;
    for email in ["anna%40example.com", "nobody%40example.com"] {
        for _ in 0..3 {
            assert_eq!(forgot(&platform, email).await.status, 200);
        }
        let refused = retry_after(&forgot(&platform, &email.to_uppercase()).await).unwrap();
        assert!((1100..=1200).contains(&refused), "{email}: {refused} s to the next of three in an hour");
    }
}

/// The longest that a probe may take in the middle of a flood, by the median of many.
const ALIVE: Duration = Duration::from_millis(50);

/// Asks every 5 ms over a connection of its own whether the service lives, until `stop`; how long each answer
/// took.
fn probe(address: SocketAddr, stop: &Receiver<()>) -> Vec<Duration> {
    let mut connection = TcpStream::connect(address).unwrap();
    let mut answer = [0; 4096];
    let mut took = Vec::new();
    while stop.recv_timeout(Duration::from_millis(5)).is_err() {
        let started = Instant::now();
        connection.write_all(b"GET /health/live HTTP/1.1\r\nhost: test\r\n\r\n").unwrap();
        let mut read = 0;
        while !answer[..read].ends_with(b"}") {
            read += connection.read(&mut answer[read..]).unwrap();
        }
        assert!(answer.starts_with(b"HTTP/1.1 200"));
        took.push(started.elapsed());
    }
    took
}

#[sqlx::test(migrations = false)]
async fn a_flood_of_sign_ins_takes_bounded_memory_and_leaves_the_service_alive(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database, &[]).await;
    let cores = platform.app.passwords.places.available_permits();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = axum::serve(listener, platform.router.clone());
    let serving = serving.with_graceful_shutdown(platform.app.stop.clone().cancelled_owned());
    platform.app.tasks.spawn(async { serving.await });
    let (stop, told) = channel();
    let probing = std::thread::spawn(move || probe(address, &told));
    let guess = async |n: usize| sign_in(&platform, &format!("{n}@example.com"), PASSWORD).await.status;
    let statuses = join_all((0..300).map(guess)).await;
    stop.send(()).unwrap();
    let mut took = tokio::task::spawn_blocking(|| probing.join().unwrap()).await.unwrap();
    platform.app.stop.cancel();
    platform.app.tasks.close();
    platform.app.tasks.wait().await;
    assert!(statuses.iter().all(|status| [404, 503].contains(&status.as_u16())), "{statuses:?}");
    assert!(statuses.iter().any(|status| *status == 503), "so many do not fit into the queue");
    assert!(platform.app.passwords.memory() <= cores, "19 MiB for each core and no more");
    took.sort_unstable();
    let median = took[took.len() / 2];
    assert!(took.len() > 20 && median < ALIVE, "{} probes, median {median:?}", took.len());
}

#[sqlx::test(migrations = false)]
async fn nobody_gives_themselves_what_is_not_theirs_to_give(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let before = verify(&platform, &anna.token).await.body;
    let own = format!("/users/{}", anna.id);
    let whole = |email: &str| json!({ "email": email, "password": PASSWORD, "interests": [] });
    for (name, value) in [
        ("id", json!(uuid::Uuid::now_v7())),
        ("role", json!("ADMIN")),
        ("status", json!("ACTIVE")),
        ("is_verified", json!(true)),
        ("rating", json!(5.0)),
        ("date_joined", json!("2001-01-01T00:00:00+00:00")),
        ("total_connections", json!(1000)),
        ("password_hash", json!("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g")),
        ("accepts_legacy", json!(true)),
    ] {
        let with = |mut body: Value| {
            body[name] = value.clone();
            Some(body)
        };
        for (method, path, body) in [
            ("POST", "/auth/signup", with(whole("ben@example.com"))),
            ("PUT", own.as_str(), with(whole(&anna.email))),
            ("PATCH", "/users/me", with(json!({}))),
        ] {
            let reply = platform.call(method, path, Some(&anna.token), body).await;
            assert_eq!(faults(&reply), [(format!("body.{name}"), "value_error.extra")], "{method} {path}");
        }
    }
    assert_eq!(verify(&platform, &anna.token).await.body, before);
    assert_eq!(sign_in(&platform, "ben@example.com", PASSWORD).await.status, 404, "there is no such account");
}
