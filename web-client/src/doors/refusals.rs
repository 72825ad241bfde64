//! Why a form comes back: what is wrong with it as a whole, and with which of its fields, in the reader's language.
use axum::http::StatusCode;

use crate::api::failures::Failure;
use crate::texts::Texts;

/// A refusal as a form shows it.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// That of the API, where it is one of a page, too.
    pub status: StatusCode,
    lines: Vec<String>,
    /// The names of fields, and what is wrong with them.
    fields: Vec<(String, String)>,
}

impl Refusal {
    /// That of a form in which something is missing, in the words of the reader's language.
    pub fn because(words: &str) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, lines: vec![words.to_owned()], fields: Vec::new() }
    }

    /// That of a failure about which the sender of a form can do something; none of any other.
    pub fn of(failure: &Failure, t: &Texts) -> Option<Self> {
        let whole = |status: StatusCode, line: &str| {
            Some(Self { status: shown(status), lines: vec![line.to_owned()], fields: Vec::new() })
        };
        match failure {
            Failure::Refused { status, detail } if detail.is_empty() => whole(*status, advice(*status, t)),
            Failure::Refused { status, detail } => whole(*status, &t.refusal(detail)),
            Failure::Invalid { status, faults, .. } => {
                let lines = faults.iter().map(|fault| t.fault_of(fault.field.as_deref(), &fault.words)).collect();
                let named = faults.iter().filter_map(|fault| Some((fault.field.clone()?, t.fault(&fault.words))));
                Some(Self { status: shown(*status), lines, fields: named.collect() })
            }
            Failure::Malformed(status @ StatusCode::PAYLOAD_TOO_LARGE, _) => whole(*status, t.error_413_advice),
            Failure::Malformed(..) | Failure::Away(_) | Failure::SignedOut => None,
        }
    }

    /// The same, and of an API that is away: for forms that can be shown without it, and would be lost otherwise.
    pub fn or_away(failure: &Failure, t: &Texts) -> Option<Self> {
        if !matches!(failure, Failure::Away(_)) {
            return Self::of(failure, t);
        }
        let lines = vec![t.not_now_possible.to_owned()];
        Some(Self { status: StatusCode::SERVICE_UNAVAILABLE, lines, fields: Vec::new() })
    }

    /// What is wrong with a field.
    pub fn at(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, words)| words.as_str())
    }

    /// Whether a field is the first that is wrong: it gets the focus.
    pub fn begins_at(&self, name: &str) -> bool {
        self.fields.first().is_some_and(|(field, _)| field == name)
    }

    /// What is wrong, a line each, as the page above the form says it.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }
}

/// The status of the page with the form: it is there, whatever was not, and it needs no sign-in.
fn shown(status: StatusCode) -> StatusCode {
    match status {
        StatusCode::NOT_FOUND | StatusCode::UNAUTHORIZED => StatusCode::UNPROCESSABLE_ENTITY,
        other => other,
    }
}

/// What can be said of a status without words.
fn advice(status: StatusCode, t: &Texts) -> &'static str {
    match status {
        StatusCode::FORBIDDEN => t.error_403_advice,
        StatusCode::PAYLOAD_TOO_LARGE => t.error_413_advice,
        StatusCode::TOO_MANY_REQUESTS => t.error_429_advice,
        _ => t.error_400_advice,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::failures::refused;
    use crate::texts::{DE, EN};

    #[test]
    fn a_refusal_says_what_is_wrong_where() {
        let faults = r#"{"detail":[{"loc":["body","title"],"msg":"ensure this value has at most 100 characters","type":"x"},
            {"loc":["body","types",0],"msg":"value is not a valid enumeration member; permitted: 'A'","type":"x"},
            {"loc":["header","Idempotency-Key"],"msg":"the key was used for another request","type":"x"}]}"#;
        let refusal = Refusal::of(&refused(StatusCode::UNPROCESSABLE_ENTITY, faults.as_bytes()), &DE).unwrap();
        assert_eq!((refusal.at("title"), refusal.at("types")), (Some("Höchstens 100 Zeichen."), Some(DE.fault_other)));
        assert!(refusal.begins_at("title") && !refusal.begins_at("types") && refusal.at("content").is_none());
        assert_eq!(refusal.lines()[2], DE.fault_sent, "what is no field has no name");
        assert_eq!(refusal.status, StatusCode::UNPROCESSABLE_ENTITY);
    }

    #[test]
    fn the_status_is_kept_where_a_page_can_have_it() {
        let status = |status: StatusCode, body: &str| {
            let failure = refused(status, body.as_bytes());
            Refusal::of(&failure, &EN).map(|refusal| (refusal.status.as_u16(), refusal.lines()[0].clone()))
        };
        let muted = r#"{"detail":"Muted users cannot write"}"#;
        assert_eq!(status(StatusCode::FORBIDDEN, muted), Some((403, EN.refused_muted.to_owned())));
        assert_eq!(status(StatusCode::NOT_FOUND, "<html>"), Some((422, EN.error_400_advice.to_owned())));
        assert_eq!(status(StatusCode::TOO_MANY_REQUESTS, "x"), Some((429, EN.error_429_advice.to_owned())));
        assert_eq!(status(StatusCode::BAD_GATEWAY, "x"), None);
        let away = Refusal::or_away(&Failure::Away(String::new()), &EN).unwrap();
        assert_eq!((away.status.as_u16(), away.lines()), (503, &[EN.not_now_possible.to_owned()][..]));
    }
}
