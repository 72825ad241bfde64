//! Recommendations: why each is made, and what its buttons do.
use axum::http::StatusCode;
use serde_json::json;

use super::Client;
use super::stub::ID;

/// A person is shown with all reasons, and two buttons that do what they say.
#[tokio::test]
async fn people_are_recommended_with_reasons() {
    let client = Client::new().await;
    let person = json!({
        "user": { "id": ID, "username": "bob", "first_name": "Bob" }, "reason": "3 mutual connections", "score": 0.5,
        "mutual_connections": 3, "follows_you": true, "similar_taste": true, "shared_interests": ["BOOKS"],
        "shared_topics": ["#rust", "BOOKS"],
    });
    client.stub.answer("GET /me/recommendations/people", 200, json!([person]));
    let compared = json!({
        "user": { "id": ID }, "interests": { "percent": 50, "common": [] }, "engagement": { "percent": 0, "common": [] },
        "taste": { "percent": 31, "tracks": [], "artists": [], "genres": [] },
        "connections": { "percent": 4, "total": 2, "people": [] }, "top_items": { "topics": [] },
    });
    let comparison = format!("GET /me/compatibility/{ID}");
    client.stub.answer(&comparison, 503, json!({ "detail": "away" }));
    let without = client.get("/connect").await.text;
    assert!(without.contains("3 connections in common."), "the reasons stand there all the same");
    client.stub.answer(&comparison, 200, compared);
    let page = client.get("/connect").await.text;
    for expected in [
        "3 connections in common.",
        "Connected with you.",
        "You listen to the same.",
        "You both like: <bdi>Books</bdi>, <bdi>#rust</bdi></p>",
        "<p class=\"soft\">Interests 50 % · What both listen to 31 % · Connections 4 % · <a",
        &format!("href=\"/users/{ID}/common\""),
    ] {
        assert!(page.contains(expected), "{expected} is not in {page}");
    }
    let accepted = client.post(&format!("/connect/{ID}/accept"), "").await;
    assert_eq!((accepted.status, accepted.header("location")), (StatusCode::SEE_OTHER, "/connect?done=connected"));
    client.post(&format!("/connect/{ID}/dismiss"), "").await;
    let made = |call: &str| {
        client.stub.calls(&format!("{call}/{ID}{}", if call.starts_with("POST") { "/accept" } else { "" })).len()
    };
    assert_eq!((made("POST /me/recommendations/people"), made("DELETE /me/recommendations/people")), (1, 1));
    assert_eq!(client.stub.undocumented(), Vec::<String>::new());
}

/// A page of people asks once about each of them, however often it is shown: the API lets a reader compare 120 times a minute.
#[tokio::test]
async fn people_are_compared_once() {
    let client = Client::new().await;
    let page = client.get("/connect").await.text;
    assert!(page.contains("1 %"), "{page}");
    for _ in 0..12 {
        assert!(client.get("/connect").await.text.contains("1 %"));
    }
    let comparison = format!("GET /me/compatibility/{ID}");
    assert_eq!(client.stub.calls(&comparison).len(), 1);
    let other = "00000000-0000-7000-8000-00000000000a";
    client.stub.answer("GET /users/me", 200, json!({ "id": other, "date_joined": "2026-11-20T12:00:00Z" }));
    client.get("/connect").await;
    assert_eq!(client.stub.calls(&comparison).len(), 2, "what another reader has in common is asked for them");
}

/// Each kind of reason is a sentence of the reader's language; a list that has ended begins anew.
#[tokio::test]
async fn posts_are_recommended_with_reasons() {
    let client = Client::new().await;
    let post = |kind: &str, number: Option<i64>, category: Option<&str>| {
        json!({
            "id": ID, "created_at": "2026-11-20T12:00:00Z", "content": "text", "author": { "id": ID },
            "reason": { "kind": kind, "number": number, "category": category, "people": [], "text": "not shown" },
        })
    };
    let posts = json!([
        post("CONNECTIONS_REACTED", Some(1), None),
        post("CONNECTIONS_CONNECTED", Some(2), None),
        post("SIMILAR_POSTS", Some(3), None),
        post("CATEGORY", None, Some("BOOKS")),
        post("FRESH", None, None),
        post("EXPLORATION", None, None),
    ]);
    client.stub.answer("GET /me/recommendations/posts", 200, posts);
    let page = client.get("/recommended").await.text;
    for why in [
        "1 person you are connected to reacted to it",
        "2 people you are connected to are connected to its author",
        "People who read what you read were here, too",
        "You like this: Books",
        "It is new",
        "Few have seen it so far",
    ] {
        assert!(page.contains(&format!("<p class=\"soft\">{why}</p>")), "{why} is not in {page}");
    }
    let refused = client.post(&format!("/recommended/{ID}/not-interested"), "").await;
    assert_eq!(refused.header("location"), "/recommended?done=refused");
    assert_eq!(client.stub.calls(&format!("POST /me/recommendations/posts/{ID}/not-interested")).len(), 1);
    client.stub.answer("GET /me/recommendations/posts", 410, json!({ "detail": "The list has ended" }));
    let over = client.get("/recommended?cursor=old").await;
    assert_eq!((over.status, over.header("location")), (StatusCode::SEE_OTHER, "/recommended"));
}

/// What two people have in common is shown by kind, with its words.
#[tokio::test]
async fn two_people_are_compared() {
    let client = Client::new().await;
    let compared = json!({
        "user": { "id": ID }, "interests": { "percent": 50, "common": ["BOOKS"] },
        "engagement": { "percent": 23, "common": ["#rust"] },
        "taste": { "percent": 31, "tracks": [], "artists": ["Adele"], "genres": ["pop"] },
        "connections": { "percent": 4, "total": 2, "people": [{ "id": ID, "first_name": "Cleo" }] },
        "top_items": { "topics": [] },
    });
    client.stub.answer(&format!("GET /me/compatibility/{ID}"), 200, compared);
    let page = client.get(&format!("/users/{ID}/common")).await.text;
    for expected in [
        "50 %",
        "<bdi>Books</bdi>",
        "23 %",
        "<bdi>#rust</bdi>",
        "31 %",
        "<bdi>Adele</bdi>",
        "4 %",
        "2 connections in common.",
        "<bdi>Cleo</bdi>",
    ] {
        assert!(page.contains(expected), "{expected} is not in {page}");
    }
}
