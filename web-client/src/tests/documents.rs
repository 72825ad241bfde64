//! The five `openapi.json`: which operation a request is, and an answer that is as the document says.
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::stub::ID;

static DOCUMENTS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let read = |service: &str| {
        let path = format!("{}/../{service}-service/openapi.json", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    ["auth", "post", "interaction", "moderation", "engagement"].map(read).to_vec()
});

/// How deep an answer goes; no document of ours is deeper, unless it is without an end.
const DEEPEST: usize = 12;

/// A documented operation.
pub struct Operation {
    document: &'static Value,
    pub operation: &'static Value,
}

/// The operation of a request, that with the fewest parameters in its path where several match.
pub fn operation(method: &str, path: &str) -> Option<Operation> {
    let mut found: Vec<(usize, Operation)> = Vec::new();
    for document in DOCUMENTS.iter() {
        for (template, operations) in document["paths"].as_object().unwrap() {
            if let (true, Some(operation)) = (matches(template, path), operations.get(method.to_lowercase())) {
                found.push((template.matches('{').count(), Operation { document, operation }));
            }
        }
    }
    found.sort_by_key(|(parameters, _)| *parameters);
    found.into_iter().next().map(|(_, operation)| operation)
}

fn matches(template: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(part), Some(value)) if part == value || (part.starts_with('{') && !value.is_empty()) => {}
            _ => return false,
        }
    }
}

impl Operation {
    /// The status of its success, and an answer in which every text is this one.
    pub fn answer(&self, text: &str) -> (u16, Value) {
        let responses = self.operation["responses"].as_object().unwrap();
        let (status, response) = responses.iter().find(|(status, _)| status.starts_with('2')).unwrap();
        let schema =
            response["content"].as_object().and_then(|kinds| kinds.values().next()).map(|kind| &kind["schema"]);
        (status.parse().unwrap(), schema.map_or(Value::Null, |schema| self.sample(schema, text, 0)))
    }

    /// The names of the fields that its body may have; none where it has no body of JSON.
    pub fn fields(&self) -> Option<Vec<String>> {
        let schema = &self.operation["requestBody"]["content"]["application/json"]["schema"];
        let Value::Object(sample) = self.sample(schema, "x", 0) else { return None };
        Some(sample.keys().cloned().collect())
    }

    fn sample(&self, schema: &Value, text: &str, depth: usize) -> Value {
        if depth > DEEPEST {
            return Value::Null;
        }
        let sample = |schema: &Value| self.sample(schema, text, depth + 1);
        if let Some(reference) = schema["$ref"].as_str() {
            return sample(self.document.pointer(reference.trim_start_matches('#')).unwrap());
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let objects = parts.iter().filter_map(|part| sample(part).as_object().cloned());
            return Value::Object(objects.flatten().collect());
        }
        if let Some(choices) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
            return choices.iter().find(|choice| choice["type"] != "null").map_or(Value::Null, sample);
        }
        if let Some(first) = schema["enum"].as_array().and_then(|values| values.first()) {
            return first.clone();
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null").and_then(Value::as_str),
            kind => kind.as_str(),
        };
        match kind {
            Some("array") => json!([sample(&schema["items"])]),
            Some("boolean") => json!(true),
            Some("integer") => json!(1),
            Some("number") => json!(0.5),
            Some("string") => match schema["format"].as_str() {
                Some("uuid") => json!(ID),
                Some("date-time") => json!("2026-11-20T12:00:00Z"),
                Some("date") => json!("1990-05-17"),
                _ => json!(text),
            },
            _ => {
                let properties = schema["properties"].as_object().cloned().unwrap_or_default();
                let mut object: Map<_, _> =
                    properties.iter().map(|(name, schema)| (name.clone(), sample(schema))).collect();
                if let more @ Value::Object(_) = &schema["additionalProperties"] {
                    object.insert("POST_REACTION_RECEIVED".to_owned(), sample(more));
                }
                Value::Object(object)
            }
        }
    }
}
