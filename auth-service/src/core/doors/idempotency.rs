//! `Idempotency-Key`: a request that creates something can be sent again, and is carried out once.
//!
//! The answer is kept in the transaction that creates, so there is no moment in which one exists without the other. To
//! that end the transaction that a handler commits is held until its answer is there: [`App::commit_with_answer`] hands it
//! over to the scope that [`idempotency_layer`] has opened, which adds the answer and then commits. Of two requests with one key at the same
//! time the database refuses the second, which gets the answer of the first. Follows draft-ietf-httpapi-idempotency-key-header.
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderName, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use sqlx::types::Json;
use sqlx::{PgExecutor, PgTransaction};
use uuid::Uuid;

use crate::core::api::errors::{Error, problem};
use crate::core::app::{App, hold_change};
use crate::core::contract::extract::BODY_LIMIT;
use crate::core::contract::fields::invalid;
use crate::core::doors::callers::EvenMuted;
use crate::core::ground::jobs::Job;

/// The header that names a request.
pub const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The header of an answer that is a replay.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The longest key, in characters.
pub const LONGEST: usize = 255;
/// The largest answer that is kept, in bytes; what is created is not much larger than what came in.
const MAX_ANSWER_BYTES: usize = 4 * BODY_LIMIT;

/// A request that has a key: who sent it, and what it says.
struct IdempotentRequest {
    subject: Uuid,
    key: String,
    fingerprint: [u8; 32],
}

/// An answer that was given before.
struct Answer {
    fingerprint: Vec<u8>,
    body: Json<Box<RawValue>>,
}

impl IdempotentRequest {
    async fn find(&self, db: impl PgExecutor<'_>) -> sqlx::Result<Option<Answer>> {
        let query = sqlx::query_as!(
            Answer,
            r#"select fingerprint, body as "body: Json<Box<RawValue>>" from answer
            where subject = $1 and key = $2 and answered_at > now() - interval '1 day'"#,
            self.subject,
            self.key
        );
        query.fetch_optional(db).await
    }

    /// Keeps the body of a 201, over one that is older than a day; false when another request was faster.
    async fn keep(&self, tx: &mut PgTransaction<'_>, body: &RawValue) -> sqlx::Result<bool> {
        let query = sqlx::query!(
            "insert into answer (subject, key, fingerprint, status, body) values ($1, $2, $3, 201, $4)
            on conflict (subject, key) do update set fingerprint = excluded.fingerprint, body = excluded.body,
                answered_at = excluded.answered_at
            where answer.answered_at <= now() - interval '1 day'",
            self.subject,
            self.key,
            &self.fingerprint,
            Json(body) as _
        );
        Ok(query.execute(&mut **tx).await?.rows_affected() == 1)
    }

    /// The answer of before to the request of before; a refusal to another one.
    fn replay(&self, answer: &Answer) -> Result<Response, Error> {
        if answer.fingerprint != self.fingerprint {
            return Err(refuse_key("the key was used for another request"));
        }
        metrics::counter!("idempotency_replays_total").increment(1);
        let headers = [(header::CONTENT_TYPE, "application/json"), (REPLAYED, "true")];
        Ok((StatusCode::CREATED, headers, answer.body.get().to_owned()).into_response())
    }
}

/// When answers are deleted: every ten minutes, away from the full hour when many other things happen.
const SCHEDULE: &str = "30 3/10 * * * *";

/// The job that deletes the answers that are not given again.
pub fn job(app: &App) -> Job {
    Job::new("answers", SCHEDULE, app.db.clone(), |db| async move { Ok(delete_expired(&db).await?) })
}

/// Deletes the answers of more than a day ago.
pub async fn delete_expired(db: impl PgExecutor<'_>) -> sqlx::Result<()> {
    sqlx::query!("delete from answer where answered_at <= now() - interval '1 day'").execute(db).await.map(drop)
}

/// Lets a POST that has a key be carried out once: its answer, if it is 201, is given again for 24 hours.
pub async fn idempotency_layer(State(app): State<App>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST || !request.headers().contains_key(KEY) {
        return next.run(request).await;
    }
    carry_out(&app, request, next).await.unwrap_or_else(IntoResponse::into_response)
}

async fn carry_out(app: &App, request: Request, next: Next) -> Result<Response, Error> {
    let (mut parts, body) = request.into_parts();
    let key = parts.headers.get(KEY).and_then(|key| key.to_str().ok()).unwrap_or_default();
    if key.is_empty() || key.len() > LONGEST {
        return Err(refuse_key(&format!("a key has 1 to {LONGEST} visible ASCII characters")));
    }
    let key = key.to_owned();
    let body = to_bytes(body, BODY_LIMIT).await.map_err(|_| Error::TooLarge(BODY_LIMIT))?;
    // Who has no valid token is either refused by the handler, so that nothing is kept, or needs none.
    let subject = EvenMuted::from_request_parts(&mut parts, app).await.map_or(Uuid::nil(), |EvenMuted(user)| user.id);
    let target = parts.uri.to_string();
    let fingerprint = Sha256::new().chain_update(target).chain_update([0]).chain_update(&body).finalize().into();
    let keyed = IdempotentRequest { subject, key, fingerprint };
    if let Some(answer) = keyed.find(&app.db).await? {
        return keyed.replay(&answer);
    }
    match hold_change(next.run(Request::from_parts(parts, Body::from(body)))).await {
        (response, Some(tx)) => finish(app, &keyed, response, tx).await,
        (response, None) => Ok(response),
    }
}

fn refuse_key(why: &str) -> Error {
    Error::Invalid(vec![invalid(&["header", "Idempotency-Key"], why, "value_error.idempotency_key", None)])
}

/// Commits what the handler has done, with its answer.
async fn finish(
    app: &App,
    keyed: &IdempotentRequest,
    response: Response,
    mut tx: PgTransaction<'static>,
) -> Result<Response, Error> {
    let (parts, body) = response.into_parts();
    let body: Bytes = to_bytes(body, MAX_ANSWER_BYTES).await.map_err(|cause| Error::Internal(cause.into()))?;
    if parts.status == StatusCode::CREATED {
        let text: &RawValue = serde_json::from_slice(&body).map_err(|cause| Error::Internal(cause.into()))?;
        if !keyed.keep(&mut tx, text).await? {
            tx.rollback().await?;
            let answer = keyed.find(&app.db).await?;
            // The answer was there a moment ago and expired in between.
            return answer
                .map_or_else(|| Ok(problem(StatusCode::CONFLICT, json!("Try again"))), |answer| keyed.replay(&answer));
        }
    }
    app.commit(tx).await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}
