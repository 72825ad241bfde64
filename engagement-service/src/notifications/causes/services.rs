//! What differs between the causes that exist and the stored rows of actors.
use std::collections::HashMap;

use uuid::Uuid;

use super::{Cause, Group, Standing};
use crate::core::contract::timestamp::Timestamp;

/// The rows of actors that have to be written: of causes that are new, came back or are gone. A cause that is not later than `since`
/// adds no person to a group, in whatever order causes are consumed; those who are in it stay.
pub fn differences(causes: Vec<Cause>, known: Vec<Standing>, since: Timestamp) -> Vec<Standing> {
    let mut standing: HashMap<(Group, Uuid), Cause> =
        causes.into_iter().map(|cause| ((cause.group, cause.actor_id), cause)).collect();
    let mut changed = Vec::new();
    for known in known {
        let actor = match standing.remove(&(known.group, known.actor_id)) {
            Some(cause) => {
                let newest = known.newest.max(cause.at);
                // What is not later than what there once was is no news: a block that ended, or a younger comment that is gone.
                Standing { stands: true, at: cause.at, newest, is_news: cause.at > known.newest, ..known }
            }
            None => Standing { stands: false, is_news: false, ..known },
        };
        if actor != known {
            changed.push(actor);
        }
    }
    let fresh = |cause: Cause| {
        let Cause { group, actor_id, at } = cause;
        Standing { group, actor_id, stands: true, at, newest: at, is_news: true }
    };
    changed.extend(standing.into_values().filter(|cause| cause.at > since).map(fresh));
    changed
}
