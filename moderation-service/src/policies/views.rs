//! The routes of policies.
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use uuid::Uuid;

use super::models::{self, NAME_TAKEN, Policy, PolicyChange};
use super::schemas::{
    HitCountOut, PolicyHistoryOut, PolicyIn, PolicyOut, PolicyVersionOut, SimulationIn, SimulationOut,
};
use super::{services, signals};
use crate::core::api::errors::{Error, Problem};
use crate::core::app::App;
use crate::core::contract::extract::{Json as Body, Path, Query};
use crate::subjects::staff::Admin;

const NO_POLICY: Error = Error::Refused(StatusCode::NOT_FOUND, "Policy not found");
const OTHER_VERSION: Error =
    Error::Refused(StatusCode::CONFLICT, "The policy was changed meanwhile: read it, and change its newest version");
const NAME_IN_USE: Error = Error::Refused(StatusCode::CONFLICT, "Another policy has this name");

/// Versions that are shown with a policy.
const VERSIONS: i64 = 50;
/// The days of hits that are shown when nothing else is said, and at most.
const DEFAULT_DAYS: i64 = 30;
const MAX_DAYS: i64 = 90;

fn refuse_name(error: sqlx::Error) -> Error {
    let constraint = error.as_database_error().and_then(sqlx::error::DatabaseError::constraint);
    if constraint == Some(NAME_TAKEN) { NAME_IN_USE } else { error.into() }
}

impl PolicyIn {
    fn change(&self, by: Uuid) -> PolicyChange<'_> {
        PolicyChange { name: &self.name, mode: self.mode, rules: &self.rules, note: self.note.as_deref(), by }
    }
}

/// List all policies, in the order in which they are evaluated
#[utoipa::path(get, path = "/moderation/policies", tag = "policies", responses(
    (status = 200, body = Vec<PolicyOut>),
))]
pub async fn get_policies(_: Admin, State(app): State<App>) -> Result<Json<Vec<PolicyOut>>, Error> {
    Ok(Json(Policy::list(&app.db).await?.into_iter().map(PolicyOut::from).collect()))
}

/// Create a policy
#[utoipa::path(post, path = "/moderation/policies", tag = "policies", request_body = PolicyIn, responses(
    (status = 201, body = PolicyOut),
    (status = 409, body = Problem, description = "Another policy has this name"),
))]
pub async fn create_policy(
    Admin(user): Admin,
    State(app): State<App>,
    Body(policy): Body<PolicyIn>,
) -> Result<(StatusCode, Json<PolicyOut>), Error> {
    let mut tx = app.db.begin().await?;
    let policy = Policy::create(&mut tx, &policy.change(user.id)).await.map_err(refuse_name)?;
    signals::changed(&mut tx, &policy, user.id).await?;
    app.commit_with_answer(tx).await?;
    Ok((StatusCode::CREATED, Json(policy.into())))
}

/// Read a policy and its versions
#[utoipa::path(get, path = "/moderation/policies/{id}", tag = "policies", params(
    ("id" = Uuid, Path, description = "The policy"),
), responses(
    (status = 200, body = PolicyHistoryOut),
    (status = 404, body = Problem, description = "There is no such policy"),
))]
pub async fn get_policy(_: Admin, State(app): State<App>, Path(id): Path) -> Result<Json<PolicyHistoryOut>, Error> {
    let policy = Policy::find(&app.db, id).await?.ok_or(NO_POLICY)?;
    let versions = Policy::versions(&app.db, id, VERSIONS).await?;
    let versions = versions.into_iter().map(PolicyVersionOut::from).collect();
    Ok(Json(PolicyHistoryOut { policy: policy.into(), versions }))
}

/// Change a policy: its name, mode and rules become those given, as its next version
#[utoipa::path(put, path = "/moderation/policies/{id}", tag = "policies", params(
    ("id" = Uuid, Path, description = "The policy"),
), request_body = PolicyIn, responses(
    (status = 200, body = PolicyOut),
    (status = 404, body = Problem, description = "There is no such policy"),
    (status = 409, body = Problem, description = "Another version is the newest, or another policy has the name"),
))]
pub async fn update_policy(
    Admin(user): Admin,
    State(app): State<App>,
    Path(id): Path,
    Body(policy): Body<PolicyIn>,
) -> Result<Json<PolicyOut>, Error> {
    let mut tx = app.db.begin().await?;
    let changed = Policy::update(&mut tx, id, policy.version, &policy.change(user.id)).await.map_err(refuse_name)?;
    let Some(changed) = changed else {
        return Err(if Policy::find(&mut *tx, id).await?.is_some() { OTHER_VERSION } else { NO_POLICY });
    };
    signals::changed(&mut tx, &changed, user.id).await?;
    app.commit(tx).await?;
    Ok(Json(changed.into()))
}

/// Count how often the rules of a policy have matched, by day
#[utoipa::path(get, path = "/moderation/policies/{id}/hits", tag = "policies", params(
    ("id" = Uuid, Path, description = "The policy"),
    ("days" = Option<i64>, Query, minimum = 1, maximum = 90, description = "How many days back, 1 to 90; 30 when not given"),
), responses(
    (status = 200, body = Vec<HitCountOut>),
    (status = 404, body = Problem, description = "There is no such policy"),
))]
pub async fn get_hits(
    _: Admin,
    State(app): State<App>,
    Path(id): Path,
    mut query: Query,
) -> Result<Json<Vec<HitCountOut>>, Error> {
    let days = query.integer("days", 1, MAX_DAYS).unwrap_or(DEFAULT_DAYS);
    query.check()?;
    Policy::find(&app.db, id).await?.ok_or(NO_POLICY)?;
    let hits = models::list_hits(&app.db, id, i32::try_from(days).unwrap_or(i32::MAX)).await?;
    Ok(Json(hits.into_iter().map(HitCountOut::from).collect()))
}

/// Try rules on the newest contents, in the place of a policy or beside all: what would be different from now. Nothing is changed
#[utoipa::path(post, path = "/moderation/policies/simulate", tag = "policies", request_body = SimulationIn, responses(
    (status = 200, body = SimulationOut),
    (status = 404, body = Problem, description = "There is no such policy"),
))]
pub async fn simulate(
    _: Admin,
    State(app): State<App>,
    Body(simulation): Body<SimulationIn>,
) -> Result<Json<SimulationOut>, Error> {
    let order: Vec<_> = Policy::list(&app.db).await?.into_iter().map(|policy| policy.id).collect();
    if simulation.policy.is_some_and(|policy| !order.contains(&policy)) {
        return Err(NO_POLICY);
    }
    let current = models::load_policies(&app.db).await?;
    let proposal = services::Proposal::new(current, &order, simulation.policy, simulation.rules);
    let past = models::list_past(&app.db, simulation.contents).await?;
    let simulated = tokio::task::spawn_blocking(move || services::simulate(&proposal, past)).await;
    Ok(Json(simulated.map_err(|cause| Error::Internal(cause.into()))?))
}
