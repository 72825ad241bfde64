//! The text that is searched for.
use serde_json::json;

use crate::core::api::errors::Error;
use crate::core::contract::extract::Query;
use crate::core::contract::fields::{Invalid, invalid};

/// The shortest and the longest text that is looked for, in characters: with one character half of all people are found.
const LENGTH: (usize, usize) = (2, 50);

/// From how many characters on a text is similar to others, too: a shorter one has hardly a group of three of its own.
const TRIGRAM: usize = 3;

/// The text that is searched for: in lower case, without blanks around it and the `@` before a username.
#[derive(Debug, PartialEq, Eq)]
pub struct SearchText(pub String);

impl SearchText {
    /// Reads `q`.
    pub fn read(mut query: Query) -> Result<Self, Error> {
        let given = query.required("q");
        let text = given.trim();
        let text = text.strip_prefix('@').unwrap_or(text).to_lowercase();
        if let Some(fault) = fault(&text).filter(|_| query.errors.is_empty()) {
            query.errors.push(fault);
        }
        query.check()?;
        Ok(Self(text))
    }

    /// Whether names that nearly are this text are worth looking for.
    pub fn has_trigrams(&self) -> bool {
        self.0.chars().count() >= TRIGRAM
    }
}

fn fault(text: &str) -> Option<Invalid> {
    let (shortest, longest) = LENGTH;
    let length = text.chars().count();
    let refuse = |msg: String, kind, ctx| Some(invalid(&["query", "q"], msg, kind, ctx));
    if text.chars().any(char::is_control) {
        return refuse("control characters are not allowed".into(), "value_error.any_str.control_character", None);
    }
    if length < shortest {
        let msg = format!("ensure this value has at least {shortest} characters");
        return refuse(msg, "value_error.any_str.min_length", Some(json!({ "limit_value": shortest })));
    }
    if length > longest {
        let msg = format!("ensure this value has at most {longest} characters");
        return refuse(msg, "value_error.any_str.max_length", Some(json!({ "limit_value": longest })));
    }
    None
}
