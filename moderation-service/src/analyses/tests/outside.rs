//! Texts are read in no transaction: what holds when a text is changed, a reader dies, or two of them read the same meanwhile.
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use clap::FromArgMatches;
use redis::AsyncCommands;
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor, Row};
use tokio::sync::watch;
use uuid::Uuid;

use super::{Words, comment, held, hidden, reanalyser, start, state, verdicts, write};
use crate::analyses::commands::{ReanalyseOptions, reanalyse};
use crate::analyses::events::consumers::subscriptions;
use crate::analyses::reading::{AnalysisReader, Pipeline};
use crate::analyses::schedulers::Reanalyser;
use crate::core::events::Failure;
use crate::core::events::consumer::{Consumer, Step};
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::{Platform, new_user};
use crate::moderations::events::{COMMENT_CREATED, COMMENT_UPDATED};
use crate::moderations::services::Off;
use crate::settings::Settings;
use crate::text_model::{Calibration, HEADS, Scores, TextModel};

/// How long a test waits for what another thread does.
const PATIENCE: Duration = Duration::from_mins(1);

/// A model that stops at "slow" until the test lets it go on.
struct Slow {
    begun: mpsc::Sender<()>,
    go: Mutex<mpsc::Receiver<()>>,
}

impl TextModel for Slow {
    fn version(&self) -> &'static str {
        "slow"
    }

    fn calibrations(&self) -> &[Calibration; HEADS] {
        Words("slow").calibrations()
    }

    fn read(&self, texts: &[&str]) -> anyhow::Result<Vec<Scores>> {
        if texts.iter().any(|text| text.contains("slow")) {
            self.begun.send(())?;
            self.go.lock().unwrap().recv_timeout(PATIENCE)?;
        }
        Words("slow").read(texts)
    }
}

/// What analyses need to read with a slow model, with what says that it has begun, and what lets it go on.
fn slow_pipeline(platform: &Platform) -> (Pipeline, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let ((begun, has_begun), (go, may_go)) = (mpsc::channel(), mpsc::channel());
    let settings = Settings::from_arg_matches(&platform.settings()).unwrap();
    let model = Slow { begun, go: Mutex::new(may_go) };
    let reader = AnalysisReader::new(Some(Arc::new(model)), Arc::new(Off));
    (Pipeline { reader, settings: settings.analyses }, has_begun, go)
}

/// A consumer of new comments that reads them so.
fn consumer(platform: &Platform, pipeline: &Pipeline) -> Consumer {
    let mut subscriptions = subscriptions(&platform.app.db, pipeline).into_iter();
    let subscription = subscriptions.find(|subscription| subscription.stream == COMMENT_CREATED).unwrap();
    Consumer::new(platform.app.clone(), subscription, watch::channel(true).1)
}

/// Consumes what was published before.
async fn consume(mut consumer: Consumer) -> Result<Step, Failure> {
    loop {
        let step = consumer.consume(Duration::from_millis(1)).await?;
        if !matches!(step, Step::Nothing | Step::Applied { fresh: 0, duplicates: 0 }) {
            return Ok(step);
        }
    }
}

async fn publish(platform: &Platform, message: &Value) {
    let fields = [("message", message.to_string()), ("type", "json".to_owned())];
    let _: String = platform.app.redis.clone().xadd(COMMENT_CREATED, "*", &fields).await.unwrap();
}

/// Waits until the model has stopped.
async fn wait(begun: mpsc::Receiver<()>) {
    let waited = tokio::task::spawn_blocking(move || begun.recv_timeout(PATIENCE));
    waited.await.unwrap().unwrap();
}

/// Sessions that are in a transaction and do nothing.
async fn idle_transactions(platform: &Platform) -> i64 {
    let count = "select count(*) from pg_stat_activity
        where datname = current_database() and state like 'idle in transaction%'";
    platform.app.db.fetch_one(count).await.unwrap().get(0)
}

/// No transaction is open while the model reads. An edit that arrives meanwhile holds, and what was read of the text before is not stored.
#[sqlx::test(migrations = false)]
async fn an_edit_that_arrives_while_the_model_reads_wins(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((_, author), id) = (new_user(), Uuid::now_v7());
    let (pipeline, begun, go) = slow_pipeline(&platform);
    publish(&platform, &comment(id, author, 0, "a slow hateword")).await;
    let reading = platform.app.tasks.spawn(consume(consumer(&platform, &pipeline)));
    wait(begun).await;
    assert_eq!(idle_transactions(&platform).await, 0);
    platform.consume(COMMENT_UPDATED, &comment(id, author, 1, "a good day")).await;
    go.send(()).unwrap();
    assert_eq!(reading.await.unwrap().unwrap(), Step::Applied { fresh: 1, duplicates: 0 });
    assert_eq!(verdicts(&platform, id).await, ["words-1 ALLOW"]);
    assert_eq!(held(&platform, "text", "content where id =", id).await, ["a good day"]);
    assert_eq!(state(&platform, id).await, [""; 0]);
    assert_eq!(hidden(&platform).await, Vec::<Uuid>::new());
}

/// A process that dies while it reads, before it has stored anything, leaves the text to the next one.
#[sqlx::test(migrations = false)]
async fn a_killed_analysis_is_repeated(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((_, author), id) = (new_user(), Uuid::now_v7());
    let (pipeline, begun, go) = slow_pipeline(&platform);
    publish(&platform, &comment(id, author, 0, "a slow hateword")).await;
    let reading = platform.app.tasks.spawn(consume(consumer(&platform, &pipeline)));
    wait(begun).await;
    reading.abort();
    assert!(reading.await.unwrap_err().is_cancelled());
    drop(go);
    assert_eq!(verdicts(&platform, id).await, [""; 0]);
    let steps = platform.consume_waiting(COMMENT_CREATED).await;
    assert_eq!(steps, [Step::Applied { fresh: 1, duplicates: 0 }]);
    assert_eq!(verdicts(&platform, id).await, ["words-1 HIDE"]);
}

/// Of two readers that have read the same event, as one that was taken for dead, one stores what it has read.
#[sqlx::test(migrations = false)]
async fn of_two_readers_of_an_event_one_stores(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let ((_, author), id) = (new_user(), Uuid::now_v7());
    let (pipeline, begun, go) = slow_pipeline(&platform);
    publish(&platform, &comment(id, author, 0, "a slow hateword")).await;
    let reading = platform.app.tasks.spawn(consume(consumer(&platform, &pipeline)));
    wait(begun).await;
    let steps = platform.beside(&[]).consume_waiting(COMMENT_CREATED).await;
    assert_eq!(steps, [Step::Applied { fresh: 1, duplicates: 0 }]);
    go.send(()).unwrap();
    let failure = reading.await.unwrap().unwrap_err();
    assert!(matches!(failure, Failure::Transient(_)), "{failure}");
    assert_eq!(verdicts(&platform, id).await, ["words-1 HIDE"]);
    assert_eq!(held(&platform, "id", "decision where subject_id =", id).await.len(), 1);
}

/// A page of contents that are read again is read in no transaction and by one replica, and of a text that is changed meanwhile nothing is
/// stored.
#[sqlx::test(migrations = false)]
async fn what_changes_while_it_is_read_again_is_left_alone(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (_, author) = new_user();
    let (edited, same) =
        (write(&platform, author, 0, "a slow day").await, write(&platform, author, 0, "a good day").await);
    reanalyse(&platform.app, ReanalyseOptions { wait: false }).await.unwrap();
    let (pipeline, begun, go) = slow_pipeline(&platform);
    let mut worker = Reanalyser::new(&platform.app, pipeline);
    let reading = platform.app.tasks.spawn(async move { worker.step().await });
    wait(begun).await;
    assert_eq!(idle_transactions(&platform).await, 0);
    let second = reanalyser(&platform, "words-3").step().await.unwrap();
    assert!(matches!(second, Outcome::Idle(_)), "another replica reads the page");
    platform.consume(COMMENT_UPDATED, &comment(edited, author, 1, "another day")).await;
    go.send(()).unwrap();
    reading.await.unwrap().unwrap();
    assert_eq!(verdicts(&platform, edited).await, ["words-1 ALLOW"; 2]);
    assert_eq!(verdicts(&platform, same).await, ["slow ALLOW", "words-1 ALLOW"]);
    assert_eq!(held(&platform, "done", "reanalysis where cursor <>", Uuid::nil()).await, ["2"]);
}

/// A replica that reads a page for longer than its lease stores nothing when another one has read it meanwhile.
#[sqlx::test(migrations = false)]
async fn a_page_is_stored_by_one_replica(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let id = write(&platform, new_user().1, 0, "a slow day").await;
    reanalyse(&platform.app, ReanalyseOptions { wait: false }).await.unwrap();
    let (pipeline, begun, go) = slow_pipeline(&platform);
    let mut worker = Reanalyser::new(&platform.app, pipeline);
    let reading = platform.app.tasks.spawn(async move { worker.step().await });
    wait(begun).await;
    platform.app.db.execute("update reanalysis set claimed_until = now()").await.unwrap();
    reanalyser(&platform, "words-3").step().await.unwrap();
    go.send(()).unwrap();
    reading.await.unwrap().unwrap();
    assert_eq!(verdicts(&platform, id).await, ["words-1 ALLOW", "words-3 ALLOW"]);
    assert_eq!(held(&platform, "done", "reanalysis where cursor <>", Uuid::nil()).await, ["1"]);
}

/// Of a text that is too long to be read whole the analysis says so, and a person is asked for the rest, whatever no rule has found; what is
/// hidden for what was read stays hidden.
#[sqlx::test(migrations = false)]
async fn a_text_that_is_too_long_is_for_a_person(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = start(database).await;
    let (_, author) = new_user();
    let long = "it was a good day for all of you ".repeat(3_000);
    let harmless = write(&platform, author, 0, &long).await;
    let hateful = write(&platform, author, 0, &format!("{long} hateword")).await;
    let short = write(&platform, author, 0, "it was a good day for all of you").await;
    let read = async |id: Uuid| held(&platform, "signals ->> 'read_in_part'", "analysis where content_id =", id).await;
    assert_eq!(
        (verdicts(&platform, harmless).await, read(harmless).await),
        (vec!["words-1 REVIEW".to_owned()], vec!["true".to_owned()])
    );
    assert_eq!(state(&platform, harmless).await, ["VISIBLE OPEN"]);
    assert_eq!(
        (verdicts(&platform, hateful).await, read(hateful).await),
        (vec!["words-1 HIDE".to_owned()], vec!["true".to_owned()])
    );
    assert_eq!(state(&platform, hateful).await, ["HIDDEN NONE"]);
    assert_eq!(
        (verdicts(&platform, short).await, read(short).await),
        (vec!["words-1 ALLOW".to_owned()], vec!["false".to_owned()])
    );
    assert_eq!(state(&platform, short).await, [""; 0]);
}
