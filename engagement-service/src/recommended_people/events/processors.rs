//! Puts people who were active into the queue of those whose recommendations are computed, and those who changed into that of those whose
//! notifications are looked at again.
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::events::{Effect, Event};
use crate::recommended_people::signals;

fn read<T: DeserializeOwned>(events: &[Event]) -> Result<Vec<T>, serde_json::Error> {
    events.iter().map(|event| serde_json::from_str(&event.message)).collect()
}

/// A person who signed up or changed.
#[derive(Deserialize)]
struct PersonEvent {
    id: Uuid,
}

/// People signed up.
pub fn people_registered<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let people: Vec<Uuid> = read(events)?.into_iter().map(|person: PersonEvent| person.id).collect();
        Ok(signals::active(tx, &people).await?)
    })
}

/// People changed, as by a ban or its end.
pub fn people_updated<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let people: Vec<Uuid> = read(events)?.into_iter().map(|person: PersonEvent| person.id).collect();
        Ok(signals::updated(tx, &people).await?)
    })
}

/// A person who connected to another one, or ended that.
#[derive(Deserialize)]
struct ConnectingPerson {
    user_id: Uuid,
}

/// People connected to others, or ended that.
pub fn connections_changed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let people: Vec<Uuid> = read(events)?.into_iter().map(|person: ConnectingPerson| person.user_id).collect();
        Ok(signals::active(tx, &people).await?)
    })
}

/// A post, comment or reaction.
#[derive(Deserialize)]
struct ContentEvent {
    created_by: Uuid,
}

/// People wrote or reacted.
pub fn contents_created<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let people: Vec<Uuid> = read(events)?.into_iter().map(|content: ContentEvent| content.created_by).collect();
        Ok(signals::active(tx, &people).await?)
    })
}
