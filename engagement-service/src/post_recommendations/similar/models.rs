//! Similar posts in the database, and the pass that finds them.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;

/// Of a post, and of a person, as many of the newest reactions and as many comments are walked.
const WALKED: i64 = 50;
/// Similar posts that are kept of each post.
const KEPT: i64 = 20;
/// Posts whose similarity to a post is calculated: those with the most people in common with it.
const WEIGHED: i64 = 30;
/// The people at which a similarity is half of what it would be with very many.
const SHRINKAGE: f64 = 3.0;

/// The pass that finds similar posts, with its row locked.
pub struct SimilarPass {
    /// The feed key of the last post that was worked on; the largest when none was.
    pub below: Uuid,
}

impl SimilarPass {
    /// Lets a pass begin, unless one is under way.
    pub async fn begin(tx: &mut PgTransaction<'_>) -> sqlx::Result<()> {
        sqlx::query!(
            "update similar_pass set begun_at = now(), below = null, ended_at = null, posts = 0, worked_ms = 0
            where ended_at is not null"
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Locks the pass that is under way; none when there is none, or another replica is at it.
    pub async fn lock(tx: &mut PgTransaction<'_>) -> sqlx::Result<Option<Self>> {
        let query = sqlx::query_as!(
            Self,
            r#"select coalesce(below, 'ffffffff-ffff-ffff-ffff-ffffffffffff') as "below!" from similar_pass
            where ended_at is null for update skip locked"#
        );
        query.fetch_optional(&mut **tx).await
    }

    /// The next posts of the pass, the newest first, by their feed keys; none that are below the feed key `since`.
    pub async fn list_posts(&self, db: impl PgExecutor<'_>, since: Uuid, rows: i64) -> sqlx::Result<Vec<Uuid>> {
        sqlx::query_scalar!(
            r#"select feed_key as "feed_key!" from post_card
            where deleted_at is null and not hidden and status = 'POSTED' and feed_key < $1
                and feed_key > $2
            order by feed_key desc limit $3"#,
            self.below,
            since,
            rows
        )
        .fetch_all(db)
        .await
    }

    /// Saves the last post that was worked on, or, without one, that the pass is over; and how long this step took, until now.
    pub async fn save_progress(&self, tx: &mut PgTransaction<'_>, posts: i64, last: Option<Uuid>) -> sqlx::Result<()> {
        sqlx::query!(
            "update similar_pass set below = coalesce($1, below), posts = posts + $2,
                ended_at = case when $1 is null then clock_timestamp() end,
                worked_ms = worked_ms + (extract(epoch from clock_timestamp() - now()) * 1000)::bigint",
            last,
            posts
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

/// The posts that are most similar to others.
pub struct SimilarPosts;

impl SimilarPosts {
    /// Finds the similar posts of posts, by their feed keys, and saves them; none that are below the feed key `since`.
    ///
    /// It goes from one post to the next, so that what is grouped and sorted are the few hundred posts in common of one and not those of the
    /// batch. What a person did is an array, since as rows they would be sorted by person. Whether a post may be shown is looked up from
    /// the most similar on, until enough are found.
    pub async fn find(tx: &mut PgTransaction<'_>, keys: &[Uuid], since: Uuid) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into similar_post (post_id, others, weights, found_at)
            select mine.id, near.others, near.weights, now()
            from (
                select distinct post.id from unnest($1::uuid[]) as key (feed_key)
                cross join lateral (
                    select id from post_card
                    where feed_key = key.feed_key and deleted_at is null and not hidden and status = 'POSTED' offset 0
                ) as post
            ) as mine
            cross join lateral (
                with fan as (
                    select user_id, (count(*) over ())::double precision as fans from (
                        (select user_id from reaction_card where post_id = mine.id and deleted_at is null
                            order by created_at desc limit $2)
                        union
                        (select user_id from comment_card where post_id = mine.id and deleted_at is null and not hidden
                            order by created_at desc limit $2)
                    ) as person
                ), trail as (
                    select fans, posts, 1 / ln(1 + cardinality(posts)::double precision) as weight
                    from fan cross join lateral (
                        select array_agg(distinct post_id) as posts from (
                            (select post_id from reaction_card where user_id = fan.user_id and deleted_at is null
                                order by created_at desc limit $2)
                            union all
                            (select post_id from comment_card where user_id = fan.user_id and deleted_at is null and not hidden
                                order by created_at desc limit $2)
                        ) as engaged
                    ) as engaged
                    offset 0
                ), shared as (
                    select other_id, max(fans) as fans, sum(weight) as weight, count(*)::double precision as people
                    from trail cross join lateral unnest(posts) as other_id
                    where other_id <> mine.id
                    group by other_id order by people desc, weight desc, other_id limit $6
                ), weighed as (
                    select other_id, least(1, people / (people + $4) * weight
                        / sqrt(fans * greatest(tally.comments + tally.reactions, 1)::double precision)) as similarity
                    from shared
                    cross join lateral (select comments, reactions from post_count where post_id = other_id offset 0) as tally
                    order by similarity desc, other_id
                ), kept as (
                    select other_id, similarity from weighed
                    cross join lateral (
                        select from post_card
                        where id = other_id and deleted_at is null and not hidden and status = 'POSTED' and feed_key > $5
                        offset 0
                    ) as shown
                    order by similarity desc, other_id limit $3
                )
                select coalesce(array_agg(other_id order by similarity desc, other_id), '{}') as others,
                    coalesce(array_agg(similarity::real order by similarity desc, other_id), '{}') as weights
                from kept
            ) as near
            where cardinality(near.others) > 0 or exists (select from similar_post where post_id = mine.id)
            order by mine.id
            on conflict (post_id) do update
            set others = excluded.others, weights = excluded.weights, found_at = excluded.found_at",
            keys,
            WALKED,
            KEPT,
            SHRINKAGE,
            since,
            WEIGHED
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Deletes up to `rows` posts with their similar ones that no pass found since a time; how many they were.
    pub async fn purge(db: impl PgExecutor<'_>, before: Timestamp, rows: i64) -> sqlx::Result<u64> {
        let purged = sqlx::query!(
            "delete from similar_post where post_id in (
                select post_id from similar_post where found_at < $1 limit $2 for update skip locked
            )",
            before as Timestamp,
            rows
        );
        Ok(purged.execute(db).await?.rows_affected())
    }
}
