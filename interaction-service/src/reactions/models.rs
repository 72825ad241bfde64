//! Reactions in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use super::Type;
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;

/// A reaction as it is stored.
#[derive(Clone, Debug)]
pub struct Reaction {
    pub id: Uuid,
    pub created_at: Timestamp,
    pub created_by: Uuid,
    pub updated_at: Timestamp,
    pub updated_by: Option<Uuid>,
    pub post_id: Uuid,
    pub r#type: Type,
}

impl Reaction {
    /// Inserts a user's reaction to a post that the transaction has locked; none when they had reacted to it before.
    pub async fn create(tx: &mut PgTransaction<'_>, post: Uuid, user: Uuid, kind: Type) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"insert into reaction (id, created_by, post_id, type) values ($1, $2, $3, $4)
            on conflict on constraint reaction_post_id_created_by_key do nothing
            returning id, created_at, created_by, updated_at,
                updated_by, post_id, type"#,
            Uuid::now_v7(),
            user,
            post,
            kind as Type
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// Saves a user's reaction to a post that the transaction has locked, whichever they had before. None when it is there already, with
    /// this type. One that is new has no `updated_by`.
    pub async fn save(tx: &mut PgTransaction<'_>, post: Uuid, user: Uuid, kind: Type) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"insert into reaction (id, created_by, post_id, type) values ($1, $2, $3, $4)
            on conflict on constraint reaction_post_id_created_by_key
            do update set type = excluded.type, updated_by = excluded.created_by,
                updated_at = greatest(now(), reaction.updated_at + interval '1 microsecond')
            where reaction.type <> excluded.type
            returning id, created_at, created_by, updated_at,
                updated_by, post_id, type"#,
            Uuid::now_v7(),
            user,
            post,
            kind as Type
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// A user's reaction to a post.
    pub async fn find_own(tx: &mut PgTransaction<'_>, post: Uuid, user: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, created_at, created_by, updated_at,
                updated_by, post_id, type
            from reaction where post_id = $1 and created_by = $2"#,
            post,
            user
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// The reactions to a post, newest first, but those of users who have a block with the viewer.
    pub async fn list(
        db: impl PgExecutor<'_>,
        post: Uuid,
        viewer: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select id, created_at, created_by, updated_at,
                updated_by, post_id, type
            from reaction where post_id = $1 and (created_at, id) < ($2, $3) and not hidden($5, created_by)
            order by created_at desc, id desc limit $4"#,
            post,
            before.at,
            before.id,
            rows,
            viewer
        )
        .fetch_all(db)
        .await
    }

    /// A reaction that the viewer may see, to a post that they may see.
    pub async fn find_visible(db: impl PgExecutor<'_>, id: Uuid, viewer: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select reaction.id, reaction.created_at, reaction.created_by,
                reaction.updated_at, reaction.updated_by, reaction.post_id,
                reaction.type
            from reaction join post on post.id = reaction.post_id
            where reaction.id = $1 and not hidden($2, reaction.created_by) and visible(post, $2)"#,
            id,
            viewer
        )
        .fetch_optional(db)
        .await
    }

    /// Updates an owner's reaction, whose type stays when none is given; none when it is not theirs, does not exist, or is to
    /// a post that they may no longer see.
    pub async fn update(
        tx: &mut PgTransaction<'_>,
        id: Uuid,
        user: Uuid,
        kind: Option<Type>,
    ) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"update reaction set type = coalesce($3, reaction.type), updated_by = $2,
                updated_at = greatest(now(), reaction.updated_at + interval '1 microsecond')
            from post
            where reaction.id = $1 and reaction.created_by = $2 and post.id = reaction.post_id and visible(post, $2)
            returning reaction.id, reaction.created_at, reaction.created_by,
                reaction.updated_at, reaction.updated_by, reaction.post_id,
                reaction.type"#,
            id,
            user,
            kind as Option<Type>
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// Deletes an owner's reaction and returns it; none when it does not exist, is not theirs, or is gone already with its post.
    pub async fn delete(tx: &mut PgTransaction<'_>, id: Uuid, user: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"delete from reaction where id = $1 and created_by = $2
                and exists (select from post where post.id = reaction.post_id and deleted_at is null)
            returning id, created_at, created_by, updated_at,
                updated_by, post_id, type"#,
            id,
            user
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// Deletes a user's reaction to a post and returns it; none when there is none, or it is gone already with its post.
    pub async fn delete_own(tx: &mut PgTransaction<'_>, post: Uuid, user: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"delete from reaction where post_id = $1 and created_by = $2
                and exists (select from post where post.id = reaction.post_id and deleted_at is null)
            returning id, created_at, created_by, updated_at,
                updated_by, post_id, type"#,
            post,
            user
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// Deletes up to `rows` reactions of a user and returns them.
    pub async fn delete_by_author(tx: &mut PgTransaction<'_>, user: Uuid, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"delete from reaction
            where id in (select id from reaction where id in (
                    select id from reaction where created_by = $1 order by created_at desc, id desc limit $2)
                order by id for update)
            returning id, created_at, created_by, updated_at,
                updated_by, post_id, type"#,
            user,
            rows
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// A user's reactions for the export of personal data, newest first.
    pub async fn list_personal_data(
        db: &PgPool,
        user: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select created_at as at, id, to_json(reaction) as "thing!" from reaction
            where created_by = $1 and (created_at, id) < ($2, $3) order by created_at desc, id desc limit $4"#,
            user,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// Deletes these reactions and returns those that were there.
    pub async fn delete_listed(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<Self>> {
        // Locks taken in one order cannot deadlock with another deletion of reactions.
        sqlx::query_as!(
            Self,
            r#"delete from reaction
            where id in (select id from reaction where id = any($1) order by id for update)
            returning id, created_at, created_by, updated_at,
                updated_by, post_id, type"#,
            ids
        )
        .fetch_all(&mut **tx)
        .await
    }
}
