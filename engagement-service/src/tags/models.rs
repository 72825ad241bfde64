//! Followed tags in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;

/// A tag that a user follows.
pub struct TagFollow {
    pub id: Uuid,
    pub tag: String,
    pub written: String,
    pub followed_at: Timestamp,
}

impl TagFollow {
    /// Follows a tag, up to `most` of them; none when the user follows that many others. Whether they did not follow it before.
    pub async fn create(
        tx: &mut PgTransaction<'_>,
        user: Uuid,
        tag: &str,
        written: &str,
        most: i64,
    ) -> sqlx::Result<Option<bool>> {
        // The row is the lock of all tags of the user.
        sqlx::query!(
            "insert into tag_follower (user_id) values ($1) on conflict (user_id) do update set user_id = excluded.user_id",
            user
        )
        .execute(&mut **tx)
        .await?;
        let created = sqlx::query!(
            "insert into tag_follow (id, user_id, tag, written) select $1, $2, $3, $4
            where (select count(*) from tag_follow where user_id = $2) < $5
            on conflict (user_id, tag) do nothing",
            Uuid::now_v7(),
            user,
            tag,
            written,
            most
        )
        .execute(&mut **tx)
        .await?;
        if created.rows_affected() == 1 {
            return Ok(Some(true));
        }
        let follows = sqlx::query_scalar!(
            r#"select exists (select from tag_follow where user_id = $1 and tag = $2) as "follows!""#,
            user,
            tag
        );
        Ok(follows.fetch_one(&mut **tx).await?.then_some(false))
    }

    /// Ends that a user follows a tag; whether they did.
    pub async fn delete(tx: &mut PgTransaction<'_>, user: Uuid, tag: &str) -> sqlx::Result<bool> {
        let query = sqlx::query!("delete from tag_follow where user_id = $1 and tag = $2", user, tag);
        Ok(query.execute(&mut **tx).await?.rows_affected() > 0)
    }

    /// The tags of a user, the latest first.
    pub async fn list(db: impl PgExecutor<'_>, user: Uuid, before: Cursor, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            "select id, tag, written, followed_at from tag_follow
            where user_id = $1 and (followed_at, id) < ($2, $3) order by followed_at desc, id desc limit $4",
            user,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// The tags of a user for their export, the latest first.
    pub async fn list_personal_data(
        db: &PgPool,
        user: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select followed_at as at, id, to_jsonb(tag_follow) as "thing!" from tag_follow
            where user_id = $1 and (followed_at, id) < ($2, $3) order by followed_at desc, id desc limit $4"#,
            user,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// Deletes the tags of a user.
    pub async fn delete_by_user(tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<()> {
        sqlx::query!("delete from tag_follow where user_id = $1", user).execute(&mut **tx).await?;
        sqlx::query!("delete from tag_follower where user_id = $1", user).execute(&mut **tx).await?;
        Ok(())
    }
}

/// How much a tag is used and followed.
pub struct TagCount {
    pub posts: i64,
    pub followers: i64,
    /// Whether the reader follows it.
    pub followed: bool,
}

impl TagCount {
    /// Counts up to `most` of each, so that the commonest tag costs no more than a rare one.
    pub async fn count(db: impl PgExecutor<'_>, reader: Uuid, tag: &str, most: i64) -> sqlx::Result<Self> {
        sqlx::query_as!(
            Self,
            r#"select (select count(*) from (select from tagged_post where tag = $2 limit $3) as few) as "posts!",
                (select count(*) from (select from tag_follow where tag = $2 limit $3) as few) as "followers!",
                exists (select from tag_follow where user_id = $1 and tag = $2) as "followed!""#,
            reader,
            tag,
            most
        )
        .fetch_one(db)
        .await
    }
}
