//! What the index adds to a write: a post with its record and its event, with its document and without, in turns.

use anyhow::{Context, Result};
use sqlx::PgPool;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::host::console;
use crate::proof::bench::comparison::Comparison;
use crate::proof::bench::database::{ask, sql};
use crate::proof::bench::options::Search;
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::bench::report::{Measurement, row};
use crate::system::POST;

/// Connections that write at once.
const CONNECTIONS: u32 = 4;
/// Posts that each of them writes, in a transaction each, before the other variant follows.
const WRITES: u32 = 100;

const TITLE: &str = "on the engine and what it can do";
const CONTENT: &str = "the engine has no pretensions whatever to originate anything it can do whatever we know how to order it \
    to perform it can follow analysis but it has no power of anticipating any analytical relations or truths";

/// Writes posts through connections of its own, while no service runs.
pub async fn measure(options: &Search, platform: &mut MeasuredPlatform<'_>) -> Result<Measurement> {
    console::info(format_args!("Writes: {} rounds", options.rounds));
    let all = platform.base.replicas.clone();
    platform.base.kill(&all).await?;
    let tables = platform.tables_of(&POST, CONNECTIONS).await?;
    let turns =
        Comparison::run(options.rounds, async || turn(&tables, true).await, async || turn(&tables, false).await);
    let turns = turns.await?;
    let description = format!(
        "A post is inserted and committed with its NFT record and its event, with and without its document and keys, by \
         {CONNECTIONS} connections in turns of {} writes, {} of each, while no service runs. The ratio is that of two turns next to \
         each other; in brackets the middle half of all ratios, and the extremes. The goal is 1.25.",
        CONNECTIONS * WRITES,
        options.rounds
    );
    let rate = |rate: f64| format!("{rate:.0}");
    let rows = vec![
        row(["writes/s without", "writes/s with", "cost with ÷ without"]),
        row([&rate(turns.limit()?), &rate(turns.subject()?), &turns.slowdown()?.to_string()]),
    ];
    Ok(Measurement { title: "The index's part of a write".to_owned(), description, rows })
}

/// Writes per second of all connections.
async fn turn(tables: &PgPool, indexed: bool) -> Result<f64> {
    let began = Instant::now();
    let mut writers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let tables = tables.clone();
        writers.spawn(async move {
            for _ in 0..WRITES {
                write(&tables, indexed).await?;
            }
            Ok::<_, sqlx::Error>(())
        });
    }
    while let Some(ended) = writers.join_next().await {
        ended.context("a writer has panicked")?.context("a post cannot be written")?;
    }
    Ok(f64::from(CONNECTIONS * WRITES) / began.elapsed().as_secs_f64())
}

/// One post, by the statements of the post service.
async fn write(tables: &PgPool, indexed: bool) -> sqlx::Result<()> {
    let mut tx = tables.begin().await?;
    let insert = "insert into post (id, created_by, title, content, types, status, published_at)
        values (gen_random_uuid(), gen_random_uuid(), $1, $2, '{NEWS}', 'POSTED', now())
        returning id::text, to_json(post)::text";
    let (id, post): (String, String) = ask(insert).bind(TITLE).bind(CONTENT).fetch_one(&mut *tx).await?;
    sql("insert into post_nft (id, created_by, post_id, description)
        values (gen_random_uuid(), gen_random_uuid(), $1::text::uuid, $2)")
    .bind(id.clone())
    .bind("Post created")
    .execute(&mut *tx)
    .await?;
    sql("insert into outbox (event_id, stream, message, traceparent)
        values (gen_random_uuid(), 'post_created', $1::text::json, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01')")
        .bind(post)
        .execute(&mut *tx)
        .await?;
    if indexed {
        sql("with document as (
                insert into post_search (post_id, author, published_at, types, config, document)
                values ($1::text::uuid, gen_random_uuid(), now(), '{NEWS}', 'english',
                    setweight(to_tsvector('simple', $2), 'A') || setweight(to_tsvector('simple', 'news'), 'B')
                    || setweight(to_tsvector('simple', $3), 'C') || setweight(to_tsvector('english', $2), 'A')
                    || setweight(to_tsvector('english', $3), 'C'))
            ), outdated as (delete from search_key where post_id = $1::text::uuid)
            insert into search_key (kind, key, post_id)
            select 'TITLE', substr($2, length(string_agg(word, ' ') over (order by place)) - length(word) + 1, 40), $1::text::uuid
            from regexp_split_to_table($2, ' ') with ordinality as words (word, place)
            on conflict do nothing")
            .bind(id)
            .bind(TITLE)
            .bind(CONTENT)
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await
}
