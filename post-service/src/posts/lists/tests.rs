//! Filtered lists and counts of posts, through their routes.
use serde_json::{Value, json};
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::blocks::events::USER_BLOCKED;
use crate::core::testing::{Platform, new_user};
use crate::media::tests::{picture, ready};
use crate::posts::tests::start;
use crate::search::tests::index;

async fn write(platform: &Platform, author: &str, content: &str, types: &[&str], status: &str) {
    let body = json!({ "content": content, "types": types, "status": status });
    assert_eq!(platform.call("POST", "/posts", Some(author), Some(body)).await.status, 201);
}

async fn list(platform: &Platform, reader: &str, query: &str) -> Vec<String> {
    let reply = platform.call("GET", &format!("/posts?{query}"), Some(reader), None).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let content = |post: &Value| post["content"].as_str().unwrap().to_owned();
    reply.body.as_array().unwrap().iter().map(content).collect()
}

/// Posts with pictures and posts without are listed apart and found apart, by what their readers see of them.
#[sqlx::test(migrations = false)]
async fn posts_with_pictures_are_listed_and_found_apart(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, her), (ben, _)) = (new_user(), new_user());
    let mut pictures = Vec::new();
    for width in 3..=5 {
        pictures.push(ready(&platform, &anna, "POST", &picture(width, 3)).await);
    }
    let write = async |content: &str, status: &str, media: &[&str]| {
        let body = json!({ "content": content, "types": [], "status": status, "media": media });
        let reply = platform.call("POST", "/posts", Some(&anna), Some(body)).await;
        assert_eq!(reply.status, 201, "{reply:?}");
    };
    write("needle plain", "POSTED", &[]).await;
    write("needle shown", "POSTED", &[&pictures[0], &pictures[1]]).await;
    write("needle hidden", "POSTED", &[&pictures[2]]).await;
    write("needle draft", "DRAFT", &[&pictures[0]]).await;
    let hides = json!({ "subject_type": "MEDIA", "subject_id": pictures[2], "version": 1, "visibility": "HIDDEN" });
    platform.consume("moderation_decided", &hides).await;
    index(&platform).await;
    let found = async |query: &str| {
        let reply = platform.call("GET", &format!("/posts/search?q=needle{query}"), Some(&ben), None).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let hits = reply.body.as_array().unwrap().clone();
        let contents = hits.iter().map(|hit| hit["content"].as_str().unwrap().to_owned());
        contents.collect::<Vec<_>>()
    };
    let (with, without) = (["needle shown"], ["needle hidden", "needle plain"]);
    assert_eq!(list(&platform, &ben, "has_media=true").await, with);
    assert_eq!(list(&platform, &ben, &format!("has_media=false&author={her}")).await, without);
    assert_eq!(list(&platform, &anna, "has_media=1").await, ["needle draft", "needle shown"], "her drafts, too");
    for order in ["", "&order=time"] {
        assert_eq!(found(&format!("&has_media=TRUE{order}")).await, with);
        assert_eq!(found(&format!("&has_media=0{order}")).await, without);
        assert_eq!(found(order).await.len(), 3);
    }
    let reply = platform.call("GET", "/posts/search?q=needle&has_media=", Some(&ben), None).await;
    assert_eq!((reply.status.as_u16(), &reply.body["detail"][0]["type"]), (422, &json!("type_error.bool")));
}

/// A category has pages of its own, in the order of all posts, and follows what becomes of them.
#[sqlx::test(migrations = false)]
async fn a_category_is_paged_and_kept(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, _), (ben, _)) = (new_user(), new_user());
    for (content, types) in
        [("a", &["PROTEST"][..]), ("b", &["NEWS"]), ("c", &["NEWS", "PROTEST", "PROTEST"]), ("d", &["PROTEST"])]
    {
        write(&platform, &anna, content, types, "POSTED").await;
    }
    let first = platform.call("GET", "/posts?category=PROTEST&limit=2", Some(&ben), None).await;
    let contents: Vec<_> = first.body.as_array().unwrap().iter().map(|post| post["content"].clone()).collect();
    assert_eq!(contents, ["d", "c"]);
    let link = first.headers["link"].to_str().unwrap();
    let next = link.strip_prefix("</api/v1").unwrap().split_once('>').unwrap().0;
    let second = platform.call("GET", next, Some(&ben), None).await;
    assert_eq!((second.body.as_array().unwrap().len(), &second.body[0]["content"]), (1, &json!("a")));

    let path = format!("/posts/{}", first.body[0]["id"].as_str().unwrap());
    let change = async |types: &[&str], status: &str| {
        let body = json!({ "content": "d", "types": types, "status": status });
        assert_eq!(platform.call("PUT", &path, Some(&anna), Some(body)).await.status, 200);
        (list(&platform, &ben, "category=PROTEST").await.len(), list(&platform, &ben, "category=NEWS").await.len())
    };
    assert_eq!(change(&["NEWS"], "POSTED").await, (2, 3));
    assert_eq!(change(&["NEWS", "PROTEST"], "ARCHIVED").await, (2, 2));
    assert_eq!(change(&["NEWS", "PROTEST"], "POSTED").await, (3, 3));
    assert_eq!(platform.call("DELETE", &path, Some(&anna), None).await.status, 204);
    assert_eq!(list(&platform, &ben, "category=PROTEST").await, ["c", "a"]);
    let rows = platform.app.db.fetch_all("select from post_listing").await.unwrap();
    assert_eq!(rows.len(), 4, "a row per post and category, and none of what is deleted");
}

/// A list is narrowed by author, category and tag, and shows what the whole list shows.
#[sqlx::test(migrations = false)]
async fn a_list_is_narrowed_by_filters_and_counted(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((anna, her), (ben, his)) = (new_user(), new_user());
    write(&platform, &anna, "a #Café", &["NEWS"], "POSTED").await;
    write(&platform, &anna, "b", &["SPORTS", "NEWS"], "POSTED").await;
    write(&platform, &anna, "draft", &["NEWS"], "DRAFT").await;
    write(&platform, &ben, "c #cafe", &["NEWS"], "POSTED").await;
    assert_eq!(list(&platform, &ben, &format!("author={her}")).await, ["b", "a #Café"]);
    assert_eq!(list(&platform, &anna, &format!("author={her}")).await, ["draft", "b", "a #Café"]);
    assert_eq!(list(&platform, &anna, &format!("author={his}")).await, ["c #cafe"], "not the drafts of the reader");
    assert_eq!(list(&platform, &ben, "category=NEWS&limit=2").await, ["c #cafe", "b"]);
    assert_eq!(list(&platform, &ben, "category=SPORTS").await, ["b"]);
    assert_eq!(list(&platform, &ben, "tag=%23CAF%C3%89").await, ["a #Café"]);
    assert_eq!(list(&platform, &ben, "tag=%23Cafe").await, ["c #cafe"], "diacritics make two tags");
    assert_eq!(list(&platform, &ben, &format!("tag=caf%C3%A9&author={her}&category=NEWS")).await, ["a #Café"]);
    for (query, kind) in
        [("author=me", "type_error.uuid"), ("category=news", "type_error.enum"), ("has_media=maybe", "type_error.bool")]
    {
        let reply = platform.call("GET", &format!("/posts?{query}"), Some(&ben), None).await;
        assert_eq!((reply.status.as_u16(), &reply.body["detail"][0]["type"]), (422, &json!(kind)));
    }

    let count =
        async |reader: &str| platform.call("GET", &format!("/users/{her}/posts/count"), Some(reader), None).await.body;
    assert_eq!((count(&ben).await, count(&anna).await), (json!({ "count": 2 }), json!({ "count": 2 })));
    let block = json!({ "user_id": her, "target_id": his, "at": "2026-11-20T12:00:00+00:00" });
    platform.consume(USER_BLOCKED, &block).await;
    assert_eq!(
        (count(&ben).await, list(&platform, &ben, "tag=cafe").await),
        (json!({ "count": 0 }), vec!["c #cafe".to_owned()])
    );
}
