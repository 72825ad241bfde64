//! Cron jobs, each run by one of the replicas.
//!
//! Every replica's clock strikes; whoever first writes the stroke into the table `job` runs it. A job is idempotent: two
//! clocks that disagree by more than half a second may run it twice.
use std::time::Duration;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use futures::future::BoxFuture;
use tokio_cron_scheduler::{Job as Cron, JobScheduler};

use super::App;

/// Something that is done by the clock.
pub struct Job {
    /// What it is called in the log and in the table.
    pub name: &'static str,
    /// When: second, minute, hour, day of month, month, day of week (UTC).
    pub schedule: String,
    /// What.
    pub run: fn(App) -> BoxFuture<'static, anyhow::Result<()>>,
}

/// Takes the stroke of a job's clock for this replica; false when another took it.
pub async fn take(app: &App, job: &str, stroke: DateTime<Utc>) -> sqlx::Result<bool> {
    // Clocks of replicas differ by milliseconds: the nearest second is the same for all.
    let stroke = stroke.duration_round(TimeDelta::seconds(1)).unwrap_or(stroke);
    let taken = sqlx::query!(
        "insert into job (name, struck_at) values ($1, $2)
         on conflict (name) do update set struck_at = excluded.struck_at where job.struck_at < excluded.struck_at",
        job,
        stroke
    )
    .execute(&app.db)
    .await?;
    Ok(taken.rows_affected() == 1)
}

async fn strike(app: App, name: &'static str, run: fn(App) -> BoxFuture<'static, anyhow::Result<()>>) {
    let outcome = match take(&app, name, Utc::now()).await {
        Ok(true) => {
            metrics::counter!("jobs_run_total", "job" => name).increment(1);
            run(app).await
        }
        Ok(false) => Ok(()),
        Err(error) => Err(error.into()),
    };
    if let Err(error) = outcome {
        tracing::warn!(job = name, error = format!("{error:#}"), "a job failed; the next stroke tries again");
    }
}

/// Runs the jobs by their clocks until the service stops.
pub async fn run(app: App, jobs: Vec<Job>) -> anyhow::Result<()> {
    let mut scheduler = JobScheduler::new().await?;
    for Job { name, schedule, run } in jobs {
        let app = app.clone();
        scheduler
            .add(Cron::new_async(schedule.as_str(), move |_, _| {
                // On the tracker, so that a stop waits for a job that has begun.
                let work = app.tasks.track_future(strike(app.clone(), name, run));
                Box::pin(work)
            })?)
            .await?;
    }
    scheduler.start().await?;
    app.stop.cancelled().await;
    tokio::time::timeout(Duration::from_secs(1), scheduler.shutdown()).await??;
    Ok(())
}
