//! Posts as they are shown, with their items.
use std::collections::HashMap;

use sqlx::PgExecutor;
use uuid::Uuid;

use super::models::Item;
use super::schemas::ItemOut;
use crate::posts::schemas::PostOut;

/// Posts with their items. One statement for all of them.
pub async fn with_items(db: impl PgExecutor<'_>, posts: Vec<PostOut>) -> sqlx::Result<Vec<PostOut>> {
    let ids: Vec<Uuid> = posts.iter().map(|post| post.id).collect();
    let mut items = if ids.is_empty() { HashMap::new() } else { Item::list(db, &ids).await? };
    let shown = |post: PostOut| PostOut { item: items.remove(&post.id).map(ItemOut::from), ..post };
    Ok(posts.into_iter().map(shown).collect())
}
