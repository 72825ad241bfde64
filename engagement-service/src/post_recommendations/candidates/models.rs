//! Candidates in the database: the five sources, and what no reader is recommended.
use sqlx::PgExecutor;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;

/// A category that a reader cares for, and how much, as a share of all they care for.
#[derive(Clone, Debug, PartialEq)]
pub struct CategoryShare {
    pub category: String,
    pub share: f64,
}

/// The categories that a reader cares for: half by the interests they chose, a quarter by what they write, a quarter by the newest 50 posts
/// they reacted to or commented on. A part that is empty counts nothing.
pub async fn list_categories(db: impl PgExecutor<'_>, reader: Uuid) -> sqlx::Result<Vec<CategoryShare>> {
    sqlx::query_as!(
        CategoryShare,
        r#"with part as (
            select 'CHOSEN' as part, 0.5 as weight, category, 1::bigint as times
            from person, unnest(interests) as category where id = $1
            union all
            select 'WRITTEN', 0.25, category, total from summary where user_id = $1 and total > 0
            union all
            select 'ENGAGED', 0.25, category, count(*)
            from engaged_with($1, 50) as engaged
            cross join lateral (select types from post_card where id = engaged.post_id offset 0) as post,
                unnest(types) as category
            group by category
        )
        select category as "category!", sum(weight * times / all_times)::double precision as "share!"
        from (select *, sum(times) over (partition by part) as all_times from part) as part
        group by category"#,
        reader
    )
    .fetch_all(db)
    .await
}

/// A post that may be recommended, and what speaks for it and against it.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub id: Uuid,
    pub author: Uuid,
    pub types: Vec<String>,
    pub published_at: Timestamp,
    /// How similar it is to what the reader engaged with, summed up over these posts.
    pub similarity: f64,
    /// How many of these posts it is similar to.
    pub seeds: i64,
    /// How many people the reader is connected to reacted to it.
    pub reacted: i64,
    /// How many of them are connected to its author.
    pub connected: i64,
    /// Whether it is among the newest that few have seen.
    pub unseen: bool,
    /// Without repeated ones.
    pub views: i64,
    pub comments: i64,
    pub reactions: i64,
    /// How many posts of its author the reader is not interested in.
    pub refused: i64,
    /// How similar it is to what the reader is not interested in, at most.
    pub aversion: f64,
}

/// The posts that may be recommended to a reader whose categories these are, by `recommendable_post` of the database. Posts below the feed
/// key `since` are too old.
pub async fn list_candidates(
    db: impl PgExecutor<'_>,
    reader: Uuid,
    categories: &[String],
    few_views: i64,
    since: Uuid,
) -> sqlx::Result<Vec<Candidate>> {
    sqlx::query_as!(
        Candidate,
        r#"with seed as materialized (
            select post_id from engaged_with($1, 50) as engaged order by at desc limit 50
        ), friend as materialized (
            select target_id from recommending_people($1)
        ), refusal as materialized (
            select not_interested.post_id, post.user_id as author
            from not_interested
            left join lateral (select user_id from post_card where id = not_interested.post_id offset 0) as post on true
            where not_interested.user_id = $1 order by said_at desc limit 50
        ), newest as materialized (
            select id, types from post_card
            where deleted_at is null and not hidden and status = 'POSTED'
                and feed_key > $4
            order by feed_key desc limit 500
        ), found as (
            (select other.id, sum(other.weight)::double precision as similarity, count(*) as seeds, 0::bigint as reacted,
                0::bigint as connected, false as unseen
            from seed
            cross join lateral (select others, weights from similar_post where post_id = seed.post_id offset 0) as similar_to
            cross join lateral unnest(others, weights) as other (id, weight)
            group by other.id order by similarity desc, other.id limit 300)
            union all
            (select engaged.post_id, 0, 0, count(*), 0, false
            from friend cross join lateral (
                select post_id from reaction_card
                where user_id = friend.target_id and deleted_at is null order by created_at desc limit 20
            ) as engaged
            group by engaged.post_id order by count(*) desc limit 200)
            union all
            select post.id, 0, 0, 0, author.people, false
            from (
                select known.target_id, count(*) as people
                from friend cross join lateral (
                    select target_id from follow where user_id = friend.target_id and stands
                    order by at desc, target_id limit 30
                ) as known
                where known.target_id <> $1
                group by known.target_id having count(*) >= 2 order by count(*) desc, known.target_id limit 50
            ) as author
            cross join lateral (
                select id from post_card
                where user_id = author.target_id and deleted_at is null and not hidden and status = 'POSTED'
                    and feed_key > $4
                order by feed_key desc limit 3
            ) as post
            union all
            (select id, 0, 0, 0, 0, false from newest where types && $2 limit 150)
            union all
            (select id, 0, 0, 0, 0, false from newest limit 100)
            union all
            (select newest.id, 0, 0, 0, 0, true from newest
            left join lateral (
                select views - repeated_views as views from post_count where post_id = newest.id offset 0
            ) as tally on true
            where coalesce(views, 0) <= $3 limit 200)
        ), candidate as (
            select id, sum(similarity) as similarity, sum(seeds)::bigint as seeds, sum(reacted)::bigint as reacted,
                sum(connected)::bigint as connected, bool_or(unseen) as unseen
            from found group by id
        )
        select candidate.id as "id!", post.user_id as "author!", post.types as "types!", post.published_at as "published_at!",
            candidate.similarity as "similarity!", candidate.seeds as "seeds!", candidate.reacted as "reacted!",
            candidate.connected as "connected!", candidate.unseen as "unseen!",
            greatest(tally.views - tally.repeated_views, 0) as "views!", greatest(tally.comments, 0) as "comments!", greatest(tally.reactions, 0) as "reactions!",
            (select count(*) from refusal where refusal.author = post.user_id) as "refused!",
            coalesce((
                select max(other.weight) from refusal
                join similar_post on similar_post.post_id = refusal.post_id
                cross join lateral unnest(others, weights) as other (id, weight)
                where other.id = candidate.id
            ), 0)::double precision as "aversion!"
        from candidate
        cross join lateral (
            select user_id, types, published_at from recommendable_post($1, candidate.id) where feed_key > $4
            offset 0
        ) as post
        left join lateral (select * from post_count where post_id = candidate.id offset 0) as tally on true"#,
        reader,
        categories,
        few_views,
        since
    )
    .fetch_all(db)
    .await
}
