//! What the index adds to a write: a post with its record and its event alone, with the row by which it waits for its document, and with
//! the worker's part as well, in turns.

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

/// Posts that the worker indexes at once.
const BATCH: i64 = 100;

/// When the documents of a turn are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Indexed {
    Never,
    /// After the time that is measured.
    Later,
    Within,
}

const TITLE: &str = "on the engine and what it can do";
const CONTENT: &str = "the engine has no pretensions whatever to originate anything it can do whatever we know how to order it \
    to perform it can follow analysis but it has no power of anticipating any analytical relations or truths";

/// Writes posts through connections of its own, while no service runs.
pub async fn measure(options: &Search, platform: &mut MeasuredPlatform<'_>) -> Result<Measurement> {
    console::info(format_args!("Writes: {} rounds", options.rounds));
    let all = platform.base.replicas.clone();
    platform.base.kill(&all).await?;
    let tables = platform.tables_of(&POST, CONNECTIONS).await?;
    let bare = async || turn(&tables, Indexed::Never).await;
    let queued = Comparison::run(options.rounds, async || turn(&tables, Indexed::Later).await, bare).await?;
    let indexed = Comparison::run(options.rounds, async || turn(&tables, Indexed::Within).await, bare).await?;
    let description = format!(
        "A post is inserted and committed with its NFT record and its event by {CONNECTIONS} connections in turns of {} writes, {} of \
         each kind, while no service runs: alone; with the row by which it waits for its document and keys, which is what a request \
         does; and until the worker has written these as well, {BATCH} posts at once, by one more connection that begins when the \
         writes are done. The cost is that of two turns next to each other; in brackets the middle half of all ratios, and the \
         extremes. The goal is 1.25.",
        CONNECTIONS * WRITES,
        options.rounds
    );
    let rate = |rate: f64| format!("{rate:.0}");
    let rows = vec![
        row(["", "writes/s alone", "writes/s with it", "cost"]),
        row(["a request", &rate(queued.limit()?), &rate(queued.subject()?), &queued.slowdown()?.to_string()]),
        row(["and the worker", &rate(indexed.limit()?), &rate(indexed.subject()?), &indexed.slowdown()?.to_string()]),
    ];
    Ok(Measurement { title: "The index's part of a write".to_owned(), description, rows })
}

/// Writes per second of all connections, the documents among them where they are written within the turn.
async fn turn(tables: &PgPool, indexed: Indexed) -> Result<f64> {
    let began = Instant::now();
    let mut writers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let tables = tables.clone();
        writers.spawn(async move {
            for _ in 0..WRITES {
                write(&tables, indexed != Indexed::Never).await?;
            }
            Ok::<_, sqlx::Error>(())
        });
    }
    while let Some(ended) = writers.join_next().await {
        ended.context("a writer has panicked")?.context("a post cannot be written")?;
    }
    let mut took = began.elapsed();
    while index(tables).await.context("the documents cannot be written")? > 0 {
        if indexed == Indexed::Within {
            took = began.elapsed();
        }
    }
    Ok(f64::from(CONNECTIONS * WRITES) / took.as_secs_f64())
}

/// One post, by the statements of the post service.
async fn write(tables: &PgPool, is_queued: bool) -> sqlx::Result<()> {
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
    if is_queued {
        sql("insert into search_pending (post_id) values ($1::text::uuid) on conflict do nothing")
            .bind(id)
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await
}

/// Writes the documents and keys of a batch, by the statements of the post service; how many they were.
async fn index(tables: &PgPool) -> sqlx::Result<u64> {
    let mut tx = tables.begin().await?;
    let lock = "select coalesce(array_agg(id::text), '{}') from (
        select id from post join search_pending on post_id = id order by id limit $1 for no key update of post skip locked) as batch";
    let (posts,): (Vec<String>,) = ask(lock).bind(BATCH).fetch_one(&mut *tx).await?;
    sql("with batch as (
            select unnest($3::text[])::uuid as id
        ), document as (
            insert into post_search (post_id, author, published_at, types, config, document)
            select post.id, created_by, coalesce(published_at, created_at), types, 'english',
                setweight(to_tsvector('simple', $1), 'A') || setweight(to_tsvector('simple', 'news'), 'B')
                || setweight(to_tsvector('simple', $2), 'C') || setweight(to_tsvector('english', $1), 'A')
                || setweight(to_tsvector('english', $2), 'C')
            from batch join post on post.id = batch.id
        ), outdated as (delete from search_key using batch where post_id = batch.id)
        insert into search_key (kind, key, post_id)
        select 'TITLE', substr($1, length(string_agg(word, ' ') over (partition by id order by place)) - length(word) + 1, 40), id
        from batch, regexp_split_to_table($1, ' ') with ordinality as words (word, place)
        on conflict do nothing")
    .bind(TITLE)
    .bind(CONTENT)
    .bind(&posts)
    .execute(&mut *tx)
    .await?;
    let finish = "delete from search_pending where post_id = any($1::text[]::uuid[])";
    let done = sql(finish).bind(&posts).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(done.rows_affected())
}
