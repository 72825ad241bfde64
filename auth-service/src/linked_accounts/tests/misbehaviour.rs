//! A provider that misbehaves, and a browser that is led astray: no sign-in comes of it, no account, and no request that hangs. Each way has
//! its test, and a row of the table in `docs/linked-accounts.md`.
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

/// No sign-in comes of an id token with any of these claims.
async fn refuses_claims(database: PgConnectOptions, cases: &[Value]) {
    let (platform, provider) = start_linked(database).await;
    for changed in cases {
        provider.set(|mind| {
            for (name, value) in changed.as_object().unwrap() {
                mind.claims[name] = value.clone();
            }
        });
        let reply = visit(&platform, &provider, "acme", None).await;
        refuses(&platform, &provider, &changed.to_string(), &reply, 400, INVALID).await;
    }
}

/// No sign-in comes of an id token that is signed so.
async fn refuses_signing(database: PgConnectOptions, cases: &[Signing]) {
    let (platform, provider) = start_linked(database).await;
    for signing in cases {
        provider.set(|mind| mind.signing = *signing);
        let reply = visit(&platform, &provider, "acme", None).await;
        refuses(&platform, &provider, &format!("{signing:?}"), &reply, 400, INVALID).await;
    }
}

/// No sign-in comes of a token endpoint with one of these troubles.
async fn refuses_trouble(database: PgConnectOptions, cases: &[Trouble], status: u16, sentence: &str) {
    let (platform, provider) = start_linked(database).await;
    for trouble in cases {
        provider.set(|mind| mind.fail("token", *trouble));
        let reply = visit(&platform, &provider, "acme", None).await;
        refuses(&platform, &provider, &format!("{trouble:?}"), &reply, status, sentence).await;
    }
}

/// Mixed up: a provider that names itself must be the one that was asked (RFC 9207).
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

#[sqlx::test(migrations = false)]
async fn an_id_token_of_another_issuer_is_refused(_: PgPoolOptions, database: PgConnectOptions) {
    refuses_claims(database, &[json!({ "iss": "https://accounts.example.org" }), json!({ "iss": null })]).await;
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
        mind.trouble.insert("discovery", Trouble::Html);
    });
    let reply = platform.call("POST", begin_path, None, None).await;
    assert_eq!(detail(&reply), (502, &json!(AWAY)));
    provider.set(|mind| mind.trouble.clear());
    assert_eq!(visit(&platform, &provider, "acme", None).await.status, 200);
}

#[sqlx::test(migrations = false)]
async fn a_replayed_code_is_refused(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let first = begin(&platform, "acme", None).await;
    let back = provider.agree(&first.url);
    assert_eq!(finish(&platform, &first, None, &back).await.status, 200);
    let second = begin(&platform, "acme", None).await;
    let mut replayed = provider.agree(&second.url);
    replayed.insert("code".to_owned(), back["code"].clone());
    let reply = finish(&platform, &second, None, &replayed).await;
    assert_eq!(detail(&reply), (400, &json!(REFUSED)), "the provider has seen that code");
}

/// The code of another sign-in has another challenge of PKCE.
#[sqlx::test(migrations = false)]
async fn a_swapped_code_is_refused(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let visits = [begin(&platform, "acme", None).await, begin(&platform, "acme", None).await];
    let backs = visits.each_ref().map(|visit| provider.agree(&visit.url));
    let swapped = HashMap::from(
        [("code", &backs[1]["code"]), ("state", &backs[0]["state"])].map(|(k, v)| (k.to_owned(), v.clone())),
    );
    let reply = finish(&platform, &visits[0], None, &swapped).await;
    assert_eq!(detail(&reply), (400, &json!(REFUSED)));
}

/// The state of one browser with the cookie of another one, and a state that no sign-in has.
#[sqlx::test(migrations = false)]
async fn a_swapped_state_is_refused(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, provider) = start_linked(database).await;
    let visits = [begin(&platform, "acme", None).await, begin(&platform, "acme", None).await];
    let backs = visits.each_ref().map(|visit| provider.agree(&visit.url));
    for state in [backs[1]["state"].as_str(), "invented"] {
        let mut swapped = backs[0].clone();
        swapped.insert("state".to_owned(), state.to_owned());
        assert_eq!(finish(&platform, &visits[0], None, &swapped).await.status, 400, "{state}");
    }
    assert_eq!(finish(&platform, &visits[0], None, &backs[0]).await.status, 200, "it has cost the sign-in nothing");
}

#[sqlx::test(migrations = false)]
async fn a_wrong_nonce_is_refused(_: PgPoolOptions, database: PgConnectOptions) {
    refuses_claims(database, &[json!({ "nonce": "of-another-sign-in" }), json!({ "nonce": null })]).await;
}

#[sqlx::test(migrations = false)]
async fn an_id_token_for_another_client_is_refused(_: PgPoolOptions, database: PgConnectOptions) {
    let cases = [
        json!({ "aud": "another client" }),
        json!({ "aud": null }),
        json!({ "aud": [super::CLIENT, "another client"] }),
        json!({ "azp": "another client" }),
    ];
    refuses_claims(database, &cases).await;
}

#[sqlx::test(migrations = false)]
async fn an_expired_id_token_is_refused(_: PgPoolOptions, database: PgConnectOptions) {
    let now = Utc::now().timestamp();
    refuses_claims(database, &[json!({ "exp": now - 90, "iat": now - 400 }), json!({ "exp": null })]).await;
}

#[sqlx::test(migrations = false)]
async fn an_id_token_of_the_future_is_refused(_: PgPoolOptions, database: PgConnectOptions) {
    let later = Utc::now().timestamp() + 300;
    refuses_claims(database, &[json!({ "iat": later }), json!({ "nbf": later }), json!({ "iat": null })]).await;
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

/// With a key that is not published, under a name of its own or that of the published one.
#[sqlx::test(migrations = false)]
async fn a_forged_id_token_is_refused(_: PgPoolOptions, database: PgConnectOptions) {
    refuses_signing(database, &[Signing::Unknown, Signing::Forged]).await;
}

#[sqlx::test(migrations = false)]
async fn an_unsigned_id_token_is_refused(_: PgPoolOptions, database: PgConnectOptions) {
    refuses_signing(database, &[Signing::None]).await;
}

/// The published key is no secret, though HMAC would take it for one.
#[sqlx::test(migrations = false)]
async fn a_public_key_as_a_secret_is_refused(_: PgPoolOptions, database: PgConnectOptions) {
    refuses_signing(database, &[Signing::PublicKeyAsSecret]).await;
}

#[sqlx::test(migrations = false)]
async fn a_subject_that_is_none_is_refused(_: PgPoolOptions, database: PgConnectOptions) {
    refuses_claims(database, &[json!({ "sub": null }), json!({ "sub": "" }), json!({ "sub": "x".repeat(256) })]).await;
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

#[sqlx::test(migrations = false)]
async fn a_huge_answer_is_refused(_: PgPoolOptions, database: PgConnectOptions) {
    refuses_trouble(database, &[Trouble::Flood], 502, AWAY).await;
}

/// An endpoint that sends the caller to itself is called once.
#[sqlx::test(migrations = false)]
async fn a_redirect_loop_is_not_followed(_: PgPoolOptions, database: PgConnectOptions) {
    refuses_trouble(database, &[Trouble::Redirect], 502, AWAY).await;
}

/// A page in place of JSON, as a captive portal has it.
#[sqlx::test(migrations = false)]
async fn a_page_is_no_answer(_: PgPoolOptions, database: PgConnectOptions) {
    refuses_trouble(database, &[Trouble::Html], 502, AWAY).await;
}

#[sqlx::test(migrations = false)]
async fn a_failing_endpoint_ends_in_a_sentence(_: PgPoolOptions, database: PgConnectOptions) {
    let cases = [Trouble::Status(500), Trouble::Status(503), Trouble::Status(429), Trouble::TooMany];
    refuses_trouble(database, &cases, 502, AWAY).await;
}

/// An error of OAuth is one with whatever status, also with that of success.
#[sqlx::test(migrations = false)]
async fn an_error_with_the_status_of_success_is_refused(_: PgPoolOptions, database: PgConnectOptions) {
    refuses_trouble(database, &[Trouble::ErrorIn200, Trouble::Status(400)], 400, REFUSED).await;
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
