//! Cases, and the contents that they are about, in the database: all of the SQL of this feature.
use serde_json::value::RawValue;
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use super::{Kind, Reason, Status};
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;

/// The longest contents of a page together, in characters, that are listed whole.
const WHOLE_PAGE: i64 = 100_000;

/// Cases erased in one statement.
const BATCH: i64 = 500;

/// A case as it is stored.
#[derive(Debug)]
pub struct Moderation {
    pub id: Uuid,
    pub created_at: Timestamp,
    pub created_by: Option<Uuid>,
    pub updated_at: Timestamp,
    pub updated_by: Option<Uuid>,
    pub kind: Kind,
    pub content_id: Uuid,
    pub raw_content: Box<RawValue>,
    pub status: Status,
    pub reason: Reason,
}

/// A version of a post or comment, as it was published.
#[derive(Debug)]
pub struct Content {
    pub kind: Kind,
    pub id: Uuid,
    pub author: Uuid,
    /// The time of its last change; grows with every change.
    pub version: Timestamp,
    /// The text that is to be analysed; none when other users cannot read it, or a moderator has restored it.
    pub text: Option<String>,
    pub raw: Box<RawValue>,
}

impl Moderation {
    /// Opens the case about a content and returns it; none when one is open.
    pub async fn open(tx: &mut PgTransaction<'_>, content: &Content, reason: Reason) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"insert into moderation (id, type, content_id, author, raw_content, reason)
            values ($1, $2, $3, $4, $5::text::json, $6)
            on conflict (content_id) where status = 'DELETE_REQUESTED' do nothing
            returning id, created_at, created_by, updated_at,
                updated_by, type as kind, content_id, raw_content as "raw_content: Box<RawValue>",
                status, reason"#,
            Uuid::now_v7(),
            content.kind as Kind,
            content.id,
            content.author,
            content.raw.get(),
            reason as Reason
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// Closes the open cases about contents that were hidden or deleted.
    pub async fn close(tx: &mut PgTransaction<'_>, contents: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!(
            "update moderation set status = 'DELETE_CONFIRMED', updated_at = now()
            where content_id = any($1) and status = 'DELETE_REQUESTED'",
            contents
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Deletes a batch of the cases about an author's contents; true when there may be more.
    pub async fn erase(tx: &mut PgTransaction<'_>, author: Uuid) -> sqlx::Result<bool> {
        let erased = sqlx::query!(
            "delete from moderation
            where id in (select id from moderation where author = $1 order by id limit $2 for update)",
            author,
            BATCH
        )
        .execute(&mut **tx)
        .await?;
        Ok(erased.rows_affected() > 0)
    }

    /// The cases about an author's contents for the export of personal data, newest first.
    pub async fn list_personal_data(
        db: &PgPool,
        author: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select created_at as at, id, to_json(held) as "thing!" from (
                select id, created_at, created_by, updated_at, updated_by, type, content_id, author, raw_content, status,
                    reason
                from moderation where author = $1 and (created_at, id) < ($2, $3)
            ) as held order by created_at desc, id desc limit $4"#,
            author,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// The cases about an author's contents, newest first. When the contents are long together, the long texts are cut.
    pub async fn list(db: impl PgExecutor<'_>, author: Uuid, before: Cursor, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"with page as (
                select * from moderation where author = $1 and (created_at, id) < ($2, $3)
                order by created_at desc, id desc limit $4
            ), heavy as (select coalesce(sum(letters), 0) > $5 as is_heavy from page)
            select id as "id!", created_at as "created_at!", created_by, updated_at as "updated_at!", updated_by,
                type as "kind!: Kind", content_id as "content_id!",
                case when is_heavy then coalesce(excerpt, raw_content) else raw_content end
                    as "raw_content!: Box<RawValue>",
                status as "status!: Status", reason as "reason!: Reason"
            from page, heavy order by created_at desc, id desc"#,
            author,
            before.at,
            before.id,
            rows,
            WHOLE_PAGE
        )
        .fetch_all(db)
        .await
    }
}

// The statements below lock contents in the order of their ids: several streams do this at once, and locks taken in
// one order cannot deadlock. A transaction changes a case only while it has locked the content.

/// Saves versions of contents. Returns the contents for which they are new: not deleted, and not known in this version or a
/// later one.
pub async fn save_versions(tx: &mut PgTransaction<'_>, versions: &[(Uuid, Timestamp)]) -> sqlx::Result<Vec<Uuid>> {
    let ids: Vec<Uuid> = versions.iter().map(|version| version.0).collect();
    let versions: Vec<Timestamp> = versions.iter().map(|version| version.1).collect();
    sqlx::query_scalar!(
        "insert into content (id, version)
        select id, version from unnest($1::uuid[], $2::timestamptz[]) as received (id, version) order by id
        on conflict (id) do update set version = excluded.version
        where content.gone_at is null and content.version < excluded.version
        returning id",
        &ids,
        &versions as &[Timestamp]
    )
    .fetch_all(&mut **tx)
    .await
}

/// Locks contents until the transaction ends.
pub async fn lock(tx: &mut PgTransaction<'_>, contents: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query!("select id from content where id = any($1) order by id for update", contents)
        .fetch_all(&mut **tx)
        .await?;
    Ok(())
}

/// Saves that contents were deleted, whether they were known or not.
pub async fn save_deletions(tx: &mut PgTransaction<'_>, contents: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into content (id, gone_at) select distinct id, now() from unnest($1::uuid[]) as gone (id) order by id
        on conflict (id) do update set gone_at = coalesce(content.gone_at, excluded.gone_at)",
        contents
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
