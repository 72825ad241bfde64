//! Strikes in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;

/// A strike of an author.
#[derive(Debug)]
pub struct Strike {
    pub decision: Uuid,
    pub author: Uuid,
    pub weight: i32,
    pub at: Timestamp,
}

impl Strike {
    /// Adds a strike that counts for that many days. The author's subject is locked.
    pub async fn add(&self, tx: &mut PgTransaction<'_>, days: i32) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into strike (decision, author, weight, at, expires_at)
            values ($1, $2, $3, $4::timestamptz, $4::timestamptz + make_interval(days => $5))",
            self.decision,
            self.author,
            self.weight,
            self.at as Timestamp,
            days
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

/// The weights of the strikes of an author that count, together.
pub async fn sum(db: impl PgExecutor<'_>, author: Uuid, at: Timestamp) -> sqlx::Result<i32> {
    let sum = sqlx::query_scalar!(
        r#"select coalesce(sum(weight), 0)::int as "sum!" from strike
        where author = $1 and revoked_at is null and expires_at > $2"#,
        author,
        at as Timestamp
    );
    sum.fetch_one(db).await
}

/// Takes the strike of a decision back; false when there is none that counts.
pub async fn revoke(tx: &mut PgTransaction<'_>, decision: Uuid, at: Timestamp) -> sqlx::Result<bool> {
    let revoked = sqlx::query!(
        "update strike set revoked_at = $2 where decision = $1 and revoked_at is null",
        decision,
        at as Timestamp
    );
    Ok(revoked.execute(&mut **tx).await?.rows_affected() > 0)
}
