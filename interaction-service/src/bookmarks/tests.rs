//! Bookmarks, through their routes.
use serde_json::{Value, json};
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use crate::blocks::events::{USER_BLOCKED, USER_UNBLOCKED};
use crate::core::testing::{Platform, Reply, new_user};
use crate::posts::events::{POST_CREATED, POST_DELETED, POST_UPDATED};
use crate::posts::testing::{changed, id, names, post, refusal, remove_all, start};

async fn put(platform: &Platform, token: &str, post: &Value, body: Value) -> Reply {
    platform.call("PUT", &format!("/{}/bookmark", id(post)), Some(token), Some(body)).await
}

/// The posts of a list of bookmarks.
async fn listed(platform: &Platform, token: &str, query: &str) -> Vec<Value> {
    let reply = platform.call("GET", &format!("/me/bookmarks{query}"), Some(token), None).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body.as_array().unwrap().iter().map(|bookmark| bookmark["post_id"].clone()).collect()
}

/// Three posts, the last of which is known to the post service alone.
async fn start_with_posts(database: PgConnectOptions) -> (Platform, Vec<Value>) {
    let (platform, service) = start(database).await;
    let posts: Vec<Value> = (0..3).map(|_| post(new_user().1, "POSTED")).collect();
    for post in &posts[..2] {
        platform.consume(POST_CREATED, post).await;
    }
    service.add_post(&posts[2]);
    (platform, posts)
}

/// A post is kept once, in one folder or in none, and only its user sees that.
#[sqlx::test(migrations = false)]
async fn posts_are_kept_in_folders(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, posts) = start_with_posts(database).await;
    let ((anna, _), (bert, _)) = (new_user(), new_user());
    let kept = put(&platform, &anna, &posts[0], json!({})).await;
    assert_eq!(kept.status, 200);
    assert_eq!(names(&kept.body), ["id", "created_at", "post_id", "folder"]);
    assert_eq!((&kept.body["post_id"], &kept.body["folder"]), (&posts[0]["id"], &Value::Null));
    assert_eq!(put(&platform, &anna, &posts[0], json!({})).await.body, kept.body, "a repeated request changes nothing");
    put(&platform, &anna, &posts[1], json!({ "folder": "  To read " })).await;
    put(&platform, &anna, &posts[2], json!({ "folder": "Recipes" })).await;
    let [first, second, third] = [0, 1, 2].map(|n: usize| posts[n]["id"].clone());
    assert_eq!(listed(&platform, &anna, "").await, [third.clone(), second.clone(), first.clone()]);
    assert_eq!(listed(&platform, &anna, "?folder=To%20read").await, std::slice::from_ref(&second));
    assert_eq!(listed(&platform, &bert, "").await, Vec::<Value>::new(), "they are private");
    let folders = async || platform.call("GET", "/me/bookmarks/folders", Some(&anna), None).await.body;
    let expected = [(json!("Recipes"), 1), (json!("To read"), 1), (Value::Null, 1)];
    assert_eq!(folders().await, json!(expected.map(|(folder, total)| json!({ "folder": folder, "total": total }))));

    let moved = put(&platform, &anna, &posts[2], json!({ "folder": "To read" })).await.body;
    assert_eq!(moved["folder"], "To read");
    let expected = [(json!("To read"), 2), (Value::Null, 1)];
    assert_eq!(folders().await, json!(expected.map(|(folder, total)| json!({ "folder": folder, "total": total }))));
    let page = platform.call("GET", "/me/bookmarks?folder=To%20read&limit=1", Some(&anna), None).await;
    let link = page.headers["link"].to_str().unwrap();
    let next = link.strip_prefix("</api/v1/me/bookmarks").unwrap().strip_suffix(">; rel=\"next\"").unwrap();
    assert_eq!(listed(&platform, &anna, next).await, [second], "the next page is of the same folder");

    for _ in 0..2 {
        let gone = platform.call("DELETE", &format!("/{}/bookmark", id(&posts[2])), Some(&anna), None).await;
        assert_eq!(gone.status, 204, "also when there is none any more");
    }
    assert_eq!(listed(&platform, &anna, "?folder=To%20read").await.len(), 1);
    for wrong in ["%00", &"x".repeat(51)] {
        let refused = platform.call("GET", &format!("/me/bookmarks?folder={wrong}"), Some(&anna), None).await;
        assert_eq!((refused.status.as_u16(), &refused.body["detail"][0]["loc"]), (422, &json!(["query", "folder"])));
    }
    for (folder, kind) in [
        (json!("x".repeat(51)), "value_error.any_str.max_length"),
        (json!(" \n "), "value_error.any_str.min_length"),
        (json!([]), "type_error.str"),
    ] {
        let refused = put(&platform, &anna, &posts[0], json!({ "folder": folder })).await;
        assert_eq!((refused.status.as_u16(), &refused.body["detail"][0]["type"]), (422, &json!(kind)));
    }
}

/// What a user may not see is not listed, and is there again when they may; a deleted post's bookmark goes.
#[sqlx::test(migrations = false)]
async fn a_bookmark_waits_for_its_post_and_goes_with_it(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, posts) = start_with_posts(database).await;
    let (anna, reader) = new_user();
    for post in &posts[..2] {
        put(&platform, &anna, post, json!({ "folder": "f" })).await;
    }
    let [first, second] = [0, 1].map(|n: usize| posts[n]["id"].clone());
    platform.consume(POST_UPDATED, &changed(&posts[0], "ARCHIVED")).await;
    assert_eq!(listed(&platform, &anna, "").await, std::slice::from_ref(&second));
    let folders = platform.call("GET", "/me/bookmarks/folders", Some(&anna), None).await.body;
    assert_eq!(folders, json!([{ "folder": "f", "total": 1 }]), "what is not to be seen is not counted");
    let mut back = changed(&posts[0], "POSTED");
    back["updated_at"] = json!("2026-11-22T00:00:00+00:00");
    platform.consume(POST_UPDATED, &back).await;
    assert_eq!(listed(&platform, &anna, "").await, [second.clone(), first.clone()]);

    let block = |at: &str| json!({ "user_id": posts[1]["created_by"], "target_id": reader, "at": at });
    platform.consume(USER_BLOCKED, &block("2026-11-20T12:00:01+00:00")).await;
    assert_eq!(listed(&platform, &anna, "").await, std::slice::from_ref(&first));
    let refused = put(&platform, &anna, &posts[1], json!({})).await;
    assert_eq!(refusal(&refused), (404, &json!("Post not found")));
    platform.consume(USER_UNBLOCKED, &block("2026-11-20T12:00:02+00:00")).await;
    assert_eq!(listed(&platform, &anna, "").await.len(), 2);

    platform.consume(POST_DELETED, &posts[1]).await;
    assert_eq!(listed(&platform, &anna, "").await, std::slice::from_ref(&first));
    remove_all(&platform).await;
    assert_eq!(platform.personal_data_of(reader, "bookmarks").await.len(), 1, "it is gone and not only out of sight");
    assert_eq!(put(&platform, &anna, &posts[1], json!({})).await.status, 404);
}

/// A user has 10,000 bookmarks at most, also when two come at once; one that exists can still be moved.
#[sqlx::test(migrations = false)]
async fn the_number_of_bookmarks_is_bounded(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, posts) = start_with_posts(database).await;
    let (anna, reader) = new_user();
    put(&platform, &anna, &posts[0], json!({})).await;
    let fill = format!(
        "with made as (insert into post (id, created_by, status, updated_at)
            select gen_random_uuid(), gen_random_uuid(), 'POSTED', now() from generate_series(1, 9998) returning id)
        insert into bookmark (id, user_id, post_id) select gen_random_uuid(), '{reader}', id from made"
    );
    platform.app.db.execute(sqlx::AssertSqlSafe(fill)).await.unwrap();
    let both = posts[1..].iter().map(|post| put(&platform, &anna, post, json!({})));
    let mut statuses: Vec<u16> =
        futures::future::join_all(both).await.iter().map(|reply| reply.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    assert_eq!(put(&platform, &anna, &posts[0], json!({ "folder": "f" })).await.status, 200);
}

/// A muted user keeps what they like, and what a person kept is exported and erased.
#[sqlx::test(migrations = false)]
async fn bookmarks_are_exported_and_erased(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, posts) = start_with_posts(database).await;
    let user = Uuid::now_v7();
    let muted = format!("{user}:MUTED:USER");
    assert_eq!(put(&platform, &muted, &posts[0], json!({ "folder": "Secretword" })).await.status, 200);
    let held = platform.personal_data_of(user, "bookmarks").await;
    assert_eq!((held.len(), &held[0]["folder"]), (1, &json!("Secretword")));
    platform.erase(user).await;
    assert_eq!(platform.personal_data_of(user, "bookmarks").await, Vec::<Value>::new());
    assert_eq!(platform.finds("Secretword").await, [""; 0]);
}
