//! Pictures on posts: in answers, lists and events.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::{get, picture, post_with, process_all, ready, republish, upload, upload_form, url};
use crate::SERVICE;
use crate::core::testing::{Platform, new_user};
use crate::posts::events::{POST_CREATED, POST_UPDATED};
use crate::pre_publish;

/// A post shows its pictures in its author's order, wherever it is read.
#[sqlx::test(migrations = false)]
async fn a_post_shows_up_to_four_pictures_in_order(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, _), (bert, _)) = (new_user(), new_user());
    let mut ids = Vec::new();
    for number in 0..4 {
        ids.push(ready(&platform, &anna, "POST", &picture(20 + number, 10)).await);
    }
    ids.reverse();
    let post = post_with(&platform, &anna, &ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let shown = |post: &Value| -> Vec<Value> {
        post["media"].as_array().unwrap().iter().map(|media| media["id"].clone()).collect()
    };
    assert_eq!(shown(&post), ids.iter().map(|id| json!(id)).collect::<Vec<_>>());
    let first = &post["media"][0];
    assert_eq!((&first["width"], &first["alt"], &first["status"]), (&json!(23), &json!("A gradient"), &json!("READY")));
    assert_eq!((first.get("key"), first.get("original")), (None, None), "keys are for feeds, originals for animations");
    let path = format!("/posts/{}", post["id"].as_str().unwrap());
    assert_eq!(platform.call("GET", &path, Some(&bert), None).await.body["media"], post["media"]);
    assert_eq!(platform.call("GET", "/posts", Some(&bert), None).await.body[0]["media"], post["media"]);
    assert_eq!(get(&platform, url(&first["thumbnail"])).await.0, 200);

    // An update that says nothing of pictures leaves them; one that does replaces them.
    let text = json!({ "content": "y", "types": [] });
    let same = platform.call("PUT", &path, Some(&anna), Some(text)).await.body;
    assert_eq!(shown(&same), shown(&post));
    let fewer = json!({ "content": "y", "types": [], "media": [ids[3], ids[1]] });
    let fewer = platform.call("PUT", &path, Some(&anna), Some(fewer)).await.body;
    assert_eq!(shown(&fewer), [json!(ids[3]), json!(ids[1])]);
    let none = json!({ "content": "y", "types": [], "media": [] });
    assert_eq!(platform.call("PUT", &path, Some(&anna), Some(none)).await.body.get("media"), None);
}

/// What cannot be shown is refused, and the post is not written.
#[sqlx::test(migrations = false)]
async fn only_ones_own_pictures_for_posts_can_be_shown(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let ((anna, _), (bert, _)) = (new_user(), new_user());
    let his = ready(&platform, &bert, "POST", &picture(5, 5)).await;
    let avatar = ready(&platform, &anna, "AVATAR", &picture(6, 6)).await;
    let good = upload(&platform, &anna, "POST", &picture(7, 7)).await;
    let unknown = "0199c0de-0000-7000-8000-000000000000";
    let write = async |media: Value| {
        let post = json!({ "content": "x", "types": [], "status": "POSTED", "media": media });
        platform.call("POST", "/posts", Some(&anna), Some(post)).await.status.as_u16()
    };
    for media in [json!([his]), json!([avatar]), json!([unknown]), json!([good, his])] {
        assert_eq!(write(media.clone()).await, 400, "{media}");
    }
    let five = [1, 2, 3, 4, 5].map(|n| format!("0199c0de-0000-7000-8000-00000000000{n}"));
    for media in [json!(null), json!("x"), json!(["x"]), json!([1]), json!([good, good]), json!(five)] {
        assert_eq!(write(media.clone()).await, 422, "{media}");
    }
    assert_eq!(platform.call("GET", "/posts", Some(&anna), None).await.body, json!([]));
    assert_eq!(write(json!([good])).await, 201, "also before it is ready");
}

/// A post may be written before its picture is processed; readers and consumers get it when it is.
#[sqlx::test(migrations = false)]
async fn a_picture_that_becomes_ready_later_publishes_its_post_again(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, _) = new_user();
    let id = upload(&platform, &anna, "POST", &picture(30, 20)).await;
    let post = post_with(&platform, &anna, &[&id]).await;
    let waiting = &post["media"][0];
    assert_eq!((&waiting["status"], &waiting["width"]), (&json!("UPLOADED"), &json!(null)));
    assert_eq!(waiting.get("thumbnail"), None);
    process_all(&platform).await;
    let path = format!("/posts/{}", post["id"].as_str().unwrap());
    let read = platform.call("GET", &path, Some(&anna), None).await.body;
    assert_eq!(get(&platform, url(&read["media"][0]["thumbnail"])).await.0, 200);

    republish(&platform).await;
    let created = &platform.published(POST_CREATED).await[0];
    let updated = &platform.published(POST_UPDATED).await[0];
    assert_eq!((&created["media"][0]["id"], &created["media"][0]["width"]), (&json!(id), &json!(null)));
    assert_eq!((&updated["media"][0]["id"], &updated["media"][0]["width"]), (&json!(id), &json!(30)));
    assert!(updated["updated_at"].as_str() > created["updated_at"].as_str(), "a newer version");
    assert_eq!(created["media"][0]["key"], updated["media"][0]["key"], "it stays, so that feeds need no new one");
    assert!(updated["media"][0].get("thumbnail").is_none(), "addresses in events would be over when they are read");

    let described = platform.call("PATCH", &format!("/media/{id}"), Some(&anna), Some(json!({ "alt": "Neu" }))).await;
    assert_eq!(described.status, 200);
    republish(&platform).await;
    assert_eq!(platform.published(POST_UPDATED).await[1]["media"][0]["alt"], "Neu");
    assert_eq!(platform.call("DELETE", &format!("/media/{id}"), Some(&anna), None).await.status, 204);
    republish(&platform).await;
    assert_eq!(platform.published(POST_UPDATED).await[2].get("media"), None);
    assert_eq!(platform.call("GET", &path, Some(&anna), None).await.body.get("media"), None);
}

/// The descriptions of pictures are read with the post that shows them before it is published, whichever request does that, and by themselves
/// when they change afterwards.
#[sqlx::test(migrations = false)]
async fn descriptions_are_read_before_they_are_published(_: PgPoolOptions, database: PgConnectOptions) {
    let (url, asked) = pre_publish::stub::start().await;
    let settings = ["--pre-publish", "on", "--moderation-url", &url];
    let platform = Platform::start(&SERVICE, database, &settings).await;
    let (anna, _) = new_user();
    let texts = [("purpose", "POST"), ("alt", "a bad view")];
    let id = upload_form(&platform, &anna, &texts, Some(&picture(30, 20))).await.body["id"].clone();
    let body = |status: &str| json!({ "content": "x", "types": [], "status": status, "media": [id] });
    let refused = platform.call("POST", "/posts", Some(&anna), Some(body("POSTED"))).await;
    assert_eq!((refused.status.as_u16(), &refused.body["detail"][0]["type"]), (422, &json!("content_refused")));
    let draft = platform.call("POST", "/posts", Some(&anna), Some(body("DRAFT"))).await.body;
    let path = format!("/posts/{}", draft["id"].as_str().unwrap());
    let publish = async || {
        let body = json!({ "content": "x", "types": [], "status": "POSTED" });
        platform.call("PUT", &path, Some(&anna), Some(body)).await.status.as_u16()
    };
    assert_eq!(publish().await, 422, "the pictures that it has already are read, too");
    assert_eq!(*asked.lock().unwrap(), ["x\na bad view", "x\na bad view"]);
    let describe = async |alt: &str| {
        let path = format!("/media/{}", id.as_str().unwrap());
        platform.call("PATCH", &path, Some(&anna), Some(json!({ "alt": alt }))).await
    };
    assert_eq!(describe("another bad view").await.status, 200, "of a draft it is its author's own");
    assert_eq!(describe("a view").await.status, 200);
    assert_eq!(asked.lock().unwrap().len(), 2);
    assert_eq!(publish().await, 200);
    let refused = describe("a bad view again").await;
    assert_eq!((refused.status.as_u16(), &refused.body["detail"][0]["loc"]), (422, &json!(["body", "alt"])));
    assert_eq!(describe("a good view").await.status, 200);
    assert_eq!(asked.lock().unwrap()[2..], ["x\na view", "a bad view again", "a good view"]);
}
