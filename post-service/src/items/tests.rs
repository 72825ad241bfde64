//! Items, through the routes of posts and their own.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor, Row};

use super::schedulers::sweep;
use crate::SERVICE;
use crate::core::testing::{Platform, Reply, new_user};
use crate::posts::events::{POST_CREATED, POST_DELETE_REQUESTED, POST_UPDATED};

fn book() -> Value {
    json!({ "kind": "BOOK", "external_id": "isbn:1", "url": "https://Books.example/1", "title": "On Engines",
        "artists": ["Ada"], "site": "Books", "picture_url": "https://books.example/1.png" })
}

async fn send(platform: &Platform, author: &str, item: &Value) -> Reply {
    let body = json!({ "content": "Read this", "types": [], "status": "POSTED", "item": item });
    platform.call("POST", "/posts", Some(author), Some(body)).await
}

async fn attach(platform: &Platform, author: &str, item: &Value) -> Value {
    let reply = send(platform, author, item).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    reply.body
}

async fn change(platform: &Platform, author: &str, post: &Value, fields: Value) -> Reply {
    let mut body = json!({ "content": "Read this", "types": [] });
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    platform.call("PUT", &format!("/posts/{}", post["id"].as_str().unwrap()), Some(author), Some(body)).await
}

async fn count(platform: &Platform) -> i64 {
    platform.app.db.fetch_one("select count(*) from item").await.unwrap().get(0)
}

#[sqlx::test(migrations = false)]
async fn a_post_has_an_item_everywhere_it_is_shown(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, _), (bert, _)) = (new_user(), new_user());
    let post = attach(&platform, &anna, &book()).await;
    let mut expected = book();
    expected["url"] = json!("https://books.example/1");
    expected["id"] = post["item"]["id"].clone();
    assert_eq!(post["item"], expected, "with the address as browsers read it");
    assert_eq!(platform.published(POST_CREATED).await, std::slice::from_ref(&post));
    let path = format!("/posts/{}", post["id"].as_str().unwrap());
    assert_eq!(platform.call("GET", &path, Some(&bert), None).await.body["item"], expected);
    assert_eq!(platform.call("GET", "/posts", Some(&bert), None).await.body[0]["item"], expected);
    let item = format!("/items/{}", expected["id"].as_str().unwrap());
    assert_eq!(platform.call("GET", &item, Some(&bert), None).await.body, expected);
    let changed = change(&platform, &anna, &post, json!({})).await;
    assert_eq!(changed.body["item"], expected, "what is not given stays");
    assert_eq!(platform.published(POST_UPDATED).await, [changed.body]);
    let changed = change(&platform, &anna, &post, json!({ "item": null })).await;
    assert_eq!((changed.status.as_u16(), changed.body.get("item")), (200, None));
    let gone = platform.call("GET", &item, Some(&anna), None).await;
    assert_eq!((gone.status.as_u16(), &gone.body["detail"]), (404, &json!("Item not found")), "no post has it");
}

#[sqlx::test(migrations = false)]
async fn the_catalogue_has_no_doubles_and_loses_what_no_post_has(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, _), (bert, _)) = (new_user(), new_user());
    let mut other = book();
    (other["title"], other["url"]) = (json!("Another title"), json!("https://elsewhere.example/"));
    let link = |url: &str| json!({ "kind": "LINK", "url": url, "title": "A page" });
    let (first, page, same) = (book(), link("https://Page.example:443/a"), link("https://page.example/a"));
    let all = tokio::join!(
        attach(&platform, &anna, &first),
        attach(&platform, &bert, &other),
        attach(&platform, &anna, &page),
        attach(&platform, &bert, &same)
    );
    assert_eq!(all.0["item"], all.1["item"], "one kind and name is one item, however many write it at once");
    assert_eq!(all.2["item"]["id"], all.3["item"]["id"], "one address is one, too");
    assert_eq!(count(&platform).await, 2);
    for (author, post) in [(&anna, &all.0), (&bert, &all.1), (&anna, &all.2)] {
        let path = format!("/posts/{}", post["id"].as_str().unwrap());
        assert_eq!(platform.call("DELETE", &path, Some(author), None).await.status, 204);
    }
    sweep(&platform.app).await.unwrap();
    assert_eq!(count(&platform).await, 2, "it is kept for a day");
    platform.app.db.execute("update item set used_at = now() - interval '25 hours'").await.unwrap();
    sweep(&platform.app).await.unwrap();
    assert_eq!(count(&platform).await, 1, "the page has a post");
}

/// The words of an item are read before publication and charged; those that only a hidden post has said are not given to the next.
#[sqlx::test(migrations = false)]
async fn what_an_item_says_is_read_charged_and_hidden_with_its_post(_: PgPoolOptions, database: PgConnectOptions) {
    let (url, asked) = crate::pre_publish::stub::start().await;
    let ceiling = ["--rate-limits", "posts=1000/60", "--daily-bytes", "100"];
    let asking = ["--pre-publish", "on", "--moderation-url", &url];
    let platform = Platform::start(&SERVICE, database, &[&ceiling[..], &asking].concat()).await;
    let ((anna, her), (bert, _)) = (new_user(), new_user());
    let mut bad = book();
    bad["artists"] = json!(["a bad one"]);
    assert_eq!(send(&platform, &anna, &bad).await.status, 422, "as a text that says so");
    let mut hateful = book();
    hateful["title"] = json!("Hateful");
    let post = attach(&platform, &anna, &hateful).await;
    assert_eq!(asked.lock().unwrap().last().unwrap(), "Read this\nHateful\nAda\nBooks");
    let held = platform.personal_data_of(her, "quotas").await;
    assert_eq!(held[0]["bytes"], json!("Read thisHatefulAdaBooks".len()));
    let mut long = book();
    long["title"] = json!("x".repeat(90));
    assert_eq!(send(&platform, &anna, &long).await.status, 429);

    let request = json!({ "content_id": post["id"], "raw_content": post, "reason": "RACISM" });
    platform.consume(POST_DELETE_REQUESTED, &request).await;
    let item = format!("/items/{}", post["item"]["id"].as_str().unwrap());
    assert_eq!(platform.call("GET", &item, Some(&bert), None).await.status, 404, "it is hidden with its post");
    let other = attach(&platform, &bert, &book()).await;
    assert_eq!((&other["item"]["id"], &other["item"]["title"]), (&post["item"]["id"], &json!("On Engines")));
    assert_eq!(attach(&platform, &anna, &hateful).await["item"]["title"], "On Engines", "and now it stays");
}

/// What only its author can read decides nothing: the words of drafts and archived posts are not those of the next author.
#[sqlx::test(migrations = false)]
async fn the_words_of_private_posts_are_not_given_to_the_next(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, _), (bert, _)) = (new_user(), new_user());
    for status in ["DRAFT", "ARCHIVED"] {
        let mut item = book();
        item["external_id"] = json!(status);
        let mut own = item.clone();
        (own["title"], own["url"]) = (json!("Private words"), json!("https://elsewhere.example/"));
        own["picture_url"] = json!("https://elsewhere.example/1.png");
        let body = json!({ "content": "Read this", "types": [], "status": status, "item": own });
        let private = platform.call("POST", "/posts", Some(&anna), Some(body.clone())).await;
        assert_eq!((private.status.as_u16(), &private.body["item"]["title"]), (201, &json!("Private words")));
        let shown = attach(&platform, &bert, &item).await;
        item["id"] = private.body["item"]["id"].clone();
        item["url"] = json!("https://books.example/1");
        assert_eq!(shown["item"], item, "after {status}");
        let again = platform.call("POST", "/posts", Some(&anna), Some(body)).await;
        assert_eq!(again.body["item"], item, "what all users read stays");
    }
}

/// Writes a post about the book in other words.
async fn say(platform: &Platform, author: &str, title: &str, status: &str) -> Value {
    let mut item = book();
    item["title"] = json!(title);
    let body = json!({ "content": "Read this", "types": [], "status": status, "item": item });
    let reply = platform.call("POST", "/posts", Some(author), Some(body)).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    reply.body
}

/// What a post says about its item no other post changes; those that all users may read say the same.
#[sqlx::test(migrations = false)]
async fn no_post_changes_what_another_one_says(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, _), (bert, _), (carl, _)) = (new_user(), new_user(), new_user());
    let hers = say(&platform, &anna, "Hers", "DRAFT").await;
    let his = say(&platform, &bert, "His", "DRAFT").await;
    assert_eq!(hers["item"]["id"], his["item"]["id"], "it is one item");
    let read = async |author: &str, post: &Value| {
        let path = format!("/posts/{}", post["id"].as_str().unwrap());
        platform.call("GET", &path, Some(author), None).await.body["item"]["title"].clone()
    };
    let said = async || (read(&anna, &hers).await, read(&bert, &his).await);
    let path = format!("/items/{}", hers["item"]["id"].as_str().unwrap());
    let described = async |reader: &str| platform.call("GET", &path, Some(reader), None).await.body["title"].clone();
    assert_eq!(said().await, (json!("Hers"), json!("His")), "each says what its own author wrote");
    assert_eq!((described(&anna).await, described(&bert).await), (json!("Hers"), json!("His")));
    assert_eq!(platform.call("GET", &path, Some(&carl), None).await.status, 404);

    let status = |status: &str| json!({ "status": status });
    assert_eq!(change(&platform, &bert, &his, status("POSTED")).await.status, 200);
    assert_eq!(said().await, (json!("Hers"), json!("His")), "a draft is not changed by what is published");
    assert_eq!(described(&carl).await, "His");
    assert_eq!(change(&platform, &bert, &his, status("ARCHIVED")).await.status, 200);
    let published = change(&platform, &anna, &hers, status("POSTED")).await;
    assert_eq!(published.body["item"]["title"], "Hers", "no post that all users read says anything else");
    assert_eq!(said().await, (json!("Hers"), json!("His")));
    assert_eq!(described(&carl).await, "Hers");
    let published = change(&platform, &bert, &his, status("POSTED")).await;
    assert_eq!(published.body["item"]["title"], "Hers", "what all users read is one thing");
    let again = say(&platform, &carl, "Another", "POSTED").await;
    assert_eq!((said().await, &again["item"]["title"]), ((json!("Hers"), json!("Hers")), &json!("Hers")));
}

/// The only author who says something about an item can say it better.
#[sqlx::test(migrations = false)]
async fn an_author_corrects_what_no_one_else_has_said(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, _), (bert, _)) = (new_user(), new_user());
    let post = say(&platform, &anna, "On Enginse", "POSTED").await;
    let corrected = change(&platform, &anna, &post, json!({ "item": book() })).await;
    assert_eq!(corrected.body["item"]["title"], "On Engines");
    assert_eq!(attach(&platform, &bert, &book()).await["item"], corrected.body["item"]);
    let mut other = book();
    other["title"] = json!("Something else");
    let changed = change(&platform, &anna, &post, json!({ "item": other })).await;
    assert_eq!(changed.body["item"]["title"], "On Engines", "others say it, too, by now");
}

/// Posts of an earlier release have no words of their own, and keep what they say.
#[sqlx::test(migrations = false)]
async fn an_older_post_keeps_what_it_says(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, _), (bert, _)) = (new_user(), new_user());
    let old = say(&platform, &anna, "As ever", "DRAFT").await;
    platform.app.db.execute("update post_item set words = null").await.unwrap();
    let path = format!("/posts/{}", old["id"].as_str().unwrap());
    let title = async || platform.call("GET", &path, Some(&anna), None).await.body["item"]["title"].clone();
    assert_eq!(title().await, "As ever");
    assert_eq!(attach(&platform, &bert, &book()).await["item"]["title"], "On Engines");
    assert_eq!(title().await, "As ever");
}

/// The items of a person's posts are exported, and what they have said about an item is erased with them, also where others have the item.
#[sqlx::test(migrations = false)]
async fn what_was_said_about_an_item_is_exported_and_erased(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, her), (bert, _)) = (new_user(), new_user());
    let hers = say(&platform, &anna, "Annasword", "DRAFT").await;
    let his = say(&platform, &bert, "His", "DRAFT").await;
    platform.published(POST_CREATED).await;
    let held = platform.personal_data_of(her, "items").await;
    assert_eq!((held.len(), &held[0]["post_id"], &held[0]["title"]), (1, &hers["id"], &json!("Annasword")));
    assert_eq!((&held[0]["external_id"], &held[0]["artists"]), (&json!("isbn:1"), &json!(["Ada"])));
    platform.consume("user_deleted", &json!({ "id": her, "deleted_at": "2026-11-20T12:00:00+00:00" })).await;
    platform.erase(her).await;
    assert_eq!(platform.finds("Annasword").await, [""; 0]);
    assert_eq!(platform.personal_data_of(her, "items").await, [json!(null); 0]);
    let path = format!("/posts/{}", his["id"].as_str().unwrap());
    assert_eq!(platform.call("GET", &path, Some(&bert), None).await.body["item"], his["item"]);
}

#[sqlx::test(migrations = false)]
async fn an_item_leaves_room_for_a_caption(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, _) = new_user();
    let long = "é".repeat(281);
    let expected = json!([{ "loc": ["body", "content"], "msg": "ensure this value has at most 280 characters",
        "type": "value_error.any_str.max_length", "ctx": { "limit_value": 280 } }]);
    let body = json!({ "content": long, "types": [], "item": book() });
    let reply = platform.call("POST", "/posts", Some(&anna), Some(body)).await;
    assert_eq!((reply.status.as_u16(), &reply.body["detail"]), (422, &expected));
    let post = attach(&platform, &anna, &book()).await;
    let reply = change(&platform, &anna, &post, json!({ "content": long })).await;
    assert_eq!((reply.status.as_u16(), &reply.body["detail"]), (422, &expected), "also when it was there before");
    let path = format!("/posts/{}", post["id"].as_str().unwrap());
    assert_eq!(platform.call("GET", &path, Some(&anna), None).await.body, post, "nothing of it has happened");
    let reply = change(&platform, &anna, &post, json!({ "content": long, "item": null })).await;
    assert_eq!((reply.status.as_u16(), reply.body.get("item")), (200, None));
}

#[sqlx::test(migrations = false)]
async fn what_is_wrong_with_an_item_is_reported_at_its_place(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, _) = new_user();
    let with = |name: &str, value: Value| {
        let mut item = book();
        item[name] = value;
        item
    };
    for (item, place, kind) in [
        (json!([]), json!(["body", "item"]), "type_error.dict"),
        (json!({}), json!(["body", "item", "kind"]), "value_error.missing"),
        (with("kind", json!("CAR")), json!(["body", "item", "kind"]), "type_error.enum"),
        (with("kind", json!(null)), json!(["body", "item", "kind"]), "type_error.none.not_allowed"),
        (with("url", json!("http://books.example/")), json!(["body", "item", "url"]), "value_error.url"),
        (with("url", json!("https://127.0.0.1/")), json!(["body", "item", "url"]), "value_error.url"),
        (with("picture_url", json!("javascript:x")), json!(["body", "item", "picture_url"]), "value_error.url"),
        (with("title", json!("x".repeat(301))), json!(["body", "item", "title"]), "value_error.any_str.max_length"),
        (with("artists", json!("Ada")), json!(["body", "item", "artists"]), "type_error.list"),
        (with("artists", json!(vec!["x"; 21])), json!(["body", "item", "artists"]), "value_error.list.max_items"),
        (with("artists", json!([7])), json!(["body", "item", "artists"]), "value_error.artist"),
        (with("color", json!("red")), json!(["body", "item", "color"]), "value_error.extra"),
    ] {
        let reply = send(&platform, &anna, &item).await;
        let fault = &reply.body["detail"][0];
        assert_eq!((reply.status.as_u16(), &fault["loc"], &fault["type"]), (422, &place, &json!(kind)), "{item}");
    }
    assert_eq!(count(&platform).await, 0);
}
