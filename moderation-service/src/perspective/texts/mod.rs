//! The analysis of texts for the platform's own services: `POST /api/v1/analyze`, which they ask before they publish a text.
//!
//! The verdict is that of the policies over what can be said of the text alone. What only the database knows of a published content
//! (its near-duplicates, its author's pace and account) is unknown, so a rule about that matches after it is published, if at all.
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
use crate::analyses::reading::AnalysisReader;
use crate::core::app::App;
use crate::policies::services::CurrentPolicies;

/// Reads texts as they would be read after they were published, and judges them by the same policies.
#[derive(Clone)]
pub struct TextAnalysis {
    /// The way to the model.
    pub reader: Arc<TextReader>,
    /// What needs no model.
    pub alone: AnalysisReader,
    pub policies: Arc<CurrentPolicies>,
}

/// The route of the platform's own services.
pub fn router(analysis: TextAnalysis) -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(views::analyze_texts)).layer(Extension(analysis))
}
