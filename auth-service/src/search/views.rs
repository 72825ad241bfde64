//! The route of search.
use axum::Json;
use axum::extract::State;
use chrono::Utc;

use super::{SearchText, models};
use crate::app::App;
use crate::core::api::errors::Error;
use crate::core::api::pagination::Page;
use crate::core::app::identity::User;
use crate::core::contract::extract::Query;
use crate::profiles::models::{Profile, begin_snapshot};
use crate::profiles::schemas::ProfileOut;

/// Search users whose username or name begins with a text or is similar to it; the best first
#[utoipa::path(get, path = "/users/search", tag = "user", params(
    ("q" = String, Query, min_length = 1, max_length = 50, example = "anna", description = "2 to 50 characters, in any case, with or without diacritics; of Chinese, Japanese or Korean one is enough"),
    ("limit" = Option<i64>, Query, description = "People at most, 1 to 200; 50 when not given"),
), responses(
    (status = 200, body = Vec<ProfileOut>),
))]
pub async fn search_users(
    user: User,
    State(app): State<App>,
    page: Page,
    query: Query,
) -> Result<Json<Vec<ProfileOut>>, Error> {
    let text = SearchText::read(query)?;
    let mut tx = begin_snapshot(&app.db).await?;
    let mut ids = models::find_by_prefix(&mut *tx, user.id, &text, page.limit).await?;
    let missing = page.limit - i64::try_from(ids.len()).unwrap_or(page.limit);
    if missing > 0 && text.has_trigrams() {
        ids.extend(models::find_similar(&mut tx, user.id, &text.folded, &ids, missing).await?);
    }
    let profiles = Profile::load(&mut *tx, user.id, &ids).await?;
    Ok(Json(ProfileOut::list(&profiles, user.id, Utc::now().date_naive())))
}
