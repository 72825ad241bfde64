//! The routes of the queue; for moderators.
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json as Body};

use super::bulk::carrying::{BulkWork, carry_out};
use super::bulk::models::BulkRequest;
use super::bulk::{BulkDecisionIn, BulkResultOut};
use super::filters::ClaimIn;
use super::models::{self, Claim, QueueItem};
use super::page::models::{AuthorRecord, HistoryEntry, SubjectContent};
use super::schemas::{AuthorRecordOut, ClaimOut, HistoryEntryOut, NoteIn, QueueItemOut, SubjectOut, SubjectStateOut};
use super::services::QueueFilter;
use super::{NO_CLAIM, OWN_SUBJECT, SUBJECT_NOT_FOUND, signals};
use crate::core::api::errors::Error;
use crate::core::api::pagination::{Cursor, Page};
use crate::core::app::App;
use crate::core::app::identity::Role;
use crate::core::contract::extract::{Json, Query};
use crate::core::doors::idempotency;
use crate::decisions::CLAIMED;
use crate::decisions::references::check_policy;
use crate::reports::models::UserReport;
use crate::reports::schemas::ReportDetailsOut;
use crate::schedules::models::{ScheduleFilter, ScheduledDecision};
use crate::schedules::schemas::ScheduledDecisionOut;
use crate::scopes::{check_scope, scope_of};
use crate::strikes::services::Ladder;
use crate::subjects::SubjectKey;
use crate::subjects::changes::Change;
use crate::subjects::staff::Moderator;
use crate::subjects::state::Subject;

/// Reports, entries and scheduled decisions that are shown with a subject.
const REPORTS: i64 = 50;
const ENTRIES: i64 = 100;
const SCHEDULED: i64 = 20;
/// Searches for free items before the answer is that there is none: each but the last was lost to another moderator.
const SEARCHES: u32 = 20;
/// How long a request decides about many subjects: a third of what a request may take.
const BULK_TIME: Duration = Duration::from_secs(10);

/// List what a person has to look at, the most urgent first; for moderators
#[utoipa::path(get, path = "/moderation/queue", tag = "moderation", params(
    ("type" = Option<String>, Query, max_length = 7, description = "POST, COMMENT, MEDIA or USER"),
    ("family" = Option<String>, Query, max_length = 12, description = "A family of reasons: VIOLENCE, SEXUAL, CHILD_SAFETY, HARASSMENT, HATE, MISLEADING, SPAM, SELF_HARM, OTHER"),
    ("reason" = Option<String>, Query, max_length = 40, description = "A code of the taxonomy that it was reported or flagged for"),
    ("min_severity" = Option<f64>, Query, minimum = 0, maximum = 1, description = "From which severity on, 0 to 1"),
    ("escalated" = Option<bool>, Query, description = "Only what was escalated, or only what was not"),
    ("flagged_by" = Option<String>, Query, max_length = 7, description = "MACHINE or PEOPLE"),
    ("claimed_by_me" = Option<bool>, Query, description = "True: what the caller has claimed, whatever the other filters say"),
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<QueueItemOut>),
    (status = 403, description = "The caller is no moderator"),
))]
pub async fn list_queue(
    Moderator(user): Moderator,
    State(app): State<App>,
    page: Page,
    query: Query,
) -> Result<Response, Error> {
    let filter = QueueFilter::of_query(&query)?;
    if query.get("claimed_by_me") == Some("true") {
        let items = QueueItem::list_claimed(&app.db, user.id).await?;
        return Ok(Body(items.into_iter().map(QueueItemOut::from).collect::<Vec<_>>()).into_response());
    }
    let mut tx = app.db.begin().await?;
    let scope = scope_of(&mut *tx, &user).await?;
    let items = QueueItem::list(&mut tx, (&filter, &scope), page.before, page.rows()).await?;
    tx.commit().await?;
    let items: Vec<_> = items.into_iter().map(|item| Placed { place: item.place, item: item.into() }).collect();
    Ok(page.answer(items, |placed| (placed.place, placed.item.id)))
}

/// An item with its place, by which the next page is found.
#[derive(serde::Serialize)]
struct Placed {
    #[serde(skip)]
    place: crate::core::contract::timestamp::Timestamp,
    #[serde(flatten)]
    item: QueueItemOut,
}

/// Claim the most urgent items that are free, for 15 minutes; for moderators
#[utoipa::path(post, path = "/moderation/queue/claim", tag = "moderation", request_body = ClaimIn, responses(
    (status = 200, body = Vec<QueueItemOut>, description = "The items; none when nothing is free"),
    (status = 403, description = "The caller is no moderator"),
))]
pub async fn claim_next(
    Moderator(user): Moderator,
    State(app): State<App>,
    Json(body): Json<ClaimIn>,
) -> Result<Body<Vec<QueueItemOut>>, Error> {
    let scope = scope_of(&app.db, &user).await?;
    for _ in 0..SEARCHES {
        let mut tx = app.db.begin().await?;
        let claimed = models::claim_next(&mut tx, (user.id, &scope), &body.filter, body.limit).await?;
        app.commit(tx).await?;
        if !claimed.is_outrun {
            let items = QueueItem::list_these(&app.db, &claimed.keys).await?;
            return Ok(Body(items.into_iter().map(QueueItemOut::from).collect()));
        }
    }
    Ok(Body(Vec::new()))
}

/// Claim a subject for 15 minutes, or extend the claim; for moderators
#[utoipa::path(post, path = "/moderation/subjects/{type}/{id}/claim", tag = "moderation", params(
    ("type" = String, Path, max_length = 7, example = "POST", description = "POST, COMMENT, MEDIA or USER"), ("id" = uuid::Uuid, Path),
), responses(
    (status = 200, body = ClaimOut),
    (status = 403, description = "The caller is no moderator, or wrote it, or it is outside of their scope"),
    (status = 404, description = "There is no such subject"),
    (status = 409, description = "Another moderator has claimed it"),
))]
pub async fn claim_subject(
    Moderator(user): Moderator,
    State(app): State<App>,
    key: SubjectKey,
) -> Result<Body<ClaimOut>, Error> {
    let content = SubjectContent::find(&app.db, key).await?.ok_or(SUBJECT_NOT_FOUND)?;
    if content.author == user.id {
        return Err(OWN_SUBJECT);
    }
    let mut tx = app.db.begin().await?;
    check_scope(&mut tx, &user, key, None).await?;
    let until = models::claim(&mut tx, key, user.id).await?.ok_or(CLAIMED)?;
    app.commit(tx).await?;
    Ok(Body(ClaimOut { moderator: user.id, until }))
}

/// End one's claim on a subject; administrators end any; for moderators
#[utoipa::path(delete, path = "/moderation/subjects/{type}/{id}/claim", tag = "moderation", params(
    ("type" = String, Path, max_length = 7, example = "POST", description = "POST, COMMENT, MEDIA or USER"), ("id" = uuid::Uuid, Path),
), responses(
    (status = 204),
    (status = 403, description = "The caller is no moderator"),
    (status = 404, description = "The caller has not claimed it"),
))]
pub async fn release_subject(
    Moderator(user): Moderator,
    State(app): State<App>,
    key: SubjectKey,
) -> Result<StatusCode, Error> {
    let by = (user.role < Role::Admin).then_some(user.id);
    if models::release(&app.db, key, by).await? { Ok(StatusCode::NO_CONTENT) } else { Err(NO_CLAIM) }
}

/// Hand a subject to a senior moderator, with a note; for moderators
#[utoipa::path(post, path = "/moderation/subjects/{type}/{id}/escalate", tag = "moderation", params(
    ("type" = String, Path, max_length = 7, example = "POST", description = "POST, COMMENT, MEDIA or USER"), ("id" = uuid::Uuid, Path),
), request_body = NoteIn, responses(
    (status = 201, body = SubjectStateOut),
    (status = 403, description = "The caller is no moderator, or wrote it"),
    (status = 404, description = "There is no such subject"),
))]
pub async fn escalate_subject(
    Moderator(user): Moderator,
    State(app): State<App>,
    key: SubjectKey,
    Json(body): Json<NoteIn>,
) -> Result<(StatusCode, Body<SubjectStateOut>), Error> {
    let mut tx = app.db.begin().await?;
    let subject = signals::noted(&mut tx, user.id, key, Change::Escalated { note: Some(body.note) }).await?;
    app.commit_with_answer(tx).await?;
    Ok((StatusCode::CREATED, Body(subject.into())))
}

/// Write a note for other moderators; for moderators
#[utoipa::path(post, path = "/moderation/subjects/{type}/{id}/notes", tag = "moderation", params(
    ("type" = String, Path, max_length = 7, example = "POST", description = "POST, COMMENT, MEDIA or USER"), ("id" = uuid::Uuid, Path),
), request_body = NoteIn, responses(
    (status = 201, body = SubjectStateOut),
    (status = 403, description = "The caller is no moderator, or wrote it"),
    (status = 404, description = "There is no such subject"),
))]
pub async fn note_subject(
    Moderator(user): Moderator,
    State(app): State<App>,
    key: SubjectKey,
    Json(body): Json<NoteIn>,
) -> Result<(StatusCode, Body<SubjectStateOut>), Error> {
    let mut tx = app.db.begin().await?;
    let subject = signals::noted(&mut tx, user.id, key, Change::Noted { note: body.note }).await?;
    app.commit_with_answer(tx).await?;
    Ok((StatusCode::CREATED, Body(subject.into())))
}

/// Get all that is known of a subject: state, content, reports, history, and the author's record; for moderators
#[utoipa::path(get, path = "/moderation/subjects/{type}/{id}", tag = "moderation", params(
    ("type" = String, Path, max_length = 7, example = "POST", description = "POST, COMMENT, MEDIA or USER"), ("id" = uuid::Uuid, Path),
), responses(
    (status = 200, body = SubjectOut),
    (status = 403, description = "The caller is no moderator"),
    (status = 404, description = "There is no such subject"),
))]
pub async fn get_subject(_: Moderator, State(app): State<App>, key: SubjectKey) -> Result<Body<SubjectOut>, Error> {
    let content = SubjectContent::find(&app.db, key).await?.ok_or(SUBJECT_NOT_FOUND)?;
    let author = AuthorRecord::of(&app.db, content.author).await?;
    let reports = UserReport::list_about(&app.db, key, REPORTS).await?;
    let history = HistoryEntry::list(&app.db, key, ENTRIES).await?;
    let waiting = ScheduleFilter { about: Some(key), is_waiting: true, ..ScheduleFilter::default() };
    let scheduled = ScheduledDecision::list(&app.db, waiting, Cursor::end(), SCHEDULED).await?;
    Ok(Body(SubjectOut {
        r#type: key.r#type,
        id: key.id,
        state: Subject::find(&app.db, key).await?.map(SubjectStateOut::from),
        claim: Claim::find(&app.db, key).await?.map(ClaimOut::from),
        author: AuthorRecordOut::new(content.author, &author),
        content: (!key.is_user() || content.text.is_some()).then(|| content.into()),
        reports: reports.into_iter().map(ReportDetailsOut::from).collect(),
        history: history.into_iter().map(HistoryEntryOut::from).collect(),
        scheduled: scheduled.into_iter().map(ScheduledDecisionOut::from).collect(),
    }))
}

/// Decide about up to 1,000 subjects alike, each with a decision and entries of its own; for moderators
///
/// It takes ten seconds at most: what is not reached by then is `PENDING`. With an `Idempotency-Key` the same request, sent again within a day,
/// goes on where it was, whatever has ended the first one, and decides nothing twice.
#[utoipa::path(post, path = "/moderation/decisions/bulk", tag = "moderation", params(
    ("Idempotency-Key" = Option<String>, Header, max_length = 255, description = "Names the request, so that it can be gone on with"),
), request_body = BulkDecisionIn, responses(
    (status = 200, body = Vec<BulkResultOut>, description = "What became of each, in the order of the request"),
    (status = 403, description = "The caller is no moderator"),
    (status = 404, description = "There is no such policy, version or rule"),
    (status = 409, description = "The same request, under the same key, is being carried out"),
))]
pub async fn decide_in_bulk(
    Moderator(user): Moderator,
    State(app): State<App>,
    Extension(ladder): Extension<Ladder>,
    headers: HeaderMap,
    Json(body): Json<BulkDecisionIn>,
) -> Result<Body<Vec<BulkResultOut>>, Error> {
    let until = Instant::now() + BULK_TIME;
    check_policy(&app.db, body.decision.policy.as_ref()).await?;
    let scope = scope_of(&app.db, &user).await?;
    // What is no key was refused before.
    let key = headers.get(idempotency::KEY).and_then(|key| key.to_str().ok());
    let request =
        key.map(|key| BulkRequest { moderator: user.id, key: key.to_owned(), fingerprint: body.fingerprint() });
    let work = BulkWork { staff: &user, scope: &scope, ladder: &ladder, body: &body, request };
    Ok(Body(carry_out(&app, &work, until).await?))
}
