//! Preferences in the API: what a user may choose, and what holds for them.
use std::collections::BTreeMap;

use chrono::NaiveTime;
use chrono_tz::Tz;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{ChannelChoice, Channels, Preferences, QuietHours, TYPES};
use crate::core::contract::fields::{Fields, Input, invalid};
use crate::notifications::Type;

/// How a time of the day is written.
const TIME: &str = "%H:%M";
/// The last hour of a day.
const LAST_HOUR: i64 = 23;

/// A part of the day in the user's time zone, in which nothing is sent at once
#[derive(Serialize, ToSchema)]
pub struct QuietHoursOut {
    /// Hours and minutes
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", examples("22:00"))]
    pub from: String,
    /// The end, which may be on the next day
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", examples("07:00"))]
    pub to: String,
}

/// What a user is notified of, how and when
#[derive(Serialize, ToSchema)]
#[schema(examples(json!({
    "types": {
        "POST_REACTION_RECEIVED": { "in_app": true, "mail": "DIGEST", "push": false },
        "POST_COMMENT_RECEIVED": { "in_app": true, "mail": "DIGEST", "push": true },
        "CONNECTION_RECOMMENDATION": { "in_app": true, "mail": "NEVER", "push": false },
        "POST_RECOMMENDATION": { "in_app": true, "mail": "NEVER", "push": false },
        "SYSTEM_MESSAGE": { "in_app": true, "mail": "AT_ONCE", "push": true },
        "PROFILE_ACTIVITY": { "in_app": true, "mail": "NEVER", "push": false },
        "USER_CONNECTED": { "in_app": true, "mail": "DIGEST", "push": true },
        "USER_MENTIONED": { "in_app": true, "mail": "AT_ONCE", "push": true },
        "COMMENT_REPLY": { "in_app": true, "mail": "DIGEST", "push": true },
        "COMMENT_REACTION_RECEIVED": { "in_app": true, "mail": "DIGEST", "push": false }
    },
    "time_zone": "Europe/Berlin", "digest_hour": 18, "quiet_hours": { "from": "22:00", "to": "07:00" }
})))]
pub struct PreferencesOut {
    /// The channels of every type of notification
    #[schema(value_type = std::collections::HashMap<String, Channels>)]
    pub types: BTreeMap<Type, Channels>,
    /// A name of the IANA time zone database
    pub time_zone: String,
    /// The hour at which the daily digest comes
    pub digest_hour: u32,
    /// Null: there are none
    pub quiet_hours: Option<QuietHoursOut>,
}

impl From<Preferences> for PreferencesOut {
    fn from(preferences: Preferences) -> Self {
        let text = |time: NaiveTime| time.format(TIME).to_string();
        Self {
            types: TYPES.into_iter().map(|r#type| (r#type, preferences.channels(r#type))).collect(),
            time_zone: preferences.time_zone.name().to_owned(),
            digest_hour: preferences.digest_hour,
            quiet_hours: preferences
                .quiet_hours
                .map(|quiet| QuietHoursOut { from: text(quiet.from), to: text(quiet.to) }),
        }
    }
}

/// A field that may be left out, and may be null.
pub struct FieldUpdate<T> {
    pub given: bool,
    pub value: Option<T>,
}

/// What a user changes of their preferences: what is not given stays as it is
#[derive(ToSchema)]
#[schema(examples(json!({
    "types": { "POST_REACTION_RECEIVED": { "mail": "NEVER" }, "USER_MENTIONED": { "mail": "AT_ONCE", "push": true } },
    "time_zone": "Europe/Berlin", "digest_hour": 18, "quiet_hours": { "from": "22:00", "to": "07:00" },
})))]
pub struct PreferencesIn {
    /// By type of notification, the channels that change; not null
    #[schema(value_type = std::collections::HashMap<String, ChannelChoice>, required = false)]
    types: BTreeMap<Type, ChannelChoice>,
    /// A name of the IANA time zone database; not null
    #[schema(value_type = String, required = false)]
    time_zone: Option<Tz>,
    /// The hour at which the daily digest comes; not null
    #[schema(value_type = i64, required = false, minimum = 0, maximum = 23)]
    digest_hour: Option<u32>,
    /// Null: there are none
    #[schema(value_type = Option<QuietHoursOut>, required = false)]
    quiet_hours: FieldUpdate<QuietHours>,
}

impl Input for PreferencesIn {
    fn read(fields: &mut Fields) -> Self {
        Self {
            types: types(fields),
            time_zone: time_zone(fields),
            digest_hour: digest_hour(fields),
            quiet_hours: quiet_hours(fields),
        }
    }
}

impl PreferencesIn {
    /// Changes preferences as the user wants.
    pub fn apply(self, preferences: &mut Preferences) {
        for (r#type, change) in self.types {
            let choice = preferences.choices.entry(r#type).or_default();
            choice.in_app = change.in_app.or(choice.in_app);
            choice.mail = change.mail.or(choice.mail);
            choice.push = change.push.or(choice.push);
        }
        preferences.time_zone = self.time_zone.unwrap_or(preferences.time_zone);
        preferences.digest_hour = self.digest_hour.unwrap_or(preferences.digest_hour);
        if self.quiet_hours.given {
            preferences.quiet_hours = self.quiet_hours.value;
        }
    }
}

fn refuse_at(fields: &mut Fields, place: &[&str], msg: impl Into<String>, kind: &'static str) {
    let place: Vec<&str> = std::iter::once("body").chain(place.iter().copied()).collect();
    fields.errors.push(invalid(&place, msg, kind, None));
}

/// The object that was given for a field; none, and the refusal, when it is something else.
fn object(fields: &mut Fields, name: &'static str) -> Option<Map<String, Value>> {
    match fields.value(name)? {
        Value::Object(object) => return Some(object),
        Value::Null => fields.refuse(name, "none is not an allowed value", "type_error.none.not_allowed", None),
        _ => fields.refuse(name, "value is not a valid dict", "type_error.dict", None),
    }
    None
}

/// What is given for a type, in each channel; every word is checked.
fn types(fields: &mut Fields) -> BTreeMap<Type, ChannelChoice> {
    let mut choices = BTreeMap::new();
    for (word, channels) in object(fields, "types").unwrap_or_default() {
        let Ok(r#type) = serde_json::from_value::<Type>(json!(word)) else {
            refuse_at(fields, &["types", &word], "no type of notification has this name", "value_error.extra");
            continue;
        };
        let Value::Object(channels) = channels else {
            refuse_at(fields, &["types", &word], "value is not a valid dict", "type_error.dict");
            continue;
        };
        let mut choice = ChannelChoice::default();
        for (channel, value) in channels {
            let place = ["types", &word, &channel];
            match channel.as_str() {
                "in_app" => choice.in_app = switch(fields, &place, value),
                "push" => choice.push = switch(fields, &place, value),
                "mail" => {
                    let expected = "value is not one of 'AT_ONCE', 'DIGEST', 'NEVER'";
                    choice.mail = read(fields, &place, value, expected, "type_error.enum");
                }
                _ => refuse_at(fields, &place, "no channel has this name", "value_error.extra"),
            }
        }
        choices.insert(r#type, choice);
    }
    choices
}

fn switch(fields: &mut Fields, place: &[&str], value: Value) -> Option<bool> {
    read(fields, place, value, "value could not be parsed to a boolean", "type_error.bool")
}

fn read<T: DeserializeOwned>(
    fields: &mut Fields,
    place: &[&str],
    value: Value,
    refusal: &str,
    kind: &'static str,
) -> Option<T> {
    let read = serde_json::from_value(value).ok();
    if read.is_none() {
        refuse_at(fields, place, refusal, kind);
    }
    read
}

fn time_zone(fields: &mut Fields) -> Option<Tz> {
    let value = fields.value("time_zone")?;
    let zone = value.as_str().and_then(|name| name.parse().ok());
    if zone.is_none() {
        let refusal = "value is not the name of a time zone, such as Europe/Berlin";
        fields.refuse("time_zone", refusal, "value_error.time_zone", None);
    }
    zone
}

fn digest_hour(fields: &mut Fields) -> Option<u32> {
    let value = fields.value("digest_hour")?;
    let hour = value.as_i64().filter(|hour| (0..=LAST_HOUR).contains(hour)).and_then(|hour| u32::try_from(hour).ok());
    if hour.is_none() {
        fields.refuse("digest_hour", "value is not a whole number from 0 to 23", "value_error.hour", None);
    }
    hour
}

fn quiet_hours(fields: &mut Fields) -> FieldUpdate<QuietHours> {
    let given = match fields.value("quiet_hours") {
        None => return FieldUpdate { given: false, value: None },
        Some(Value::Null) => None,
        Some(_) => object(fields, "quiet_hours"),
    };
    let Some(given) = given else { return FieldUpdate { given: true, value: None } };
    let faults = fields.errors.len();
    let mut time = |name: &str| {
        let text = given.get(name).and_then(Value::as_str);
        let time = text.filter(|text| text.len() == "00:00".len());
        let time = time.and_then(|text| NaiveTime::parse_from_str(text, TIME).ok());
        if time.is_none() {
            refuse_at(
                fields,
                &["quiet_hours", name],
                "value is not a time of the day, such as 22:00",
                "value_error.time",
            );
        }
        time
    };
    let (from, to) = (time("from"), time("to"));
    for name in given.keys().filter(|name| !["from", "to"].contains(&name.as_str())) {
        refuse_at(fields, &["quiet_hours", name], "extra fields not permitted", "value_error.extra");
    }
    // From seven to seven could be the whole day or nothing of it.
    if fields.errors.len() == faults && from == to {
        refuse_at(fields, &["quiet_hours"], "they end when they begin", "value_error.quiet_hours");
    }
    FieldUpdate { given: true, value: from.zip(to).map(|(from, to)| QuietHours { from, to }) }
}
