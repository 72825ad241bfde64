//! Removals of documents in the database: all of the SQL of them.
use std::time::Duration;

use sqlx::{PgExecutor, PgTransaction};

/// How long a claim holds, in seconds: more than all calls of a try can take together, each of which ends after five.
pub const CLAIM_SECONDS: f64 = 120.0;

/// A document that is to be removed from a store.
pub struct Unpin<'a> {
    pub store: &'a str,
    pub cid: &'a str,
    pub request: Option<&'a str>,
}

impl Unpin<'_> {
    /// Has a document removed after some seconds, unless a request refers to it.
    pub async fn save(&self, tx: &mut PgTransaction<'_>, seconds: f64) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into unpin (store, cid, pin_request, next_try_at) select $1, $2, $3, now() + make_interval(secs => $4)
            where not exists (select from mint where mint.cid = $2 and mint.store = $1
                and (token_uri is not null or status not in ('FAILED', 'CANCELLED')))
            on conflict (store, cid) do nothing",
            self.store,
            self.cid,
            self.request,
            seconds
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

/// A removal that a worker has claimed.
#[derive(Clone, Debug)]
pub struct Removal {
    pub store: String,
    pub cid: String,
    pub pin_request: Option<String>,
    pub tries: i32,
}

impl Removal {
    /// Claims removals from a store that are due.
    pub async fn claim(db: impl PgExecutor<'_>, store: &str, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            "update unpin set tries = tries + 1, next_try_at = now() + make_interval(secs => $3)
            where store = $1 and cid in (
                select cid from unpin where store = $1 and next_try_at <= now()
                order by next_try_at limit $2 for update skip locked)
            returning store, cid, pin_request, tries",
            store,
            rows,
            CLAIM_SECONDS
        )
        .fetch_all(db)
        .await
    }

    /// The document is removed.
    pub async fn delete(&self, db: impl PgExecutor<'_>) -> sqlx::Result<()> {
        sqlx::query!("delete from unpin where store = $1 and cid = $2", self.store, self.cid).execute(db).await?;
        Ok(())
    }

    /// The store could not remove it: it is asked again after a time.
    pub async fn put_off(&self, db: impl PgExecutor<'_>, wait: Duration) -> sqlx::Result<()> {
        sqlx::query!(
            "update unpin set next_try_at = now() + make_interval(secs => $3) where store = $1 and cid = $2",
            self.store,
            self.cid,
            wait.as_secs_f64()
        )
        .execute(db)
        .await?;
        Ok(())
    }
}
