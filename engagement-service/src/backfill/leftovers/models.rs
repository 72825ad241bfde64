//! Leftovers in the database: their SQL. Each list has those of a page's range that are not among the keys of the page.
use sqlx::PgTransaction;
use sqlx::types::Json;
use uuid::Uuid;

use super::{BATCH, KeyRange};
use crate::blocks::models::Block;
use crate::comment_reactions::models::CommentReactionCard;
use crate::comments::models::CommentCard;
use crate::core::contract::timestamp::Timestamp;
use crate::follows::models::Follow;
use crate::posts::FacetCard;
use crate::posts::models::PostCard;
use crate::reactions::models::ReactionCard;

/// Deletes leftover people, who have no tombstones; how many.
pub async fn delete_people(tx: &mut PgTransaction<'_>, range: KeyRange, kept: &[Uuid]) -> sqlx::Result<usize> {
    let gone = sqlx::query!(
        "delete from person where id in (
            select id from person where id > $1 and id <= $2 and version < $3 and id <> all ($4) order by id limit $5
        ) returning id",
        range.after.0,
        range.until.0,
        range.before as Timestamp,
        kept,
        i64::from(BATCH)
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(gone.len())
}

/// The ends of leftover connections, at their own time: one that begins again has a later one, whenever it is consumed.
pub async fn list_follows(
    tx: &mut PgTransaction<'_>,
    range: KeyRange,
    kept: (&[Uuid], &[Uuid]),
) -> sqlx::Result<Vec<Follow>> {
    sqlx::query_as!(
        Follow,
        r#"select user_id, target_id, false as "active!", at from follow
        where stands and (user_id, target_id) > ($1, $2) and (user_id, target_id) <= ($3, $4) and at < $5
            and not exists (
                select from unnest($6::uuid[], $7::uuid[]) as kept (user_id, target_id)
                where kept.user_id = follow.user_id and kept.target_id = follow.target_id
            )
        order by user_id, target_id limit $8"#,
        range.after.0,
        range.after.1,
        range.until.0,
        range.until.1,
        range.before as Timestamp,
        kept.0,
        kept.1,
        i64::from(BATCH)
    )
    .fetch_all(&mut **tx)
    .await
}

/// The ends of leftover blocks, just behind their own time.
pub async fn list_blocks(
    tx: &mut PgTransaction<'_>,
    range: KeyRange,
    kept: (&[Uuid], &[Uuid]),
) -> sqlx::Result<Vec<Block>> {
    sqlx::query_as!(
        Block,
        r#"select user_id, target_id, false as "active!", at + interval '1 microsecond' as "at!" from block
        where stands and (user_id, target_id) > ($1, $2) and (user_id, target_id) <= ($3, $4) and at < $5
            and not exists (
                select from unnest($6::uuid[], $7::uuid[]) as kept (user_id, target_id)
                where kept.user_id = block.user_id and kept.target_id = block.target_id
            )
        order by user_id, target_id limit $8"#,
        range.after.0,
        range.after.1,
        range.until.0,
        range.until.1,
        range.before as Timestamp,
        kept.0,
        kept.1,
        i64::from(BATCH)
    )
    .fetch_all(&mut **tx)
    .await
}

/// Leftover posts.
pub async fn list_posts(tx: &mut PgTransaction<'_>, range: KeyRange, kept: &[Uuid]) -> sqlx::Result<Vec<PostCard>> {
    sqlx::query_as!(
        PostCard,
        r#"select id, user_id, created_at, title, content, types, status, version, published_at, hidden,
            facets as "facets: Json<Vec<FacetCard>>", tags, item
        from post_card
        where deleted_at is null and id > $1 and id <= $2 and version < $3 and id <> all ($4) order by id limit $5"#,
        range.after.0,
        range.until.0,
        range.before as Timestamp,
        kept,
        i64::from(BATCH)
    )
    .fetch_all(&mut **tx)
    .await
}

/// Leftover comments, as deleted.
pub async fn list_comments(
    tx: &mut PgTransaction<'_>,
    range: KeyRange,
    kept: &[Uuid],
) -> sqlx::Result<Vec<CommentCard>> {
    sqlx::query_as!(
        CommentCard,
        r#"select id, post_id, user_id, created_at, version, false as "hidden!", true as "deleted!", mentions, reply_to
        from comment_card
        where deleted_at is null and id > $1 and id <= $2 and version < $3 and id <> all ($4) order by id limit $5"#,
        range.after.0,
        range.until.0,
        range.before as Timestamp,
        kept,
        i64::from(BATCH)
    )
    .fetch_all(&mut **tx)
    .await
}

/// Leftover reactions, as deleted.
pub async fn list_reactions(
    tx: &mut PgTransaction<'_>,
    range: KeyRange,
    kept: &[Uuid],
) -> sqlx::Result<Vec<ReactionCard>> {
    sqlx::query_as!(
        ReactionCard,
        r#"select id, post_id, user_id, type, created_at, version, true as "deleted!" from reaction_card
        where deleted_at is null and id > $1 and id <= $2 and version < $3 and id <> all ($4) order by id limit $5"#,
        range.after.0,
        range.until.0,
        range.before as Timestamp,
        kept,
        i64::from(BATCH)
    )
    .fetch_all(&mut **tx)
    .await
}

/// Leftover reactions to comments, as deleted.
pub async fn list_comment_reactions(
    tx: &mut PgTransaction<'_>,
    range: KeyRange,
    kept: &[Uuid],
) -> sqlx::Result<Vec<CommentReactionCard>> {
    sqlx::query_as!(
        CommentReactionCard,
        r#"select id, comment_id, post_id, user_id, created_at, version, true as "deleted!" from comment_reaction_card
        where deleted_at is null and id > $1 and id <= $2 and version < $3 and id <> all ($4) order by id limit $5"#,
        range.after.0,
        range.until.0,
        range.before as Timestamp,
        kept,
        i64::from(BATCH)
    )
    .fetch_all(&mut **tx)
    .await
}
