//! The causes of notifications: the people whose reactions, comments and connections stand behind a group.
//!
//! A processor names the keys that an event touched: posts with actors, or pairs of people. Under the lock of the readers their
//! causes are read again from the read model and compared with the stored rows of the actors, and the difference is written. Since
//! nothing is added up from events, their order and their repetition make no difference.
pub mod models;
pub mod pairs;
pub mod recommendations;
pub mod services;
pub mod threads;

use chrono::NaiveDate;
use uuid::Uuid;

use crate::core::contract::timestamp::Timestamp;
use crate::notifications::Type;

/// What makes several causes one notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    /// The reader.
    pub user_id: Uuid,
    pub r#type: Type,
    pub subject_id: Uuid,
    /// The day, of connections.
    pub day: Option<NaiveDate>,
}

/// Why a person stands behind a group; of several reasons the newest.
#[derive(Clone, Copy, Debug)]
pub struct Cause {
    pub group: Group,
    pub actor_id: Uuid,
    pub at: Timestamp,
}

/// The row of a person behind a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub group: Group,
    pub actor_id: Uuid,
    /// Whether a cause of theirs exists, and the reader wants to know.
    pub stands: bool,
    pub at: Timestamp,
    /// The newest time of all causes that ever existed.
    pub newest: Timestamp,
    /// Whether the reader has not been notified of it yet; stored rows have that behind them.
    pub is_news: bool,
}

/// A post and a person who did something there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PostActor {
    pub post_id: Uuid,
    pub actor_id: Uuid,
}

/// A reader, and a person who may stand behind their notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    pub user_id: Uuid,
    pub actor_id: Uuid,
}
