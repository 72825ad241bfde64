//! What a person's decision answers of the case of its subject: what they have looked at, and nothing that has come since.
use sqlx::PgTransaction;

use super::NewDecision;
use super::effects::models::{News, call_reports_abusive, release};
use super::locked::Locked;
use crate::ledger::NewEntry;
use crate::subjects::Visibility;
use crate::subjects::changes::{Change, Ruling};

/// What a decision answers of a case.
#[derive(Clone, Copy, Debug, Default)]
pub struct CaseAnswer {
    /// Whether it is all of it, so that the review is over.
    pub closes_review: bool,
    /// Up to which entry of the ledger it answers reports, where the case stays open for what came later.
    pub until: Option<i64>,
}

impl CaseAnswer {
    /// Answers the reports that the person has seen, and ends the claim where nothing is new. What a machine decides answers nothing, and
    /// what the ladder does is no look at the account's own reports.
    pub async fn give(
        tx: &mut PgTransaction<'_>,
        locked: &mut Locked,
        new: &NewDecision,
        news: &News,
    ) -> sqlx::Result<Self> {
        if !new.is_by_person() || new.strikes.is_some() {
            return Ok(Self::default());
        }
        let is_new =
            |ruling: &Ruling| ruling.visibility == Some(Visibility::Held) && news.decisions.contains(&ruling.decision);
        let closes_review = !news.reopens && !locked.subject.active.iter().any(|held| is_new(&held.ruling));
        if closes_review {
            release(tx, new.key).await?;
        }
        let until = new.seen.filter(|_| !closes_review);
        let left = news.reports_left(&locked.subject);
        let reports = locked.subject.reports - left.map_or(0, |left| left.reports);
        if reports > 0 {
            if new.abusive {
                call_reports_abusive(tx, new.key, until).await?;
            }
            locked.entries.push(NewEntry::new(new.actor, Change::ReportsClosed { reports, left }));
        }
        Ok(Self { closes_review, until })
    }
}
