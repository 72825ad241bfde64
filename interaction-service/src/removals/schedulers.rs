//! The worker that deletes what is beneath posts and comments that are gone.
use std::time::Duration;

use super::models::{Removal, count_removals};
use super::{PAGE, Remainder, is_full};
use crate::bookmarks::models::Bookmark;
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};
use crate::{comment_reactions, comments, reactions};

/// How often it looks for work. No user sees what waits, and counters are behind for so long.
const POLL: Duration = Duration::from_secs(1);

/// Deletes a page in a step.
pub struct Remover(pub App);

impl Worker for Remover {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let Self(app) = self;
        let waiting = count_removals(&app.db).await?;
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; counts stay far below 2^52")]
        metrics::gauge!("removals_waiting").set(waiting as f64);
        if waiting == 0 {
            return Ok(Outcome::Idle(POLL));
        }
        let mut tx = app.db.begin().await?;
        // Other replicas have the rest at hand.
        let Some(removal) = Removal::lock_next(&mut tx).await? else { return Ok(Outcome::Idle(POLL)) };
        let page = removal.list_page(&mut tx, PAGE).await?;
        let ids: Vec<_> = page.iter().map(|place| place.id).collect();
        match removal.what {
            Remainder::Comments | Remainder::Replies => comments::signals::delete_listed(&mut tx, &ids).await?,
            Remainder::Reactions => reactions::signals::delete_listed(&mut tx, &ids).await?,
            Remainder::CommentReactions => comment_reactions::signals::delete_listed(&mut tx, &ids).await?,
            Remainder::Bookmarks => Bookmark::delete_listed(&mut tx, &ids).await?,
        }
        removal.advance(&mut tx, page.last().filter(|_| is_full(page.len()))).await?;
        app.commit(tx).await?;
        Ok(Outcome::Busy)
    }
}
