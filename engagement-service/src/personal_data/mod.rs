//! Personal data: what the service exports of a user, and how it erases that.
#[cfg(test)]
mod tests;

use sqlx::PgTransaction;
use uuid::Uuid;

use crate::affinities::models::Affinity;
use crate::blocks::models::delete_blocks;
use crate::core::doors::erasure::Erasure;
use crate::core::doors::personal_data::PersonalDataSource;
use crate::devices::models::Device;
use crate::digests::events::PERSONAL;
use crate::digests::models::Digest;
use crate::feeds::drops::models::FeedDrop;
use crate::feeds::fan_out::models::Audience;
use crate::follows::models::Follow;
use crate::mentions::models::Mention;
use crate::moderated_posts::models::PostLimit;
use crate::mutes::models::{Mute, PostHide};
use crate::notifications;
use crate::notifications::models::Notification;
use crate::people::models::Person;
use crate::post_pictures::models::PostPictures;
use crate::post_recommendations::digest::models::RecommendationDigest;
use crate::post_recommendations::disinterest::models::Disinterest;
use crate::post_recommendations::models::PostRecommendationList;
use crate::post_recommendations::seen::models::SeenPost;
use crate::posts::models::PostCard;
use crate::preferences::Preferences;
use crate::profiles::models::Profile;
use crate::push::models::Delivery;
use crate::recommended_people::models::{DismissedPerson, PeopleRecommendationList};
use crate::system_messages::models::SystemMessage;
use crate::tags::models::TagFollow;
use crate::taste::models::Taste;

/// Rows of a table that one step of an erasure deletes.
const BATCH: i64 = 1_000;

/// The stream that confirms that a deleted user's data is erased here.
pub const USER_ERASED: &str = "engagement_user_erased";

/// The personal data that the service exports.
pub const PERSONAL_DATA: &[PersonalDataSource] = &[
    PersonalDataSource {
        name: "profiles",
        list: |db, person, before, rows| Box::pin(Profile::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "mutes",
        list: |db, person, before, rows| Box::pin(Mute::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "hidden_posts",
        list: |db, person, before, rows| Box::pin(PostHide::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "seen_posts",
        list: |db, person, before, rows| Box::pin(SeenPost::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "not_interested_posts",
        list: |db, person, before, rows| Box::pin(Disinterest::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "followed_tags",
        list: |db, person, before, rows| Box::pin(TagFollow::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "notifications",
        list: |db, person, before, rows| Box::pin(Notification::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "devices",
        list: |db, person, before, rows| Box::pin(Device::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "push_deliveries",
        list: |db, person, before, rows| Box::pin(Delivery::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "notification_preferences",
        list: |db, person, before, rows| Box::pin(Preferences::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "digest_entries",
        list: |db, person, before, rows| Box::pin(Digest::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "affinities",
        list: |db, person, before, rows| Box::pin(Affinity::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "tastes",
        list: |db, person, before, rows| Box::pin(Taste::list_personal_data(db, person, before, rows)),
    },
    PersonalDataSource {
        name: "recommended_people",
        list: |db, person, before, rows| {
            Box::pin(PeopleRecommendationList::list_personal_data(db, person, before, rows))
        },
    },
    PersonalDataSource {
        name: "dismissed_people",
        list: |db, person, before, rows| Box::pin(DismissedPerson::list_personal_data(db, person, before, rows)),
    },
];

/// How the service erases a user's data.
pub const ERASURE: Erasure =
    Erasure { personal: &PERSONAL, rows: |tx, person| Box::pin(erase(tx, person)), confirmed_on: Some(USER_ERASED) };

/// Deletes what is stored of a user, a batch of what may be much; true when there may be more. Their comments and reactions are
/// left to the events of their deletion, which keep the counts of posts right, and hold no words here.
async fn erase(tx: &mut PgTransaction<'_>, person: Uuid) -> sqlx::Result<bool> {
    // Its writer locks it before all else.
    SystemMessage::erase(tx, person).await?;
    let had_profile = Profile::erase(tx, person).await?;
    Person::delete(tx, person).await?;
    let had_blocks = delete_blocks(tx, person, BATCH).await?;
    let had_mutes = Mute::delete_by_user(tx, person, BATCH).await?;
    let hid_posts = PostHide::delete_by_user(tx, person, BATCH).await?;
    let had_seen = SeenPost::delete_by_user(tx, person, BATCH).await?;
    let had_refused = Disinterest::delete_by_user(tx, person, BATCH).await?;
    PostRecommendationList::delete_by_user(tx, person).await?;
    RecommendationDigest::delete_by_user(tx, person).await?;
    TagFollow::delete_by_user(tx, person).await?;
    Affinity::delete(tx, person).await?;
    Taste::delete(tx, person).await?;
    PeopleRecommendationList::delete(tx, person).await?;
    let had_dismissed = DismissedPerson::delete_by_user(tx, person, BATCH).await?;
    Device::delete_by_user(tx, person).await?;
    Preferences::delete(tx, person).await?;
    // Before the connections, as the worker of feeds locks them.
    Audience::delete(tx, person).await?;
    let more = Follow::delete_by_user(tx, person, BATCH).await?;
    // What Redis has of their feed; behind the connections.
    FeedDrop::create(tx, &[person]).await?;
    let more = PostCard::empty_by_author(tx, person, BATCH).await? || more;
    let more = PostPictures::delete_by_author(tx, person, BATCH).await? || more;
    let more = PostLimit::delete_by_author(tx, person, BATCH).await? || more;
    let more = Mention::delete_by_user(tx, person, BATCH).await? || more;
    let more = notifications::signals::erase(tx, person, BATCH).await? || more;
    // Behind the readers of notifications.
    let more = Digest::erase(tx, person, BATCH).await? || more;
    let more = Delivery::erase(tx, person, BATCH).await? || more;
    Ok(more || had_blocks || had_mutes || hid_posts || had_seen || had_refused || had_dismissed || had_profile)
}
