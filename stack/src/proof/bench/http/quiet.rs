//! Waiting until what was told has been heard, so that nobody's turn is slowed down by the effects of the turn before.

use std::time::Duration;

use anyhow::{Result, bail};
use sqlx::PgPool;
use tokio::time::{Instant, interval};

use crate::proof::bench::database::ask;

/// How long it may take, and how often it is looked.
const PATIENCE: Duration = Duration::from_mins(2);
const EVERY: Duration = Duration::from_millis(100);

/// Events that are not numbered yet, and listeners that have not applied all that are.
const UNDER_WAY: &str = "
    select (select count(*) from auth.outbox where pos is null) + (select count(*) from post.outbox where pos is null)
        + (select count(*) from interaction.outbox where pos is null)
        + (select count(*) from moderation.outbox where pos is null)
        + (select count(*) from (
            select * from auth.relay_state union all select * from post.relay_state
            union all select * from interaction.relay_state union all select * from moderation.relay_state) as told
        join (
            select * from auth.inbox union all select * from post.inbox union all select * from interaction.inbox
            union all select * from moderation.inbox union all select * from engagement.inbox) as heard using (stream)
        where heard.ms < told.last_pos)";

/// Returns when all events have had their effects.
pub async fn wait(tables: &PgPool) -> Result<()> {
    let (began, mut turns) = (Instant::now(), interval(EVERY));
    loop {
        turns.tick().await;
        let (under_way,): (i64,) = ask(UNDER_WAY).fetch_one(tables).await?;
        if under_way == 0 {
            return Ok(());
        }
        if began.elapsed() > PATIENCE {
            bail!("after {} s not all events have had their effects", PATIENCE.as_secs());
        }
    }
}
