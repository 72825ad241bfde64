//! What happens between the services: how long an effect takes.

use std::time::Duration;

use anyhow::Result;

use crate::client::{Person, Post, eventually};
use crate::platform::{PASSWORD, Platform};

/// The original took up to a minute; this limit only separates a broken wake-up from a busy machine.
const MEDIAN_AT_MOST: Duration = Duration::from_millis(500);

#[tokio::test]
async fn effects_are_quick() -> Result<()> {
    let mut platform = Platform::up(&[]);
    let ada = platform.api().join("ada@example.org", PASSWORD, ("Ada", "Lovelace"), &["BOOKS"]).await?;
    let post = ada.write_post("Waiting", "How long does it take?", &["BOOKS"], "POSTED").await?;

    let median = median_latency(&ada, &post).await?;
    println!("commit to effect in another service: median {:.1} ms", median.as_secs_f64() * 1000.0);
    assert!(median < MEDIAN_AT_MOST, "median {median:?}");
    platform.stop();
    Ok(())
}

/// From the answer to a view in the interaction service to the count in the post service.
async fn median_latency(person: &Person, post: &Post) -> Result<Duration> {
    let mut all = Vec::new();
    for number in 1..=25 {
        person.view(&post.id).await?;
        let ask = async || person.post(&post.id).await;
        let (_, took) = eventually("a view is counted", ask, |post| post.total_views == number).await?;
        all.push(took);
    }
    all.sort();
    Ok(all[all.len() / 2])
}
