//! The pictures of posts, through the events of the post service and the feed of their author.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use crate::SERVICE;
use crate::core::testing::{Platform, new_user};
use crate::posts::events::{POST_CREATED, POST_DELETED, POST_UPDATED};

const PICTURE: &str = "0199c0de-0000-7000-8000-000000000001";
const KEY: &str = "4f1c2d3e-0000-4000-8000-000000000000";

/// A version of a post with these pictures.
fn version(id: Uuid, author: Uuid, second: u8, media: &Value) -> Value {
    json!({ "id": id, "created_at": "2026-11-20T12:00:01+00:00", "created_by": author,
        "updated_at": format!("2026-11-20T12:00:0{second}+00:00"), "title": "T", "content": "C", "types": [],
        "status": "POSTED", "media": media })
}

fn picture(alt: &str) -> Value {
    json!({ "id": PICTURE, "status": "READY", "alt": alt, "width": 40, "height": 30, "blurhash": "LEHV6nWB2yk8", "key": KEY })
}

struct PicturedAuthor {
    platform: Platform,
    token: String,
    author: Uuid,
}

impl PicturedAuthor {
    async fn start(database: PgConnectOptions) -> Self {
        let platform = Platform::start(&SERVICE, database, &[]).await;
        let (token, author) = new_user();
        let user = json!({ "id": author, "first_name": "Anna", "interests": [], "status": "ACTIVE", "email": "a@example.com",
            "created_at": "2026-11-20T12:00:00+00:00", "updated_at": "2026-11-20T12:00:00+00:00" });
        platform.consume("user_registered", &user).await;
        Self { platform, token, author }
    }

    /// The pictures of the only post of the author's own feed; null: the post has none.
    async fn shown(&self) -> Value {
        let path = format!("/users/{}/feed", self.author);
        let feed = self.platform.call("GET", &path, Some(&self.token), None).await;
        assert_eq!((feed.status.as_u16(), feed.body.as_array().unwrap().len()), (200, 1), "{feed:?}");
        feed.body[0]["media"].clone()
    }

    async fn rows(&self) -> i64 {
        let rows = sqlx::query_scalar!(r#"select count(*) as "rows!" from post_picture"#);
        rows.fetch_one(&self.platform.app.db).await.unwrap()
    }
}

/// A feed shows the pictures of the newest version with paths that need no token, and none that are not processed.
#[sqlx::test(migrations = false)]
async fn an_item_of_a_feed_shows_the_pictures_of_its_newest_version(_: PgPoolOptions, database: PgConnectOptions) {
    let pictured = PicturedAuthor::start(database).await;
    let post = Uuid::now_v7();
    let waiting = json!([{ "id": PICTURE, "status": "UPLOADED", "alt": "", "width": null, "height": null, "blurhash": null, "key": KEY }]);
    pictured.platform.consume(POST_CREATED, &version(post, pictured.author, 2, &waiting)).await;
    assert_eq!(pictured.shown().await, Value::Null);
    pictured.platform.consume(POST_UPDATED, &version(post, pictured.author, 4, &json!([picture("A kite")]))).await;
    let path = |name: &str| format!("/api/v1/media/{PICTURE}/{name}?key={KEY}");
    let item = json!({ "id": PICTURE, "alt": "A kite", "width": 40, "height": 30, "blurhash": "LEHV6nWB2yk8",
        "thumbnail": path("thumbnail"), "medium": path("medium") });
    assert_eq!(pictured.shown().await, json!([item]));
    pictured.platform.consume(POST_UPDATED, &version(post, pictured.author, 3, &json!([picture("Older")]))).await;
    assert_eq!(pictured.shown().await, json!([item]), "an older version");
    pictured.platform.consume(POST_UPDATED, &version(post, pictured.author, 5, &json!([]))).await;
    assert_eq!(pictured.shown().await, Value::Null);
}

/// A version without pictures that comes before an older one with some is not overtaken by it.
#[sqlx::test(migrations = false)]
async fn pictures_of_an_older_version_do_not_come_back(_: PgPoolOptions, database: PgConnectOptions) {
    let pictured = PicturedAuthor::start(database).await;
    let post = Uuid::now_v7();
    pictured.platform.consume(POST_UPDATED, &version(post, pictured.author, 5, &json!([]))).await;
    pictured.platform.consume(POST_CREATED, &version(post, pictured.author, 2, &json!([picture("Late")]))).await;
    assert_eq!((pictured.shown().await, pictured.rows().await), (Value::Null, 0));
}

/// The descriptions of pictures are words of their author: they end with the post, while it is hidden, and with the author.
#[sqlx::test(migrations = false)]
async fn pictures_end_with_their_post_and_their_author(_: PgPoolOptions, database: PgConnectOptions) {
    let pictured = PicturedAuthor::start(database).await;
    let [post, other] = [(); 2].map(|()| Uuid::now_v7());
    let media = json!([picture("Annasword")]);
    let is_kept = async || pictured.platform.finds("Annasword").await.contains(&"engagement.post_picture".to_owned());
    pictured.platform.consume(POST_CREATED, &version(post, pictured.author, 2, &media)).await;
    assert!(is_kept().await);
    let mut hidden = version(post, pictured.author, 3, &media);
    hidden["hidden_at"] = hidden["updated_at"].clone();
    pictured.platform.consume(POST_DELETED, &hidden).await;
    assert!(!is_kept().await, "it is hidden");
    pictured.platform.consume(POST_CREATED, &version(post, pictured.author, 4, &media)).await;
    assert_eq!(pictured.shown().await[0]["alt"], "Annasword", "it was restored");
    pictured.platform.consume(POST_DELETED, &version(post, pictured.author, 4, &media)).await;
    assert!(!is_kept().await);
    pictured.platform.consume(POST_CREATED, &version(other, pictured.author, 2, &media)).await;
    assert!(is_kept().await);
    pictured.platform.erase(pictured.author).await;
    assert!(!is_kept().await);
    assert_eq!(pictured.rows().await, 0);
}
