//! Google's messages, by Google's names, and what is wrong with one.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::attributes::Attribute;
use super::models::NewSuggestion;
use super::refusals::Refusal;

/// The longest comment, in bytes of UTF-8: Perspective's 20 KB.
const MAX_COMMENT: usize = 20_480;
/// The longest id or token that a client gives, in bytes.
const MAX_ID: usize = 256;
/// The most languages of a request: one of a person has few.
const MAX_LANGUAGES: usize = 16;
/// The one kind of score.
pub const PROBABILITY: &str = "PROBABILITY";

/// A text of a comment or of what it refers to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TextEntry {
    /// At most 20,480 bytes of UTF-8
    pub text: Option<String>,
    /// `PLAIN_TEXT`; HTML is refused
    pub r#type: Option<String>,
}

/// What a comment refers to. It is accepted, and no attribute depends on it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommentContext {
    pub entries: Option<Vec<TextEntry>>,
    #[serde(alias = "article_and_parent_comment")]
    pub article_and_parent_comment: Option<ArticleAndParentComment>,
}

/// The article and the comment that a comment answers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "read, so that a wrong form is refused; no attribute depends on it")]
pub struct ArticleAndParentComment {
    pub article: Option<TextEntry>,
    #[serde(alias = "parent_comment")]
    pub parent_comment: Option<TextEntry>,
}

/// How an attribute is to be scored.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AttributeParameters {
    /// `PROBABILITY`, which is the only one
    #[serde(alias = "score_type")]
    pub score_type: Option<String>,
    /// Scores below it are left out
    #[serde(alias = "score_threshold")]
    pub score_threshold: Option<f64>,
}

/// A comment and what is asked about it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(examples(json!({
    "comment": { "text": "What kind of idiot name is foo? Sorry, I like your name." },
    "languages": ["en"], "requestedAttributes": { "TOXICITY": {}, "INSULT": { "scoreThreshold": 0.2 } },
    "spanAnnotations": true, "doNotStore": true, "clientToken": "comment-53922",
})))]
pub struct AnalyzeCommentRequest {
    pub comment: Option<TextEntry>,
    pub context: Option<CommentContext>,
    /// TOXICITY, `SEVERE_TOXICITY`, `IDENTITY_ATTACK`, INSULT, PROFANITY, THREAT, `SEXUALLY_EXPLICIT`, SPAM, SEXISM
    #[serde(alias = "requested_attributes")]
    pub requested_attributes: Option<BTreeMap<String, AttributeParameters>>,
    /// Codes of ISO 639-1 or BCP 47; detected where none is given. English is supported
    pub languages: Option<Vec<String>>,
    /// Nothing is stored either way
    #[serde(alias = "do_not_store")]
    #[expect(dead_code, reason = "there is nothing that it would change")]
    pub do_not_store: Option<bool>,
    /// Returned as it is
    #[serde(alias = "client_token")]
    pub client_token: Option<String>,
    #[serde(alias = "session_id")]
    pub session_id: Option<String>,
    #[serde(alias = "community_id")]
    pub community_id: Option<String>,
    /// Whether each sentence has scores of its own, the first 32
    #[serde(alias = "span_annotations")]
    pub span_annotations: Option<bool>,
    /// Leaves out what the language of the comment does not allow, instead of refusing
    #[serde(alias = "drop_unsupported_attributes")]
    pub drop_unsupported_attributes: Option<bool>,
}

/// A score.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Score {
    /// 0 to 1
    #[serde(default)]
    pub value: f64,
    /// `PROBABILITY`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
}

/// The score of a part of a comment.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SpanScore {
    /// In UTF-16 code units
    #[serde(default)]
    pub begin: usize,
    /// The first unit behind it
    #[serde(default)]
    pub end: usize,
    pub score: Option<Score>,
}

/// The scores of an attribute.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AttributeScores {
    #[serde(alias = "span_scores", skip_serializing_if = "Option::is_none")]
    pub span_scores: Option<Vec<SpanScore>>,
    #[serde(alias = "summary_score", skip_serializing_if = "Option::is_none")]
    pub summary_score: Option<Score>,
}

/// The scores of a comment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnalyzeCommentResponse {
    /// By the names of the requested attributes
    pub attribute_scores: BTreeMap<&'static str, AttributeScores>,
    /// Those of the request, or else the detected one
    pub languages: Vec<String>,
    pub detected_languages: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_token: Option<String>,
    /// Which model has scored it: the same for the same file alone. An addition to Google's message
    #[serde(rename = "model_version")]
    pub model_version: String,
}

/// A comment and the scores that it should have.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(examples(json!({
    "comment": { "text": "It comes down to a simple choice: get busy living, or get busy dying." },
    "attributeScores": { "TOXICITY": { "summaryScore": { "value": 0 } } },
    "communityId": "/forum/movies", "clientToken": "comment-53922",
})))]
pub struct SuggestCommentScoreRequest {
    pub comment: Option<TextEntry>,
    pub context: Option<CommentContext>,
    #[serde(alias = "attribute_scores")]
    pub attribute_scores: Option<BTreeMap<String, AttributeScores>>,
    pub languages: Option<Vec<String>>,
    #[serde(alias = "client_token")]
    pub client_token: Option<String>,
    #[serde(alias = "session_id")]
    pub session_id: Option<String>,
    #[serde(alias = "community_id")]
    pub community_id: Option<String>,
}

/// That a suggestion is stored.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SuggestCommentScoreResponse {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_token: Option<String>,
    pub requested_languages: Vec<String>,
    pub detected_languages: Vec<String>,
}

/// The text of a comment, when it is one that can be read.
fn checked_text(comment: Option<TextEntry>, context: Option<&CommentContext>) -> Result<String, Refusal> {
    let comment = comment.ok_or(Refusal::CommentEmpty)?;
    match comment.r#type.as_deref() {
        None | Some("PLAIN_TEXT" | "TEXT_TYPE_UNSPECIFIED") => {}
        Some("HTML") => return Err(Refusal::Html),
        Some(_) => return Err(Refusal::TextType),
    }
    if context.is_some_and(|context| context.entries.is_some() && context.article_and_parent_comment.is_some()) {
        return Err(Refusal::Context);
    }
    match comment.text.unwrap_or_default() {
        text if text.trim().is_empty() => Err(Refusal::CommentEmpty),
        text if text.len() > MAX_COMMENT => Err(Refusal::CommentTooLong),
        text => Ok(text),
    }
}

fn checked_languages(languages: Option<Vec<String>>) -> Result<Vec<String>, Refusal> {
    let languages = languages.unwrap_or_default();
    let is_code = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let are_codes = languages.iter().all(|code| (2..=35).contains(&code.len()) && code.chars().all(is_code));
    if languages.len() > MAX_LANGUAGES || !are_codes {
        return Err(Refusal::Argument(format!("languages must be at most {MAX_LANGUAGES} codes like en or en-GB")));
    }
    Ok(languages)
}

fn checked_id(name: &str, id: Option<String>) -> Result<Option<String>, Refusal> {
    let is_bad = id.as_ref().is_some_and(|id| id.len() > MAX_ID || id.contains('\0'));
    if is_bad {
        Err(Refusal::Argument(format!("{name} must be at most {MAX_ID} bytes, none of them zero")))
    } else {
        Ok(id)
    }
}

fn attribute(name: &str) -> Result<Attribute, Refusal> {
    // What is returned is what fits a sentence.
    Attribute::parse(name).ok_or_else(|| Refusal::UnknownAttribute(name.chars().take(MAX_ID).collect()))
}

fn check_kind(kind: Option<&str>, attribute: Attribute) -> Result<(), Refusal> {
    let kind = kind.filter(|kind| ![PROBABILITY, "SCORE_TYPE_UNSPECIFIED"].contains(kind));
    kind.map_or(Ok(()), |kind| Err(Refusal::ScoreType(kind.chars().take(MAX_ID).collect(), attribute.name())))
}

/// A comment that can be analysed.
#[derive(Debug)]
pub struct CheckedComment {
    pub text: String,
    /// With the score below which nothing is returned.
    pub attributes: Vec<(Attribute, f64)>,
    pub languages: Vec<String>,
    pub has_spans: bool,
    pub drops_unsupported: bool,
    pub client_token: Option<String>,
}

impl AnalyzeCommentRequest {
    /// Refuses what cannot be analysed, as Perspective does.
    pub fn check(self) -> Result<CheckedComment, Refusal> {
        let text = checked_text(self.comment, self.context.as_ref())?;
        checked_id("session_id", self.session_id)?;
        checked_id("community_id", self.community_id)?;
        let requested = self.requested_attributes.filter(|requested| !requested.is_empty());
        let attributes = requested.ok_or(Refusal::NoAttributes)?.into_iter().map(|(name, parameters)| {
            let attribute = attribute(&name)?;
            check_kind(parameters.score_type.as_deref(), attribute)?;
            Ok((attribute, parameters.score_threshold.unwrap_or_default()))
        });
        Ok(CheckedComment {
            text,
            attributes: attributes.collect::<Result<_, Refusal>>()?,
            languages: checked_languages(self.languages)?,
            has_spans: self.span_annotations.unwrap_or_default(),
            drops_unsupported: self.drop_unsupported_attributes.unwrap_or_default(),
            client_token: self.client_token,
        })
    }
}

impl SuggestCommentScoreRequest {
    /// Refuses what cannot be stored or learned from.
    pub fn check(self) -> Result<NewSuggestion, Refusal> {
        let text = checked_text(self.comment, self.context.as_ref())?;
        if text.contains('\0') {
            return Err(Refusal::Argument("comment.text must not contain a zero byte".to_owned()));
        }
        let scores = self.attribute_scores.filter(|scores| !scores.is_empty()).ok_or(Refusal::NoScores)?;
        for (name, scores) in &scores {
            check_suggested(attribute(name)?, scores)?;
        }
        Ok(NewSuggestion {
            text,
            attribute_scores: serde_json::to_value(scores).map_err(|cause| Refusal::Argument(cause.to_string()))?,
            languages: checked_languages(self.languages)?,
            session_id: checked_id("session_id", self.session_id)?,
            community_id: checked_id("community_id", self.community_id)?,
            client_token: self.client_token,
        })
    }
}

fn check_suggested(attribute: Attribute, scores: &AttributeScores) -> Result<(), Refusal> {
    let spans = scores.span_scores.iter().flatten();
    if spans.clone().any(|span| span.begin >= span.end) {
        return Err(Refusal::Argument(format!("a span of {} ends before it begins", attribute.name())));
    }
    let given: Vec<_> = scores.summary_score.iter().chain(spans.filter_map(|span| span.score.as_ref())).collect();
    if given.is_empty() {
        return Err(Refusal::Argument(format!("{} has no score", attribute.name())));
    }
    for score in given {
        check_kind(score.r#type.as_deref(), attribute)?;
        if !(0.0..=1.0).contains(&score.value) {
            return Err(Refusal::Argument(format!("a score of {} must be from 0 to 1", attribute.name())));
        }
    }
    Ok(())
}
