//! The deletion of what is beneath posts and comments that are gone, page by page, and what users and services see meanwhile.
use std::task::Poll;

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor, Row};
use uuid::Uuid;

use super::schedulers::Remover;
use crate::comment_reactions::events::COMMENT_REACTION_DELETED;
use crate::comments::events::{COMMENT_DELETE_REQUESTED, COMMENT_DELETED, HIDDEN_COMMENT_DELETED};
use crate::comments::tests::{path, request, start_with_post};
use crate::connections::events::USER_CONNECTED;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::counted::Counted;
use crate::core::testing::{Platform, new_user};
use crate::personal_data::USER_ERASED;
use crate::posts::events::{POST_CREATED, POST_DELETED};
use crate::posts::testing::{comment, id, post, react, refusal, remove_all};
use crate::reactions::events::REACTION_DELETED;

/// Rows beneath a post or comment: more than a page, which has a thousand.
const MANY: usize = 1_200;

async fn execute(platform: &Platform, statement: String) {
    platform.app.db.execute(AssertSqlSafe(statement)).await.unwrap();
}

/// Writes many comments by different users, on a post or in reply to a comment.
async fn write_comments(platform: &Platform, post: &Value, reply_to: Option<&Value>) {
    let reply_to = reply_to.map_or("null".to_owned(), |first| format!("'{}'", id(first)));
    let statement = format!(
        "insert into comment (id, created_at, created_by, post_id, content, reply_to)
        select gen_random_uuid(), now() - n / 3 * interval '1 second', gen_random_uuid(), '{}', 'x', {reply_to}
        from generate_series(1, {MANY}) as n",
        id(post)
    );
    execute(platform, statement).await;
}

/// The rows of a table.
async fn count(platform: &Platform, table: &str) -> usize {
    let query = format!("select count(*) from {table}");
    let row = platform.app.db.fetch_one(AssertSqlSafe(query)).await.unwrap();
    usize::try_from(row.get::<i64, _>(0)).unwrap()
}

/// The ids in events of a stream; none comes twice.
async fn published_once(platform: &Platform, stream: &'static str) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = platform.published(stream).await.iter().map(id).collect();
    ids.sort_unstable();
    let all = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), all, "each deletion is published once");
    ids
}

/// Drops a step where it has waited so often, as a process that is killed leaves it, unless it came to its end before.
async fn killed_after(waits: usize, remover: &mut Remover) {
    let mut step = std::pin::pin!(remover.step());
    let mut left = waits;
    std::future::poll_fn(|context| match step.as_mut().poll(context) {
        Poll::Ready(done) => {
            done.unwrap();
            Poll::Ready(())
        }
        Poll::Pending if left == 0 => Poll::Ready(()),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await;
}

async fn nft_status(platform: &Platform, comment: &Value) -> u16 {
    let request =
        Request::get(format!("/internal/nfts/{}", id(comment))).header(header::AUTHORIZATION, "Bearer operator");
    platform.send(request.body(Body::empty()).unwrap()).await.status.as_u16()
}

/// From the moment in which its post is gone, no comment of a very popular one is seen, restored or minted, and then all are deleted, a
/// page in each transaction, however many replicas work on it and wherever they die.
#[sqlx::test(migrations = false)]
async fn what_is_on_a_deleted_post_is_invisible_at_once_and_deleted_in_pages(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let (platform, post) = start_with_post(database).await;
    let ((anna, her), (_, moderator)) = (new_user(), new_user());
    let judge = format!("{moderator}:ACTIVE:MODERATOR");
    let said = comment(&platform, &anna, &post, "said").await.body;
    let hidden = comment(&platform, &anna, &post, "hidden").await.body;
    platform.consume(COMMENT_DELETE_REQUESTED, &request(&hidden)).await;
    let felt = react(&platform, &anna, &post, "JOY").await.body;
    let liked = format!("{}/reactions", path(&said));
    assert_eq!(platform.call("PUT", &liked, Some(&anna), Some(json!({}))).await.status, 200);
    write_comments(&platform, &post, None).await;
    let bookmark = format!("/{}/bookmark", id(&post));
    assert_eq!(platform.call("PUT", &bookmark, Some(&anna), Some(json!({}))).await.status, 200);
    let statement = format!(
        "insert into reaction (id, created_by, post_id, type)
        select gen_random_uuid(), gen_random_uuid(), '{}', 'LIKE' from generate_series(1, {MANY})",
        id(&post)
    );
    execute(&platform, statement).await;

    platform.consume(POST_DELETED, &post).await;
    assert_eq!((count(&platform, "comment").await, count(&platform, "reaction").await), (MANY + 2, MANY + 1));
    let refused = async |caller: &str, method: &str, path: &str| {
        let body = (method == "PUT").then(|| json!({ "content": "x" }));
        let reply = platform.call(method, path, Some(caller), body).await;
        assert_eq!(reply.status, 404, "{method} {path}: {reply:?}");
    };
    for caller in [&anna, &judge] {
        refused(caller, "GET", &path(&said)).await;
        refused(caller, "PUT", &path(&said)).await;
        refused(caller, "DELETE", &path(&said)).await;
        refused(caller, "GET", &format!("{}/replies", path(&said))).await;
        refused(caller, "DELETE", &liked).await;
        refused(caller, "DELETE", &format!("/post-reactions/{}", id(&felt))).await;
        refused(caller, "GET", &format!("/{}/comments", id(&post))).await;
        refused(caller, "GET", &format!("/{}/post-reactions/summary", id(&post))).await;
        assert_eq!(platform.call("GET", "/comments/hidden", Some(caller), None).await.body, json!([]));
    }
    refused(&judge, "POST", &format!("{}/restore", path(&hidden))).await;
    assert_eq!(platform.call("GET", "/me/bookmarks", Some(&anna), None).await.body, json!([]));
    assert_eq!(nft_status(&platform, &said).await, 404);
    assert_eq!(platform.personal_data_of(her, "comments").await.len(), 2, "what is still stored is exported");

    // Two replicas take different rows, and a step is one page. One that is killed is begun anew.
    let counted = Counted::begin();
    let (mut one, mut two) = (Remover::new(&platform.app), Remover::new(&platform.app));
    let steps = tokio::join!(one.step(), two.step());
    assert_eq!((steps.0.unwrap(), steps.1.unwrap()), (Outcome::Busy, Outcome::Busy));
    let left = count(&platform, "comment").await + count(&platform, "reaction").await;
    assert_eq!(left, 2 * MANY + 3 - 2_000, "a page in a transaction");
    for waits in 0..40 {
        killed_after(waits, &mut Remover::new(&platform.app)).await;
    }
    remove_all(&platform).await;
    counted.assert("removals_waiting 0");
    for table in ["comment", "reaction", "comment_reaction", "bookmark", "comment_nft", "removal"] {
        assert_eq!(count(&platform, table).await, 0, "{table}");
    }
    let gone = published_once(&platform, COMMENT_DELETED).await;
    assert_eq!(gone.len(), MANY + 2, "that of the hidden one was published before");
    assert_eq!(
        platform.published(HIDDEN_COMMENT_DELETED).await,
        [json!({ "id": hidden["id"], "post_id": post["id"] })]
    );
    assert_eq!(published_once(&platform, REACTION_DELETED).await.len(), MANY + 1);
    assert_eq!(published_once(&platform, COMMENT_REACTION_DELETED).await.len(), 1);
    // The event comes again, late.
    platform.consume(POST_DELETED, &post).await;
    assert_eq!(count(&platform, "removal").await, 0);
}

/// A comment with a very long thread is deleted in one short transaction; what is left of the thread is not seen, and goes in pages.
#[sqlx::test(migrations = false)]
async fn a_long_thread_is_deleted_in_pages_and_none_of_it_is_seen(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let ((anna, _), (bert, _)) = (new_user(), new_user());
    let first = comment(&platform, &anna, &post, "first").await.body;
    let kept = comment(&platform, &bert, &post, "kept").await.body;
    write_comments(&platform, &post, Some(&first)).await;
    let statement = format!(
        "insert into comment_reaction (id, created_by, comment_id, post_id, type)
        select gen_random_uuid(), gen_random_uuid(), '{}', '{}', 'LIKE' from generate_series(1, {MANY})",
        id(&first),
        id(&post)
    );
    execute(&platform, statement).await;

    assert_eq!(platform.call("DELETE", &path(&first), Some(&anna), None).await.status, 204);
    let left =
        platform.app.db.fetch_all("select id from comment where reply_to is not null order by id").await.unwrap();
    assert_eq!(left.len(), MANY - 1_000, "a page went with it");
    let orphan = json!({ "id": left[0].get::<Uuid, _>(0) });
    let list = format!("/{}/comments", id(&post));
    assert_eq!(platform.call("GET", &list, Some(&bert), None).await.body, json!([kept]));
    let moderator = format!("{}:ACTIVE:MODERATOR", Uuid::now_v7());
    for (method, path, body) in [
        ("GET", path(&orphan), None),
        ("DELETE", path(&orphan), None),
        ("PUT", format!("{}/reactions", path(&orphan)), Some(json!({}))),
        ("POST", list.clone(), Some(json!({ "content": "x", "reply_to": orphan["id"] }))),
    ] {
        let reply = platform.call(method, &path, Some(&moderator), body).await;
        assert_eq!(reply.status, 404, "{method} {path}: {reply:?}");
    }
    remove_all(&platform).await;
    assert_eq!((count(&platform, "comment").await, count(&platform, "comment_reaction").await), (1, 0));
    assert_eq!(published_once(&platform, COMMENT_DELETED).await.len(), MANY + 1);
    assert_eq!(published_once(&platform, COMMENT_REACTION_DELETED).await.len(), MANY);
}

/// A removal that waits does not keep one that begins later from its turn.
#[sqlx::test(migrations = false)]
async fn a_long_removal_does_not_stop_those_behind_it(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, long) = start_with_post(database).await;
    write_comments(&platform, &long, None).await;
    let short = post(new_user().1, "POSTED");
    platform.consume(POST_CREATED, &short).await;
    let said = comment(&platform, &new_user().0, &short, "said").await.body;
    platform.consume(POST_DELETED, &long).await;
    platform.consume(POST_DELETED, &short).await;
    let mut remover = Remover::new(&platform.app);
    for _ in 0..2 {
        assert_eq!(remover.step().await.unwrap(), Outcome::Busy);
    }
    assert_eq!(count(&platform, "comment").await, MANY - 1_000);
    let gone = published_once(&platform, COMMENT_DELETED).await;
    assert!(gone.contains(&id(&said)), "it has had its turn");
}

/// How much waits is counted now and then and not with each page, and it is said at once that nothing does any more.
#[sqlx::test(migrations = false)]
async fn what_waits_is_counted_apart_from_the_pages(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, one) = start_with_post(database).await;
    let other = post(new_user().1, "POSTED");
    platform.consume(POST_CREATED, &other).await;
    for post in [&one, &other] {
        assert_eq!(comment(&platform, &new_user().0, post, "said").await.status, 201);
        platform.consume(POST_DELETED, post).await;
    }
    let counted = Counted::begin();
    let mut remover = Remover::new(&platform.app);
    for _ in 0..2 {
        assert_eq!(remover.step().await.unwrap(), Outcome::Busy);
        counted.assert("removals_waiting 2");
    }
    assert!(matches!(remover.step().await.unwrap(), Outcome::Idle(_)));
    counted.assert("removals_waiting 0");
}

/// A person who has written and done very much is erased in pages, whatever others have added beneath it, and the end is confirmed when
/// nothing of theirs is left.
#[sqlx::test(migrations = false)]
async fn a_person_with_very_many_rows_is_erased_in_pages(_: PgPoolOptions, database: PgConnectOptions) {
    let (platform, post) = start_with_post(database).await;
    let (anna, her) = new_user();
    let first = comment(&platform, &anna, &post, "Annasword").await.body;
    write_comments(&platform, &post, Some(&first)).await;
    let (post_id, comment_id) = (id(&post), id(&first));
    for statement in [
        format!(
            "insert into comment (id, created_by, post_id, content)
            select gen_random_uuid(), '{her}', '{post_id}', 'Annasword' from generate_series(1, {MANY})"
        ),
        format!(
            "with posts as (insert into post (id, created_by, status, updated_at)
                select gen_random_uuid(), gen_random_uuid(), 'POSTED', now() from generate_series(1, {MANY}) returning id)
            insert into reaction (id, created_by, post_id, type) select gen_random_uuid(), '{her}', id, 'LIKE' from posts"
        ),
        format!(
            "insert into bookmark (id, user_id, post_id) select gen_random_uuid(), '{her}', id from post;
            insert into connection (user_id, target_id, stands, at) select gen_random_uuid(), '{her}', true, now() from post;
            insert into connection (user_id, target_id, stands, at) select '{her}', gen_random_uuid(), true, now() from post;
            insert into block (user_id, target_id, stands, at) select gen_random_uuid(), '{her}', true, now() from post;
            insert into post_view (id, viewer, post_id, shown) select gen_random_uuid(), '{her}', id, 1 from post"
        ),
        format!(
            "insert into comment_reaction (id, created_by, comment_id, post_id, type)
            select gen_random_uuid(), '{her}', id, post_id, 'LIKE' from comment where id <> '{comment_id}'"
        ),
    ] {
        execute(&platform, statement).await;
    }
    let bert = Uuid::now_v7();
    let link = json!({ "user_id": bert, "target_id": Uuid::now_v7(), "at": "2026-11-20T12:00:00+00:00" });
    platform.consume(USER_CONNECTED, &link).await;
    platform.consume("user_deleted", &json!({ "id": her, "deleted_at": "2026-11-20T12:00:00+00:00" })).await;
    platform.erase(her).await;
    assert_eq!(platform.finds("Annasword").await, [""; 0]);
    assert_eq!(platform.published(USER_ERASED).await, [json!({ "user_id": her })]);
    for (table, left) in [("reaction", 0), ("bookmark", 0), ("post_view", 0), ("block", 0), ("connection", 1)] {
        assert_eq!(count(&platform, table).await, left, "{table}");
    }
    // What others have said in reply goes with what it replies to, for which nothing of the person is needed.
    remove_all(&platform).await;
    assert_eq!((count(&platform, "comment").await, count(&platform, "comment_reaction").await), (0, 0));
    assert_eq!(published_once(&platform, COMMENT_DELETED).await.len(), 2 * MANY + 1);
    let gone = platform.call("GET", &path(&first), Some(&new_user().0), None).await;
    assert_eq!(refusal(&gone), (404, &json!("Post comment not found")));
}
