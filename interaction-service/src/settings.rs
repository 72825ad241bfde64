//! The settings of the interaction service beside those of every service.
use clap::Args;

use crate::token_check::TokenCheck;

/// Its own settings.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    /// The post service, as a URL without a path
    #[arg(long, env = "POST_SERVICE_URL", default_value = "http://127.0.0.1:8001")]
    pub post_service_url: reqwest::Url,

    #[command(flatten)]
    pub token_check: TokenCheck,
}
