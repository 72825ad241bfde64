//! Keeps outbox and streams from growing for ever.
//!
//! A stream is cut below what every group has acknowledged, never by length. The outbox keeps what was published for a
//! week, so that a stream, or a consumer's database, can be restored from it; what was not published it keeps for ever. It is a
//! ring of tables, one for each day of ten: an old day is emptied as a whole, at once, which leaves nothing to be vacuumed.
use redis::streams::{StreamInfoGroupsReply, StreamPendingReply};
use redis::{AsyncCommands, ErrorKind, ServerErrorKind};
use sqlx::{AssertSqlSafe, Executor, PgExecutor};

use crate::core::api::errors::is_transient;
use crate::core::app::App;
use crate::core::events::Id;
use crate::core::events::relay::last_id;
use crate::core::ground::jobs::Job;
use crate::core::ground::redis::Redis;

/// How long published events stay in the outbox at least, in days; those of a day go together, when the last one may.
pub const RETENTION_DAYS: i32 = 7;
/// Entries removed at once.
const BATCH: i64 = 5_000;
/// When: every ten minutes, away from the full hour when many other things happen.
const SCHEDULE: &str = "30 3/10 * * * *";

/// The job that cuts streams and the outbox.
pub fn job(app: &App) -> Job {
    Job::new("upkeep", SCHEDULE, app.clone(), |app| async move { run_retention(&app).await })
}

/// Cuts all that this service publishes.
pub async fn run_retention(app: &App) -> anyhow::Result<()> {
    empty_old_parts(app).await?;
    for stream in app.publishes {
        trim(app, stream).await?;
    }
    delete_erased_entries(app).await
}

/// Cuts a stream below the first entry that some group has not acknowledged; the number of entries removed. A stream that
/// no group reads keeps what the outbox keeps.
pub async fn trim(app: &App, stream: &str) -> anyhow::Result<u64> {
    let mut redis = app.redis.clone();
    let needed = match first_needed(&mut redis, stream).await? {
        None => first_in_outbox(app, stream).await?,
        needed => needed,
    };
    let Some(needed) = needed else { return Ok(0) };
    let mut cut = redis::cmd("XTRIM");
    Ok(cut.arg(stream).arg("MINID").arg(needed.to_string()).query_async(&mut redis).await?)
}

/// The first entry that some group has not acknowledged; none when no group reads the stream, or there is none.
async fn first_needed(redis: &mut Redis, stream: &str) -> anyhow::Result<Option<Id>> {
    let groups: StreamInfoGroupsReply = match redis.xinfo_groups(stream).await {
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::ResponseError) => return Ok(None),
        reply => reply?,
    };
    let mut needed: Option<Id> = None;
    for group in groups.groups {
        let mut first: Id = group.last_delivered_id.parse()?;
        if group.pending == 0 {
            first.seq += 1;
        } else if let StreamPendingReply::Data(pending) = redis.xpending(stream, &group.name).await? {
            // Without data, all was acknowledged between the two replies, and what was delivered last is kept.
            first = pending.start_id.parse()?;
        }
        needed = Some(needed.map_or(first, |needed| needed.min(first)));
    }
    Ok(needed)
}

/// The first entry of a stream that the outbox still has.
async fn first_in_outbox(app: &App, stream: &str) -> sqlx::Result<Option<Id>> {
    let first = sqlx::query_scalar!("select min(pos) from outbox where stream = $1", stream).fetch_one(&app.db).await?;
    Ok(first.map(|ms| Id { ms, seq: 0 }))
}

/// Removes the entries whose events were erased from the streams, where no group needs them any more. They may be gone
/// already, or have come back with a restored Redis.
pub async fn delete_erased_entries(app: &App) -> anyhow::Result<()> {
    let mut redis = app.redis.clone();
    for stream in app.publishes {
        // An entry is needed from this number on; that of the last one which every group has acknowledged is not.
        let needed = first_needed(&mut redis, stream).await?.map_or(i64::MAX, |id| id.ms + i64::from(id.seq > 0));
        let mut last = 0;
        loop {
            let query = sqlx::query_scalar!(
                r#"select pos as "pos!" from outbox where stream = $1 and erased and pos > $2 and pos < $3
                order by pos limit $4"#,
                stream,
                last,
                needed,
                BATCH
            );
            let erased = query.fetch_all(&app.db).await?;
            let Some(end) = erased.last() else { break };
            last = *end;
            let ids: Vec<String> = erased.iter().map(|pos| Id { ms: *pos, seq: 0 }.to_string()).collect();
            let _: u64 = redis.xdel(stream, &ids).await?;
        }
    }
    Ok(())
}

/// Empties the parts of the outbox that hold nothing but what was published more than [`RETENTION_DAYS`] days ago, the oldest first.
async fn empty_old_parts(app: &App) -> anyhow::Result<()> {
    let mut ends = Vec::new();
    for stream in app.publishes {
        ends.push(last_id(&mut app.redis.clone(), stream).await?.ms);
    }
    while let Some(slot) = find_old_part(&app.db, app.publishes, &ends).await? {
        let mut tx = app.db.begin().await?;
        // Nothing is written to an old part, but the relay reads all of them, and would queue behind a lock that is waited for.
        let lock = format!("set local lock_timeout = '200ms'; lock table outbox_{slot} in access exclusive mode");
        let locked = tx.execute(AssertSqlSafe(lock)).await;
        if locked.as_ref().is_err_and(is_transient) {
            // A backup reads it, for instance; the next run tries again.
            return Ok(());
        }
        locked?;
        // Once more, for what was written, or lost its number, until the part was locked.
        if find_old_part(&mut *tx, app.publishes, &ends).await? == Some(slot) {
            tx.execute(AssertSqlSafe(format!("truncate outbox_{slot}"))).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}

/// The part of the outbox with the oldest events, when all of them are old and published. Those behind one that stays do so, too: a
/// consumer can begin at a later event, but not pass over a hole. Streams end at the numbers given; one that this service does
/// not publish any more ends where its numbers do.
async fn find_old_part(db: impl PgExecutor<'_>, streams: &[&str], ends: &[i64]) -> sqlx::Result<Option<i32>> {
    // Each event is at one end of an index. The last part, 10, holds what was written before there were parts.
    let query = sqlx::query!(
        r#"select part as "slot!", newest.occurred_at < now() - make_interval(days => $1) as "is_old!",
            (select seq from outbox where slot = part and pos is null order by stream, seq limit 1) is null
            and not exists (select from unnest($2::text[], $3::bigint[]) as published (stream, last) where last < (
                select max(pos) from outbox where slot = part and outbox.stream = published.stream)) as "is_published!"
        from generate_series(0, 10) as part
        cross join lateral (select seq from outbox where slot = part order by seq limit 1) as first
        cross join lateral (select occurred_at from outbox where slot = part order by seq desc limit 1) as newest
        order by first.seq limit 1"#,
        RETENTION_DAYS,
        streams as _,
        ends
    );
    let old = query.fetch_optional(db).await?.filter(|part| part.is_old);
    if old.as_ref().is_some_and(|part| !part.is_published) {
        tracing::warn!("the oldest part of the outbox has events that are not published; it stays, and all later ones");
    }
    Ok(old.filter(|part| part.is_published).map(|part| part.slot))
}
