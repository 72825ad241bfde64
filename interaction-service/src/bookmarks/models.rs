//! Bookmarks in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use super::MAX_BOOKMARKS;
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;

/// A bookmark as it is stored.
#[derive(Clone, Debug)]
pub struct Bookmark {
    pub id: Uuid,
    pub created_at: Timestamp,
    pub post_id: Uuid,
    pub folder: Option<String>,
}

/// A folder, and how many of its posts the user may see.
pub struct Folder {
    /// None: the bookmarks that are in no folder.
    pub folder: Option<String>,
    pub total: i64,
}

impl Bookmark {
    /// Bookmarks a post that the transaction has locked, or puts its bookmark into another folder. None when the user has as many
    /// bookmarks as one may have.
    pub async fn save(
        tx: &mut PgTransaction<'_>,
        user: Uuid,
        post: Uuid,
        folder: Option<&str>,
    ) -> sqlx::Result<Option<Self>> {
        // One user's bookmarks are added one after the other, so that two at once cannot both be the last.
        sqlx::query!("select pg_advisory_xact_lock(hashtextextended('bookmark ' || $1::uuid::text, 0))", user)
            .execute(&mut **tx)
            .await?;
        sqlx::query_as!(
            Self,
            "insert into bookmark (id, user_id, post_id, folder)
            select $1, $2, $3, $4 where (select count(*) from bookmark where user_id = $2) < $5
                or exists (select from bookmark where user_id = $2 and post_id = $3)
            on conflict on constraint bookmark_user_id_post_id_key do update set folder = excluded.folder
            returning id, created_at, post_id, folder",
            Uuid::now_v7(),
            user,
            post,
            folder,
            MAX_BOOKMARKS
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// Deletes a user's bookmark of a post; whether there was one.
    pub async fn delete(tx: &mut PgTransaction<'_>, user: Uuid, post: Uuid) -> sqlx::Result<bool> {
        let query = sqlx::query!("delete from bookmark where user_id = $1 and post_id = $2", user, post);
        Ok(query.execute(&mut **tx).await?.rows_affected() > 0)
    }

    /// A user's bookmarks of posts that they may see now, newest first; all, or those in a folder.
    pub async fn list(
        db: impl PgExecutor<'_>,
        user: Uuid,
        folder: Option<&str>,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            "select bookmark.id, bookmark.created_at, post_id, folder from bookmark join post on post.id = post_id
            where user_id = $1 and ($2::text is null or folder = $2) and visible(post, $1)
                and (bookmark.created_at, bookmark.id) < ($3, $4)
            order by bookmark.created_at desc, bookmark.id desc limit $5",
            user,
            folder,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// Deletes these bookmarks.
    pub async fn delete_listed(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> sqlx::Result<()> {
        // Locks taken in one order cannot deadlock with another deletion of bookmarks.
        sqlx::query!(
            "delete from bookmark where id in (select id from bookmark where id = any($1) order by id for update)",
            ids
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Deletes up to `rows` bookmarks of a user; true when there may be more.
    pub async fn delete_by_user(tx: &mut PgTransaction<'_>, user: Uuid, rows: i64) -> sqlx::Result<bool> {
        let deleted = sqlx::query!(
            "delete from bookmark where id in (select id from bookmark where id in (
                    select id from bookmark where user_id = $1 order by created_at desc, id desc limit $2)
                order by id for update)",
            user,
            rows
        );
        Ok(deleted.execute(&mut **tx).await?.rows_affected() > 0)
    }

    /// A user's bookmarks for the export of personal data, newest first.
    pub async fn list_personal_data(
        db: &PgPool,
        user: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select created_at as at, id, to_json(bookmark) as "thing!" from bookmark
            where user_id = $1 and (created_at, id) < ($2, $3) order by created_at desc, id desc limit $4"#,
            user,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }
}

impl Folder {
    /// A user's folders by name, those without a folder last, each with the number of its posts that they may see now.
    pub async fn list(db: impl PgExecutor<'_>, user: Uuid) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select folder, count(*) filter (where visible(post, $1)) as "total!"
            from bookmark join post on post.id = post_id
            where user_id = $1 group by folder order by folder nulls last"#,
            user
        )
        .fetch_all(db)
        .await
    }
}
