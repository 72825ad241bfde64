//! The people that send requests.

use anyhow::Result;

use crate::client::Person;
use crate::proof::bench::platform::MeasuredPlatform;

/// How many of them take turns.
pub const PEOPLE: u32 = 16;

/// Signs them up; each has a post, and all services know both.
pub async fn sign_up(platform: &MeasuredPlatform<'_>) -> Result<Vec<Person>> {
    let people = platform.sign_up(PEOPLE).await?;
    for person in &people {
        person.write_post("A walk", "By the sea, and back.", &["TRAVEL"], "POSTED").await?;
    }
    platform.settle().await?;
    Ok(people)
}
