//! The jobs of republication: all of the SQL of this feature.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;

/// A picture whose posts are on their way to be published again.
#[derive(Clone, Debug)]
pub struct Republication {
    pub media_id: Uuid,
    /// The last post that is done; nil before the first page.
    pub done_to: Uuid,
    pub revision: i32,
    /// Until when it is this worker's. No two claims of a job end at the same time, so this is also which claim it was.
    pub claimed_until: Timestamp,
}

impl Republication {
    /// Has the posts that show these pictures published again; those that are done already, too.
    pub async fn create(tx: &mut PgTransaction<'_>, media: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into media_republication (media_id)
            select distinct id from unnest($1::uuid[]) as changed (id)
            where exists (select from post_media where media_id = changed.id) order by id
            on conflict (media_id) do update set done_to = default, revision = media_republication.revision + 1",
            media
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Takes the job whose turn it is for some seconds.
    pub async fn claim(db: impl PgExecutor<'_>, seconds: f64) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            "update media_republication set free_at = now() + make_interval(secs => $1)
            where media_id = (
                select media_id from media_republication where free_at <= now()
                order by free_at limit 1 for update skip locked
            )
            returning media_id, done_to, revision, free_at as claimed_until",
            seconds
        )
        .fetch_optional(db)
        .await
    }

    /// The next posts that have the picture, in the order of ids.
    pub async fn list_posts(&self, tx: &mut PgTransaction<'_>, rows: i64) -> sqlx::Result<Vec<Uuid>> {
        sqlx::query_scalar!(
            "select post_id from post_media where media_id = $1 and post_id > $2 order by post_id limit $3",
            self.media_id,
            self.done_to,
            rows
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// Takes the picture off posts that this transaction has locked, if it is deleted.
    pub async fn detach_deleted(&self, tx: &mut PgTransaction<'_>, posts: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!(
            "delete from post_media where media_id = $1 and post_id = any($2)
                and not exists (select from media where id = $1)",
            self.media_id,
            posts
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Gives the job back, behind those that wait.
    pub async fn release(&self, db: impl PgExecutor<'_>) -> sqlx::Result<()> {
        sqlx::query!(
            "update media_republication set free_at = now() where media_id = $1 and free_at = $2",
            self.media_id,
            self.claimed_until as Timestamp
        )
        .execute(db)
        .await?;
        Ok(())
    }

    /// Gives the job back after a page; its posts are done, unless the picture has changed since.
    pub async fn advance(&self, tx: &mut PgTransaction<'_>, done_to: Uuid) -> sqlx::Result<()> {
        sqlx::query!(
            "update media_republication set free_at = now(), done_to = case when revision = $2 then $3 else done_to end
            where media_id = $1 and free_at = $4",
            self.media_id,
            self.revision,
            done_to,
            self.claimed_until as Timestamp
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Ends the job after its last page, unless the picture has changed since.
    pub async fn finish(&self, tx: &mut PgTransaction<'_>) -> sqlx::Result<()> {
        sqlx::query!(
            "with done as (delete from media_republication where media_id = $1 and revision = $2 and free_at = $3)
            update media_republication set free_at = now() where media_id = $1 and revision <> $2 and free_at = $3",
            self.media_id,
            self.revision,
            self.claimed_until as Timestamp
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}
