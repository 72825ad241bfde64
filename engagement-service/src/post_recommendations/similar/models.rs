//! Similar posts in the database, and the pass that finds them.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;

/// Of a post, and of a person, as many of the newest reactions and as many comments are walked.
const WALKED: i64 = 100;
/// Similar posts that are kept of each post.
const KEPT: i64 = 20;
/// Posts whose similarity to a post is calculated: those with the most people in common with it.
const WEIGHED: i64 = 40;
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
    pub async fn find(tx: &mut PgTransaction<'_>, keys: &[Uuid], since: Uuid) -> sqlx::Result<()> {
        sqlx::query!(
            "with batch as materialized (
                select post.id from unnest($1::uuid[]) as key (feed_key)
                cross join lateral (
                    select id from post_card
                    where feed_key = key.feed_key and deleted_at is null and not hidden and status = 'POSTED' offset 0
                ) as post
            ), fan as materialized (
                select batch.id as post_id, fan.user_id from batch cross join lateral (
                    (select user_id from reaction_card where post_id = batch.id and deleted_at is null
                        order by created_at desc limit $2)
                    union
                    (select user_id from comment_card where post_id = batch.id and deleted_at is null and not hidden
                        order by created_at desc limit $2)
                ) as fan
            ), trail as materialized (
                select person.user_id, engaged.post_id,
                    1 / ln(1 + count(*) over (partition by person.user_id)::double precision) as weight
                from (select distinct user_id from fan) as person
                cross join lateral engaged_with(person.user_id, $2) as engaged
            ), shared as (
                select fan.post_id, trail.post_id as other_id, sum(weight) as weight, count(*)::double precision as people
                from fan join trail on trail.user_id = fan.user_id and trail.post_id <> fan.post_id
                group by fan.post_id, trail.post_id
            ), pair as materialized (
                select * from (
                    select *, row_number() over (partition by post_id order by people desc, weight desc, other_id) as turn from shared
                ) as shared
                where turn <= $6
            ), other as materialized (
                select distinct_other.id, greatest(tally.comments + tally.reactions, 1)::double precision as engagements
                from (select distinct other_id as id from pair) as distinct_other
                cross join lateral (
                    select from post_card
                    where id = distinct_other.id and deleted_at is null and not hidden and status = 'POSTED'
                        and feed_key > $5
                    offset 0
                ) as shown
                cross join lateral (
                    select comments, reactions from post_count where post_id = distinct_other.id offset 0
                ) as tally
            ), ranked as (
                select pair.post_id, pair.other_id, pair.similarity,
                    row_number() over (partition by pair.post_id order by pair.similarity desc, pair.other_id) as turn
                from (
                    select pair.post_id, pair.other_id,
                        least(1, people / (people + $4) * weight / sqrt(other.engagements * greatest(mine.engagements, people)))
                            as similarity
                    from pair
                    join other on other.id = pair.other_id
                    join (select post_id, count(*)::double precision as engagements from fan group by post_id) as mine
                        on mine.post_id = pair.post_id
                ) as pair
            )
            insert into similar_post (post_id, others, weights, found_at)
            select batch.id, coalesce(array_agg(other_id order by turn) filter (where turn <= $3), '{}'),
                coalesce(array_agg(similarity::real order by turn) filter (where turn <= $3), '{}'), now()
            from batch left join ranked on ranked.post_id = batch.id
            group by batch.id
            having count(ranked.post_id) > 0 or exists (select from similar_post where post_id = batch.id)
            order by batch.id
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
