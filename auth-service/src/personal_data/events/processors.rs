//! Stores which service has confirmed an erasure.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::events::{Effect, Event, Failure};
use crate::personal_data::models::confirm;

/// A user whose data a service has erased.
#[derive(Deserialize)]
struct UserErased {
    user_id: Uuid,
}

async fn confirmed(tx: &mut PgTransaction<'static>, service: &str, events: &[Event]) -> Result<(), Failure> {
    let people: Vec<UserErased> =
        events.iter().map(|event| serde_json::from_str(&event.message)).collect::<Result<_, _>>()?;
    Ok(confirm(tx, service, &people.iter().map(|person| person.user_id).collect::<Vec<_>>()).await?)
}

/// The post service holds nothing any more.
pub fn post_user_erased<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(confirmed(tx, "post-service", events))
}

/// The interaction service holds nothing any more.
pub fn interaction_user_erased<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(confirmed(tx, "interaction-service", events))
}

/// The moderation service holds nothing any more.
pub fn moderation_user_erased<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(confirmed(tx, "moderation-service", events))
}

/// The engagement service holds nothing any more.
pub fn engagement_user_erased<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(confirmed(tx, "engagement-service", events))
}
