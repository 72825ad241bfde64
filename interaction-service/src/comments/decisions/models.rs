//! Applied decisions in the database: all of the SQL of them.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::DecidedVisibility;

/// What a decision, or the request to delete that goes with it, says about a comment.
#[derive(Clone, Debug)]
pub struct CommentDecision {
    pub comment_id: Uuid,
    /// The version of all that moderation knows of the comment.
    pub version: i64,
    /// Whether it is the request, which says less than the decision of the same version.
    pub is_request: bool,
    pub visibility: DecidedVisibility,
    /// Whether the decision before took the comment from its readers; that one may not have been consumed.
    pub was_hidden: bool,
    /// All labels of the comment; none: it does not say.
    pub labels: Option<Vec<String>>,
    /// Why the comment is hidden, in the words of moderation's case.
    pub reason: Option<String>,
}

/// What a comment was before a decision was applied.
pub struct StateBefore {
    /// By the decision before.
    pub visibility: DecidedVisibility,
    pub is_hidden: bool,
}

impl CommentDecision {
    /// Saves a decision about a comment that this transaction has locked, and returns what the comment was before; none when a newer one
    /// was applied, or the comment does not exist.
    pub async fn save(&self, tx: &mut PgTransaction<'_>) -> sqlx::Result<Option<StateBefore>> {
        sqlx::query_as!(
            StateBefore,
            r#"update comment set decision_version = $2, decision_requested = $3, visibility = $4,
                labels = coalesce($5, comment.labels),
                hidden_reason = case when comment.hidden_at is not null then coalesce($6, comment.hidden_reason) end
            from comment as before
            where comment.id = $1 and before.id = comment.id
                and (comment.decision_version, not comment.decision_requested) < ($2, not $3)
            returning before.visibility as "visibility: DecidedVisibility", before.hidden_at is not null as "is_hidden!""#,
            self.comment_id,
            self.version,
            self.is_request,
            self.visibility as DecidedVisibility,
            self.labels.as_deref(),
            self.reason.as_deref()
        )
        .fetch_optional(&mut **tx)
        .await
    }
}
