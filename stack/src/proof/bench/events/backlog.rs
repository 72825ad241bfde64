//! A backlog: events in the outbox of the interaction service that wait to be relayed, as after an outage.

use anyhow::{Context, Result};
use sqlx::{AssertSqlSafe, Executor, PgPool};

use crate::proof::bench::database::ask;
use crate::system::{ENGAGEMENT, MODERATION, POST, Service};

/// The posts that the events are about; a batch of 500 events is about 500 of them.
const POSTS: &str = include_str!("posts.sql");

/// Events of one stream.
pub struct EventKind {
    pub stream: &'static str,
    pub consumers: &'static [&'static Service],
    /// The payload, as SQL over a row of `post` and the number `n`.
    message: &'static str,
}

/// What is drained: the most frequent events, one with a text to analyse, and a plain one.
pub const EVENT_KINDS: [EventKind; 3] = [
    EventKind {
        stream: "post_viewed",
        consumers: &[&POST, &ENGAGEMENT],
        message: "json_build_object('id', post.id, 'created_at', post.created_at, 'created_by', post.created_by,
            'updated_at', post.updated_at, 'updated_by', null, 'title', post.title, 'content', post.content,
            'types', post.types, 'status', post.status, 'total_views', n, 'total_comments', 0, 'total_reactions', 0,
            'score', 0.0, 'popularity', 0.0, 'viewed_by', md5('person ' || n % 10000)::uuid)",
    },
    EventKind {
        stream: "post_comment_created",
        consumers: &[&POST, &MODERATION, &ENGAGEMENT],
        message: "json_build_object('id', gen_random_uuid(), 'created_at', now(),
            'created_by', md5('person ' || n % 10000)::uuid, 'updated_at', now(), 'updated_by', null,
            'post_id', post.id, 'content', repeat('Well said, and not seen in this way before. ', 3))",
    },
    EventKind {
        stream: "post_reaction_created",
        consumers: &[&POST, &ENGAGEMENT],
        message: "json_build_object('id', gen_random_uuid(), 'created_at', now(),
            'created_by', md5('person ' || n % 10000)::uuid, 'updated_at', now(), 'updated_by', null,
            'post_id', post.id, 'type', 'LIKE')",
    },
];

/// Makes the posts that the events are about.
pub async fn prepare(tables: &PgPool) -> Result<()> {
    tables.execute(POSTS).await.map(drop).context("the posts cannot be made")
}

/// Writes this number of events; the number after which they are numbered.
pub async fn write(tables: &PgPool, kind: &EventKind, events: i64) -> Result<i64> {
    let EventKind { stream, message, .. } = kind;
    let insert = format!(
        "insert into interaction.outbox (event_id, stream, message, traceparent)
        select gen_random_uuid(), '{stream}', {message},
            '00-' || md5('trace ' || n) || '-' || left(md5('span ' || n), 16) || '-01'
        from generate_series(1, {events}) as n join post.post on post.id = md5('post ' || n % 1000)::uuid
        order by n"
    );
    let from = ask("select coalesce(max(last_pos), 0) from interaction.relay_state where stream = $1").bind(*stream);
    let (from,): (i64,) = from.fetch_one(tables).await?;
    tables.execute(AssertSqlSafe(insert)).await.with_context(|| format!("{stream} cannot be written"))?;
    Ok(from)
}
