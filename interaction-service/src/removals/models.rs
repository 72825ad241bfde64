//! Removals in the database: all of the SQL of them.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use super::Remainder;
use crate::core::api::pagination::Cursor;
use crate::core::contract::timestamp::Timestamp;

/// What is still to be deleted beneath a post or a comment.
#[derive(Debug)]
pub struct Removal {
    pub subject_id: Uuid,
    pub what: Remainder,
    /// The last row that was deleted; none was, where these are not given.
    pub reached_at: Option<Timestamp>,
    pub reached_id: Option<Uuid>,
}

impl Removal {
    /// Has what is beneath posts deleted, to which no transaction can add anything any more.
    pub async fn begin_posts(tx: &mut PgTransaction<'_>, posts: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into removal (subject_id, what)
            select id, 'COMMENTS' from unnest($1::uuid[]) as gone (id)
            where exists (select from comment where post_id = gone.id)
            union all
            select id, 'REACTIONS' from unnest($1::uuid[]) as gone (id)
            where exists (select from reaction where post_id = gone.id)
            union all
            select id, 'BOOKMARKS' from unnest($1::uuid[]) as gone (id)
            where exists (select from bookmark where post_id = gone.id)
            on conflict do nothing",
            posts
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Has what is left of replies to comments deleted that this transaction has deleted.
    pub async fn begin_threads(tx: &mut PgTransaction<'_>, comments: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into removal (subject_id, what)
            select id, 'REPLIES' from unnest($1::uuid[]) as gone (id)
            where exists (select from comment where reply_to = gone.id)
            on conflict do nothing",
            comments
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Has what is left of reactions to comments deleted that this transaction has deleted.
    pub async fn begin_comment_reactions(tx: &mut PgTransaction<'_>, comments: &[Uuid]) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into removal (subject_id, what)
            select id, 'COMMENT_REACTIONS' from unnest($1::uuid[]) as gone (id)
            where exists (select from comment_reaction where comment_id = gone.id)
            on conflict do nothing",
            comments
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// The removal that waits longest and that no other replica has at hand; locked until the transaction ends.
    pub async fn lock_next(tx: &mut PgTransaction<'_>) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            r#"select subject_id, what as "what: Remainder", reached_at, reached_id from removal
            order by at limit 1 for update skip locked"#
        )
        .fetch_optional(&mut **tx)
        .await
    }

    /// The places of the rows that come next, newest first.
    pub async fn list_page(&self, tx: &mut PgTransaction<'_>, rows: i64) -> sqlx::Result<Vec<Cursor>> {
        let reached = self.reached_at.zip(self.reached_id);
        let Cursor { at, id } = reached.map_or_else(Cursor::end, |(at, id)| Cursor { at, id });
        let subject = self.subject_id;
        // Each reads an index from the place on.
        macro_rules! list {
            ($table:tt, $owner:tt) => {
                sqlx::query_as!(
                    Cursor,
                    "select created_at as at, id from "
                        + $table
                        + " where "
                        + $owner
                        + " = $1 and (created_at, id) < ($2, $3)
                    order by created_at desc, id desc limit $4",
                    subject,
                    at,
                    id,
                    rows
                )
                .fetch_all(&mut **tx)
                .await
            };
        }
        match self.what {
            Remainder::Comments => list!("comment", "post_id"),
            Remainder::Reactions => list!("reaction", "post_id"),
            Remainder::Bookmarks => list!("bookmark", "post_id"),
            Remainder::Replies => list!("comment", "reply_to"),
            Remainder::CommentReactions => list!("comment_reaction", "comment_id"),
        }
    }

    /// Moves on to a place, or, without one, ends the removal: nothing is left.
    pub async fn advance(&self, tx: &mut PgTransaction<'_>, to: Option<&Cursor>) -> sqlx::Result<()> {
        let (subject, what) = (self.subject_id, self.what);
        if let Some(to) = to {
            sqlx::query!(
                "update removal set reached_at = $3, reached_id = $4, at = clock_timestamp()
                where subject_id = $1 and what = $2",
                subject,
                what as Remainder,
                to.at,
                to.id
            )
            .execute(&mut **tx)
            .await?;
        } else {
            sqlx::query!("delete from removal where subject_id = $1 and what = $2", subject, what as Remainder)
                .execute(&mut **tx)
                .await?;
        }
        Ok(())
    }
}

/// How many removals are not done.
pub async fn count_removals(db: impl PgExecutor<'_>) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select count(*) as "removals!" from removal"#).fetch_one(db).await
}
