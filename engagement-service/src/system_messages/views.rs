//! The route of system messages.
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::models::SystemMessage;
use super::schemas::{SystemMessageIn, SystemMessageOut};
use crate::core::api::errors::Error;
use crate::core::app::App;
use crate::core::contract::extract::Json as Body;
use crate::core::doors::audit::{self, Entry};
use crate::core::doors::callers::Operator;

const OTHER_MESSAGE: Error = Error::Refused(StatusCode::CONFLICT, "The id was used for another message");

/// Sends a message to some people or to all. The same request again changes nothing.
pub async fn create_system_message(
    _: Operator,
    State(app): State<App>,
    Body(message): Body<SystemMessageIn>,
) -> Result<(StatusCode, Json<SystemMessageOut>), Error> {
    let SystemMessageIn { id, title, text, user_ids } = message;
    let mut tx = app.db.begin().await?;
    if !SystemMessage::create(&mut tx, id, &title, &text, user_ids.as_deref()).await? {
        return Err(OTHER_MESSAGE);
    }
    let result = if user_ids.is_some() { "to some" } else { "to all" };
    audit::record(&mut *tx, Entry { who: None, action: "system_message_sent", target: Some(id), result }).await?;
    app.commit(tx).await?;
    Ok((StatusCode::ACCEPTED, Json(SystemMessageOut { id })))
}
