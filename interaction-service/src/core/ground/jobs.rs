//! Cron jobs, each run by one of the replicas.
//!
//! Each replica ticks; the first that writes the scheduled time into the table `job` runs it. A job is idempotent: two
//! clocks that disagree by more than half a second may run it twice.
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use futures::future::BoxFuture;
use sqlx::PgPool;
use tokio_cron_scheduler::{Job as Cron, JobScheduler};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The work of a job.
type Run = Arc<dyn Fn() -> BoxFuture<'static, anyhow::Result<()>> + Send + Sync>;

/// Work that is done on a schedule.
#[derive(Clone)]
pub struct Job {
    name: &'static str,
    schedule: String,
    run: Run,
}

impl Job {
    /// A job under its name in the log and in the table, and when: second, minute, hour, day of month, month, day of week
    /// (UTC). Each run gets a clone of `state`.
    pub fn new<S, F>(name: &'static str, schedule: impl Into<String>, state: S, run: fn(S) -> F) -> Self
    where
        S: Clone + Send + Sync + 'static,
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        Self { name, schedule: schedule.into(), run: Arc::new(move || Box::pin(run(state.clone()))) }
    }

    async fn run_if_claimed(self, db: PgPool) {
        let work = async {
            if claim(&db, self.name, Utc::now()).await? {
                metrics::counter!("jobs_run_total", "job" => self.name).increment(1);
                (self.run)().await?;
            }
            anyhow::Ok(())
        };
        if let Err(error) = work.await {
            tracing::warn!(job = self.name, error = format!("{error:#}"), "a job failed; it runs again when it is due");
        }
    }
}

/// Claims a job's run for this replica; false when another did.
pub async fn claim(db: &PgPool, job: &str, scheduled_at: DateTime<Utc>) -> sqlx::Result<bool> {
    // Clocks of replicas differ by milliseconds: the nearest second is the same for all.
    let scheduled_at = scheduled_at.duration_round(TimeDelta::seconds(1)).unwrap_or(scheduled_at);
    let query = sqlx::query!(
        "insert into job (name, struck_at) values ($1, $2)
         on conflict (name) do update set struck_at = excluded.struck_at where job.struck_at < excluded.struck_at",
        job,
        scheduled_at as _
    );
    Ok(query.execute(db).await?.rows_affected() == 1)
}

/// Runs the jobs on their schedules until the service stops.
pub async fn run(jobs: Vec<Job>, db: PgPool, tasks: TaskTracker, stop: CancellationToken) -> anyhow::Result<()> {
    let mut scheduler = JobScheduler::new().await?;
    for job in jobs {
        let (schedule, tasks, db) = (job.schedule.clone(), tasks.clone(), db.clone());
        scheduler
            .add(Cron::new_async(schedule.as_str(), move |_, _| {
                // On the tracker, so that a stop waits for a job that has begun.
                Box::pin(tasks.track_future(job.clone().run_if_claimed(db.clone())))
            })?)
            .await?;
    }
    scheduler.start().await?;
    stop.cancelled().await;
    tokio::time::timeout(Duration::from_secs(1), scheduler.shutdown()).await??;
    Ok(())
}
