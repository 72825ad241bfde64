//! What other services copy, through its routes.
use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::core::testing::{Platform, Reply};
use crate::testing::{join, start};

async fn ask(platform: &Platform, path: &str) -> Reply {
    let request = Request::get(format!("/internal/read-model/{path}")).header(header::AUTHORIZATION, "Bearer operator");
    platform.send(request.body(Body::empty()).unwrap()).await
}

/// The items of all pages, with two items a page.
async fn copied(platform: &Platform, kind: &str) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = ask(platform, &format!("{kind}?limit=2{cursor}")).await;
        assert_eq!(page.status, 200, "{page:?}");
        assert!(page.body["as_of"].is_string() && page.body["watermarks"] == json!({}), "{page:?}");
        let found = page.body["items"].as_array().unwrap().clone();
        let Some(next) = page.body["next"].as_str() else {
            assert_eq!(found, [json!(null); 0], "a page with items has a next one");
            return items;
        };
        cursor = format!("&cursor={next}");
        items.extend(found);
    }
}

#[sqlx::test(migrations = false)]
async fn people_connections_and_blocks_are_read_whole_in_pages(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    let mut people = Vec::new();
    for name in ["anna", "ben", "cleo", "dora", "emil"] {
        people.push(join(&platform, name).await);
    }
    let change = json!({ "username": "cleo", "first_name": "Cleo", "avatar_url": "https://example.com/c.png" });
    let changed = platform.call("PATCH", "/users/me", Some(&people[2].token), Some(change)).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    for (one, what, other) in
        [(0, "connect", 1), (0, "connect", 2), (3, "connect", 0), (4, "block", 1), (4, "block", 0)]
    {
        let path = format!("/users/{}/{what}", people[other].id);
        let reply = platform.call("POST", &path, Some(&people[one].token), None).await;
        assert!(reply.status.is_success(), "{reply:?}");
    }
    // One ends, and so does every trace of it.
    platform.call("DELETE", &format!("/users/{}/disconnect", people[0].id), Some(&people[3].token), None).await;

    let read = copied(&platform, "people").await;
    let mut ids: Vec<_> = people.iter().map(|person| json!(person.id)).collect();
    ids.sort_by_key(ToString::to_string);
    assert_eq!(read.iter().map(|person| person["id"].clone()).collect::<Vec<_>>(), ids);
    let cleo = read.iter().find(|person| person["id"] == json!(people[2].id)).unwrap();
    let expected = json!({ "id": people[2].id, "username": "cleo", "first_name": "Cleo", "last_name": null,
        "avatar_url": "https://example.com/c.png", "interests": [], "status": "INACTIVE",
        "updated_at": changed.body["updated_at"] });
    assert_eq!(cleo, &expected, "and no address");

    let pairs = |read: &[Value]| {
        let mut pairs: Vec<_> = read.iter().map(|pair| (pair["user_id"].clone(), pair["target_id"].clone())).collect();
        pairs.sort_by_key(|pair| (pair.0.to_string(), pair.1.to_string()));
        pairs
    };
    let expected = |which: &[(usize, usize)]| {
        pairs(
            &which
                .iter()
                .map(|pair| json!({ "user_id": people[pair.0].id, "target_id": people[pair.1].id }))
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(pairs(&copied(&platform, "connections").await), expected(&[(0, 1), (0, 2)]));
    let blocks = copied(&platform, "blocks").await;
    assert_eq!(pairs(&blocks), expected(&[(4, 0), (4, 1)]));
    let told = platform.published("user_blocked").await;
    assert!(blocks.iter().all(|block| told.contains(block)), "as the events have them: {blocks:?}");
}

#[sqlx::test(migrations = false)]
async fn a_wrong_cursor_and_a_wrong_limit_are_refused(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database, &[]).await;
    for wrong in ["cursor=x", "cursor=.", "cursor=651d7cd3-4ad5-4a6f-be9d-bd55989f6c47.x", "limit=0", "limit=1001"] {
        assert_eq!(ask(&platform, &format!("connections?{wrong}")).await.status, 422, "{wrong}");
    }
}
