//! Subscriptions of several features to one stream, joined into one: a stream is read once, and all of its effects are one
//! transaction.
use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::PgTransaction;

use crate::core::events::{Effect, Event, Processor, Subscription};

/// Applies a batch by several processors, one after the other.
struct InTurn(Vec<Arc<dyn Processor>>);

impl Processor for InTurn {
    fn prepare<'a>(&'a self, events: &'a [Event]) -> Effect<'a> {
        Box::pin(async move {
            for processor in &self.0 {
                processor.prepare(events).await?;
            }
            Ok(())
        })
    }

    fn apply<'a>(&'a self, tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
        Box::pin(async move {
            for processor in &self.0 {
                processor.apply(tx, events).await?;
            }
            Ok(())
        })
    }
}

/// One subscription per stream. Its processors are applied in the order of the features: what an earlier one has written, a
/// later one reads, and all transactions take their locks in that order.
pub fn joined(features: Vec<Vec<Subscription>>) -> Vec<Subscription> {
    let mut streams: BTreeMap<&'static str, Vec<Arc<dyn Processor>>> = BTreeMap::new();
    for subscription in features.into_iter().flatten() {
        streams.entry(subscription.stream).or_default().push(subscription.processor);
    }
    streams.into_iter().map(|(stream, all)| Subscription::new(stream, InTurn(all))).collect()
}
