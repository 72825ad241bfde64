//! Accounts elsewhere: the way to a provider and back.
use axum::http::{Method, StatusCode};
use serde_json::json;

use super::Client;
use super::stub::ID;

const AWAY: &str = "https://id.example/authorize?state=s&code_challenge=c";

/// A browser is led to the provider with the cookie of the API, and back with it; then it is signed in.
#[tokio::test]
async fn a_person_signs_in_by_an_account_elsewhere() {
    let client = Client::new().await;
    client.stub.answer("GET /auth/providers", 200, json!([{ "name": "github", "title": "GitHub" }]));
    let form = client.get("/signin").await.text;
    assert!(form.contains("action=\"/signin/github\"") && form.contains("Sign in by GitHub"), "{form}");

    let body = json!({ "authorization_url": AWAY, "expires_in": 600 });
    let cookie = "provider_sign_in=secret; HttpOnly; SameSite=Lax; Path=/; Max-Age=600";
    client.stub.answer_with("POST /auth/providers/github/sign-in", 200, body, ("set-cookie", cookie));
    let away = client.post("/signin/github", "").await;
    assert_eq!((away.status, away.header("refresh")), (StatusCode::OK, format!("0; url={AWAY}").as_str()));
    assert_eq!(away.cookies(), [cookie], "the browser gets it as it is");
    assert!(away.text.contains("href=\"https://id.example/authorize?state=s&#38;code_challenge=c\""), "{}", away.text);

    let tokens = json!({ "access_token": "good", "refresh_token": "next", "expires_in": 900, "token_type": "bearer" });
    client.stub.answer("POST /auth/providers/callback", 200, tokens);
    let back = "/linked-accounts/callback?code=c&state=s&iss=https%3A%2F%2Fid.example";
    let cookies = [("cookie", "theme=dark; provider_sign_in=secret")];
    let home = client.ask(Method::GET, back, &cookies, "").await;
    assert_eq!((home.status, home.header("location")), (StatusCode::SEE_OTHER, "/"));
    assert!(home.cookies().iter().any(|line| line.starts_with("web_access=good; ")), "{:?}", home.cookies());
    assert!(home.cookies().iter().any(|line| line.starts_with("provider_sign_in=; Path=/; Max-Age=0")));
    let call = client.stub.calls("POST /auth/providers/callback").pop().unwrap();
    assert_eq!(call.body, json!({ "state": "s", "code": "c", "iss": "https://id.example", "error": null }));
    assert_eq!(call.headers["cookie"], "provider_sign_in=secret", "and no other cookie");
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}

/// What the API refuses is said, with the two other ways in; an address of another kind is not followed.
#[tokio::test]
async fn a_sign_in_elsewhere_that_fails_leads_on() {
    let client = Client::new().await;
    let detail = "Sign in with your password, then link the account";
    client.stub.answer("POST /auth/providers/callback", 409, json!({ "detail": detail }));
    let refused = client.ask(Method::GET, "/linked-accounts/callback?error=access_denied&state=s", &[], "").await;
    assert_eq!((refused.status, refused.cookies().len()), (StatusCode::UNPROCESSABLE_ENTITY, 0));
    assert!(refused.text.contains(detail) && refused.text.contains("href=\"/signin\""), "{}", refused.text);
    let odd = json!({ "authorization_url": "javascript:alert(1)", "expires_in": 600 });
    client.stub.answer("POST /auth/providers/github/sign-in", 200, odd);
    let odd = client.post("/signin/github", "").await;
    assert_eq!((odd.status, odd.header("refresh")), (StatusCode::SERVICE_UNAVAILABLE, ""));
}

/// Links are listed, begun and ended in the settings; an old sign-in is renewed first, and leads back there.
#[tokio::test]
async fn links_are_made_and_ended_in_the_settings() {
    let client = Client::new().await;
    let providers = json!([{ "name": "github", "title": "GitHub" }, { "name": "acme", "title": "Acme" }]);
    client.stub.answer("GET /auth/providers", 200, providers);
    let linked = json!([{ "id": ID, "provider": "github", "name": "ada", "linked_at": "2026-11-20T12:00:00Z",
        "scopes": [], "active": true }]);
    client.stub.answer("GET /auth/linked-accounts", 200, linked);
    let page = client.get("/settings/accounts").await.text;
    assert!(page.contains("<h2>GitHub</h2>") && page.contains("since 20 November 2026"), "{page}");
    assert!(page.contains("link/acme\"") && !page.contains("link/github\""), "what is linked is not offered: {page}");
    let ended = client.post(&format!("/settings/accounts/{ID}/unlink"), "").await;
    assert_eq!(ended.header("location"), "/settings/accounts?done=unlinked");

    client.stub.answer("POST /auth/providers/callback", 201, json!({ "id": ID }));
    let linked = client.get("/linked-accounts/callback?code=c&state=s").await;
    assert_eq!(linked.header("location"), "/settings/accounts?done=linked");
    let call = client.stub.calls("POST /auth/providers/callback").pop().unwrap();
    assert_eq!(call.headers["authorization"], "Bearer good", "a link is finished in the session that began it");

    let old = json!({ "detail": "Sign in again", "code": "insufficient_user_authentication" });
    client.stub.answer("POST /auth/providers/acme/link", 401, old);
    let again = client.post("/settings/accounts/link/acme", "").await;
    assert_eq!(again.header("location"), "/signin?next=%2Fsettings%2Faccounts");
    // The provider that says when its people sign in is asked for a fresh sign-in, and the other one is not offered.
    let providers = json!([{ "name": "github", "title": "GitHub", "fresh": false }, { "name": "acme", "title": "Acme", "fresh": true }]);
    client.stub.answer("GET /auth/providers", 200, providers);
    let page = client.get("/signin?next=%2Fsettings%2Faccounts").await.text;
    assert!(page.contains("/signin/acme?fresh=true") && !page.contains("/signin/github"), "{page}");
    let page = client.get("/signin").await.text;
    assert!(page.contains("/signin/acme\"") && page.contains("/signin/github\""), "{page}");
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}
