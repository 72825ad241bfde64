//! An open loop: things begin at times that were fixed before, whether those before them are done or not. A loop that
//! waited for answers would slow down with what it measures, and not see the slowness.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

/// When the thing of this number begins, counted from the first.
pub fn due(number: u32, per_second: u32) -> Duration {
    Duration::from_secs(1) * number / per_second
}

/// What came of everything, in the order of its ends, and by how much the latest of all began late.
pub struct Done<T> {
    pub results: Vec<T>,
    pub late: Duration,
}

/// Does so many things at a fixed rate.
pub async fn at_rate<F>(per_second: u32, count: u32, thing: impl Fn(u32) -> F) -> Result<Done<F::Output>>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let (begin, mut tasks) = (Instant::now(), JoinSet::new());
    let mut late = Duration::ZERO;
    for number in 0..count {
        let due = begin + due(number, per_second);
        sleep_until(due).await;
        late = late.max(due.elapsed());
        tasks.spawn(thing(number));
    }
    let mut results = Vec::with_capacity(tasks.len());
    while let Some(ended) = tasks.join_next().await {
        results.push(ended.context("a request of the bench broke down")?);
    }
    Ok(Done { results, late })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Barrier;

    use super::*;

    #[test]
    fn arrivals_keep_their_distance_and_do_not_drift() {
        assert_eq!(due(0, 500), Duration::ZERO);
        assert_eq!(due(1, 500), Duration::from_millis(2));
        assert_eq!(due(3_600_000, 500), Duration::from_hours(2));
        assert_eq!(due(7, 7), Duration::from_secs(1), "a rate that does not divide a second is kept all the same");
    }

    #[tokio::test]
    async fn nobody_waits_for_an_answer_before_the_next_begins() {
        // Nobody is done before all have begun.
        let all = Arc::new(Barrier::new(5));
        let thing = |number| {
            let all = all.clone();
            async move {
                all.wait().await;
                number
            }
        };
        let mut done = at_rate(10_000, 5, thing).await.unwrap();
        done.results.sort_unstable();
        assert_eq!(done.results, [0, 1, 2, 3, 4]);
    }
}
