//! The analysis of texts for the platform's own services: `POST /api/v1/analyze`, which they ask before they publish a text.
pub mod schemas;
mod services;
mod views;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Extension;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::reader::TextReader;
use crate::core::app::App;
use crate::moderations::services::Analyser;

/// Reads texts as they would be read after they were published: with the model, and with the analyser of cases.
#[derive(Clone)]
pub struct TextAnalysis {
    pub reader: Arc<TextReader>,
    pub analyser: Arc<dyn Analyser>,
}

/// The route of the platform's own services.
pub fn router(analysis: TextAnalysis) -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(views::analyze_texts)).layer(Extension(analysis))
}
