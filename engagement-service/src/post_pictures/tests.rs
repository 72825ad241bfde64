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

struct World {
    platform: Platform,
    token: String,
    author: Uuid,
}

impl World {
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
    let world = World::start(database).await;
    let post = Uuid::now_v7();
    let waiting = json!([{ "id": PICTURE, "status": "UPLOADED", "alt": "", "width": null, "height": null, "blurhash": null, "key": KEY }]);
    world.platform.consume(POST_CREATED, &version(post, world.author, 2, &waiting)).await;
    assert_eq!(world.shown().await, Value::Null);
    world.platform.consume(POST_UPDATED, &version(post, world.author, 4, &json!([picture("A kite")]))).await;
    let path = |name: &str| format!("/api/v1/media/{PICTURE}/{name}?key={KEY}");
    let item = json!({ "id": PICTURE, "alt": "A kite", "width": 40, "height": 30, "blurhash": "LEHV6nWB2yk8",
        "thumbnail": path("thumbnail"), "medium": path("medium") });
    assert_eq!(world.shown().await, json!([item]));
    world.platform.consume(POST_UPDATED, &version(post, world.author, 3, &json!([picture("Older")]))).await;
    assert_eq!(world.shown().await, json!([item]), "an older version");
    world.platform.consume(POST_UPDATED, &version(post, world.author, 5, &json!([]))).await;
    assert_eq!(world.shown().await, Value::Null);
}

/// A version without pictures that comes before an older one with some is not overtaken by it.
#[sqlx::test(migrations = false)]
async fn pictures_of_an_older_version_do_not_come_back(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database).await;
    let post = Uuid::now_v7();
    world.platform.consume(POST_UPDATED, &version(post, world.author, 5, &json!([]))).await;
    world.platform.consume(POST_CREATED, &version(post, world.author, 2, &json!([picture("Late")]))).await;
    assert_eq!((world.shown().await, world.rows().await), (Value::Null, 0));
}

/// The descriptions of pictures are words of their author: they end with the post, while it is hidden, and with the author.
#[sqlx::test(migrations = false)]
async fn pictures_end_with_their_post_and_their_author(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database).await;
    let [post, other] = [(); 2].map(|()| Uuid::now_v7());
    let media = json!([picture("Annasword")]);
    let is_kept = async || world.platform.finds("Annasword").await.contains(&"engagement.post_picture".to_owned());
    world.platform.consume(POST_CREATED, &version(post, world.author, 2, &media)).await;
    assert!(is_kept().await);
    let mut hidden = version(post, world.author, 3, &media);
    hidden["hidden_at"] = hidden["updated_at"].clone();
    world.platform.consume(POST_DELETED, &hidden).await;
    assert!(!is_kept().await, "it is hidden");
    world.platform.consume(POST_CREATED, &version(post, world.author, 4, &media)).await;
    assert_eq!(world.shown().await[0]["alt"], "Annasword", "it was restored");
    world.platform.consume(POST_DELETED, &version(post, world.author, 4, &media)).await;
    assert!(!is_kept().await);
    world.platform.consume(POST_CREATED, &version(other, world.author, 2, &media)).await;
    assert!(is_kept().await);
    world.platform.erase(world.author).await;
    assert!(!is_kept().await);
    assert_eq!(world.rows().await, 0);
}
