//! Reactions to comments in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::personal_data::PersonalDataItem;
use crate::reactions::Type;

/// A reaction to a comment as it is stored.
#[derive(Clone, Debug)]
pub struct CommentReaction {
    pub id: Uuid,
    pub created_at: Timestamp,
    pub created_by: Uuid,
    pub updated_at: Timestamp,
    /// None: it was never changed.
    pub updated_by: Option<Uuid>,
    pub comment_id: Uuid,
    pub post_id: Uuid,
    pub r#type: Type,
}

/// A comment that is locked until the transaction ends, so that it is not deleted meanwhile.
pub struct LockedComment {
    pub id: Uuid,
    pub post_id: Uuid,
}

impl LockedComment {
    /// Locks a comment; none when the viewer may not see it, or its post.
    pub async fn find(tx: &mut PgTransaction<'_>, id: Uuid, viewer: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            "select comment.id, post_id from comment join post on post.id = comment.post_id
            where comment.id = $1 and readable(comment, $2) and visible(post, $2) for share of comment",
            id,
            viewer
        )
        .fetch_optional(&mut **tx)
        .await
    }
}

impl CommentReaction {
    /// Saves a user's reaction to a comment. None when it is there already, with this type. One that is new has no `updated_by`.
    pub async fn save(
        tx: &mut PgTransaction<'_>,
        comment: &LockedComment,
        user: Uuid,
        kind: Type,
    ) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"insert into comment_reaction (id, created_by, comment_id, post_id, type) values ($1, $2, $3, $4, $5)
            on conflict on constraint comment_reaction_comment_id_created_by_key
            do update set type = excluded.type, updated_by = excluded.created_by,
                updated_at = greatest(now(), comment_reaction.updated_at + interval '1 microsecond')
            where comment_reaction.type <> excluded.type
            returning id, created_at, created_by, updated_at, updated_by, comment_id, post_id, type"#,
            Uuid::now_v7(),
            user,
            comment.id,
            comment.post_id,
            kind as Type
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// A user's reaction to a comment.
    pub async fn find(db: impl PgExecutor<'_>, comment: Uuid, user: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            "select id, created_at, created_by, updated_at, updated_by, comment_id, post_id, type
            from comment_reaction where comment_id = $1 and created_by = $2",
            comment,
            user
        )
        .fetch_optional(db)
        .await
    }

    /// The reactions to a comment, newest first, but those of users who have a block with the viewer.
    pub async fn list(
        db: impl PgExecutor<'_>,
        comment: Uuid,
        viewer: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            "select id, created_at, created_by, updated_at, updated_by, comment_id, post_id, type
            from comment_reaction where comment_id = $1 and (created_at, id) < ($2, $3) and not hidden($5, created_by)
            order by created_at desc, id desc limit $4",
            comment,
            before.at,
            before.id,
            rows,
            viewer
        )
        .fetch_all(db)
        .await
    }

    /// Deletes a user's reaction to a comment and returns it; none when there is none, or the comment is gone.
    pub async fn delete(tx: &mut PgTransaction<'_>, comment: Uuid, user: Uuid) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            "delete from comment_reaction where comment_id = $1 and created_by = $2
                and exists (select from comment where comment.id = $1 and not removed(comment))
            returning id, created_at, created_by, updated_at, updated_by, comment_id, post_id, type",
            comment,
            user
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// Deletes up to `rows` reactions to these comments and returns them.
    pub async fn delete_by_comments(
        tx: &mut PgTransaction<'_>,
        comments: &[Uuid],
        rows: i64,
    ) -> sqlx::Result<Vec<Self>> {
        // Locks taken in one order cannot deadlock with another deletion of reactions.
        sqlx::query_as!(
            Self,
            "delete from comment_reaction
            where id in (select id from comment_reaction where id in (
                    select id from comment_reaction where comment_id = any($1) limit $2)
                order by id for update)
            returning id, created_at, created_by, updated_at, updated_by, comment_id, post_id, type",
            comments,
            rows
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// Deletes up to `rows` reactions of a user and returns them.
    pub async fn delete_by_author(tx: &mut PgTransaction<'_>, user: Uuid, rows: i64) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            "delete from comment_reaction
            where id in (select id from comment_reaction where id in (
                    select id from comment_reaction where created_by = $1 order by created_at desc, id desc limit $2)
                order by id for update)
            returning id, created_at, created_by, updated_at, updated_by, comment_id, post_id, type",
            user,
            rows
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// Deletes these reactions and returns those that were there.
    pub async fn delete_listed(tx: &mut PgTransaction<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            "delete from comment_reaction
            where id in (select id from comment_reaction where id = any($1) order by id for update)
            returning id, created_at, created_by, updated_at, updated_by, comment_id, post_id, type",
            ids
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// A user's reactions to comments for the export of personal data, newest first.
    pub async fn list_personal_data(
        db: &PgPool,
        user: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<PersonalDataItem>> {
        sqlx::query_as!(
            PersonalDataItem,
            r#"select created_at as at, id, to_json(comment_reaction) as "thing!" from comment_reaction
            where created_by = $1 and (created_at, id) < ($2, $3) order by created_at desc, id desc limit $4"#,
            user,
            before.at,
            before.id,
            rows
        )
        .fetch_all(db)
        .await
    }
}
