//! The laws of the five `openapi.json`: each is valid, a client can be made of it, and its examples are what they stand for.
//!
//! Validity is that of the schema that the `OpenAPI` initiative publishes for version 3.1 (`oas-3.1.json`, as it is at
//! <https://spec.openapis.org/oas/3.1/schema/2022-10-07>, Apache-2.0). It says nothing of the schemas within a document, of names
//! and of examples; the other laws do.

use std::collections::HashSet;

use jsonschema::Validator;
use serde_json::{Value, json};

use super::assert_kept;
use super::sources::{SERVICES, read, root};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// What is wrong with the document of one service.
type Check = fn(&Value) -> Vec<String>;

fn assert_documents(law: &str, check: Check) {
    let mut breaches = Vec::new();
    for service in SERVICES {
        let document: Value = serde_json::from_str(&read(&root().join(service).join("openapi.json"))).unwrap();
        breaches.extend(check(&document).into_iter().map(|breach| format!("{service}: {breach}")));
    }
    assert_kept(law, &breaches);
}

/// Where an instance differs from its schema, and how.
fn faults(validator: &Validator, instance: &Value) -> Vec<String> {
    validator.iter_errors(instance).map(|error| format!("{}: {}", error.instance_path(), error.masked())).collect()
}

/// Every operation of a document, with its method and path.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let known = METHODS.iter().filter_map(|method| Some((method, item.get(method)?)));
        operations.extend(known.map(|(method, operation)| (format!("{method} {path}"), operation)));
    }
    operations
}

fn items<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

/// A schema of a document on its own: its references lead into the document.
fn standing_alone(document: &Value, schema: &Value) -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "components": document["components"],
        "allOf": [schema],
    })
}

fn invalid_parts(document: &Value) -> Vec<String> {
    let schema = serde_json::from_str(include_str!("oas-3.1.json")).unwrap();
    let mut breaches = faults(&jsonschema::validator_for(&schema).unwrap(), document);
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let meta = jsonschema::meta::validate(schema);
        breaches.extend(meta.err().map(|error| format!("{name}: {error}")));
        let resolved = jsonschema::validator_for(&standing_alone(document, schema));
        breaches.extend(resolved.err().map(|error| format!("{name}: {error}")));
    }
    breaches
}

fn what_generators_refuse(document: &Value) -> Vec<String> {
    let (mut breaches, mut names) = (Vec::new(), HashSet::new());
    for (place, operation) in operations(document) {
        let name = operation["operationId"].as_str().unwrap_or_default();
        let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !is_name || !names.insert(name) {
            breaches.push(format!("{place}: the operationId {name:?} names no function, or another one as well"));
        }
        let responses = operation["responses"].as_object().unwrap();
        if !responses.keys().any(|status| status.starts_with('2')) {
            breaches.push(format!("{place} never succeeds"));
        }
        let silent =
            responses.iter().filter(|(_, response)| response["description"].as_str().unwrap_or_default().is_empty());
        breaches.extend(silent.map(|(status, _)| format!("{place}: {status} is not described")));
        let path = place.split_once(' ').unwrap().1;
        let in_braces: HashSet<_> = path.split(['{', '}']).skip(1).step_by(2).collect();
        let in_path = items(operation, "parameters").filter(|parameter| parameter["in"] == "path");
        let given: HashSet<_> = in_path.filter_map(|parameter| parameter["name"].as_str()).collect();
        if in_braces != given {
            breaches.push(format!("{place}: the parameters of its path are {given:?}"));
        }
    }
    breaches
}

/// Headers that are sent with a status are described with it.
fn undescribed_headers(document: &Value) -> Vec<String> {
    let mut breaches = Vec::new();
    for (place, operation) in operations(document) {
        let mut expect = |status: &str, header: &str| {
            if operation["responses"][status]["headers"].get(header).is_none() {
                breaches.push(format!("{place}: {status} has no {header}"));
            }
        };
        expect("503", "Retry-After");
        if operation["responses"].get("429").is_some() {
            expect("429", "Retry-After");
        }
        if items(operation, "parameters").any(|parameter| parameter["name"] == "cursor") {
            expect("200", "Link");
        }
    }
    breaches
}

/// Whether a schema says how long a text or how large a number may be.
fn is_bounded(document: &Value, schema: &Value) -> bool {
    if let Some(reference) = schema["$ref"].as_str() {
        return document.pointer(reference.trim_start_matches('#')).is_some_and(|schema| is_bounded(document, schema));
    }
    let has = |key: &str| schema.get(key).is_some();
    match schema["type"].as_str() {
        Some("string") => {
            has("maxLength") || has("enum") || ["uuid", "date"].iter().any(|format| schema["format"] == *format)
        }
        Some("integer" | "number") => has("minimum") && has("maximum"),
        Some("boolean") => true,
        _ => false,
    }
}

fn unbounded_parameters(document: &Value) -> Vec<String> {
    let mut breaches = Vec::new();
    for (place, operation) in operations(document) {
        let unbounded = items(operation, "parameters").filter(|parameter| !is_bounded(document, &parameter["schema"]));
        breaches.extend(unbounded.map(|parameter| format!("{place}: {} has no bounds", parameter["name"])));
    }
    breaches
}

/// The examples of a schema, here or within it, that are not of that schema.
fn unfit_examples(document: &Value, place: &str, schema: &Value, breaches: &mut Vec<String>) {
    let examples: Vec<_> = items(schema, "examples").chain(schema.get("example")).collect();
    if !examples.is_empty() {
        let validator = jsonschema::validator_for(&standing_alone(document, schema)).unwrap();
        let unfit = examples.iter().flat_map(|example| faults(&validator, example));
        breaches.extend(unfit.map(|fault| format!("{place}: an example is not of its schema: {fault}")));
    }
    for (name, part) in schema["properties"].as_object().into_iter().flatten() {
        unfit_examples(document, &format!("{place}.{name}"), part, breaches);
    }
    for part in schema.get("items").into_iter().chain(items(schema, "oneOf")).chain(items(schema, "allOf")) {
        unfit_examples(document, place, part, breaches);
    }
}

/// What Swagger UI cannot fill in, or fills in wrongly, when an operation is tried.
fn what_cannot_be_tried(document: &Value) -> Vec<String> {
    let mut breaches = Vec::new();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        unfit_examples(document, name, schema, &mut breaches);
    }
    for (place, operation) in operations(document) {
        for parameter in items(operation, "parameters") {
            let mut schema = parameter["schema"].clone();
            if let Some(example) = parameter.get("example") {
                schema["example"] = example.clone();
            }
            let has_example = schema.get("example").is_some() || items(&schema, "examples").next().is_some();
            if parameter["required"] == true && !has_example {
                breaches.push(format!("{place}: {} has no example", parameter["name"]));
            }
            unfit_examples(document, &format!("{place}: {}", parameter["name"]), &schema, &mut breaches);
        }
        for content in operation["requestBody"]["content"].as_object().into_iter().flatten().map(|(_, content)| content)
        {
            let reference = content["schema"]["$ref"].as_str().unwrap_or_default();
            let schema = document.pointer(reference.trim_start_matches('#'));
            if schema.is_none_or(|schema| items(schema, "examples").next().is_none()) {
                breaches.push(format!("{place}: its body has no example"));
            }
        }
    }
    breaches
}

#[test]
fn every_document_is_valid() {
    assert_documents("An openapi.json is valid OpenAPI 3.1, and its schemas are valid JSON Schema:", invalid_parts);
}

#[test]
fn a_client_can_be_made_of_every_document() {
    let law = "Operations have a name of their own, a success, described answers, and the parameters of their paths:";
    assert_documents(law, what_generators_refuse);
}

#[test]
fn headers_that_a_client_acts_on_are_described() {
    assert_documents(
        "Answers name the headers that say where the next page is and when to come again:",
        undescribed_headers,
    );
}

#[test]
fn every_parameter_has_its_bounds() {
    assert_documents("A parameter says how long or how large it may be:", unbounded_parameters);
}

#[test]
fn every_operation_can_be_tried_as_it_is_filled_in() {
    assert_documents("What must be given has an example, and an example is of its schema:", what_cannot_be_tried);
}

#[test]
fn what_is_wrong_with_a_document_is_named() {
    let document = json!({
        "openapi": "3.1.0",
        "info": { "title": "Notes", "version": "1" },
        "components": { "schemas": {
            "Note": { "type": "object", "properties": { "tags": { "type": "string", "examples": [["a"]] } } },
        } },
        "paths": { "/notes/{id}": {
            "get": {
                "operationId": "getNote",
                "parameters": [{ "name": "size", "in": "query", "required": true, "schema": { "type": "integer", "minimum": 1 } }],
                "responses": { "404": {}, "503": { "description": "Away" } },
            },
        } },
    });
    assert!(invalid_parts(&document).iter().any(|fault| fault.starts_with("/paths/~1notes~1{id}/get/responses/404")));
    let refused = [
        "get /notes/{id}: the operationId \"getNote\" names no function, or another one as well",
        "get /notes/{id} never succeeds",
        "get /notes/{id}: 404 is not described",
        "get /notes/{id}: the parameters of its path are {}",
    ];
    assert_eq!(what_generators_refuse(&document), refused);
    assert_eq!(undescribed_headers(&document), ["get /notes/{id}: 503 has no Retry-After"]);
    assert_eq!(unbounded_parameters(&document), ["get /notes/{id}: \"size\" has no bounds"]);
    let tried = what_cannot_be_tried(&document);
    assert!(tried[0].starts_with("Note.tags: an example is not of its schema:"), "{tried:?}");
    assert_eq!(tried[1..], ["get /notes/{id}: \"size\" has no example"]);
}
