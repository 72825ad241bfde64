//! What the outbox costs a write: the same insert with its event and without it, in turns.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;
use sqlx::PgPool;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::host::console;
use crate::proof::bench::comparison::Spread;
use crate::proof::bench::database::{ask, sql};
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::bench::report::{Measurement, row};
use crate::system::INTERACTION;

/// Connections that write at once.
const CONNECTIONS: u32 = 4;
/// Comments that each of them writes, in a transaction each, before the other variant follows.
const WRITES: u32 = 200;

const COMMENT: &str = "Well said. I had not looked at it in this way before, and now I cannot look at it in any other.";

/// Writes comments through connections of its own, while no service runs.
pub async fn measure(platform: &mut MeasuredPlatform<'_>, rounds: u32) -> Result<Measurement> {
    console::info(format_args!("Outbox: {rounds} rounds"));
    let all = platform.base.replicas.clone();
    platform.base.kill(&all).await?;
    let tables = platform.tables_of(&INTERACTION, CONNECTIONS).await?;
    // The first round of each makes connections and plans, and does not count.
    for published in [false, true] {
        turn(&tables, published).await?;
    }
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        // The order changes: what a turn leaves behind (a checkpoint, dirty pages) affects both alike.
        for published in if round % 2 == 0 { [false, true] } else { [true, false] } {
            let took = turn(&tables, published).await?;
            if published { with.push(took) } else { without.push(took) }
        }
    }
    let ratios = with.iter().zip(&without).map(|(with, without)| with.as_secs_f64() / without.as_secs_f64());
    let ratios = Spread::of(ratios.collect()).context("there was no round")?;
    let rate = |turns: &[Duration]| {
        let rates = turns.iter().map(|took| f64::from(CONNECTIONS * WRITES) / took.as_secs_f64());
        Spread::of(rates.collect()).map(|rates| format!("{:.0}", rates.median)).unwrap_or_default()
    };
    let description = format!(
        "A comment is inserted and committed, with and without the outbox row of its event, by {CONNECTIONS} connections \
         in turns of {} writes, {rounds} of each, while no service runs. The ratio is that of the times of two turns next \
         to each other; in brackets the middle half of all ratios, and the extremes.",
        CONNECTIONS * WRITES
    );
    let rows = vec![
        row(["writes/s without", "writes/s with", "cost with ÷ without"]),
        row([&rate(&without), &rate(&with), &ratios.to_string()]),
    ];
    Ok(Measurement { title: "The outbox's part of a write".to_owned(), description, rows })
}

/// How long it takes all connections to write their comments.
async fn turn(tables: &PgPool, published: bool) -> Result<Duration> {
    let (post,): (String,) = ask("select id::text from post limit 1").fetch_one(tables).await?;
    let began = Instant::now();
    let mut writers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (tables, post) = (tables.clone(), post.clone());
        writers.spawn(async move {
            for _ in 0..WRITES {
                write(&tables, &post, published).await?;
            }
            Ok::<_, sqlx::Error>(())
        });
    }
    while let Some(ended) = writers.join_next().await {
        ended.context("a writer has panicked")?.context("a comment cannot be written")?;
    }
    Ok(began.elapsed())
}

/// One comment, by the statements of the interaction service.
pub(super) async fn write(tables: &PgPool, post: &str, published: bool) -> sqlx::Result<()> {
    let mut tx = tables.begin().await?;
    let insert = "insert into comment (id, created_by, post_id, content)
        values (gen_random_uuid(), $1::text::uuid, $1::text::uuid, $2) returning id::text, created_at::text";
    let (id, at): (String, String) = ask(insert).bind(post.to_owned()).bind(COMMENT).fetch_one(&mut *tx).await?;
    if published {
        let message = json!({
            "id": id, "created_at": at, "created_by": post, "updated_at": at, "updated_by": null, "post_id": post,
            "content": COMMENT,
        });
        sql("insert into outbox (event_id, stream, message, traceparent) values ($1::text::uuid, $2, $3::text::json, $4)")
            .bind(id)
            .bind("post_comment_created")
            .bind(message.to_string())
            .bind("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await
}
