//! Bookmarks: the posts that a person has kept, whatever their number, are read by one call.
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::Client;
use super::stub::ID;
use crate::texts::EN;

const FIRST: &str = "00000000-0000-7000-8000-00000000000a";
const GONE: &str = "00000000-0000-7000-8000-00000000000b";
const LAST: &str = "00000000-0000-7000-8000-00000000000c";

fn bookmark(post: &str) -> Value {
    json!({ "post_id": post, "folder": null, "created_at": "2026-11-20T12:00:00Z" })
}

fn post(id: &str, title: &str) -> Value {
    json!({ "id": id, "created_at": "2026-11-20T12:00:00Z", "title": title, "content": "text", "created_by": ID })
}

/// They stand in the order in which they were kept; one that has gone since is left out.
#[tokio::test]
async fn the_posts_of_a_page_of_bookmarks_are_one_call() {
    let client = Client::new().await;
    client.stub.answer("GET /me/bookmarks", 200, json!([bookmark(LAST), bookmark(GONE), bookmark(FIRST)]));
    let posts = json!([post(LAST, "Kept last"), post(FIRST, "Kept first")]);
    client.stub.answer("POST /posts/lookup", 200, posts);
    let page = client.get("/bookmarks").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let [last, first] = ["Kept last", "Kept first"].map(|title| page.text.find(title));
    assert!(last.is_some() && last < first, "{}", page.text);
    for id in [LAST, FIRST] {
        assert!(page.text.contains(&format!("action=\"/posts/{id}/unbookmark\"")), "{}", page.text);
        assert!(client.stub.calls(&format!("GET /posts/{id}")).is_empty());
    }
    assert!(!page.text.contains(GONE), "{}", page.text);
    let asked: Vec<_> = client.stub.calls("POST /posts/lookup").into_iter().map(|call| call.body).collect();
    assert_eq!(asked, [json!({ "ids": [LAST, GONE, FIRST] })]);
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}

#[tokio::test]
async fn without_bookmarks_no_posts_are_asked_for() {
    let client = Client::new().await;
    client.stub.answer("GET /me/bookmarks", 200, json!([]));
    let page = client.get("/bookmarks").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains(EN.no_bookmarks), "{}", page.text);
    assert!(client.stub.calls("POST /posts/lookup").is_empty());
}

/// A page that lacks posts because they could not be read would say that they were never kept.
#[tokio::test]
async fn posts_that_cannot_be_read_are_not_passed_over() {
    let client = Client::new().await;
    client.stub.answer("GET /me/bookmarks", 200, json!([bookmark(LAST)]));
    for (refusal, shown) in [(429, StatusCode::TOO_MANY_REQUESTS), (503, StatusCode::SERVICE_UNAVAILABLE)] {
        client.stub.answer("POST /posts/lookup", refusal, json!({ "detail": "Not now" }));
        let page = client.get("/bookmarks").await;
        assert_eq!(page.status, shown, "{}", page.text);
        assert!(!page.text.contains(EN.no_bookmarks), "{}", page.text);
    }
}
