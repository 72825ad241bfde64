//! The scheduled job that cuts the last partition of reactions, and the worker that measures it.
use std::time::Duration;

use sqlx::PgPool;

use super::PartitionSize;
use super::models::LastPartition;
use crate::core::app::App;
use crate::core::ground::jobs::Job;
use crate::core::ground::worker::{Outcome, Worker};

/// When the job runs: every hour, away from the full one. A cut that does not get its locks at once has hundreds of runs until it is late.
const SCHEDULE: &str = "40 23 * * * *";
/// How often the partition is measured.
const POLL: Duration = Duration::from_mins(1);

/// The job that cuts the last partition.
pub fn job(app: &App, size: PartitionSize) -> Job {
    Job::new("reaction_partitions", SCHEDULE, (app.db.clone(), size), |(db, size)| async move {
        // Where none is to be cut, one that was begun has an end all the same.
        Ok(cut(&db, size.bytes().unwrap_or(i64::MAX)).await?)
    })
}

/// Cuts the last partition when it has more than `most` bytes, and finishes a cut that was begun. Run twice, or by two replicas at
/// once, it does no more than once.
pub async fn cut(db: &PgPool, most: i64) -> sqlx::Result<()> {
    let last = LastPartition::find(db).await?;
    if last.is_void {
        if LastPartition::abandon_cut(db).await? {
            tracing::warn!(
                "a cut of reactions was given up: it was not finished in time, or posts have ids that say no time"
            );
        }
        return Ok(());
    }
    if !last.is_cut && (last.bytes < most || !LastPartition::begin_cut(db).await?) {
        return Ok(());
    }
    LastPartition::validate_cut(db).await?;
    if LastPartition::finish_cut(db).await? {
        tracing::info!("reactions have another partition, for posts from the month after next on");
    }
    Ok(())
}

/// Measures the last partition, in every replica: only one of them runs the job.
pub struct PartitionMeter {
    db: PgPool,
    most: i64,
}

impl PartitionMeter {
    /// A meter of how much of `most` bytes is reached.
    pub fn new(app: &App, most: i64) -> Self {
        Self { db: app.db.clone(), most }
    }
}

impl Worker for PartitionMeter {
    async fn step(&mut self) -> anyhow::Result<Outcome> {
        let last = LastPartition::find(&self.db).await?;
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float, and a ratio of sizes needs no byte")]
        metrics::gauge!("partition_fill_ratio", "table" => "reaction").set(last.bytes as f64 / self.most as f64);
        Ok(Outcome::Idle(POLL))
    }
}
