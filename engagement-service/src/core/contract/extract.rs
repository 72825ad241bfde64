//! What a handler takes from a request: `Json`, `Path`, `Query`, each of which refuses with a problem document.
use std::borrow::Cow;
use std::collections::HashMap;
use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, RawQuery, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::core::api::errors::{Error, problem};
use crate::core::contract::fields::{Fields, Input, Invalid, invalid};

/// The largest body of JSON, in bytes; an upload has a limit of its own. The largest schema, a post's, has 10,100 characters of
/// text, which a client may write as two escapes of six bytes each (`\ud83d\ude00`): 121,200 bytes beside its categories.
pub const BODY_LIMIT: usize = 128 * 1024;

/// A body of JSON that was read and checked.
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: Input> FromRequest<S> for Json<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_json = kind.is_none_or(|kind| {
            let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
        });
        let body = Bytes::from_request(request, state).await.map_err(|rejection| refuse_body(rejection.status()))?;
        let text = decode(&body).ok_or_else(unreadable)?;
        parse(&text, is_json).map(Self).map_err(|errors| Error::Invalid(errors).into_response())
    }
}

/// Refuses a body that is too large, or broke off.
pub fn refuse_body(status: StatusCode) -> Response {
    let is_large = status == StatusCode::PAYLOAD_TOO_LARGE;
    if is_large { Error::TooLarge(BODY_LIMIT).into_response() } else { unreadable() }
}

/// The answer to a body that cannot be read at all.
pub fn unreadable() -> Response {
    problem(StatusCode::BAD_REQUEST, json!("There was an error parsing the body"))
}

/// The text of a body in UTF-8 or UTF-16, as its byte order mark says or, without one, the zeros beside its first character,
/// which is ASCII in JSON: what Python's `json.loads` does with bytes.
fn decode(body: &[u8]) -> Option<Cow<'_, str>> {
    let (encoding, mark) = Encoding::for_bom(body).unwrap_or(match body {
        [0, _, ..] => (UTF_16BE, 0),
        [_, 0, ..] => (UTF_16LE, 0),
        _ => (UTF_8, 0),
    });
    encoding.decode_without_bom_handling_and_without_replacement(&body[mark..])
}

fn parse<T: Input>(text: &str, is_json: bool) -> Result<T, Vec<Invalid>> {
    let value = match text {
        "" => Ok(Value::Null),
        _ if !is_json => Ok(json!({})),
        _ => serde_json::from_str(text),
    };
    match value {
        Ok(Value::Object(mut values)) => {
            keep_digits(&mut values, text);
            Fields::read(values)
        }
        Ok(Value::Null) => Err(vec![invalid(&["body"], "field required", "value_error.missing", None)]),
        // The original reads any other kind of value as an object without fields.
        Ok(_) => Fields::read::<T>(Map::new())
            .and_then(|_| Err(vec![invalid(&["body"], "value is not a valid dict", "type_error.dict", None)])),
        Err(cause) => Err(vec![malformed(text, &cause)]),
    }
}

/// Integers of more than 64 bits, which `serde_json` rounds, keep the digits of the text, as Python's do.
fn keep_digits(values: &mut Map<String, Value>, text: &str) {
    if !values.values().any(Value::is_f64) {
        return;
    }
    let raw: HashMap<String, &RawValue> = serde_json::from_str(text).unwrap_or_default();
    for (name, value) in values.iter_mut().filter(|(_, value)| value.is_f64()) {
        if let Some(digits) = raw.get(name).map(|raw| raw.get()).filter(|raw| !raw.contains(['.', 'e', 'E'])) {
            *value = digits.into();
        }
    }
}

/// Where and why a text is not JSON, with the context that Python's decoder gives.
fn malformed(text: &str, cause: &serde_json::Error) -> Invalid {
    let line_start: usize = text.split_inclusive('\n').take(cause.line().saturating_sub(1)).map(str::len).sum();
    let before = &text.as_bytes()[..(line_start + cause.column().saturating_sub(1)).min(text.len())];
    let position = String::from_utf8_lossy(before).chars().count();
    let sentence = cause.to_string();
    let msg = sentence.split(" at line ").next().unwrap_or_default().to_owned();
    // Python counts characters, from 1, where serde_json counts bytes.
    let column = 1 + String::from_utf8_lossy(&before[line_start.min(before.len())..]).chars().count();
    let ctx = json!({ "msg": msg, "doc": text, "pos": position, "lineno": cause.line(), "colno": column });
    Invalid { loc: vec![json!("body"), json!(position)], msg, r#type: "value_error.jsondecode", ctx: Some(ctx) }
}

/// The one id in the path. Accepts what Python's UUID accepts: dashes or none, any case, braces, `urn:uuid:`.
pub struct Path(pub Uuid);

impl<S: Send + Sync> FromRequestParts<S> for Path {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        // Refused only when a part of the path is not UTF-8, which no id is.
        let params = RawPathParams::from_request_parts(parts, state).await;
        let (name, value) = params.iter().flatten().next().unwrap_or(("id", ""));
        Uuid::from_str(value).map(Self).map_err(|_| {
            Error::Invalid(vec![invalid(&["path", name], "value is not a valid uuid", "type_error.uuid", None)])
        })
    }
}

/// The parameters of a request's query that a handler asks for; others are ignored.
pub struct Query {
    /// All pairs, in the order of the request.
    pub pairs: Vec<(String, String)>,
    pub errors: Vec<Invalid>,
}

impl Query {
    /// The first value of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Refuses the request when something was wrong with its query.
    pub fn check(self) -> Result<(), Error> {
        if self.errors.is_empty() { Ok(()) } else { Err(Error::Invalid(self.errors)) }
    }

    /// A whole number within bounds, where there is one.
    pub fn integer(&mut self, name: &str, min: i64, max: i64) -> Option<i64> {
        let (msg, kind, ctx) = match self.get(name)?.trim().parse::<i64>() {
            Err(_) => ("value is not a valid integer".into(), "type_error.integer", None),
            Ok(number) if number < min => {
                let msg = format!("ensure this value is greater than or equal to {min}");
                (msg, "value_error.number.not_ge", Some(json!({ "limit_value": min })))
            }
            Ok(number) if number > max => {
                let msg = format!("ensure this value is less than or equal to {max}");
                (msg, "value_error.number.not_le", Some(json!({ "limit_value": max })))
            }
            Ok(number) => return Some(number),
        };
        self.errors.push(invalid(&["query", name], msg, kind, ctx));
        None
    }

    /// A value that must be there; call [`Query::check`] after the last one.
    pub fn required(&mut self, name: &str) -> String {
        if self.get(name).is_none() {
            self.errors.push(invalid(&["query", name], "field required", "value_error.missing", None));
        }
        self.get(name).unwrap_or_default().to_owned()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let RawQuery(query) = RawQuery::from_request_parts(parts, state).await.unwrap_or_else(|never| match never {});
        let pairs = serde_urlencoded::from_str(&query.unwrap_or_default()).unwrap_or_default();
        Ok(Self { pairs, errors: Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Note(String);

    impl Input for Note {
        fn read(fields: &mut Fields) -> Self {
            Self(fields.text("note", 40))
        }
    }

    /// Clients on Windows write a byte order mark, or UTF-16, and Python reads both.
    #[test]
    fn json_is_read_in_the_encodings_that_python_reads() {
        let text = r#"{"note": "é 😀"}"#;
        let utf16 = |bytes: fn(u16) -> [u8; 2], mark: &[u16]| -> Vec<u8> {
            mark.iter().copied().chain(text.encode_utf16()).flat_map(bytes).collect()
        };
        let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
        let all = [
            utf16(u16::to_le_bytes, &[]),
            utf16(u16::to_be_bytes, &[]),
            utf16(u16::to_le_bytes, &[0xfeff]),
            utf16(u16::to_be_bytes, &[0xfeff]),
            marked,
            text.into(),
        ];
        for body in all {
            assert_eq!(decode(&body).as_deref(), Some(text));
        }
        assert_eq!(decode(b"{\"note\": \"\xff\"}"), None);
    }

    #[test]
    fn an_integer_of_any_length_keeps_its_digits() {
        let note = |value: &str| parse::<Note>(&format!("{{\"note\": {value}}}"), true).ok().unwrap().0;
        assert_eq!(note("123456789012345678901234567890"), "123456789012345678901234567890");
        assert_eq!(note("-98765432109876543210"), "-98765432109876543210");
        assert_eq!((note("1e2").as_str(), note("1.50").as_str()), ("100.0", "1.5"));
    }
}
