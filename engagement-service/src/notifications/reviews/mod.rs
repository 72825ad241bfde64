//! Reviews: notifications that exist are brought in line with a read model that was filled by other ways than events.
//!
//! No notification begins here. What happened before the service was there, or while its events were lost, is long known to its reader by
//! the time it is copied, or was never wanted. So a review withdraws what has no cause any more and corrects counts, and people who
//! are missing in a group are added when their row is copied. Of these only what happened within a day is news: its event may be on
//! its way yet, and would find its person in the group.
pub mod models;
pub mod signals;

use uuid::Uuid;

use super::causes::Group;

/// A person behind a group, as a review comes to them.
#[derive(Clone, Copy, Debug)]
pub struct ReviewedActor {
    pub notification_id: Uuid,
    pub group: Group,
    pub actor_id: Uuid,
}
