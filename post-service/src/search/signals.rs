//! What follows from a change of a post for search, in the same transaction: what all users may read waits for its document, and what
//! they may not is found no more.
use std::time::Duration;

use sqlx::PgTransaction;
use uuid::Uuid;

use super::SearchOrder;
use super::models::delete_documents;
use super::pending::models::enqueue;
use crate::posts::models::Post;

/// A post was written, changed or restored, so this transaction has locked it.
pub async fn changed(tx: &mut PgTransaction<'_>, post: &Post) -> sqlx::Result<()> {
    if post.is_public() { enqueue(tx, post.id).await } else { hidden(tx, post.id).await }
}

/// A post was hidden. One that is deleted takes its document with it.
pub async fn hidden(tx: &mut PgTransaction<'_>, post: Uuid) -> sqlx::Result<()> {
    delete_documents(tx, &[post]).await
}

/// A search was answered: it is measured.
pub fn searched(order: SearchOrder, took: Duration, is_empty: bool) {
    let order = match order {
        SearchOrder::Relevance => "relevance",
        SearchOrder::Time => "time",
    };
    metrics::histogram!("search_seconds", "order" => order).record(took);
    metrics::counter!("searches_total", "found" => if is_empty { "nothing" } else { "posts" }).increment(1);
}
