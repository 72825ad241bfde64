//! What was typed into a form that was not handled, because a session had ended or the API was away. It is shown again, to be sent
//! again. Nothing is stored: it travels in the page itself, and passwords never do.
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Form, FromRequest, Request};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::api::failures::Failure;
use crate::ground::words::local;
use crate::texts::Texts;

/// The longest form without a file, in bytes: the longest post, every character encoded, is less.
pub const FORM_BYTES: usize = 128 << 10;
/// What no page repeats.
const SECRETS: [&str; 3] = ["password", "current", "new"];
/// Fields into which people write, and which are shown to be changed.
const WRITTEN: [&str; 11] = [
    "title",
    "content",
    "text",
    "bio",
    "note",
    "public_note",
    "internal_note",
    "location",
    "recipient",
    "domain",
    "name",
];
/// The field that asks for a form with what was typed in place of what the form does: a form with files is not whole without them.
pub const REVIEW: &str = "review";
/// Stands before the names of fields that travel through a sign-in.
const CARRIED: &str = "kept.";
/// The field of a sign-in that says where they are sent to afterwards.
const RESUME: &str = "resume";
const ENCODED: &str = "application/x-www-form-urlencoded";

/// The fields of a form as they were sent, in the answer that could not handle them.
#[derive(Clone, Debug, Default)]
pub struct Typed(pub Vec<(String, String)>);

impl Typed {
    /// The answer of a failure that has them.
    pub fn with(self, failure: Failure) -> Response {
        let mut answer = failure.into_response();
        answer.extensions_mut().insert(self);
        answer
    }

    async fn read(form: Bytes) -> Option<Self> {
        let mut request = Request::new(Body::from(form));
        *request.method_mut() = Method::POST;
        request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(ENCODED));
        let Form(fields) = Form::<Vec<(String, String)>>::from_request(request, &()).await.ok()?;
        Some(Self(fields.into_iter().map(|(name, value)| (name, value.replace("\r\n", "\n"))).collect()))
    }
}

/// Keeps the fields of a form beside its request, for the answer of one that fails. Forms with files are kept by those who read them.
pub async fn keep(request: Request, next: Next) -> Response {
    let kind = request.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if request.method() != Method::POST || !kind.starts_with(ENCODED.as_bytes()) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(form) = to_bytes(body, FORM_BYTES).await else {
        return Failure::Malformed(StatusCode::PAYLOAD_TOO_LARGE, "the form is too long").into_response();
    };
    let mut answer = next.run(Request::from_parts(parts, Body::from(form.clone()))).await;
    if answer.extensions().get::<Failure>().is_some()
        && let Some(typed) = Typed::read(form).await
    {
        answer.extensions_mut().insert(typed);
    }
    answer
}

/// A form that can be sent again.
#[derive(Clone, Debug)]
pub struct KeptForm {
    /// Where it is sent to.
    pub action: String,
    pub fields: Vec<(String, String)>,
    /// Whether it is all that was sent: without its password a form is of no use.
    is_whole: bool,
}

impl KeptForm {
    /// What was sent there, except secrets.
    pub fn of(action: &str, Typed(fields): &Typed) -> Self {
        let (secret, fields): (Vec<_>, Vec<_>) =
            fields.iter().cloned().partition(|(name, _)| SECRETS.contains(&name.as_str()));
        Self { action: action.to_owned(), fields, is_whole: secret.is_empty() }
    }

    /// What has travelled through a sign-in.
    pub fn carried(fields: &[(String, String)]) -> Option<Self> {
        let resume = fields.iter().find(|(name, _)| name == RESUME).map(|(_, path)| path.as_str())?;
        let kept =
            fields.iter().filter_map(|(name, value)| Some((name.strip_prefix(CARRIED)?.to_owned(), value.clone())));
        let kept = Self::of(resume, &Typed(kept.collect()));
        (local(resume) == resume && kept.is_whole && kept.is_written()).then_some(kept)
    }

    /// Its fields as they travel through a sign-in.
    pub fn to_carry(&self) -> Vec<(String, &str)> {
        let fields = self.fields.iter().map(|(name, value)| (format!("{CARRIED}{name}"), value.as_str()));
        fields.chain([(RESUME.to_owned(), self.action.as_str())]).collect()
    }

    /// Whether a person has written something into it.
    pub fn is_written(&self) -> bool {
        self.fields.iter().any(|(name, value)| WRITTEN.contains(&name.as_str()) && !value.trim().is_empty())
    }

    /// Whether sending it again does the same.
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Whether it leads back to its form, and is read as that is.
    pub fn is_reviewed(&self) -> bool {
        self.fields.iter().any(|(name, _)| name == REVIEW)
    }

    /// The label of a field that a person has written into.
    #[expect(clippy::unused_self, reason = "templates have the form alone, and ask it for everything")]
    pub fn label(&self, name: &str, value: &str, t: &Texts) -> Option<&'static str> {
        let is_shown = WRITTEN.contains(&name) && !value.is_empty();
        is_shown.then(|| t.field(name).unwrap_or(t.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_was_written_travels_through_a_sign_in_and_passwords_do_not() {
        let typed = Typed(pairs(&[("content", "a\nb"), ("key", "k"), ("password", "secret")]));
        let kept = KeptForm::of("/posts/7/comments", &typed);
        assert_eq!((kept.is_whole(), kept.is_written()), (false, true));
        assert!(kept.to_carry().iter().all(|(_, value)| *value != "secret"));
        let kept = KeptForm::of("/posts/7/comments", &Typed(pairs(&[("content", "a\nb"), ("key", "k")])));
        let carried: Vec<_> = kept.to_carry().into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        let back = KeptForm::carried(&carried).unwrap();
        assert_eq!((back.action.as_str(), back.fields), ("/posts/7/comments", kept.fields));
    }

    #[test]
    fn what_leads_elsewhere_or_has_no_words_is_not_carried() {
        for (resume, content) in [("//evil.example", "a"), ("https://evil.example/", "a"), ("/posts", " ")] {
            assert!(KeptForm::carried(&pairs(&[("resume", resume), ("kept.content", content)])).is_none(), "{resume}");
        }
        assert!(KeptForm::carried(&pairs(&[("kept.content", "a")])).is_none());
    }
}
