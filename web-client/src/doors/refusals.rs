//! Why a form comes back: what is wrong with it as a whole, and with which of its fields, in the reader's language.
use axum::http::StatusCode;

use crate::api::failures::Failure;
use crate::texts::{Said, Texts};

/// A refusal as a form shows it.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// That of the API, where it is one of a page, too.
    pub status: StatusCode,
    lines: Vec<Said>,
    /// The names of fields, and what is wrong with them.
    fields: Vec<(String, String)>,
}

impl Refusal {
    /// That of a form in which something is missing, in the words of the reader's language.
    pub fn because(words: &str) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, lines: vec![Said::own(words)], fields: Vec::new() }
    }

    /// That of a failure about which the sender of a form can do something; none of any other.
    pub fn of(failure: &Failure, t: &Texts) -> Option<Self> {
        let whole =
            |status: StatusCode, lines: Vec<Said>| Some(Self { status: shown(status), lines, fields: Vec::new() });
        match failure {
            Failure::Refused { status, detail } if detail.is_empty() => {
                whole(*status, vec![Said::own(advice(*status, t))])
            }
            Failure::Refused { status, .. } => whole(*status, explained(said(failure, t), advice(*status, t), t)),
            Failure::Invalid { status, faults, .. } => {
                let lines = explained(said(failure, t), advice(*status, t), t);
                let named = faults.iter().filter_map(|fault| Some((fault.field.clone()?, t.fault(&fault.words))));
                Some(Self { status: shown(*status), lines, fields: named.collect() })
            }
            Failure::Malformed(status @ StatusCode::PAYLOAD_TOO_LARGE, _) => {
                whole(*status, vec![Said::own(t.error_413_advice)])
            }
            Failure::Malformed(..) | Failure::Away(_) | Failure::SignedOut => None,
        }
    }

    /// The same, and of an API that is away: for forms that can be shown without it, and would be lost otherwise.
    pub fn or_away(failure: &Failure, t: &Texts) -> Option<Self> {
        if !matches!(failure, Failure::Away(_)) {
            return Self::of(failure, t);
        }
        let lines = vec![Said::own(t.not_now_possible)];
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

    /// Whether it is about single fields; otherwise what is said above the form gets the focus, without a script, too.
    pub fn has_fields(&self) -> bool {
        !self.fields.is_empty()
    }

    /// What is wrong, a line each, as the page above the form says it.
    pub fn lines(&self) -> &[Said] {
        &self.lines
    }
}

/// What the API says, a sentence for each thing that is wrong; nothing where it says nothing.
pub fn said(failure: &Failure, t: &Texts) -> Vec<Said> {
    match failure {
        Failure::Refused { detail, .. } if !detail.is_empty() => vec![t.refusal(detail)],
        Failure::Invalid { faults, .. } => {
            faults.iter().map(|fault| t.fault_of(fault.field.as_deref(), &fault.words)).collect()
        }
        _ => Vec::new(),
    }
}

/// The same behind what the reader's language can say of the status, where some of it is not in that language.
fn explained(said: Vec<Said>, advice: &str, t: &Texts) -> Vec<Said> {
    let is_foreign = said.iter().any(|sentence| !t.has(sentence));
    is_foreign.then(|| Said::own(advice)).into_iter().chain(said).collect()
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
        assert!(refusal.has_fields() && !Refusal::because("a").has_fields());
        assert!(refusal.begins_at("title") && !refusal.begins_at("types") && refusal.at("content").is_none());
        assert_eq!(refusal.lines()[2], Said::own(DE.fault_sent), "what is no field has no name");
        assert_eq!(refusal.status, StatusCode::UNPROCESSABLE_ENTITY);
    }

    #[test]
    fn what_is_said_in_english_stands_behind_what_the_language_has() {
        let lines = |body: &str, t: &Texts| {
            let failure = refused(StatusCode::FORBIDDEN, body.as_bytes());
            Refusal::of(&failure, t).unwrap().lines().to_vec()
        };
        let odd = Said::quoted("The moon is full");
        let sentence = r#"{"detail":"The moon is full"}"#;
        assert_eq!(lines(sentence, &DE), [Said::own(DE.error_403_advice), odd.clone()]);
        assert_eq!(lines(sentence, &EN), [odd]);
        let fault = r#"{"detail":[{"loc":["body","title"],"msg":"too odd","type":"x"}]}"#;
        assert_eq!(lines(fault, &DE), [Said::own(DE.error_403_advice), Said::quoted("title: too odd")]);
        let refusal = Refusal::of(&refused(StatusCode::FORBIDDEN, fault.as_bytes()), &DE).unwrap();
        assert_eq!(refusal.at("title"), Some(DE.fault_other), "beside the field");
    }

    #[test]
    fn the_status_is_kept_where_a_page_can_have_it() {
        let status = |status: StatusCode, body: &str| {
            let failure = refused(status, body.as_bytes());
            Refusal::of(&failure, &EN).map(|refusal| (refusal.status.as_u16(), refusal.lines()[0].words.clone()))
        };
        let muted = r#"{"detail":"Muted users cannot write"}"#;
        assert_eq!(status(StatusCode::FORBIDDEN, muted), Some((403, EN.refused_muted.to_owned())));
        assert_eq!(status(StatusCode::NOT_FOUND, "<html>"), Some((422, EN.error_400_advice.to_owned())));
        assert_eq!(status(StatusCode::TOO_MANY_REQUESTS, "x"), Some((429, EN.error_429_advice.to_owned())));
        assert_eq!(status(StatusCode::BAD_GATEWAY, "x"), None);
        let away = Refusal::or_away(&Failure::Away(String::new()), &EN).unwrap();
        assert_eq!((away.status.as_u16(), away.lines()), (503, &[Said::own(EN.not_now_possible)][..]));
    }
}
