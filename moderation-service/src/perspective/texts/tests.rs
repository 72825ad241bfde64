//! Texts of the platform's own services, through their route.
use std::sync::Arc;

use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor, Row};
use uuid::Uuid;

use crate::SERVICE;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::{Platform, Reply, new_user};
use crate::decisions::events::COMMENT_DELETE_REQUESTED;
use crate::moderations::events::COMMENT_CREATED;
use crate::perspective::tests::model;
use crate::policies::schedulers::PolicyReader;
use crate::policies::services::CurrentPolicies;
use crate::text_model::TextModel;
use crate::text_model::kernel::packed::InstructionSet;
use crate::text_model::mini_lm::MiniLm;

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

/// The rule that would hide a comment, and hides it once it is published: both say the same.
async fn rule_before_and_after(platform: &Platform, text: &str) -> Option<String> {
    let result = analyze(platform, Some("operator"), json!({ "text": text, "audience": "COMMENT" })).await;
    let result = result.body["results"][0].clone();
    let id = Uuid::now_v7();
    let comment = json!({ "id": id, "created_at": "2026-11-20T12:00:00+00:00", "created_by": Uuid::now_v7(),
        "updated_at": "2026-11-20T12:00:00+00:00", "updated_by": null, "post_id": Uuid::nil(), "content": text });
    platform.consume(COMMENT_CREATED, &comment).await;
    let requested = platform.published(COMMENT_DELETE_REQUESTED).await;
    let hidden = requested.iter().find(|request| request["content_id"] == json!(id));
    let decided = format!("select rule from decision where subject_id = '{id}' and actions->0->>'action' = 'HIDE'");
    let decided = platform.app.db.fetch_optional(AssertSqlSafe(decided)).await.unwrap();
    let rule = decided.map(|row| row.get::<String, _>("rule"));
    assert_eq!(result["policy"]["rule"], json!(rule), "{text}: {result}");
    assert_eq!(result["verdict"], if rule.is_some() { "HIDE" } else { "ALLOW" }, "{text}");
    let reason = hidden.filter(|_| rule.is_some()).map(|request| request["reason"].clone());
    assert_eq!(result["reason"], reason.unwrap_or_default(), "{text}");
    rule
}

/// What is said before a text is published is what happens to it afterwards: by the model's thresholds, the word lists, rules about
/// domains, and whatever administrators have made a rule of.
#[sqlx::test(migrations = false)]
async fn a_verdict_is_that_of_the_published_text(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &["--moderation-model", &model()]).await;
    let admin = format!("{}:ACTIVE:ADMIN", Uuid::now_v7());
    let set =
        platform.call("PUT", "/moderation/domains/bad.example", Some(&admin), Some(json!({ "verdict": "BLOCK" })));
    assert_eq!(set.await.status, 200);
    let rule = |name: &str, when: Value, outcome: &str| json!({ "name": name, "when": when, "outcome": outcome, "reason": "OTHER_RULES" });
    let only_comments = json!({ "all": [{ "audience": ["COMMENT"] }, { "signal": "mentions", "at_least": 2 }] });
    let rules = json!([
        rule("many-mentions", only_comments, "HIDE"),
        rule("shouting", json!({ "signal": "uppercase", "at_least": 0.9 }), "HOLD"),
        rule("blocked", json!({ "signal": "blocked_links", "at_least": 1 }), "HIDE"),
    ]);
    let policy = json!({ "name": "Ours", "mode": "ENFORCE", "rules": rules });
    assert_eq!(platform.call("POST", "/moderation/policies", Some(&admin), Some(policy)).await.status, 201);
    let texts = [
        "kill yourself",
        "one kill yourself one",
        "one",
        "see https://a.bad.example/x",
        "@anna and @bert, look",
        "WHY DO I HAVE TO SHOUT LIKE THIS",
    ];
    let path = "/moderation/policies/019aa0c6-0000-7000-8000-000000000001";
    let default = platform.call("GET", path, Some(&admin), None).await.body;
    let mut rules = Vec::new();
    // With the policy that the service brings, and then without it.
    for (version, mode) in [(2, "ENFORCE"), (3, "OFF")] {
        let body = json!({ "name": "Default", "mode": mode, "rules": default["rules"], "version": version });
        assert_eq!(platform.call("PUT", path, Some(&admin), Some(body)).await.status, 200);
        for text in texts {
            rules.push(rule_before_and_after(&platform, text).await);
        }
    }
    let of = |number: usize| rules[number].as_deref();
    assert!(of(0).is_some(), "{rules:?}");
    let expected = [None, None, None, Some("blocked"), Some("many-mentions"), None];
    assert_eq!([6, 7, 8, 9, 10, 11].map(of), expected, "a rule that holds refuses nothing");
    let post = analyze(&platform, Some("operator"), json!({ "text": "@anna and @bert, look" })).await;
    assert_eq!(post.body["results"][0]["policy"], Value::Null, "the rule is about comments");
}

/// Policies are held for as long as the database is away, and a change of one holds from the next reading of them on.
#[sqlx::test(migrations = false)]
async fn the_policies_of_now_are_held(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &["--moderation-model", &model()]).await;
    let current = Arc::new(CurrentPolicies::default());
    let mut reader = PolicyReader { app: platform.app.clone(), current: current.clone() };
    assert!(matches!(reader.step().await.unwrap(), Outcome::Idle(_)));
    let held = current.get(&platform.app.db).await.unwrap();
    let admin = format!("{}:ACTIVE:ADMIN", Uuid::now_v7());
    let policy = json!({ "name": "Ours", "mode": "SHADOW", "rules": [] });
    assert_eq!(platform.call("POST", "/moderation/policies", Some(&admin), Some(policy)).await.status, 201);
    assert_eq!(current.get(&platform.app.db).await.unwrap().len(), held.len());
    reader.step().await.unwrap();
    assert_eq!(current.get(&platform.app.db).await.unwrap().len(), held.len() + 1);
    platform.app.db.close().await;
    assert!(reader.step().await.is_err());
    assert_eq!(current.get(&platform.app.db).await.unwrap().len(), held.len() + 1);
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
        (json!({ "text": "one", "audience": "USER" }), "audience", "type_error.enum"),
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
