//! What an operator, or a consumer that misses events, asks of a service: its outbox and its parked events.
//! Every route needs the service token; a gateway routes none of them.
use std::slice;
use std::sync::Arc;

use axum::extract::{Path as Segment, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::{PgPool, PgTransaction};
use uuid::Uuid;

use crate::core::api::errors::Error;
use crate::core::api::pagination::Page;
use crate::core::app::App;
use crate::core::contract::extract::{Json as Body, Path, Query};
use crate::core::contract::fields::{Fields, Input, invalid};
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::audit;
use crate::core::doors::callers::Operator;
use crate::core::events::outbox::{NumberedEvent, list_numbered};
use crate::core::events::{Event, Failure, Id, Subscription};
use crate::core::ground::telemetry::{Trace, spans};

/// Dead letters acted on at once.
const BATCH: i64 = 500;
/// The longest reason that an operator can give, in characters.
const REASON: usize = 500;
/// The longest name of a stream, in characters.
const STREAM: usize = 100;

/// The routes of operations. What the service consumes is for events that are applied again.
pub fn routes(subscriptions: Arc<[Subscription]>) -> Router<App> {
    Router::new()
        .route("/internal/events/{stream}", get(list_events))
        .route("/internal/dead-letters", get(list_dead_letters).post(act_on_dead_letters))
        .route("/internal/dead-letters/{id}", get(show_dead_letter))
        .layer(Extension(subscriptions))
}

/// The events of a stream after an id, in order, from the outbox; 404 when the service does not publish it.
async fn list_events(
    _: Operator,
    State(app): State<App>,
    Segment(stream): Segment<String>,
    mut query: Query,
) -> Result<Json<Vec<NumberedEvent>>, Error> {
    let after = query.required("after").parse::<Id>();
    if after.is_err() && query.errors.is_empty() {
        query.errors.push(invalid(&["query", "after"], "value is not the id of an entry", "value_error.id", None));
    }
    query.check()?;
    if !app.publishes.contains(&stream.as_str()) {
        return Err(Error::Refused(StatusCode::NOT_FOUND, "This service does not publish such a stream"));
    }
    Ok(Json(list_numbered(&app.db, &stream, after.unwrap_or_default()).await?))
}

/// An event that could not be applied.
#[derive(Serialize)]
struct DeadLetter {
    id: Uuid,
    stream: String,
    entry_id: String,
    event_id: Option<Uuid>,
    occurred_at: Timestamp,
    version: i16,
    traceparent: Option<String>,
    message: String,
    error: String,
    parked_at: Timestamp,
}

/// The parked events, newest first.
async fn list_dead_letters(_: Operator, State(app): State<App>, page: Page) -> Result<Response, Error> {
    let query = sqlx::query_as!(
        DeadLetter,
        r#"select id, stream, entry_id, event_id, occurred_at, version, traceparent, message,
            error, parked_at
        from dead_letter where (parked_at, id) < ($1, $2) order by parked_at desc, id desc limit $3"#,
        page.before.at,
        page.before.id,
        page.rows()
    );
    let letters = query.fetch_all(&app.db).await?;
    Ok(page.answer(letters, |letter| (letter.parked_at, letter.id)))
}

/// The parked events of a stream, or of all, and with these ids, or with any; oldest first.
async fn select(db: &PgPool, stream: Option<&str>, ids: &[Uuid]) -> sqlx::Result<Vec<DeadLetter>> {
    let query = sqlx::query_as!(
        DeadLetter,
        r#"select id, stream, entry_id, event_id, occurred_at, version, traceparent, message,
            error, parked_at
        from dead_letter where ($1::text is null or stream = $1) and (cardinality($2::uuid[]) = 0 or id = any($2))
        order by parked_at, id limit $3"#,
        stream,
        ids,
        BATCH
    );
    query.fetch_all(db).await
}

/// One parked event.
async fn show_dead_letter(_: Operator, State(app): State<App>, Path(id): Path) -> Result<Json<DeadLetter>, Error> {
    let letter = select(&app.db, None, &[id]).await?.pop();
    letter.map(Json).ok_or(Error::Refused(StatusCode::NOT_FOUND, "Dead letter not found"))
}

/// What to do with which dead letters, and why. Without ids: with all, or all of a stream, oldest first.
struct ActIn {
    /// Whether they are applied; otherwise they are discarded.
    replays: bool,
    stream: Option<String>,
    ids: Vec<Uuid>,
    reason: String,
}

impl Input for ActIn {
    fn read(fields: &mut Fields) -> Self {
        let read = |word: &str| Some(word == "REPLAY").filter(|replays| *replays || word == "DISCARD");
        let replays = fields.choice("action", &["REPLAY", "DISCARD"], read).unwrap_or(true);
        let stream = fields.optional_text("stream", STREAM);
        let given = fields.list("ids");
        let ids: Vec<Uuid> = given.iter().filter_map(|id| Uuid::try_parse(id.as_str()?).ok()).collect();
        if ids.len() < given.len() {
            fields.refuse("ids", "value is not a valid uuid", "type_error.uuid", None);
        }
        Self { replays, stream, ids, reason: fields.text("reason", REASON) }
    }
}

/// Replays or discards parked events: each is applied, if it is, in the transaction that takes it away.
async fn act_on_dead_letters(
    _: Operator,
    State(app): State<App>,
    Extension(subscriptions): Extension<Arc<[Subscription]>>,
    Body(input): Body<ActIn>,
) -> Result<Json<Value>, Error> {
    let letters = select(&app.db, input.stream.as_deref(), &input.ids).await?;
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for letter in letters {
        let id = letter.id;
        match resolve(&app, &subscriptions, letter, input.replays).await {
            Ok(()) => done.push(id),
            Err(Failure::Transient(cause)) => return Err(anyhow::anyhow!(cause).into()),
            Err(failure) => failed.push(json!({ "id": id, "error": failure.to_string() })),
        }
    }
    tracing::info!(input.reason, done = done.len(), failed = failed.len(), "an operator acted on dead letters");
    Ok(Json(json!({ "done": done, "failed": failed })))
}

async fn resolve(app: &App, subscriptions: &[Subscription], letter: DeadLetter, replays: bool) -> Result<(), Failure> {
    let (target, action) = (Some(letter.id), if replays { "dead_letter_replayed" } else { "dead_letter_discarded" });
    let taken = if replays { replay(app, subscriptions, letter).await? } else { take(app, letter.id).await? };
    // Without one, another operator was faster.
    let Some(mut tx) = taken else { return Ok(()) };
    audit::record(&mut *tx, audit::Entry { who: None, action, target, result: "done" }).await?;
    Ok(app.commit_with_answer(tx).await?)
}

/// Begins the transaction that takes a parked event away; none when it is gone.
async fn take(app: &App, id: Uuid) -> Result<Option<PgTransaction<'static>>, Failure> {
    let mut tx = app.db.begin().await?;
    let gone = sqlx::query!("delete from dead_letter where id = $1", id).execute(&mut *tx).await?;
    Ok((gone.rows_affected() > 0).then_some(tx))
}

async fn replay(
    app: &App,
    subscriptions: &[Subscription],
    letter: DeadLetter,
) -> Result<Option<PgTransaction<'static>>, Failure> {
    let id = letter.id;
    let subscription = subscriptions.iter().find(|subscription| subscription.stream == letter.stream);
    let subscription = subscription.ok_or_else(|| Failure::Permanent("nobody listens to this stream here".into()))?;
    let event = Event {
        id: letter.entry_id.parse().map_err(|cause: anyhow::Error| Failure::Permanent(cause.to_string()))?,
        prev: None,
        event_id: letter.event_id,
        source: None,
        occurred_at: letter.occurred_at.0,
        version: letter.version,
        traceparent: letter.traceparent,
        message: letter.message,
    };
    event.check_version()?;
    let span = || spans::process(subscription.stream, app.group, event.event_id, 1);
    let trace = Trace::begin(event.traceparent.as_deref(), span);
    let batch = slice::from_ref(&event);
    let work = async {
        subscription.processor.prepare(batch).await?;
        let Some(mut tx) = take(app, id).await? else { return Ok(None) };
        subscription.processor.apply(&mut tx, batch).await?;
        Ok(Some(tx))
    };
    let outcome = trace.scope(work).await;
    trace.end([], outcome.as_ref().err().map(ToString::to_string));
    outcome
}
