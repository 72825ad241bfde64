//! Signing up and in, in the API: what comes in, and what goes out.
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::models::ResetRequest;
use crate::core::api::errors::Error;
use crate::core::contract::extract::Query;
use crate::core::contract::fields::{Fields, Input, Invalid};
use crate::users::address::EmailAddress;
use crate::users::schemas::{ANY_PASSWORD, email, email_of_account, password};

/// The longest address that a request may name, in characters (RFC 5321: a path of 256 with its brackets).
const EMAIL: usize = 254;
/// The longest password that is compared, and the longest text that may be an address.
const ANY: usize = ANY_PASSWORD;
/// The longest token that goes by mail, in characters; ours have 43.
const TOKEN: usize = 128;

/// Who signs in.
#[derive(ToSchema)]
#[schema(examples(json!({ "email": "anna@example.com", "password": "a good anna secret" })))]
pub struct SignIn {
    #[schema(value_type = String, examples("anna@example.com"))]
    pub email: Option<EmailAddress>,
    pub password: String,
}

impl Input for SignIn {
    const CLOSED: bool = false;

    fn read(fields: &mut Fields) -> Self {
        Self { email: email_of_account(fields, "email", ANY), password: fields.text("password", ANY) }
    }
}

/// Who signs in, as OAuth 2 has it (RFC 6749, section 4.3.2). `grant_type` may be given and is `password` then.
#[derive(ToSchema)]
#[schema(examples(json!({ "username": "anna@example.com", "password": "a good anna secret" })))]
pub struct TokenForm {
    /// The address
    #[schema(value_type = String)]
    pub username: Option<EmailAddress>,
    #[schema(format = Password)]
    pub password: String,
}

impl Input for TokenForm {
    const CLOSED: bool = false;

    fn read(fields: &mut Fields) -> Self {
        let grant_type = fields.optional_text("grant_type", ANY);
        if grant_type.as_ref().is_some_and(|kind| !kind.starts_with("password")) {
            let ctx = json!({ "pattern": "password" });
            fields.refuse("grant_type", "string does not match regex \"password\"", "value_error.str.regex", Some(ctx));
        }
        Self { username: email_of_account(fields, "username", ANY), password: fields.text("password", ANY) }
    }
}

/// A new password, with the current one as proof.
#[derive(ToSchema)]
#[schema(examples(json!({
    "current_password": "a good anna secret", "new_password": "a better anna secret", "confirm_password": "a better anna secret",
})))]
#[expect(clippy::struct_field_names, reason = "the contract's names")]
pub struct ChangePassword {
    pub current_password: String,
    /// 8 to 128 characters, none of the commonest passwords
    #[schema(min_length = 8, max_length = 128)]
    pub new_password: String,
    pub confirm_password: String,
}

impl Input for ChangePassword {
    const CLOSED: bool = false;

    fn read(fields: &mut Fields) -> Self {
        Self {
            current_password: fields.text("current_password", ANY),
            new_password: password(fields, "new_password"),
            confirm_password: fields.text("confirm_password", ANY),
        }
    }
}

/// Where a mail with a token is to go.
pub struct MailRequest {
    pub email: EmailAddress,
}

impl Input for MailRequest {
    const CLOSED: bool = false;

    fn read(fields: &mut Fields) -> Self {
        Self { email: email(fields, "email", EMAIL) }
    }
}

/// A new password, with the token that was mailed.
pub struct ResetPassword {
    pub reset_token: String,
    pub password: String,
    pub confirmed_password: String,
}

impl Input for ResetPassword {
    const CLOSED: bool = false;

    fn read(fields: &mut Fields) -> Self {
        Self {
            reset_token: fields.text("reset_token", TOKEN),
            password: password(fields, "password"),
            confirmed_password: fields.text("confirmed_password", ANY),
        }
    }
}

/// The token that was mailed to an address to verify it.
pub struct Activation {
    pub activation_token: String,
}

impl Input for Activation {
    const CLOSED: bool = false;

    fn read(fields: &mut Fields) -> Self {
        Self { activation_token: fields.text("activation_token", TOKEN) }
    }
}

/// Reads parameters of a query by the rules of a body.
pub fn read<T: Input>(query: &Query) -> Result<T, Error> {
    let values = query.pairs.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    Fields::read(values).map_err(|mut errors: Vec<Invalid>| {
        for error in &mut errors {
            error.loc[0] = json!("query");
        }
        Error::Invalid(errors)
    })
}

/// That a password reset was requested; the same whether or not the address has an account
#[derive(Serialize, ToSchema)]
pub struct ResetRequested {
    pub updated_by: Option<Uuid>,
    /// Without an offset, as the original answers; it is UTC
    pub created_at: String,
    pub created_by: Option<Uuid>,
    /// Random: a true one would reveal that the address has an account
    pub user_id: Uuid,
    pub updated_at: String,
    /// The id of the request; it opens nothing
    pub id: Uuid,
}

impl From<ResetRequest> for ResetRequested {
    fn from(request: ResetRequest) -> Self {
        let at = request.requested_at.to_string().trim_end_matches("+00:00").to_owned();
        Self {
            updated_by: None,
            created_at: at.clone(),
            created_by: None,
            user_id: Uuid::now_v7(),
            updated_at: at,
            id: request.id,
        }
    }
}
