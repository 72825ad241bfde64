//! Lists of posts, read from a standby of Postgres where there is one.
//!
//! A standby may not know yet that a post was hidden, deleted or changed, or that its author has blocked the reader. So what it finds
//! is held against the primary, by the posts' keys: what is not the same there is not shown, and the list is read from the primary then.
use std::collections::HashMap;

use sqlx::PgPool;
use uuid::Uuid;

use super::lists::models::{PostVersionKey, load_version_keys};
use super::models::Post;
use super::schemas::PostOut;
use crate::core::app::App;
use crate::core::ground::replica::count_fallback;

impl From<&Post> for PostVersionKey {
    fn from(post: &Post) -> Self {
        Self { id: post.id, updated_at: post.updated_at, labels: post.labels.clone(), comments: post.comments }
    }
}

impl From<&PostOut> for PostVersionKey {
    fn from(post: &PostOut) -> Self {
        Self { id: post.id, updated_at: post.updated_at, labels: post.labels.clone(), comments: post.comments }
    }
}

/// A list of posts that the viewer may see, as `read` reads it from a database.
pub async fn list<F>(app: &App, viewer: Uuid, read: impl Fn(PgPool) -> F) -> sqlx::Result<Vec<Post>>
where
    F: Future<Output = sqlx::Result<Vec<Post>>>,
{
    let (posts, of_standby) = app.read(viewer, &read).await?;
    if !of_standby {
        return Ok(posts);
    }
    let shown: Vec<PostVersionKey> = posts.iter().map(PostVersionKey::from).collect();
    if are_current(app, viewer, &shown, false).await? { Ok(posts) } else { read(app.db.clone()).await }
}

/// Whether the viewer may see these posts, just so; and whether they are found by search, where that is asked.
pub async fn are_current(app: &App, viewer: Uuid, shown: &[PostVersionKey], is_search: bool) -> sqlx::Result<bool> {
    let ids: Vec<Uuid> = shown.iter().map(|post| post.id).collect();
    let current = load_version_keys(&app.db, &ids, viewer, is_search).await?;
    let current: HashMap<Uuid, PostVersionKey> = current.into_iter().map(|post| (post.id, post)).collect();
    let are_current = shown.iter().all(|post| current.get(&post.id) == Some(post));
    if !are_current {
        count_fallback("outdated");
    }
    Ok(are_current)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::http::header;
    use serde_json::{Value, json};
    use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
    use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, Row};

    use crate::SERVICE;
    use crate::blocks::events::USER_BLOCKED;
    use crate::core::testing::{Platform, new_user};
    use crate::posts::events::POST_DELETE_REQUESTED;
    use crate::posts::tests::delete_request;
    use crate::search::tests::index;

    /// A standby that stands still: a copy of the database. It is said to have replayed everything.
    struct Standing {
        platform: Platform,
        copy: String,
        database: PgConnectOptions,
    }

    impl Standing {
        /// The copy is made of what `platform` has written so far.
        async fn behind(platform: Platform, database: PgConnectOptions) -> Self {
            let name = database.get_database().unwrap().to_owned();
            // As long as the name of the other, which is as long as one may be.
            let copy = name.replacen("test", "copy", 1);
            assert_ne!(copy, name);
            // A database that is copied has no session.
            platform.app.db.close().await;
            let mut server = PgConnection::connect_with(&database.clone().database("postgres")).await.unwrap();
            let sessions = format!("select count(*) from pg_stat_activity where datname = '{name}'");
            let ended = async {
                while server.fetch_one(AssertSqlSafe(sessions.clone())).await.unwrap().get::<i64, _>(0) > 0 {}
            };
            tokio::time::timeout(Duration::from_secs(5), ended).await.unwrap();
            let copied = format!(r#"create database "{copy}" template "{name}""#);
            server.execute(AssertSqlSafe(copied)).await.unwrap();
            server.close().await.unwrap();
            let url = database.clone().database(&copy).to_url_lossy().to_string();
            let platform = platform.beside(&["--database-replica-url", &url]);
            Self { platform, copy, database }
        }

        /// What a request answers that may be answered by the standby.
        async fn read(&self, reader: &str, path: &str) -> Value {
            self.platform.app.replica.as_ref().unwrap().observe(i64::MAX, Duration::ZERO);
            let reply = self.platform.call("GET", path, Some(reader), None).await;
            assert_eq!(reply.status, 200, "{reply:?}");
            assert_eq!(reply.headers.get(header::LINK), None);
            reply.body
        }

        async fn end(self) {
            self.platform.app.replica.as_ref().unwrap().close().await;
            let mut server = PgConnection::connect_with(&self.database.clone().database("postgres")).await.unwrap();
            server.execute(AssertSqlSafe(format!(r#"drop database "{}" with (force)"#, self.copy))).await.unwrap();
            server.close().await.unwrap();
        }
    }

    async fn publish(platform: &Platform, author: &str, title: &str) -> Value {
        let body = json!({ "title": title, "content": "#needle", "types": ["NEWS"], "status": "POSTED" });
        let reply = platform.call("POST", "/posts", Some(author), Some(body)).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.body
    }

    fn titles(list: &Value) -> Vec<&str> {
        list.as_array().unwrap().iter().map(|post| post["title"].as_str().unwrap()).collect()
    }

    const LISTS: [&str; 5] = [
        "/posts",
        "/posts?category=NEWS",
        "/tags/needle/posts",
        "/posts/search?q=needle&order=time",
        "/posts/search?q=needle",
    ];

    /// What is published is in lists when the standby has it; what is hidden is gone at once.
    #[sqlx::test(migrations = false)]
    async fn what_readers_may_not_see_any_more_does_not_come_back_from_a_standby(
        _: PgPoolOptions,
        database: PgConnectOptions,
    ) {
        let platform = Platform::start(&SERVICE, database.clone(), &[]).await;
        let ((anna, her), (ben, him), (cleo, _)) = (new_user(), new_user(), new_user());
        let hidden = publish(&platform, &anna, "hidden").await;
        publish(&platform, &anna, "kept").await;
        publish(&platform, &ben, "blocked").await;
        index(&platform).await;
        let standing = Standing::behind(platform, database).await;
        let platform = &standing.platform;
        publish(platform, &anna, "new").await;
        index(platform).await;
        for path in LISTS {
            assert_eq!(standing.read(&cleo, path).await.as_array().unwrap().len(), 3, "{path}: as the standby has it");
        }
        platform.consume(POST_DELETE_REQUESTED, &delete_request(&hidden)).await;
        for path in LISTS {
            let list = standing.read(&cleo, path).await;
            assert_eq!(list.as_array().unwrap().len(), 3, "{path}");
            assert!(!titles(&list).contains(&"hidden") && titles(&list).contains(&"new"), "{path}: the primary's");
        }
        let blocks = json!({ "user_id": him, "target_id": her, "at": "2026-11-20T12:00:00+00:00" });
        platform.consume(USER_BLOCKED, &blocks).await;
        for path in LISTS {
            assert!(!titles(&standing.read(&anna, path).await).contains(&"blocked"), "{path}");
        }
        standing.end().await;
    }

    /// A post that has another warning, or another version, is shown as it is.
    #[sqlx::test(migrations = false)]
    async fn a_post_that_was_changed_is_not_shown_as_it_was(_: PgPoolOptions, database: PgConnectOptions) {
        let platform = Platform::start(&SERVICE, database.clone(), &[]).await;
        let ((anna, _), (cleo, _)) = (new_user(), new_user());
        let post = publish(&platform, &anna, "Great engine").await;
        let path = format!("/posts/{}", post["id"].as_str().unwrap());
        index(&platform).await;
        let standing = Standing::behind(platform, database).await;
        let platform = &standing.platform;
        let suggested = standing.read(&cleo, "/search/suggest?q=gre").await;
        assert_eq!(suggested["posts"][0]["title"], "Great engine");
        platform.app.db.execute("update post set labels = array['SPOILER']").await.unwrap();
        for list in LISTS {
            assert_eq!(standing.read(&cleo, list).await[0]["labels"], json!(["SPOILER"]), "{list}");
        }
        let body = json!({ "title": "Small engine", "content": "no more", "types": ["NEWS"], "status": "POSTED" });
        let reply = platform.call("PUT", &path, Some(&anna), Some(body)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        index(platform).await;
        assert_eq!(titles(&standing.read(&cleo, "/posts").await), ["Small engine"]);
        assert_eq!(standing.read(&cleo, "/tags/needle/posts").await, json!([]));
        let suggested = standing.read(&cleo, "/search/suggest?q=gre").await;
        assert_eq!(suggested["posts"], json!([]), "the title is another one");
        assert_eq!(standing.read(&cleo, "/search/suggest?q=need").await["tags"], json!([]), "no post has the tag");
        standing.end().await;
    }
}
