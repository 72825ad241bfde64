//! Suggestions in the database: all of the SQL of this feature.
use sqlx::PgExecutor;
use uuid::Uuid;

/// How many connections of the user are followed, those that were made last.
const MAX_OWN_CONNECTIONS: i64 = 300;
/// How many connections of each of them are looked at, those that were made last. Their share is divided among all the same.
const MAX_THEIR_CONNECTIONS: i64 = 100;
/// How many people with the largest shares are looked at more closely.
const MAX_CANDIDATES: i64 = 500;

/// A user two steps away.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub id: Uuid,
    /// The sum of 1/degree over those who connect the two.
    pub resource: f64,
    /// How many these are.
    pub common: i64,
    pub interests: Vec<String>,
}

/// Users two steps away from a user, those with the largest shares: not connected to them, not blocked in either
/// direction, not dismissed and not banned. In no order.
pub async fn load_candidates(db: impl PgExecutor<'_>, user_id: Uuid) -> sqlx::Result<Vec<Candidate>> {
    sqlx::query_as!(
        Candidate,
        r#"with near as (
            select target_id as id from connection where user_id = $1
            order by connected_at desc, target_id desc limit $2
        ), far as (
            select reached.target_id as id, sum(1.0::double precision / account.total_connections) as resource,
                count(*) as common
            from near join account on account.id = near.id cross join lateral (
                select target_id from connection where user_id = near.id
                order by connected_at desc, target_id desc limit $3
            ) as reached
            group by reached.target_id
        ), eligible as materialized (
            select id, resource, common from far
            where id <> $1
                and not exists (select from connection where user_id = $1 and target_id = far.id)
                and not exists (select from dismissed_suggestion where user_id = $1 and target_id = far.id)
                and not exists (select from block where block.user_id = $1 and block.target_id = far.id)
                and not exists (select from block where block.user_id = far.id and block.target_id = $1)
            order by resource desc, id limit $4
        )
        select account.id, resource as "resource!", common as "common!", interests
        from eligible join account on account.id = eligible.id where status <> 'BANNED'"#,
        user_id,
        MAX_OWN_CONNECTIONS,
        MAX_THEIR_CONNECTIONS,
        MAX_CANDIDATES
    )
    .fetch_all(db)
    .await
}

/// The newest users that may be suggested by the same rules, less those who are suggested already.
pub async fn load_newest(
    db: impl PgExecutor<'_>,
    user_id: Uuid,
    suggested: &[Uuid],
    rows: i64,
) -> sqlx::Result<Vec<Candidate>> {
    sqlx::query_as!(
        Candidate,
        r#"select id, 0::double precision as "resource!", 0::bigint as "common!", interests from account
        where id <> $1 and id <> all($2) and status <> 'BANNED'
            and not exists (select from connection where user_id = $1 and target_id = account.id)
            and not exists (select from dismissed_suggestion where user_id = $1 and target_id = account.id)
            and not exists (select from block where block.user_id = $1 and block.target_id = account.id)
            and not exists (select from block where block.user_id = account.id and block.target_id = $1)
        order by date_joined desc, id desc limit $3"#,
        user_id,
        suggested,
        rows
    )
    .fetch_all(db)
    .await
}

/// Stores that a suggestion was dismissed.
pub async fn dismiss(db: impl PgExecutor<'_>, user_id: Uuid, target_id: Uuid) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into dismissed_suggestion (user_id, target_id) select $1, id from account where id = $2 for key share
        on conflict do nothing",
        user_id,
        target_id
    )
    .execute(db)
    .await?;
    Ok(())
}
