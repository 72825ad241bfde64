//! Posts as this service stores them: the lookup in front of its routes, and the deletion of a post.
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::events::{POST_CREATED, POST_DELETED, POST_UPDATED};
use super::models::Post;
use super::schemas::PostOut;
use super::testing::{changed, comment, id, post, react, refusal, remove_all, start};
use crate::SERVICE;
use crate::comments::events::{COMMENT_CREATED, COMMENT_DELETED};
use crate::core::events::consumer::Step;
use crate::core::testing::{Platform, new_user};
use crate::reactions::events::{REACTION_CREATED, REACTION_DELETED};

const APPLIED: Step = Step::Applied { fresh: 1, duplicates: 0 };

#[sqlx::test(migrations = false)]
async fn a_consumed_post_is_known_and_any_other_is_fetched_once(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = start(database).await;
    let ((_, anna), (bert, _)) = (new_user(), new_user());
    let (heard, unheard) = (post(anna, "POSTED"), post(anna, "POSTED"));
    assert_eq!(platform.consume(POST_CREATED, &heard).await, [APPLIED]);
    assert_eq!(comment(&platform, &bert, &heard, "hello").await.status, 201);
    assert_eq!(react(&platform, &bert, &heard, "LIKE").await.status, 201);
    assert_eq!(service.calls(), 0, "what is known needs no question");

    service.add_post(&unheard);
    assert_eq!(comment(&platform, &bert, &unheard, "hello").await.status, 201);
    assert_eq!(service.calls(), 1);
    assert_eq!(comment(&platform, &bert, &unheard, "again").await.status, 201);
    assert_eq!(service.calls(), 1, "the answer is remembered");
}

#[sqlx::test(migrations = false)]
async fn only_the_author_sees_a_draft_or_archived_post(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = start(database).await;
    let ((anna, author), (bert, _)) = (new_user(), new_user());
    for status in ["DRAFT", "ARCHIVED"] {
        let hidden = post(author, status);
        // The stub answers it to every caller, as the original post service does.
        service.add_post(&hidden);
        platform.consume(POST_CREATED, &hidden).await;
        let view = platform.call("GET", &format!("/{}/view", id(&hidden)), Some(&bert), None).await;
        let comments = platform.call("GET", &format!("/{}/comments", id(&hidden)), Some(&bert), None).await;
        let reactions = platform.call("GET", &format!("/{}/post-reactions", id(&hidden)), Some(&bert), None).await;
        let commented = comment(&platform, &bert, &hidden, "hello").await;
        let reacted = react(&platform, &bert, &hidden, "LIKE").await;
        for reply in [view, comments, reactions, commented, reacted] {
            assert_eq!(refusal(&reply), (404, &json!("Post not found")));
        }
        assert_eq!(comment(&platform, &anna, &hidden, "note to self").await.status, 201);
        assert_eq!(react(&platform, &anna, &hidden, "LIKE").await.status, 201);
        let view = platform.call("GET", &format!("/{}/view", id(&hidden)), Some(&anna), None).await;
        assert_eq!((view.status.as_u16(), &view.body["total_views"]), (200, &json!(1)));
        let reactions = platform.call("GET", &format!("/{}/post-reactions", id(&hidden)), Some(&anna), None).await;
        assert_eq!(reactions.body.as_array().unwrap().len(), 1);
    }
}

#[sqlx::test(migrations = false)]
async fn comments_on_an_archived_post_disappear_for_others(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = start(database).await;
    let ((anna, author), (bert, _)) = (new_user(), new_user());
    let posted = post(author, "POSTED");
    platform.consume(POST_CREATED, &posted).await;
    let said = comment(&platform, &bert, &posted, "hello").await.body;
    let felt = react(&platform, &bert, &posted, "LOVE").await.body;
    let archived = changed(&posted, "ARCHIVED");
    service.add_post(&archived);
    platform.consume(POST_UPDATED, &archived).await;

    let (said, felt) = (format!("/comments/{}", id(&said)), format!("/post-reactions/{}", id(&felt)));
    for (path, sentence) in [(&said, "Post comment not found"), (&felt, "Post reaction not found")] {
        let read = platform.call("GET", path, Some(&bert), None).await;
        assert_eq!(refusal(&read), (404, &json!(sentence)));
        assert_eq!(platform.call("GET", path, Some(&anna), None).await.status, 200);
    }
    let reply = platform.call("PUT", &said, Some(&bert), Some(json!({ "content": "more" }))).await;
    assert_eq!(refusal(&reply), (404, &json!("Post comment not found")));
    let reply = platform.call("PUT", &felt, Some(&bert), Some(json!({ "type": "SAD" }))).await;
    assert_eq!(refusal(&reply), (404, &json!("Post reaction not found")));
    // Authors can always delete their own comments and reactions.
    assert_eq!(platform.call("DELETE", &said, Some(&bert), None).await.status, 204);
    assert_eq!(platform.call("DELETE", &felt, Some(&bert), None).await.status, 204);
}

#[sqlx::test(migrations = false)]
async fn a_published_draft_is_visible_before_its_event_is_consumed(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = start(database).await;
    let ((_, author), (bert, _)) = (new_user(), new_user());
    let draft = post(author, "DRAFT");
    platform.consume(POST_CREATED, &draft).await;
    service.add_post(&changed(&draft, "POSTED"));
    assert_eq!(comment(&platform, &bert, &draft, "first").await.status, 201);
    // The event of the old version is delivered again, late.
    platform.consume(POST_UPDATED, &draft).await;
    service.remove_post(&draft);
    assert_eq!(comment(&platform, &bert, &draft, "second").await.status, 201);
    assert_eq!(service.calls(), 1);
}

#[sqlx::test(migrations = false)]
async fn an_equal_version_of_the_original_post_service_is_saved(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = start(database).await;
    let ((_, author), (bert, _)) = (new_user(), new_user());
    let mut post = post(author, "DRAFT");
    platform.consume(POST_CREATED, &post).await;
    post["status"] = json!("POSTED");
    service.add_post(&post);
    assert_eq!(comment(&platform, &bert, &post, "hello").await.status, 201);
}

#[sqlx::test(migrations = false)]
async fn the_token_is_checked_before_the_post_and_the_post_before_the_body(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let (platform, service) = start(database).await;
    let ((_, author), (bert, _)) = (new_user(), new_user());
    let (known, unknown) = (post(author, "POSTED"), post(author, "POSTED"));
    service.add_post(&known);
    for route in ["comments", "post-reactions"] {
        let path = format!("/{}/{route}", id(&unknown));
        let reply = platform.call("POST", &path, None, Some(json!({ "nonsense": 1 }))).await;
        assert_eq!(refusal(&reply), (401, &json!("Not authenticated")));
        assert_eq!(reply.headers["www-authenticate"], "Bearer");
        let reply = platform.call("POST", &path, Some("nobody"), Some(json!({ "nonsense": 1 }))).await;
        assert_eq!(refusal(&reply), (401, &json!("Invalid credential")));
        assert_eq!(service.calls(), if route == "comments" { 0 } else { 2 });
        let reply = platform.call("POST", &path, Some(&bert), Some(json!({ "nonsense": 1 }))).await;
        assert_eq!(refusal(&reply), (404, &json!("Post not found")));
        let path = format!("/{}/{route}", id(&known));
        let reply = platform.call("POST", &path, Some(&bert), Some(json!({ "nonsense": 1 }))).await;
        assert_eq!(reply.status, 422);
    }
    let reply = platform.call("GET", &format!("/{}/comments?limit=0", id(&unknown)), Some(&bert), None).await;
    assert_eq!(refusal(&reply), (404, &json!("Post not found")));
    let reply = platform.call("GET", &format!("/{}/comments?limit=0", id(&known)), Some(&bert), None).await;
    assert_eq!((reply.status.as_u16(), &reply.body["detail"][0]["loc"]), (422, &json!(["query", "limit"])));
}

#[sqlx::test(migrations = false)]
async fn an_invalid_id_is_a_404_and_every_spelling_of_an_id_is_accepted(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = start(database).await;
    let ((_, author), (bert, _)) = (new_user(), new_user());
    for malformed in ["7", "not-an-id", "%00", "%ff", "..%2f..%2fdocs"] {
        for (method, route) in [("GET", "comments"), ("POST", "comments"), ("GET", "view"), ("POST", "post-reactions")]
        {
            let body = (method == "POST").then(|| json!({ "content": "x" }));
            let reply = platform.call(method, &format!("/{malformed}/{route}"), Some(&bert), body).await;
            assert_eq!(refusal(&reply), (404, &json!("Post not found")), "{method} {malformed}/{route}");
        }
    }
    assert_eq!(service.calls(), 0);
    let known = post(author, "POSTED");
    service.add_post(&known);
    let id = id(&known);
    for spelling in
        [id.simple().to_string(), id.to_string().to_uppercase(), format!("%7B{id}%7D"), id.urn().to_string()]
    {
        let reply = platform.call("GET", &format!("/{spelling}/view"), Some(&bert), None).await;
        assert_eq!((reply.status.as_u16(), &reply.body["id"]), (200, &known["id"]), "{spelling}");
    }
}

#[sqlx::test(migrations = false)]
async fn without_the_post_service_known_posts_work_and_the_rest_is_a_503(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = start(database).await;
    let ((_, author), (bert, _)) = (new_user(), new_user());
    let (known, unknown) = (post(author, "POSTED"), post(author, "POSTED"));
    platform.consume(POST_CREATED, &known).await;
    // 0 never answers, and is given up after two tries.
    for (asked, mood) in [500, 502, 503, 429, 0].into_iter().enumerate() {
        service.set_answer(mood);
        let reply = comment(&platform, &bert, &unknown, "hello").await;
        assert_eq!(refusal(&reply), (503, &json!("Post service unavailable")), "{mood}");
        assert_eq!(reply.headers["retry-after"], "2");
        assert_eq!(service.calls(), 2 * (asked + 1), "{mood} is tried twice");
    }
    let view = platform.call("GET", &format!("/{}/view", id(&known)), Some(&bert), None).await;
    assert_eq!(refusal(&view), (503, &json!("Post service unavailable")), "a view shows the counters of now");
    assert_eq!(comment(&platform, &bert, &known, "hello").await.status, 201);
    assert_eq!(react(&platform, &bert, &known, "JOY").await.status, 201);
    let comments = platform.call("GET", &format!("/{}/comments", id(&known)), Some(&bert), None).await;
    assert_eq!(comments.body[0]["content"], "hello");

    for refused in [307, 401, 403, 404, 410] {
        service.set_answer(refused);
        let reply = react(&platform, &bert, &unknown, "JOY").await;
        assert_eq!(refusal(&reply), (404, &json!("Post not found")), "{refused}");
    }
    service.set_answer(204);
    assert_eq!(react(&platform, &bert, &unknown, "JOY").await.status, 404);
    service.set_answer(200);
    service.add_post(&json!({ "id": unknown["id"] }));
    let reply = react(&platform, &bert, &unknown, "JOY").await;
    assert_eq!(
        refusal(&reply),
        (503, &json!("Post service unavailable")),
        "an answer that is no post counts as no answer"
    );
}

#[sqlx::test(migrations = false)]
async fn a_post_service_that_does_not_listen_is_unavailable(_: PgPoolOptions, database: PgConnectOptions) {
    // A bound port, so that no other test gets it, which no server listens on.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    let platform = Platform::start(&SERVICE, database, &["--post-service-url", &format!("http://{address}")]).await;
    let (bert, user) = new_user();
    let unknown = post(user, "POSTED");
    let reply = comment(&platform, &bert, &unknown, "hello").await;
    assert_eq!(refusal(&reply), (503, &json!("Post service unavailable")));
    assert_eq!(reply.headers["retry-after"], "2");
    let list = platform.call("GET", &format!("/{}/post-reactions", id(&unknown)), Some(&bert), None).await;
    assert_eq!(refusal(&list), (503, &json!("Post service unavailable")));
}

#[sqlx::test(migrations = false)]
async fn a_posts_comments_and_reactions_are_deleted_with_it_and_published(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let (platform, service) = start(database).await;
    let ((anna, author), (bert, _)) = (new_user(), new_user());
    let (doomed, other) = (post(author, "POSTED"), post(author, "POSTED"));
    platform.consume(POST_CREATED, &doomed).await;
    platform.consume(POST_CREATED, &other).await;
    let mut said = Vec::new();
    for (who, what) in [(&anna, "one"), (&bert, "two"), (&bert, "three")] {
        said.push(comment(&platform, who, &doomed, what).await.body);
    }
    let felt = [react(&platform, &anna, &doomed, "JOY").await.body, react(&platform, &bert, &doomed, "SAD").await.body];
    let kept = comment(&platform, &bert, &other, "stays").await.body;
    react(&platform, &bert, &other, "LIKE").await;

    service.add_post(&doomed);
    assert_eq!(platform.consume(POST_DELETED, &doomed).await, [APPLIED]);
    remove_all(&platform).await;
    let sorted = |mut message: Vec<serde_json::Value>| {
        message.sort_by_key(id);
        message
    };
    assert_eq!(sorted(platform.published(COMMENT_DELETED).await), said);
    assert_eq!(sorted(platform.published(REACTION_DELETED).await), felt);
    let nfts = crate::comments::models::Nft::all(&platform.app.db).await.unwrap();
    assert_eq!(nfts.iter().map(|nft| nft.comment_id).collect::<Vec<_>>(), [id(&kept)]);
    let gone = platform.call("GET", &format!("/comments/{}", id(&said[0])), Some(&anna), None).await;
    assert_eq!(refusal(&gone), (404, &json!("Post comment not found")));
    let gone = platform.call("GET", &format!("/post-reactions/{}", id(&felt[0])), Some(&anna), None).await;
    assert_eq!(refusal(&gone), (404, &json!("Post reaction not found")));
    let list = platform.call("GET", &format!("/{}/post-reactions", id(&doomed)), Some(&bert), None).await;
    assert_eq!(refusal(&list), (404, &json!("Post not found")));

    // Nothing brings it back: neither a post service that still has it, nor an event that comes late.
    platform.consume(POST_UPDATED, &changed(&doomed, "POSTED")).await;
    for who in [&anna, &bert] {
        assert_eq!(refusal(&comment(&platform, who, &doomed, "late").await), (404, &json!("Post not found")));
        assert_eq!(refusal(&react(&platform, who, &doomed, "LOVE").await), (404, &json!("Post not found")));
    }
    assert_eq!(service.calls(), 0);
    platform.consume(POST_DELETED, &doomed).await;
    remove_all(&platform).await;
    assert_eq!(platform.published(COMMENT_DELETED).await.len(), 3, "a post is deleted once");
    let left = platform.call("GET", &format!("/{}/comments", id(&other)), Some(&bert), None).await.body;
    assert_eq!(left, json!([kept]));
}

#[sqlx::test(migrations = false)]
async fn a_post_deleted_before_its_creation_is_consumed_stays_deleted(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = start(database).await;
    let ((anna, author), (bert, _)) = (new_user(), new_user());
    let post = post(author, "POSTED");
    platform.consume(POST_DELETED, &post).await;
    platform.consume(POST_CREATED, &post).await;
    service.add_post(&post);
    for who in [&anna, &bert] {
        assert_eq!(refusal(&comment(&platform, who, &post, "late").await), (404, &json!("Post not found")));
    }
    assert_eq!(service.calls(), 0);
}

#[sqlx::test(migrations = false)]
async fn many_posts_are_consumed_at_once_in_any_order(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _) = start(database).await;
    let ((_, author), (bert, _)) = (new_user(), new_user());
    let posts: Vec<_> = (0..20).map(|_| post(author, "DRAFT")).collect();
    let mut redis = platform.app.redis.clone();
    for message in posts.iter().rev().flat_map(|post| [changed(post, "POSTED"), post.clone()]) {
        let fields = [("message", message.to_string()), ("type", "json".to_owned())];
        let _: String = redis::AsyncCommands::xadd(&mut redis, POST_UPDATED, "*", &fields).await.unwrap();
    }
    assert_eq!(platform.consume_waiting(POST_UPDATED).await, [Step::Applied { fresh: 40, duplicates: 0 }]);
    for post in &posts {
        assert_eq!(comment(&platform, &bert, post, "hello").await.status, 201, "the newest version counts");
    }
}

/// Waits until a transaction waits for the lock of another.
async fn wait_for_a_blocked_transaction(platform: &Platform) {
    while Post::waiting(&platform.app.db).await.unwrap() == 0 {
        tokio::task::yield_now().await;
    }
}

#[sqlx::test(migrations = false)]
async fn a_comment_during_the_deletion_of_its_post_is_refused(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _) = start(database).await;
    let ((_, author), (bert, _)) = (new_user(), new_user());
    let post = post(author, "POSTED");
    platform.consume(POST_CREATED, &post).await;
    let version = Post::from(&serde_json::from_value::<PostOut>(post.clone()).unwrap());
    let mut tx = platform.app.db.begin().await.unwrap();
    assert_eq!(Post::save_tombstones(&mut tx, &[version]).await.unwrap(), [id(&post)]);
    let deletion = async {
        wait_for_a_blocked_transaction(&platform).await;
        tx.commit().await.unwrap();
    };
    // The lookup still saw the post; the lock in the comment's transaction sees the tombstone.
    let (reply, ()) = tokio::join!(comment(&platform, &bert, &post, "late"), deletion);
    assert_eq!(refusal(&reply), (404, &json!("Post not found")));
    assert_eq!(platform.published(COMMENT_CREATED).await, Vec::<serde_json::Value>::new());
}

#[sqlx::test(migrations = false)]
async fn a_deletion_waits_for_a_comment_and_deletes_it(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _) = start(database).await;
    let ((_, author), (_, bert)) = (new_user(), new_user());
    let post = post(author, "POSTED");
    platform.consume(POST_CREATED, &post).await;
    let mut tx = platform.app.db.begin().await.unwrap();
    assert!(Post::lock_visible(&mut tx, id(&post), bert).await.unwrap());
    let commenting = async {
        wait_for_a_blocked_transaction(&platform).await;
        let comment =
            crate::comments::models::Comment::create(&mut tx, id(&post), bert, "just so", None).await.unwrap();
        tx.commit().await.unwrap();
        comment.id
    };
    let (steps, comment) = tokio::join!(platform.consume(POST_DELETED, &post), commenting);
    assert_eq!(steps, [APPLIED]);
    remove_all(&platform).await;
    let message = platform.published(COMMENT_DELETED).await;
    assert_eq!(message.iter().map(id).collect::<Vec<_>>(), [comment]);
}

#[sqlx::test(migrations = false)]
async fn no_comment_survives_a_concurrent_deletion_of_its_post(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, _) = start(database).await;
    let (_, author) = new_user();
    let post = post(author, "POSTED");
    platform.consume(POST_CREATED, &post).await;
    let people: Vec<_> = (0..20).map(|_| new_user().0).collect();
    let comments = futures::future::join_all(people.iter().map(|who| comment(&platform, who, &post, "rush")));
    let reactions = futures::future::join_all(people.iter().map(|who| react(&platform, who, &post, "ANGRY")));
    let (comments, reactions, steps) = tokio::join!(comments, reactions, platform.consume(POST_DELETED, &post));
    assert_eq!(steps, [APPLIED]);
    for reply in comments.iter().chain(&reactions) {
        assert!([201, 404].contains(&reply.status.as_u16()), "{reply:?}");
    }
    remove_all(&platform).await;
    let sorted = |message: Vec<serde_json::Value>| {
        let mut ids: Vec<_> = message.iter().map(id).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(sorted(platform.published(COMMENT_CREATED).await), sorted(platform.published(COMMENT_DELETED).await));
    assert_eq!(sorted(platform.published(REACTION_CREATED).await), sorted(platform.published(REACTION_DELETED).await));
    let left = sqlx::raw_sql(
        "select id from reaction union all select id from comment union all select subject_id from removal",
    );
    assert_eq!(left.fetch_all(&platform.app.db).await.unwrap().len(), 0);
}

#[sqlx::test(migrations = false)]
async fn every_write_and_every_list_has_a_limit(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &["--rate-limits", "comments=30/60"]).await;
    let request = axum::http::Request::get("/openapi.json").body(axum::body::Body::empty()).unwrap();
    let document = platform.send(request).await.body;
    let mut open = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let list = operation["responses"]["200"]["content"]["application/json"]["schema"]["type"] == "array";
            let route = format!("{} {path}", method.to_uppercase());
            if (list || method != "get" || path.ends_with("/view")) && platform.app.limits.of_route(&route).is_none() {
                open.push(route);
            }
        }
    }
    assert_eq!(open, Vec::<String>::new());
}

#[sqlx::test(migrations = false)]
async fn what_belongs_to_a_hidden_post_is_hidden_and_comes_back_with_it(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, service) = start(database).await;
    let ((anna, author), (bert, _)) = (new_user(), new_user());
    let shown = post(author, "POSTED");
    platform.consume(POST_CREATED, &shown).await;
    let said = comment(&platform, &bert, &shown, "hello").await.body;
    let felt = react(&platform, &bert, &shown, "LOVE").await.body;
    // Moderation has the post hidden, which is a deletion with `hidden_at`. The post service answers it no more.
    let version = |minute: u32| format!("2026-11-21T00:{minute:02}:00+00:00");
    let mut deleted = shown.clone();
    (deleted["updated_at"], deleted["hidden_at"]) = (json!(version(1)), json!(version(1)));
    platform.consume(POST_DELETED, &deleted).await;
    let paths = [
        format!("/{}/comments", id(&shown)),
        format!("/{}/post-reactions", id(&shown)),
        format!("/comments/{}", id(&said)),
        format!("/post-reactions/{}", id(&felt)),
    ];
    let statuses = async |caller: &str| {
        let mut statuses = Vec::new();
        for path in &paths {
            statuses.push(platform.call("GET", path, Some(caller), None).await.status.as_u16());
        }
        statuses
    };
    for caller in [&anna, &bert] {
        assert_eq!(statuses(caller).await, [404; 4]);
        assert_eq!(refusal(&comment(&platform, caller, &shown, "late").await), (404, &json!("Post not found")));
        assert_eq!(refusal(&react(&platform, caller, &shown, "SAD").await), (404, &json!("Post not found")));
    }
    assert_eq!(platform.published(COMMENT_DELETED).await, Vec::<serde_json::Value>::new());
    assert_eq!(platform.published(REACTION_DELETED).await, Vec::<serde_json::Value>::new());

    // A moderator restores it; the deletion is delivered again, late.
    let mut restored = shown.clone();
    (restored["updated_at"], restored["restored_at"]) = (json!(version(2)), json!(version(2)));
    service.add_post(&restored);
    platform.consume(POST_CREATED, &restored).await;
    platform.consume(POST_DELETED, &deleted).await;
    assert_eq!(statuses(&bert).await, [200; 4]);
    let comments = platform.call("GET", &paths[0], Some(&bert), None).await.body;
    assert_eq!(comments, json!([said]));
}
