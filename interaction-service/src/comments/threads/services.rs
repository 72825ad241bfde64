//! Comments as a viewer sees them, with what is counted of them.
use sqlx::PgPool;
use uuid::Uuid;

use super::models::Tally;
use crate::comments::models::Comment;
use crate::comments::schemas::CommentOut;

/// A page of comments with their tallies, which are read by one query.
pub async fn tallied(db: &PgPool, comments: Vec<Comment>, viewer: Uuid) -> sqlx::Result<Vec<CommentOut>> {
    let ids: Vec<Uuid> = comments.iter().map(|comment| comment.id).collect();
    let tallies = Tally::list(db, &ids, viewer).await?;
    let shown = comments.into_iter().map(|comment| {
        let tally = tallies.get(&comment.id);
        CommentOut::tallied(comment, tally)
    });
    Ok(shown.collect())
}
