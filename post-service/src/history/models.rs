//! Earlier versions of posts in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use super::{LEAST_SHOWN_SECONDS, MAX_VERSIONS};
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;
use crate::posts::Status;
use crate::posts::models::Draft;

/// What a post said until it was edited.
pub struct PostVersion {
    pub id: Uuid,
    pub replaced_at: Timestamp,
    pub title: Option<String>,
    pub content: String,
    pub types: Vec<String>,
}

/// Keeps what a published post says before its author changes that or withdraws it, and no more versions than are kept of one. What
/// is written while a post is a draft or archived no other user has read, and is never kept. The post's row is locked, so of two
/// changes at once each keeps what the other wrote.
pub async fn keep_version(tx: &mut PgTransaction<'_>, post: Uuid, author: Uuid, draft: &Draft<'_>) -> sqlx::Result<()> {
    // Locked by one statement and read by the next, which sees what others have committed before they let go of the lock.
    sqlx::query!("select id from post where id = $1 and created_by = $2 for update", post, author)
        .fetch_all(&mut **tx)
        .await?;
    let version = Uuid::now_v7();
    // Afterwards it is not known any more whether the words of the row were public: they are kept as long as they are.
    let withdraws = draft.status.is_some_and(|status| status != Status::Posted);
    let kept = sqlx::query!(
        "insert into post_version (id, post_id, created_by, replaced_at, title, content, types, brief)
        select $1, id, created_by, greatest(now(), updated_at + interval '1 microsecond'), title, content, types,
            now() - coalesce(worded_at, published_at, created_at) < make_interval(secs => $8)
        from post
        where id = $2 and created_by = $3 and visible(post, $3) and status = 'POSTED'
            and ($7::boolean or (title, content, types) is distinct from (coalesce($4, title), $5, $6))",
        version,
        post,
        author,
        draft.title,
        draft.content,
        draft.types,
        withdraws,
        LEAST_SHOWN_SECONDS
    )
    .execute(&mut **tx)
    .await?;
    if kept.rows_affected() == 0 {
        return Ok(());
    }
    // A post that was withdrawn and published again as it was has the same words there already. Where these have stood for long, an author
    // does not take them out of the history by publishing them again for a moment.
    sqlx::query!(
        "with same as (
            delete from post_version as earlier using post_version as kept
            where kept.id = $2 and earlier.id = (
                    select id from post_version where post_id = $1 and id <> $2 order by replaced_at desc, id desc limit 1)
                and (earlier.title, earlier.content, earlier.types)
                    is not distinct from (kept.title, kept.content, kept.types)
            returning earlier.brief
        )
        update post_version set brief = post_version.brief and same.brief from same where post_version.id = $2",
        post,
        version
    )
    .execute(&mut **tx)
    .await?;
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
    /// The earlier versions of a post, the last first; with those that stood for a moment alone, where these are asked for. The last one of a
    /// post that was withdrawn and still says the same is none.
    pub async fn list(
        db: impl PgExecutor<'_>,
        post: Uuid,
        with_brief: bool,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            "select kept.id, kept.replaced_at, kept.title, kept.content, kept.types
            from post_version as kept join post on post.id = kept.post_id
            where kept.post_id = $1 and (kept.replaced_at, kept.id) < ($2, $3) and ($5::boolean or not kept.brief)
                and ((kept.title, kept.content, kept.types) is distinct from (post.title, post.content, post.types)
                    or exists (select from post_version as later where later.post_id = kept.post_id
                        and (later.replaced_at, later.id) > (kept.replaced_at, kept.id)))
            order by kept.replaced_at desc, kept.id desc limit $4",
            post,
            before.at,
            before.id,
            rows,
            with_brief
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
