//! What an account may do here, as the auth service says it: in its events, to a caller with a token, and when it is asked.
use std::time::Duration;

use anyhow::{Context, ensure};
use chrono::DateTime;
use reqwest::StatusCode;
use secrecy::ExposeSecret;
use serde::Deserialize;
use uuid::Uuid;

use super::models::ChangedRight;
use crate::core::app::App;
use crate::core::app::identity::{Role, Status, User};
use crate::core::contract::timestamp::Timestamp;
use crate::core::ground::telemetry::spans;

/// The service that has the accounts, as `PRODUCERS` names it.
const OWNER: &str = "auth-service";
/// How long its answer may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// A version before those of all accounts: what is known as of it yields to any other.
const FIRST: Timestamp = Timestamp(DateTime::UNIX_EPOCH);

/// What is read of an account; original services do not say what it may do.
#[derive(Deserialize)]
pub struct ChangedAccount {
    id: Uuid,
    updated_at: Timestamp,
    role: Option<Role>,
    status: Option<Status>,
}

impl ChangedAccount {
    /// What it may do here.
    pub fn right(&self) -> Option<ChangedRight> {
        let (role, status) = self.role.zip(self.status)?;
        Some(right(self.id, role, status, self.updated_at))
    }
}

fn right(person: Uuid, role: Role, status: Status, version: Timestamp) -> ChangedRight {
    let is_free = !matches!(status, Status::Muted | Status::Banned);
    let [moderates, administrates] = [Role::Moderator, Role::Admin].map(|least| is_free && role >= least);
    ChangedRight { person, moderates, administrates, version }
}

/// What a caller may do by their token. It does not say since when, so it counts where nothing else is known, and until an event says more.
pub fn of_caller(caller: &User) -> ChangedRight {
    right(caller.id, caller.role, caller.status, FIRST)
}

/// Asks the auth service what an account may do; one that is no more may do nothing. An error: it could not be asked, or does not say.
pub async fn fetch(app: &App, person: Uuid) -> anyhow::Result<ChangedRight> {
    let owner = app.settings.producers.iter().find(|producer| producer.name == OWNER);
    let owner = owner.context("PRODUCERS names no auth-service")?;
    let token = app.settings.service_token.as_ref().context("SERVICE_TOKEN is not set")?;
    let request = app.http.get(format!("{}/internal/people/{person}/accounts", owner.url)).timeout(TIMEOUT);
    let answer = spans::call(request.bearer_auth(token.expose_secret())).await.map_err(reqwest::Error::without_url)?;
    ensure!(answer.status() == StatusCode::OK, "it answered {}", answer.status());
    let accounts: Vec<ChangedAccount> = answer.json().await.map_err(reqwest::Error::without_url)?;
    let Some(account) = accounts.first() else { return Ok(right(person, Role::User, Status::Inactive, FIRST)) };
    account.right().context("it does not say what its accounts may do")
}
