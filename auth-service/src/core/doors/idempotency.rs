//! `Idempotency-Key`: a request that creates something can be sent again, and is carried out once.
//!
//! The answer is kept in the transaction that creates, so there is no moment in which one exists without the other. To
//! that end the transaction that a handler commits is held until its answer is there: [`super::App::commit`] hands it over
//! to the scope that [`once`] has opened, which adds the answer and then commits. Of two requests with one key at the same
//! time the database refuses the second, which gets the answer of the first. Follows draft-ietf-httpapi-idempotency-key-header.
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
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
/// The header by which an answer says that it was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The longest key, in characters.
pub const LONGEST: usize = 255;
/// The largest answer that is kept, in bytes; what is created is not much larger than what came in.
const ANSWER: usize = 4 * BODY_LIMIT;

/// A request that has a key: who sent it, and what it says.
struct Named {
    subject: Uuid,
    key: String,
    fingerprint: [u8; 32],
}

/// An answer that was given before.
struct Answer {
    fingerprint: Vec<u8>,
    status: i16,
    body: Json<Box<RawValue>>,
}

impl Named {
    async fn find(&self, db: impl PgExecutor<'_>) -> sqlx::Result<Option<Answer>> {
        sqlx::query_as!(
            Answer,
            r#"select fingerprint, status, body as "body: Json<Box<RawValue>>" from answer
            where subject = $1 and key = $2 and answered_at > now() - interval '1 day'"#,
            self.subject,
            self.key
        )
        .fetch_optional(db)
        .await
    }

    /// Keeps an answer, over one that is older than a day; false when somebody was faster.
    async fn keep(&self, tx: &mut PgTransaction<'_>, status: StatusCode, body: &RawValue) -> sqlx::Result<bool> {
        let kept = sqlx::query!(
            "insert into answer (subject, key, fingerprint, status, body) values ($1, $2, $3, $4, $5)
            on conflict (subject, key) do update set fingerprint = excluded.fingerprint, status = excluded.status,
                body = excluded.body, answered_at = excluded.answered_at
            where answer.answered_at <= now() - interval '1 day'",
            self.subject,
            self.key,
            &self.fingerprint,
            i16::try_from(status.as_u16()).unwrap_or_default(),
            Json(body) as _
        )
        .execute(&mut **tx)
        .await?;
        Ok(kept.rows_affected() == 1)
    }

    /// The answer of before to the request of before; a refusal to another one.
    fn replay(&self, answer: &Answer) -> Result<Response, Error> {
        if answer.fingerprint != self.fingerprint {
            let msg = "the key was used for another request";
            let place = invalid(&["header", "Idempotency-Key"], msg, "value_error.idempotency_key", None);
            return Err(Error::Invalid(vec![place]));
        }
        metrics::counter!("idempotency_replays_total").increment(1);
        let status = u16::try_from(answer.status).ok().and_then(|status| StatusCode::from_u16(status).ok());
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (REPLAYED, HeaderValue::from_static("true")),
        ];
        Ok((status.unwrap_or(StatusCode::CREATED), headers, answer.body.get().to_owned()).into_response())
    }
}

/// When answers are forgotten: every ten minutes, away from the full hour when many other things happen.
const SCHEDULE: &str = "30 3/10 * * * *";

/// The job that forgets the answers that are not given again.
pub fn job(app: &App) -> Job {
    let db = app.db.clone();
    Job::new("answers", SCHEDULE, move || {
        let db = db.clone();
        async move { Ok(forget(&db).await?) }
    })
}

/// Forgets the answers of more than a day ago.
pub async fn forget(db: impl PgExecutor<'_>) -> sqlx::Result<()> {
    sqlx::query!("delete from answer where answered_at <= now() - interval '1 day'").execute(db).await?;
    Ok(())
}

/// Lets a POST that has a key be carried out once: its answer, if it is 201, is given again for 24 hours.
pub async fn once(State(app): State<App>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST || !request.headers().contains_key(KEY) {
        return next.run(request).await;
    }
    carry_out(&app, request, next).await.unwrap_or_else(IntoResponse::into_response)
}

async fn carry_out(app: &App, request: Request, next: Next) -> Result<Response, Error> {
    let (mut parts, body) = request.into_parts();
    let key = parts.headers.get(KEY).and_then(|key| key.to_str().ok()).unwrap_or_default();
    if key.is_empty() || key.len() > LONGEST {
        let msg = format!("a key has 1 to {LONGEST} visible ASCII characters");
        let place = invalid(&["header", "Idempotency-Key"], msg, "value_error.idempotency_key", None);
        return Err(Error::Invalid(vec![place]));
    }
    let key = key.to_owned();
    let body = to_bytes(body, BODY_LIMIT).await.map_err(|_| Error::TooLarge(BODY_LIMIT))?;
    // Who has no valid token is either refused by the handler, so that nothing is kept, or needs none.
    let subject = EvenMuted::from_request_parts(&mut parts, app).await.map_or(Uuid::nil(), |EvenMuted(user)| user.id);
    let target = parts.uri.to_string();
    let fingerprint = Sha256::new().chain_update(target).chain_update([0]).chain_update(&body).finalize().into();
    let named = Named { subject, key, fingerprint };
    if let Some(answer) = named.find(&app.db).await? {
        return named.replay(&answer);
    }
    match hold_change(next.run(Request::from_parts(parts, Body::from(body)))).await {
        (response, Some(tx)) => finish(app, &named, response, tx).await,
        (response, None) => Ok(response),
    }
}

/// Commits what the handler has done, with its answer.
async fn finish(
    app: &App,
    named: &Named,
    response: Response,
    mut tx: PgTransaction<'static>,
) -> Result<Response, Error> {
    let (parts, body) = response.into_parts();
    let body: Bytes = to_bytes(body, ANSWER).await.map_err(|cause| Error::Internal(cause.into()))?;
    if parts.status == StatusCode::CREATED {
        let text: &RawValue = serde_json::from_slice(&body).map_err(|cause| Error::Internal(cause.into()))?;
        if !named.keep(&mut tx, parts.status, text).await? {
            tx.rollback().await?;
            let answer = named.find(&app.db).await?;
            // It was there a moment ago; that it is a day old now happens to nobody twice.
            return answer
                .map_or_else(|| Ok(problem(StatusCode::CONFLICT, json!("Try again"))), |answer| named.replay(&answer));
        }
    }
    app.commit(tx).await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}
