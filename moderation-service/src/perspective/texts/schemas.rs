//! The texts of the platform's own services in the API: what they send, and what was found.
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::core::contract::fields::{Fields, Input};
use crate::subjects::SubjectType;
use crate::subjects::changes::PolicyRef;
use crate::subjects::reasons::ContractReason;
use crate::text_model::HEADS;

/// The most texts of one request.
const MAX_TEXTS: usize = 64;
/// The longest text of a request, in characters: the longest post, with its title, has half of them.
const MAX_TEXT: usize = 20_000;

/// A text, or several, of one of the platform's own services.
#[derive(Debug, ToSchema)]
#[schema(examples(json!({ "text": "The first of many.", "spans": false, "audience": "COMMENT" })))]
pub struct TextsIn {
    /// At most 20,000 characters
    #[schema(value_type = Option<String>, max_length = 20_000)]
    pub text: Option<String>,
    /// In its place: at most 64 texts
    #[schema(value_type = Option<Vec<String>>, max_items = 64)]
    pub texts: Option<Vec<String>>,
    /// Whether each sentence has scores of its own, the first 32 of a text
    #[schema(value_type = Option<bool>)]
    pub spans: bool,
    /// What they are to become, for rules about one audience: `POST` or `COMMENT`; a post when it is not given
    #[schema(value_type = Option<String>, max_length = 7)]
    pub audience: SubjectType,
}

impl Input for TextsIn {
    fn read(fields: &mut Fields) -> Self {
        let text = read_text(fields, "text");
        let texts = read_texts(fields);
        let spans = match fields.value("spans") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(spans)) => spans,
            Some(_) => {
                fields.refuse("spans", "value could not be parsed to a boolean", "type_error.bool", None);
                false
            }
        };
        let audience = fields.choice("audience", &["POST", "COMMENT"], |word| match word {
            "POST" => Some(SubjectType::Post),
            "COMMENT" => Some(SubjectType::Comment),
            _ => None,
        });
        if text.is_some() == texts.is_some() {
            fields.refuse("text", "give either text or texts", "value_error.choice", None);
        }
        Self { text, texts, spans, audience: audience.unwrap_or(SubjectType::Post) }
    }
}

fn read_text(fields: &mut Fields, name: &'static str) -> Option<String> {
    match fields.value(name)? {
        Value::Null => None,
        Value::String(text) => Some(bounded(fields, name, text)),
        _ => {
            fields.refuse(name, "str type expected", "type_error.str", None);
            None
        }
    }
}

fn read_texts(fields: &mut Fields) -> Option<Vec<String>> {
    let values = match fields.value("texts")? {
        Value::Null => return None,
        Value::Array(values) => values,
        _ => {
            fields.refuse("texts", "value is not a valid list", "type_error.list", None);
            return None;
        }
    };
    if values.is_empty() || values.len() > MAX_TEXTS {
        let message = format!("give 1 to {MAX_TEXTS} texts");
        fields.refuse("texts", message, "value_error.list.length", None);
    }
    let mut texts = Vec::with_capacity(values.len());
    for value in values {
        if let Value::String(text) = value {
            texts.push(bounded(fields, "texts", text));
        } else {
            fields.refuse("texts", "str type expected", "type_error.str", None);
        }
    }
    Some(texts)
}

/// Any character is read: what a person could not publish is not what is asked here.
fn bounded(fields: &mut Fields, name: &'static str, text: String) -> String {
    if text.chars().count() > MAX_TEXT {
        let message = format!("ensure this value has at most {MAX_TEXT} characters");
        fields.refuse(name, message, "value_error.any_str.max_length", Some(Value::from(MAX_TEXT)));
    }
    text
}

impl TextsIn {
    /// All texts, in their order.
    pub fn texts(self) -> Vec<String> {
        self.text.into_iter().chain(self.texts.into_iter().flatten()).collect()
    }
}

/// A value for each head of the text model.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PerHead<T> {
    pub toxic: T,
    pub hate: T,
    pub sexism: T,
    pub threat: T,
    pub spam: T,
}

impl<T> From<[T; HEADS]> for PerHead<T> {
    fn from([toxic, hate, sexism, threat, spam]: [T; HEADS]) -> Self {
        Self { toxic, hate, sexism, threat, spam }
    }
}

/// From which scores on a head means something.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ThresholdsOut {
    /// The text has the label
    pub label: f64,
    /// It may be hidden at once, of hate, threat and spam; null: never
    pub hide: Option<f64>,
}

/// What moderation would do with a text if it were published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum TextVerdict {
    Allow,
    /// It would be hidden at once
    Hide,
}

/// A sentence of a text.
#[derive(Debug, Serialize, ToSchema)]
pub struct TextSpan {
    /// In UTF-16 code units
    pub begin: usize,
    /// The first unit behind it
    pub end: usize,
    pub scores: PerHead<f64>,
}

/// What was found in a text.
#[derive(Debug, Serialize, ToSchema)]
pub struct TextOut {
    /// Probabilities, 0 to 1
    pub scores: PerHead<f64>,
    pub labels: PerHead<bool>,
    pub verdict: TextVerdict,
    /// Why it would be hidden; null when it would not
    pub reason: Option<ContractReason>,
    /// The policy, its version and the rule that would hide it; null when none would
    pub policy: Option<PolicyRef>,
    /// Its sentences, when they were asked for
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spans: Option<Vec<TextSpan>>,
}

/// What was found in each text, in the order of the request.
#[derive(Debug, Serialize, ToSchema)]
pub struct TextsOut {
    /// Which model has read them
    pub model_version: String,
    pub thresholds: PerHead<ThresholdsOut>,
    pub results: Vec<TextOut>,
}
