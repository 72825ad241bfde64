//! The state of this service's handlers: the state of every service, and the client of the post service.
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
    /// The state of the core, with a client of the post service.
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
