//! The export of personal data: the auth service gathers it page by page. Needs the service token.
use axum::extract::{RawPathParams, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Json, Router};
use futures::future::BoxFuture;
use serde::Serialize;
use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

use crate::core::api::errors::Error;
use crate::core::api::pagination::{Cursor, Page};
use crate::core::app::App;
use crate::core::contract::extract::Path;
use crate::core::contract::timestamp::Timestamp;
use crate::core::doors::callers::Operator;

/// One item of personal data, as the row that it is, and its place in the list of its kind, newest first.
#[derive(Serialize)]
pub struct PersonalDataItem {
    #[serde(skip)]
    pub at: Timestamp,
    #[serde(skip)]
    pub id: Uuid,
    #[serde(flatten)]
    pub thing: Value,
}

/// A list of items that is being loaded.
pub type Listing<'a> = BoxFuture<'a, sqlx::Result<Vec<PersonalDataItem>>>;

/// One kind of personal data that a service holds.
pub struct PersonalDataSource {
    /// The name of the kind, in the plural.
    pub name: &'static str,
    /// Those of a person that come after a place, up to a limit.
    pub list: for<'a> fn(&'a PgPool, Uuid, Cursor, i64) -> Listing<'a>,
}

/// The routes by which personal data are gathered.
pub fn routes(personal_data: &'static [PersonalDataSource]) -> Router<App> {
    let kinds: Vec<_> = personal_data.iter().map(|source| source.name).collect();
    Router::new()
        .route("/internal/people/{person}", get(async |_: Operator, Path(_): Path| Json(kinds)))
        .route("/internal/people/{person}/{kind}", get(list))
        .layer(Extension(personal_data))
}

/// A page of the items of one kind that are held about a person.
async fn list(
    _: Operator,
    State(app): State<App>,
    Extension(personal_data): Extension<&'static [PersonalDataSource]>,
    Path(person): Path,
    params: RawPathParams,
    page: Page,
) -> Result<Response, Error> {
    let kind = params.iter().find(|(name, _)| *name == "kind").map(|(_, kind)| kind);
    let source = personal_data.iter().find(|source| Some(source.name) == kind);
    let source = source.ok_or(Error::Refused(StatusCode::NOT_FOUND, "No such kind"))?;
    let (before, rows) = (page.before, page.rows());
    let (held, _) = app.read(person, |db| async move { (source.list)(&db, person, before, rows).await }).await?;
    Ok(page.answer(held, |held| (held.at, held.id)))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::{Request, header};
    use serde_json::json;
    use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

    use crate::SERVICE;
    use crate::core::testing::{Platform, new_user};

    #[sqlx::test(migrations = false)]
    async fn of_an_unknown_person_nothing_is_held_and_only_an_operator_asks(
        _: PgPoolOptions,
        database: PgConnectOptions,
    ) {
        let platform = Platform::start(&SERVICE, database, &[]).await;
        let (token, person) = new_user();
        for source in SERVICE.personal_data {
            assert_eq!(platform.personal_data_of(person, source.name).await, [json!(null); 0], "{}", source.name);
        }
        let ask = async |path: &str, token: &str| {
            let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
            platform.send(request.body(Body::empty()).unwrap()).await
        };
        let kinds: Vec<_> = SERVICE.personal_data.iter().map(|source| source.name).collect();
        let path = format!("/internal/people/{person}");
        assert_eq!(ask(&path, "operator").await.body, json!(kinds));
        assert_eq!(ask(&format!("{path}/secrets"), "operator").await.status, 404);
        assert_eq!(ask(&format!("{path}/{}?cursor=x", kinds[0]), "operator").await.status, 422);
        assert_eq!(ask(&format!("{path}/{}", kinds[0]), &token).await.status, 403);
    }
}
