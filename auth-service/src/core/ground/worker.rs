//! Background work: a loop around one step, whose outcome is whether there is more to do. Tests call the step.
use std::time::Duration;

use rand::RngExt;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The first wait after a failure; it doubles up to [`MAX_BACKOFF`].
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
/// The longest wait between tries of what keeps failing: an outage ends at most this long before work goes on.
const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// What a step found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did something; there may be more.
    Busy,
    /// There was nothing to do: the next step comes after this pause, or with the next wake-up.
    Idle(Duration),
}

/// Background work that is done step by step.
pub trait Worker: Send + 'static {
    /// How long a step may take before it is given up. Whatever it waits for has shorter limits of its own, but not where a
    /// network swallows packets: there a connection seems open for a quarter of an hour. Carrying a large backlog is one
    /// step and may take longer; it goes on where it was given up.
    const STEP_TIMEOUT: Duration = Duration::from_mins(1);

    /// Does one piece of work. An error is logged, and the step is tried again after a growing wait. It may be dropped at
    /// any await, and is then begun anew.
    fn step(&mut self) -> impl Future<Output = anyhow::Result<Outcome>> + Send;
}

/// How long to wait after that many failures in a row: exponential, capped, with jitter so that many do not come at once.
pub fn backoff(failures: u32) -> Duration {
    let wait = FIRST_BACKOFF.saturating_mul(1 << failures.min(10)).min(MAX_BACKOFF);
    wait.mul_f64(rand::rng().random_range(0.5..=1.0))
}

/// Runs a worker, under its name in the log, until the service stops; a step that has begun is finished. `wake` ends the
/// pause after an idle step.
pub async fn run<W: Worker>(
    name: String,
    mut worker: W,
    stop: CancellationToken,
    mut wake: Option<watch::Receiver<u64>>,
) {
    let mut failures = 0_u32;
    while !stop.is_cancelled() {
        // Registered before the step reads: what is committed meanwhile ends the pause at once.
        if let Some(wake) = &mut wake {
            wake.mark_unchanged();
        }
        let done = tokio::time::timeout(W::STEP_TIMEOUT, worker.step()).await;
        let late = |_| Err(anyhow::anyhow!("given up after {} s", W::STEP_TIMEOUT.as_secs_f32()));
        let outcome = done.unwrap_or_else(late);
        let pause = match outcome {
            Ok(outcome) => {
                failures = 0;
                let Outcome::Idle(pause) = outcome else { continue };
                pause
            }
            Err(error) => {
                failures = failures.saturating_add(1);
                // One line when it begins to fail and then at every power of two, not one per try.
                if failures.is_power_of_two() {
                    tracing::warn!(worker = name, failures, error = format!("{error:#}"), "a step failed");
                }
                backoff(failures)
            }
        };
        let woken = async {
            match &mut wake {
                Some(wake) if failures == 0 => wake.changed().await.is_ok(),
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            true = woken => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Its first step waits for something that never comes; the second one ends the service.
    struct Stuck {
        stop: CancellationToken,
        steps: u32,
    }

    impl Worker for Stuck {
        const STEP_TIMEOUT: Duration = Duration::from_millis(10);

        async fn step(&mut self) -> anyhow::Result<Outcome> {
            self.steps += 1;
            if self.steps == 1 {
                std::future::pending::<()>().await;
            }
            self.stop.cancel();
            Ok(Outcome::Busy)
        }
    }

    /// A connection that was half open once held up a worker until the kernel gave it up, minutes later.
    #[tokio::test]
    async fn a_step_that_never_ends_is_given_up() {
        let stop = CancellationToken::new();
        let work = run("stuck".into(), Stuck { stop: stop.clone(), steps: 0 }, stop, None);
        let ended = tokio::time::timeout(Duration::from_secs(5), work).await;
        assert!(ended.is_ok(), "it was not begun anew");
    }

    /// Works once, and then waits for a day or a commit.
    struct Patient {
        begun: watch::Sender<u32>,
    }

    impl Worker for Patient {
        async fn step(&mut self) -> anyhow::Result<Outcome> {
            self.begun.send_modify(|steps| *steps += 1);
            Ok(Outcome::Idle(Duration::from_hours(24)))
        }
    }

    #[tokio::test]
    async fn a_commit_ends_the_pause() {
        let (stop, commits, begun) = (CancellationToken::new(), watch::Sender::new(0), watch::Sender::new(0));
        let mut steps = begun.subscribe();
        let work = run("patient".into(), Patient { begun }, stop.clone(), Some(commits.subscribe()));
        let watched = async {
            for step in 1..=3 {
                steps.wait_for(|steps| *steps >= step).await.unwrap();
                commits.send_modify(|commits| *commits += 1);
            }
            stop.cancel();
        };
        let ended = tokio::time::timeout(Duration::from_secs(5), async { tokio::join!(work, watched) }).await;
        assert!(ended.is_ok(), "a commit did not wake the worker");
    }
}
