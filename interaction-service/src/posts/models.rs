//! What is known of posts in the database: all of the SQL of this feature.
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use super::Status;
use crate::core::contract::timestamp::Timestamp;

/// One version of a post, as the post service told it.
#[derive(Clone, Copy, Debug)]
pub struct Post {
    pub id: Uuid,
    pub created_by: Uuid,
    pub status: Status,
    /// The version.
    pub updated_at: Timestamp,
}

/// What is known of a post, for somebody.
pub struct Known {
    /// Whether they may see it, if it still exists.
    pub visible: bool,
    /// It has a tombstone.
    pub deleted: bool,
}

/// Versions of posts as columns, each post once, in the order of ids: the order in which everybody locks them.
struct Columns {
    ids: Vec<Uuid>,
    authors: Vec<Uuid>,
    statuses: Vec<String>,
    versions: Vec<DateTime<Utc>>,
}

impl From<&[Post]> for Columns {
    fn from(posts: &[Post]) -> Self {
        let mut newest: BTreeMap<Uuid, &Post> = BTreeMap::new();
        for post in posts {
            let kept = newest.entry(post.id).or_insert(post);
            if kept.updated_at <= post.updated_at {
                *kept = post;
            }
        }
        Self {
            ids: newest.keys().copied().collect(),
            authors: newest.values().map(|post| post.created_by).collect(),
            statuses: newest.values().map(|post| post.status.word().to_owned()).collect(),
            versions: newest.values().map(|post| post.updated_at.0).collect(),
        }
    }
}

impl Post {
    /// What is known of a post, for this person; none when nothing is.
    pub async fn known(db: impl PgExecutor<'_>, id: Uuid, viewer: Uuid) -> sqlx::Result<Option<Known>> {
        sqlx::query_as!(
            Known,
            r#"select created_by = $2 or (status = 'POSTED' and not hidden($2, created_by)) as "visible!",
                deleted_at is not null as "deleted!"
            from post where id = $1"#,
            id,
            viewer
        )
        .fetch_optional(db)
        .await
    }

    /// Notes versions of posts; what is older than what is known, or of a deleted post, changes nothing.
    pub async fn save(db: impl PgExecutor<'_>, posts: &[Self]) -> sqlx::Result<()> {
        // The same version once more is written: the original post service changes a post without a new version.
        let columns = Columns::from(posts);
        sqlx::query!(
            "insert into post (id, created_by, status, updated_at)
            select id, created_by, status, updated_at
            from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[]) as seen (id, created_by, status, updated_at)
            order by id
            on conflict (id) do update set status = excluded.status, updated_at = excluded.updated_at
            where post.deleted_at is null and post.updated_at <= excluded.updated_at",
            &columns.ids,
            &columns.authors,
            &columns.statuses,
            &columns.versions
        )
        .execute(db)
        .await?;
        Ok(())
    }

    /// Puts tombstones on posts, also on ones of which nothing was known. Waits for those who [`hold`](Self::hold) them;
    /// afterwards nobody can. Answers which posts these are, each once.
    pub async fn bury(tx: &mut PgTransaction<'_>, posts: &[Self]) -> sqlx::Result<Vec<Uuid>> {
        let columns = Columns::from(posts);
        sqlx::query!(
            "insert into post (id, created_by, status, updated_at, deleted_at)
            select id, created_by, status, updated_at, now()
            from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[]) as seen (id, created_by, status, updated_at)
            order by id
            on conflict (id) do update set deleted_at = coalesce(post.deleted_at, excluded.deleted_at)",
            &columns.ids,
            &columns.authors,
            &columns.statuses,
            &columns.versions
        )
        .execute(&mut **tx)
        .await?;
        Ok(columns.ids)
    }

    /// Keeps a post as it is until the transaction ends; false when it is deleted, or not for this person to see.
    pub async fn hold(tx: &mut PgTransaction<'_>, id: Uuid, viewer: Uuid) -> sqlx::Result<bool> {
        // The lock of the foreign key alone would let a tombstone pass. Holders do not block each other.
        let held = sqlx::query_scalar!(
            "select id from post
            where id = $1 and deleted_at is null
                and (created_by = $2 or (status = 'POSTED' and not hidden($2, created_by))) for share",
            id,
            viewer
        )
        .fetch_optional(&mut **tx)
        .await?;
        Ok(held.is_some())
    }

    /// How many transactions of this database wait for a lock.
    #[cfg(test)]
    pub async fn waiting(db: impl PgExecutor<'_>) -> sqlx::Result<i64> {
        sqlx::query_scalar!(
            r#"select count(*) as "waiting!" from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'"#
        )
        .fetch_one(db)
        .await
    }
}
