//! Threads in the database: all of the SQL of them.
use std::collections::HashMap;

use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::comments::models::Comment;
use crate::core::api::pagination::Cursor;
use crate::reactions::Type;

/// The length of a content in a list of replies, in characters: 200 whole ones of 2,000 would be more than a page of comments is.
const EXCERPT: i32 = 500;

/// A thread, which has the id of its first comment.
pub struct Thread {
    pub id: Uuid,
}

impl Thread {
    /// The thread of a comment on a post, locked until the transaction ends, so that it is not deleted meanwhile. None when the viewer
    /// may not see the comment or the first one of the thread.
    pub async fn lock(
        tx: &mut PgTransaction<'_>,
        post: Uuid,
        comment: Uuid,
        viewer: Uuid,
    ) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            "select first.id from comment join comment as first on first.id = coalesce(comment.reply_to, comment.id)
            where comment.id = $1 and comment.post_id = $2 and readable(comment, $3) and readable(first, $3)
            for share of first",
            comment,
            post,
            viewer
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// Its replies, newest first, but those of users who have a block with the viewer; of a long content the beginning.
    pub async fn list_replies(
        &self,
        db: impl PgExecutor<'_>,
        viewer: Uuid,
        before: Cursor,
        rows: i64,
    ) -> sqlx::Result<Vec<Comment>> {
        sqlx::query_as!(
            Comment,
            r#"select id, created_at, created_by, updated_at, updated_by, post_id, left(content, $6) as "content!",
                reply_to, hidden_at, hidden_reason, restored_at, labels, char_length(content) > $6 as "truncated!"
            from comment where reply_to = $1 and (created_at, id) < ($2, $3) and readable(comment, $5)
            order by created_at desc, id desc limit $4"#,
            self.id,
            before.at,
            before.id,
            rows,
            viewer,
            EXCERPT
        )
        .fetch_all(db)
        .await
    }

    /// Deletes up to `rows` replies in threads whose first comments this transaction has deleted, and returns them.
    pub async fn delete_replies(tx: &mut PgTransaction<'_>, threads: &[Uuid], rows: i64) -> sqlx::Result<Vec<Comment>> {
        // Locks taken in one order cannot deadlock with another deletion of comments.
        sqlx::query_as!(
            Comment,
            r#"delete from comment
            where id in (select id from comment where id in (
                    select id from comment where reply_to = any($1) limit $2)
                order by id for update)
            returning id, created_at, created_by, updated_at, updated_by, post_id, content, reply_to,
                hidden_at, hidden_reason, restored_at, labels, false as "truncated!""#,
            threads,
            rows
        )
        .fetch_all(&mut **tx)
        .await
    }
}

/// What is counted of a comment, and the viewer's own reaction to it.
pub struct Tally {
    pub total_replies: i64,
    pub total_reactions: i64,
    pub my_reaction: Option<Type>,
}

impl Tally {
    /// The tallies of comments, by their ids. Hidden replies do not count.
    pub async fn list(db: impl PgExecutor<'_>, comments: &[Uuid], viewer: Uuid) -> sqlx::Result<HashMap<Uuid, Self>> {
        let rows = sqlx::query!(
            r#"select seen.id as "id!",
                (select count(*) from comment where reply_to = seen.id and hidden_at is null) as "total_replies!",
                (select count(*) from comment_reaction where comment_id = seen.id) as "total_reactions!",
                (select type from comment_reaction where comment_id = seen.id and created_by = $2) as "my_reaction: Type"
            from unnest($1::uuid[]) as seen (id)"#,
            comments,
            viewer
        )
        .fetch_all(db)
        .await?;
        let tally = |total_replies, total_reactions, my_reaction| Self { total_replies, total_reactions, my_reaction };
        Ok(rows
            .into_iter()
            .map(|row| (row.id, tally(row.total_replies, row.total_reactions, row.my_reaction)))
            .collect())
    }
}
