//! Reads a JSON object field by field and gathers all that is wrong with it, in the words of pydantic v1, which the
//! clients of the original know.
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// One thing that is wrong with the input: where, in words, and as a code (the wording of pydantic v1).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Invalid {
    /// Where it is: `body`, `path` or `query`, then names
    pub loc: Vec<Value>,
    /// What is wrong, in words
    pub msg: String,
    /// What is wrong, as a code
    pub r#type: &'static str,
    /// The limit that was exceeded, or where parsing stopped
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ctx: Option<Value>,
}

/// A body that can be read from a JSON object.
pub trait Input: Sized {
    /// Whether a field that [`Input::read`] does not ask for is refused.
    const CLOSED: bool = true;

    /// Takes the fields. What is wrong is noted in `fields`; what is returned then is thrown away.
    fn read(fields: &mut Fields) -> Self;
}

/// The fields of an object that is being read, and what was found wrong with them.
pub struct Fields {
    values: Map<String, Value>,
    asked: Vec<&'static str>,
    pub errors: Vec<Invalid>,
}

/// One place and what is wrong there.
pub fn invalid(loc: &[&str], msg: impl Into<String>, kind: &'static str, ctx: Option<Value>) -> Invalid {
    Invalid { loc: loc.iter().map(|part| json!(part)).collect(), msg: msg.into(), r#type: kind, ctx }
}

impl Fields {
    /// Reads a whole object, or reports all that is wrong with it.
    pub fn read<T: Input>(values: Map<String, Value>) -> Result<T, Vec<Invalid>> {
        let mut fields = Self { values, asked: Vec::new(), errors: Vec::new() };
        let input = T::read(&mut fields);
        if T::CLOSED {
            let mut unknown: Vec<_> =
                fields.values.keys().filter(|name| !fields.asked.contains(&name.as_str())).cloned().collect();
            unknown.sort();
            for name in unknown {
                fields.errors.push(invalid(&["body", &name], "extra fields not permitted", "value_error.extra", None));
            }
        }
        if fields.errors.is_empty() { Ok(input) } else { Err(fields.errors) }
    }

    /// Notes that a field is wrong.
    pub fn refuse(&mut self, name: &str, msg: impl Into<String>, kind: &'static str, ctx: Option<Value>) {
        self.errors.push(invalid(&["body", name], msg, kind, ctx));
    }

    /// What was given for a field, as it came: null as well, which an update may distinguish from nothing.
    pub fn value(&mut self, name: &'static str) -> Option<Value> {
        self.asked.push(name);
        self.values.get(name).cloned()
    }

    fn required(&mut self, name: &'static str) -> Option<Value> {
        let (msg, kind) = match self.value(name) {
            None => ("field required", "value_error.missing"),
            Some(Value::Null) => ("none is not an allowed value", "type_error.none.not_allowed"),
            value => return value,
        };
        self.refuse(name, msg, kind, None);
        None
    }

    /// A text, as the caller wrote it: numbers and booleans are taken as Python writes them, as the original did.
    fn scalar(&mut self, name: &str, value: Value) -> Option<String> {
        match value {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(true) => Some("True".into()),
            Value::Bool(false) => Some("False".into()),
            _ => {
                self.refuse(name, "str type expected", "type_error.str", None);
                None
            }
        }
    }

    /// Checks length in code points, and that there is nothing in it that a text does not hold.
    fn bounded(&mut self, name: &str, text: &str, max: usize) -> String {
        if text.chars().count() > max {
            let msg = format!("ensure this value has at most {max} characters");
            self.refuse(name, msg, "value_error.any_str.max_length", Some(json!({ "limit_value": max })));
        }
        let text = text.replace("\r\n", "\n");
        if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            self.refuse(name, "control characters are not allowed", "value_error.any_str.control_character", None);
        }
        text
    }

    /// A text that must be there, of at most `max` code points.
    pub fn text(&mut self, name: &'static str, max: usize) -> String {
        let text = self.required(name).and_then(|value| self.scalar(name, value));
        text.map(|text| self.bounded(name, &text, max)).unwrap_or_default()
    }

    /// A text that may be missing or null, of at most `max` code points.
    pub fn optional_text(&mut self, name: &'static str, max: usize) -> Option<String> {
        let value = self.value(name).filter(|value| !value.is_null())?;
        self.scalar(name, value).map(|text| self.bounded(name, &text, max))
    }

    /// One of the words that `parse` knows; may be missing, not null.
    pub fn choice<T>(&mut self, name: &'static str, words: &[&str], parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.value(name)?;
        let value = self.required(name)?;
        let text = self.scalar(name, value)?;
        let longest = words.iter().map(|word| word.len()).max().unwrap_or_default();
        if text.chars().count() > longest {
            self.bounded(name, &text, longest);
            return None;
        }
        let parsed = parse(&text);
        if parsed.is_none() {
            let permitted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
            let msg = format!("value is not a valid enumeration member; permitted: {}", permitted.join(", "));
            self.refuse(name, msg, "type_error.enum", Some(json!({ "enum_values": words })));
        }
        parsed
    }

    /// A list that must be there, its items as they came.
    pub fn list(&mut self, name: &'static str) -> Vec<Value> {
        match self.required(name) {
            Some(Value::Array(items)) => return items,
            Some(_) => self.refuse(name, "value is not a valid list", "type_error.list", None),
            None => {}
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Note {
        title: Option<String>,
        content: String,
    }

    impl Input for Note {
        fn read(fields: &mut Fields) -> Self {
            Self { title: fields.optional_text("title", 3), content: fields.text("content", 5) }
        }
    }

    fn read(value: Value) -> Result<Note, Vec<(String, &'static str)>> {
        let Value::Object(values) = value else { panic!("an object") };
        Fields::read(values)
            .map_err(|errors| errors.into_iter().map(|e| (e.loc[1].as_str().unwrap().into(), e.r#type)).collect())
    }

    #[test]
    fn scalars_are_taken_as_python_writes_them() {
        assert_eq!(read(json!({ "content": 5 })).ok().unwrap().content, "5");
        assert_eq!(read(json!({ "content": 1.5 })).ok().unwrap().content, "1.5");
        let note = read(json!({ "content": true, "title": null })).ok().unwrap();
        assert_eq!((note.content.as_str(), note.title), ("True", None));
    }

    #[test]
    fn all_errors_are_reported_at_once_and_unknown_fields_come_last_in_order() {
        let errors = read(json!({ "z": 1, "title": "long", "a": 1 })).err().unwrap();
        let expected = [
            ("title", "value_error.any_str.max_length"),
            ("content", "value_error.missing"),
            ("a", "value_error.extra"),
            ("z", "value_error.extra"),
        ];
        assert_eq!(errors, expected.map(|(name, kind)| (name.to_owned(), kind)));
    }

    #[test]
    fn length_counts_code_points_and_control_characters_are_refused() {
        assert_eq!(read(json!({ "content": "ééééé" })).ok().unwrap().content, "ééééé");
        assert_eq!(read(json!({ "content": "a\r\n\tb" })).ok().unwrap().content, "a\n\tb");
        let errors = read(json!({ "content": "a\0" })).err().unwrap();
        assert_eq!(errors, [("content".to_owned(), "value_error.any_str.control_character")]);
    }
}
