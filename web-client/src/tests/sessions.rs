//! Sessions of browsers: beginning, renewing and ending them.
use axum::http::{Method, StatusCode};
use futures::future::join_all;
use serde_json::json;

use super::Client;
use super::stub::Stub;

fn tokens(access: &str) -> serde_json::Value {
    json!({ "access_token": access, "refresh_token": "next", "expires_in": 900, "token_type": "bearer" })
}

/// A sign-in sets two cookies that no script reads, and leads to where the visitor wanted to go.
#[tokio::test]
async fn a_sign_in_begins_a_session() {
    let client = Client::with(Stub::start().await, &["--environment", "production"]);
    client.stub.answer("POST /auth/signin", 200, tokens("good"));
    let headers = [("sec-fetch-site", "same-origin"), ("user-agent", "A browser")];
    let form = "email=ada%40example.org&password=a+long+walk&next=%2Fexplore";
    let answer = client.ask(Method::POST, "/signin", &headers, form).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/explore"));
    let cookies = answer.cookies();
    assert!(cookies[0].starts_with("__Host-web_access=good; Path=/; Max-Age=880; HttpOnly; SameSite=Lax; Secure"));
    assert!(
        cookies[1].starts_with("__Host-web_refresh=next; ") && cookies[1].ends_with("HttpOnly; SameSite=Lax; Secure")
    );
    let call = client.stub.calls("POST /auth/signin").pop().unwrap();
    assert_eq!(call.body, json!({ "email": "ada@example.org", "password": "a long walk" }));
    assert_eq!(call.headers["user-agent"], "A browser", "the list of sessions shows it");

    client.stub.answer("POST /auth/signin", 404, json!({ "detail": "Invalid username or password" }));
    let refused = client.ask(Method::POST, "/signin", &headers, form).await;
    assert_eq!((refused.status, refused.cookies().len()), (StatusCode::UNPROCESSABLE_ENTITY, 0));
    assert!(refused.text.contains("value=\"ada@example.org\"") && refused.text.contains("role=\"alert\""));
    assert!(!refused.text.contains("a long walk"), "no page repeats a password");
    let elsewhere = "email=a&password=b&next=%2F%2Fevil.example";
    client.stub.answer("POST /auth/signin", 200, tokens("good"));
    assert_eq!(client.ask(Method::POST, "/signin", &headers, elsewhere).await.header("location"), "/");
}

/// Of requests that come at once without an access token one renews the session, and all are answered.
#[tokio::test]
async fn a_session_is_renewed_once() {
    let client = Client::new().await;
    client.stub.answer("POST /auth/refresh", 200, tokens("fresh"));
    let ask = async || client.ask(Method::GET, "/explore", &[("cookie", "web_refresh=once")], "").await;
    for answer in join_all((0..8).map(|_| ask())).await {
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.cookies()[0].starts_with("web_access=fresh; "), "{:?}", answer.cookies());
    }
    let calls = client.stub.calls("POST /auth/refresh");
    assert_eq!((calls.len(), &calls[0].body), (1, &json!({ "refresh_token": "once" })));
    assert_eq!(client.stub.calls("GET /feed/explore")[0].headers["authorization"], "Bearer fresh");
}

/// A token that was revoked is renewed; when the session has ended, the visitor is led to the sign-in and back.
#[tokio::test]
async fn an_ended_session_leads_to_the_sign_in_and_back() {
    let client = Client::new().await;
    client.stub.answer("POST /auth/refresh", 200, tokens("fresh"));
    let old = [("cookie", "web_access=old; web_refresh=a")];
    assert_eq!(client.ask(Method::GET, "/explore", &old, "").await.status, StatusCode::OK);

    client.stub.answer("POST /auth/refresh", 401, json!({ "detail": "Invalid token" }));
    let ended =
        client.ask(Method::GET, "/tags/a%20b?cursor=1", &[("cookie", "web_access=old; web_refresh=b")], "").await;
    let to = "/signin?next=%2Ftags%2Fa%2520b%3Fcursor%3D1";
    assert_eq!((ended.status, ended.header("location")), (StatusCode::SEE_OTHER, to));
    assert!(ended.cookies().iter().all(|cookie| cookie.contains("Max-Age=0")) && ended.cookies().len() == 2);

    client.stub.answer("POST /auth/refresh", 503, json!({ "detail": "away" }));
    let away = client.ask(Method::GET, "/explore", &[("cookie", "web_refresh=c")], "").await;
    assert_eq!((away.status, away.cookies().len()), (StatusCode::SERVICE_UNAVAILABLE, 0), "it may be good: it is kept");

    let guest = client.ask(Method::GET, "/settings", &[], "").await;
    assert_eq!(guest.header("location"), "/signin?next=%2Fsettings");
    let part = client.ask(Method::GET, "/home/news", &[("hx-request", "true")], "").await;
    assert_eq!(
        (part.status, part.header("hx-redirect")),
        (StatusCode::OK, "/signin?next=%2F"),
        "to a page and no part"
    );
}

/// A sign-out ends the session here and at the API, and here also when the API is away.
#[tokio::test]
async fn a_sign_out_ends_the_session() {
    let client = Client::new().await;
    for status in [204, 503] {
        client.stub.answer("POST /auth/signout", status, json!({}));
        let answer = client.post("/signout", "").await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/?done=signed-out"));
        assert_eq!(answer.header("clear-site-data"), "\"cache\"");
        assert_eq!(answer.cookies().len(), 2);
    }
    assert_eq!(client.stub.calls("POST /auth/signout").len(), 2);
}

/// The address that the API counts is that of the browser, and no one but a trusted proxy can say another.
#[tokio::test]
async fn the_address_of_a_browser_is_handed_on() {
    let stub = Stub::start().await;
    let client = Client::with(stub, &["--trusted-proxies", "127.0.0.0/8"]);
    let headers = [("cookie", "web_access=good"), ("x-forwarded-for", "6.6.6.6, 203.0.113.9, 127.0.0.1")];
    client.ask(Method::GET, "/explore", &headers, "").await;
    assert_eq!(client.stub.calls("GET /feed/explore")[0].headers["x-forwarded-for"], "203.0.113.9");
    let untrusted = Client::new().await;
    untrusted.ask(Method::GET, "/explore", &headers, "").await;
    assert_eq!(untrusted.stub.calls("GET /feed/explore")[0].headers["x-forwarded-for"], "127.0.0.1");
}

/// A session goes along with the link of the first mail, so that its owner keeps the password; one that has ended is left out.
#[tokio::test]
async fn an_activation_goes_with_the_session() {
    let client = Client::new().await;
    client.stub.answer("POST /users/activate", 401, json!({ "detail": "Token Expired" }));
    assert_eq!(client.post("/activate", "token=t").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let calls = client.stub.calls("POST /users/activate");
    let with_session: Vec<bool> = calls.iter().map(|call| call.headers.contains_key("authorization")).collect();
    assert_eq!(with_session, [true, false]);
}
