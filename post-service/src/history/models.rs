//! Earlier versions of posts in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use super::MAX_VERSIONS;
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;
use crate::posts::models::Draft;

/// What a post said until it was edited.
pub struct PostVersion {
    pub id: Uuid,
    pub replaced_at: Timestamp,
    pub title: Option<String>,
    pub content: String,
    pub types: Vec<String>,
}

/// Keeps what a published post says before its author changes that, and no more versions than are kept of one. The post's row is
/// locked, so of two changes at once each keeps what the other wrote.
pub async fn keep_version(tx: &mut PgTransaction<'_>, post: Uuid, author: Uuid, draft: &Draft<'_>) -> sqlx::Result<()> {
    let kept = sqlx::query!(
        "insert into post_version (id, post_id, created_by, replaced_at, title, content, types)
        select $1, id, created_by, greatest(now(), updated_at + interval '1 microsecond'), title, content, types from post
        where id = $2 and created_by = $3 and visible(post, $3) and published_at is not null
            and (title, content, types) is distinct from (coalesce($4, title), $5, $6)
        for update",
        Uuid::now_v7(),
        post,
        author,
        draft.title,
        draft.content,
        draft.types
    )
    .execute(&mut **tx)
    .await?;
    if kept.rows_affected() == 0 {
        return Ok(());
    }
    sqlx::query!(
        "delete from post_version where id in (
            select id from post_version where post_id = $1 order by replaced_at desc, id desc offset $2
        )",
        post,
        MAX_VERSIONS
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

impl PostVersion {
    /// The earlier versions of a post, the last first.
    pub async fn list(db: impl PgExecutor<'_>, post: Uuid, before: Cursor, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            "select id, replaced_at, title, content, types from post_version
            where post_id = $1 and (replaced_at, id) < ($2, $3) order by replaced_at desc, id desc limit $4",
            post,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// The earlier versions of a user's posts for the export of personal data, the last first.
    pub async fn list_personal_data(
        db: &PgPool,
        user: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select replaced_at as at, id, to_json(post_version) as "thing!" from post_version
            where created_by = $1 and (replaced_at, id) < ($2, $3) order by replaced_at desc, id desc limit $4"#,
            user,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }
}
