//! Texts of the platform's own services, through their route.
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::SERVICE;
use crate::core::testing::{Platform, Reply, new_user};
use crate::perspective::tests::model;
use crate::text_model::kernel::packed::InstructionSet;
use crate::text_model::mini_lm::MiniLm;
use crate::text_model::{Head, TextModel};

async fn analyze(platform: &Platform, token: Option<&str>, body: Value) -> Reply {
    platform.call("POST", "/analyze", token, Some(body)).await
}

/// What the model itself says is what the service answers: scores, labels, thresholds, and which model it was.
#[sqlx::test(migrations = false)]
async fn a_text_is_read_by_the_model(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &["--moderation-model", &model()]).await;
    let texts = ["one two three", "", "three"];
    let reply = analyze(&platform, Some("operator"), json!({ "texts": texts })).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let model = MiniLm::new(&crate::text_model::tests::tiny(), InstructionSet::best()).unwrap();
    assert_eq!(reply.body["model_version"], model.version());
    assert_eq!(reply.body["thresholds"]["threat"], json!({ "label": 0.5, "hide": 0.9 }));
    let expected = model.read(&texts).unwrap();
    for (result, expected) in reply.body["results"].as_array().unwrap().iter().zip(&expected) {
        for (place, head) in ["toxic", "hate", "sexism", "threat", "spam"].into_iter().enumerate() {
            let score = result["scores"][head].as_f64().unwrap();
            assert!((score - f64::from(expected.scores[place])).abs() < 1e-6, "{head}: {score} {expected:?}");
            assert_eq!(result["labels"][head], expected.labels[place]);
        }
        assert!(result.get("spans").is_none(), "{result}");
    }
    assert_eq!(reply.body["results"].as_array().unwrap().len(), 3);

    let one = analyze(&platform, Some("operator"), json!({ "text": "One two. Three!", "spans": true })).await;
    let spans = one.body["results"][0]["spans"].as_array().unwrap();
    let places: Vec<_> = spans.iter().map(|span| (span["begin"].as_u64(), span["end"].as_u64())).collect();
    assert_eq!(places, [(Some(0), Some(8)), (Some(9), Some(15))]);
    let alone = analyze(&platform, Some("operator"), json!({ "text": "Three!" })).await;
    assert_eq!(spans[1]["scores"], alone.body["results"][0]["scores"]);
}

/// What would be hidden after it is published is said before: by the word lists, and by the model's own thresholds.
#[sqlx::test(migrations = false)]
async fn a_verdict_is_that_of_the_published_text(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &["--moderation-model", &model()]).await;
    let off = platform.beside(&["--analyser", "off"]);
    let model = MiniLm::new(&crate::text_model::tests::tiny(), InstructionSet::best()).unwrap();
    let mut verdicts = Vec::new();
    for text in ["kill yourself", "one kill yourself one", "two two kill yourself", "one", "three a b", "c d e f g"] {
        let scores = model.read(&[text]).unwrap()[0];
        let reason = match () {
            () if scores.hides[Head::Threat as usize] => Some("RULES_VIOLATION"),
            () if scores.hides[Head::Hate as usize] => Some("OFFENSIVE_CONTENT"),
            () if scores.hides[Head::Spam as usize] => Some("RULES_VIOLATION"),
            () => None,
        };
        for (platform, reason) in
            [(&off, reason), (&platform, reason.or(text.contains("kill").then_some("RULES_VIOLATION")))]
        {
            let reply = analyze(platform, Some("operator"), json!({ "text": text })).await;
            let expected = (json!(if reason.is_some() { "HIDE" } else { "ALLOW" }), json!(reason));
            let result = &reply.body["results"][0];
            assert_eq!((result["verdict"].clone(), result["reason"].clone()), expected, "{text}");
            verdicts.push(reason);
        }
    }
    assert!(verdicts.contains(&None) && verdicts.contains(&Some("RULES_VIOLATION")), "{verdicts:?}");
}

/// Only the platform's own services may ask, and a refusal says what is wrong.
#[sqlx::test(migrations = false)]
async fn other_callers_and_other_bodies_are_refused(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &["--moderation-model", &model()]).await;
    let (user, _) = new_user();
    for (token, status) in [(None, 401), (Some(user.as_str()), 403), (Some("operator"), 200)] {
        assert_eq!(analyze(&platform, token, json!({ "text": "one" })).await.status, status, "{token:?}");
    }
    let many = vec!["one"; 65];
    for (body, field, kind) in [
        (json!({}), "text", "value_error.choice"),
        (json!({ "text": "one", "texts": ["two"] }), "text", "value_error.choice"),
        (json!({ "text": 5 }), "text", "type_error.str"),
        (json!({ "text": "x".repeat(20_001) }), "text", "value_error.any_str.max_length"),
        (json!({ "texts": [] }), "texts", "value_error.list.length"),
        (json!({ "texts": many }), "texts", "value_error.list.length"),
        (json!({ "texts": ["one", null] }), "texts", "type_error.str"),
        (json!({ "text": "one", "spans": "yes" }), "spans", "type_error.bool"),
        (json!({ "text": "one", "txt": "two" }), "txt", "value_error.extra"),
    ] {
        let reply = analyze(&platform, Some("operator"), body.clone()).await;
        assert_eq!(reply.status, 422, "{body}");
        let places = reply.body["detail"].as_array().unwrap();
        let is_named = places.iter().any(|place| place["loc"] == json!(["body", field]) && place["type"] == kind);
        assert!(is_named, "{field} {kind}: {}", reply.body);
    }
}

#[sqlx::test(migrations = false)]
async fn without_a_model_the_caller_is_told_so(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &["--moderation-model", "off"]).await;
    let reply = analyze(&platform, Some("operator"), json!({ "text": "one" })).await;
    assert_eq!(reply.status, 503);
    assert_eq!(reply.body["detail"], "The text model is off");
    assert_eq!(reply.headers["retry-after"], "2");
}
