//! Providers by settings: the profiles of GitHub and Spotify, and what is no provider.
use clap::{Args, Command, FromArgMatches};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::provider::{CLIENT, IdentityProvider, REDIRECT, SECRET};
use super::{begin, linked, me, start_with, visit};
use crate::app::access_tokens::TokenSettings;
use crate::core::ground::settings::Environment;
use crate::linked_accounts::providers::{LinkedSettings, Providers, RevocationScope};
use crate::linked_accounts::schedulers::RevocationWorker;
use crate::testing::{detail, finish as run, join_verified};

pub fn github(provider: &IdentityProvider) -> Value {
    json!({
        "name": "github", "profile": "GITHUB", "client_id": CLIENT, "client_secret": SECRET,
        "authorization_url": format!("{}/authorize", provider.url), "token_url": format!("{}/token", provider.url),
        "user_url": format!("{}/github/user", provider.url), "emails_url": format!("{}/github/emails", provider.url),
        "revocation_url": format!("{}/github/token/x", provider.url),
    })
}

fn spotify(provider: &IdentityProvider) -> Value {
    json!({
        "name": "spotify", "profile": "SPOTIFY", "client_id": CLIENT, "client_secret": SECRET,
        "authorization_url": format!("{}/authorize", provider.url), "token_url": format!("{}/token", provider.url),
        "user_url": format!("{}/spotify/me", provider.url),
    })
}

/// GitHub says who a person is by its API; the primary address counts where it is verified.
#[sqlx::test(migrations = false)]
async fn a_person_comes_from_github(_: PgPoolOptions, database: PgConnectOptions) {
    let provider = IdentityProvider::start().await;
    let platform = start_with(database, json!([github(&provider)]), &[]).await;
    let url = begin(&platform, "github", None).await.url;
    assert!(url.contains("scope=read%3Auser+user%3Aemail") && !url.contains("nonce"), "{url}");
    let reply = visit(&platform, &provider, "github", None).await;
    let token = reply.body["access_token"].as_str().unwrap();
    let person = me(&platform, token).await;
    assert_eq!((&person["email"], &person["username"]), (&json!("mona@example.com"), &json!("octocat")));
    let deleted =
        platform.call("DELETE", &format!("/users/{}", person["id"].as_str().unwrap()), Some(token), None).await;
    assert_eq!(deleted.status, 204);
    run(RevocationWorker::new(&platform.app, platform.providers.clone())).await;
    assert!(provider.mind.lock().unwrap().revoked[0].starts_with("access-"));
}

/// Spotify verifies no address: it makes no account, and can be linked.
#[sqlx::test(migrations = false)]
async fn spotify_is_linked_and_makes_no_account(_: PgPoolOptions, database: PgConnectOptions) {
    let provider = IdentityProvider::start().await;
    let platform = start_with(database, json!([spotify(&provider)]), &[]).await;
    let reply = visit(&platform, &provider, "spotify", None).await;
    assert_eq!(reply.status, 409, "{reply:?}");
    let anna = join_verified(&platform, "anna").await;
    assert_eq!(visit(&platform, &provider, "spotify", Some(&anna.token)).await.status, 201);
    assert_eq!(linked(&platform, &anna.token).await[0]["name"], "Wizzler");
    let reply = visit(&platform, &provider, "spotify", None).await;
    assert_eq!(me(&platform, reply.body["access_token"].as_str().unwrap()).await["id"], json!(anna.id));
}

fn providers(environment: Environment, arguments: &[&str]) -> anyhow::Result<Providers> {
    let command = TokenSettings::augment_args(LinkedSettings::augment_args(Command::new("test")));
    let arguments = command.try_get_matches_from([&["test"], arguments].concat())?;
    let linked = LinkedSettings::from_arg_matches(&arguments)?;
    Providers::new(&linked, &TokenSettings::from_arg_matches(&arguments)?, environment)
}

/// A mistake in the settings is said when the service starts, and never with the secrets in it.
#[test]
fn a_part_of_a_provider_is_a_mistake() {
    let good =
        json!({ "name": "acme", "issuer": "https://id.example.com", "client_id": "x", "client_secret": "s3cret" });
    let with = |name: &str, value: Value| {
        let mut provider = good.clone();
        provider[name] = value;
        json!([provider])
    };
    let mut other_name = good.clone();
    other_name["name"] = json!("other");
    for (listed, fault) in [
        (json!("s3cret"), "LINKED_PROVIDERS is no list of providers"),
        (json!([{ "name": "s3cret" }]), "LINKED_PROVIDERS is no list of providers"),
        (with("secret", json!("s3cret")), "LINKED_PROVIDERS is no list of providers"),
        (with("profile", json!("FACEBOOK")), "LINKED_PROVIDERS is no list of providers"),
        (with("name", json!("Acme!")), "a name has 1 to 32"),
        (with("name", json!("")), "a name has 1 to 32"),
        (with("client_id", json!("")), "client_id must not be empty"),
        (with("client_secret", Value::Null), "client_secret is needed"),
        (with("issuer", Value::Null), "an issuer or a profile is needed"),
        (with("issuer", json!("http://id.example.com")), "not of scheme https"),
        (with("issuer", json!("https://10.0.0.1")), "not on the public internet"),
        (with("profile", json!("GITHUB")), "a profile has no issuer"),
        (json!([good, good]), "has acme twice"),
        (json!([good, other_name]), "has the issuer of other twice"),
        (with("revocation", json!("ALL")), "LINKED_PROVIDERS is no list of providers"),
    ] {
        let listed = listed.to_string();
        let arguments = ["--linked-providers", &listed, "--linked-redirect-url", REDIRECT];
        let error = providers(Environment::Development, &arguments).err().map(|error| format!("{error:#}"));
        let error = error.unwrap_or_default();
        assert!(error.contains(fault) && !error.contains("s3cret"), "{listed}: {error}");
    }
    let listed = json!([good]).to_string();
    let arguments = ["--linked-providers", &listed];
    let error = providers(Environment::Development, &arguments).err().unwrap().to_string();
    assert_eq!(error, "LINKED_PROVIDERS needs LINKED_REDIRECT_URL");
    let arguments = ["--linked-providers", &listed, "--linked-redirect-url", "https://www.example.com/back"];
    assert_eq!(providers(Environment::Development, &arguments).unwrap().all.len(), 1);
    assert!(providers(Environment::Development, &["--linked-providers", ""]).unwrap().all.is_empty());
}

/// People of a profile are known by what stands for its issuer; another installation of the same software has people of its own.
#[test]
fn each_provider_has_an_issuer() {
    let listed = json!([
        { "name": "acme", "issuer": "https://id.example.com", "client_id": "x", "client_secret": "y", "revocation": "TOKEN" },
        { "name": "github", "profile": "GITHUB", "client_id": "x" },
        { "name": "forge", "profile": "GITHUB", "client_id": "x", "user_url": "https://forge.example.com/api/v3/user" },
        { "name": "spotify", "profile": "SPOTIFY", "client_id": "x", "user_url": "https://api.spotify.com/v1/me" },
    ]);
    let arguments = ["--linked-providers", &listed.to_string(), "--linked-redirect-url", REDIRECT];
    let providers = providers(Environment::Development, &arguments).unwrap();
    let issuers: Vec<&str> = providers.all.iter().map(|provider| provider.issuer.as_str()).collect();
    let expected = [
        "https://id.example.com",
        "https://github.com",
        "https://forge.example.com/api/v3/user",
        "https://accounts.spotify.com",
    ];
    assert_eq!(issuers, expected);
    assert_eq!(providers.all[0].revocation, RevocationScope::Token);
    let found = |issuer, name| providers.find(issuer, name).map(|provider| provider.name.as_str());
    assert_eq!(found(Some("https://github.com"), "acme"), Some("github"), "the issuer counts and not the name");
    assert_eq!((found(Some("https://gone.example"), "acme"), found(None, "acme")), (None, Some("acme")));
}

/// Production reaches no private network, and takes neither http nor a secret that can be guessed.
#[test]
fn production_is_stricter() {
    let secret = "2Wc0mVwMyr0Y5uHn8Gf0vQk1Zb3uXoXcJ4sT7aYpLeA=";
    for (arguments, fault) in [
        (&["--linked-allow-private", "true"][..], "LINKED_ALLOW_PRIVATE is for tests"),
        (&["--linked-redirect-url", "http://www.example.com/back"], "must be of scheme https in production"),
        (&["--linked-accounts-key", "password"], "LINKED_ACCOUNTS_KEY has fewer than 32 bytes"),
        (&["--previous-linked-accounts-keys", "x"], "PREVIOUS_LINKED_ACCOUNTS_KEYS has fewer than 32 bytes"),
    ] {
        let all = [
            &["--linked-redirect-url", "https://www.example.com/back"]
                [..2 * usize::from(arguments[0] != "--linked-redirect-url")],
            arguments,
        ]
        .concat();
        let error = providers(Environment::Production, &all).err().unwrap().to_string();
        assert!(error.contains(fault), "{error}");
    }
    let redirect = ["--linked-redirect-url", "https://www.example.com/back", "--linked-accounts-key", secret];
    let ring = providers(Environment::Production, &redirect).unwrap().keyring;
    let without = providers(Environment::Production, &redirect[..2]).unwrap().keyring;
    let sealed = without.seal(b"token", b"row").unwrap();
    assert_eq!(ring.open(&sealed, b"row").unwrap(), b"token", "a key of its own can be introduced later");
    // What only decrypts, does so without a key of its own as well.
    let known =
        providers(Environment::Production, &[redirect[0], redirect[1], "--previous-linked-accounts-keys", secret]);
    let known = known.unwrap().keyring;
    assert_eq!((known.current(), known.key_ids().len()), (without.current(), 2));
}

/// A host of a private network is not connected to, whatever names it.
#[sqlx::test(migrations = false)]
async fn no_sign_in_leads_into_a_private_network(_: PgPoolOptions, database: PgConnectOptions) {
    let named = json!([{ "name": "acme", "issuer": "https://localhost", "client_id": "x", "client_secret": "y" }]);
    let platform = start_with(database, named, &["--linked-allow-private", "false"]).await;
    let reply = platform.call("POST", "/auth/providers/acme/sign-in", None, None).await;
    assert_eq!(detail(&reply), (502, &json!("The provider does not answer as it should; try again later")));
}
