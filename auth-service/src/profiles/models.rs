//! Profiles in the database: all of the SQL of this feature.
use chrono::NaiveDate;
use sqlx::{PgExecutor, PgPool, PgTransaction};
use uuid::Uuid;

use super::services::skeleton;
use crate::core::api::pagination::Cursor;
use crate::core::app::identity::{Role, Status};
use crate::core::contract::timestamp::Timestamp;

/// The constraint by which the database refuses a username that is taken, or that looks like one that is.
pub const USERNAME_TAKEN: &str = "account_username_key";

/// A user, and how they are related to the viewer.
#[expect(clippy::struct_excessive_bools, reason = "a row: each is independent of the others")]
pub struct Profile {
    pub id: Uuid,
    pub created_at: Timestamp,
    pub created_by: Option<Uuid>,
    pub updated_at: Timestamp,
    pub updated_by: Option<Uuid>,
    pub email: String,
    /// The address that they want instead, until it is proved; only its owner sees it.
    pub pending_email: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub is_verified: bool,
    pub date_joined: Timestamp,
    pub rating: f64,
    pub status: Status,
    pub interests: Vec<String>,
    pub username: Option<String>,
    pub bio: Option<String>,
    pub location: Option<String>,
    pub birth_date: Option<NaiveDate>,
    pub show_age: bool,
    pub avatar_url: Option<String>,
    /// Of an uploaded picture; there is no other way to get one.
    pub banner_url: Option<String>,
    pub total_connections: i64,
    pub total_followers: i64,
    pub role: Role,
    /// Whether the viewer is connected to them.
    pub following: bool,
    /// Whether they are connected to the viewer.
    pub followed_by: bool,
    /// Whether the viewer has blocked them.
    pub blocked: bool,
    /// Whether they have blocked the viewer, to which they do not exist then.
    pub hidden: bool,
}

/// A field of an update: what is not given stays as it is, what is given without a value is cleared.
#[derive(Debug, PartialEq, Eq)]
pub struct FieldUpdate<T> {
    pub given: bool,
    pub value: Option<T>,
}

/// What a person changes of their profile, checked.
pub struct ProfileUpdate {
    pub username: FieldUpdate<String>,
    pub first_name: FieldUpdate<String>,
    pub last_name: FieldUpdate<String>,
    pub bio: FieldUpdate<String>,
    pub location: FieldUpdate<String>,
    pub birth_date: FieldUpdate<NaiveDate>,
    pub avatar_url: FieldUpdate<String>,
    /// `None` leaves it as it is, here and below.
    pub show_age: Option<bool>,
    pub interests: Option<Vec<String>>,
}

/// One state of the database for several reads, so that each user in a list is found by the next statement.
pub async fn begin_snapshot(db: &PgPool) -> sqlx::Result<PgTransaction<'static>> {
    db.begin_with("begin isolation level repeatable read read only").await
}

impl Profile {
    /// These people as `viewer` sees them, in this order, hidden ones as well; who does not exist is left out.
    pub async fn load(db: impl PgExecutor<'_>, viewer: Uuid, ids: &[Uuid]) -> sqlx::Result<Vec<Self>> {
        sqlx::query_as!(
            Self,
            r#"select account.id, created_at, created_by,
                updated_at, updated_by, email, pending_email, first_name, last_name, is_verified,
                date_joined, rating, status, interests, username, bio,
                location, birth_date, show_age, avatar_url, banner_url, total_connections,
                total_followers, role,
                exists (select from connection where user_id = $1 and target_id = account.id) as "following!",
                exists (select from connection where user_id = account.id and target_id = $1) as "followed_by!",
                exists (select from block where user_id = $1 and target_id = account.id) as "blocked!",
                exists (select from block where user_id = account.id and target_id = $1) as "hidden!"
            from unnest($2::uuid[]) with ordinality as wanted (id, place) join account on account.id = wanted.id
            order by place"#,
            viewer,
            ids
        )
        .fetch_all(db)
        .await
    }

    /// One person as `viewer` sees them; none when the viewer does not.
    pub async fn find(db: impl PgExecutor<'_>, viewer: Uuid, id: Uuid) -> sqlx::Result<Option<Self>> {
        Ok(Self::load(db, viewer, &[id]).await?.pop().filter(|profile| !profile.hidden))
    }

    /// Changes what is given; none when there is no such person.
    pub async fn update(tx: &mut PgTransaction<'_>, id: Uuid, update: &ProfileUpdate) -> sqlx::Result<Option<Self>> {
        let skeleton = update.username.value.as_deref().map(skeleton);
        let found = sqlx::query_scalar!(
            "update account set
                username = case when $2 then $3 else username end,
                username_skeleton = case when $2 then $4 else username_skeleton end,
                first_name = case when $5 then $6 else first_name end,
                last_name = case when $7 then $8 else last_name end,
                bio = case when $9 then $10 else bio end,
                location = case when $11 then $12 else location end,
                birth_date = case when $13 then $14 else birth_date end,
                avatar_url = case when $15 then $16 else avatar_url end,
                show_age = coalesce($17, show_age),
                interests = coalesce($18, interests),
                updated_by = id, updated_at = greatest(now(), updated_at + interval '1 microsecond')
            where id = $1 returning id",
            id,
            update.username.given,
            update.username.value,
            skeleton,
            update.first_name.given,
            update.first_name.value,
            update.last_name.given,
            update.last_name.value,
            update.bio.given,
            update.bio.value,
            update.location.given,
            update.location.value,
            update.birth_date.given,
            update.birth_date.value,
            update.avatar_url.given,
            update.avatar_url.value,
            update.show_age,
            update.interests.as_deref()
        )
        .fetch_optional(&mut **tx)
        .await?;
        match found {
            Some(id) => Self::find(&mut **tx, id, id).await,
            None => Ok(None),
        }
    }
}

/// Who has that username, in any case.
pub async fn find_by_username(db: impl PgExecutor<'_>, username: &str) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!(r#"select id from account where lower(username collate "C") = lower($1 collate "C")"#, username)
        .fetch_optional(db)
        .await
}

/// All users that `viewer` may meet in a list, those who joined last first.
pub async fn list_visible(db: impl PgExecutor<'_>, viewer: Uuid, before: Cursor, rows: i64) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "select id from account where (date_joined, id) < ($2, $3)
            and not exists (select from block where block.user_id = $1 and block.target_id = account.id)
            and not exists (select from block where block.user_id = account.id and block.target_id = $1)
        order by date_joined desc, id desc limit $4",
        viewer,
        before.at,
        before.id,
        rows
    )
    .fetch_all(db)
    .await
}
