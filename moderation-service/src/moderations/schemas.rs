//! Cases in the API.
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::Moderation;
use super::{Kind, Status};
use crate::core::contract::timestamp::Timestamp;
use crate::subjects::reasons::ContractReason;

/// A decision to delete a post or comment: the content, the reason, and the state of the deletion.
#[derive(Serialize, ToSchema)]
pub struct ModerationOut {
    pub id: Uuid,
    pub created_at: Timestamp,
    /// The user who decided; null: the analyser
    pub created_by: Option<Uuid>,
    pub updated_at: Timestamp,
    pub updated_by: Option<Uuid>,
    pub r#type: Kind,
    /// The post or comment
    pub content_id: Uuid,
    /// The post or comment as it was analysed
    #[schema(value_type = Object)]
    pub raw_content: Box<RawValue>,
    pub status: Status,
    pub reason: ContractReason,
}

impl From<Moderation> for ModerationOut {
    fn from(case: Moderation) -> Self {
        Self {
            id: case.id,
            created_at: case.created_at,
            created_by: case.created_by,
            updated_at: case.updated_at,
            updated_by: case.updated_by,
            r#type: case.kind,
            content_id: case.content_id,
            raw_content: case.raw_content,
            status: case.status,
            reason: case.reason,
        }
    }
}
