//! What the five `openapi.json` promise: every operation, and whether it needs a token.

use std::fs;
use std::path::Path;

use reqwest::Method;
use serde_json::Value;

use super::platform::NOUNS;

/// An id that belongs to nothing.
const NOTHING: &str = "01930000-0000-7000-8000-000000000000";

/// One operation of a service.
#[derive(Debug)]
pub struct Operation {
    pub service: &'static str,
    pub method: Method,
    /// With an id of nothing for each parameter; of a stream with what ends it.
    pub path: String,
    pub public: bool,
    pub has_body: bool,
}

/// All operations of all services.
pub fn operations() -> Vec<Operation> {
    let mut operations = Vec::new();
    for service in NOUNS {
        let document = document(service);
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                // What says nothing of its security has that of the document: a token. A key is checked by the service alone.
                let security = operation.get("security").map(|security| security[0].as_object().unwrap());
                let asks_for = |scheme: &str| security.is_some_and(|security| security.contains_key(scheme));
                // What only other services may ask is no way in from outside.
                if asks_for("service") {
                    continue;
                }
                operations.push(Operation {
                    service,
                    method: method.to_uppercase().parse().unwrap(),
                    path: filled(path) + ending(operation),
                    public: security.is_some_and(serde_json::Map::is_empty) || asks_for("key"),
                    has_body: operation.get("requestBody").is_some(),
                });
            }
        }
    }
    assert!(operations.len() > 50 && operations.iter().any(|operation| operation.public), "{operations:?}");
    operations
}

/// The committed document of a service.
pub fn document(service: &str) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let path = root.join(format!("{service}-service/openapi.json"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// What makes a stream end by itself, where an operation is one.
fn ending(operation: &Value) -> &'static str {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    if parameters.into_iter().any(|parameter| parameter["name"] == "seconds") { "?seconds=0" } else { "" }
}

fn filled(path: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { NOTHING.to_owned() } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}
