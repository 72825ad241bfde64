//! What follows from a standing, in the same transaction: the status of the account.
use sqlx::PgTransaction;
use uuid::Uuid;

use super::models::{Standing, StatusByPeople};
use super::services::effective;
use crate::core::app::identity::Status;
use crate::core::doors::audit::{self, Entry};
use crate::mails;
use crate::roles::models::{DecisionKind, set_status};
use crate::roles::signals;
use crate::users::ApiWord;
use crate::users::models::Account;

/// Moderation has decided about an account that this transaction has locked; a ban comes with the token of its appeal.
pub async fn decided(
    tx: &mut PgTransaction<'_>,
    standing: &Standing,
    appeal_token: Option<String>,
) -> sqlx::Result<()> {
    if !standing.save(tx).await? {
        return Ok(());
    }
    if standing.refused {
        let (target, result) = (Some(standing.user_id), standing.status.word());
        audit::record(&mut **tx, Entry { who: None, action: "status_refused", target, result }).await?;
        count("refused");
    }
    settle(tx, standing.user_id).await?;
    let (Some(token), Some(decision)) = (appeal_token, standing.moderation_id) else { return Ok(()) };
    let banned = Account::find(&mut **tx, standing.user_id).await?.filter(|account| account.status == Status::Banned);
    if let Some(account) = banned.filter(|_| standing.status == Status::Banned && !standing.refused) {
        let until = standing.until.map(|until| until.0);
        mails::signals::banned(tx, &account, decision, until, standing.reason.clone(), token).await?;
    }
    Ok(())
}

/// Gives an account that this transaction has locked the status that people and moderation have decided, as far as it has another.
pub async fn settle(tx: &mut PgTransaction<'_>, user: Uuid) -> sqlx::Result<()> {
    let (people, standing) = (StatusByPeople::find(tx, user).await?, Standing::find(tx, user).await?);
    let now = people.now.0;
    let holds = effective(&people, standing.as_ref(), now);
    let has = Some(people.account).filter(|account| matches!(account.status, Status::Muted | Status::Banned));
    if holds == has {
        return Ok(());
    }
    let (status, until) = holds.map_or((Status::Active, None), |holds| (holds.status, holds.until));
    let moderated = holds.is_some_and(|holds| holds.moderated);
    let status = set_status(tx, user, status, until, moderated).await?;
    // The end of moderation's restriction is moderation's as well, unless its time was up.
    let ended = people.account.moderated && people.account.until.is_none_or(|until| until > now);
    let standing = standing.filter(|_| moderated || ended);
    if standing.is_some() {
        count(match status {
            Status::Muted => "muted",
            Status::Banned => "banned",
            Status::Active | Status::Inactive => "lifted",
        });
    }
    let moderation = standing.as_ref().and_then(|standing| standing.moderation_id);
    let reason = standing.and_then(|standing| standing.reason);
    signals::decided(tx, user, None, DecisionKind::Status(status, until, moderation), reason.as_deref()).await
}

/// Counts what moderation's decisions have done.
fn count(effect: &'static str) {
    metrics::counter!("moderation_effects_total", "effect" => effect).increment(1);
}
