//! The cursor of a home feed: a place between its own posts, and beside it the place in the list of recommendations.
use uuid::Uuid;

use crate::feeds::pages::{CursorBytes, Place};
use crate::post_recommendations::ListPlace;

/// Bytes of a place in a feed; what follows is the place in a list.
const FEED_BYTES: usize = 17;

/// Where a page of a home feed begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HomePlace {
    /// Between which of the feed's own posts.
    pub feed: Place,
    /// Behind which of the recommended posts; none before the first of them was asked for.
    pub list: Option<ListPlace>,
}

impl HomePlace {
    /// The top of a home feed.
    pub const TOP: Self = Self { feed: Place::TOP, list: None };
}

impl CursorBytes for HomePlace {
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.feed.to_bytes();
        if let Some(ListPlace { list, place }) = self.list {
            // Two bytes hold any place of a list, and keep a cursor as short as all others.
            let place = u16::try_from(place).unwrap_or(u16::MAX);
            bytes.extend([&list.as_bytes()[..], &place.to_be_bytes()].concat());
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (feed, list) = bytes.split_at_checked(FEED_BYTES)?;
        let list = match list.split_first_chunk() {
            None if list.is_empty() => None,
            None => return None,
            Some((list, place)) => {
                let place = u16::from_be_bytes(place.try_into().ok()?);
                Some(ListPlace { list: Uuid::from_bytes(*list), place: i64::from(place) })
            }
        };
        Some(Self { feed: Place::from_bytes(feed)?, list })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was written is read again, and what was cut off or added to is no cursor.
    #[test]
    fn a_cursor_with_a_list_leads_where_it_was_made() {
        let list = ListPlace { list: Uuid::from_u128(7), place: 200 };
        for place in [HomePlace::TOP, HomePlace { feed: Place::After(Uuid::from_u128(5)), list: Some(list) }] {
            let bytes = place.to_bytes();
            assert_eq!(HomePlace::from_bytes(&bytes), Some(place));
            assert!(bytes.len() <= 36, "48 characters");
            for wrong in [&bytes[..bytes.len() - 1], &[&bytes[..], &[0]].concat()] {
                assert_eq!(HomePlace::from_bytes(wrong), None);
            }
        }
    }
}
