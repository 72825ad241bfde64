//! Comments and their NFT records in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;

/// The longest contents of a page together, in characters, that are listed whole: 50 comments of 2,000.
const WHOLE_PAGE: i64 = 100_000;
/// The length of a content on a longer page, in characters: 200 of them are as long as a page that is listed whole.
const EXCERPT: i32 = 500;

/// A comment as it is stored.
#[derive(Clone, Debug)]
pub struct Comment {
    pub id: Uuid,
    pub created_at: Timestamp,
    pub created_by: Uuid,
    pub updated_at: Timestamp,
    pub updated_by: Option<Uuid>,
    pub post_id: Uuid,
    pub content: String,
    /// The first comment of the thread that it replies in; none: it is a first one.
    pub reply_to: Option<Uuid>,
    /// Since when moderation hides it from all; none: it is not hidden.
    pub hidden_at: Option<Timestamp>,
    /// Why it is hidden.
    pub hidden_reason: Option<String>,
    /// The version that was restored; none: it was never hidden, or still is.
    pub restored_at: Option<Timestamp>,
    /// What moderation warns its readers of.
    pub labels: Vec<String>,
    /// Whether `content` is only its beginning, as in a heavy list.
    pub truncated: bool,
}

impl Comment {
    /// Inserts a comment on a post that the transaction has locked, and where it is a reply, in a thread that it has locked.
    pub async fn create(
        tx: &mut PgTransaction<'_>,
        post: Uuid,
        author: Uuid,
        content: &str,
        reply_to: Option<Uuid>,
    ) -> sqlx::Result<Self> {
        sqlx::query_as!(
            Self,
            r#"insert into comment (id, created_by, post_id, content, reply_to) values ($1, $2, $3, $4, $5)
            returning id, created_at, created_by, updated_at,
                updated_by, post_id, content, reply_to, hidden_at, hidden_reason, restored_at, labels, false as "truncated!""#,
            Uuid::now_v7(),
            author,
            post,
            content,
            reply_to
        )
        .fetch_one(&mut **tx)
        .await
    }

    /// The comments on a post, newest first, but those of users who have a block with the viewer; all, or only the first ones of
    /// threads. When they are long together, the long ones are cut.
    pub async fn list(
        db: impl PgExecutor<'_>,
        post: Uuid,
        viewer: Uuid,
        before: Cursor,
        rows: i64,
        first_only: bool,
    ) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"with page as (
                select * from comment where post_id = $1 and (created_at, id) < ($2, $3) and readable(comment, $5)
                    and (not $8 or reply_to is null)
                order by created_at desc, id desc limit $4
            ), heavy as (select coalesce(sum(char_length(content)), 0) > $6 as is_heavy from page)
            select id as "id!", created_at as "created_at!", created_by as "created_by!",
                updated_at as "updated_at!", updated_by, post_id as "post_id!",
                case when is_heavy then left(content, $7) else content end as "content!",
                reply_to, hidden_at, hidden_reason, restored_at, labels as "labels!",
                is_heavy and char_length(content) > $7 as "truncated!"
            from page, heavy order by created_at desc, id desc"#,
            post,
            before.at,
            before.id,
            rows,
            viewer,
            WHOLE_PAGE,
            EXCERPT,
            first_only
        )
        .fetch_all(db)
        .await
    }

    /// A comment that the viewer may see, on a post that they may see.
    pub async fn find_visible(db: impl PgExecutor<'_>, id: Uuid, viewer: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select comment.id, comment.created_at, comment.created_by,
                comment.updated_at, comment.updated_by, comment.post_id, comment.content,
                comment.reply_to, comment.hidden_at, comment.hidden_reason, comment.restored_at, comment.labels, false as "truncated!"
            from comment join post on post.id = comment.post_id
            where comment.id = $1 and readable(comment, $2) and visible(post, $2)"#,
            id,
            viewer
        )
        .fetch_optional(db)
        .await
    }

    /// Updates an author's comment; none when it is not theirs, does not exist, or is on a post that they may no longer
    /// see.
    pub async fn update(
        tx: &mut PgTransaction<'_>,
        id: Uuid,
        author: Uuid,
        content: &str,
    ) -> sqlx::Result<Option<Self>> {
        // updated_at is the version by which consumers order updates, so it grows even if the clock does not.
        sqlx::query_as!(
            Self,
            r#"update comment set content = $3, updated_by = $2,
                updated_at = greatest(now(), comment.updated_at + interval '1 microsecond')
            from post
            where comment.id = $1 and comment.created_by = $2 and post.id = comment.post_id
                and readable(comment, $2) and visible(post, $2)
            returning comment.id, comment.created_at, comment.created_by,
                comment.updated_at, comment.updated_by, comment.post_id, comment.content,
                comment.reply_to, comment.hidden_at, comment.hidden_reason, comment.restored_at, comment.labels, false as "truncated!""#,
            id,
            author,
            content
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// Deletes a comment with its NFT record and returns it; none when it does not exist, is not of `author`, or is gone already with
    /// what it belongs to. Without an author, any user's comment is deleted.
    pub async fn delete(tx: &mut PgTransaction<'_>, id: Uuid, author: Option<Uuid>) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"delete from comment where id = $1 and ($2::uuid is null or created_by = $2) and not removed(comment)
            returning id, created_at, created_by, updated_at,
                updated_by, post_id, content, reply_to, hidden_at, hidden_reason, restored_at, labels, false as "truncated!""#,
            id,
            author
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// Locks comments until the transaction ends. A transaction that hides several does this first: locks taken in one order
    /// cannot deadlock with another one, or with a deletion.
    pub async fn lock(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!("select id from comment where id = any($1) order by id for update", ids)
            .fetch_all(&mut **tx)
            .await?;
        Ok(())
    }

    /// Hides a comment that is not hidden, as a new version; none when there is nothing to hide: it does not exist, is hidden,
    /// or was restored at or after a time, where one is given: that of the version that moderation read.
    pub async fn hide(
        tx: &mut PgTransaction<'_>,
        id: Uuid,
        reason: Option<&str>,
        analysed: Option<Timestamp>,
    ) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"update comment set hidden_at = now(), hidden_reason = $2, restored_at = null,
                updated_at = greatest(now(), updated_at + interval '1 microsecond')
            where id = $1 and hidden_at is null and ($3::timestamptz is null or restored_at is null or restored_at < $3)
            returning id, created_at, created_by, updated_at,
                updated_by, post_id, content, reply_to, hidden_at, hidden_reason, restored_at, labels, false as "truncated!""#,
            id,
            reason,
            analysed as Option<Timestamp>
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// Restores a hidden comment as a new version; none when it is not hidden, or is gone. A decision that hid it is done with,
    /// and comes to no effect again, however late its event is.
    pub async fn restore(tx: &mut PgTransaction<'_>, id: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"update comment set hidden_at = null, hidden_reason = null, decision_requested = false,
                visibility = case when visibility in ('HELD', 'HIDDEN') then 'VISIBLE' else visibility end,
                restored_at = greatest(now(), updated_at + interval '1 microsecond'),
                updated_at = greatest(now(), updated_at + interval '1 microsecond')
            where id = $1 and hidden_at is not null and not removed(comment)
            returning id, created_at, created_by, updated_at,
                updated_by, post_id, content, reply_to, hidden_at, hidden_reason, restored_at, labels, false as "truncated!""#,
            id
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// Hidden comments, of an author or of all, newest first; of a long content the beginning.
    pub async fn list_hidden(
        db: impl PgExecutor<'_>,
        author: Option<Uuid>,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, created_at, created_by, updated_at, updated_by, post_id, left(content, $5) as "content!",
                reply_to, hidden_at, hidden_reason, restored_at, labels, char_length(content) > $5 as "truncated!"
            from comment where hidden_at is not null and ($1::uuid is null or created_by = $1)
                and (created_at, id) < ($2, $3) and not removed(comment)
            order by created_at desc, id desc limit $4"#,
            author,
            before.at,
            before.id,
            rows,
            EXCERPT
        )
        .fetch_all(db)
        .await
    }

    /// Deletes up to `rows` comments of an author with their NFT records and returns them.
    pub async fn delete_by_author(tx: &mut PgTransaction<'_>, author: Uuid, rows: i64) -> sqlx::Result<Vec<Self>> {
        // Read in the order of an index, locked in the order of all deletions, which cannot deadlock with one another then.
        sqlx::query_as!(
            Self,
            r#"delete from comment
            where id in (select id from comment where id in (
                    select id from comment where created_by = $1 order by created_at desc, id desc limit $2)
                order by id for update)
            returning id, created_at, created_by, updated_at,
                updated_by, post_id, content, reply_to, hidden_at, hidden_reason, restored_at, labels, false as "truncated!""#,
            author,
            rows
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// A user's comments for the export of personal data, newest first.
    pub async fn list_personal_data(
        db: &PgPool,
        user: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select created_at as at, id, to_json(comment) as "thing!" from comment
            where created_by = $1 and (created_at, id) < ($2, $3) order by created_at desc, id desc limit $4"#,
            user,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// Deletes these comments with their NFT records and returns those that were there.
    pub async fn delete_listed(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"delete from comment
            where id in (select id from comment where id = any($1) order by id for update)
            returning id, created_at, created_by, updated_at,
                updated_by, post_id, content, reply_to, hidden_at, hidden_reason, restored_at, labels, false as "truncated!""#,
            ids
        )
        .fetch_all(&mut **tx)
        .await
    }
}

/// A user's NFT records for the export of personal data, newest first.
pub async fn list_personal_nfts(
    db: &PgPool,
    user: Uuid,
    before: Cursor,
    rows: i64,
) -> sqlx::Result<Vec<PersonalDataItem>> {
    sqlx::query_as!(
        PersonalDataItem,
        r#"select created_at as at, id, to_json(comment_nft) as "thing!" from comment_nft
        where created_by = $1 and (created_at, id) < ($2, $3) order by created_at desc, id desc limit $4"#,
        user,
        before.at,
        before.id,
        rows
    )
    .fetch_all(db)
    .await
}

/// Inserts or updates the NFT record of a comment.
pub async fn save_nft(tx: &mut PgTransaction<'_>, comment: &Comment, description: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into comment_nft (id, created_by, comment_id, description) values ($1, $2, $3, $4)
        on conflict (comment_id) do update set updated_by = $5, updated_at = now()",
        Uuid::now_v7(),
        comment.created_by,
        comment.id,
        description,
        comment.updated_by
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// An NFT record, for tests.
#[cfg(test)]
#[derive(Debug)]
pub struct Nft {
    pub comment_id: Uuid,
    pub created_by: Uuid,
    pub updated_by: Option<Uuid>,
    pub status: String,
    pub title: Option<String>,
    pub description: String,
    pub token_uri: Option<String>,
}

#[cfg(test)]
impl Nft {
    /// All NFT records, oldest first.
    pub async fn all(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            "select comment_id, created_by, updated_by, status, title, description, token_uri from comment_nft order by id"
        )
        .fetch_all(db)
        .await
    }
}
