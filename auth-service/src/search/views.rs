//! The route of search.
use axum::Json;
use axum::extract::State;
use chrono::Utc;

use super::models;
use super::schemas::Wanted;
use crate::core::App;
use crate::core::errors::{Error, Problem};
use crate::core::extract::Query;
use crate::core::pagination::Page;
use crate::core::security::User;
use crate::profiles::models::{Profile, snapshot};
use crate::profiles::schemas::ProfileOut;

/// Find people whose username or name begins with a text, or nearly is it; the best first
#[utoipa::path(get, path = "/users/search", tag = "user", params(
    ("q" = String, Query, description = "2 to 50 characters, in any case"),
    ("limit" = Option<i64>, Query, description = "People at most, 1 to 200; 50 when not given"),
), responses(
    (status = 200, body = Vec<ProfileOut>),
    (status = 401, body = Problem),
    (status = 422, body = Problem),
))]
pub async fn search_users(
    user: User,
    State(app): State<App>,
    page: Page,
    query: Query,
) -> Result<Json<Vec<ProfileOut>>, Error> {
    let wanted = Wanted::read(query)?;
    let mut tx = snapshot(&app.db).await?;
    let mut ids = models::beginning(&mut *tx, user.id, &wanted.0, page.limit).await?;
    let missing = page.limit - i64::try_from(ids.len()).unwrap_or(page.limit);
    if missing > 0 && wanted.has_groups() {
        ids.extend(models::similar(&mut tx, user.id, &wanted.0, &ids, missing).await?);
    }
    let profiles = Profile::load(&mut *tx, user.id, &ids).await?;
    Ok(Json(ProfileOut::list(&profiles, user.id, Utc::now().date_naive())))
}
