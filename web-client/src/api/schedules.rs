//! Decisions that are made later, as moderators see them.
use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::moderation::{Action, case_page};
use super::people::Me;

/// A decision that is made when it is due.
#[derive(Clone, Debug, Deserialize)]
pub struct ScheduledDecision {
    pub id: Uuid,
    pub subject_type: String,
    pub subject_id: Uuid,
    /// Who has decided.
    pub moderator: Uuid,
    pub due_at: DateTime<Utc>,
    pub actions: Vec<Action>,
    pub reason: String,
    pub internal_note: Option<String>,
    pub public_note: Option<String>,
    pub status: String,
    /// After how many hours what it does to a content ends.
    pub hours: Option<i64>,
    /// How often it could not be made when it was due.
    #[serde(default)]
    pub attempts: i64,
    /// Which right its moderator has lost, so that it is not made.
    pub cancelled_because: Option<String>,
    /// The decision that it became.
    pub decision: Option<Uuid>,
}

impl ScheduledDecision {
    /// The page of its subject, for moderators.
    pub fn case_link(&self) -> String {
        case_page(&self.subject_type, self.subject_id)
    }

    /// Whether it still waits, and this person may take it back.
    pub fn can_be_cancelled_by(&self, me: Option<&Me>) -> bool {
        let may = |me: &Me| me.profile.card.id == self.moderator || me.administers();
        self.status == "WAITING" && me.is_some_and(may)
    }
}
