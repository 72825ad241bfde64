//! The address of a running platform.

use clap::Args;
use reqwest::Url;

use crate::servers::folder::DataFolder;

#[derive(Debug, Args)]
pub struct Target {
    /// The address of the auth service; the others are expected on the four ports after it
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8000")]
    pub base_url: Url,
}

/// A platform whose services are reached one by one, or through the gateway.
#[derive(Debug, Args)]
pub struct Entrance {
    #[command(flatten)]
    target: Target,
    /// The address of the gateway, which leads to all five
    #[arg(long, value_name = "URL", conflicts_with = "base_url")]
    gateway_url: Option<Url>,
    /// Where it keeps its data: with them a moderator can be made
    #[command(flatten)]
    pub data: DataFolder,
}

impl Entrance {
    /// The address of the first service, and how many ports further each of the others is.
    pub fn place(&self) -> (&Url, u16) {
        self.gateway_url.as_ref().map_or((&self.target.base_url, 1), |url| (url, 0))
    }
}
