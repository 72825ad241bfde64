//! People in the API: the card of a person.
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A person, as they are shown beside what they wrote or did
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "id": "0199d0ac-3c9e-7a2e-8f3c-000000000001", "username": "ann", "first_name": "Ann", "last_name": null,
    "avatar_url": null
})))]
pub struct PersonCard {
    pub id: Uuid,
    /// Null until they choose one
    pub username: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub avatar_url: Option<String>,
}
