//! Carries out a request to decide about many subjects.
use std::collections::HashMap;
use std::time::Instant;

use axum::http::StatusCode;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::{BulkRequest, Done};
use super::{BulkDecisionIn, BulkOutcome, BulkResultOut};
use crate::contents::models as contents;
use crate::core::api::errors::Error;
use crate::core::app::App;
use crate::core::app::identity::User;
use crate::core::contract::fields::invalid;
use crate::decisions::signals as decisions;
use crate::queue::page::models::SubjectContent;
use crate::scopes::is_in_scope;
use crate::scopes::services::ScopeFilter;
use crate::strikes::services::Ladder;
use crate::subjects::SubjectKey;
use crate::subjects::models::lock;

/// Subjects of a chunk: the ledger is locked for as long as a chunk takes, some hundred milliseconds, and what it has done stays done.
const CHUNK: usize = 20;

/// What is answered while the same request is being carried out.
const UNDER_WAY: Error = Error::Refused(StatusCode::CONFLICT, "The same request is being carried out");

/// A request, and who makes it.
pub struct BulkWork<'a> {
    pub staff: &'a User,
    pub scope: &'a ScopeFilter,
    pub ladder: &'a Ladder,
    pub body: &'a BulkDecisionIn,
    /// None: it has no key, and cannot be gone on with.
    pub request: Option<BulkRequest>,
}

/// Decides about the subjects of a request, in their order, until a time; what became of each. A chunk is decided about in any case, so that
/// a request which is sent again comes to its end.
pub async fn carry_out(app: &App, work: &BulkWork<'_>, until: Instant) -> Result<Vec<BulkResultOut>, Error> {
    let keys = work.body.keys();
    let mut results = Vec::with_capacity(keys.len());
    let mut has_worked = false;
    for (number, chunk) in keys.chunks(CHUNK).enumerate() {
        let done = if has_worked && Instant::now() >= until {
            vec![(BulkOutcome::Pending, None); chunk.len()]
        } else {
            let mut tx = app.db.begin().await?;
            let (done, is_new) = work.decide_chunk(&mut tx, number * CHUNK, chunk).await?;
            app.commit(tx).await?;
            has_worked |= is_new;
            done
        };
        let result = |(key, (outcome, decision)): (&SubjectKey, Done)| BulkResultOut {
            r#type: key.r#type,
            id: key.id,
            outcome,
            decision,
        };
        results.extend(chunk.iter().zip(done).map(result));
    }
    Ok(results)
}

fn refuse_key() -> Error {
    let msg = "the key was used for another request";
    Error::Invalid(vec![invalid(&["header", "Idempotency-Key"], msg, "value_error.idempotency_key", None)])
}

impl BulkWork<'_> {
    /// What became of the subjects of a chunk, which begins at a place of the request, and whether any was new.
    async fn decide_chunk(
        &self,
        tx: &mut PgTransaction<'_>,
        from: usize,
        chunk: &[SubjectKey],
    ) -> Result<(Vec<Done>, bool), Error> {
        let place = |at: usize| i32::try_from(from + at).unwrap_or(i32::MAX);
        let mut done: HashMap<i32, Done> = HashMap::new();
        if let Some(request) = &self.request {
            if !request.try_lock(tx).await? {
                return Err(UNDER_WAY);
            }
            if !request.begin(tx).await? {
                return Err(refuse_key());
            }
            done = request.results(tx, place(0), place(chunk.len())).await?;
        }
        let new: Vec<(i32, SubjectKey)> = chunk.iter().enumerate().map(|(at, key)| (place(at), *key)).collect();
        let new: Vec<_> = new.into_iter().filter(|(place, _)| !done.contains_key(place)).collect();
        let found = self.open(tx, &new).await?;
        let mut results = Vec::with_capacity(new.len());
        for ((place, key), content) in new.iter().zip(&found) {
            results.push((*place, self.decide(tx, *key, content.as_ref()).await?));
        }
        if let Some(request) = self.request.as_ref().filter(|_| !results.is_empty()) {
            request.save(tx, &results).await?;
        }
        let is_new = !results.is_empty();
        done.extend(results);
        let of_place = |at: usize| done.get(&place(at)).copied().unwrap_or((BulkOutcome::Pending, None));
        Ok(((0..chunk.len()).map(of_place).collect(), is_new))
    }

    /// Reads subjects, and locks them with their authors: contents first, and all before the first entry of the ledger, whose head is the last
    /// lock of a transaction.
    async fn open(
        &self,
        tx: &mut PgTransaction<'_>,
        subjects: &[(i32, SubjectKey)],
    ) -> sqlx::Result<Vec<Option<SubjectContent>>> {
        let ids: Vec<Uuid> = subjects.iter().filter(|(_, key)| !key.is_user()).map(|(_, key)| key.id).collect();
        contents::lock(tx, &ids).await?;
        let (mut found, mut keys) = (Vec::with_capacity(subjects.len()), Vec::new());
        for (_, key) in subjects {
            let content = SubjectContent::find(&mut **tx, *key).await?;
            if let Some(author) =
                content.as_ref().map(|content| content.author).filter(|author| *author != self.staff.id)
            {
                keys.extend([(*key, author), (SubjectKey::user(author), author)]);
            }
            found.push(content);
        }
        lock(tx, &keys).await?;
        Ok(found)
    }

    /// Decides about a subject that is locked.
    async fn decide(
        &self,
        tx: &mut PgTransaction<'_>,
        key: SubjectKey,
        content: Option<&SubjectContent>,
    ) -> Result<Done, Error> {
        let Some(author) = content.map(|content| content.author) else { return Ok((BulkOutcome::NotFound, None)) };
        if author == self.staff.id {
            return Ok((BulkOutcome::Own, None));
        }
        if !is_in_scope(tx, self.scope, key, None).await? {
            return Ok((BulkOutcome::OutOfScope, None));
        }
        if decisions::is_kept_by_another(&mut **tx, self.staff, key).await? {
            return Ok((BulkOutcome::Claimed, None));
        }
        if !self.body.decision.fits(key.r#type) {
            return Ok((BulkOutcome::NotAContent, None));
        }
        if self.body.only_open {
            let subject = lock(tx, &[(key, author)]).await?;
            if !subject.iter().any(|subject| subject.review.is_open()) {
                return Ok((BulkOutcome::NotOpen, None));
            }
        }
        let new = self.body.decision.clone().by(self.staff.id, key, author);
        let decision = decisions::moderate(tx, self.ladder, new).await?;
        Ok((BulkOutcome::Decided, Some(decision.id)))
    }
}
