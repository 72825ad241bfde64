//! Readers and their news in the database: all of the SQL of this feature.
use sqlx::PgExecutor;
use uuid::Uuid;

/// A reader, and the number of the last change of their notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct News {
    pub user_id: Uuid,
    pub last_change: i64,
}

impl News {
    /// The numbers of readers; a reader is missing until something changes.
    pub async fn list(db: impl PgExecutor<'_>, users: &[Uuid]) -> sqlx::Result<Vec<Self>> {
        let query = sqlx::query_as!(
            Self,
            "select user_id, last_change from notification_reader where user_id = any($1)",
            users
        );
        query.fetch_all(db).await
    }

    /// Up to `rows` readers whose open streams do not know of their last change yet.
    pub async fn list_unannounced(db: impl PgExecutor<'_>, rows: i64) -> sqlx::Result<Vec<Self>> {
        let query = sqlx::query_as!(
            Self,
            "select user_id, last_change from notification_reader where announced < last_change limit $1",
            rows
        );
        query.fetch_all(db).await
    }

    /// Saves that changes were announced; of how many readers. One that a transaction has locked is left out, and announced once more.
    pub async fn save_announced(db: impl PgExecutor<'_>, news: &[Self]) -> sqlx::Result<u64> {
        let query = sqlx::query!(
            "update notification_reader set announced = greatest(announced, news.last_change)
            from (
                select known.user_id, known.last_change
                from unnest($1::uuid[], $2::bigint[]) as known (user_id, last_change)
                join notification_reader as reader on reader.user_id = known.user_id
                order by known.user_id for update of reader skip locked
            ) as news
            where notification_reader.user_id = news.user_id",
            &news.iter().map(|news| news.user_id).collect::<Vec<_>>(),
            &news.iter().map(|news| news.last_change).collect::<Vec<_>>()
        );
        Ok(query.execute(db).await?.rows_affected())
    }
}
