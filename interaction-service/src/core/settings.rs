//! The settings that every service has: where it listens, and where its neighbours are.
use std::net::IpAddr;

use clap::{Args, ValueEnum};
use redis::IntoConnectionInfo;
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::PgConnectOptions;

/// Where a service that tells events can be asked for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Producer {
    pub name: String,
    /// Without a path and without a slash at the end.
    pub url: String,
}

/// How careful a service is at its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Environment {
    /// Development defaults are accepted.
    Development,
    /// A default secret is refused.
    Production,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For a person at a terminal.
    Pretty,
    /// One JSON object per line, for a log collector.
    Json,
}

/// The part of a service's settings that all five share by name.
#[derive(Args, Clone, Debug)]
pub struct Base {
    /// Address to listen on
    #[arg(long, env = "HOST", default_value = "127.0.0.1")]
    pub host: IpAddr,

    /// Postgres server and database of this service: postgres://role:password@host:port/database
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_parser = database)]
    pub database_url: SecretString,

    /// Connections to Postgres kept at most, from 2
    #[arg(long, env = "DATABASE_POOL", default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..))]
    pub database_pool: u32,

    /// Redis that holds the event streams: redis://host:port/database
    #[arg(long, env = "REDIS_URL", hide_env_values = true, default_value = "redis://127.0.0.1:6379/0", value_parser = redis)]
    pub redis_url: SecretString,

    /// Where the other services hand out events that Redis lost: name=http://host:port, separated by commas
    #[arg(long, env = "PRODUCERS", value_delimiter = ',', value_parser = producer, default_values = [
        "auth-service=http://127.0.0.1:8000",
        "post-service=http://127.0.0.1:8001",
        "interaction-service=http://127.0.0.1:8002",
        "moderation-service=http://127.0.0.1:8003",
        "engagement-service=http://127.0.0.1:8004",
    ])]
    pub producers: Vec<Producer>,

    /// Development accepts default secrets, production refuses to start on one
    #[arg(long, env = "ENVIRONMENT", value_enum, default_value_t = Environment::Development)]
    pub environment: Environment,

    /// How log lines look
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value_t = LogFormat::Pretty)]
    pub log_format: LogFormat,

    /// What is logged, as tracing filter directives
    #[arg(long, env = "LOG", default_value = "info")]
    pub log: String,
}

fn producer(text: &str) -> Result<Producer, String> {
    let (name, url) = text.split_once('=').ok_or("expected name=http://host:port")?;
    let url: reqwest::Url = url.parse().map_err(|cause| format!("{url} is no URL: {cause}"))?;
    Ok(Producer { name: name.to_owned(), url: url.as_str().trim_end_matches('/').to_owned() })
}

fn database(text: &str) -> Result<SecretString, String> {
    text.parse::<PgConnectOptions>().map(|_| text.into()).map_err(|cause| cause.to_string())
}

fn redis(text: &str) -> Result<SecretString, String> {
    text.into_connection_info().map(|_| text.into()).map_err(|cause| cause.to_string())
}

impl Base {
    /// How to connect to Postgres.
    pub fn database(&self) -> Result<PgConnectOptions, sqlx::Error> {
        self.database_url.expose_secret().parse()
    }

    /// A client of Redis; it connects on first use.
    pub fn redis(&self) -> redis::RedisResult<redis::Client> {
        redis::Client::open(self.redis_url.expose_secret())
    }
}
