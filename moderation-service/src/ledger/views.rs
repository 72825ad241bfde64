//! The routes of the log.
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures::stream;

use super::hex;
use super::models::{LogFilter, StoredEntry, count_erased, find_fault, head, is_at};
use super::schemas::{FaultOut, LogEntryOut, VerificationOut};
use super::services::{Format, read_filter};
use crate::core::api::errors::{Error, Problem};
use crate::core::api::pagination::Page;
use crate::core::app::App;
use crate::core::contract::extract::Query;
use crate::subjects::staff::Moderator;

/// Entries that are read at once for an export.
const EXPORT_BATCH: i64 = 1_000;
/// Entries that are verified in one statement, which takes about a second.
const VERIFY_BATCH: i64 = 50_000;
/// Statements of one request: it answers in time, and says where the next one begins.
const VERIFY_BATCHES: usize = 10;

/// List what has happened to posts, comments and users, newest first; as CSV or JSON Lines the whole log, oldest first
///
/// `Accept: text/csv` or `application/jsonl` exports all that the filter lets through, behind the number `after`.
#[utoipa::path(get, path = "/moderation/log", tag = "moderation", params(
    ("subject_type" = Option<String>, Query, max_length = 7, description = "POST, COMMENT, MEDIA or USER"),
    ("subject_id" = Option<Uuid>, Query, description = "The post, comment or user"),
    ("actor" = Option<Uuid>, Query, description = "The person who acted"),
    ("actor_type" = Option<String>, Query, max_length = 9, description = "MACHINE, MODERATOR, USER, TIMER or OPERATOR"),
    ("kind" = Option<String>, Query, max_length = 40, description = "Such as decided, ended or reported"),
    ("after" = Option<i64>, Query, minimum = 0, maximum = 9_223_372_036_854_775_807_i64, description = "Of an export: only entries behind this number"),
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<LogEntryOut>),
    (status = 403, body = Problem, description = "Not a moderator"),
))]
pub async fn get_log(
    _: Moderator,
    State(app): State<App>,
    headers: HeaderMap,
    page: Page,
    mut query: Query,
) -> Result<Response, Error> {
    let filter = read_filter(&mut query);
    let after = query.integer("after", 0, i64::MAX).unwrap_or_default();
    query.check()?;
    let accepted = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if let Some(format) = Format::accepted(accepted) {
        return Ok(export(app, filter, after, format));
    }
    let entries = StoredEntry::list(&app.db, &filter, page.before, page.rows()).await?;
    let entries: Vec<LogEntryOut> = entries.into_iter().map(LogEntryOut::from).collect();
    Ok(page.answer(entries, |entry| (entry.at, entry.id)))
}

/// Streams the log, a batch at a time.
fn export(app: App, filter: LogFilter, after: i64, format: Format) -> Response {
    let batches = stream::try_unfold(after, move |after| {
        let (app, filter) = (app.clone(), filter.clone());
        async move {
            let entries = StoredEntry::list_after(&app.db, &filter, after, EXPORT_BATCH).await?;
            let last = entries.last().map(|entry| entry.seq);
            Ok::<_, sqlx::Error>(last.map(|last| (format.write(entries), last)))
        }
    });
    let begin = stream::once(std::future::ready(Ok(format.heading().to_owned())));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(format.content_type())),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static(format.disposition())),
    ];
    (headers, Body::from_stream(futures::StreamExt::chain(begin, batches))).into_response()
}

/// Verify that no entry of the log was changed, added or deleted behind its back
///
/// Checks up to 500,000 entries; a longer log goes on with `after`.
#[utoipa::path(get, path = "/moderation/log/verify", tag = "moderation", params(
    ("after" = Option<i64>, Query, minimum = 0, maximum = 9_223_372_036_854_775_807_i64, description = "Begin behind this number; 0 when not given"),
), responses(
    (status = 200, body = VerificationOut),
    (status = 403, body = Problem, description = "Not a moderator"),
))]
pub async fn verify_log(
    _: Moderator,
    State(app): State<App>,
    mut query: Query,
) -> Result<Json<VerificationOut>, Error> {
    let from = query.integer("after", 0, i64::MAX).unwrap_or_default();
    query.check()?;
    // The head first: what is appended meanwhile is behind it.
    let (last, hash) = head(&app.db).await?;
    let (mut place, mut fault) = (from.min(last), None);
    for _ in 0..VERIFY_BATCHES {
        if fault.is_some() || place == last {
            break;
        }
        let end = last.min(place + VERIFY_BATCH);
        fault = find_fault(&app.db, place, end).await?.map(FaultOut::from);
        place = end;
    }
    if fault.is_none() && place == last && last > 0 && !is_at(&app.db, last, &hash).await? {
        fault = Some(FaultOut { seq: last, fault: "HEAD".to_owned() });
    }
    let complete = fault.is_some() || place == last;
    let erased = count_erased(&app.db, from, place).await?;
    let valid = fault.is_none();
    Ok(Json(VerificationOut { valid, complete, after: from, to: place, erased, head: hex(&hash), fault }))
}
