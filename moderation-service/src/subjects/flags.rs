//! Flags in the bodies of requests.
use serde_json::Value;

use crate::core::contract::fields::Fields;

/// Reads a flag that may be left out.
pub fn read_flag(fields: &mut Fields, name: &'static str, default: bool) -> bool {
    match fields.value(name) {
        None => default,
        Some(Value::Bool(flag)) => flag,
        Some(_) => {
            fields.refuse(name, "value could not be parsed to a boolean", "type_error.bool", None);
            default
        }
    }
}
