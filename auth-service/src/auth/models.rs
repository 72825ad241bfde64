//! Password reset requests in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::tokens::Purpose;
use crate::users::address::EmailAddress;

/// A request for a mail with a token to an address, whether or not it has an account.
pub struct ResetRequest {
    pub id: Uuid,
    pub email: String,
    pub requested_at: Timestamp,
    pub purpose: Purpose,
}

impl ResetRequest {
    /// Stores a request.
    pub async fn create(db: impl PgExecutor<'_>, address: &EmailAddress, purpose: Purpose) -> sqlx::Result<Self> {
        sqlx::query_as!(
            Self,
            r#"insert into reset_request (id, email, purpose) values ($1, $2, $3)
            returning id, email, requested_at, purpose"#,
            Uuid::now_v7(),
            address.as_str(),
            purpose as Purpose
        )
        .fetch_one(db)
        .await
    }

    /// The accounts that want an address and have not proved it: whose it is, or is to be.
    pub async fn list_unproved(db: impl PgExecutor<'_>, address: &EmailAddress) -> sqlx::Result<Vec<Uuid>> {
        sqlx::query_scalar!(
            "select id from account where (email_key = $1 and not is_verified) or pending_email = $2",
            address.key(),
            address.as_str()
        )
        .fetch_all(db)
        .await
    }

    /// Removes and returns the oldest request.
    pub async fn claim_next(tx: &mut PgTransaction<'_>) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"delete from reset_request
            where id = (select id from reset_request order by id limit 1 for update skip locked)
            returning id, email, requested_at, purpose"#
        )
        .fetch_optional(&mut **tx)
        .await
    }
}
