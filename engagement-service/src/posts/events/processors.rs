//! Stores versions of posts, and counts their views.
use serde::Deserialize;
use serde_json::Value;
use sqlx::PgTransaction;
use sqlx::types::Json;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::core::events::{Effect, Event};
use crate::post_pictures::IllustratedPost;
use crate::post_pictures::models::PostPictures;
use crate::posts::FacetCard;
use crate::posts::models::{CountedView, PostCard, PostCount};

/// The status of a post that readers may see.
const POSTED: &str = "POSTED";

/// A version of a post.
#[derive(Deserialize)]
struct PostSnapshot {
    id: Uuid,
    created_at: Timestamp,
    created_by: Uuid,
    updated_at: Timestamp,
    title: Option<String>,
    #[serde(default)]
    content: String,
    types: Vec<String>,
    #[serde(default)]
    status: String,
    /// When it was first published; the original's events do not say.
    published_at: Option<Timestamp>,
    /// Since when moderation has it hidden. A deletion that has it is not for good: the post can come back.
    hidden_at: Option<Timestamp>,
    /// Absent where there are none, and in what was published before there were any.
    #[serde(default)]
    facets: Vec<FacetCard>,
    #[serde(default)]
    tags: Vec<String>,
    item: Option<Value>,
}

impl From<PostSnapshot> for PostCard {
    fn from(post: PostSnapshot) -> Self {
        // Where the producer does not say when, a version that is published was published with it at the latest.
        let published_at = post.published_at.or((post.status == POSTED).then_some(post.updated_at));
        Self {
            id: post.id,
            user_id: post.created_by,
            created_at: post.created_at,
            title: post.title,
            content: post.content,
            types: post.types,
            status: post.status,
            version: post.updated_at,
            published_at,
            hidden: post.hidden_at.is_some(),
            facets: Json(post.facets),
            tags: post.tags,
            item: post.item,
        }
    }
}

fn read_posts(events: &[Event]) -> Result<Vec<PostCard>, serde_json::Error> {
    events.iter().map(|event| serde_json::from_str::<PostSnapshot>(&event.message).map(PostCard::from)).collect()
}

fn read_pictures(events: &[Event]) -> Result<Vec<IllustratedPost>, serde_json::Error> {
    events.iter().map(|event| serde_json::from_str(&event.message)).collect()
}

/// Saves a post that was created, changed or restored.
pub fn post_changed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        PostCard::save(tx, read_posts(events)?).await?;
        Ok(PostPictures::save(tx, read_pictures(events)?).await?)
    })
}

/// Empties a deleted post; of a hidden one saves that it is hidden.
pub fn post_deleted<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let (hidden, deleted): (Vec<_>, Vec<_>) = read_posts(events)?.into_iter().partition(|post| post.hidden);
        let gone: Vec<Uuid> = deleted.iter().map(|post| post.id).collect();
        PostCard::save(tx, hidden).await?;
        PostCard::save_tombstones(tx, deleted).await?;
        PostPictures::save(tx, read_pictures(events)?).await?;
        Ok(PostPictures::delete_of_posts(tx, &gone).await?)
    })
}

/// A post that was viewed.
#[derive(Deserialize)]
struct ViewedPost {
    id: Uuid,
    /// Whether its viewer has viewed it a short while ago; the original does not say.
    #[serde(default)]
    repeated: bool,
}

/// Counts a view.
pub fn post_viewed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let view = |event: &Event| {
            let ViewedPost { id, repeated } = serde_json::from_str(&event.message)?;
            Ok(CountedView { post_id: id, place: event.id, repeated })
        };
        let views: Vec<CountedView> = events.iter().map(view).collect::<Result<_, serde_json::Error>>()?;
        let posts: Vec<Uuid> = views.iter().map(|view| view.post_id).collect();
        PostCount::create_and_lock(tx, &posts).await?;
        Ok(PostCount::add_views(tx, &views).await?)
    })
}
