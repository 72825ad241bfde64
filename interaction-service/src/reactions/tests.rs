//! Reactions, through their routes and their events.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::Type;
use super::events::{REACTION_CREATED, REACTION_DELETED, REACTION_UPDATED};
use crate::blocks::events::USER_BLOCKED;
use crate::core::testing::{Platform, Reply, new_user};
use crate::posts::events::{POST_CREATED, POST_DELETED, POST_UPDATED};
use crate::posts::testing::{changed, id, names, post, react, refusal, remove_all, start};

/// A platform with one published post.
async fn start_with_post(database: PgConnectOptions) -> (Platform, Value) {
    let (platform, _) = start(database).await;
    let post = post(new_user().1, "POSTED");
    platform.consume(POST_CREATED, &post).await;
    (platform, post)
}

fn path(reaction: &Value) -> String {
    format!("/post-reactions/{}", id(reaction))
}

/// Sets or takes back the caller's own reaction to a post, by the post.
async fn own(platform: &Platform, method: &str, token: &str, post: &Value, kind: Option<&str>) -> Reply {
    let path = format!("/{}/post-reactions/mine", id(post));
    platform.call(method, &path, Some(token), kind.map(|kind| json!({ "type": kind }))).await
}

#[sqlx::test(migrations = false)]
async fn a_reaction_is_answered_as_the_original_does_and_published(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let ((anna, user), (bert, _)) = (new_user(), new_user());
    let list = format!("/{}/post-reactions", id(&post));
    let reply = platform.call("POST", &list, Some(&anna), Some(json!({}))).await;
    assert_eq!(reply.status, 201);
    let felt = reply.body;
    let fields = ["id", "created_at", "created_by", "updated_at", "updated_by", "post_id", "type"];
    assert_eq!(names(&felt), fields);
    assert_eq!((&felt["created_by"], &felt["updated_by"]), (&json!(user), &Value::Null));
    assert_eq!((&felt["post_id"], &felt["type"]), (&post["id"], &json!("LIKE")));
    assert_eq!(platform.published(REACTION_CREATED).await, std::slice::from_ref(&felt));
    let read = platform.call("GET", &path(&felt), Some(&bert), None).await;
    assert_eq!((read.status.as_u16(), read.body), (200, felt));
}

#[sqlx::test(migrations = false)]
async fn reactions_of_every_type_are_listed_newest_first_in_pages(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let list = format!("/{}/post-reactions", id(&post));
    let mut newest_first = Vec::new();
    for kind in Type::WORDS {
        let reply = react(&platform, &new_user().0, &post, kind).await;
        assert_eq!((reply.status.as_u16(), &reply.body["type"]), (201, &json!(kind)));
        newest_first.insert(0, reply.body);
    }
    let (anna, _) = new_user();
    assert_eq!(platform.call("GET", &list, Some(&anna), None).await.body, json!(newest_first));
    let first = platform.call("GET", &format!("{list}?limit=4"), Some(&anna), None).await;
    assert_eq!(first.body, json!(newest_first[..4]));
    let link = first.headers["link"].to_str().unwrap();
    let next = link.strip_prefix("</api/v1").unwrap().strip_suffix(">; rel=\"next\"").unwrap();
    assert_eq!(platform.call("GET", next, Some(&anna), None).await.body, json!(newest_first[4..]));
}

#[sqlx::test(migrations = false)]
async fn the_list_of_an_unknown_post_is_refused_like_that_of_a_draft(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = start(database).await;
    let ((anna, _), (_, author)) = (new_user(), new_user());
    let (unknown, draft) = (post(author, "POSTED"), post(author, "DRAFT"));
    platform.consume(POST_CREATED, &draft).await;
    service.add_post(&draft);
    let list =
        async |post: &Value| platform.call("GET", &format!("/{}/post-reactions", id(post)), Some(&anna), None).await;
    let (unknown, draft) = (list(&unknown).await, list(&draft).await);
    assert_eq!(refusal(&unknown), (404, &json!("Post not found")));
    assert_eq!((draft.status, draft.body), (unknown.status, unknown.body), "the two look the same");
    let reply = platform.call("GET", "/7/post-reactions", Some(&anna), None).await;
    let problem =
        json!([{ "loc": ["path", "post_id"], "msg": "value is not a valid uuid", "type": "type_error.uuid" }]);
    assert_eq!(refusal(&reply), (422, &problem));
    let reply = platform.call("GET", "/7/post-reactions", None, None).await;
    assert_eq!(refusal(&reply), (401, &json!("Not authenticated")));
}

#[sqlx::test(migrations = false)]
async fn concurrent_reactions_of_a_user_to_a_post_yield_one(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let ((anna, _), (bert, _)) = (new_user(), new_user());
    let tries = (0..16).map(|n| react(&platform, &anna, &post, Type::WORDS[n % 6]));
    let replies = futures::future::join_all(tries).await;
    let (made, refused): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.status == 201);
    assert_eq!(made.len(), 1);
    for reply in &refused {
        assert_eq!(refusal(reply), (400, &json!("Can not react duplicate on same post.")));
    }
    assert_eq!(platform.published(REACTION_CREATED).await, [made[0].body.clone()]);
    assert_eq!(react(&platform, &bert, &post, "LIKE").await.status, 201, "another user may too");

    assert_eq!(platform.call("DELETE", &path(&made[0].body), Some(&anna), None).await.status, 204);
    assert_eq!(react(&platform, &anna, &post, "SAD").await.status, 201, "after it was taken back there may be another");
}

#[sqlx::test(migrations = false)]
async fn only_the_owner_changes_a_reaction(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let ((anna, user), (bert, _)) = (new_user(), new_user());
    let felt = react(&platform, &anna, &post, "JOY").await.body;
    let change = json!({ "type": "SAD" });
    let reply = platform.call("PUT", &path(&felt), Some(&bert), Some(change.clone())).await;
    assert_eq!(refusal(&reply), (404, &json!("Post reaction not found")));
    let nobodys = format!("/post-reactions/{}", uuid::Uuid::now_v7());
    for (method, body) in [("GET", None), ("PUT", Some(change.clone()))] {
        let reply = platform.call(method, &nobodys, Some(&anna), body).await;
        assert_eq!(refusal(&reply), (404, &json!("Post reaction not found")));
    }

    let reply = platform.call("PUT", &path(&felt), Some(&anna), Some(change)).await;
    assert_eq!((reply.status.as_u16(), &reply.body["type"]), (200, &json!("SAD")));
    assert_eq!(reply.body["updated_by"], json!(user));
    let version = |reaction: &Value| {
        serde_json::from_value::<crate::core::contract::timestamp::Timestamp>(reaction["updated_at"].clone()).unwrap()
    };
    assert!(version(&reply.body) > version(&felt));
    let again = platform.call("PUT", &path(&felt), Some(&anna), Some(json!({}))).await;
    assert_eq!((again.status.as_u16(), &again.body["type"]), (200, &json!("SAD")), "no type, no change");
    assert!(version(&again.body) > version(&reply.body));
    assert_eq!(platform.published(REACTION_CREATED).await, [felt], "a change is no second reaction");
    assert_eq!(
        platform.published(REACTION_UPDATED).await,
        [reply.body, again.body],
        "each version, and nothing of others"
    );
}

#[sqlx::test(migrations = false)]
async fn only_the_owner_deletes_a_reaction_and_once(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let ((anna, _), (bert, _)) = (new_user(), new_user());
    let felt = react(&platform, &anna, &post, "FUNNY").await.body;
    let gone = json!("Post reaction not found for deletion");
    let reply = platform.call("DELETE", &path(&felt), Some(&bert), None).await;
    assert_eq!(refusal(&reply), (404, &gone));
    let reply = platform.call("DELETE", &path(&felt), Some(&anna), None).await;
    assert_eq!((reply.status.as_u16(), reply.body), (204, Value::Null));
    let reply = platform.call("DELETE", &path(&felt), Some(&anna), None).await;
    assert_eq!(refusal(&reply), (404, &gone));
    assert_eq!(platform.published(REACTION_DELETED).await, [felt]);
}

#[sqlx::test(migrations = false)]
async fn an_invalid_reaction_is_refused_in_the_originals_words(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let ((anna, _), (bert, _)) = (new_user(), new_user());
    let felt = react(&platform, &anna, &post, "LIKE").await.body;
    let (list, one) = (format!("/{}/post-reactions", id(&post)), path(&felt));
    let expected = [
        (json!({ "type": null }), "type", "type_error.none.not_allowed"),
        (json!({ "type": "LAUGHS" }), "type", "value_error.any_str.max_length"),
        (json!({ "type": "HUG" }), "type", "type_error.enum"),
        (json!({ "type": "like" }), "type", "type_error.enum"),
        (json!({ "type": "" }), "type", "type_error.enum"),
        (json!({ "type": "\0" }), "type", "type_error.enum"),
        (json!({ "type": 5 }), "type", "type_error.enum"),
        (json!({ "type": ["LIKE"] }), "type", "type_error.str"),
        (json!({ "kind": "LIKE" }), "kind", "value_error.extra"),
    ];
    for (method, path, who) in [("POST", &list, &bert), ("PUT", &one, &anna)] {
        for (body, place, kind) in &expected {
            let reply = platform.call(method, path, Some(who), Some(body.clone())).await;
            assert_eq!(reply.status, 422, "{method} {body}");
            let first = &reply.body["detail"][0];
            assert_eq!((&first["loc"], &first["type"]), (&json!(["body", place]), &json!(kind)), "{body}");
        }
        let reply = platform.call(method, path, Some(who), None).await;
        assert_eq!((reply.status.as_u16(), &reply.body["detail"][0]["loc"]), (422, &json!(["body"])), "no body");
        let request = axum::http::Request::builder().method(method).uri(format!("/api/v1{path}"));
        let request = request.header("authorization", format!("Bearer {who}"));
        let reply = platform.send(request.body(axum::body::Body::from(r#"{"type":"\ud800"}"#)).unwrap()).await;
        assert_eq!((reply.status.as_u16(), &reply.body["detail"][0]["type"]), (422, &json!("value_error.jsondecode")));
    }
    for method in ["GET", "PUT", "DELETE"] {
        let body = (method == "PUT").then(|| json!({}));
        let reply = platform.call(method, "/post-reactions/7", Some(&anna), body).await;
        assert_eq!(reply.status, 422, "{method}");
        assert_eq!(reply.body["detail"][0]["loc"], json!(["path", "reaction_id"]), "{method}");
        assert_eq!(platform.call(method, "/post-reactions/7", None, None).await.status, 401, "{method}");
    }
}

/// A user's own reaction is set, changed and taken back without its id, and each step is published once and as by the other routes.
#[sqlx::test(migrations = false)]
async fn the_own_reaction_is_put_changed_and_taken_back(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let ((anna, user), (bert, _)) = (new_user(), new_user());
    let theirs = react(&platform, &bert, &post, "SAD").await.body;
    let made = own(&platform, "PUT", &anna, &post, Some("LOVE")).await;
    assert_eq!(made.status, 201);
    let fields = ["id", "created_at", "created_by", "updated_at", "updated_by", "post_id", "type"];
    assert_eq!(names(&made.body), fields);
    assert_eq!((&made.body["created_by"], &made.body["type"]), (&json!(user), &json!("LOVE")));
    let again = own(&platform, "PUT", &anna, &post, Some("LOVE")).await;
    assert_eq!((again.status.as_u16(), &again.body), (200, &made.body), "a repeated request changes nothing");
    let other = own(&platform, "PUT", &anna, &post, Some("SAD")).await;
    assert_eq!((other.status.as_u16(), &other.body["id"]), (200, &made.body["id"]));
    assert_eq!((&other.body["type"], &other.body["updated_by"]), (&json!("SAD"), &json!(user)));
    let summary = format!("/{}/post-reactions/summary", id(&post));
    let shown = platform.call("GET", &summary, Some(&anna), None).await.body;
    assert_eq!((&shown["mine"], &shown["total"]), (&json!("SAD"), &json!(2)));
    assert_eq!(shown["types"], json!([{ "type": "SAD", "total": 2 }]), "it is counted once");
    let liked = platform.call("PUT", &summary.replace("summary", "mine"), Some(&anna), Some(json!({}))).await.body;
    assert_eq!(liked["type"], json!("LIKE"), "as a new one, where none is given");

    for _ in 0..2 {
        let reply = own(&platform, "DELETE", &anna, &post, None).await;
        assert_eq!((reply.status.as_u16(), reply.body), (204, Value::Null), "whether there was one or not");
    }
    let list = format!("/{}/post-reactions", id(&post));
    let left = platform.call("GET", &list, Some(&anna), None).await.body;
    assert_eq!(left, json!([theirs]), "that of another user stays");
    assert_eq!(platform.published(REACTION_CREATED).await, [theirs, made.body]);
    assert_eq!(platform.published(REACTION_UPDATED).await, [other.body, liked.clone()]);
    assert_eq!(platform.published(REACTION_DELETED).await, [liked]);
    let put = async |body: Option<Value>| {
        platform.call("PUT", &summary.replace("summary", "mine"), Some(&anna), body).await.status.as_u16()
    };
    assert_eq!((put(Some(json!({ "type": "HUG" }))).await, put(None).await), (422, 422));
    let reply = platform.call("DELETE", "/7/post-reactions/mine", Some(&anna), None).await;
    assert_eq!((reply.status.as_u16(), &reply.body["detail"][0]["loc"]), (422, &json!(["path", "post_id"])));
}

/// Of many requests of one user at once one reaction is left, which is the last that was published.
#[sqlx::test(migrations = false)]
async fn of_own_reactions_at_once_one_is_left(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let (anna, _) = new_user();
    let puts = (0..8).map(|n| own(&platform, "PUT", &anna, &post, Some(Type::WORDS[n % 3])));
    let replies = futures::future::join_all(puts).await;
    let made = replies.iter().filter(|reply| reply.status == 201).count();
    assert!(made == 1 && replies.iter().all(|reply| reply.status.is_success()), "{replies:?}");
    let left = platform.call("GET", &format!("/{}/post-reactions", id(&post)), Some(&anna), None).await.body;
    assert_eq!(left.as_array().unwrap().len(), 1, "{left}");
    let mut published = platform.published(REACTION_CREATED).await;
    assert_eq!(published.len(), 1);
    published.extend(platform.published(REACTION_UPDATED).await);
    assert_eq!(published.last(), Some(&left[0]), "who follows the events has what is stored");
}

/// What a user may not see they cannot react to; their own reaction they can take back, until it goes with its post.
#[sqlx::test(migrations = false)]
async fn the_own_reaction_to_a_post_that_is_not_visible_can_only_be_taken_back(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let (platform, _) = start(database).await;
    let ((anna, author), (bert, user), (carl, _)) = (new_user(), new_user(), new_user());
    let (shown, unknown) = (post(author, "POSTED"), post(author, "POSTED"));
    platform.consume(POST_CREATED, &shown).await;
    let put = async |token: &str, post: &Value| {
        let reply = own(&platform, "PUT", token, post, Some("JOY")).await;
        (reply.status.as_u16(), reply.body["detail"].clone())
    };
    let refused = (404, json!("Post not found"));
    assert_eq!(put(&bert, &unknown).await, refused);
    assert_eq!((put(&bert, &shown).await.0, put(&carl, &shown).await.0, put(&anna, &shown).await.0), (201, 201, 201));
    let block = json!({ "user_id": author, "target_id": user, "at": "2026-11-20T12:00:00+00:00" });
    platform.consume(USER_BLOCKED, &block).await;
    assert_eq!(put(&bert, &shown).await, refused);
    assert_eq!(own(&platform, "DELETE", &bert, &shown, None).await.status, 204);
    assert_eq!(platform.published(REACTION_DELETED).await.len(), 1, "that of who is blocked is gone");
    let archived = changed(&shown, "ARCHIVED");
    platform.consume(POST_UPDATED, &archived).await;
    assert_eq!(put(&carl, &shown).await, refused);

    platform.consume(POST_DELETED, &archived).await;
    assert_eq!(put(&anna, &shown).await, refused, "of one's own post, too");
    assert_eq!(own(&platform, "DELETE", &carl, &shown, None).await.status, 204);
    assert_eq!(platform.published(REACTION_DELETED).await.len(), 1, "it is deleted with the post");
    remove_all(&platform).await;
    assert_eq!(platform.published(REACTION_DELETED).await.len(), 3, "and that is published once");
}
