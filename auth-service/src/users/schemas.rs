//! People in the API: what comes in, what goes out, and what is a valid one.
use std::collections::HashSet;
use std::sync::LazyLock;

use axum::http::StatusCode;
use chrono::{DateTime, SubsecRound, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::address::{self, AddressFault, EmailAddress};
use super::models::{Account, Draft};
use super::{INTERESTS, Role, Status};
use crate::app::passwords::opaque_string;
use crate::core::api::errors::Error;
use crate::core::contract::extract::BODY_LIMIT;
use crate::core::contract::fields::{Fields, Input};
use crate::core::contract::timestamp::Timestamp;
use crate::names::schemas::name;

/// The longest address, in characters.
const EMAIL: usize = 50;
/// The longest name, in characters.
pub const NAME: usize = 100;
/// The longest text that holds an id: `urn:uuid:` and 36 digits and dashes.
const ID: usize = 45;
/// The shortest and the longest password, in characters. NIST SP 800-63B: at least 8, and long ones are welcome.
const PASSWORD: (usize, usize) = (8, 128);

/// The longest password that is compared; a body is no longer.
pub const ANY_PASSWORD: usize = BODY_LIMIT;

/// Passwords that attackers try first, in lower case; common-passwords.md says where they come from.
static COMMON: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("common-passwords.txt").lines().collect());

/// A person as they describe themselves.
#[derive(ToSchema)]
#[schema(examples(json!({
    "email": "anna@example.com", "first_name": "Anna", "password": "a good anna secret", "interests": ["NEWS"],
})))]
pub struct UserIn {
    /// At most 50 characters
    #[schema(value_type = String, max_length = 50, examples("anna@example.com"))]
    pub email: EmailAddress,
    #[schema(max_length = 100)]
    pub first_name: Option<String>,
    #[schema(max_length = 100)]
    pub last_name: Option<String>,
    /// 8 to 128 characters, none of the commonest passwords
    #[schema(min_length = 8, max_length = 128)]
    pub password: String,
    /// Interests, as /users/interests-choices lists them
    #[schema(value_type = Vec<String>, examples("NEWS", "SPORTS"))]
    pub interests: Vec<Value>,
}

impl Input for UserIn {
    fn read(fields: &mut Fields) -> Self {
        // Clients of the original may send them; who made an account is not for the caller to say.
        for name in ["created_by", "updated_by"] {
            ignored_id(fields, name);
        }
        Self {
            email: email(fields, "email", EMAIL),
            first_name: name(fields, "first_name", NAME),
            last_name: name(fields, "last_name", NAME),
            password: password(fields, "password"),
            interests: fields.list("interests"),
        }
    }
}

impl UserIn {
    /// What is stored of it beside the password.
    pub fn draft<'a>(&'a self, interests: &'a [String]) -> Draft<'a> {
        Draft {
            email: &self.email,
            first_name: self.first_name.as_deref(),
            last_name: self.last_name.as_deref(),
            interests,
        }
    }
}

/// Interests, when all of them are ones.
pub fn interests(given: &[Value]) -> Result<Vec<String>, Error> {
    let known = |value: &Value| value.as_str().filter(|word| INTERESTS.contains(word)).map(str::to_owned);
    let refusal = Error::Refused(StatusCode::BAD_REQUEST, "Should be from valid interest choices");
    given.iter().map(known).collect::<Option<_>>().ok_or(refusal)
}

fn ignored_id(fields: &mut Fields, name: &'static str) {
    let text = fields.optional_text(name, ID);
    if text.is_some_and(|text| Uuid::try_parse(&text).is_err()) {
        fields.refuse(name, "value is not a valid uuid", "type_error.uuid", None);
    }
}

/// An address to which mail can be sent, of at most `max` characters.
pub fn email(fields: &mut Fields, name: &'static str, max: usize) -> EmailAddress {
    optional_email(fields, name, max, true).unwrap_or_default()
}

/// The address of who signs in; none when the text is none, which no account has.
pub fn email_of_account(fields: &mut Fields, name: &'static str, max: usize) -> Option<EmailAddress> {
    optional_email(fields, name, max, false)
}

fn optional_email(fields: &mut Fields, name: &'static str, max: usize, has_form: bool) -> Option<EmailAddress> {
    let faults = fields.errors.len();
    let text = fields.text(name, max);
    if fields.errors.len() > faults {
        return None;
    }
    match EmailAddress::parse(&text) {
        Ok(address) => return Some(address),
        Err(AddressFault::Invisible) => {
            fields.refuse(name, "invisible characters are not allowed", "value_error.email.invisible", None);
        }
        Err(AddressFault::Malformed) if has_form => {
            fields.refuse(name, "value is not a valid email address", "value_error.email", None);
        }
        Err(AddressFault::Malformed) => {}
    }
    None
}

/// A password that is good enough to be stored.
pub fn password(fields: &mut Fields, name: &'static str) -> String {
    let faults = fields.errors.len();
    let (shortest, longest) = PASSWORD;
    let text = fields.text(name, BODY_LIMIT);
    if fields.errors.len() > faults {
        return text;
    }
    // Counted and compared as it is hashed: however its letters came, a password has one length.
    let opaque = opaque_string(&text);
    let length = opaque.chars().count();
    if length > longest {
        let msg = format!("ensure this value has at most {longest} characters");
        fields.refuse(name, msg, "value_error.any_str.max_length", Some(json!({ "limit_value": longest })));
    } else if length < shortest {
        let msg = format!("ensure this value has at least {shortest} characters");
        fields.refuse(name, msg, "value_error.any_str.min_length", Some(json!({ "limit_value": shortest })));
    } else if COMMON.contains(opaque.to_lowercase().as_str()) {
        fields.refuse(name, "this password is one of the most common", "value_error.password.common", None);
    }
    text
}

/// A person, as the contract has them
#[derive(Serialize, ToSchema)]
pub struct UserOut {
    pub id: Uuid,
    pub created_at: Timestamp,
    /// Always null: people make their accounts themselves
    pub created_by: Option<Uuid>,
    pub updated_at: Timestamp,
    pub updated_by: Option<Uuid>,
    /// Its domain is in Unicode where it is not ASCII
    pub email: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    /// Whether they have shown that they read the mails of their address
    pub is_verified: bool,
    pub date_joined: Timestamp,
    pub rating: f64,
    pub status: Status,
    pub interests: Vec<String>,
    /// What they may do beyond their own things
    pub role: Role,
}

impl UserOut {
    /// A person who does not exist, such as would have signed up at `now`: what is answered for an address that has an
    /// account already, so that nobody learns from it which addresses have one.
    pub fn imitating(draft: &Draft<'_>, now: DateTime<Utc>) -> Self {
        // To the microsecond, as the database would have it.
        let at = Timestamp(now.trunc_subsecs(6));
        Self {
            id: Uuid::now_v7(),
            created_at: at,
            created_by: None,
            updated_at: at,
            updated_by: None,
            email: address::shown(draft.email.as_str()),
            first_name: draft.first_name.map(str::to_owned),
            last_name: draft.last_name.map(str::to_owned),
            is_verified: false,
            date_joined: at,
            rating: 0.0,
            status: Status::Inactive,
            interests: draft.interests.to_vec(),
            role: Role::User,
        }
    }
}

impl From<Account> for UserOut {
    fn from(account: Account) -> Self {
        Self {
            id: account.id,
            created_at: account.created_at,
            created_by: account.created_by,
            updated_at: account.updated_at,
            updated_by: account.updated_by,
            email: address::shown(&account.email),
            first_name: account.first_name,
            last_name: account.last_name,
            is_verified: account.is_verified,
            date_joined: account.date_joined,
            rating: account.rating,
            status: account.status,
            interests: account.interests,
            role: account.role,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commonest_passwords_are_those_that_would_pass_otherwise() {
        assert!(COMMON.len() > 3000);
        let (shortest, longest) = PASSWORD;
        for password in COMMON.iter() {
            assert!((shortest..=longest).contains(&password.chars().count()), "{password}");
            assert_eq!(password.to_lowercase(), **password);
        }
    }
}
