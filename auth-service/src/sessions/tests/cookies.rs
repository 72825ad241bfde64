//! Tokens as cookies: what a browser gets, and what another site can do with it.
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, header};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::SECRET;
use crate::core::testing::{Platform, Reply};
use crate::testing::{PASSWORD, join, start};

const COOKIES: [&str; 4] = ["--token-cookies", "true", "--token-cookie-origins", "https://app.example"];

/// Sends a request as a browser does.
async fn browse(
    platform: &Platform,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<Value>,
) -> Reply {
    let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    platform.send(request.header(header::CONTENT_TYPE, "application/json").body(body).unwrap()).await
}

fn credentials() -> Value {
    json!({ "email": "anna@example.com", "password": PASSWORD })
}

/// The cookies that an answer sets: name, value, and the rest as it stands.
fn cookies(headers: &HeaderMap) -> Vec<(String, String, String)> {
    let set = headers.get_all(header::SET_COOKIE).into_iter().map(|value| value.to_str().unwrap());
    let parts = |text: &str| {
        let (pair, rest) = text.split_once("; ").unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        (name.to_owned(), value.to_owned(), rest.to_owned())
    };
    set.map(parts).collect()
}

#[sqlx::test(migrations = false)]
async fn a_browser_gets_cookies_that_no_script_reads(_: PgPoolOptions, database: PgConnectOptions) {
    let secrets = ["--secret-key", SECRET, "--service-token", SECRET];
    let production = [&COOKIES[..], &["--environment", "production"], &secrets].concat();
    for (settings, names, secure) in [
        (&COOKIES[..], ["access_token", "refresh_token"], ""),
        (&production, ["__Host-access_token", "__Secure-refresh_token"], " Secure;"),
    ] {
        let platform = start(database.clone(), settings).await;
        join(&platform, "anna").await;
        let from_here = [("sec-fetch-site", "same-origin")];
        let reply = browse(&platform, Method::POST, "/auth/signin", &from_here, Some(credentials())).await;
        assert_eq!((reply.status.as_u16(), &reply.body), (200, &json!({ "token_type": "cookie", "expires_in": 900 })));
        assert_eq!(reply.headers[header::CACHE_CONTROL], "no-store");
        let [access, refresh] = cookies(&reply.headers).try_into().unwrap();
        assert_eq!([&access.0, &refresh.0], names);
        assert_eq!(access.2, format!("HttpOnly; SameSite=Strict;{secure} Path=/; Max-Age=900"));
        let days = refresh.2.rsplit('=').next().unwrap().parse::<f64>().unwrap() / 86400.0;
        assert!((29.9..=30.0).contains(&days), "{days}");
        assert!(refresh.2.contains("HttpOnly; SameSite=Strict;") && refresh.2.contains("Path=/api/v1/auth/refresh;"));

        let pair = format!("{}={}", access.0, access.1);
        let plain = format!("{}={}", if secure.is_empty() { "__Host-access_token" } else { "access_token" }, access.1);
        let other = browse(&platform, Method::GET, "/users/me", &[("cookie", &plain)], None).await;
        assert_eq!(other.status, 401, "a name that is not the one of here could have been set by a neighbour");
        let me = browse(&platform, Method::GET, "/users/me", &[("cookie", &pair)], None).await;
        assert_eq!((me.status.as_u16(), &me.body["email"]), (200, &json!("anna@example.com")));
        assert_eq!(me.headers[header::CACHE_CONTROL], "no-store");
        let pair = format!("a=b; {}={}", refresh.0, refresh.1);
        let headers = [("cookie", pair.as_str()), from_here[0]];
        let next = browse(&platform, Method::POST, "/auth/refresh", &headers, None).await;
        let [next, again] = cookies(&next.headers).try_into().unwrap();
        assert!(next.1 != access.1 && again.1 != refresh.1);

        let pair = format!("{}={}", next.0, next.1);
        let headers = [("cookie", pair.as_str()), from_here[0]];
        let out = browse(&platform, Method::POST, "/auth/signout", &headers, None).await;
        assert_eq!(out.status, 204);
        let cleared = cookies(&out.headers);
        assert_eq!(cleared.iter().map(|cookie| (cookie.0.as_str(), cookie.1.as_str())).collect::<Vec<_>>(), {
            names.map(|name| (name, "")).to_vec()
        });
        assert!(cleared.iter().all(|cookie| cookie.2.ends_with("Max-Age=0")), "{cleared:?}");
        assert_eq!(browse(&platform, Method::GET, "/users/me", &headers[..1], None).await.status, 401);
        let id = me.body["id"].as_str().unwrap();
        let token = super::Tokens::of(&platform.call("POST", "/auth/signin", None, Some(credentials())).await).access;
        assert_eq!(platform.call("DELETE", &format!("/users/{id}"), Some(&token), None).await.status, 204);
    }
}

#[sqlx::test(migrations = false)]
async fn another_site_changes_nothing_with_a_cookie(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &COOKIES).await;
    let anna = join(&platform, "anna").await;
    let pair = format!("access_token={}", anna.token);
    let elsewhere: [&[(&str, &str)]; 6] = [
        &[],
        &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
        &[("sec-fetch-site", "same-site"), ("origin", "https://other.app.example")],
        &[("sec-fetch-site", "none")],
        &[("origin", "https://app.example.evil")],
        &[("origin", "null")],
    ];
    let refusal = "This request does not come from a page of ours";
    for headers in elsewhere {
        let with_cookie = [headers, &[("cookie", pair.as_str())]].concat();
        let out = browse(&platform, Method::POST, "/auth/signout-everywhere", &with_cookie, None).await;
        assert_eq!((out.status.as_u16(), &out.body["detail"]), (403, &json!(refusal)), "{headers:?}");
        let read = browse(&platform, Method::GET, "/auth/sessions", &with_cookie, None).await;
        assert_eq!(read.status, 200, "what only reads is kept from others by the browser");
        if !headers.is_empty() {
            // Nor is a user signed in as another one without their knowledge.
            let signed_in = browse(&platform, Method::POST, "/auth/signin", headers, Some(credentials())).await;
            assert_eq!((signed_in.status.as_u16(), cookies(&signed_in.headers).len()), (403, 0), "{headers:?}");
        }
        let refresh = [headers, &[("cookie", "refresh_token=x")]].concat();
        assert_eq!(browse(&platform, Method::POST, "/auth/refresh", &refresh, None).await.status, 403);
    }
    // A token in a header was put there on purpose.
    let bearer = format!("Bearer {}", anna.token);
    let by_hand = [("authorization", bearer.as_str()), ("cookie", "access_token=x")];
    assert_eq!(browse(&platform, Method::POST, "/auth/signout", &by_hand, None).await.status, 204);
    let listed = [("origin", "https://app.example")];
    let signed_in = browse(&platform, Method::POST, "/auth/signin", &listed, Some(credentials())).await;
    assert_eq!((signed_in.status.as_u16(), cookies(&signed_in.headers).len()), (200, 2));
}

#[sqlx::test(migrations = false)]
async fn without_the_setting_nobody_gets_or_gives_a_cookie(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let anna = join(&platform, "anna").await;
    let from_here = [("sec-fetch-site", "same-origin")];
    let reply = browse(&platform, Method::POST, "/auth/signin", &from_here, Some(credentials())).await;
    assert!(reply.body["access_token"].is_string() && cookies(&reply.headers).is_empty());
    let pair = format!("access_token={}", anna.token);
    let by_cookie = browse(&platform, Method::GET, "/users/me", &[("cookie", &pair)], None).await;
    assert_eq!((by_cookie.status.as_u16(), &by_cookie.body["detail"]), (401, &json!("Not authenticated")));
}
