//! Cases, and the contents that they are about, in the database: all of the SQL of this feature.
use serde_json::value::RawValue;
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use super::{Kind, Reason, Status};
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;

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

/// A post or comment as it was told.
#[derive(Debug)]
pub struct Content {
    pub kind: Kind,
    pub id: Uuid,
    pub author: Uuid,
    /// When it became what it is; grows with every change.
    pub version: Timestamp,
    /// What others can read of it; none when nobody can.
    pub text: Option<String>,
    pub raw: Box<RawValue>,
}

impl Moderation {
    /// Opens the case about a content; none when one is open.
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

    /// Closes the open cases about contents that are gone.
    pub async fn confirm(tx: &mut PgTransaction<'_>, contents: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!(
            "update moderation set status = 'DELETE_CONFIRMED', updated_at = now()
            where content_id = any($1) and status = 'DELETE_REQUESTED'",
            contents
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Erases some of the cases about what a person wrote; true when there may be more.
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

    /// The cases about what a person wrote, as they are stored, newest first.
    pub async fn held(db: &PgPool, person: Uuid, before: Cursor, rows: i64) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select created_at as at, id, to_json(moderation) as "thing!" from moderation
            where author = $1 and (created_at, id) < ($2, $3) order by created_at desc, id desc limit $4"#,
            person,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// The cases about what a person wrote, newest first.
    pub async fn list(db: impl PgExecutor<'_>, author: Uuid, before: Cursor, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, created_at, created_by, updated_at,
                updated_by, type as kind, content_id, raw_content as "raw_content: Box<RawValue>",
                status, reason
            from moderation where author = $1 and (created_at, id) < ($2, $3)
            order by created_at desc, id desc limit $4"#,
            author,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }
}

// Both statements below lock contents in the order of their ids: several streams do this at once, and locks taken in
// one order cannot block each other in a circle. A case is only touched by who holds its content's lock.

/// Notes versions of contents. What is answered are the contents of which these are news: not gone, and not heard of in
/// this version or a later one.
pub async fn note_versions(tx: &mut PgTransaction<'_>, versions: &[(Uuid, Timestamp)]) -> sqlx::Result<Vec<Uuid>> {
    let ids: Vec<Uuid> = versions.iter().map(|version| version.0).collect();
    let versions: Vec<Timestamp> = versions.iter().map(|version| version.1).collect();
    sqlx::query_scalar!(
        "insert into content (id, version)
        select id, version from unnest($1::uuid[], $2::timestamptz[]) as heard (id, version) order by id
        on conflict (id) do update set version = excluded.version
        where content.gone_at is null and content.version < excluded.version
        returning id",
        &ids,
        &versions as &[Timestamp]
    )
    .fetch_all(&mut **tx)
    .await
}

/// Notes that contents are gone, whether they were heard of or not.
pub async fn note_gone(tx: &mut PgTransaction<'_>, contents: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into content (id, gone_at) select distinct id, now() from unnest($1::uuid[]) as gone (id) order by id
        on conflict (id) do update set gone_at = coalesce(content.gone_at, excluded.gone_at)",
        contents
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
