//! The text that is searched for.
use serde_json::json;

use super::SearchText;
use crate::core::api::errors::Error;
use crate::core::contract::extract::Query;
use crate::core::contract::fields::{Invalid, invalid};
use crate::names::folding::{self, fold, is_ideographic};

/// The shortest and the longest text that is looked for, in characters: with one letter half of all people are found. Of
/// Chinese, Japanese or Korean one character is enough: it is a name.
const LENGTH: (usize, usize) = (2, 50);

/// From how many characters on a text is similar to others, too: a shorter one has hardly a group of three of its own.
const TRIGRAM: usize = 3;

impl SearchText {
    /// Reads `q`.
    pub fn read(mut query: Query) -> Result<Self, Error> {
        let given = query.required("q");
        let trimmed = given.trim();
        let folded = fold(trimmed.strip_prefix('@').unwrap_or(trimmed));
        if let Some(fault) = fault(&given, &folded).filter(|_| query.errors.is_empty()) {
            query.errors.push(fault);
        }
        query.check()?;
        let key = Some(folding::key(&folded)).filter(|key| is_enough(key)).unwrap_or_default();
        Ok(Self { folded, key })
    }

    /// Whether names that nearly are this text are worth looking for.
    pub fn has_trigrams(&self) -> bool {
        self.folded.chars().count() >= TRIGRAM
    }
}

fn is_enough(text: &str) -> bool {
    text.chars().count() >= LENGTH.0 || text.chars().next().is_some_and(is_ideographic)
}

fn fault(given: &str, folded: &str) -> Option<Invalid> {
    let (shortest, longest) = LENGTH;
    let refuse = |msg: String, kind, ctx| Some(invalid(&["query", "q"], msg, kind, ctx));
    if given.trim().chars().any(char::is_control) {
        return refuse("control characters are not allowed".into(), "value_error.any_str.control_character", None);
    }
    if !is_enough(folded) {
        let msg = format!("ensure this value has at least {shortest} characters");
        return refuse(msg, "value_error.any_str.min_length", Some(json!({ "limit_value": shortest })));
    }
    if given.trim().chars().count() > longest {
        let msg = format!("ensure this value has at most {longest} characters");
        return refuse(msg, "value_error.any_str.max_length", Some(json!({ "limit_value": longest })));
    }
    None
}
