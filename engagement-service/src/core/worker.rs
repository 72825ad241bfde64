//! Background work: a loop around one step that says whether there is more to do. Tests call the step.
use std::time::Duration;

use rand::RngExt;
use tokio::sync::Notify;

use super::App;

/// The first wait after a failure; it doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// The longest wait between tries of what keeps failing: an outage ends at most this long before work goes on.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// How long a step may take before it is given up. Whatever it waits for has shorter limits of its own, but not where a
/// network swallows packets: there a connection seems open for a quarter of an hour. Carrying a large backlog is one
/// step and may take longer; it goes on where it was given up.
const LONGEST_STEP: Duration = Duration::from_mins(1);

/// What a step found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did something; there may be more.
    Busy,
    /// There was nothing to do.
    Idle,
}

/// Something that is done again and again.
pub trait Worker: Send + 'static {
    /// What it is called in the log.
    fn name(&self) -> String;

    /// Does one piece of work. An error is logged, and the step is tried again after a growing wait. It may be dropped at
    /// any await, and is then begun anew.
    fn step(&mut self) -> impl Future<Output = anyhow::Result<Outcome>> + Send;

    /// How long to wait after an idle step; a wake-up ends the wait.
    fn pause(&self) -> Duration;

    /// What wakes it up before its pause is over.
    fn alarm(&self) -> &Notify;

    /// How long a step may take before it is given up, and counts as a failure.
    fn limit(&self) -> Duration {
        LONGEST_STEP
    }
}

/// How long to wait after that many failures in a row: exponential, capped, with jitter so that many do not come at once.
pub fn backoff(failures: u32) -> Duration {
    let wait = FIRST_WAIT.saturating_mul(1 << failures.min(10)).min(LONGEST_WAIT);
    wait.mul_f64(rand::rng().random_range(0.5..=1.0))
}

/// Runs a worker until the service stops; a step that has begun is finished.
pub async fn run(app: App, mut worker: impl Worker) {
    let mut failures = 0;
    while !app.stop.is_cancelled() {
        let limit = worker.limit();
        let step = tokio::time::timeout(limit, worker.step()).await;
        let outcome = step.unwrap_or_else(|_| Err(anyhow::anyhow!("given up after {} s", limit.as_secs_f32())));
        let pause = match outcome {
            Ok(Outcome::Busy) => {
                failures = 0;
                continue;
            }
            Ok(Outcome::Idle) => {
                failures = 0;
                worker.pause()
            }
            Err(error) => {
                // One line when it begins to fail and then at every power of two, not one per try.
                if u32::is_power_of_two(failures + 1) {
                    tracing::warn!(
                        worker = worker.name(),
                        failures = failures + 1,
                        error = format!("{error:#}"),
                        "a step failed"
                    );
                }
                failures = failures.saturating_add(1);
                backoff(failures)
            }
        };
        tokio::select! {
            () = app.stop.cancelled() => {}
            () = worker.alarm().notified(), if failures == 0 => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

    use super::*;
    use crate::SERVICE;
    use crate::core::testing::Platform;

    /// Its first step waits for something that never comes; the second one ends the service.
    struct Stuck {
        app: App,
        steps: u32,
        alarm: Notify,
    }

    impl Worker for Stuck {
        fn name(&self) -> String {
            "stuck".into()
        }

        async fn step(&mut self) -> anyhow::Result<Outcome> {
            self.steps += 1;
            if self.steps == 1 {
                std::future::pending::<()>().await;
            }
            self.app.stop.cancel();
            Ok(Outcome::Idle)
        }

        fn pause(&self) -> Duration {
            Duration::ZERO
        }

        fn alarm(&self) -> &Notify {
            &self.alarm
        }

        fn limit(&self) -> Duration {
            Duration::from_millis(10)
        }
    }

    /// A connection that was half open once held up a worker until the kernel gave it up, minutes later.
    #[sqlx::test(migrations = false)]
    async fn a_step_that_never_ends_is_given_up(_: PgPoolOptions, database: PgConnectOptions) {
        let app = Platform::start(&SERVICE, database, &[]).await.app;
        let work = run(app.clone(), Stuck { app, steps: 0, alarm: Notify::new() });
        let ended = tokio::time::timeout(Duration::from_secs(5), work).await;
        assert!(ended.is_ok(), "it was not begun anew");
    }
}
