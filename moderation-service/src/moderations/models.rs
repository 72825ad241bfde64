//! Cases in the database: all of the SQL of this feature.
use serde_json::value::RawValue;
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use super::{Kind, Status};
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;
use crate::subjects::reasons::ContractReason;

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
    pub reason: ContractReason,
}

impl Moderation {
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
                status as "status!: Status", reason as "reason!: ContractReason"
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
