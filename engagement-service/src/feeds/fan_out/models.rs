//! Jobs of the fan-out, and the followers that they go to, in the database.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;

/// A post on its way into feeds or out of them.
#[derive(Clone, Debug)]
pub struct FanOut {
    pub post_id: Uuid,
    pub author_id: Uuid,
    /// The key that feeds get.
    pub enters: Option<Uuid>,
    /// The keys that they lose.
    pub leaves: Vec<Uuid>,
    /// The last follower whose feed is done; nil before the first page.
    pub done_to: Uuid,
    pub revision: i32,
    /// Until when it is this worker's. No two claims of a job end at the same time, so this is also which claim it was: a worker
    /// that has taken too long changes nothing that another has taken over.
    pub claimed_until: Timestamp,
}

impl FanOut {
    /// Has posts brought into feeds, or out of them, where what they are now is not what feeds have of them. This transaction has
    /// saved what they are.
    pub async fn create(tx: &mut PgTransaction<'_>, posts: &[Uuid]) -> sqlx::Result<()> {
        // A limit that ends at this moment either waits here, and then finds the posts, or its end is seen.
        sqlx::query!("select post_id from moderated_post where post_id = any($1) order by post_id for share", posts)
            .fetch_all(&mut **tx)
            .await?;
        sqlx::query!(
            "with post as materialized (
                select id, user_id, fanned_key as was, case when is_public(post_card) then feed_key end as is_now
                from post_card where id = any($1) order by id for update
            ),
            moved as (
                update post_card set fanned_key = is_now from post
                where post_card.id = post.id and was is distinct from is_now
            )
            insert into fan_out (post_id, author_id, enters, leaves)
            select id, user_id, is_now, array_remove(array[was], null) from post where was is distinct from is_now order by id
            on conflict (post_id) do update set enters = excluded.enters,
                leaves = array_remove(fan_out.leaves || array_remove(array[fan_out.enters], null) || excluded.leaves,
                    excluded.enters),
                done_to = default, revision = fan_out.revision + 1",
            posts
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Has posts brought into feeds again that are limited no more: a feed that was built meanwhile lacks them.
    pub async fn repeat(tx: &mut PgTransaction<'_>, posts: &[Uuid]) -> sqlx::Result<()> {
        // A job that is there knows better whether its post enters feeds, and begins again.
        sqlx::query!(
            "insert into fan_out (post_id, author_id, enters)
            select id, user_id, feed_key from post_card where id = any($1) and is_public(post_card) order by id
            on conflict (post_id) do update set done_to = default, revision = fan_out.revision + 1",
            posts
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Takes the job whose turn it is for some seconds.
    pub async fn claim(db: impl PgExecutor<'_>, seconds: f64) -> sqlx::Result<Option<Self>> {
        sqlx::query_as!(
            Self,
            "update fan_out set free_at = now() + make_interval(secs => $1)
            where post_id = (
                select post_id from fan_out where free_at <= now() order by free_at limit 1 for update skip locked
            )
            returning post_id, author_id, enters, leaves, done_to, revision, free_at as claimed_until",
            seconds
        )
        .fetch_optional(db)
        .await
    }

    /// Gives the job back, behind those that wait.
    pub async fn release(&self, db: impl PgExecutor<'_>) -> sqlx::Result<()> {
        sqlx::query!(
            "update fan_out set free_at = now() where post_id = $1 and free_at = $2",
            self.post_id,
            self.claimed_until as Timestamp
        )
        .execute(db)
        .await?;
        Ok(())
    }

    /// Gives the job back after a page; its followers are done, unless the post has changed since.
    pub async fn advance(&self, db: impl PgExecutor<'_>, done_to: Uuid) -> sqlx::Result<()> {
        sqlx::query!(
            "update fan_out set free_at = now(), done_to = case when revision = $2 then $3 else done_to end
            where post_id = $1 and free_at = $4",
            self.post_id,
            self.revision,
            done_to,
            self.claimed_until as Timestamp
        )
        .execute(db)
        .await?;
        Ok(())
    }

    /// Ends the job after its last page, unless the post has changed since.
    pub async fn finish(&self, db: impl PgExecutor<'_>) -> sqlx::Result<()> {
        sqlx::query!(
            "with done as (delete from fan_out where post_id = $1 and revision = $2 and free_at = $3)
            update fan_out set free_at = now() where post_id = $1 and revision <> $2 and free_at = $3",
            self.post_id,
            self.revision,
            self.claimed_until as Timestamp
        )
        .execute(db)
        .await?;
        Ok(())
    }

    /// Whether readers look the post up when they read: followers of an author who has very many, or of one of its tags.
    pub async fn is_looked_up(&self, db: impl PgExecutor<'_>) -> sqlx::Result<bool> {
        sqlx::query_scalar!(
            r#"select exists (select from follow where target_id = $1 and stands and pulled)
                or exists (select from tagged_post join tag_follow using (tag) where post_id = $2) as "is_looked_up!""#,
            self.author_id,
            self.post_id
        )
        .fetch_one(db)
        .await
    }

    /// A page of the followers whose feeds have the author's posts. A reader who does not see the author gets none: the end of a mute
    /// or block drops their feed in its own transaction, so that it is built with the posts of the meantime.
    pub async fn list_followers(&self, db: impl PgExecutor<'_>, rows: i64) -> sqlx::Result<Vec<Uuid>> {
        sqlx::query_scalar!(
            r#"select user_id as "user_id!" from follow where target_id = $1 and user_id > $2 and stands and not pulled
                and not exists (select from mute where mute.user_id = follow.user_id and mute.target_id = $1)
                and not exists (
                    select from block where block.stands and block.user_id = follow.user_id and block.target_id = $1)
                and not exists (
                    select from block where block.stands and block.user_id = $1 and block.target_id = follow.user_id)
            order by user_id limit $3"#,
            self.author_id,
            self.done_to,
            rows
        )
        .fetch_all(db)
        .await
    }
}

/// What waits to be done in feeds.
pub struct FeedBacklog {
    pub waiting: i64,
    /// Since when the first waits.
    pub oldest: Option<Timestamp>,
}

impl FeedBacklog {
    /// Counts the jobs. The order to drop all feeds may take its time: it counts as waiting from an hour later on.
    pub async fn count(db: impl PgExecutor<'_>) -> sqlx::Result<Self> {
        sqlx::query_as!(
            Self,
            r#"select count(*) as "waiting!", min(asked_at) as oldest
            from (
                select asked_at from fan_out union all select asked_at from feed_drop
                union all select asked_at + interval '1 hour' from feed_drop_all where done_to is not null
            ) as job"#
        )
        .fetch_one(db)
        .await
    }
}

/// An author's followers, as far as their number decides how posts reach them.
pub struct Audience;

impl Audience {
    /// Deletes that an author has too many followers.
    pub async fn delete(tx: &mut PgTransaction<'_>, author: Uuid) -> sqlx::Result<()> {
        sqlx::query!("delete from big_author where user_id = $1", author).execute(&mut **tx).await?;
        Ok(())
    }

    /// Notes whether an author has too many followers: from a number on, and until there are fewer than another; whether they have.
    pub async fn measure(tx: &mut PgTransaction<'_>, author: Uuid, from: i64, until: i64) -> sqlx::Result<bool> {
        let row = sqlx::query!(
            r#"select exists (select from big_author where user_id = $1) as "was_big!",
                (select count(*) from (select from follow where target_id = $1 and stands limit $2::bigint + 1) as few) as "followers!""#,
            author,
            from
        )
        .fetch_one(&mut **tx)
        .await?;
        if !row.was_big && row.followers > from {
            sqlx::query!("insert into big_author (user_id) values ($1) on conflict (user_id) do nothing", author)
                .execute(&mut **tx)
                .await?;
            return Ok(true);
        }
        if row.was_big && row.followers < until {
            Self::delete(tx, author).await?;
            return Ok(false);
        }
        Ok(row.was_big)
    }

    /// Lets up to `rows` more followers look up the author's posts; how many it were.
    pub async fn pull(tx: &mut PgTransaction<'_>, author: Uuid, rows: i64) -> sqlx::Result<u64> {
        let query = sqlx::query!(
            "update follow set pulled = true where target_id = $1 and user_id in (
                select user_id from follow where target_id = $1 and stands and not pulled
                order by user_id limit $2 for update
            )",
            author,
            rows
        );
        Ok(query.execute(&mut **tx).await?.rows_affected())
    }

    /// Lets up to `rows` followers look up the author's posts no more, and returns them: their feeds lack these posts.
    pub async fn push(tx: &mut PgTransaction<'_>, author: Uuid, rows: i64) -> sqlx::Result<Vec<Uuid>> {
        sqlx::query_scalar!(
            "update follow set pulled = false where target_id = $1 and user_id in (
                select user_id from follow where target_id = $1 and pulled order by user_id limit $2 for update
            ) returning user_id",
            author,
            rows
        )
        .fetch_all(&mut **tx)
        .await
    }
}
