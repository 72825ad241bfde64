//! A backlog: events in the outbox of the interaction service that wait to be relayed, as after an outage.

use anyhow::{Context, Result};
use sqlx::{AssertSqlSafe, Executor, PgPool};

use crate::proof::bench::database::ask;
use crate::system::{ENGAGEMENT, MODERATION, POST, Service};

/// Events of one stream.
pub struct EventKind {
    pub stream: &'static str,
    pub consumers: &'static [&'static Service],
}

/// What is drained: the most frequent events, one with a text to analyse, and a plain one.
pub const EVENT_KINDS: [EventKind; 3] = [
    EventKind { stream: "post_viewed", consumers: &[&POST, &ENGAGEMENT] },
    EventKind { stream: "post_comment_created", consumers: &[&POST, &MODERATION, &ENGAGEMENT] },
    EventKind { stream: "post_reaction_created", consumers: &[&POST, &ENGAGEMENT] },
];

/// Makes the posts that the events are about.
pub async fn prepare(tables: &PgPool) -> Result<()> {
    tables.execute(include_str!("backlog.sql")).await.map(drop).context("the posts cannot be made")
}

/// Writes this number of events; the number after which they are numbered.
pub async fn write(tables: &PgPool, stream: &str, events: i64) -> Result<i64> {
    let insert = format!(
        "insert into interaction.outbox (event_id, stream, message, traceparent)
        select gen_random_uuid(), '{stream}', bench.payload('{stream}', post, n),
            '00-' || md5('trace ' || n) || '-' || left(md5('span ' || n), 16) || '-01'
        from generate_series(1, {events}) as n join post.post on post.id = md5('post ' || n % 1000)::uuid
        order by n"
    );
    let from = ask("select coalesce(max(last_pos), 0) from interaction.relay_state where stream = $1");
    let (from,): (i64,) = from.bind(stream.to_owned()).fetch_one(tables).await?;
    tables.execute(AssertSqlSafe(insert)).await.with_context(|| format!("{stream} cannot be written"))?;
    Ok(from)
}
