//! The merge of the posts of all of a reader's connections, in the database, and the transaction in which costly reads run.
use sqlx::{PgPool, PgTransaction};
use uuid::Uuid;

use crate::feeds::models::HomeQuery;

/// How Postgres plans the statements of a transaction.
#[derive(Clone, Copy)]
pub enum PlanMode {
    /// By its own judgement.
    Auto,
    /// Once per connection and not for each of its first readers: for statements whose plans are the same for all readers, and
    /// which take half as long to plan as to run.
    Generic,
}

impl PlanMode {
    fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Generic => "force_generic_plan",
        }
    }
}

/// Begins a transaction whose statements may take that many milliseconds each. They are not compiled to machine code, which Postgres
/// does by a guess of their cost: it takes ten times as long as they do.
pub async fn begin(db: &PgPool, timeout: u32, plans: PlanMode) -> sqlx::Result<PgTransaction<'static>> {
    let mut tx = db.begin().await?;
    sqlx::query!(
        "select set_config('statement_timeout', $1, true) as timeout, set_config('jit', 'off', true) as jit,
            set_config('plan_cache_mode', $2, true) as plans",
        timeout.to_string(),
        plans.word()
    )
    .fetch_one(&mut *tx)
    .await?;
    Ok(tx)
}

/// The keys of the newest posts that the reader sees of their connections' and their own, and of those with a tag that they follow;
/// the newest first.
pub async fn list_newest(tx: &mut PgTransaction<'_>, query: HomeQuery) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        r#"with author as materialized (
            select target_id as id from follow
            where user_id = $1 and stands
                and not exists (select from mute where user_id = $1 and mute.target_id = follow.target_id)
                and not exists (select from block where stands and user_id = $1 and block.target_id = follow.target_id)
                and not exists (select from block where stands and block.user_id = follow.target_id and target_id = $1)
            union select $1
        ),
        few as materialized (
            select post.feed_key from author cross join lateral (
                select feed_key from post_card
                where user_id = author.id and deleted_at is null and not hidden and status = 'POSTED'
                    and feed_key > $2 and feed_key < $3
                    and not exists (select from post_hide where user_id = $1 and post_id = post_card.id)
                    and (user_id = $1
                        or not exists (select from moderated_post where post_id = post_card.id and limited))
                order by feed_key desc limit (select greatest(4, 4 * $4::bigint / count(*)) from author)
            ) as post
        ),
        bound as materialized (
            select coalesce((select feed_key from few order by feed_key desc offset $4 - 1 limit 1), $2) as key
        )
        select feed_key as "feed_key!" from (
            select post.feed_key from author cross join lateral (
                select feed_key from post_card
                where user_id = author.id and deleted_at is null and not hidden and status = 'POSTED'
                    and feed_key > $2 and feed_key < $3 and feed_key >= (select key from bound)
                    and not exists (select from post_hide where user_id = $1 and post_id = post_card.id)
                    and (user_id = $1 or not exists (select from moderated_post where post_id = post_card.id and limited))
                order by feed_key desc limit $4
            ) as post
            union
            select post.feed_key from (select tag from tag_follow where user_id = $1 offset 0) as followed cross join lateral (
                select feed_key from tagged_post
                where tag = followed.tag and feed_key > $2 and feed_key < $3 and feed_key >= (select key from bound)
                    and not exists (select from mute where user_id = $1 and target_id = author_id)
                    and not exists (select from block where stands and user_id = $1 and target_id = author_id)
                    and not exists (select from block where stands and user_id = author_id and target_id = $1)
                    and not exists (select from post_hide where user_id = $1 and post_id = tagged_post.post_id)
                    and (author_id = $1
                        or not exists (select from moderated_post where post_id = tagged_post.post_id and limited))
                order by feed_key desc limit $4
            ) as post
        ) as merged
        order by feed_key desc limit $4"#,
        query.reader,
        query.above,
        query.below,
        query.rows
    )
    .fetch_all(&mut **tx)
    .await
}

/// The same for the oldest posts, the oldest first.
pub async fn list_oldest(tx: &mut PgTransaction<'_>, query: HomeQuery) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        r#"with author as materialized (
            select target_id as id from follow
            where user_id = $1 and stands
                and not exists (select from mute where user_id = $1 and mute.target_id = follow.target_id)
                and not exists (select from block where stands and user_id = $1 and block.target_id = follow.target_id)
                and not exists (select from block where stands and block.user_id = follow.target_id and target_id = $1)
            union select $1
        ),
        few as materialized (
            select post.feed_key from author cross join lateral (
                select feed_key from post_card
                where user_id = author.id and deleted_at is null and not hidden and status = 'POSTED'
                    and feed_key > $2 and feed_key < $3
                    and not exists (select from post_hide where user_id = $1 and post_id = post_card.id)
                    and (user_id = $1
                        or not exists (select from moderated_post where post_id = post_card.id and limited))
                order by feed_key limit (select greatest(4, 4 * $4::bigint / count(*)) from author)
            ) as post
        ),
        bound as materialized (
            select coalesce((select feed_key from few order by feed_key offset $4 - 1 limit 1), $3) as key
        )
        select feed_key as "feed_key!" from (
            select post.feed_key from author cross join lateral (
                select feed_key from post_card
                where user_id = author.id and deleted_at is null and not hidden and status = 'POSTED'
                    and feed_key > $2 and feed_key < $3 and feed_key <= (select key from bound)
                    and not exists (select from post_hide where user_id = $1 and post_id = post_card.id)
                    and (user_id = $1 or not exists (select from moderated_post where post_id = post_card.id and limited))
                order by feed_key limit $4
            ) as post
            union
            select post.feed_key from (select tag from tag_follow where user_id = $1 offset 0) as followed cross join lateral (
                select feed_key from tagged_post
                where tag = followed.tag and feed_key > $2 and feed_key < $3 and feed_key <= (select key from bound)
                    and not exists (select from mute where user_id = $1 and target_id = author_id)
                    and not exists (select from block where stands and user_id = $1 and target_id = author_id)
                    and not exists (select from block where stands and user_id = author_id and target_id = $1)
                    and not exists (select from post_hide where user_id = $1 and post_id = tagged_post.post_id)
                    and (author_id = $1
                        or not exists (select from moderated_post where post_id = tagged_post.post_id and limited))
                order by feed_key limit $4
            ) as post
        ) as merged
        order by feed_key limit $4"#,
        query.reader,
        query.above,
        query.below,
        query.rows
    )
    .fetch_all(&mut **tx)
    .await
}

/// Whether a reader has more connections than that.
pub async fn has_more_connections(tx: &mut PgTransaction<'_>, reader: Uuid, number: i64) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from follow where user_id = $1 and stands offset $2) as "more!""#,
        reader,
        number
    )
    .fetch_one(&mut **tx)
    .await
}
