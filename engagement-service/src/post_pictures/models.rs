//! The pictures of posts in the database: all of the SQL of this feature.
use std::collections::BTreeMap;

use sqlx::PgTransaction;
use uuid::Uuid;

use super::IllustratedPost;
use crate::core::contract::timestamp::Timestamp;

/// The pictures of a post.
pub struct PostPictures;

impl PostPictures {
    /// Saves the pictures of posts whose cards this transaction has saved. Those of an older version change nothing, and neither do
    /// those of a post that is deleted; of a hidden one none are kept, as its words are not.
    pub async fn save(tx: &mut PgTransaction<'_>, posts: Vec<IllustratedPost>) -> sqlx::Result<()> {
        let mut newest: BTreeMap<Uuid, IllustratedPost> = BTreeMap::new();
        for post in posts {
            let is_newer = newest.get(&post.id).is_none_or(|kept| kept.updated_at <= post.updated_at);
            if is_newer {
                newest.insert(post.id, post);
            }
        }
        for post in newest.values_mut().filter(|post| post.hidden_at.is_some()) {
            post.media.clear();
        }
        let pictures: Vec<_> = newest.values().map(|post| serde_json::json!(post.media)).collect();
        // A post without pictures needs no row, unless it has had some.
        sqlx::query!(
            "insert into post_picture (post_id, author, version, pictures)
            select id, author, version, pictures
            from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::jsonb[]) as seen (id, author, version, pictures)
            where (pictures <> '[]' or exists (select from post_picture where post_id = id))
                and exists (select from post_card
                    where post_card.id = seen.id and deleted_at is null and post_card.version <= seen.version)
            order by id
            on conflict (post_id) do update set version = excluded.version, pictures = excluded.pictures
            where post_picture.version <= excluded.version",
            &newest.keys().copied().collect::<Vec<_>>(),
            &newest.values().map(|post| post.created_by).collect::<Vec<_>>(),
            &newest.values().map(|post| post.updated_at).collect::<Vec<_>>() as &[Timestamp],
            &pictures
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Deletes the pictures of deleted posts.
    pub async fn delete_of_posts(tx: &mut PgTransaction<'_>, posts: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!("delete from post_picture where post_id = any($1)", posts).execute(&mut **tx).await?;
        Ok(())
    }

    /// Deletes the pictures of up to `rows` posts of an author whose data end; true when there may be more.
    pub async fn delete_by_author(tx: &mut PgTransaction<'_>, author: Uuid, rows: i64) -> sqlx::Result<bool> {
        let deleted = sqlx::query!(
            "delete from post_picture where post_id in (
                select post_id from post_picture where author = $1 order by post_id limit $2 for update)",
            author,
            rows
        )
        .execute(&mut **tx)
        .await?;
        Ok(deleted.rows_affected() > 0)
    }
}
