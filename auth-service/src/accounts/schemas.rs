//! Accounts in the API and in events.
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::core::api::errors::Error;
use crate::core::contract::fields::{Fields, Input};
use crate::core::contract::timestamp::Timestamp;
use crate::users::address;
use crate::users::models::Account;
use crate::users::schemas::{ANY_PASSWORD, UserIn, UserOut};

/// For how many seconds after a sign-in its session may change the address and the password without the current password.
pub const RECENT_SECONDS: f64 = 600.0;

/// An account as its owner wants it
#[derive(ToSchema)]
#[schema(examples(json!({
    "email": "anna@example.com", "first_name": "Anna", "password": "a good anna secret", "interests": ["NEWS"],
})))]
#[expect(dead_code, reason = "it describes the fields that `AccountUpdate` reads")]
pub struct UserUpdateIn {
    /// At most 50 characters; a new one counts once it is verified
    #[schema(max_length = 50, examples("anna@example.com"))]
    email: String,
    #[schema(max_length = 100)]
    first_name: Option<String>,
    #[schema(max_length = 100)]
    last_name: Option<String>,
    /// The current password, or a new one of 8 to 128 characters that is none of the commonest
    #[schema(min_length = 8, max_length = 128)]
    password: String,
    /// Interests, as /users/interests-choices lists them
    #[schema(examples("NEWS", "SPORTS"))]
    interests: Vec<String>,
    /// The current password, where `password` is a new one and the sign-in was more than 10 minutes ago
    current_password: Option<String>,
}

/// An account as its owner wants it, and the proof that it is the owner.
pub struct AccountUpdate {
    pub user: UserIn,
    pub current_password: Option<String>,
}

impl Input for AccountUpdate {
    fn read(fields: &mut Fields) -> Self {
        Self { user: UserIn::read(fields), current_password: fields.optional_text("current_password", ANY_PASSWORD) }
    }
}

/// An account, as its owner sees it
#[derive(Serialize, ToSchema)]
pub struct AccountOut {
    #[serde(flatten)]
    pub user: UserOut,
    /// The address that takes the place of `email` as soon as it is verified
    pub pending_email: Option<String>,
}

impl From<Account> for AccountOut {
    fn from(account: Account) -> Self {
        Self { pending_email: account.pending_email.as_deref().map(address::shown), user: account.into() }
    }
}

/// A mailed token that takes a change back
#[derive(ToSchema)]
#[schema(examples(json!({ "token": "JxVQ2mS0oT4nYb8cLr5WdZ1hKe7uGf3aPi9vNq6tXyM" })))]
pub struct UndoChange {
    /// From the mail about the change
    #[schema(max_length = 128)]
    pub token: String,
}

impl Input for UndoChange {
    const CLOSED: bool = false;

    fn read(fields: &mut Fields) -> Self {
        Self { token: fields.text("token", MAILED_TOKEN) }
    }
}

/// The longest token that goes by mail, in characters; ours have 43.
pub const MAILED_TOKEN: usize = 128;

/// A problem document about a sign-in that is too long ago
#[derive(Serialize, ToSchema)]
pub struct SignInNeeded {
    /// Always `about:blank`
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: Value,
    /// `insufficient_user_authentication`, as in the header `WWW-Authenticate` (RFC 9470)
    code: &'static str,
}

/// Why a change of an account is refused.
pub enum ChangeRefusal {
    /// The caller has to sign in again, or to send the current password.
    SignInNeeded,
    Other(Error),
}

impl<E: Into<Error>> From<E> for ChangeRefusal {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

impl IntoResponse for ChangeRefusal {
    fn into_response(self) -> Response {
        if let Self::Other(error) = self {
            return error.into_response();
        }
        let challenge = HeaderValue::from_static("Bearer error=\"insufficient_user_authentication\", max_age=\"600\"");
        let problem = SignInNeeded {
            r#type: "about:blank",
            title: "Unauthorized",
            status: 401,
            detail: json!("Sign in again, or send the current password"),
            code: "insufficient_user_authentication",
        };
        let kind = HeaderValue::from_static("application/problem+json");
        let headers = [(header::WWW_AUTHENTICATE, challenge), (header::CONTENT_TYPE, kind)];
        (StatusCode::UNAUTHORIZED, headers, Json(problem)).into_response()
    }
}

/// The payload of `user_deleted`: what other services need to erase the data, and nothing personal.
#[derive(Serialize)]
pub struct UserDeleted {
    pub id: Uuid,
    pub deleted_at: Timestamp,
}

/// The payload of `linked_account_changed`: neither who the person is at the provider, nor a token.
#[derive(Serialize)]
pub struct LinkedAccountChanged<'a> {
    pub user_id: Uuid,
    pub provider: &'a str,
    /// Whether the account is linked from then on.
    pub linked: bool,
    pub at: Timestamp,
}
