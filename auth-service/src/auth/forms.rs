//! A form as a request body: of a page without scripts, or of `fetch` with a `FormData`.
use axum::body::Bytes;
use axum::extract::multipart::{MultipartError, MultipartRejection};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use crate::core::api::errors::Error;
use crate::core::contract::extract::{refuse_body, unreadable};
use crate::core::contract::fields::{Fields, Input};

/// A form that was read and checked. A field that is empty counts as not given, and a body that is no form as an empty
/// one, as in the original.
pub struct Form<T>(pub T);

impl<S: Send + Sync, T: Input> FromRequest<S> for Form<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim().to_ascii_lowercase();
        let pairs = match essence.as_str() {
            "application/x-www-form-urlencoded" => {
                let body =
                    Bytes::from_request(request, state).await.map_err(|rejection| refuse_body(rejection.status()))?;
                serde_urlencoded::from_bytes(&body).map_err(|_| unreadable())?
            }
            "multipart/form-data" => read_parts(Multipart::from_request(request, state).await).await?,
            _ => Vec::new(),
        };
        let given = pairs.into_iter().filter(|(_, value): &(String, String)| !value.is_empty());
        let values: Map<String, Value> = given.map(|(name, value)| (name, Value::from(value))).collect();
        Fields::read(values).map(Self).map_err(|errors| Error::Invalid(errors).into_response())
    }
}

/// The parts of a form as names and texts; a part without a name is nothing that was asked for.
async fn read_parts(form: Result<Multipart, MultipartRejection>) -> Result<Vec<(String, String)>, Response> {
    let (mut form, mut pairs) = (form.map_err(|_| unreadable())?, Vec::new());
    let refuse = |error: MultipartError| refuse_body(error.status());
    while let Some(field) = form.next_field().await.map_err(refuse)? {
        let Some(name) = field.name().map(str::to_owned) else { continue };
        pairs.push((name, field.text().await.map_err(refuse)?));
    }
    Ok(pairs)
}
