//! Applied decisions in the database: all of the SQL of them.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::DecidedVisibility;

/// What a decision, or the request to delete that goes with it, says about a post.
#[derive(Clone, Debug)]
pub struct PostDecision {
    pub post_id: Uuid,
    /// The version of all that moderation knows of the post.
    pub version: i64,
    /// Whether it is the request, which says less than the decision of the same version.
    pub is_request: bool,
    pub visibility: DecidedVisibility,
    /// Whether the decision before took the post from its readers; that one may not have been consumed.
    pub was_hidden: bool,
    /// All labels of the post; none: it does not say.
    pub labels: Option<Vec<String>>,
    /// Whether it is closed for comments; none: it does not say.
    pub locked: Option<bool>,
    /// Why the post is hidden, in the words of moderation's case.
    pub reason: Option<String>,
}

/// What a post was before a decision was applied.
pub struct StateBefore {
    /// By the decision before.
    pub visibility: DecidedVisibility,
    pub is_hidden: bool,
    pub is_locked: bool,
}

impl PostDecision {
    /// Saves a decision about a post that this transaction has locked, and returns what the post was before; none when a newer one
    /// was applied, or the post does not exist.
    pub async fn save(&self, tx: &mut PgTransaction<'_>) -> sqlx::Result<Option<StateBefore>> {
        sqlx::query_as!(
            StateBefore,
            r#"update post set decision_version = $2, decision_requested = $3, visibility = $4,
                labels = coalesce($5, post.labels),
                comments = case when $7 then 'LOCKED' when $7 is null then post.comments
                    else coalesce(post.unlocked_comments, post.comments) end,
                unlocked_comments = case when coalesce($7, post.comments = 'LOCKED')
                    then coalesce(post.unlocked_comments, post.comments) end,
                hidden_reason = case when post.hidden_at is not null then coalesce($6, post.hidden_reason) end
            from post as before
            where post.id = $1 and before.id = post.id
                and (post.decision_version, not post.decision_requested) < ($2, not $3)
            returning before.visibility as "visibility: DecidedVisibility", before.hidden_at is not null as "is_hidden!",
                before.comments = 'LOCKED' as "is_locked!""#,
            self.post_id,
            self.version,
            self.is_request,
            self.visibility as DecidedVisibility,
            self.labels.as_deref(),
            self.reason.as_deref(),
            self.locked
        )
        .fetch_optional(&mut **tx)
        .await
    }
}
