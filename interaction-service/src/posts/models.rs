//! Versions of posts in the database: all of the SQL of this feature.
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use super::{Commenters, Status};
use crate::core::contract::timestamp::Timestamp;

/// One version of a post, as the post service published it.
#[derive(Clone, Copy, Debug)]
pub struct Post {
    pub id: Uuid,
    pub created_by: Uuid,
    pub status: Status,
    /// The version.
    pub updated_at: Timestamp,
    /// Whether moderation has it hidden.
    pub hidden: bool,
    pub comments: Commenters,
}

/// What a stored post is to a viewer.
pub struct Visibility {
    /// Whether the viewer may see it.
    pub visible: bool,
    /// Whether it has a tombstone.
    pub deleted: bool,
    /// The stored version.
    pub status: Status,
    pub updated_at: Timestamp,
}

/// Versions of posts as columns, each post once, in the order of ids, in which all transactions lock them.
struct Columns {
    ids: Vec<Uuid>,
    authors: Vec<Uuid>,
    statuses: Vec<String>,
    versions: Vec<DateTime<Utc>>,
    hidden: Vec<bool>,
    comments: Vec<String>,
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
            hidden: newest.values().map(|post| post.hidden).collect(),
            comments: newest.values().map(|post| post.comments.word().to_owned()).collect(),
        }
    }
}

impl Post {
    /// What a stored post is to a viewer; none when the post is not stored.
    pub async fn find_visibility(db: impl PgExecutor<'_>, id: Uuid, viewer: Uuid) -> sqlx::Result<Option<Visibility>> {
        sqlx::query_as!(
            Visibility,
            r#"select visible(post, $2) as "visible!", deleted_at is not null as "deleted!",
                status as "status: Status", updated_at
            from post where id = $1"#,
            id,
            viewer
        )
        .fetch_optional(db)
        .await
    }

    /// Saves versions of posts; one that is older than the stored one, or of a deleted post, changes nothing.
    pub async fn save(db: impl PgExecutor<'_>, posts: &[Self]) -> sqlx::Result<()> {
        // An equal version is written again: the original post service changes a post without a new version.
        let columns = Columns::from(posts);
        sqlx::query!(
            "insert into post (id, created_by, status, updated_at, hidden, comments)
            select id, created_by, status, updated_at, hidden, comments
            from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::boolean[], $6::text[])
                as seen (id, created_by, status, updated_at, hidden, comments)
            order by id
            on conflict (id) do update
            set status = excluded.status, updated_at = excluded.updated_at, hidden = excluded.hidden,
                comments = excluded.comments
            where post.deleted_at is null and post.updated_at <= excluded.updated_at",
            &columns.ids,
            &columns.authors,
            &columns.statuses,
            &columns.versions,
            &columns.hidden,
            &columns.comments
        )
        .execute(db)
        .await?;
        Ok(())
    }

    /// Saves tombstones of posts, also of posts that were not stored. It waits for transactions that have
    /// [locked](Self::lock_visible) one; later ones cannot. Returns the ids of the posts, each once.
    pub async fn save_tombstones(tx: &mut PgTransaction<'_>, posts: &[Self]) -> sqlx::Result<Vec<Uuid>> {
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

    /// Locks a post until the transaction ends; false when it is deleted, or the viewer may not see it.
    pub async fn lock_visible(tx: &mut PgTransaction<'_>, id: Uuid, viewer: Uuid) -> sqlx::Result<bool> {
        // The lock of the foreign key alone would let a tombstone pass. Shared locks do not block each other.
        let locked =
            sqlx::query_scalar!("select id from post where id = $1 and visible(post, $2) for share", id, viewer)
                .fetch_optional(&mut **tx)
                .await?;
        Ok(locked.is_some())
    }

    /// Who keeps a user from commenting on a post that this transaction has locked for them; none when the user may.
    pub async fn find_bar(tx: &mut PgTransaction<'_>, id: Uuid, writer: Uuid) -> sqlx::Result<Option<Commenters>> {
        sqlx::query_scalar!(
            r#"select comments as "comments: Commenters" from post where id = $1 and not may_comment(post, $2)"#,
            id,
            writer
        )
        .fetch_optional(&mut **tx)
        .await
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
