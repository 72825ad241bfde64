//! What becomes of a person who comes back from a provider: a session of the account that the link belongs to, a new
//! account, a link, or a refusal.
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgTransaction;
use uuid::Uuid;

use super::encryption::{SealFault, Sealed};
use super::grants::{Grant, ProviderTokens};
use super::id_tokens::LEEWAY;
use super::identities::ExternalIdentity;
use super::models::{
    AttemptPurpose, LinkedAccount, LinkedState, LoginAttempt, PROVIDER_TAKEN, SUBJECT_TAKEN, claim_username,
};
use super::provider_tokens::models::{StoredTokens, TokenRevocation};
use super::providers::{Provider, Providers, RevocationScope};
use super::schemas::LinkedAccountOut;
use super::signals;
use super::token_changes::{EndedTokens, TokenChange, after_sign_in, keep_replaced};
use super::usernames::candidates;
use crate::accounts::models::PASSWORDLESS;
use crate::app::App;
use crate::core::api::errors::Error;
use crate::core::app::identity::{Status, User};
use crate::core::contract::timestamp::Timestamp;
use crate::profiles::services::skeleton;
use crate::sessions;
use crate::sessions::models::{Device, Session};
use crate::sessions::schemas::TokenTransport;
use crate::sessions::services::{StartedSession, start_session};
use crate::users::address::EmailAddress;
use crate::users::models::{Account, Draft};
use crate::users::{ACCOUNT_DELETED, address_taken};

/// An attempt that is unknown, used up, too old, or another browser's: which of them is for no caller to know.
pub const UNKNOWN_ATTEMPT: Error = Error::Refused(
    StatusCode::BAD_REQUEST,
    "This sign-in was not begun in this browser, is over, or took longer than 10 minutes; begin again",
);
/// No address, or one that anyone could have typed.
const UNVERIFIED: Error = Error::Refused(
    StatusCode::CONFLICT,
    "The provider has no verified address of you; sign up with an address, verify it, and link this account then",
);
/// The address is proved, and still opens no account.
const ADDRESS_HAS_ACCOUNT: Error = Error::Refused(
    StatusCode::CONFLICT,
    "There is an account with this address; sign in to it as usual, and link this account then",
);
const LINKED_ELSEWHERE: Error =
    Error::Refused(StatusCode::CONFLICT, "This account of the provider is linked to another account");
const LINKED_ALREADY: Error =
    Error::Refused(StatusCode::CONFLICT, "Another account of this provider is linked already; unlink it first");
/// The provider was asked to have its person sign in, and does not say that they did.
const NOT_FRESH: Error = Error::Refused(
    StatusCode::CONFLICT,
    "The provider does not say that you have signed in there just now; sign in with your password, or set one first, by \
    /auth/forgot-password",
);
const BANNED: Error = Error::Refused(StatusCode::FORBIDDEN, "This account is banned");
/// Until the address is proved, the account may have been made with another person's address.
pub const VERIFY_FIRST: Error = Error::Refused(StatusCode::FORBIDDEN, "Verify the address of your account first");

/// How a person comes back.
pub struct Arrival<'a> {
    pub app: &'a App,
    pub providers: &'a Providers,
    pub provider: &'a Provider,
    pub identity: &'a ExternalIdentity,
    pub grant: &'a Grant,
    pub device: &'a Device,
    pub transport: TokenTransport,
    pub now: DateTime<Utc>,
}

impl Arrival<'_> {
    /// The answer to a person, by what they had begun.
    pub async fn answer(&self, attempt: &LoginAttempt, caller: Option<&User>) -> Result<Response, Error> {
        let answered = self.decide(attempt, caller).await;
        // No link has what the provider has granted to a person who is refused.
        let is_refused = matches!(answered, Err(Error::Refused(..)));
        if is_refused && let Err(error) = self.discard().await {
            tracing::warn!(provider = self.provider.name, %error, "the grant of a refused sign-in is not revoked");
        }
        answered
    }

    async fn decide(&self, attempt: &LoginAttempt, caller: Option<&User>) -> Result<Response, Error> {
        match attempt.purpose {
            AttemptPurpose::SignIn if attempt.is_fresh && !self.is_fresh(attempt) => Err(NOT_FRESH),
            AttemptPurpose::SignIn => self.sign_in().await,
            AttemptPurpose::Link => {
                // The session that began, and no other one: its person has shown who they are.
                let caller = caller.filter(|user| user.session.is_some() && user.session == attempt.session_id);
                let caller = caller.filter(|user| Some(user.id) == attempt.user_id).ok_or(UNKNOWN_ATTEMPT)?;
                self.link(caller).await
            }
        }
    }

    async fn sign_in(&self) -> Result<Response, Error> {
        let Self { app, provider, identity, .. } = *self;
        let mut tx = app.db.begin().await?;
        let linked = LinkedAccount::find_by_subject(&mut *tx, provider.key(), &identity.subject).await?;
        let (account, outcome) = match linked {
            Some(linked) => (self.return_to(&mut tx, linked.user_id).await?, "signed_in"),
            None => (self.register(&mut tx).await?, "registered"),
        };
        let started = self.start(&mut tx, &account).await?;
        app.commit_with_answer(tx).await?;
        count(outcome);
        started.answer(app, self.transport, self.now)
    }

    /// The account of a link, with what the provider says of its person now.
    async fn return_to(&self, tx: &mut PgTransaction<'static>, user: Uuid) -> Result<Account, Error> {
        // The account first, then its link: whatever ends a link takes its locks in this order, too.
        let account = Account::lock(tx, user).await?.ok_or(ACCOUNT_DELETED)?;
        if account.status == Status::Banned {
            return Err(BANNED);
        }
        // The link may have ended before the lock was granted.
        let linked = LinkedAccount::find_by_subject(&mut **tx, self.provider.key(), &self.identity.subject).await?;
        let linked = linked.filter(|linked| linked.user_id == account.id).ok_or(UNKNOWN_ATTEMPT)?;
        let stored = StoredTokens::lock(tx, linked.id).await?.ok_or(UNKNOWN_ATTEMPT)?;
        let before = self.open(&stored.sealed(), linked.id);
        match after_sign_in(&self.grant.tokens, &stored, before, self.provider.revocation) {
            TokenChange::Keep => {
                let email = self.identity.email.as_ref().map(EmailAddress::as_str);
                LinkedAccount::record_visit(tx, linked.id, self.identity.name.as_deref(), email).await?;
            }
            TokenChange::Replace { tokens, ended } => {
                let sealed = self.seal(linked.id, &tokens)?;
                LinkedAccount::record_use(tx, linked.id, &self.state(&sealed)).await?;
                self.end(tx, ended, &stored).await?;
            }
        }
        signals::used(tx, &linked, &self.provider.name).await?;
        Ok(account)
    }

    /// Lets tokens be revoked that are the link's no more, once this sign-in is committed.
    async fn end(
        &self,
        tx: &mut PgTransaction<'static>,
        ended: Option<EndedTokens>,
        stored: &StoredTokens,
    ) -> Result<(), Error> {
        let (sealed, row) = match ended {
            None => return Ok(()),
            Some(EndedTokens::Stored) => (stored.sealed(), stored.id),
            Some(EndedTokens::Readable(tokens)) => {
                let row = Uuid::now_v7();
                (self.seal(row, &tokens)?, row)
            }
        };
        let person = (self.provider.key(), self.identity.subject.as_str());
        Ok(TokenRevocation::create(&mut **tx, person, &sealed, row).await?)
    }

    /// Lets what the provider has granted be revoked, unless that could end what a link of the same person has.
    async fn discard(&self) -> Result<(), Error> {
        let (db, person) = (&self.app.db, (self.provider.key(), self.identity.subject.as_str()));
        let linked = LinkedAccount::find_by_subject(db, person.0, person.1).await?;
        if linked.is_some() && self.provider.revocation == RevocationScope::Grant {
            return Ok(());
        }
        // For the row of a link, since a provider may have granted what that has already.
        let row = linked.map_or_else(Uuid::now_v7, |linked| linked.id);
        let sealed = self.seal(row, &self.grant.tokens)?;
        Ok(TokenRevocation::create(db, person, &sealed, row).await?)
    }

    /// Whether the person has signed in at the provider for this attempt, and not before; the clocks may differ.
    fn is_fresh(&self, attempt: &LoginAttempt) -> bool {
        let (Some(at), Some(begun_at)) = (self.identity.authenticated_at, attempt.begun_at) else { return false };
        at.timestamp().saturating_add_unsigned(LEEWAY) >= begun_at.0.timestamp()
    }

    /// A new account, for a person without a link.
    async fn register(&self, tx: &mut PgTransaction<'static>) -> Result<Account, Error> {
        let email = self.identity.email.as_ref().filter(|_| self.identity.email_is_verified).ok_or(UNVERIFIED)?;
        let name = self.identity.name.as_deref().unwrap_or_default();
        let (first_name, last_name) = name.split_once(' ').unwrap_or((name, ""));
        let some = |name| Some(name).filter(|name: &&str| !name.is_empty());
        let draft = Draft { email, first_name: some(first_name), last_name: some(last_name.trim()), interests: &[] };
        let created = Account::create(tx, &draft, PASSWORDLESS, &[0; 32]).await?.ok_or(ADDRESS_HAS_ACCOUNT)?;
        let account = Account::verify(tx, created.id).await.map_err(address_taken)?.ok_or(ACCOUNT_DELETED)?;
        let handle = self.identity.handle.as_deref();
        for username in candidates([handle, self.identity.name.as_deref()]) {
            if claim_username(tx, account.id, &username, &skeleton(&username)).await? {
                break;
            }
        }
        signals::registered(tx, &account).await?;
        self.create_link(tx, account.id).await?;
        Ok(account)
    }

    async fn link(&self, caller: &User) -> Result<Response, Error> {
        let mut tx = self.app.db.begin().await?;
        let account = Account::lock(&mut tx, caller.id).await?.ok_or(ACCOUNT_DELETED)?;
        // The session may have ended while the provider was asked. What ends all sessions of an account locks it first.
        if Account::find_by_claims(&mut *tx, caller.id, caller.session).await?.is_none() {
            return Err(UNKNOWN_ATTEMPT);
        }
        if !account.is_verified {
            return Err(VERIFY_FIRST);
        }
        let linked = self.create_link(&mut tx, caller.id).await?;
        signals::way_in_added(&mut tx, &account, &linked, &self.provider.title).await?;
        self.app.commit_with_answer(tx).await?;
        count("linked");
        Ok((StatusCode::CREATED, axum::Json(LinkedAccountOut::new(linked, Some(self.provider)))).into_response())
    }

    async fn create_link(&self, tx: &mut PgTransaction<'static>, user: Uuid) -> Result<LinkedAccount, Error> {
        let (id, subject) = (Uuid::now_v7(), (self.provider.key(), self.identity.subject.as_str()));
        let sealed = self.seal(id, &self.first_tokens(tx).await?)?;
        let linked = LinkedAccount::create(tx, id, user, subject, &self.state(&sealed)).await;
        let linked = linked.map_err(|error| {
            let broken = error.as_database_error().and_then(sqlx::error::DatabaseError::constraint).unwrap_or_default();
            if SUBJECT_TAKEN.contains(&broken) {
                LINKED_ELSEWHERE
            } else if PROVIDER_TAKEN.contains(&broken) {
                LINKED_ALREADY
            } else {
                error.into()
            }
        })?;
        signals::linked(tx, &linked, &self.provider.name).await?;
        Ok(linked)
    }

    /// The tokens of a new link. What is still to be revoked of an earlier link of the same person waits for the end of this one, where
    /// it could end what was granted now. What this process cannot read ends with that, too.
    async fn first_tokens(&self, tx: &mut PgTransaction<'static>) -> Result<ProviderTokens, Error> {
        let mut tokens = self.grant.tokens.clone();
        if self.provider.revocation == RevocationScope::Grant {
            let waiting = TokenRevocation::take(tx, &self.provider.issuer, &self.identity.subject).await?;
            let waiting = waiting.iter().filter_map(|one| self.open(&one.sealed(), one.row()).ok());
            keep_replaced(&mut tokens, waiting.flat_map(|one| one.replaced.into_iter().chain(one.refresh)));
        }
        Ok(tokens)
    }

    async fn start(&self, tx: &mut PgTransaction<'static>, account: &Account) -> Result<StartedSession, Error> {
        let started = start_session(tx, account, self.device).await?;
        // The password was changed, or the account banned, at this very moment.
        let started = started.ok_or(UNKNOWN_ATTEMPT)?;
        // A person who was signed in at the provider has shown nothing now.
        let shown_at = self.identity.authenticated_at.unwrap_or(DateTime::UNIX_EPOCH);
        Session::date_authentication(tx, started.session.id, Timestamp(shown_at)).await?;
        sessions::signals::started(tx, account, &started.session).await?;
        Ok(started)
    }

    /// The tokens that are encrypted for a row.
    fn open(&self, sealed: &Sealed, row: Uuid) -> Result<ProviderTokens, SealFault> {
        let text = self.providers.keyring.open(sealed, row.as_bytes())?;
        serde_json::from_slice(&text).map_err(|_| SealFault::Invalid)
    }

    fn seal(&self, id: Uuid, tokens: &ProviderTokens) -> anyhow::Result<Sealed> {
        self.providers.keyring.seal(&serde_json::to_vec(tokens)?, id.as_bytes())
    }

    fn state<'b>(&'b self, tokens: &'b Sealed) -> LinkedState<'b> {
        LinkedState {
            name: self.identity.name.as_deref(),
            email: self.identity.email.as_ref().map(EmailAddress::as_str),
            scopes: &self.grant.scopes,
            tokens,
            expires_at: expiry(self.grant, self.now),
        }
    }
}

/// When the access token of a grant ends.
pub fn expiry(grant: &Grant, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let lifetime = grant.expires_in.and_then(|lifetime| TimeDelta::from_std(lifetime).ok())?;
    now.checked_add_signed(lifetime)
}

/// Counts how a sign-in or a link ended.
pub fn count(outcome: &'static str) {
    metrics::counter!("linked_sign_ins_total", "outcome" => outcome).increment(1);
}
