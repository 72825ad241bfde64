//! What other services copy, through its route.
use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor, Row};
use uuid::Uuid;

use crate::core::testing::{Platform, Reply, new_user};
use crate::decisions::tests::{decided, new_content, new_moderator, start};
use crate::subjects::SubjectType;

async fn ask(platform: &Platform, query: &str, token: &str) -> Reply {
    let request = Request::get(format!("/internal/read-model/moderated-posts?{query}"));
    let request = request.header(header::AUTHORIZATION, format!("Bearer {token}")).body(Body::empty()).unwrap();
    platform.send(request).await
}

/// The pages of two rows behind a cursor.
async fn pages(platform: &Platform, mut cursor: Option<String>) -> Vec<Value> {
    let mut pages = Vec::new();
    loop {
        let behind = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let page = ask(platform, &format!("limit=2{behind}"), "operator").await;
        assert_eq!(page.status, 200, "{page:?}");
        assert!(page.body["as_of"].is_string() && page.body["watermarks"] == json!({}), "{page:?}");
        let Some(next) = page.body["next"].as_str() else { return pages };
        cursor = Some(next.to_owned());
        pages.push(page.body);
    }
}

/// A post as it is read.
fn row(post: Uuid, author: Uuid, version: i64, visibility: &str, labels: &Value) -> Value {
    json!({ "id": post, "author": author, "version": version, "visibility": visibility, "labels": labels })
}

fn rows(pages: &[Value]) -> Vec<Value> {
    pages.iter().flat_map(|page| page["items"].as_array().unwrap().clone()).collect()
}

#[sqlx::test(migrations = false)]
async fn what_is_decided_about_posts_is_read_whole_in_pages_from_any_of_them_on(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform = start(database).await;
    let (moderator, _) = new_moderator();
    let label = json!({ "action": "LABEL", "label": "graphic" });
    let mut expected = Vec::new();
    for (actions, visibility, labels) in [
        (json!([{ "action": "LIMIT" }]), "LIMITED", json!([])),
        (json!([label]), "VISIBLE", json!(["graphic"])),
        (json!([{ "action": "HIDE" }, label]), "HIDDEN", json!(["graphic"])),
        (json!([{ "action": "LIMIT" }, label]), "LIMITED", json!(["graphic"])),
    ] {
        let (_, author) = new_user();
        let post = new_content(&platform, SubjectType::Post, author).await;
        decided(&platform, &moderator, post, actions, "HARASSMENT_BULLYING").await;
        expected.push(row(post.id, author, 1, visibility, &labels));
    }
    let (_, author) = new_user();
    let restored = new_content(&platform, SubjectType::Post, author).await;
    let limit = json!([{ "action": "LIMIT" }]);
    let decision = decided(&platform, &moderator, restored, limit, "HARASSMENT_BULLYING").await;
    let path = format!("/moderation/decisions/{decision}/reverse");
    let reversed = platform.call("POST", &path, Some(&moderator), Some(json!({ "note": "A mistake." }))).await;
    assert_eq!(reversed.status, 200, "{reversed:?}");
    expected.push(row(restored.id, author, 2, "VISIBLE", &json!([])));
    let comment = new_content(&platform, SubjectType::Comment, author).await;
    decided(&platform, &moderator, comment, json!([label]), "HARASSMENT_BULLYING").await;

    let all = pages(&platform, None).await;
    assert_eq!(rows(&all), expected, "also what is in force no more, and no comment");
    assert_eq!(all.iter().map(|page| page["items"].as_array().unwrap().len()).collect::<Vec<_>>(), [2, 2, 1]);
    let rest = pages(&platform, all[0]["next"].as_str().map(str::to_owned)).await;
    assert_eq!(rows(&rest), expected[2..], "a copy that is taken over goes on behind its last page");
}

/// What an operator does when the database was restored: other services have seen higher versions than it has, and take no lower ones.
#[sqlx::test(migrations = false)]
async fn versions_that_were_raised_behind_a_backup_are_counted_on(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (moderator, _) = new_moderator();
    let (_, author) = new_user();
    let known = new_content(&platform, SubjectType::Post, author).await;
    let lost = new_content(&platform, SubjectType::Post, author).await;
    let limit = json!([{ "action": "LIMIT" }]);
    decided(&platform, &moderator, known, limit.clone(), "HARASSMENT_BULLYING").await;
    let raise = "update subject set version = version + 1000000;
        alter table subject alter column version set default 1000000";
    platform.app.db.execute(raise).await.unwrap();
    decided(&platform, &moderator, lost, limit, "HARASSMENT_BULLYING").await;

    let expected = [known, lost].map(|post| row(post.id, author, 1_000_001, "LIMITED", &json!([])));
    assert_eq!(rows(&pages(&platform, None).await), expected);
    let published = "select (message ->> 'version')::bigint from outbox
        where stream = 'moderation_decided' and message ->> 'subject_type' = 'POST' order by seq";
    let published = platform.app.db.fetch_all(published).await.unwrap();
    let versions: Vec<i64> = published.iter().map(|event| event.get(0)).collect();
    assert_eq!(versions, [1, 1_000_001], "what the backup does not know begins behind all that was published of it");
    let verified = platform.call("GET", "/moderation/log/verify", Some(&moderator), None).await;
    assert_eq!((&verified.body["valid"], &verified.body["complete"]), (&json!(true), &json!(true)), "{verified:?}");
}

#[sqlx::test(migrations = false)]
async fn rows_are_for_services_alone_and_pages_are_bounded(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    assert_eq!(ask(&platform, "", &new_moderator().0).await.status, 403);
    for query in ["limit=1001", "limit=0", "cursor=x"] {
        assert_eq!(ask(&platform, query, "operator").await.status, 422, "{query}");
    }
    let empty = ask(&platform, "limit=1000", "operator").await.body;
    assert_eq!((&empty["items"], &empty["next"]), (&json!([]), &Value::Null));
}
