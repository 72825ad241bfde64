//! What follows from a draft that is due, in the same transaction.
use sqlx::PgTransaction;

use super::Refusal;
use super::models::{publish_draft, refuse_draft};
use crate::items;
use crate::posts;
use crate::posts::models::Post;

/// What became of a draft that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publication {
    Published,
    Refused,
    /// Its author or another replica was faster.
    Overtaken,
}

/// A draft is due: it is published in the version that was checked, or left as it is.
pub async fn due(tx: &mut PgTransaction<'_>, checked: &Post, refusal: Option<Refusal>) -> sqlx::Result<Publication> {
    let (post, publication) = match refusal {
        None => (publish_draft(tx, checked.id, checked.updated_at).await?, Publication::Published),
        Some(refusal) => (refuse_draft(tx, checked.id, checked.updated_at, refusal).await?, Publication::Refused),
    };
    let Some(post) = post else { return Ok(Publication::Overtaken) };
    items::signals::published(tx, &post).await?;
    posts::signals::updated(tx, &post).await?;
    Ok(publication)
}

/// Counts what became of a draft that was due.
pub fn count(publication: Publication) {
    let outcome = match publication {
        Publication::Published => "published",
        Publication::Refused => "refused",
        Publication::Overtaken => return,
    };
    metrics::counter!("scheduled_posts_total", "outcome" => outcome).increment(1);
}
