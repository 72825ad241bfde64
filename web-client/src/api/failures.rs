//! What can be wrong with an answer of the API, as far as pages differ by it.
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

/// Why there is no answer to show.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// The API refuses, and says why.
    #[error("{status}: {detail}")]
    Refused { status: StatusCode, detail: String },
    /// The API refuses some of what was sent, and says what and why; the detail has all of it, a line each.
    #[error("{status}: {detail}")]
    Invalid { status: StatusCode, detail: String, faults: Vec<FieldFault> },
    /// The API, or what it needs, is away.
    #[error("the API is away: {0}")]
    Away(String),
    /// This page is for people who are signed in.
    #[error("not signed in")]
    SignedOut,
    /// What was sent is no form of a page.
    #[error("{0}")]
    Malformed(StatusCode, &'static str),
}

impl Failure {
    /// Nothing that the caller may see is at this address.
    pub const MISSING: Failure = Failure::Malformed(StatusCode::NOT_FOUND, "there is no such page");

    /// What the API refuses with a reason that the sender of a form can act upon.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Refused { status, detail } | Self::Invalid { status, detail, .. }
                if status.is_client_error() && *status != StatusCode::UNAUTHORIZED =>
            {
                Some(detail)
            }
            _ => None,
        }
    }

    /// Whether the API refused with this status.
    pub fn is(&self, wanted: StatusCode) -> bool {
        matches!(self, Self::Refused { status, .. } | Self::Invalid { status, .. } if *status == wanted)
    }
}

/// What is wrong with one field, in the words of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFault {
    /// None where it is about the whole.
    pub field: Option<String>,
    pub words: String,
}

/// A problem document (RFC 9457) of the services or the gateway.
#[derive(Debug, Deserialize)]
struct Problem {
    detail: Value,
}

/// One refusal of an input.
#[derive(Debug, Deserialize)]
struct Fault {
    loc: Vec<Value>,
    msg: String,
}

/// Reads a refusal; what is no problem document is known by its status alone.
pub fn refused(status: StatusCode, body: &[u8]) -> Failure {
    let detail = serde_json::from_slice::<Problem>(body).map_or(Value::Null, |problem| problem.detail);
    let faults = faults(&detail);
    let detail = detail.as_str().map_or_else(|| lines(&faults), str::to_owned);
    if status.is_server_error() {
        return Failure::Away(format!("{status} {detail}"));
    }
    if faults.is_empty() { Failure::Refused { status, detail } } else { Failure::Invalid { status, detail, faults } }
}

/// The faults of a detail that is a list. Behind `body` stands the name of a field, and behind that its parts.
fn faults(detail: &Value) -> Vec<FieldFault> {
    let faults = Vec::<Fault>::deserialize(detail).unwrap_or_default();
    let read = |Fault { loc, msg }: Fault| {
        let field = loc.get(1).and_then(Value::as_str).map(str::to_owned);
        // A rule of a policy is a tree: a fault of one says nothing without its place.
        let is_of_rule = field.as_deref() == Some("rules") && loc.len() > 2;
        FieldFault { field, words: if is_of_rule { format!("{}: {msg}", place(&loc[2..])) } else { msg } }
    };
    faults.into_iter().map(read).collect()
}

/// A place in a tree: `3.when.all.1`. What stands in a list is counted from one, as people do.
fn place(path: &[Value]) -> String {
    let part = |part: &Value| match part {
        Value::Number(at) => at.as_u64().map_or_else(|| at.to_string(), |at| (at + 1).to_string()),
        Value::String(name) => name.clone(),
        other => other.to_string(),
    };
    path.iter().map(part).collect::<Vec<_>>().join(".")
}

/// A line for each fault, with the name of its field.
fn lines(faults: &[FieldFault]) -> String {
    let line = |FieldFault { field, words }: &FieldFault| match field {
        Some(field) => format!("{field}: {words}"),
        None => words.clone(),
    };
    faults.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_read_in_all_its_shapes() {
        let read =
            |status: u16, body: &str| refused(StatusCode::from_u16(status).unwrap(), body.as_bytes()).to_string();
        assert_eq!(read(400, r#"{"detail":"Can not react twice"}"#), "400 Bad Request: Can not react twice");
        let faults =
            r#"{"detail":[{"loc":["body","title"],"msg":"too long","type":"x"},{"loc":["body"],"msg":"odd"}]}"#;
        assert_eq!(read(422, faults), "422 Unprocessable Entity: title: too long\nodd");
        let invalid = refused(StatusCode::UNPROCESSABLE_ENTITY, faults.as_bytes());
        let Failure::Invalid { faults, .. } = &invalid else { panic!("{invalid:?}") };
        assert_eq!((faults[0].field.as_deref(), faults[0].words.as_str()), (Some("title"), "too long"));
        assert_eq!((faults[1].field.as_deref(), invalid.reason()), (None, Some("title: too long\nodd")));
        assert!(invalid.is(StatusCode::UNPROCESSABLE_ENTITY));
        let rule = r#"{"detail":[{"loc":["body","rules",2,"when","all",0,"signal"],"msg":"no such operand"}]}"#;
        assert_eq!(read(422, rule), "422 Unprocessable Entity: rules: 3.when.all.1.signal: no such operand");
        assert_eq!(read(404, "<html>"), "404 Not Found: ");
        assert_eq!(read(502, "{}"), "the API is away: 502 Bad Gateway ");
    }
}
