//! Publishes drafts when they are due.
use std::sync::Arc;
use std::time::Duration;

use redis::AsyncCommands;

use super::Refusal;
use super::models::{list_due, seconds_to_next};
use super::signals::{self, Publication};
use crate::core::api::errors::Error;
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};
use crate::posts::checks::PublicationCheck;
use crate::posts::models::Post;

/// Drafts of a step.
const BATCH: i64 = 20;
/// The longest pause: what is scheduled meanwhile, for a moment later, is published at most this much late.
const POLL: Duration = Duration::from_millis(500);

/// Publishes drafts when they are due.
pub struct DraftPublisher {
    pub app: App,
    pub check: Arc<PublicationCheck>,
}

impl DraftPublisher {
    /// Why a draft is not published; an error when that cannot be found out at the moment.
    async fn refusal(&self, post: &Post) -> anyhow::Result<Option<Refusal>> {
        let key = format!(":apps.core.models.UserDetailInfo:{}", post.created_by);
        let status: Option<String> = self.app.redis.clone().hget(key, "status").await?;
        if status.is_some_and(|status| status == "MUTED" || status == "BANNED") {
            return Ok(Some(Refusal::Author));
        }
        match self.check.due(&self.app.db, post).await {
            Ok(()) => Ok(None),
            Err(Error::Invalid(_)) => Ok(Some(Refusal::Content)),
            Err(error) => Err(error.into()),
        }
    }

    async fn publish(&self, post: &Post) -> anyhow::Result<()> {
        let refusal = self.refusal(post).await?;
        let mut tx = self.app.db.begin().await?;
        let publication = signals::due(&mut tx, post, refusal).await?;
        if publication == Publication::Overtaken {
            return Ok(());
        }
        self.app.commit(tx).await?;
        signals::count(publication);
        Ok(())
    }
}

impl Worker for DraftPublisher {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let due = list_due(&self.app.db, BATCH).await?;
        if due.is_empty() {
            let next = seconds_to_next(&self.app.db).await?.map(|seconds| Duration::from_secs_f64(seconds.max(0.0)));
            return Ok(Outcome::Idle(next.unwrap_or(POLL).min(POLL)));
        }
        // One that fails does not hold up the others; the step fails afterwards, and is tried again.
        let mut failure = Ok(());
        for post in &due {
            if let Err(error) = self.publish(post).await {
                failure = Err(error);
            }
        }
        failure.map(|()| Outcome::Busy)
    }
}
