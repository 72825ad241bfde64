//! Keeps outbox and streams from growing for ever.
//!
//! A stream is cut below what every group has acknowledged, never by length. The outbox keeps what was published for a
//! week, so that a stream, or a consumer's database, can be restored from it; what was not published it keeps for ever.
use redis::streams::{StreamInfoGroupsReply, StreamPendingReply};
use redis::{AsyncCommands, ErrorKind, ServerErrorKind};

use crate::core::app::App;
use crate::core::events::Id;
use crate::core::events::relay::last_id;
use crate::core::ground::jobs::Job;
use crate::core::ground::redis::Redis;

/// How long published events stay in the outbox, in days.
pub const RETENTION_DAYS: i32 = 7;
/// Rows removed in one statement.
const BATCH: i64 = 5_000;
/// When: every ten minutes, away from the full hour when many other things happen.
const SCHEDULE: &str = "30 3/10 * * * *";

/// The job that cuts streams and the outbox.
pub fn job(app: &App) -> Job {
    Job::new("upkeep", SCHEDULE, app.clone(), |app| async move { run_retention(&app).await })
}

/// Cuts all that this service publishes.
pub async fn run_retention(app: &App) -> anyhow::Result<()> {
    for stream in app.publishes {
        delete_published(app, stream).await?;
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

/// Removes from the outbox what was published more than [`RETENTION_DAYS`] days ago.
async fn delete_published(app: &App, stream: &str) -> anyhow::Result<()> {
    let published = last_id(&mut app.redis.clone(), stream).await?;
    loop {
        let query = sqlx::query!(
            "delete from outbox where seq in (
                select seq from outbox
                where stream = $1 and pos <= $2 and occurred_at < now() - make_interval(days => $3)
                order by seq limit $4)",
            stream,
            published.ms,
            RETENTION_DAYS,
            BATCH
        );
        if query.execute(&app.db).await?.rows_affected() == 0 {
            return Ok(());
        }
    }
}
