//! People: what a profile says of what they do here.
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::Client;
use super::stub::ID;

const OTHER: &str = "00000000-0000-7000-8000-00000000000f";

fn profile(id: &str, blocked: bool) -> Value {
    json!({ "id": id, "first_name": "Cleo", "date_joined": "2026-01-02T12:00:00Z", "blocked": blocked })
}

/// One's own activity is counted, with categories and what one listens to; before there is any, the page says so.
#[tokio::test]
async fn ones_own_activity_is_counted() {
    let client = Client::new().await;
    client.stub.answer(&format!("GET /users/{ID}"), 200, profile(ID, false));
    let counted = json!({
        "total_owned_posts": 12, "total_post_views": 340, "total_post_reactions": 56, "total_post_comments": 7,
        "engagement_score": 41.6, "status": "MODERATELY_ACTIVE", "summary": { "BOOKS": 3.0, "TRAVEL": 9.0, "FOOD": 0.0 },
    });
    client.stub.answer("GET /me/activity-profile", 200, counted);
    let items = json!([{ "id": "1", "name": "Adele", "weight": 14.0 }]);
    client.stub.answer(&format!("GET /users/{ID}/top-items"), 200, items);
    let page = client.get(&format!("/users/{ID}/activity")).await.text;
    for expected in [
        "<dt>Posts</dt><dd>12</dd>",
        "<dt>Comments</dt><dd>7</dd>",
        "<dt>Posts viewed</dt><dd>340</dd>",
        "42 / 100",
        "<dd>active</dd>",
        "<bdi>Travel (9)</bdi></span><span><bdi>Books (3)</bdi>",
        "<bdi>Adele</bdi>",
    ] {
        assert!(page.contains(expected), "{expected} is not in {page}");
    }
    assert!(!page.contains("Food (0)"));
    let kinds: Vec<_> =
        client.stub.calls(&format!("GET /users/{ID}/top-items")).into_iter().map(|call| call.query).collect();
    assert!(["tracks", "artists", "genres"].iter().all(|kind| kinds.iter().any(|query| query.contains(kind))));
    client.stub.answer("GET /me/activity-profile", 404, json!({ "detail": "Activity profile not found" }));
    let none = client.get(&format!("/users/{ID}/activity")).await;
    assert_eq!(none.status, StatusCode::OK);
    assert!(none.text.contains("There is no activity to show yet."));
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}

/// Of others only what they share is shown, and nothing at all of a person that the reader has blocked.
#[tokio::test]
async fn the_activity_of_others_is_what_they_share() {
    let client = Client::new().await;
    let path = format!("/users/{OTHER}/activity");
    client.stub.answer(&format!("GET /users/{OTHER}"), 200, profile(OTHER, false));
    client.stub.answer(&format!("GET /users/{OTHER}/posts/count"), 200, json!({ "count": 31 }));
    let compared = json!({
        "user": { "id": OTHER }, "interests": { "percent": 0, "common": [] }, "engagement": { "percent": 0, "common": [] },
        "taste": null, "connections": { "percent": 0, "total": 0, "people": [] },
        "top_items": { "topics": ["BOOKS", "#rust"], "tracks": null, "artists": null, "genres": ["pop"] },
    });
    client.stub.answer(&format!("GET /me/compatibility/{OTHER}"), 200, compared);
    let page = client.get(&path).await.text;
    for expected in
        ["<dd>31</dd>", "<bdi>Books</bdi>", "<bdi>#rust</bdi>", "<bdi>pop</bdi>", &format!("/users/{OTHER}/common")]
    {
        assert!(page.contains(expected), "{expected} is not in {page}");
    }
    assert!(!page.contains("Tracks they listen to") && client.stub.calls("GET /me/activity-profile").is_empty());
    client.stub.answer(&format!("GET /users/{OTHER}"), 200, profile(OTHER, true));
    let blocked = client.get(&path).await.text;
    assert!(blocked.contains("There is no activity to show yet.") && !blocked.contains("<dd>31</dd>"), "{blocked}");
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}
