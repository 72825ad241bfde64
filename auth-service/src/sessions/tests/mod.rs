//! Sessions, through their routes: how they go on, how they end, and what a forged token gets.
mod cookies;
mod introspection;

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Request, header};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{TimeDelta, Utc};
use futures::future::join_all;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::events::SESSION_REVOKED;
use super::models::Session;
use super::schedulers::sweep;
use crate::core::testing::{Platform, Reply};
use crate::testing::{PASSWORD, Person, join, sign_in, start};

const SECRET: &str = "2Wc0mVwMyr0Y5uHn8Gf0vQk1Zb3uXoXcJ4sT7aYpLeA=";
const OTHER_SECRET: &str = "Qk1Zb3uXoXcJ4sT7aYpLeA2Wc0mVwMyr0Y5uHn8Gf0v=";
/// A day, in seconds.
const DAY: f64 = 86400.0;

/// The tokens of a session, as a client keeps them.
#[derive(Clone, Debug)]
struct Tokens {
    access: String,
    refresh: String,
}

impl Tokens {
    fn of(reply: &Reply) -> Self {
        assert_eq!(reply.status, 200, "{reply:?}");
        let text = |name: &str| reply.body[name].as_str().unwrap().to_owned();
        Self { access: text("access_token"), refresh: text("refresh_token") }
    }
}

fn refusal(reply: &Reply) -> (u16, &str) {
    (reply.status.as_u16(), reply.body["detail"].as_str().unwrap())
}

async fn enter(platform: &Platform, person: &Person) -> Tokens {
    Tokens::of(&sign_in(platform, &person.email, PASSWORD).await)
}

async fn refresh(platform: &Platform, token: &str) -> Reply {
    platform.call("POST", "/auth/refresh", None, Some(json!({ "refresh_token": token }))).await
}

async fn verify(platform: &Platform, token: &str) -> Reply {
    platform.call("GET", "/auth/verify-token", Some(token), None).await
}

async fn sessions(platform: &Platform, token: &str) -> Vec<Value> {
    let reply = platform.call("GET", "/auth/sessions", Some(token), None).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body.as_array().unwrap().clone()
}

async fn age(platform: &Platform, person: &Person, seconds: f64) {
    let mut tx = platform.app.db.begin().await.unwrap();
    Session::age(&mut tx, person.id, seconds).await.unwrap();
    tx.commit().await.unwrap();
}

/// The payload of a token that is believed without a check.
fn payload(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[sqlx::test(migrations = false)]
async fn a_sign_in_answers_the_tokens_of_a_session(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let reply = sign_in(&platform, &anna.email, PASSWORD).await;
    let names: Vec<_> = reply.body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["access_token", "token_type", "expires_in", "refresh_token"]);
    assert_eq!((&reply.body["token_type"], &reply.body["expires_in"]), (&json!("bearer"), &json!(900)));
    assert_eq!(reply.headers[header::CACHE_CONTROL], "no-store");
    assert!(reply.headers.get(header::SET_COOKIE).is_none());
    let tokens = Tokens::of(&reply);
    assert_eq!(tokens.refresh.len(), 43, "256 bits");

    let verified = verify(&platform, &tokens.access).await;
    let claims = payload(&tokens.access);
    assert_eq!(verified.body["session_id"], claims["sid"]);
    let ends = verified.body["expires_at"].as_str().unwrap().parse::<chrono::DateTime<Utc>>().unwrap();
    assert_eq!(json!(ends.timestamp()), claims["exp"]);
}

#[sqlx::test(migrations = false)]
async fn whoever_has_the_published_key_can_check_a_token(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &["--secret-key", SECRET, "--previous-secret-keys", OTHER_SECRET]).await;
    let anna = join(&platform, "anna").await;
    let published = platform.send(Request::get("/.well-known/jwks.json").body(Body::empty()).unwrap()).await;
    assert_eq!(published.status, 200);
    assert_eq!(published.headers[header::CACHE_CONTROL], "public, max-age=300");
    let key = &published.body["keys"][0];
    let named = ["kty", "crv", "alg", "use"].map(|name| key[name].as_str().unwrap());
    assert_eq!(named, ["OKP", "Ed25519", "EdDSA", "sig"]);
    assert_eq!(key["d"], Value::Null, "the private half");
    let keys: JwkSet = serde_json::from_value(published.body).unwrap();
    assert_eq!(keys.keys.len(), 2, "the key of the other secret as well");

    let header = jsonwebtoken::decode_header(&anna.token).unwrap();
    assert_eq!((header.alg, header.typ.as_deref()), (Algorithm::EdDSA, Some("at+jwt")));
    let jwk = keys.find(&header.kid.unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&["social-network"]);
    validation.set_issuer(&["auth-service"]);
    let read = jsonwebtoken::decode::<Value>(&anna.token, &DecodingKey::from_jwk(jwk).unwrap(), &validation).unwrap();
    let names: Vec<_> = read.claims.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["iss", "sub", "sid", "aud", "iat", "exp", "jti"]);
    assert_eq!(read.claims["sub"], json!(anna.id));
    assert_eq!(read.claims["exp"].as_i64().unwrap() - read.claims["iat"].as_i64().unwrap(), 900);
}

/// A token with these claims, signed as the platform signs, but for what `change` does.
fn forged(secret: &str, claims: &Value, change: impl FnOnce(&mut Header)) -> String {
    let (key, jwk) = crate::app::access_tokens::key(secret).unwrap();
    let mut header = Header::new(Algorithm::EdDSA);
    header.typ = Some("at+jwt".into());
    header.kid = jwk.common.key_id;
    change(&mut header);
    jsonwebtoken::encode(&header, claims, &key).unwrap()
}

fn unsigned(header: &Value, claims: &Value, signature: &str) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", part(header), part(claims))
}

#[sqlx::test(migrations = false)]
async fn a_forged_token_opens_nothing(_: PgPoolOptions, database: PgConnectOptions) {
    for legacy in ["false", "true"] {
        let settings = ["--secret-key", SECRET, "--accept-legacy-tokens", legacy];
        let platform = start(database.clone(), &settings).await;
        let anna = join(&platform, &format!("anna.{legacy}")).await;
        let good = payload(&anna.token);
        assert_eq!(verify(&platform, &forged(SECRET, &good, |_| ())).await.status, 200, "what is forged below is good");
        let with = |name: &str, value: Value| {
            let mut claims = good.clone();
            claims[name] = value;
            claims
        };
        let without = |name: &str| {
            let mut claims = good.clone();
            claims.as_object_mut().unwrap().remove(name);
            claims
        };
        let in_seconds = |seconds| json!((Utc::now() + TimeDelta::seconds(seconds)).timestamp());
        let late = forged(SECRET, &with("exp", in_seconds(-3)), |_| ());
        assert_eq!(verify(&platform, &late).await.status, 200, "clocks differ by seconds");
        for nbf in [in_seconds(-60), in_seconds(3)] {
            let begun = forged(SECRET, &with("nbf", nbf), |_| ());
            assert_eq!(verify(&platform, &begun).await.status, 200);
        }

        let signature = anna.token.rsplit('.').next().unwrap();
        let jwk: &Jwk = &platform.app.tokens.published.keys[0];
        let public = serde_json::to_value(jwk).unwrap();
        let kid = public["kid"].clone();
        let hmac = |secret: &[u8]| {
            let header = Header { kid: kid.as_str().map(str::to_owned), ..Header::new(Algorithm::HS256) };
            let mut claims = good.clone();
            claims["id"] = good["sub"].clone();
            jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(secret)).unwrap()
        };
        let header = |alg: &str| json!({ "alg": alg, "typ": "at+jwt", "kid": kid });
        let mut with_crit = header("EdDSA");
        with_crit["crit"] = json!("exp");
        let x = public["x"].as_str().unwrap();
        let mut tokens = vec![
            ("no algorithm", unsigned(&header("none"), &good, "")),
            ("no algorithm, spelt otherwise", unsigned(&header("nOnE"), &good, signature)),
            ("another curve's algorithm", unsigned(&header("ES256"), &good, signature)),
            ("no signature", unsigned(&header("EdDSA"), &good, "")),
            ("another token's signature", unsigned(&header("EdDSA"), &with("sub", json!(Uuid::now_v7())), signature)),
            ("the public key as a secret", hmac(x.as_bytes())),
            ("the public key's bytes as a secret", hmac(&BASE64_URL_SAFE_NO_PAD.decode(x).unwrap())),
            ("the published key as a secret", hmac(public.to_string().as_bytes())),
            ("another secret", forged(OTHER_SECRET, &good, |_| ())),
            ("another secret under our name", {
                forged(OTHER_SECRET, &good, |header| header.kid = kid.as_str().map(str::to_owned))
            }),
            ("no key", forged(SECRET, &good, |header| header.kid = None)),
            ("another type", forged(SECRET, &good, |header| header.typ = Some("JWT".into()))),
            ("no type", forged(SECRET, &good, |header| header.typ = None)),
            ("expired", forged(SECRET, &with("exp", in_seconds(-60)), |_| ())),
            ("another audience", forged(SECRET, &with("aud", json!("another-network")), |_| ())),
            ("another issuer", forged(SECRET, &with("iss", json!("another-service")), |_| ())),
            ("somebody else's session", forged(SECRET, &with("sub", json!(Uuid::now_v7())), |_| ())),
            ("an unknown session", forged(SECRET, &with("sid", json!(Uuid::now_v7())), |_| ())),
            ("good in a minute", forged(SECRET, &with("nbf", in_seconds(60)), |_| ())),
            ("good at no time", forged(SECRET, &with("nbf", json!("soon")), |_| ())),
            ("critical, and unknown", {
                forged(SECRET, &good, |header| header.crit = Some(vec!["https://example.com/hardware".into()]))
            }),
            ("critical, and known to others", forged(SECRET, &good, |header| header.crit = Some(vec!["b64".into()]))),
            ("critical, and nothing", forged(SECRET, &good, |header| header.crit = Some(Vec::new()))),
            ("critical, and no list", unsigned(&with_crit, &good, signature)),
            ("an HMAC with nothing", hmac(b"")),
            ("an HMAC with another secret", hmac(OTHER_SECRET.as_bytes())),
            ("a key that is a path", forged(SECRET, &good, |header| header.kid = Some("../../dev/null".into()))),
            ("a key that is SQL", forged(SECRET, &good, |header| header.kid = Some("' or 1=1 --".into()))),
            ("a later end", unsigned(&header("EdDSA"), &with("exp", in_seconds(9999)), signature)),
            ("an end beyond all numbers", forged(SECRET, &with("exp", json!(1e300)), |_| ())),
            ("a key of their own", {
                let (key, jwk) = crate::app::access_tokens::key(OTHER_SECRET).unwrap();
                let mut header = Header::new(Algorithm::EdDSA);
                (header.typ, header.kid) = (Some("at+jwt".into()), jwk.common.key_id.clone());
                (header.jwk, header.jku) = (Some(jwk), Some("http://127.0.0.1:9/jwks".into()));
                jsonwebtoken::encode(&header, &good, &key).unwrap()
            }),
            ("cut off", anna.token[..anna.token.len() - 2].into()),
            ("padded", format!("{}=", anna.token)),
            ("two", format!("{0},{0}", anna.token)),
            ("dots", "..".into()),
            ("nonsense", "a.b.c".into()),
            ("nothing", String::new()),
        ];
        for name in ["iss", "sub", "sid", "aud", "exp", "jti"] {
            tokens.push(("a missing claim", forged(SECRET, &without(name), |_| ())));
        }
        for (what, token) in tokens {
            let reply = verify(&platform, &token).await;
            assert_eq!(refusal(&reply), (401, "Invalid username or password"), "{what}: {token}");
        }
        platform.app.db.close().await;
    }
}

#[sqlx::test(migrations = false)]
async fn a_secret_is_replaced_while_people_are_signed_in(_: PgPoolOptions, database: PgConnectOptions) {
    let old = start(database.clone(), &["--secret-key", SECRET]).await;
    let anna = join(&old, "anna").await;
    let both = ["--secret-key", OTHER_SECRET, "--previous-secret-keys", SECRET];
    let new = start(database.clone(), &both).await;
    assert_eq!(verify(&new, &anna.token).await.status, 200);
    let fresh = enter(&new, &anna).await;
    assert_eq!(verify(&old, &fresh.access).await.status, 401, "this replica was not told of the new secret first");
    let told = start(database.clone(), &["--secret-key", SECRET, "--previous-secret-keys", OTHER_SECRET]).await;
    assert_eq!(verify(&told, &fresh.access).await.status, 200);
    let done = start(database, &["--secret-key", OTHER_SECRET, "--previous-secret-keys", ""]).await;
    assert_eq!(done.app.tokens.published.keys.len(), 1);
    assert_eq!(verify(&done, &anna.token).await.status, 401, "the old secret was taken back");
    assert_eq!(verify(&done, &fresh.access).await.status, 200);
}

#[sqlx::test(migrations = false)]
async fn a_session_goes_on_by_its_refresh_tokens(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let first = enter(&platform, &anna).await;
    let second = Tokens::of(&refresh(&platform, &first.refresh).await);
    let third = Tokens::of(&refresh(&platform, &second.refresh).await);
    let all = [&first, &second, &third];
    assert_eq!(all.iter().map(|tokens| &tokens.refresh).collect::<BTreeSet<_>>().len(), 3);
    let names: BTreeSet<_> = all.iter().map(|tokens| payload(&tokens.access)["sid"].to_string()).collect();
    assert_eq!(names.len(), 1, "it is the same session");
    for tokens in all {
        assert_eq!(verify(&platform, &tokens.access).await.status, 200, "each access token is good to its end");
    }
    for wrong in ["", "nonsense", &"x".repeat(43), &third.access[..100]] {
        assert_eq!(refusal(&refresh(&platform, wrong).await), (401, "Invalid refresh token"), "{wrong}");
    }
    let longer = json!({ "refresh_token": third.refresh, "user_id": Uuid::now_v7() });
    let assigned = platform.call("POST", "/auth/refresh", None, Some(longer)).await;
    assert_eq!((assigned.status.as_u16(), &assigned.body["detail"][0]["type"]), (422, &json!("value_error.extra")));
    assert_eq!(platform.call("POST", "/auth/refresh", None, None).await.status, 422);
    assert_eq!(verify(&platform, &third.refresh).await.status, 401, "a refresh token is no access token");
}

/// Three tabs wake up at once, or a hundred: all go on, and with one token.
#[sqlx::test(migrations = false)]
async fn of_a_hundred_refreshes_at_once_one_is_an_exchange_and_all_get_its_token(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let tokens = enter(&platform, &anna).await;
    let replies = join_all((0..100).map(|_| refresh(&platform, &tokens.refresh))).await;
    let all: Vec<_> = replies.iter().map(Tokens::of).collect();
    assert_eq!(all.iter().map(|tokens| &tokens.refresh).collect::<BTreeSet<_>>().len(), 1);
    assert_eq!(Session::stored(&platform.app.db).await.unwrap(), (2, 3), "two sign-ins and one exchange");
    for tokens in &all {
        assert_eq!(verify(&platform, &tokens.access).await.status, 200);
    }
    assert_eq!(refresh(&platform, &all[0].refresh).await.status, 200);
}

/// A phone in a tunnel: the exchange is done, its answer is lost, and the client sends the same again.
#[sqlx::test(migrations = false)]
async fn a_refresh_whose_answer_was_lost_is_answered_again_for_half_a_minute(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let tokens = enter(&platform, &anna).await;
    let lost = Tokens::of(&refresh(&platform, &tokens.refresh).await);
    age(&platform, &anna, 29.0).await;
    let again = Tokens::of(&refresh(&platform, &tokens.refresh).await);
    assert_eq!(again.refresh, lost.refresh);
    assert_eq!(payload(&again.access)["sid"], payload(&lost.access)["sid"]);
    age(&platform, &anna, 2.0).await;
    assert_eq!(
        refusal(&refresh(&platform, &tokens.refresh).await),
        (401, "Invalid refresh token"),
        "repeating does not lengthen it"
    );
    assert_eq!(refresh(&platform, &again.refresh).await.status, 401, "that was a replay");
    assert!(platform.finds(&lost.refresh).await.is_empty(), "no token is stored in the clear");
}

/// One tab has gone on twice before the other one wakes up with the token of before.
#[sqlx::test(migrations = false)]
async fn a_late_tab_gets_the_token_that_the_others_have(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let tokens = enter(&platform, &anna).await;
    let mut last = Tokens::of(&refresh(&platform, &tokens.refresh).await);
    last = Tokens::of(&refresh(&platform, &last.refresh).await);
    assert_eq!(Tokens::of(&refresh(&platform, &tokens.refresh).await).refresh, last.refresh);
    for _ in 0..7 {
        last = Tokens::of(&refresh(&platform, &last.refresh).await);
    }
    let refused = refresh(&platform, &tokens.refresh).await;
    assert_eq!(refusal(&refused), (401, "Invalid refresh token"), "nine exchanges in half a minute are no tab");
    assert_eq!(verify(&platform, &last.access).await.status, 200, "and yet nothing ends");
    // Half a minute after its exchange the first one is a replay, whatever became of the others.
    age(&platform, &anna, 31.0).await;
    last = Tokens::of(&refresh(&platform, &last.refresh).await);
    assert_eq!(refresh(&platform, &tokens.refresh).await.status, 401);
    assert_eq!(verify(&platform, &last.access).await.status, 401);
}

/// While the secret is replaced, the answer may have been made by a replica with another one.
#[sqlx::test(migrations = false)]
async fn a_refresh_is_answered_again_by_a_replica_with_the_next_secret(_: PgPoolOptions, database: PgConnectOptions) {
    let old = start(database.clone(), &["--secret-key", SECRET, "--previous-secret-keys", OTHER_SECRET]).await;
    let anna = join(&old, "anna").await;
    let tokens = enter(&old, &anna).await;
    let lost = Tokens::of(&refresh(&old, &tokens.refresh).await);
    let new = start(database, &["--secret-key", OTHER_SECRET, "--previous-secret-keys", SECRET]).await;
    assert_eq!(Tokens::of(&refresh(&new, &tokens.refresh).await).refresh, lost.refresh);
}

#[sqlx::test(migrations = false)]
async fn a_refresh_token_that_comes_back_ends_its_session(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let tokens = enter(&platform, &anna).await;
    let next = Tokens::of(&refresh(&platform, &tokens.refresh).await);
    age(&platform, &anna, 31.0).await;
    assert_eq!(refusal(&refresh(&platform, &tokens.refresh).await), (401, "Invalid refresh token"));
    assert_eq!(verify(&platform, &next.access).await.status, 401, "of the person or of the thief, nobody can tell");
    assert_eq!(refusal(&refresh(&platform, &next.refresh).await), (401, "Invalid refresh token"));
    assert_eq!(verify(&platform, &anna.token).await.status, 200, "another session goes on");
    let told = platform.published(SESSION_REVOKED).await;
    let names: Vec<_> = told[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["user_id", "session_id", "reason", "revoked_at"]);
    assert_eq!((told.len(), &told[0]["user_id"]), (1, &json!(anna.id)));
    assert_eq!((&told[0]["session_id"], &told[0]["reason"]), (&payload(&next.access)["sid"], &json!("REPLAYED")));
    assert!(told[0]["revoked_at"].as_str().unwrap().ends_with("+00:00"));
}

#[sqlx::test(migrations = false)]
async fn a_session_ends_when_it_is_not_used_and_at_last_when_it_is(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let idle = enter(&platform, &anna).await;
    age(&platform, &anna, 13.9 * DAY).await;
    let used = Tokens::of(&refresh(&platform, &idle.refresh).await);
    age(&platform, &anna, 14.1 * DAY).await;
    assert_eq!(refusal(&refresh(&platform, &used.refresh).await), (401, "Invalid refresh token"));

    let mut kept = enter(&platform, &anna).await;
    assert_eq!(sessions(&platform, &kept.access).await.len(), 1, "what nobody can go on with is not listed");
    for _ in 0..3 {
        age(&platform, &anna, 9.9 * DAY).await;
        kept = Tokens::of(&refresh(&platform, &kept.refresh).await);
    }
    // The session has 0.3 days left, and then less than an access token would last.
    age(&platform, &anna, 0.3 * DAY - 300.0).await;
    let last = refresh(&platform, &kept.refresh).await;
    let left = last.body["expires_in"].as_i64().unwrap();
    assert!((200..=300).contains(&left), "{left} s");
    age(&platform, &anna, 301.0).await;
    let last = Tokens::of(&last);
    assert_eq!(verify(&platform, &last.access).await.status, 401);
    assert_eq!(refusal(&refresh(&platform, &last.refresh).await), (401, "Invalid refresh token"));
}

#[sqlx::test(migrations = false)]
async fn people_see_where_they_are_signed_in_and_sign_out_there(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let ben = join(&platform, "ben").await;
    let body = json!({ "email": anna.email, "password": PASSWORD }).to_string();
    let request = Request::post("/api/v1/auth/signin").header(header::USER_AGENT, "x".repeat(300));
    let request = request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body)).unwrap();
    let phone = Tokens::of(&platform.send(request).await);

    let list = sessions(&platform, &anna.token).await;
    let names: Vec<_> = list[0].as_object().unwrap().keys().map(String::as_str).collect();
    let expected = ["id", "device", "address_prefix", "created_at", "last_used_at", "expires_at", "current"];
    assert_eq!(names, expected);
    assert_eq!((list.len(), &list[0]["current"], &list[1]["current"]), (2, &json!(false), &json!(true)));
    assert_eq!((&list[0]["device"], &list[1]["device"]), (&json!("x".repeat(200)), &Value::Null));
    assert_eq!(list[0]["id"], payload(&phone.access)["sid"]);
    assert_eq!(list[0]["address_prefix"], "127.0.0.0/24");
    let used = Tokens::of(&refresh(&platform, &phone.refresh).await);
    assert!(sessions(&platform, &anna.token).await[0]["last_used_at"].as_str() > list[0]["last_used_at"].as_str());

    let path = format!("/auth/sessions/{}", list[0]["id"].as_str().unwrap());
    let foreign = platform.call("DELETE", &path, Some(&ben.token), None).await;
    assert_eq!(refusal(&foreign), (404, "Session not found"));
    assert_eq!(verify(&platform, &used.access).await.status, 200);
    assert_eq!(platform.call("DELETE", &path, Some(&anna.token), None).await.status, 204);
    assert_eq!(verify(&platform, &used.access).await.status, 401, "at once");
    assert_eq!(refresh(&platform, &used.refresh).await.status, 401);
    assert_eq!(platform.call("DELETE", &path, Some(&anna.token), None).await.status, 404);
    assert_eq!(platform.call("DELETE", "/auth/sessions/x", Some(&anna.token), None).await.status, 422);
    assert_eq!(sessions(&platform, &anna.token).await.len(), 1);
    assert_eq!(sessions(&platform, &ben.token).await.len(), 1);
    let told = platform.published(SESSION_REVOKED).await;
    assert_eq!(told.len(), 1, "what did not happen is not told");
    assert_eq!((&told[0]["session_id"], &told[0]["reason"]), (&list[0]["id"], &json!("REVOKED")));
}

#[sqlx::test(migrations = false)]
async fn signing_out_ends_this_session_or_all_of_them(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let ben = join(&platform, "ben").await;
    let [one, two] = [enter(&platform, &anna).await, enter(&platform, &anna).await];
    assert_eq!(platform.call("POST", "/auth/signout", Some(&one.access), None).await.status, 204);
    assert_eq!(verify(&platform, &one.access).await.status, 401);
    assert_eq!(refresh(&platform, &one.refresh).await.status, 401);
    assert_eq!(platform.call("POST", "/auth/signout", Some(&one.access), None).await.status, 401);
    assert_eq!(verify(&platform, &two.access).await.status, 200);
    assert_eq!(platform.call("POST", "/auth/signout-everywhere", Some(&two.access), None).await.status, 204);
    for token in [&two.access, &anna.token] {
        assert_eq!(verify(&platform, token).await.status, 401);
    }
    assert_eq!(refresh(&platform, &two.refresh).await.status, 401);
    assert_eq!(verify(&platform, &ben.token).await.status, 200);
    let told = platform.published(SESSION_REVOKED).await;
    let told: Vec<_> = told.iter().map(|event| (&event["session_id"], event["reason"].as_str().unwrap())).collect();
    let first = &payload(&one.access)["sid"];
    assert_eq!(told, [(first, "SIGNED_OUT"), (&Value::Null, "SIGNED_OUT_EVERYWHERE")]);
    let audited = sqlx::query!(
        r#"select action, result, target as "target!" from audit
        where who = $1 order by id offset 3"#,
        anna.id
    );
    let audited = audited.fetch_all(&platform.app.db).await.unwrap();
    let audited: Vec<_> = audited.iter().map(|row| (row.action.as_str(), row.result.as_str(), row.target)).collect();
    let one = serde_json::from_value(first.clone()).unwrap();
    assert_eq!(
        audited,
        [("session_ended", "SIGNED_OUT", one), ("sessions_ended", "SIGNED_OUT_EVERYWHERE", anna.id)],
        "after three sign-ins"
    );
}

#[sqlx::test(migrations = false)]
async fn sessions_that_are_over_are_removed_after_a_week(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let ended = enter(&platform, &anna).await;
    Tokens::of(&refresh(&platform, &ended.refresh).await);
    platform.call("POST", "/auth/signout", Some(&ended.access), None).await;
    let db = &platform.app.db;
    assert_eq!(Session::stored(db).await.unwrap(), (2, 3));
    age(&platform, &anna, 6.9 * DAY).await;
    sweep(&platform.app).await.unwrap();
    assert_eq!(Session::stored(db).await.unwrap(), (2, 3));
    age(&platform, &anna, 0.2 * DAY).await;
    sweep(&platform.app).await.unwrap();
    assert_eq!(Session::stored(db).await.unwrap(), (1, 1), "the one that goes on");
    age(&platform, &anna, 30.0 * DAY).await;
    sweep(&platform.app).await.unwrap();
    assert_eq!(Session::stored(db).await.unwrap(), (0, 0), "it was over a week ago by itself");
}
