//! The route of compatibility.
use axum::Json;
use axum::extract::State;
use uuid::Uuid;

use super::models::{ComparedPerson, SharedConnections};
use super::schemas::{CompatibilityOut, Side};
use super::{ONESELF, OTHER_NOT_FOUND};
use crate::affinities::models::Affinity;
use crate::core::api::errors::{Error, Problem};
use crate::core::app::App;
use crate::core::app::identity::User;
use crate::core::contract::extract::Path;
use crate::taste::models::Taste;

/// Compare the caller with another user: interests, engagement, taste and connections
#[utoipa::path(get, path = "/me/compatibility/{user_id}", tag = "recommendations", params(("user_id" = uuid::Uuid, Path)),
    responses(
    (status = 200, body = CompatibilityOut),
    (status = 400, body = Problem, description = "The user is the caller"),
    (status = 404, body = Problem),
    (status = 422, body = Problem),
))]
pub async fn compare(user: User, State(app): State<App>, Path(other): Path) -> Result<Json<CompatibilityOut>, Error> {
    if other == user.id {
        return Err(ONESELF);
    }
    let theirs = find_side(&app, user.id, other).await?;
    let own = find_side(&app, user.id, user.id).await?;
    let connections = SharedConnections::find(&app.db, user.id, other).await?;
    Ok(Json(CompatibilityOut::new(&own, theirs, connections)))
}

/// What a reader may know of a person.
async fn find_side(app: &App, reader: Uuid, person: Uuid) -> Result<Side, Error> {
    Ok(Side {
        person: ComparedPerson::find(&app.db, reader, person).await?.ok_or(OTHER_NOT_FOUND)?,
        weights: Affinity::find(&app.db, person).await?,
        taste: Taste::find_shown(&app.db, reader, person).await?,
    })
}
