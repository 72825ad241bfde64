//! The worker that deletes what is beneath posts and comments that are gone.
use std::time::{Duration, Instant};

use super::models::{Removal, count_removals};
use super::{PAGE, Remainder, is_full};
use crate::bookmarks::models::Bookmark;
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};
use crate::{comment_reactions, comments, reactions};

/// How often it looks for work. No user sees what waits, and counters are behind for so long.
const POLL: Duration = Duration::from_secs(1);
/// How often what waits is counted while there is work: all rows of the table, which no page should have to read.
const MEASURED: Duration = Duration::from_secs(5);

/// Deletes a page in a step.
pub struct Remover {
    app: App,
    /// When what waits was counted last.
    measured: Option<Instant>,
}

impl Remover {
    /// A worker that has not counted yet.
    pub fn new(app: &App) -> Self {
        Self { app: app.clone(), measured: None }
    }

    async fn measure(&mut self) -> sqlx::Result<()> {
        let waiting = count_removals(&self.app.db).await?;
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; counts stay far below 2^52")]
        metrics::gauge!("removals_waiting").set(waiting as f64);
        self.measured = Some(Instant::now());
        Ok(())
    }
}

impl Worker for Remover {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        if self.measured.is_none_or(|last| last.elapsed() >= MEASURED) {
            self.measure().await?;
        }
        let mut tx = self.app.db.begin().await?;
        let Some(removal) = Removal::lock_next(&mut tx).await? else {
            tx.rollback().await?;
            // Few or none: those that other replicas have at hand.
            self.measure().await?;
            return Ok(Outcome::Idle(POLL));
        };
        let page = removal.list_page(&mut tx, PAGE).await?;
        let ids: Vec<_> = page.iter().map(|place| place.id).collect();
        match removal.what {
            Remainder::Comments | Remainder::Replies => comments::signals::delete_listed(&mut tx, &ids).await?,
            Remainder::Reactions => reactions::signals::delete_listed(&mut tx, &ids).await?,
            Remainder::CommentReactions => comment_reactions::signals::delete_listed(&mut tx, &ids).await?,
            Remainder::Bookmarks => Bookmark::delete_listed(&mut tx, &ids).await?,
        }
        removal.advance(&mut tx, page.last().filter(|_| is_full(page.len()))).await?;
        self.app.commit(tx).await?;
        Ok(Outcome::Busy)
    }
}
