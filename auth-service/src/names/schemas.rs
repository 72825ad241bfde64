//! Names and other texts that people show, as fields of a body: checked, and in the form in which they are stored.
use serde_json::json;

use super::rules::{TextFault, compose, name_fault, text_fault};
use crate::core::contract::extract::BODY_LIMIT;
use crate::core::contract::fields::Fields;

/// A name that may be missing or null, of at most `max` code points in NFC.
pub fn name(fields: &mut Fields, field: &'static str, max: usize) -> Option<String> {
    let text = fields.optional_text(field, BODY_LIMIT)?;
    Some(check(fields, field, &text, max, name_fault))
}

/// A text that others see and that may be missing or null, of at most `max` code points in NFC.
pub fn optional_words(fields: &mut Fields, field: &'static str, max: usize) -> Option<String> {
    let text = fields.optional_text(field, BODY_LIMIT)?;
    Some(check(fields, field, &text, max, text_fault))
}

/// A text that others see and that must be there, of at most `max` code points in NFC.
pub fn words(fields: &mut Fields, field: &'static str, max: usize) -> String {
    let text = fields.text(field, BODY_LIMIT);
    check(fields, field, &text, max, text_fault)
}

fn check(
    fields: &mut Fields,
    field: &'static str,
    text: &str,
    max: usize,
    fault: impl Fn(&str) -> Option<TextFault>,
) -> String {
    // Counted as it is stored: a name is not longer because its letters came in parts.
    let text = compose(text);
    if text.chars().count() > max {
        let msg = format!("ensure this value has at most {max} characters");
        fields.refuse(field, msg, "value_error.any_str.max_length", Some(json!({ "limit_value": max })));
    } else if let Some((msg, kind)) = fault(&text).map(TextFault::words) {
        fields.refuse(field, msg, kind, None);
    }
    text
}
