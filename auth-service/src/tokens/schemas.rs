//! Tokens in the API: their records, never their secrets.
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::UserToken;
use crate::core::contract::timestamp::Timestamp;

/// The record of a token that went by mail
#[derive(Serialize, ToSchema)]
pub struct UserTokenOut {
    /// The name of the record; it opens nothing
    pub id: Uuid,
    pub created_at: Timestamp,
    pub created_by: Option<Uuid>,
    pub updated_at: Timestamp,
    pub updated_by: Option<Uuid>,
}

impl From<UserToken> for UserTokenOut {
    fn from(token: UserToken) -> Self {
        Self {
            id: token.id,
            created_at: token.created_at,
            created_by: token.created_by,
            updated_at: token.updated_at,
            updated_by: token.updated_by,
        }
    }
}
