//! The progress of the review of notifications: its SQL.
use sqlx::PgTransaction;
use uuid::Uuid;

/// How far the review is.
#[derive(Clone, Copy, Debug)]
pub struct NotificationReview {
    /// The last row that was compared, by its notification and its person; nil before the first page.
    pub past_notification: Uuid,
    pub past_actor: Uuid,
}

impl NotificationReview {
    /// Orders a review, from the beginning. A page that is under way is waited for, so that it does not move the new one.
    pub async fn order(tx: &mut PgTransaction<'_>) -> sqlx::Result<()> {
        sqlx::query!(
            "update notification_review set past_notification = default, past_actor = default, compared = 0, corrected = 0,
                started_at = null, finished_at = null, due_at = now()"
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Locks the review until the transaction ends, where there is something to do.
    pub async fn lock(tx: &mut PgTransaction<'_>) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            "select past_notification, past_actor from notification_review where finished_at is null for update"
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// Saves that a page is done, up to a row, or, without one, that it was the last page; how many rows were compared since the
    /// review began, and how many of them were corrected. This transaction has locked the review.
    pub async fn advance(
        tx: &mut PgTransaction<'_>,
        past: Option<(Uuid, Uuid)>,
        compared: usize,
        corrected: usize,
    ) -> sqlx::Result<(i64, i64)> {
        let (notification, actor) = past.unwrap_or_default();
        let sums = sqlx::query!(
            "update notification_review set past_notification = $1, past_actor = $2, compared = compared + $3,
                corrected = corrected + $4, started_at = coalesce(started_at, now()),
                finished_at = case when $5 then clock_timestamp() end
            returning compared, corrected",
            notification,
            actor,
            i64::try_from(compared).unwrap_or(i64::MAX),
            i64::try_from(corrected).unwrap_or(i64::MAX),
            past.is_none()
        )
        .fetch_one(&mut **tx)
        .await?;
        Ok((sums.compared, sums.corrected))
    }
}
