//! The routes of Perspective's API.
use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};

use super::bodies::GoogleJson;
use super::keys::KeyOwner;
use super::models::Suggestion;
use super::reader::TextReader;
use super::refusals::{GoogleError, Refusal};
use super::schemas::{
    AnalyzeCommentRequest, AnalyzeCommentResponse, SuggestCommentScoreRequest, SuggestCommentScoreResponse,
};
use super::{ANALYZE_LIMIT, SUGGEST_LIMIT, language, services};
use crate::core::app::App;

/// Score a comment, as Google's Perspective API does; nothing is stored
#[utoipa::path(post, path = "/v1alpha1/comments:analyze", tag = "perspective", security(("key" = [])),
    request_body = AnalyzeCommentRequest, responses(
    (status = 200, body = AnalyzeCommentResponse),
    (status = 400, body = GoogleError, content_type = "application/json; charset=UTF-8",
        description = "Empty or too long text, no or an unknown attribute, an unsupported language, an invalid key"),
    (status = 403, body = GoogleError, content_type = "application/json; charset=UTF-8", description = "No key"),
    (status = 429, body = GoogleError, content_type = "application/json; charset=UTF-8",
        description = "The key has made too many requests"),
    (status = 503, body = GoogleError, content_type = "application/json; charset=UTF-8",
        description = "The model is off, or has more to read than it can"),
))]
pub async fn analyze_comment(
    owner: KeyOwner,
    State(app): State<App>,
    Extension(reader): Extension<Arc<TextReader>>,
    GoogleJson(request): GoogleJson<AnalyzeCommentRequest>,
) -> Result<Json<AnalyzeCommentResponse>, Refusal> {
    owner.take(&app, ANALYZE_LIMIT.name).await?;
    Ok(Json(services::analyze(&reader, request.check()?).await?))
}

/// Suggest the scores that a comment should have; it is stored for half a year, to train a model with
#[utoipa::path(post, path = "/v1alpha1/comments:suggestscore", tag = "perspective", security(("key" = [])),
    request_body = SuggestCommentScoreRequest, responses(
    (status = 200, body = SuggestCommentScoreResponse),
    (status = 400, body = GoogleError, content_type = "application/json; charset=UTF-8",
        description = "Empty or too long text, no or an unknown attribute, a score out of bounds, an invalid key"),
    (status = 403, body = GoogleError, content_type = "application/json; charset=UTF-8", description = "No key"),
    (status = 429, body = GoogleError, content_type = "application/json; charset=UTF-8",
        description = "The key has made too many suggestions"),
    (status = 503, body = GoogleError, content_type = "application/json; charset=UTF-8",
        description = "The database is away"),
))]
pub async fn suggest_comment_score(
    owner: KeyOwner,
    State(app): State<App>,
    Extension(reader): Extension<Arc<TextReader>>,
    GoogleJson(request): GoogleJson<SuggestCommentScoreRequest>,
) -> Result<Json<SuggestCommentScoreResponse>, Refusal> {
    owner.take(&app, SUGGEST_LIMIT.name).await?;
    let suggestion = request.check()?;
    if !*app.prepared.borrow() {
        return Err(Refusal::Away);
    }
    Suggestion::save(&app.db, &owner.0, reader.version().ok(), &suggestion).await?;
    Ok(Json(SuggestCommentScoreResponse {
        client_token: suggestion.client_token,
        requested_languages: suggestion.languages,
        detected_languages: language::detect(&suggestion.text).into_iter().map(str::to_owned).collect(),
    }))
}
