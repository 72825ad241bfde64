//! The fields of forms and queries: texts by name, some of them several times, as browsers send them.
use axum::extract::{Form, FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::failures::Failure;
use crate::ground::returns::full_page;

/// The fields of a form.
#[derive(Clone, Debug, Default)]
pub struct Fields(pub Vec<(String, String)>);

impl Fields {
    /// The first value with this name; empty when there is none.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    pub fn has(&self, name: &str, value: &str) -> bool {
        self.all(name).contains(&value)
    }

    /// Null where nothing was entered.
    pub fn optional(&self, name: &str) -> Value {
        let value = self.get(name).trim();
        if value.is_empty() { Value::Null } else { json!(value) }
    }

    /// A time that was entered in UTC, as the API takes it; null where none was. What is no time, the API refuses.
    pub fn time(&self, name: &str) -> Value {
        match self.get(name).trim() {
            "" => Value::Null,
            // Browsers leave the seconds out where they are none.
            time if time.len() == "2026-11-20T12:00".len() => json!(format!("{time}:00Z")),
            time => json!(format!("{time}Z")),
        }
    }

    /// The page that a form leads back to.
    pub fn next(&self) -> Redirect {
        Redirect::to(&full_page(self.get("next")))
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let form = Form::<Vec<(String, String)>>::from_request(request, state).await;
        let Form(fields) = form.map_err(|refusal| Failure::Malformed(refusal.into_response().status(), "no form"))?;
        Ok(Self(fields.into_iter().map(|(name, value)| (name, value.replace("\r\n", "\n"))).collect()))
    }
}

/// The fields of a query.
pub struct Asked(pub Fields);

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let query = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let Query(fields) = query.map_err(|_| Failure::Malformed(StatusCode::BAD_REQUEST, "no query"))?;
        Ok(Self(Fields(fields)))
    }
}

impl Asked {
    /// Twenty items from the cursor of the address on, and more parameters.
    pub fn page<'a>(&'a self, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let cursor = Some(self.0.get("cursor")).filter(|cursor| !cursor.is_empty()).map(|cursor| ("cursor", cursor));
        [("limit", "20")].into_iter().chain(cursor).chain(more.iter().copied()).collect()
    }
}

/// The id in a path; what is none leads to no page.
pub struct Id(pub Uuid);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let path = axum::extract::Path::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let axum::extract::Path(named) = path.map_err(|_| Failure::MISSING)?;
        let id = named.iter().find(|(name, _)| name == "id").and_then(|(_, value)| value.parse().ok());
        id.map(Id).ok_or(Failure::MISSING)
    }
}

/// A part of a path that is a text.
pub struct Part(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Part {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let path = axum::extract::Path::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let axum::extract::Path(named) = path.map_err(|_| Failure::MISSING)?;
        let text = named.into_iter().find(|(name, _)| name != "id").map(|(_, value)| value);
        text.map(Part).ok_or(Failure::MISSING)
    }
}
