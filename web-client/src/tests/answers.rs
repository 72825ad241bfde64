//! What answers weigh: one file of each kind for a page, and nothing for a page that a browser has; and one stream for all tabs.
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::json;
use tower::ServiceExt;

use super::markup::parse;
use super::pages::PAGES;
use super::stub::ID;
use super::{Client, HOST};

const MEMBER: (&str, &str) = ("cookie", "web_access=good");

/// A first visit is a page, a style, a script and an icon; a guest's script has nothing that is live.
#[tokio::test]
async fn a_page_loads_one_file_of_each_kind() {
    let client = Client::new().await;
    let mut scripts = Vec::new();
    for headers in [&[MEMBER][..], &[]] {
        let page = client.ask(Method::GET, "/", headers, "").await.text;
        let (elements, _) = parse(&page);
        let loaded = |name: &str, attribute: &str| -> Vec<String> {
            let named = elements.iter().filter(|element| element.name == name);
            named.filter_map(|element| element.get(attribute)).map(str::to_owned).collect()
        };
        let (script, link) = (loaded("script", "src"), loaded("link", "href"));
        assert_eq!((script.len(), link.len()), (1, 2), "{page}");
        scripts.push(client.get(&script[0]).await.text);
    }
    assert!(scripts[0].contains("defineExtension(\"sse\"") && scripts[0].contains("htmx:sseOpen"));
    assert!(!scripts[1].contains("defineExtension(\"sse\"") && scripts[1].contains("htmx:sseOpen"));
    assert!(scripts[0].contains("showModal") && !scripts[1].contains("showModal"), "guests write nothing");
    assert!(
        scripts[0].starts_with("window.trustedTypes?.createPolicy(\"default\""),
        "htmx needs it from its first line on"
    );
    assert!(!scripts[1].contains("trustedTypes"), "a guest's script makes HTML of nothing");
}

/// A page has a tag by which a browser is not sent it twice; the page of another reader, or a new one, has another tag.
#[tokio::test]
async fn a_page_that_a_browser_has_is_not_sent_again() {
    let client = Client::new().await;
    let first = client.get("/explore").await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with("W/\"") && first.status == StatusCode::OK, "{tag}");
    let known = [MEMBER, ("if-none-match", tag.as_str())];
    let same = client.ask(Method::GET, "/explore", &known, "").await;
    assert_eq!((same.status, same.text.as_str(), same.header("etag")), (StatusCode::NOT_MODIFIED, "", tag.as_str()));
    assert_eq!(same.header("cache-control"), "private, no-cache");
    assert!(same.header("vary").contains("Cookie") && !same.headers.contains_key(header::CONTENT_TYPE));
    let german = [("cookie", "web_access=good; language=de"), known[1]];
    assert_eq!(client.ask(Method::GET, "/explore", &german, "").await.status, StatusCode::OK);
    client.stub.write("changed");
    assert_eq!(client.ask(Method::GET, "/explore", &known, "").await.status, StatusCode::OK);

    for path in ["/nothing/here", "/health/live"] {
        assert!(!client.get(path).await.headers.contains_key(header::ETAG), "{path} is no page that is kept");
    }
    let tokens = json!({ "access_token": "fresh", "refresh_token": "next", "expires_in": 900, "token_type": "bearer" });
    client.stub.answer("POST /auth/refresh", 200, tokens);
    let renewed = client.ask(Method::GET, "/explore", &[("cookie", "web_refresh=a")], "").await;
    assert!(
        !renewed.headers.contains_key(header::ETAG) && !renewed.cookies().is_empty(),
        "it changes what a browser has"
    );
}

/// No cache that people share keeps what is for one of them, be it a page, a part of one, a redirect, an error, a file or a stream; so two
/// people behind one are never mixed.
#[tokio::test]
async fn no_shared_cache_keeps_what_is_for_one_reader() {
    let client = Client::new().await;
    let call = "GET /me/notifications/stream";
    client.stub.stream(call, "event: unread\ndata: {\"unread\":3}\n\n");
    let pages = PAGES.iter().map(|page| page.replace("{}", ID));
    let others = ["/nothing/here", "/home/news", "/settings/export", "/notifications/stream"].map(str::to_owned);
    for path in pages.chain(others) {
        for headers in [&[MEMBER][..], &[MEMBER, ("hx-request", "true")], &[]] {
            let mut request = Request::get(&path).header(header::HOST, HOST);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let answer = client.routes.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            let (kept, varies) = (&answer.headers()[header::CACHE_CONTROL], &answer.headers()[header::VARY]);
            assert!(kept.to_str().unwrap().starts_with("private, no-"), "{path} {headers:?}: {kept:?}");
            assert!(varies.to_str().unwrap().contains("Cookie"), "{path} {headers:?}: {varies:?}");
        }
    }
}

/// Reads events of an open stream until one has these words.
async fn reads(tab: &mut Body, words: &str) -> String {
    let mut events = String::new();
    while !events.contains(words) {
        let part = tab.frame().await.expect("the stream has ended").unwrap().into_data().unwrap();
        events.push_str(&String::from_utf8_lossy(&part));
    }
    events
}

/// All tabs of a session share one stream of the API, and one that comes later has the newest number at once; another session has its own.
#[tokio::test]
async fn the_tabs_of_a_session_share_a_stream() {
    let client = Client::new().await;
    let call = "GET /me/notifications/stream";
    client.stub.stream(call, "id: 41\nretry: 2000\n\nevent: unread\ndata: {\"unread\":3}\n\n");
    let open = async |cookie: &str, after: &str| {
        let request = Request::get("/notifications/stream").header(header::HOST, HOST).header(header::COOKIE, cookie);
        let request = request.header("last-event-id", after).body(Body::empty()).unwrap();
        let answer = client.routes.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/event-stream");
        answer.into_body()
    };
    let mut first = open("web_access=good", "40").await;
    let badge = reads(&mut first, "event: badge").await;
    assert!(badge.contains("</span>3</span>") && badge.contains("id: 41"), "{badge}");
    let mut second = open("web_access=good", "7").await;
    let badge = reads(&mut second, "event: badge").await;
    assert!(badge.contains("</span>3</span>"), "{badge}");
    let calls = client.stub.calls(call);
    assert_eq!((calls.len(), &calls[0].headers["last-event-id"]), (1, &"40".parse().unwrap()));
    let mut other = open("web_access=other", "7").await;
    reads(&mut other, "event: badge").await;
    let asked: Vec<_> = client.stub.calls(call).iter().map(|call| call.headers["authorization"].clone()).collect();
    assert_eq!(asked, ["Bearer good", "Bearer other"]);
}
