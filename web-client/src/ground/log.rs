//! Log lines: one per request that went wrong, none per request that went well.
use tracing_subscriber::EnvFilter;

use super::settings::{LogFormat, Settings};

/// Writes log lines to standard output from here on.
pub fn start(settings: &Settings) {
    let lines = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(&settings.log));
    match settings.log_format {
        LogFormat::Json => lines.json().init(),
        LogFormat::Pretty => lines.init(),
    }
}
