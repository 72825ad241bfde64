//! Stores versions of people.
use serde::Deserialize;
use sqlx::PgTransaction;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::core::events::{Effect, Event};
use crate::people::models::Person;

/// The fields of a user's event that this service needs. The contract's `user_registered` has neither username nor avatar, and
/// some producers of it send an id alone.
#[derive(Deserialize)]
struct UserVersion {
    id: Uuid,
    username: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    avatar_url: Option<String>,
    #[serde(default)]
    interests: Vec<String>,
    status: Option<String>,
    updated_at: Option<Timestamp>,
}

/// Saves the card of a person who signed up or changed.
pub fn user_changed<'a>(tx: &'a mut PgTransaction<'static>, events: &'a [Event]) -> Effect<'a> {
    Box::pin(async move {
        let person = |event: &Event| {
            let user: UserVersion = serde_json::from_str(&event.message)?;
            Ok(Person {
                id: user.id,
                username: user.username,
                first_name: user.first_name,
                last_name: user.last_name,
                avatar_url: user.avatar_url,
                interests: user.interests,
                status: user.status.unwrap_or_else(|| "INACTIVE".to_owned()),
                version: user.updated_at.unwrap_or(Timestamp(event.occurred_at)),
            })
        };
        let people: Vec<Person> = events.iter().map(person).collect::<Result<_, serde_json::Error>>()?;
        Ok(Person::save(tx, &people).await?)
    })
}
