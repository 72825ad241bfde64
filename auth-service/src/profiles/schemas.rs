//! Profiles in the API: what a person may say of themselves, and who sees what of it.
use chrono::{NaiveDate, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::{FieldUpdate, Profile, ProfileUpdate};
use super::services::{AGE, AVATAR_URL, USERNAME, age, read_avatar_url, username_fault};
use crate::core::api::errors::Error;
use crate::core::contract::fields::{Fields, Input};
use crate::names::schemas::{name, optional_words};
use crate::users::address;
use crate::users::schemas::{NAME, UserOut, interests};

/// The longest text about oneself, in characters.
const BIO: usize = 500;
/// The longest name of a place, in characters.
const LOCATION: usize = 100;
/// The longest text that is a day: `2026-11-20`.
const DAY: usize = 10;
/// People that are looked up at once, at most.
const LOOKUP: usize = 100;

/// What a person changes of their profile: a field that is not given stays as it is, null clears it
#[derive(ToSchema)]
#[schema(examples(json!({
    "username": "anna.b", "bio": "Reads at night.", "birth_date": "1990-05-17", "interests": ["NEWS", "SPORTS"],
})))]
pub struct ProfileIn {
    /// 3 to 30 letters, digits, `_` and `.`, in any case; unique, also among names that look alike
    #[schema(value_type = Option<String>, min_length = 3, max_length = 30, examples("anna.b"))]
    pub username: FieldUpdate<String>,
    #[schema(value_type = Option<String>, max_length = 100)]
    pub first_name: FieldUpdate<String>,
    #[schema(value_type = Option<String>, max_length = 100)]
    pub last_name: FieldUpdate<String>,
    /// At most 500 characters
    #[schema(value_type = Option<String>, max_length = 500)]
    pub bio: FieldUpdate<String>,
    /// At most 100 characters
    #[schema(value_type = Option<String>, max_length = 100)]
    pub location: FieldUpdate<String>,
    /// Gives an age of 13 to 122 years; only the owner sees it
    #[schema(value_type = Option<NaiveDate>)]
    pub birth_date: FieldUpdate<NaiveDate>,
    /// Whether others see the age that follows from the birth date; not null
    #[schema(value_type = bool, required = false)]
    pub show_age: Option<bool>,
    /// http or https
    #[schema(value_type = Option<String>, max_length = 2048, examples("https://example.com/anna.png"))]
    pub avatar_url: FieldUpdate<String>,
    /// Interests, as /users/interests-choices lists them; not null
    #[schema(value_type = Vec<String>, required = false, examples("NEWS", "SPORTS"))]
    pub interests: Option<Vec<Value>>,
}

impl Input for ProfileIn {
    fn read(fields: &mut Fields) -> Self {
        Self {
            username: username(fields),
            first_name: update(fields, "first_name", NAME, name),
            last_name: update(fields, "last_name", NAME, name),
            bio: update(fields, "bio", BIO, optional_words),
            location: update(fields, "location", LOCATION, optional_words),
            birth_date: birth_date(fields, Utc::now().date_naive()),
            show_age: boolean(fields, "show_age"),
            avatar_url: avatar_url(fields),
            interests: fields.value("interests").map(|_| fields.list("interests")),
        }
    }
}

impl ProfileIn {
    /// What is to be changed, when the interests are ones.
    pub fn into_update(self) -> Result<ProfileUpdate, Error> {
        Ok(ProfileUpdate {
            username: self.username,
            first_name: self.first_name,
            last_name: self.last_name,
            bio: self.bio,
            location: self.location,
            birth_date: self.birth_date,
            avatar_url: self.avatar_url,
            show_age: self.show_age,
            interests: self.interests.as_deref().map(interests).transpose()?,
        })
    }
}

/// A field that may be missing or null, as `read` reads it.
fn update(
    fields: &mut Fields,
    field: &'static str,
    max: usize,
    read: fn(&mut Fields, &'static str, usize) -> Option<String>,
) -> FieldUpdate<String> {
    FieldUpdate { given: fields.value(field).is_some(), value: read(fields, field, max) }
}

fn text(fields: &mut Fields, field: &'static str, max: usize) -> FieldUpdate<String> {
    update(fields, field, max, Fields::optional_text)
}

fn username(fields: &mut Fields) -> FieldUpdate<String> {
    let faults = fields.errors.len();
    let change = text(fields, "username", USERNAME.1);
    let fault = change.value.as_deref().and_then(username_fault);
    if let Some(fault) = fault.filter(|_| fields.errors.len() == faults) {
        fields.refuse("username", fault, "value_error.username", None);
    }
    change
}

fn birth_date(fields: &mut Fields, today: NaiveDate) -> FieldUpdate<NaiveDate> {
    let faults = fields.errors.len();
    let FieldUpdate { given, value } = text(fields, "birth_date", DAY);
    let day = value.as_deref().and_then(|text| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok());
    if fields.errors.len() == faults {
        if value.is_some() && day.is_none() {
            fields.refuse("birth_date", "invalid date format", "value_error.date", None);
        } else if day.is_some_and(|day| !age(day, today).is_some_and(|age| (AGE.0..=AGE.1).contains(&age))) {
            let msg = format!("ensure this date gives an age of {} to {} years", AGE.0, AGE.1);
            fields.refuse("birth_date", msg, "value_error.date.age", None);
        }
    }
    FieldUpdate { given, value: day }
}

fn avatar_url(fields: &mut Fields) -> FieldUpdate<String> {
    let faults = fields.errors.len();
    let FieldUpdate { given, value } = text(fields, "avatar_url", AVATAR_URL);
    let Some(text) = value.filter(|_| fields.errors.len() == faults) else { return FieldUpdate { given, value: None } };
    let url = read_avatar_url(&text);
    match &url {
        None => fields.refuse("avatar_url", "invalid or missing URL scheme or host", "value_error.url", None),
        // What is not ASCII is longer when it is escaped.
        Some(url) if url.len() > AVATAR_URL => {
            let msg = format!("ensure this value has at most {AVATAR_URL} characters, its escapes included");
            let ctx = json!({ "limit_value": AVATAR_URL });
            fields.refuse("avatar_url", msg, "value_error.any_str.max_length", Some(ctx));
        }
        Some(_) => {}
    }
    FieldUpdate { given, value: url }
}

/// Yes or no; may be missing, not null.
fn boolean(fields: &mut Fields, name: &'static str) -> Option<bool> {
    match fields.value(name)? {
        Value::Bool(said) => return Some(said),
        Value::Null => fields.refuse(name, "none is not an allowed value", "type_error.none.not_allowed", None),
        _ => fields.refuse(name, "value could not be parsed to a boolean", "type_error.bool", None),
    }
    None
}

/// Whose profiles are wanted.
#[derive(ToSchema)]
#[schema(examples(json!({ "ids": ["00000000-0000-7000-8000-000000000001"] })))]
pub struct Lookup {
    /// At most 100
    #[schema(max_items = 100)]
    pub ids: Vec<Uuid>,
}

impl Input for Lookup {
    fn read(fields: &mut Fields) -> Self {
        let given = fields.list("ids");
        if given.len() > LOOKUP {
            let msg = format!("ensure this value has at most {LOOKUP} items");
            fields.refuse("ids", msg, "value_error.list.max_items", Some(json!({ "limit_value": LOOKUP })));
        }
        let ids: Vec<Uuid> =
            given.iter().filter_map(|value| value.as_str().and_then(|text| text.parse().ok())).collect();
        if ids.len() < given.len() {
            fields.refuse("ids", "value is not a valid uuid", "type_error.uuid", None);
        }
        Self { ids }
    }
}

/// The part of a profile that is the same for all viewers
#[derive(Serialize, ToSchema)]
pub struct About {
    /// Null until they choose one
    pub username: Option<String>,
    pub bio: Option<String>,
    pub location: Option<String>,
    pub avatar_url: Option<String>,
    /// The wide picture of the profile, when one was uploaded
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub banner_url: Option<String>,
    /// How many people they are connected to
    pub total_connections: i64,
    /// How many people are connected to them
    pub total_followers: i64,
}

impl From<&Profile> for About {
    fn from(profile: &Profile) -> Self {
        Self {
            username: profile.username.clone(),
            bio: profile.bio.clone(),
            location: profile.location.clone(),
            avatar_url: profile.avatar_url.clone(),
            banner_url: profile.banner_url.clone(),
            total_connections: profile.total_connections,
            total_followers: profile.total_followers,
        }
    }
}

impl From<&Profile> for UserOut {
    fn from(profile: &Profile) -> Self {
        Self {
            id: profile.id,
            created_at: profile.created_at,
            created_by: profile.created_by,
            updated_at: profile.updated_at,
            updated_by: profile.updated_by,
            email: address::shown(&profile.email),
            first_name: profile.first_name.clone(),
            last_name: profile.last_name.clone(),
            is_verified: profile.is_verified,
            date_joined: profile.date_joined,
            rating: profile.rating,
            status: profile.status,
            interests: profile.interests.clone(),
            role: profile.role,
        }
    }
}

/// A user as others see them; `email` is empty, since only its owner sees an address
#[derive(Serialize, ToSchema)]
pub struct ProfileOut {
    #[serde(flatten)]
    pub user: UserOut,
    #[serde(flatten)]
    pub about: About,
    /// In full years; null unless they want it to be seen
    pub age: Option<u32>,
    /// Whether the caller is connected to them
    pub following: bool,
    /// Whether they are connected to the caller
    pub followed_by: bool,
    /// Whether the caller has blocked them
    pub blocked: bool,
}

impl ProfileOut {
    /// What `viewer` sees of a user, on that day.
    pub fn new(profile: &Profile, viewer: Uuid, today: NaiveDate) -> Self {
        let mut user = UserOut::from(profile);
        if user.id != viewer {
            user.email.clear();
        }
        Self {
            user,
            about: About::from(profile),
            age: profile.birth_date.filter(|_| profile.show_age).and_then(|birth| age(birth, today)),
            following: profile.following,
            followed_by: profile.followed_by,
            blocked: profile.blocked,
        }
    }

    /// A list as `viewer` sees it, on that day.
    pub fn list(profiles: &[Profile], viewer: Uuid, today: NaiveDate) -> Vec<Self> {
        profiles.iter().map(|profile| Self::new(profile, viewer, today)).collect()
    }
}

/// A person as they see themselves
#[derive(Serialize, ToSchema)]
pub struct OwnProfileOut {
    #[serde(flatten)]
    pub user: UserOut,
    #[serde(flatten)]
    pub about: About,
    pub birth_date: Option<NaiveDate>,
    /// Whether others see the age that follows from the birth date
    pub show_age: bool,
    /// The address that takes the place of `email` as soon as it is verified
    pub pending_email: Option<String>,
}

impl From<Profile> for OwnProfileOut {
    fn from(profile: Profile) -> Self {
        Self {
            user: UserOut::from(&profile),
            about: About::from(&profile),
            birth_date: profile.birth_date,
            show_age: profile.show_age,
            pending_email: profile.pending_email.as_deref().map(address::shown),
        }
    }
}

/// The payload of `user_updated`: the contract's User, what a text about them needs, and what others read of them.
#[derive(Serialize)]
pub struct UserUpdated {
    #[serde(flatten)]
    user: UserOut,
    username: Option<String>,
    avatar_url: Option<String>,
    /// What they say of themselves, for moderation.
    bio: Option<String>,
}

impl From<&Profile> for UserUpdated {
    fn from(profile: &Profile) -> Self {
        Self {
            user: UserOut::from(profile),
            username: profile.username.clone(),
            avatar_url: profile.avatar_url.clone(),
            bio: profile.bio.clone(),
        }
    }
}
