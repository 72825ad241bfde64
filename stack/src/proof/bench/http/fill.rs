//! Posts and comments as they are after a while, made by the database: each post has a comment or two on average, and
//! each tenth a page of them.

use anyhow::{Context, Result};
use sqlx::PgPool;

use crate::proof::bench::database::sql;

/// Every so many posts one has comments, and so many.
pub const COMMENTED: i64 = 10;
const COMMENTS: i64 = 20;

/// The id of a post by its number, as SQL makes it; [`id`] makes the same.
const ID: &str = "create or replace function bench.post(n bigint) returns uuid immutable parallel safe
    language sql as $$ select ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$";

/// What is made for each post from 1 to $1, by 1,000 authors in turn.
const POSTS: [&str; 2] = [
    "insert into post.post (id, created_by, created_at, updated_at, title, content, types, status)
    select bench.post(n), md5('author ' || n % 1000)::uuid, at, at, 'A walk', repeat('By the sea, and back. ', 10),
        '{TRAVEL}', 'POSTED'
    from generate_series(1, $1) as n
    cross join lateral (select timestamptz '2026-01-01' + n * interval '1 second') as written (at)",
    "insert into interaction.post (id, created_by, status, updated_at)
    select id, created_by, status, updated_at from post.post where id between bench.post(1) and bench.post($1)",
];

/// The comments: $2 on each post whose number $3 divides, up to number $1.
const COMMENT: &str = "insert into interaction.comment (id, created_by, created_at, updated_at, post_id, content)
    select bench.post(n * $2 + k), md5('author ' || (n + k) % 1000)::uuid, at, at, bench.post(n),
        'Well said. I had not looked at it in this way before, and now I cannot look at it in any other.'
    from generate_series($3, $1, $3) as n cross join generate_series(1, $2) as k
    cross join lateral (select timestamptz '2026-02-01' + (n * $2 + k) * interval '1 second') as written (at)";
/// A profile for each hundredth post up to number $1, with what it sums up.
const PROFILES: [&str; 2] = [
    "insert into engagement.profile (id, user_id, total_owned_posts, total_post_comments, scored_on)
    select bench.post(n), md5('author ' || n)::uuid, 100, 100, current_date from generate_series(1, $1 / 100) as n",
    "insert into engagement.summary (user_id, category, total)
    select md5('author ' || n)::uuid, category, n % 100
    from generate_series(1, $1 / 100) as n cross join unnest(array['TRAVEL', 'NEWS', 'SPORTS', 'BOOKS', 'FOOD']) as category",
];

/// So many posts, with all that belongs to them.
pub async fn posts(tables: &PgPool, count: i64) -> Result<()> {
    sql("create schema if not exists bench").execute(tables).await?;
    sql("grant usage on schema bench to public").execute(tables).await?;
    sql(ID).execute(tables).await?;
    let mut tx = tables.begin().await?;
    // What is made here refers to rows that are there: nobody has to look them up once for every comment.
    sql("set local session_replication_role = replica").execute(&mut *tx).await?;
    for statement in POSTS {
        sql(statement).bind(count).execute(&mut *tx).await.context("posts cannot be made")?;
    }
    let made = sql(COMMENT).bind(count).bind(COMMENTS).bind(COMMENTED).execute(&mut *tx).await;
    made.context("comments cannot be made")?;
    for statement in PROFILES {
        sql(statement).bind(count).execute(&mut *tx).await.context("profiles cannot be made")?;
    }
    tx.commit().await?;
    sql("vacuum analyze post.post, interaction.post, interaction.comment, engagement.profile, engagement.summary")
        .execute(tables)
        .await?;
    // What was written here is on the disk before anything is measured, and not while it is.
    sql("checkpoint").execute(tables).await?;
    Ok(())
}

/// The id of a post by its number, from 1.
pub fn id(number: i64) -> String {
    format!("01900000-0000-7000-8000-{number:012x}")
}
