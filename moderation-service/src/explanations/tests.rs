//! Explanations, from the analyses that wait for one to the spans that moderators see.
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use clap::FromArgMatches;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor, Row};
use uuid::Uuid;

use super::models::WaitingExplanation;
use super::schedulers::{Explainer, ExplanationCounter};
use crate::SERVICE;
use crate::analyses::scoring::Explanation;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::serve::Service;
use crate::core::testing::counted::Counted;
use crate::core::testing::{Platform, new_user};
use crate::moderations::events::{COMMENT_CREATED, COMMENT_DELETED, COMMENT_UPDATED};
use crate::reports::tests::new_moderator;
use crate::settings::Settings;
use crate::text_model::{Calibration, Class, HEADS, Head, Scores, TextModel};

/// How long a test waits for what another thread does.
const PATIENCE: Duration = Duration::from_mins(1);

/// Finds hate in "vile", less of it in "rude", and hardly any in "curt"; of a certain version.
struct Hate(&'static str);

impl TextModel for Hate {
    fn version(&self) -> &str {
        self.0
    }

    fn calibrations(&self) -> &[Calibration; HEADS] {
        &[Calibration { slope: 1.0, bias: 0.0, label: 0.5, hide: Some(0.875) }; HEADS]
    }

    fn read(&self, texts: &[&str]) -> anyhow::Result<Vec<Scores>> {
        let read = |text: &&str| {
            let mut scores = [0.007_812_5; HEADS];
            let least = if text.contains("curt") { 0.25 } else { 0.007_812_5 };
            let hate = if text.contains("vile") { 0.984_375 } else { least };
            scores[Head::Hate as usize] = if text.contains("rude") { 0.75_f32.max(hate) } else { hate };
            let [labels, hides] = [0.5, 0.875].map(|from| scores.map(|score| score >= from));
            Scores { scores, labels, hides, class: Class::Neither, is_partial: false }
        };
        Ok(texts.iter().map(read).collect())
    }
}

/// The same, but cannot read a text without its word "whole", as explanations do.
struct Failing;

impl TextModel for Failing {
    fn version(&self) -> &'static str {
        "hate-1"
    }

    fn calibrations(&self) -> &[Calibration; HEADS] {
        Hate("hate-1").calibrations()
    }

    fn read(&self, texts: &[&str]) -> anyhow::Result<Vec<Scores>> {
        anyhow::ensure!(texts.iter().all(|text| text.contains("whole")), "the model has failed");
        Hate("hate-1").read(texts)
    }
}

/// Whether the gated model was asked to explain, and whether it may.
static GATE: Mutex<(bool, bool)> = Mutex::new((false, false));
static GATE_MOVED: Condvar = Condvar::new();

/// Waits until the gate is as it should be; an error when that takes too long.
fn wait_for_gate(mut gate: MutexGuard<'_, (bool, bool)>, is: fn(&(bool, bool)) -> bool) -> anyhow::Result<()> {
    while !is(&gate) {
        let (moved, waited) = GATE_MOVED.wait_timeout(gate, PATIENCE).unwrap();
        anyhow::ensure!(!waited.timed_out(), "the gate did not move");
        gate = moved;
    }
    Ok(())
}

/// The same, but stops at a text without its word "whole" until the test lets it go on.
struct Gated;

impl TextModel for Gated {
    fn version(&self) -> &'static str {
        "hate-1"
    }

    fn calibrations(&self) -> &[Calibration; HEADS] {
        Hate("hate-1").calibrations()
    }

    fn read(&self, texts: &[&str]) -> anyhow::Result<Vec<Scores>> {
        if texts.iter().any(|text| !text.contains("whole")) {
            let mut gate = GATE.lock().unwrap();
            gate.0 = true;
            GATE_MOVED.notify_all();
            wait_for_gate(gate, |(_, may)| *may)?;
        }
        Hate("hate-1").read(texts)
    }
}

macro_rules! with_model {
    ($name:ident, $model:expr) => {
        static $name: Service = Service {
            features: |app, arguments| {
                let settings = Settings::from_arg_matches(arguments)?;
                let models = crate::Models { text: Some(Arc::new($model)), ..crate::Models::default() };
                crate::features(app, &settings, models)
            },
            ..SERVICE
        };
    };
}

with_model!(WITH_MODEL, Hate("hate-1"));
with_model!(WITH_GATED_MODEL, Gated);

fn explainer(platform: &Platform, model: impl TextModel + 'static) -> Explainer {
    Explainer { app: platform.app.clone(), model: Some(Arc::new(model)) }
}

fn counter(platform: &Platform, model_version: &str) -> ExplanationCounter {
    ExplanationCounter { app: platform.app.clone(), model_version: model_version.to_owned() }
}

/// A comment as the interaction service publishes it, `second` seconds after noon.
fn comment(id: Uuid, author: Uuid, second: u32, content: &str) -> Value {
    let at = format!("2026-11-20T12:00:{second:02}+00:00");
    json!({ "id": id, "created_at": at, "created_by": author, "updated_at": at, "updated_by": null, "post_id": Uuid::nil(),
        "content": content })
}

async fn write(platform: &Platform, author: Uuid, content: &str) -> Uuid {
    let id = Uuid::now_v7();
    platform.consume(COMMENT_CREATED, &comment(id, author, 0, content)).await;
    id
}

/// The analyses of a content as moderators see them, oldest first.
async fn analyses(platform: &Platform, content: Uuid) -> Vec<Value> {
    let rows = format!("select id from analysis where content_id = '{content}' order by at, id");
    let rows = platform.app.db.fetch_all(AssertSqlSafe(rows)).await.unwrap();
    let (moderator, _) = new_moderator();
    let mut found = Vec::new();
    for id in rows.iter().map(|row| row.get::<Uuid, _>("id")) {
        let reply = platform.call("GET", &format!("/moderation/analyses/{id}"), Some(&moderator), None).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        found.push(reply.body);
    }
    found
}

/// Whether the explanation of a content's only analysis is pending, and the spans that it has.
async fn explanation(platform: &Platform, content: Uuid) -> (Value, Vec<(u64, u64)>) {
    let [analysis] = &analyses(platform, content).await[..] else { panic!("one analysis") };
    let place = |span: &Value| (span["start"].as_u64().unwrap(), span["end"].as_u64().unwrap());
    (analysis["explanation_pending"].clone(), analysis["spans"].as_array().unwrap().iter().map(place).collect())
}

async fn visibility(platform: &Platform, content: Uuid) -> String {
    let row = format!("select visibility from subject where id = '{content}'");
    platform.app.db.fetch_one(AssertSqlSafe(row)).await.unwrap().get("visibility")
}

async fn waiting(platform: &Platform) -> i64 {
    WaitingExplanation::count(&platform.app.db).await.unwrap()
}

/// While an explanation takes as long as it likes, texts are read, hidden and shown to moderators, who read that it is pending.
#[sqlx::test(migrations = false)]
async fn a_decision_never_waits_for_an_explanation(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&WITH_GATED_MODEL, database, &[]).await;
    let (_, author) = new_user();
    let first = write(&platform, author, "the whole vile lot").await;
    assert_eq!(visibility(&platform, first).await, "HIDDEN");
    assert_eq!(explanation(&platform, first).await, (json!(true), vec![]));
    let mut worker = explainer(&platform, Gated);
    let stuck = platform.app.tasks.spawn(async move { worker.step().await });
    let begun = || wait_for_gate(GATE.lock().unwrap(), |(begun, _)| *begun);
    tokio::task::spawn_blocking(begun).await.unwrap().unwrap();
    let second = write(&platform, author, "another whole vile lot").await;
    assert_eq!(visibility(&platform, second).await, "HIDDEN");
    assert_eq!(explanation(&platform, first).await, (json!(true), vec![]));
    GATE.lock().unwrap().1 = true;
    GATE_MOVED.notify_all();
    assert_eq!(stuck.await.unwrap().unwrap(), Outcome::Busy);
    assert_eq!(explanation(&platform, first).await, (json!(false), vec![(10, 14)]));
    assert_eq!(explanation(&platform, second).await, (json!(true), vec![]), "it has its own turn");
}

/// What is worst is explained first, replicas share what waits, and every text of a flood gets its explanation, once.
#[sqlx::test(migrations = false)]
async fn all_labels_are_explained_the_worst_first_and_once(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&WITH_MODEL, database, &[]).await;
    let (_, author) = new_user();
    let clean = write(&platform, author, "a fine day").await;
    let vile = write(&platform, author, "so vile").await;
    let mut rude = Vec::new();
    for number in 0..9 {
        rude.push(write(&platform, author, &format!("so rude {number}")).await);
    }
    assert_eq!(waiting(&platform).await, 10, "what has no label has nothing to explain");
    let counted = Counted::begin();
    counter(&platform, "hate-1").step().await.unwrap();
    counted.assert("explanations_pending 10");
    let mut replicas = [explainer(&platform, Hate("hate-1")), explainer(&platform, Hate("hate-1"))];
    assert_eq!(replicas[0].step().await.unwrap(), Outcome::Busy);
    assert_eq!(explanation(&platform, vile).await, (json!(false), vec![(3, 7)]));
    let [first, second] = &mut replicas;
    while let (Outcome::Busy, _) | (_, Outcome::Busy) =
        futures::future::try_join(first.step(), second.step()).await.unwrap()
    {}
    for id in rude {
        assert_eq!(explanation(&platform, id).await, (json!(false), vec![(3, 7)]));
    }
    assert_eq!(explanation(&platform, clean).await, (json!(false), vec![]));
    counted.assert("explanations_total{outcome=\"explained\"} 10");
    let exported = platform.personal_data_of(author, "analyses").await;
    assert!(exported.iter().all(|analysis| analysis["explanation_pending"] == json!(false)), "{exported:?}");
    // The same text again is neither read nor explained again.
    platform.consume(COMMENT_UPDATED, &comment(vile, author, 1, "so vile")).await;
    assert_eq!((waiting(&platform).await, explanation(&platform, vile).await.1), (0, vec![(3, 7)]));
}

/// What a rule has acted on is explained below the label as well; what only a policy in shadow would have acted on is not.
#[sqlx::test(migrations = false)]
async fn what_a_rule_has_acted_on_is_explained_below_the_label(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&WITH_MODEL, database, &[]).await;
    let (_, author) = new_user();
    let admin = format!("{}:ACTIVE:ADMIN", Uuid::now_v7());
    let rule = json!({ "name": "early", "when": { "signal": "hate", "at_least": 0.2 }, "outcome": "HOLD", "reason": "HATE_SLUR" });
    let body = |mode: &str, version: i32| json!({ "name": "Early", "mode": mode, "rules": [rule], "version": version });
    let created = platform.call("POST", "/moderation/policies", Some(&admin), Some(body("SHADOW", 0))).await;
    assert_eq!(created.status, 201, "{created:?}");
    write(&platform, author, "so curt").await;
    assert_eq!(waiting(&platform).await, 0, "nothing has followed");
    let path = format!("/moderation/policies/{}", created.body["id"].as_str().unwrap());
    assert_eq!(platform.call("PUT", &path, Some(&admin), Some(body("ENFORCE", 1))).await.status, 200);
    let held = write(&platform, author, "so curt again").await;
    assert_eq!(visibility(&platform, held).await, "HELD");
    assert_eq!(waiting(&platform).await, 1);
    assert_eq!(explainer(&platform, Hate("hate-1")).step().await.unwrap(), Outcome::Busy);
    assert_eq!(explanation(&platform, held).await, (json!(false), vec![(3, 7)]));
    let [analysis] = &analyses(&platform, held).await[..] else { panic!("one analysis") };
    let expected = json!([{ "signal": "hate", "value": 0.25, "at_least": 0.2 }]);
    assert_eq!((&analysis["matched"][0]["rule"], &analysis["matched"][0]["comparisons"]), (&json!("early"), &expected));
}

/// A text that is too long to be searched whole has the spans that were found, wherever they stand, and the analysis says that there may be
/// others.
#[sqlx::test(migrations = false)]
async fn a_text_that_is_too_long_is_explained_in_part(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&WITH_MODEL, database, &[]).await;
    let (_, author) = new_user();
    let short = write(&platform, author, "so rude").await;
    let text = format!("{}so rude", "a fine day ".repeat(10_000));
    let long = write(&platform, author, &text).await;
    let mut worker = explainer(&platform, Hate("hate-1"));
    while worker.step().await.unwrap() == Outcome::Busy {}
    let mut in_part = Vec::new();
    for id in [short, long] {
        in_part.push(analyses(&platform, id).await[0]["explained_in_part"].clone());
    }
    assert_eq!(in_part, [json!(false), json!(true)]);
    let (pending, spans) = explanation(&platform, long).await;
    assert_eq!((pending, spans.len()), (json!(false), 1));
    assert_eq!(spans[0].1, 110_007, "the end is searched");
    let exported = platform.personal_data_of(author, "analyses").await;
    assert!(exported.iter().all(|analysis| analysis["explained_in_part"].is_boolean()), "an author reads it, too");
}

/// A text that is deleted, changed or erased before its explanation, or while a process is at it, gets none.
#[sqlx::test(migrations = false)]
async fn what_has_gone_meanwhile_is_not_explained(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&WITH_MODEL, database, &[]).await;
    let (_, author) = new_user();
    let mut worker = explainer(&platform, Hate("hate-1"));

    let deleted = write(&platform, author, "so rude").await;
    platform.consume(COMMENT_DELETED, &comment(deleted, author, 0, "so rude")).await;
    assert_eq!(explanation(&platform, deleted).await, (json!(false), vec![]));

    let deleted_meanwhile = write(&platform, author, "so rude").await;
    let taken = WaitingExplanation::take(&platform.app.db, "hate-1").await.unwrap().unwrap();
    assert_eq!((taken.content, taken.text.as_deref(), taken.tries), (deleted_meanwhile, Some("so rude"), 1));
    assert!(WaitingExplanation::take(&platform.app.db, "hate-1").await.unwrap().is_none(), "one process is at it");
    platform.consume(COMMENT_DELETED, &comment(deleted_meanwhile, author, 0, "so rude")).await;
    let mut tx = platform.app.db.begin().await.unwrap();
    assert!(!taken.save(&mut tx, &Explanation::default()).await.unwrap());
    tx.commit().await.unwrap();

    let counted = Counted::begin();
    let edited = write(&platform, author, "so rude").await;
    platform.consume(COMMENT_UPDATED, &comment(edited, author, 1, "much too rude")).await;
    while worker.step().await.unwrap() == Outcome::Busy {}
    let spans: Vec<_> =
        analyses(&platform, edited).await.iter().map(|found| found["spans"][0]["start"].clone()).collect();
    assert_eq!(spans, [json!(null), json!(9)], "only the text that there is can be explained");
    counted.assert("explanations_total{outcome=\"obsolete\"} 1");
    counted.assert("explanations_total{outcome=\"explained\"} 1");

    write(&platform, author, "so rude").await;
    platform.erase(author).await;
    assert_eq!(waiting(&platform).await, 0);
}

/// A text that is read again while its explanation is pending waits once. One that no process could explain is given up, and so is
/// one of a model that no replica has any more; reading it again lets it wait again.
#[sqlx::test(migrations = false)]
async fn what_cannot_be_explained_is_given_up(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&WITH_MODEL, database, &[]).await;
    let (_, author) = new_user();
    let id = write(&platform, author, "a whole rude lot").await;
    platform.consume(COMMENT_UPDATED, &comment(id, author, 1, "a whole rude lot")).await;
    assert_eq!(waiting(&platform).await, 1);
    let due = "update waiting_explanation set due_at = now()";
    let counted = Counted::begin();
    let mut failing = explainer(&platform, Failing);
    for _ in 0..3 {
        let failure = failing.step().await.unwrap_err();
        assert!(format!("{failure:#}").contains("the model has failed"), "{failure:#}");
        assert!(matches!(failing.step().await.unwrap(), Outcome::Idle(_)), "it is not tried at once");
        platform.app.db.execute(due).await.unwrap();
    }
    assert_eq!(explanation(&platform, id).await, (json!(true), vec![]));
    assert_eq!(failing.step().await.unwrap(), Outcome::Busy);
    assert_eq!(explanation(&platform, id).await, (json!(false), vec![]));
    counted.assert("explanations_total{outcome=\"failed\"} 3");
    counted.assert("explanations_total{outcome=\"given_up\"} 1");

    platform.consume(COMMENT_UPDATED, &comment(id, author, 2, "a whole rude lot more")).await;
    let mut later = explainer(&platform, Hate("hate-2"));
    assert!(matches!(later.step().await.unwrap(), Outcome::Idle(_)));
    assert_eq!(waiting(&platform).await, 1, "a replica with its model may still be there");
    let hours = "update waiting_explanation set created_at = now() - interval '2 hours'";
    platform.app.db.execute(hours).await.unwrap();
    counter(&platform, "hate-1").step().await.unwrap();
    assert_eq!(waiting(&platform).await, 1, "its model is here, and has much to do");
    counter(&platform, "none").step().await.unwrap();
    assert_eq!(waiting(&platform).await, 0);
    counted.assert("explanations_pending 0");
    counted.assert("explanations_total{outcome=\"given_up\"} 2");
}
