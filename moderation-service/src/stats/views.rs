//! The routes of statistics.
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json as Body};
use serde_json::value::RawValue;

use super::models::{DecisionCount, ModelCount, ModeratorCount, PublicDecision, ShadowCount, Transparency, Volumes};
use super::registry::{LoadedModels, ModelOut};
use super::schemas::{Counted, PublicDecisionOut, StatsOut, TransparencyOut, days_ago};
use super::services::PublicLog;
use super::signals;
use crate::core::api::errors::Error;
use crate::core::api::pagination::Page;
use crate::core::app::App;
use crate::core::app::identity::Role;
use crate::core::contract::extract::Query;
use crate::queue::models::QueueLength;
use crate::subjects::staff::Moderator;

/// Days that statistics reach back at most, and when the request does not say.
const MAX_DAYS: i64 = 366;
const DAYS: i64 = 30;
/// The log of decisions is not published here.
const NO_PUBLIC_LOG: Error = Error::Refused(StatusCode::NOT_FOUND, "The log is not public");

/// Get what came in, what was decided, how soon, and how often that was wrong; for moderators
#[utoipa::path(get, path = "/moderation/stats", tag = "moderation", params(
    ("days" = Option<i64>, Query, description = "How far back, 1 to 366 days; 30 when not given", minimum = 1, maximum = 366),
), responses(
    (status = 200, body = StatsOut),
    (status = 403, description = "The caller is no moderator"),
))]
pub async fn get_stats(
    Moderator(user): Moderator,
    State(app): State<App>,
    Extension(models): Extension<LoadedModels>,
    mut query: Query,
) -> Result<Body<StatsOut>, Error> {
    let days = query.integer("days", 1, MAX_DAYS).unwrap_or(DAYS);
    query.check()?;
    let since = days_ago(days);
    let counted = Counted {
        queue: QueueLength::count(&app.db).await?,
        volumes: Volumes::count(&app.db, since).await?,
        all: DecisionCount::all(&app.db, since).await?,
        by_action: DecisionCount::by_action(&app.db, since).await?,
        by_reason: DecisionCount::by_reason(&app.db, since).await?,
        by_rule: DecisionCount::by_rule(&app.db, since).await?,
        image_model: models.image(),
        by_model: ModelCount::list(&app.db, since).await?,
        by_shadow: ShadowCount::list(&app.db, since).await?,
        by_moderator: ModeratorCount::list(&app.db, since).await?,
    };
    Ok(Body(StatsOut::new(since, counted, user.role >= Role::Admin)))
}

/// List the models that are loaded, with their thresholds and figures, and all that have read, with what came of it; for moderators
#[utoipa::path(get, path = "/moderation/models", tag = "moderation", params(
    ("days" = Option<i64>, Query, description = "How far back what they have read is counted, 1 to 366 days; 30 when not given", minimum = 1, maximum = 366),
), responses(
    (status = 200, body = Vec<ModelOut>),
    (status = 403, description = "The caller is no moderator"),
))]
pub async fn list_models(
    _: Moderator,
    State(app): State<App>,
    Extension(models): Extension<LoadedModels>,
    mut query: Query,
) -> Result<Body<Vec<ModelOut>>, Error> {
    let days = query.integer("days", 1, MAX_DAYS).unwrap_or(DAYS);
    query.check()?;
    let since = days_ago(days);
    let (counts, shadows) = (ModelCount::list(&app.db, since).await?, ShadowCount::list(&app.db, since).await?);
    Ok(Body(ModelOut::list(&models, counts, shadows)))
}

/// Get what moderation did in the last half year, in numbers; public
#[utoipa::path(get, path = "/moderation/transparency", tag = "moderation", security(()), responses(
    (status = 200, body = TransparencyOut),
))]
pub async fn get_transparency(State(app): State<App>) -> Result<Body<Box<RawValue>>, Error> {
    let counted = Transparency::find(&app.db).await?;
    Ok(Body(match counted {
        Some(numbers) => numbers,
        // Only before the first count.
        None => signals::count_transparency(&app.db).await?,
    }))
}

/// List decisions without their subjects, authors and the names of moderators, newest first; public where `PUBLIC_LOG` is on
#[utoipa::path(get, path = "/moderation/public-log", tag = "moderation", security(()), params(
    ("limit" = Option<i64>, Query, description = "Items on a page, 1 to 200; 50 when not given"),
    ("cursor" = Option<String>, Query, description = "From the Link header of the page before"),
), responses(
    (status = 200, body = Vec<PublicDecisionOut>),
    (status = 404, description = "The log is not public"),
))]
pub async fn list_public_log(
    State(app): State<App>,
    Extension(public_log): Extension<PublicLog>,
    page: Page,
) -> Result<Response, Error> {
    if public_log == PublicLog::Off {
        return Err(NO_PUBLIC_LOG);
    }
    let decisions = PublicDecision::list(&app.db, page.before, page.rows()).await?;
    let decisions: Vec<PublicDecisionOut> = decisions.into_iter().map(PublicDecisionOut::from).collect();
    Ok(page.answer(decisions, |decision| (decision.at, decision.id)))
}
