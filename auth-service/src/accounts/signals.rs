//! What follows from a change of an account, in the change's transaction: events, mails, and what Redis knows of them.
use chrono::{DateTime, Utc};
use sqlx::PgTransaction;
use uuid::Uuid;

use super::browser::{Bringer, Browser};
use super::events::producers;
use super::models::{
    AccountChange, ChangeKind, SignUpClaim, delete_claims, move_to_pending, signed_up_by, void_password,
};
use super::schemas::{LinkedAccountChanged, UserDeleted};
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::audit::{self, Entry};
use crate::core::doors::erasure;
use crate::mails::MailTemplate;
use crate::sessions::{self, Reason};
use crate::tokens::Purpose;
use crate::tokens::models::MailedToken;
use crate::users::address;
use crate::users::models::{Account, DeletedAccount, Draft, UpdatedAccount};
use crate::users::schemas::UserOut;
use crate::{directory, mails, names, profiles};

/// An account was created.
pub async fn registered(tx: &mut PgTransaction<'_>, account: &Account) -> sqlx::Result<()> {
    names::models::refold(tx, &[account.id]).await?;
    directory::models::mark_stale(tx, &[account.id]).await?;
    mails::signals::address_given(tx, account).await?;
    producers::user_registered(tx, &UserOut::from(account.clone())).await
}

/// An account was created by a person whose address is proved already.
pub async fn registered_verified(tx: &mut PgTransaction<'_>, account: &Account) -> sqlx::Result<()> {
    names::models::refold(tx, &[account.id]).await?;
    producers::user_registered(tx, &UserOut::from(account.clone())).await?;
    verified(tx, account).await
}

/// A sign-up used an address that is not free. The owner of a verified account gets a mail about it. An unverified account
/// belongs to whoever proves its address: a mail goes there whose token gives it to this sign-up.
pub async fn registered_again(
    tx: &mut PgTransaction<'_>,
    draft: &Draft<'_>,
    hash: &str,
    browser: Browser,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    // Without an account the address is kept for one that may take it back, and no client is to know.
    let Some(owner) = Account::find_by_address(&mut **tx, draft.email).await? else { return Ok(()) };
    if owner.is_verified {
        return mails::signals::sign_up_attempted(tx, &owner, now.date_naive()).await;
    }
    let claim = SignUpClaim::create(tx, owner.id, draft, hash, &browser.0).await?;
    mails::signals::address_claimed(tx, &owner, claim).await
}

/// The owner updated the account. Tokens that were mailed to a replaced address become void, and a new one has to be proved.
pub async fn updated(tx: &mut PgTransaction<'_>, update: &UpdatedAccount) -> sqlx::Result<()> {
    let UpdatedAccount { before, account, moved, asks, .. } = update;
    profiles::signals::updated(tx, account.id).await?;
    mails::signals::tokens_voided(tx, account.id, Purpose::PasswordReset).await?;
    if *moved || *asks {
        mails::signals::tokens_voided(tx, account.id, Purpose::Activation).await?;
        mails::signals::address_given(tx, account).await?;
    }
    if *moved {
        delete_claims(tx, account.id).await?;
    }
    if *asks {
        changed(tx, before, ChangeKind::AddressAsked).await?;
    }
    Ok(())
}

/// The password was changed: all sessions end, and reset tokens that were mailed before become void.
pub async fn password_changed(tx: &mut PgTransaction<'_>, before: &Account, reason: Reason) -> sqlx::Result<()> {
    sessions::signals::end_all(tx, before.id, reason).await?;
    mails::signals::tokens_voided(tx, before.id, Purpose::PasswordReset).await?;
    changed(tx, before, ChangeKind::Password).await?;
    directory::models::mark_stale(tx, &[before.id]).await
}

/// An account changed: where its address was verified, the state before is kept, and that address gets a mail with a token
/// that brings it back. An address that nobody has verified may be a stranger's.
async fn changed(tx: &mut PgTransaction<'_>, before: &Account, kind: ChangeKind) -> sqlx::Result<()> {
    let (letter, action) = match kind {
        ChangeKind::AddressAsked => (MailTemplate::AddressAsked, "address_asked"),
        ChangeKind::Address => (MailTemplate::AddressChanged, "address_changed"),
        ChangeKind::Password => (MailTemplate::PasswordChanged, "password_changed"),
    };
    let entry = Entry { who: Some(before.id), action, target: Some(before.id), result: "done" };
    audit::record(&mut **tx, entry).await?;
    if !before.is_verified {
        return Ok(());
    }
    let change = AccountChange::record(tx, before, kind).await?;
    mails::signals::changed(tx, before, &letter, change).await
}

/// A mailed token was brought back: the address that it went to is proved, when it still is the account's, or the one that
/// its owner wants. None when it is neither.
///
/// A new address takes the place of the one before. The first address of an account decides whose the account is, since
/// anyone can sign up with it. It stays with who signed up when they bring the token. It goes to the sign-up that claimed
/// it, when that browser brings the token, and the sessions of before end. Else its owner has only shown that they read the
/// mail: all sessions end, no password is good, and a mail with a token for a new one follows.
pub async fn address_proved(
    tx: &mut PgTransaction<'_>,
    token: &MailedToken,
    bringer: &Bringer,
) -> sqlx::Result<Option<Account>> {
    let Some(before) = Account::lock(tx, token.user).await? else { return Ok(None) };
    if before.is_verified && before.pending_email.as_deref().is_some_and(|pending| address::same(pending, &token.email))
    {
        let account = move_to_pending(tx, &before, &token.email).await?;
        changed(tx, &before, ChangeKind::Address).await?;
        mails::signals::tokens_voided(tx, account.id, Purpose::PasswordReset).await?;
        verified(tx, &account).await?;
        return Ok(Some(account));
    }
    if !address::same(&before.email, &token.email) {
        return Ok(None);
    }
    let claim = SignUpClaim::find(&mut **tx, token.about, before.id).await?;
    let is_from = |browser: Option<&Vec<u8>>| browser.is_some_and(|browser| browser[..] == bringer.browser.0);
    let signed_up_by = signed_up_by(&mut **tx, before.id).await?;
    let claim = claim.filter(|claim| is_from(Some(&claim.signed_up_by)));
    if before.is_verified || bringer.user == Some(before.id) {
        // Nothing to decide.
    } else if let Some(claim) = claim {
        claim.accept(tx).await?;
        sessions::signals::end_all(tx, before.id, Reason::PasswordChanged).await?;
    } else if !is_from(signed_up_by.as_ref()) {
        void_password(tx, before.id).await?;
        sessions::signals::end_all(tx, before.id, Reason::PasswordReset).await?;
        mails::signals::password_forgotten(tx, &before, Uuid::now_v7()).await?;
    }
    let account = Account::verify(tx, before.id).await?;
    if let Some(account) = &account {
        verified(tx, account).await?;
    }
    Ok(account)
}

/// The address was verified.
pub async fn verified(tx: &mut PgTransaction<'_>, account: &Account) -> sqlx::Result<()> {
    delete_claims(tx, account.id).await?;
    mails::signals::tokens_voided(tx, account.id, Purpose::Activation).await?;
    mails::signals::address_verified(tx, account).await?;
    profiles::signals::updated(tx, account.id).await
}

/// A change was taken back with a token that was mailed to the address of before: all sessions end, and tokens that went to
/// another address are void. None when it cannot be taken back any more.
pub async fn undone(tx: &mut PgTransaction<'_>, token: &MailedToken) -> sqlx::Result<Option<Account>> {
    let Some(before) = Account::lock(tx, token.user).await? else { return Ok(None) };
    let change = match token.about {
        Some(change) => {
            for link in AccountChange::end_links(tx, change, before.id).await? {
                link_changed(tx, before.id, &link.provider, false, link.at).await?;
            }
            AccountChange::take(tx, change, before.id).await?
        }
        None => None,
    };
    let Some(change) = change else { return Ok(None) };
    let account = change.undo(tx, before.id).await?;
    sessions::signals::end_all(tx, account.id, Reason::PasswordReset).await?;
    for purpose in [Purpose::Activation, Purpose::PasswordReset] {
        mails::signals::tokens_voided(tx, account.id, purpose).await?;
    }
    mails::signals::change_undone(tx, &account, &before.email, change.id).await?;
    let entry = Entry { who: Some(account.id), action: "change_undone", target: Some(account.id), result: "done" };
    audit::record(&mut **tx, entry).await?;
    profiles::signals::updated(tx, account.id).await?;
    Ok(Some(account))
}

/// The link of an account to one of another platform has begun or ended.
pub async fn link_changed(
    tx: &mut PgTransaction<'_>,
    user_id: Uuid,
    provider: &str,
    linked: bool,
    at: Timestamp,
) -> sqlx::Result<()> {
    producers::linked_account_changed(tx, &LinkedAccountChanged { user_id, provider, linked, at }).await
}

/// These followers lost their connection to an account that is being deleted.
pub async fn left(tx: &mut PgTransaction<'_>, lost: &[Uuid]) -> sqlx::Result<()> {
    directory::models::mark_stale(tx, lost).await
}

/// The account was deleted: erasure begins in all services. Connections and blocks end with it and publish no events of
/// their own.
pub async fn deleted(tx: &mut PgTransaction<'_>, deleted: &DeletedAccount) -> sqlx::Result<()> {
    directory::models::mark_stale(tx, &[&deleted.lost[..], &[deleted.id]].concat()).await?;
    erasure::begin(tx, &[deleted.id]).await?;
    producers::user_deleted(tx, &UserDeleted { id: deleted.id, deleted_at: deleted.at }).await
}
