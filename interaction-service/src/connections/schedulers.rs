//! The worker that copies the connections of before, once.
use std::time::Duration;

use super::models::{Connection, CopyProgress};
use super::services::fetch;
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};

/// How often a replica looks whether there is something to copy: an installation that is updated waits no longer for it.
const POLL: Duration = Duration::from_mins(1);

/// Copies the auth service's list page by page. Two replicas at once do no harm: a page is applied where its cursor is the stored one.
pub struct ConnectionCopy(pub App);

impl Worker for ConnectionCopy {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let Self(app) = self;
        let Some(progress) = CopyProgress::find(&app.db).await? else { return Ok(Outcome::Idle(POLL)) };
        let Some(page) = fetch(app, &progress.cursor).await? else { return Ok(Outcome::Idle(POLL)) };
        let mut tx = app.db.begin().await?;
        if progress.advance(&mut tx, page.next.as_deref()).await? {
            let connections: Vec<Connection> = page.items.into_iter().map(Connection::from).collect();
            Connection::save(&mut tx, &connections).await?;
            tx.commit().await?;
        }
        Ok(Outcome::Busy)
    }
}
