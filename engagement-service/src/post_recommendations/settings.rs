//! The setting of posts for people.

/// How much is explored.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct RecommendationSettings {
    /// The share of recommended posts that few have seen so far, from 0 to 0.5: without any, new authors would not be seen, and what they
    /// are worth not known
    #[arg(long, env = "RECOMMENDATION_EXPLORATION", default_value_t = 0.1, value_parser = share)]
    pub recommendation_exploration: f64,
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|cause| format!("{cause}"))?;
    if (0.0..=0.5).contains(&share) { Ok(share) } else { Err("it is not from 0 to 0.5".to_owned()) }
}
