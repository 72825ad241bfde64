//! The settings of tastes.

/// Where tastes are fetched.
#[derive(clap::Args, Clone, Debug)]
pub struct TasteSettings {
    /// Spotify's Web API, from which the top tracks and artists of people come who have linked an account of it
    #[arg(long, env = "SPOTIFY_API_URL", default_value = "https://api.spotify.com")]
    pub spotify_api_url: reqwest::Url,
}
