//! The settings of feeds.
use secrecy::SecretString;

use crate::core::ground::settings::check_redis_url;

/// Where feeds are kept, and for which authors and readers they are not.
#[expect(clippy::struct_field_names, reason = "the fields are named as the settings are")]
#[derive(clap::Args, Clone, Debug)]
pub struct FeedSettings {
    /// Redis that holds the feeds, where it is not the one of the event streams; it may evict
    #[arg(long, env = "FEED_REDIS_URL", hide_env_values = true, value_parser = check_redis_url)]
    pub feed_redis_url: Option<SecretString>,

    /// Followers above which an author's posts are not copied into feeds, but looked up by each reader; with a tenth less
    /// they are copied again
    #[arg(long, env = "FEED_BIG_AUTHOR", default_value_t = 10_000, value_parser = clap::value_parser!(i64).range(1..))]
    pub feed_big_author: i64,

    /// Connections above which a reader's feed is kept for ten minutes only, and not for 14 days
    #[arg(long, env = "FEED_MANY_CONNECTIONS", default_value_t = 2_000, value_parser = clap::value_parser!(i64).range(1..))]
    pub feed_many_connections: i64,
}
