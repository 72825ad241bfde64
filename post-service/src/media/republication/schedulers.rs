//! The worker that publishes the posts of changed pictures again.
use std::time::Duration;

use super::models::Republication;
use super::signals;
use crate::core::app::App;
use crate::core::ground::worker::{Outcome, Worker};

/// How long a worker has for a page, in seconds; then it counts as dead.
const CLAIM: f64 = 30.0;
/// How often it is looked for jobs that another replica's commit has written.
const POLL: Duration = Duration::from_secs(1);

/// Works off the jobs, a page of posts in a step. A job whose page is done or has failed waits behind the others, so a picture on very many
/// posts holds up no other.
pub struct PostRepublisher(pub App);

impl PostRepublisher {
    async fn work_page(&self, job: &Republication) -> anyhow::Result<()> {
        let mut tx = self.0.db.begin().await?;
        let posts = signals::page(&mut tx, job).await?;
        self.0.commit(tx).await?;
        metrics::counter!("media_posts_republished_total").increment(u64::try_from(posts)?);
        Ok(())
    }
}

impl Worker for PostRepublisher {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let Some(job) = Republication::claim(&self.0.db, CLAIM).await? else { return Ok(Outcome::Idle(POLL)) };
        let done = self.work_page(&job).await;
        if done.is_err() {
            job.release(&self.0.db).await?;
        }
        done.map(|()| Outcome::Busy)
    }
}
