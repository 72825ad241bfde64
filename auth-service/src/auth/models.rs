//! Password reset requests in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;

/// A request to reset the password of an address, whether or not it has an account.
pub struct ResetRequest {
    pub id: Uuid,
    pub email: String,
    pub requested_at: Timestamp,
}

impl ResetRequest {
    /// Stores a request.
    pub async fn create(db: impl PgExecutor<'_>, email: &str) -> sqlx::Result<Self> {
        sqlx::query_as!(
            Self,
            r#"insert into reset_request (id, email) values ($1, $2)
            returning id, email, requested_at"#,
            Uuid::now_v7(),
            email
        )
        .fetch_one(db)
        .await
    }

    /// Removes and returns the oldest request.
    pub async fn claim_next(tx: &mut PgTransaction<'_>) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"delete from reset_request
            where id = (select id from reset_request order by id limit 1 for update skip locked)
            returning id, email, requested_at"#
        )
        .fetch_optional(&mut **tx)
        .await
    }
}
