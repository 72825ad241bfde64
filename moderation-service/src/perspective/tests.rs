//! Perspective's API, through its routes, with a tiny model that no training made.
use std::fs;
use std::sync::{Arc, LazyLock, Mutex, mpsc};
use std::time::Instant;

use axum::body::Body;
use axum::http::{Request, header};
use chrono::{TimeDelta, Utc};
use futures::TryStreamExt;
use serde_json::{Value, json};
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tempfile::NamedTempFile;

use super::models::Suggestion;
use super::reader::{TextReader, Unreadable};
use super::schedulers::RETENTION;
use crate::SERVICE;
use crate::core::testing::counted::Counted;
use crate::core::testing::{Platform, Reply};
use crate::text_model::artefact::Calibration;
use crate::text_model::tests::tiny;
use crate::text_model::{Class, HEADS, Scores, TextModel};

/// The file of the tiny model, one for all tests.
static MODEL: LazyLock<NamedTempFile> = LazyLock::new(|| {
    let file = NamedTempFile::new().unwrap();
    fs::write(file.path(), tiny()).unwrap();
    file
});

/// Where the tiny model is.
pub fn model() -> String {
    MODEL.path().to_str().unwrap().to_owned()
}

async fn start(database: PgConnectOptions) -> Platform {
    let settings = ["--perspective-keys", "forum=k1,app=k2", "--moderation-model", &model()];
    Platform::start(&SERVICE, database, &settings).await
}

async fn post(platform: &Platform, path: &str, body: impl Into<Body>) -> Reply {
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
    platform.send(request.body(body.into()).unwrap()).await
}

async fn analyze(platform: &Platform, body: Value) -> Reply {
    post(platform, "/v1alpha1/comments:analyze?key=k1", body.to_string()).await
}

async fn suggest(platform: &Platform, body: Value) -> Reply {
    post(platform, "/v1alpha1/comments:suggestscore?key=k1", body.to_string()).await
}

/// What is wrong with a request, as a client reads it: code, status, message, the type of the error.
fn error(reply: &Reply) -> (u64, &str, &str, Option<&str>) {
    assert_eq!(reply.headers[header::CONTENT_TYPE], "application/json; charset=UTF-8", "{reply:?}");
    let error = &reply.body["error"];
    assert_eq!(u64::from(reply.status.as_u16()), error["code"].as_u64().unwrap(), "{reply:?}");
    let text = |name: &str| error[name].as_str().unwrap();
    let kind = error["details"][0]["errorType"].as_str();
    (error["code"].as_u64().unwrap(), text("status"), text("message"), kind)
}

#[sqlx::test(migrations = false)]
async fn a_comment_has_the_scores_that_were_asked_for(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let text = "One two. Three, you asshole!";
    let request = json!({
        "comment": { "text": text, "type": "PLAIN_TEXT" }, "languages": ["en"], "doNotStore": true,
        "requestedAttributes": { "TOXICITY": { "scoreType": "PROBABILITY" }, "PROFANITY": {}, "SEXISM": {} },
        "clientToken": "token 1", "sessionId": "s", "communityId": "c",
        "context": { "entries": [{ "text": "An article." }] },
    });
    let reply = analyze(&platform, request.clone()).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let scores = reply.body["attributeScores"].as_object().unwrap();
    assert_eq!(scores.keys().collect::<Vec<_>>(), ["PROFANITY", "SEXISM", "TOXICITY"]);
    for (name, score) in scores {
        let summary = &score["summaryScore"];
        assert!((0.0..=1.0).contains(&summary["value"].as_f64().unwrap()), "{name}: {score}");
        assert_eq!(summary["type"], "PROBABILITY");
        // Without annotations the comment is one span.
        assert_eq!(score["spanScores"], json!([{ "begin": 0, "end": text.len(), "score": summary }]));
    }
    assert_eq!(scores["PROFANITY"]["summaryScore"]["value"], 0.578);
    assert_eq!((&reply.body["languages"], &reply.body["clientToken"]), (&json!(["en"]), &json!("token 1")));
    assert!(reply.body["model_version"].as_str().unwrap().starts_with("text-"), "{}", reply.body);

    // The same request in the names of the messages' own language.
    let snake = json!({
        "comment": { "text": text }, "languages": ["en"], "span_annotations": true, "do_not_store": true,
        "requested_attributes": { "TOXICITY": { "score_type": "PROBABILITY" }, "PROFANITY": { "score_threshold": 0.5 } },
    });
    let spans = analyze(&platform, snake).await;
    let of = |name: &str| spans.body["attributeScores"][name]["spanScores"].as_array().unwrap().clone();
    let places: Vec<_> = of("TOXICITY").iter().map(|span| (span["begin"].clone(), span["end"].clone())).collect();
    assert_eq!(places, [(json!(0), json!(8)), (json!(9), json!(28))]);
    let profane: Vec<_> = of("PROFANITY").iter().map(|span| span["begin"].clone()).collect();
    assert_eq!(profane, [json!(9)], "a score below the threshold is left out");
    assert_eq!(spans.body["attributeScores"]["TOXICITY"]["summaryScore"], scores["TOXICITY"]["summaryScore"]);
    let tables = ["moderation.suggestion", "moderation.outbox"];
    let places = platform.finds("asshole").await;
    assert!(tables.iter().all(|table| !places.contains(&(*table).to_owned())) && places.is_empty(), "{places:?}");
}

#[sqlx::test(migrations = false)]
async fn a_threshold_leaves_out_what_is_below_it(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let request = json!({ "comment": { "text": "one" }, "requestedAttributes":
        { "PROFANITY": { "scoreThreshold": 0.5 }, "SEXUALLY_EXPLICIT": { "scoreThreshold": 0.02 } } });
    let reply = analyze(&platform, request).await;
    let scores = reply.body["attributeScores"].as_object().unwrap();
    assert_eq!(scores.keys().collect::<Vec<_>>(), ["SEXUALLY_EXPLICIT"]);
    assert_eq!(reply.body["languages"], json!(["en"]), "what is too short to tell counts as English");
    assert_eq!(reply.body["detectedLanguages"], json!([]));
}

#[sqlx::test(migrations = false)]
async fn what_perspective_refuses_is_refused_in_its_words(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let bad = (400, "INVALID_ARGUMENT");
    let toxicity = json!({ "TOXICITY": {} });
    let comment = |text: &str| json!({ "comment": { "text": text }, "requestedAttributes": toxicity });
    let cases = [
        (comment(""), "Comment must be non-empty.", "COMMENT_EMPTY"),
        (comment(" \n"), "Comment must be non-empty.", "COMMENT_EMPTY"),
        (json!({ "requestedAttributes": toxicity }), "Comment must be non-empty.", "COMMENT_EMPTY"),
        (comment(&"é".repeat(10_241)), "Comment text too long.", "COMMENT_TOO_LONG"),
        (json!({ "comment": { "text": "x" } }), "Missing requested_attributes", "NO_REQUESTED_ATTRIBUTES"),
        (
            json!({ "comment": { "text": "x" }, "requestedAttributes": {} }),
            "Missing requested_attributes",
            "NO_REQUESTED_ATTRIBUTES",
        ),
        (
            json!({ "comment": { "text": "x" }, "requestedAttributes": { "FLIRTATION": {}, "TOXICITY": {} } }),
            "Unknown requested attribute: FLIRTATION",
            "INVALID_REQUEST",
        ),
        (
            json!({ "comment": { "text": "x" }, "requestedAttributes": { "THREAT": { "scoreType": "RAW" } } }),
            "Requested score type RAW is not supported by attribute THREAT",
            "INVALID_REQUEST",
        ),
        (
            json!({ "comment": { "text": "x", "type": "HTML" }, "requestedAttributes": toxicity }),
            "Currently, only 'PLAIN_TEXT' comments are supported",
            "INVALID_REQUEST",
        ),
        (
            json!({ "comment": { "text": "x", "type": "MARKDOWN" }, "requestedAttributes": toxicity }),
            "Unknown text type",
            "INVALID_REQUEST",
        ),
        (
            json!({ "comment": { "text": "x" }, "requestedAttributes": toxicity,
                "context": { "entries": [], "articleAndParentComment": {} } }),
            "Context can have either entries or article_and_parent_comment, but both fields were populated.",
            "INVALID_REQUEST",
        ),
        (
            json!({ "comment": { "text": "x" }, "requestedAttributes": toxicity, "languages": ["?"] }),
            "languages must be at most 16 codes like en or en-GB",
            "INVALID_REQUEST",
        ),
    ];
    for (request, message, kind) in cases {
        let reply = analyze(&platform, request).await;
        assert_eq!(error(&reply), (bad.0, bad.1, message, Some(kind)));
    }
    let mut longest = comment(&"é".repeat(10_240));
    longest["languages"] = json!(["en"]);
    let longest = analyze(&platform, longest).await;
    assert_eq!(longest.status, 200, "{longest:?}");

    for (body, begins) in [
        ("{", "Invalid JSON payload received. EOF while parsing"),
        ("", "Invalid JSON payload received. EOF while parsing"),
        ("[]", "Invalid JSON payload received. invalid length 0"),
        (r#"{"comment":{"txt":"x"}}"#, "Invalid JSON payload received. unknown field `txt`"),
    ] {
        let reply = post(&platform, "/v1alpha1/comments:analyze?key=k1", body).await;
        let (code, status, message, kind) = error(&reply);
        assert_eq!((code, status, kind), (400, "INVALID_ARGUMENT", None), "{reply:?}");
        assert!(message.starts_with(begins), "{message}");
    }
    let huge = post(&platform, "/v1alpha1/comments:analyze?key=k1", "x".repeat(200_000)).await;
    let too_large = "Request payload size exceeds the limit: 131072 bytes.";
    assert_eq!(error(&huge), (400, "INVALID_ARGUMENT", too_large, None));
}

/// Texts made to hurt a reader, as long as the routes take them, are answered or refused in bounded time, spans and word lists among it.
#[sqlx::test(migrations = false)]
async fn hostile_texts_are_answered_in_bounded_time(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let is_answer = |reply: &Reply| [200, 503].contains(&reply.status.as_u16());
    for flood in ["a\u{301}\u{302}\u{303}\u{304}", "\u{202e}abc. ", "😂"] {
        let text: String = flood.chars().cycle().take(20_000).collect();
        let started = Instant::now();
        let own = json!({ "text": text, "spans": true });
        let own = platform.call("POST", "/analyze", Some("operator"), Some(own)).await;
        assert!(is_answer(&own), "{flood:?}: {own:?}");
        let request = json!({
            "comment": { "text": &text[..text.floor_char_boundary(20_480)] }, "languages": ["en"], "spanAnnotations": true,
            "requestedAttributes": { "TOXICITY": {}, "PROFANITY": {} },
        });
        let reply = analyze(&platform, request).await;
        assert!(is_answer(&reply), "{flood:?}: {reply:?}");
        assert!(started.elapsed().as_secs() < 40, "{flood:?} took {:?}", started.elapsed());
    }
}

/// A language that the model has not learned is refused for the attribute, as Perspective does; a client may have it left out.
#[sqlx::test(migrations = false)]
async fn a_language_is_refused_where_no_attribute_supports_it(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let german = "Das Wetter ist heute sehr schön, und wir gehen in den Garten.";
    let ask = |more: Value| {
        let mut request = json!({ "comment": { "text": german }, "requestedAttributes": { "INSULT": {} } });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request
    };
    let reply = analyze(&platform, ask(json!({}))).await;
    let message = "Attribute INSULT does not support request languages: de";
    assert_eq!(error(&reply), (400, "INVALID_ARGUMENT", message, Some("LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE")));
    let detail = &reply.body["error"]["details"][0];
    assert_eq!(detail["@type"], "type.googleapis.com/google.commentanalyzer.v1alpha1.Error");
    let expected = json!({ "attribute": "INSULT", "detectedLanguages": ["de"] });
    assert_eq!(detail["languageNotSupportedByAttributeError"], expected);
    let reply = analyze(&platform, ask(json!({ "languages": ["fr", "ja"] }))).await;
    assert_eq!(error(&reply).2, "Attribute INSULT does not support request languages: fr, ja");

    let insisted = analyze(&platform, ask(json!({ "languages": ["de", "en"] }))).await;
    assert!(insisted.body["attributeScores"]["INSULT"].is_object(), "{insisted:?}");
    assert_eq!(insisted.body["detectedLanguages"], json!(["de"]));
    let dropped = analyze(&platform, ask(json!({ "dropUnsupportedAttributes": true }))).await;
    assert_eq!((&dropped.body["attributeScores"], &dropped.body["languages"]), (&json!({}), &json!(["de"])));
}

#[sqlx::test(migrations = false)]
async fn a_key_opens_the_api_and_is_counted_by_its_name(_: PgPoolOptions, database: PgConnectOptions) {
    let settings = [
        "--perspective-keys",
        "forum=k1,app=k2",
        "--moderation-model",
        &model(),
        "--rate-limits",
        "perspective=1/3600+2,perspective_suggestions=1/3600",
    ];
    let platform = Platform::start(&SERVICE, database, &settings).await;
    let body = json!({ "comment": { "text": "one" }, "requestedAttributes": { "TOXICITY": {} } }).to_string();
    let unregistered = post(&platform, "/v1alpha1/comments:analyze", body.clone()).await;
    let (code, status, message, _) = error(&unregistered);
    assert_eq!((code, status), (403, "PERMISSION_DENIED"));
    assert!(message.starts_with("Method doesn't allow unregistered callers"), "{message}");
    let invalid = post(&platform, "/v1alpha1/comments:suggestscore?key=k3", body.clone()).await;
    assert_eq!(error(&invalid).2, "API key not valid. Please pass a valid API key.");
    assert_eq!(invalid.body["error"]["details"][0]["reason"], "API_KEY_INVALID");

    let by_header = |key: &str| {
        let request = Request::post("/v1alpha1/comments:analyze?alt=json").header("x-goog-api-key", key);
        request.body(Body::from(body.clone())).unwrap()
    };
    let counted = Counted::begin();
    for status in [200, 200, 429] {
        assert_eq!(platform.send(by_header("k1")).await.status, status);
    }
    counted.assert("text_analyses_total{outcome=\"read\"} 2");
    counted.assert("rate_limits_refused_total{limit=\"perspective\"} 1");
    let refused = platform.send(by_header("k1")).await;
    let (code, status, message, _) = error(&refused);
    assert_eq!(
        (code, status, message),
        (429, "RESOURCE_EXHAUSTED", "Quota exceeded: the key has made too many requests.")
    );
    assert!(refused.headers["retry-after"].to_str().unwrap().parse::<u32>().unwrap() > 1_000, "{refused:?}");
    assert_eq!(platform.send(by_header("k2")).await.status, 200, "another key has its own quota");
}

/// A setting that is empty, as a compose file passes it on, is no key; the platform's own services need none.
#[sqlx::test(migrations = false)]
async fn without_keys_the_api_is_closed(_: PgPoolOptions, database: PgConnectOptions) {
    let settings = ["--perspective-keys", "", "--moderation-model", &model()];
    let platform = Platform::start(&SERVICE, database, &settings).await;
    for (query, code) in [("", 403), ("?key=", 403), ("?key=k1", 400)] {
        let reply = post(&platform, &format!("/v1alpha1/comments:analyze{query}"), "{}").await;
        assert_eq!(error(&reply).0, code, "{query:?}");
    }
    let own = platform.call("POST", "/analyze", Some("operator"), Some(json!({ "text": "one" }))).await;
    assert_eq!(own.status, 200);
}

#[sqlx::test(migrations = false)]
async fn a_suggestion_is_stored_once_and_can_be_exported(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let text = "Get busy living, or get busy dying.";
    let scores = |value: f64| json!({ "TOXICITY": { "summaryScore": { "value": value } } });
    let request = |value: f64| {
        json!({ "comment": { "text": text }, "attributeScores": scores(value), "communityId": "/forum/movies",
            "clientToken": "comment-53922", "languages": ["en"] })
    };
    for value in [0.9, 0.1] {
        let reply = suggest(&platform, request(value)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let expected =
            json!({ "clientToken": "comment-53922", "requestedLanguages": ["en"], "detectedLanguages": ["en"] });
        assert_eq!(reply.body, expected);
    }
    let other = post(&platform, "/v1alpha1/comments:suggestscore?key=k2", request(0.2).to_string()).await;
    assert_eq!(other.status, 200);
    let stored: Vec<Suggestion> = Suggestion::all(&platform.app.db).try_collect().await.unwrap();
    let stored: Vec<_> = stored.iter().map(|one| (one.text.as_str(), one.attribute_scores.clone())).collect();
    let expected = [0.1, 0.2].map(|value| (text, scores(value)));
    assert_eq!(stored, expected, "a key's newer one replaces its older one");

    for (body, message) in [
        (json!({ "comment": { "text": "x" } }), "Missing attribute_scores"),
        (
            json!({ "comment": { "text": "x" }, "attributeScores": { "FUNNY": {} } }),
            "Unknown requested attribute: FUNNY",
        ),
        (json!({ "comment": { "text": "x" }, "attributeScores": { "TOXICITY": {} } }), "TOXICITY has no score"),
        (
            json!({ "comment": { "text": "x" }, "attributeScores": scores(1.5) }),
            "a score of TOXICITY must be from 0 to 1",
        ),
        (
            json!({ "comment": { "text": "x" }, "attributeScores": { "TOXICITY": { "spanScores": [{ "begin": 2, "end": 2 }] } } }),
            "a span of TOXICITY ends before it begins",
        ),
        (
            json!({ "comment": { "text": "a\0b" }, "attributeScores": scores(1.0) }),
            "comment.text must not contain a zero byte",
        ),
        (
            json!({ "comment": { "text": "x" }, "attributeScores": scores(1.0), "sessionId": "x".repeat(257) }),
            "session_id must be at most 256 bytes, none of them zero",
        ),
    ] {
        let reply = suggest(&platform, body).await;
        assert_eq!(error(&reply), (400, "INVALID_ARGUMENT", message, Some("INVALID_REQUEST")));
    }
}

/// A suggestion goes when it is half a year old; a newer one stays.
#[sqlx::test(migrations = false)]
async fn old_suggestions_are_deleted(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    for text in ["old", "new"] {
        let scores = json!({ "SPAM": { "summaryScore": { "value": 1 } } });
        let reply = suggest(&platform, json!({ "comment": { "text": text }, "attributeScores": scores })).await;
        assert_eq!(reply.status, 200);
    }
    platform
        .app
        .db
        .execute("update suggestion set created_at = now() - interval '181 days' where text = 'old'")
        .await
        .unwrap();
    let limit = Utc::now() - RETENTION;
    assert!(RETENTION == TimeDelta::days(180) && Suggestion::delete_before(&platform.app.db, limit).await.unwrap());
    assert!(!Suggestion::delete_before(&platform.app.db, limit).await.unwrap());
    let left: Vec<Suggestion> = Suggestion::all(&platform.app.db).try_collect().await.unwrap();
    assert_eq!(left.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(), ["new"]);
}

#[sqlx::test(migrations = false)]
async fn without_a_model_analyses_are_unavailable_and_suggestions_are_stored(
    _: PgPoolOptions,
    database: PgConnectOptions,
) {
    let platform =
        Platform::start(&SERVICE, database, &["--perspective-keys", "forum=k1", "--moderation-model", "off"]).await;
    let reply =
        analyze(&platform, json!({ "comment": { "text": "one" }, "requestedAttributes": { "SPAM": {} } })).await;
    let message = "The text model is off.";
    assert_eq!(error(&reply), (503, "UNAVAILABLE", message, None));
    assert_eq!(reply.headers["retry-after"], "2");
    let scores = json!({ "SPAM": { "summaryScore": { "value": 1 } } });
    let stored = suggest(&platform, json!({ "comment": { "text": "x" }, "attributeScores": scores })).await;
    assert_eq!(stored.status, 200, "{stored:?}");
    platform.app.prepared.send_replace(false);
    let reply = suggest(&platform, json!({ "comment": { "text": "x" }, "attributeScores": scores })).await;
    assert_eq!(error(&reply).0, 503, "its table may not be there yet");
}

/// A library that reads the document finds what it needs, and the service where it has found the document.
#[sqlx::test(migrations = false)]
async fn the_discovery_document_leads_to_this_service(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let get = |platform: Platform, query: &'static str| async move {
        let request = Request::get(format!("/$discovery/rest{query}")).header(header::HOST, "moderation.example:81");
        platform.send(request.body(Body::empty()).unwrap()).await
    };
    let set = platform.beside(&["--perspective-url", "https://api.example"]);
    let found = get(platform, "?version=v1alpha1").await;
    assert_eq!((found.status.as_u16(), &found.body["rootUrl"]), (200, &json!("http://moderation.example:81/")));
    let method = &found.body["resources"]["comments"]["methods"]["analyze"];
    assert_eq!((&method["httpMethod"], &method["path"]), (&json!("POST"), &json!("v1alpha1/comments:analyze")));
    let schemas = found.body["schemas"].as_object().unwrap();
    let text = found.body.to_string();
    let references: Vec<&str> = text.split("\"$ref\":\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(references.len() > 15 && references.iter().all(|name| schemas.contains_key(*name)), "{references:?}");
    let other = get(set.beside(&[]), "?version=v1").await;
    assert_eq!(error(&other), (404, "NOT_FOUND", "API version v1 is not found.", None));
    assert_eq!(get(set, "").await.body["rootUrl"], "https://api.example/");
}

/// A model that waits for the test before it reads.
struct Waiting(Mutex<mpsc::Receiver<()>>);

impl TextModel for Waiting {
    fn version(&self) -> &'static str {
        "waiting"
    }

    fn calibrations(&self) -> &[Calibration; HEADS] {
        &[Calibration { slope: 1.0, bias: 0.0, label: 0.5, hide: None }; HEADS]
    }

    fn read(&self, texts: &[&str]) -> anyhow::Result<Vec<Scores>> {
        self.0.lock().unwrap().recv()?;
        Ok(texts
            .iter()
            .map(|_| Scores {
                scores: [0.25; HEADS],
                labels: [false; HEADS],
                hides: [false; HEADS],
                class: Class::Neither,
                is_partial: false,
            })
            .collect())
    }
}

/// As many bytes as can be read in time are let in; more are refused at once, and let in again when the others are read.
#[tokio::test]
async fn what_is_too_much_is_refused_at_once() {
    let (go, wait) = mpsc::channel();
    let reader = TextReader::new(Some(Arc::new(Waiting(Mutex::new(wait)))), 1).unwrap();
    let most = "x".repeat(256 * 1024 - 63);
    let (first, second) = futures::join!(reader.read(vec![most.clone()]), async {
        let second = reader.read(vec!["y".to_owned()]).await;
        go.send(()).unwrap();
        second
    });
    assert_eq!(first.unwrap()[0].scores[0].to_bits(), 0.25f32.to_bits());
    assert!(matches!(second, Err(Unreadable::Overloaded)), "{second:?}");
    go.send(()).unwrap();
    assert_eq!(reader.read(vec!["y".to_owned()]).await.unwrap().len(), 1);
    let never = reader.read(vec!["x".repeat(300 * 1024)]).await;
    assert!(matches!(never, Err(Unreadable::Overloaded)), "{never:?}");
}
