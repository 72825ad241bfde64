//! A provider that misbehaves: no sign-in comes of it, no account, and no request that hangs.
use std::collections::HashMap;

use chrono::Utc;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::provider::{IdentityProvider, Mind, Signing, Trouble};
use super::{begin, finish, me, oidc, start_linked, start_with, visit};
use crate::core::testing::Reply;
use crate::testing::{Posted, detail};

const INVALID: &str = "The provider's answer is not valid for this sign-in; begin again";
const AWAY: &str = "The provider does not answer as it should; try again later";
const REFUSED: &str = "The provider does not accept this sign-in; begin again";

/// Asserts the refusal, and that the next sign-in, without the misbehaviour, is one.
async fn refuses(
    platform: &Posted,
    provider: &IdentityProvider,
    case: &str,
    reply: &Reply,
    status: u16,
    sentence: &str,
) {
    assert_eq!(detail(reply), (status, &json!(sentence)), "{case}");
    provider.set(|mind| {
        mind.signing = Signing::Published;
        mind.trouble.clear();
        mind.claims = json!({ "sub": "person-1", "email": "anna@example.com", "email_verified": true });
    });
    assert_eq!(visit(platform, provider, "acme", None).await.status, 200, "after {case}");
}

/// An id token that is not the published key's, this client's, this sign-in's, or of now.
#[sqlx::test(migrations = false)]
async fn no_id_token_is_believed_that_is_not_of_this_sign_in(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let now = Utc::now().timestamp();
    let claims: Vec<(&str, Value)> = vec![
        ("another issuer", json!({ "iss": "https://accounts.example.org" })),
        ("no issuer", json!({ "iss": null })),
        ("another nonce", json!({ "nonce": "of-another-sign-in" })),
        ("no nonce", json!({ "nonce": null })),
        ("another audience", json!({ "aud": "another client" })),
        ("no audience", json!({ "aud": null })),
        ("several audiences and no party", json!({ "aud": [super::CLIENT, "another client"] })),
        ("another party", json!({ "azp": "another client" })),
        ("no subject", json!({ "sub": null })),
        ("an empty subject", json!({ "sub": "" })),
        ("a subject that is too long", json!({ "sub": "x".repeat(256) })),
        ("expired", json!({ "exp": now - 90, "iat": now - 400 })),
        ("no end", json!({ "exp": null })),
        ("issued in the future", json!({ "iat": now + 300 })),
        ("not yet valid", json!({ "nbf": now + 300 })),
        ("no time of issue", json!({ "iat": null })),
    ];
    for (case, changed) in &claims {
        provider.set(|mind| {
            for (name, value) in changed.as_object().unwrap() {
                mind.claims[name] = value.clone();
            }
        });
        let reply = visit(&platform, &provider, "acme", None).await;
        refuses(&platform, &provider, case, &reply, 400, INVALID).await;
    }
    for signing in [Signing::Unknown, Signing::Forged, Signing::PublicKeyAsSecret, Signing::None] {
        provider.set(|mind| mind.signing = signing);
        let reply = visit(&platform, &provider, "acme", None).await;
        refuses(&platform, &provider, &format!("{signing:?}"), &reply, 400, INVALID).await;
    }
}

/// Clocks differ by a minute at most.
#[sqlx::test(migrations = false)]
async fn clocks_may_differ_by_a_minute(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    for (ends, issued, expected) in [(-45, -345, 200), (-75, -375, 400), (345, 45, 200), (400, 100, 400)] {
        let now = Utc::now().timestamp();
        provider.set(|mind| {
            mind.claims["exp"] = json!(now + ends);
            mind.claims["iat"] = json!(now + issued);
        });
        let reply = visit(&platform, &provider, "acme", None).await;
        assert_eq!(reply.status.as_u16(), expected, "{ends} {issued}: {reply:?}");
    }
}

/// A provider changes its key, and the next sign-in finds the new one.
#[sqlx::test(migrations = false)]
async fn a_rotated_key_is_found(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    assert_eq!(visit(&platform, &provider, "acme", None).await.status, 200);
    assert_eq!(visit(&platform, &provider, "acme", None).await.status, 200);
    let reads = |mind: &Mind| mind.key_reads;
    assert_eq!(reads(&provider.mind.lock().unwrap()), 1, "keys are kept");
    provider.set(|mind| mind.key = "a second key of the provider");
    assert_eq!(visit(&platform, &provider, "acme", None).await.status, 200);
    assert_eq!(reads(&provider.mind.lock().unwrap()), 2);
}

/// A code that was used, of another sign-in, or without its secret is worth nothing.
#[sqlx::test(migrations = false)]
async fn a_code_is_good_once_and_for_its_own_sign_in(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let visits = [begin(&platform, "acme", None).await, begin(&platform, "acme", None).await];
    let backs = visits.each_ref().map(|visit| provider.agree(&visit.url));
    let swapped = HashMap::from(
        [("code", &backs[1]["code"]), ("state", &backs[0]["state"])].map(|(k, v)| (k.to_owned(), v.clone())),
    );
    let reply = finish(&platform, &visits[0], None, &swapped).await;
    assert_eq!(detail(&reply), (400, &json!(REFUSED)), "the code of another attempt has another challenge");
    let reply = finish(&platform, &visits[1], None, &backs[1]).await;
    assert_eq!(detail(&reply), (400, &json!(REFUSED)), "the provider has seen that code");
    // The state of one browser with the cookie of another one.
    let again = begin(&platform, "acme", None).await;
    let mut stolen = provider.agree(&again.url);
    stolen.insert("state".to_owned(), backs[1]["state"].clone());
    assert_eq!(finish(&platform, &again, None, &stolen).await.status, 400);
}

/// A provider that names itself must be the one that was asked (RFC 9207).
#[sqlx::test(migrations = false)]
async fn a_browser_that_comes_from_another_issuer_is_refused(_: PgPoolOptions, database: PgConnectOptions) {
    let provider = IdentityProvider::start().await;
    provider.set(|mind| mind.names_itself = true);
    let platform = start_with(database, json!([oidc(&provider)]), &[]).await;
    for (issuer, expected) in [(Some("https://evil.example"), 400), (None, 400), (Some(provider.url.as_str()), 200)] {
        let visit = begin(&platform, "acme", None).await;
        let mut back = provider.agree(&visit.url);
        back.remove("iss");
        back.extend(issuer.map(|issuer| ("iss".to_owned(), issuer.to_owned())));
        let reply = finish(&platform, &visit, None, &back).await;
        assert_eq!(reply.status, expected, "{issuer:?}: {reply:?}");
    }
}

/// Whatever the endpoints do instead of answering, the caller gets a sentence in time.
#[sqlx::test(migrations = false)]
async fn endpoints_in_trouble_end_in_a_sentence(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    for trouble in [
        Trouble::Status(500),
        Trouble::Status(503),
        Trouble::Status(429),
        Trouble::Redirect,
        Trouble::Flood,
        Trouble::Html,
    ] {
        provider.set(|mind| mind.fail("token", trouble));
        let reply = visit(&platform, &provider, "acme", None).await;
        refuses(&platform, &provider, &format!("{trouble:?}"), &reply, 502, AWAY).await;
    }
    provider.set(|mind| mind.fail("token", Trouble::Status(400)));
    let reply = visit(&platform, &provider, "acme", None).await;
    refuses(&platform, &provider, "an error of OAuth", &reply, 400, REFUSED).await;
}

/// A provider that never answers does not keep a request.
#[sqlx::test(migrations = false)]
async fn a_silent_provider_is_given_up(_: PgPoolOptions, database: PgConnectOptions) {
    let provider = IdentityProvider::start().await;
    let platform = start_with(database, json!([oidc(&provider)]), &["--linked-timeout-ms", "1500"]).await;
    let visit = begin(&platform, "acme", None).await;
    provider.set(|mind| mind.fail("token", Trouble::Silence));
    let reply = finish(&platform, &visit, None, &provider.agree(&visit.url)).await;
    assert_eq!(detail(&reply), (502, &json!(AWAY)));
}

/// A discovery document of another issuer, or none, begins no sign-in.
#[sqlx::test(migrations = false)]
async fn a_provider_speaks_for_itself_only(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let begin_path = "/auth/providers/acme/sign-in";
    provider.set(|mind| mind.issuer = Some("https://accounts.example.org".to_owned()));
    let reply = platform.call("POST", begin_path, None, None).await;
    assert_eq!(detail(&reply), (400, &json!(INVALID)));
    provider.set(|mind| {
        mind.issuer = None;
        mind.trouble.insert("discovery", Trouble::Redirect);
    });
    let reply = platform.call("POST", begin_path, None, None).await;
    assert_eq!(detail(&reply), (502, &json!(AWAY)));
    provider.set(|mind| mind.trouble.clear());
    assert_eq!(visit(&platform, &provider, "acme", None).await.status, 200);
}

/// User information counts where the id token has no address, and only about the same subject.
#[sqlx::test(migrations = false)]
async fn user_information_is_of_the_same_subject(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    provider.set(|mind| {
        mind.claims["email"] = Value::Null;
        mind.user_info = json!({ "sub": "person-2", "email": "bert@example.com", "email_verified": true });
    });
    let reply = visit(&platform, &provider, "acme", None).await;
    assert_eq!(detail(&reply), (400, &json!(INVALID)));
    provider.set(|mind| mind.user_info["sub"] = json!("person-1"));
    let reply = visit(&platform, &provider, "acme", None).await;
    assert_eq!(me(&platform, reply.body["access_token"].as_str().unwrap()).await["email"], "bert@example.com");
}
