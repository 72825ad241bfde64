//! The worker that fills the read model.
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::{Connection, PgConnection};
use tonic::transport::Endpoint;

use super::Source;
use super::graph::GraphSource;
use super::models::{Progress, try_lock};
use super::schemas::CopiedPage;
use super::services;
use super::signals::{self, PageOutcome};
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};

/// How often a replica looks for work: an order to rebuild begins within this time.
const POLL: Duration = Duration::from_secs(5);
/// How long the owner of the views is given to count those that were counted here before the log began.
const CATCH_UP: Duration = Duration::from_secs(1);
/// When a source is asked for again that its owner does not have, in hours: an original service is replaced by hand.
const RETRY_HOURS: i32 = 6;
/// The longest rest behind a page: one that took longer has waited for a service that is away, and not worked.
const MAX_REST: Duration = Duration::from_millis(500);
/// How often the progress of a large source is logged, in rows.
const LOGGED_ROWS: i64 = 100_000;

/// The rest behind a page that took so long: the slower everything is, because others need the machine, the longer it is left to them.
pub(super) fn rest_behind(took: Duration) -> Duration {
    (took / 2).min(MAX_REST)
}

/// Fills the read model, page by page.
pub struct Backfill {
    app: App,
    /// The connection that holds the lock, while there is work.
    lock: Option<PgConnection>,
    /// Sources that their owners did not have, which is logged once.
    absent: BTreeSet<Source>,
    /// The source of connections, where it is not a route.
    graph: Option<GraphSource>,
    /// How long the next step waits before it works.
    pub(super) rest: Duration,
}

impl Backfill {
    /// The worker of this replica.
    pub fn new(app: &App) -> Self {
        Self { app: app.clone(), lock: None, absent: BTreeSet::new(), graph: None, rest: Duration::ZERO }
    }

    /// The same, with the address of the graph view, if there is one.
    pub fn with_graph_view(self, endpoint: Option<Endpoint>) -> Self {
        Self { graph: endpoint.map(GraphSource::new), ..self }
    }

    /// Whether this replica is the one that works. A lost connection has lost the lock.
    async fn holds_lock(&mut self) -> anyhow::Result<bool> {
        if let Some(mut connection) = self.lock.take()
            && connection.ping().await.is_ok()
        {
            self.lock = Some(connection);
            return Ok(true);
        }
        // One of its own and not of the pool: the lock ends with it, however this process ends.
        let mut connection = PgConnection::connect_with(&self.app.direct).await?;
        let ours = try_lock(&mut connection).await?;
        if ours {
            self.lock = Some(connection);
        } else {
            connection.close().await?;
        }
        Ok(ours)
    }

    async fn begin(&self, progress: &Progress) -> anyhow::Result<Outcome> {
        let mut tx = self.app.db.begin().await?;
        progress.begin(&mut tx).await?;
        tx.commit().await?;
        tracing::info!(source = progress.source.word(), "a source of the read model is being copied");
        Ok(Outcome::Busy)
    }

    /// Reviews a page of the notifications, which follows from all that was copied.
    async fn review(&self) -> anyhow::Result<Outcome> {
        let mut tx = self.app.db.begin().await?;
        signals::review(&mut tx).await?;
        self.app.commit(tx).await?;
        Ok(Outcome::Busy)
    }

    async fn fetch(&mut self, progress: &Progress) -> anyhow::Result<Option<CopiedPage>> {
        if progress.source == Source::Connections
            && let Some(graph) = &mut self.graph
            && let Some(page) = graph.fetch(&self.app, progress.cursor.as_deref()).await?
        {
            return Ok(Some(page));
        }
        services::fetch(&self.app, progress).await
    }

    /// Pauses. The owner need not keep a stream for as long as another replica works, or none does.
    fn pause(&mut self) -> Outcome {
        if let Some(graph) = &mut self.graph {
            graph.close();
        }
        Outcome::Idle(POLL)
    }

    async fn copy_page(&mut self, progress: &Progress) -> anyhow::Result<Outcome> {
        let source = progress.source;
        let Some(page) = self.fetch(progress).await? else {
            progress.put_off(&self.app.db, RETRY_HOURS).await?;
            if self.absent.insert(source) {
                tracing::warn!(source = source.word(), owner = source.owner(), "the owner has no rows to copy");
            }
            return Ok(Outcome::Busy);
        };
        let mut tx = self.app.db.begin().await?;
        let outcome = signals::page_read(&mut tx, progress, &page).await?;
        if outcome == PageOutcome::TooEarly {
            return Ok(Outcome::Idle(CATCH_UP));
        }
        self.app.commit(tx).await?;
        let rows = progress.rows + i64::try_from(page.size())?;
        if outcome == PageOutcome::Applied && (page.next.is_none() || rows / LOGGED_ROWS > progress.rows / LOGGED_ROWS)
        {
            tracing::info!(
                source = source.word(),
                rows,
                whole = page.next.is_none(),
                "rows of the read model were copied"
            );
        }
        Ok(Outcome::Busy)
    }
}

impl Worker for Backfill {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        tokio::time::sleep(std::mem::take(&mut self.rest)).await;
        let all = Progress::list(&self.app.db).await?;
        for progress in &all {
            let source = progress.source.word();
            metrics::gauge!("backfill_open", "source" => source)
                .set(f64::from(u8::from(progress.finished_at.is_none())));
            #[expect(clippy::cast_precision_loss, reason = "a number to look at")]
            metrics::gauge!("backfill_rows", "source" => source).set(progress.rows as f64);
        }
        let fault = self.graph.as_ref().and_then(GraphSource::fault);
        self.app.progress.send_replace(json!({ "rebuild": all, "graph_view": fault }));
        let Some(next) = all.iter().find(|progress| progress.is_due) else {
            if let Some(connection) = self.lock.take() {
                connection.close().await?;
            }
            return Ok(self.pause());
        };
        if !self.holds_lock().await? {
            return Ok(self.pause());
        }
        let begun = Instant::now();
        let outcome = match next.source {
            Source::Notifications => self.review().await,
            _ if next.started_at.is_none() => self.begin(next).await,
            _ => self.copy_page(next).await,
        };
        self.rest = rest_behind(begun.elapsed());
        outcome
    }
}
