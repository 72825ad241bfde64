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
            Self::Refused { status, detail, .. } if status.is_client_error() && *status != StatusCode::UNAUTHORIZED => {
                Some(detail)
            }
            _ => None,
        }
    }

    /// Whether the API refused with this status.
    pub fn is(&self, wanted: StatusCode) -> bool {
        matches!(self, Self::Refused { status, .. } if *status == wanted)
    }
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
    let problem = serde_json::from_slice::<Problem>(body).ok();
    let detail = problem.map_or_else(String::new, |problem| words(&problem.detail));
    if status.is_server_error() {
        return Failure::Away(format!("{status} {detail}"));
    }
    Failure::Refused { status, detail }
}

/// The detail as a sentence: that of the service, or each fault with the name of its field.
fn words(detail: &Value) -> String {
    if let Some(text) = detail.as_str() {
        return text.to_owned();
    }
    let faults = Vec::<Fault>::deserialize(detail).unwrap_or_default();
    let fault = |fault: &Fault| match fault.loc.last().and_then(Value::as_str) {
        Some(field) if field != "body" => format!("{field}: {}", fault.msg),
        _ => fault.msg.clone(),
    };
    faults.iter().map(fault).collect::<Vec<_>>().join("; ")
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
        assert_eq!(read(422, faults), "422 Unprocessable Entity: title: too long; odd");
        assert_eq!(read(404, "<html>"), "404 Not Found: ");
        assert_eq!(read(502, "{}"), "the API is away: 502 Bad Gateway ");
    }
}
