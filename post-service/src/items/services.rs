//! Posts as they are shown, with their items.
use std::collections::HashMap;

use sqlx::PgExecutor;
use uuid::Uuid;

use super::models::Item;
use super::schemas::ItemOut;
use crate::posts::models::Post;
use crate::posts::schemas::PostOut;

/// Posts with their items.
pub async fn with_items(db: impl PgExecutor<'_>, posts: Vec<Post>) -> sqlx::Result<Vec<PostOut>> {
    let ids: Vec<Uuid> = posts.iter().map(|post| post.id).collect();
    let mut items = if ids.is_empty() { HashMap::new() } else { Item::list(db, &ids).await? };
    let shown = |post: Post| PostOut { item: items.remove(&post.id).map(ItemOut::from), ..PostOut::from(post) };
    Ok(posts.into_iter().map(shown).collect())
}

/// A post with its item.
pub async fn with_item(db: impl PgExecutor<'_>, post: Post) -> sqlx::Result<PostOut> {
    let item = Item::list(db, &[post.id]).await?.remove(&post.id).map(ItemOut::from);
    Ok(PostOut { item, ..PostOut::from(post) })
}
