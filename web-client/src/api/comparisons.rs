//! How much readers have in common with people, kept for a while. A page of people to know asks about each of them, and is shown again
//! after each of its buttons: without this a dozen views would use up what the API lets a reader ask in a minute.
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use uuid::Uuid;

use super::Caller;
use super::failures::Failure;
use super::recommendations::Compatibility;

/// How long it is kept: what two people have in common changes by the day.
const KEPT: Duration = Duration::from_mins(10);
/// How many are kept at most, of all readers together.
const MOST: u64 = 20_000;

/// How much of what a reader has in common with a person, kind by kind, in percent.
#[derive(Clone, Copy, Debug)]
pub struct Shares {
    pub interests: i64,
    pub engagement: i64,
    pub taste: i64,
    pub connections: i64,
}

impl Shares {
    fn of(compared: &Compatibility) -> Self {
        Self {
            interests: compared.interests.percent,
            engagement: compared.engagement.percent,
            taste: compared.taste.as_ref().map_or(0, |taste| taste.percent),
            connections: compared.connections.percent,
        }
    }
}

/// The comparisons of the last minutes, each of a reader with a person.
#[derive(Clone)]
pub struct Comparisons(Cache<(Uuid, Uuid), Shares>);

impl Comparisons {
    pub fn new() -> Self {
        Self(Cache::builder().max_capacity(MOST).time_to_live(KEPT).build())
    }

    /// How much the caller, who is this reader, has in common with a person. What fails is asked again the next time.
    pub async fn with(&self, caller: &Caller, reader: Uuid, person: Uuid) -> Result<Shares, Arc<Failure>> {
        let ask = async { caller.compatibility(person).await.map(|compared| Shares::of(&compared)) };
        self.0.try_get_with((reader, person), ask).await
    }
}
