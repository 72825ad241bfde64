//! Names and other texts that people show, as fields of a body: checked, and in the form in which they are stored.
use serde_json::json;

use super::rules::{TextFault, compose, name_fault, text_fault};
use crate::core::contract::extract::BODY_LIMIT;
use crate::core::contract::fields::Fields;

/// How a field is taken, and of how many code points at most.
type Take = fn(&mut Fields, &'static str, usize) -> Option<String>;

/// A name that may be missing or null, of at most `max` code points in NFC.
pub fn name(fields: &mut Fields, field: &'static str, max: usize) -> Option<String> {
    read(fields, field, max, Fields::optional_text, name_fault)
}

/// A text that others see and that may be missing or null, of at most `max` code points in NFC.
pub fn optional_words(fields: &mut Fields, field: &'static str, max: usize) -> Option<String> {
    read(fields, field, max, Fields::optional_text, text_fault)
}

/// A text that others see and that must be there, of at most `max` code points in NFC.
pub fn words(fields: &mut Fields, field: &'static str, max: usize) -> String {
    read(fields, field, max, |fields, field, max| Some(fields.text(field, max)), text_fault).unwrap_or_default()
}

fn read(
    fields: &mut Fields,
    field: &'static str,
    max: usize,
    take: Take,
    fault: fn(&str) -> Option<TextFault>,
) -> Option<String> {
    let faults = fields.errors.len();
    // Counted as it is stored: a name is not longer because its letters came in parts. A body has an end anyway.
    let text = compose(&take(fields, field, BODY_LIMIT)?);
    if fields.errors.len() > faults {
        return Some(text);
    }
    if text.chars().count() > max {
        let msg = format!("ensure this value has at most {max} characters");
        fields.refuse(field, msg, "value_error.any_str.max_length", Some(json!({ "limit_value": max })));
    } else if let Some((msg, kind)) = fault(&text).map(TextFault::words) {
        fields.refuse(field, msg, kind, None);
    }
    Some(text)
}
