//! Requests to decide about many, as far as they are carried out: all of the SQL of that.
use std::collections::HashMap;

use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use super::BulkOutcome;

/// What became of a subject, and the decision where one was made.
pub type Done = (BulkOutcome, Option<Uuid>);

/// A request under its key.
#[derive(Debug)]
pub struct BulkRequest {
    pub moderator: Uuid,
    pub key: String,
    pub fingerprint: [u8; 32],
}

impl BulkRequest {
    /// Locks the request until the transaction ends; false when the same one is being carried out beside it, for which it does not wait.
    pub async fn try_lock(&self, tx: &mut PgTransaction<'_>) -> sqlx::Result<bool> {
        let locked = sqlx::query_scalar!(
            r#"select pg_try_advisory_xact_lock(hashtextextended(concat($1::uuid, ' ', $2::text), 0)) as "is!""#,
            self.moderator,
            self.key
        );
        locked.fetch_one(&mut **tx).await
    }

    /// Begins the request, or goes on with it; false when another one has the key.
    pub async fn begin(&self, tx: &mut PgTransaction<'_>) -> sqlx::Result<bool> {
        let is_same = sqlx::query_scalar!(
            r#"insert into bulk_request as known (moderator, key, fingerprint) values ($1, $2, $3)
            on conflict (moderator, key) do update set key = excluded.key
            returning known.fingerprint = $3 as "is_same!""#,
            self.moderator,
            self.key,
            &self.fingerprint[..]
        );
        is_same.fetch_one(&mut **tx).await
    }

    /// What became of its subjects from one place up to another, by their places.
    pub async fn results(&self, tx: &mut PgTransaction<'_>, from: i32, to: i32) -> sqlx::Result<HashMap<i32, Done>> {
        let rows = sqlx::query!(
            r#"select place, outcome as "outcome: BulkOutcome", decision from bulk_result
            where moderator = $1 and key = $2 and place >= $3 and place < $4"#,
            self.moderator,
            self.key,
            from,
            to
        );
        let rows = rows.fetch_all(&mut **tx).await?.into_iter();
        Ok(rows.map(|row| (row.place, (row.outcome, row.decision))).collect())
    }

    /// Stores what became of subjects, by their places.
    pub async fn save(&self, tx: &mut PgTransaction<'_>, results: &[(i32, Done)]) -> sqlx::Result<()> {
        let places: Vec<i32> = results.iter().map(|(place, _)| *place).collect();
        let outcomes: Vec<String> = results.iter().map(|(_, (outcome, _))| outcome.word().to_owned()).collect();
        let decisions: Vec<Option<Uuid>> = results.iter().map(|(_, (_, decision))| *decision).collect();
        sqlx::query!(
            "insert into bulk_result (moderator, key, place, outcome, decision)
            select $1, $2, place, outcome, decision from unnest($3::integer[], $4::text[], $5::uuid[])
                as done (place, outcome, decision)",
            self.moderator,
            self.key,
            &places,
            &outcomes,
            &decisions as &[Option<Uuid>]
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

/// Deletes the requests of more than a day ago: no client sends one again after that.
pub async fn delete_old_requests(db: impl PgExecutor<'_>) -> sqlx::Result<()> {
    sqlx::query!("delete from bulk_request where started_at < now() - interval '1 day'").execute(db).await?;
    Ok(())
}

/// Erases the requests of a moderator; what was decided stays.
pub async fn erase(tx: &mut PgTransaction<'_>, moderator: Uuid) -> sqlx::Result<()> {
    sqlx::query!("delete from bulk_request where moderator = $1", moderator).execute(&mut **tx).await?;
    Ok(())
}
