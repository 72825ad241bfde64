//! Mutes and hidden posts in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;

/// A muted user, with their card.
pub struct Mute {
    pub target_id: Uuid,
    pub muted_at: Timestamp,
    pub username: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub avatar_url: Option<String>,
}

impl Mute {
    /// Mutes a user; whether they were not muted before. None when the target does not exist for the user.
    pub async fn create(tx: &mut PgTransaction<'_>, user: Uuid, target: Uuid) -> sqlx::Result<Option<bool>> {
        let row = sqlx::query!(
            r#"with target as (select id from person where id = $3 and not hidden($2, $3)),
            fresh as (
                insert into mute (id, user_id, target_id) select $1, $2, id from target
                on conflict (user_id, target_id) do nothing returning id
            )
            select exists (select from target) as "exists!", exists (select from fresh) as "fresh!""#,
            Uuid::now_v7(),
            user,
            target
        )
        .fetch_one(&mut **tx)
        .await?;
        Ok(row.exists.then_some(row.fresh))
    }

    /// Ends a mute; whether there was one.
    pub async fn delete(tx: &mut PgTransaction<'_>, user: Uuid, target: Uuid) -> sqlx::Result<bool> {
        let query = sqlx::query!("delete from mute where user_id = $1 and target_id = $2", user, target);
        Ok(query.execute(&mut **tx).await?.rows_affected() > 0)
    }

    /// The mutes of a user, last first.
    pub async fn list(db: impl PgExecutor<'_>, user: Uuid, before: Cursor, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select target_id, muted_at, username as "username?", first_name as "first_name?",
                last_name as "last_name?", avatar_url as "avatar_url?"
            from mute left join person on person.id = target_id
            where user_id = $1 and (muted_at, target_id) < ($2, $3)
            order by muted_at desc, target_id desc limit $4"#,
            user,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// The mutes of a user for their export, last first.
    pub async fn list_personal_data(
        db: &PgPool,
        user: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select muted_at as at, target_id as id, to_jsonb(mute) as "thing!" from mute
            where user_id = $1 and (muted_at, target_id) < ($2, $3) order by muted_at desc, target_id desc limit $4"#,
            user,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// Deletes up to `rows` mutes by a user and of a user; true when there may be more.
    pub async fn delete_by_user(tx: &mut PgTransaction<'_>, user: Uuid, rows: i64) -> sqlx::Result<bool> {
        let query = sqlx::query!(
            "delete from mute where id in (
                (select id from mute where user_id = $1 limit $2) union all (select id from mute where target_id = $1 limit $2)
            )",
            user,
            rows
        );
        Ok(query.execute(&mut **tx).await?.rows_affected() > 0)
    }
}

/// Posts that a user has hidden from their own feeds.
pub struct PostHide;

impl PostHide {
    /// Hides a post from a user; whether it was not hidden before. None when the post does not exist for the user.
    pub async fn create(tx: &mut PgTransaction<'_>, user: Uuid, post: Uuid) -> sqlx::Result<Option<bool>> {
        let row = sqlx::query!(
            r#"with post as (
                select id from post_card where id = $3 and is_public(post_card) and not hidden($2, post_card.user_id)
            ),
            fresh as (
                insert into post_hide (id, user_id, post_id) select $1, $2, id from post
                on conflict (user_id, post_id) do nothing returning id
            )
            select exists (select from post) as "exists!", exists (select from fresh) as "fresh!""#,
            Uuid::now_v7(),
            user,
            post
        )
        .fetch_one(&mut **tx)
        .await?;
        Ok(row.exists.then_some(row.fresh))
    }

    /// Shows a post to a user again; whether it was hidden.
    pub async fn delete(tx: &mut PgTransaction<'_>, user: Uuid, post: Uuid) -> sqlx::Result<bool> {
        let query = sqlx::query!("delete from post_hide where user_id = $1 and post_id = $2", user, post);
        Ok(query.execute(&mut **tx).await?.rows_affected() > 0)
    }

    /// The posts that a user has hidden for their export, last first.
    pub async fn list_personal_data(
        db: &PgPool,
        user: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select hidden_at as at, id, to_jsonb(post_hide) as "thing!" from post_hide
            where user_id = $1 and (hidden_at, id) < ($2, $3) order by hidden_at desc, id desc limit $4"#,
            user,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// Deletes up to `rows` of the posts that a user has hidden; true when there may be more.
    pub async fn delete_by_user(tx: &mut PgTransaction<'_>, user: Uuid, rows: i64) -> sqlx::Result<bool> {
        let query = sqlx::query!(
            "delete from post_hide where id in (select id from post_hide where user_id = $1 limit $2)",
            user,
            rows
        );
        Ok(query.execute(&mut **tx).await?.rows_affected() > 0)
    }
}
