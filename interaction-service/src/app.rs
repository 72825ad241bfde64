//! What the handlers of this service work with: what every service has, and the post service over HTTP.
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRef;

use crate::core::app;
use crate::post_service::{PostService, PostServiceSettings};

/// The running service.
#[derive(Clone)]
pub struct App {
    core: app::App,
    pub posts: Arc<PostService>,
}

impl App {
    /// The service with its connections to the post service.
    pub fn new(core: &app::App, settings: &PostServiceSettings) -> anyhow::Result<Self> {
        Ok(Self { core: core.clone(), posts: Arc::new(PostService::new(settings)?) })
    }
}

impl Deref for App {
    type Target = app::App;

    fn deref(&self) -> &app::App {
        &self.core
    }
}

impl FromRef<App> for app::App {
    fn from_ref(app: &App) -> Self {
        app.core.clone()
    }
}
