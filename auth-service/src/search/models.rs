//! Search in the database: all of the SQL of this feature.
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use super::SearchText;

/// How many people of each kind are looked at, at most, the first ones in the order of the alphabet: so a prefix that
/// all have costs no more than any other.
const MAX_CANDIDATES: i64 = 500;
/// How many names that share enough with a text are compared with it, at most.
const MAX_COMPARED: i64 = 1000;
/// What part of a text's groups of three characters a word has to have: in a word of eight letters one may be wrong.
const SIMILARITY_THRESHOLD: &str = "0.5";

/// Users whose username begins with a text, or whose name has a key that begins with one, and that `viewer` may meet: first
/// the exact username, then usernames that begin with it, then names; among these, those with most followers first.
pub async fn find_by_prefix(
    db: impl PgExecutor<'_>,
    viewer: Uuid,
    text: &SearchText,
    rows: i64,
) -> sqlx::Result<Vec<Uuid>> {
    // What begins with a text lies between it and itself with the last of all characters behind it. Unlike LIKE, this knows
    // no characters with a meaning of their own.
    sqlx::query_scalar!(
        r#"with found as (
            (select id, case lower(username collate "C") when $2 then 0 else 1 end as place from account
                where lower(username collate "C") between $2 and $2 || chr(1114111)
                order by lower(username collate "C") limit $3)
            union all
            (select user_id, 2 from search_key
                where $5 <> '' and key between $5 and $5 || chr(1114111)
                order by key limit $3)
        ), best as (select id, min(place) as place from found group by id)
        select account.id from best join account on account.id = best.id
        where account.status <> 'BANNED'
            and not exists (select from block where block.user_id = $1 and block.target_id = account.id)
            and not exists (select from block where block.user_id = account.id and block.target_id = $1)
        order by place, total_followers desc, account.id limit $4"#,
        viewer,
        text.folded,
        MAX_CANDIDATES,
        rows,
        text.key
    )
    .fetch_all(db)
    .await
}

/// Those in whose username or name some word is nearly a text, the most similar first, less those who were found before.
pub async fn find_similar(
    tx: &mut PgTransaction<'_>,
    viewer: Uuid,
    text: &str,
    found: &[Uuid],
    rows: i64,
) -> sqlx::Result<Vec<Uuid>> {
    // What the operator <% goes by, until the transaction ends. Its cost is not known to the planner, which takes reading
    // all rows for cheap: of 100,000 that took 700 ms, and the index 20 to 90.
    sqlx::query!(
        r#"select set_config('pg_trgm.word_similarity_threshold', $1, true) as threshold,
            set_config('enable_seqscan', 'off', true) as seqscan"#,
        SIMILARITY_THRESHOLD
    )
    .fetch_one(&mut **tx)
    .await?;
    sqlx::query_scalar!(
        r#"with alike as materialized (
            select account.id, total_followers, word_similarity($2, search_name.text) as similarity
            from search_name join account on account.id = search_name.user_id
            where $2 <% search_name.text and status <> 'BANNED' and account.id <> all($3)
                and not exists (select from block where block.user_id = $1 and block.target_id = account.id)
                and not exists (select from block where block.user_id = account.id and block.target_id = $1)
            limit $4
        )
        select id as "id!" from alike order by similarity desc, total_followers desc, id limit $5"#,
        viewer,
        text,
        found,
        MAX_COMPARED,
        rows
    )
    .fetch_all(&mut **tx)
    .await
}
