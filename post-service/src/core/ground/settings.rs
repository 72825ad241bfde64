//! The settings that every service has: where it listens, and where its neighbours are.
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use axum::http::HeaderValue;
use clap::{ArgMatches, Args, Command, ValueEnum};
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::PgConnectOptions;

use crate::core::ground::redis::RedisAddress;

/// The fewest bytes of a secret in production: 256 bits.
const SECRET_BYTES: usize = 32;
/// The fewest different bytes of one; of 32 random hexadecimal digits there are some 14.
const DISTINCT_BYTES: usize = 8;
/// Words that stand in secrets of examples and of development, and by chance in one of a hundred million random ones.
const PLACEHOLDERS: [&str; 6] = ["change", "default", "develop", "example", "password", "secret"];

/// Where a service that publishes events hands them out.
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
    /// A secret that is public or could be guessed is refused.
    Production,
}

impl Environment {
    /// Refuses, in production, a secret that is public or could be guessed. The refusal names the setting and not its value.
    pub fn check_secret(self, name: &str, secret: &str) -> anyhow::Result<()> {
        match secret_fault(secret).filter(|_| self == Self::Production) {
            Some(fault) => anyhow::bail!("{name} {fault}; make one for production with: openssl rand -base64 32"),
            None => Ok(()),
        }
    }
}

fn secret_fault(secret: &str) -> Option<&'static str> {
    let (bytes, lower) = (secret.as_bytes(), secret.to_ascii_lowercase());
    if bytes.len() < SECRET_BYTES {
        return Some("has fewer than 32 bytes");
    }
    if PLACEHOLDERS.iter().any(|word| lower.contains(word)) {
        return Some("holds a word of development");
    }
    let repeats = (1..=bytes.len() / 2).any(|period| bytes[period..] == bytes[..bytes.len() - period]);
    let counts = bytes.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) <= 1).count() > bytes.len() / 2;
    let is_regular = repeats || counts || bytes.iter().collect::<BTreeSet<_>>().len() < DISTINCT_BYTES;
    is_regular.then_some("repeats itself")
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For a person at a terminal.
    Pretty,
    /// One JSON object per line, for a log collector.
    Json,
}

/// A count per period, and a burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub count: NonZeroU32,
    pub period: Duration,
    /// How many may come at once after a pause; the count, unless the setting says otherwise.
    pub burst: NonZeroU32,
}

impl Rate {
    /// A count per seconds. Zero counts as one.
    pub const fn new(count: u32, seconds: u64) -> Self {
        let count = NonZeroU32::MIN.saturating_add(count.saturating_sub(1));
        Self { count, period: Duration::from_secs(seconds), burst: count }
    }

    /// The same count, with another burst.
    pub const fn burst(self, burst: u32) -> Self {
        Self { burst: NonZeroU32::MIN.saturating_add(burst.saturating_sub(1)), ..self }
    }

    /// The time between two, when they come evenly.
    pub fn interval(self) -> Duration {
        self.period / self.count.get()
    }
}

impl FromStr for Rate {
    type Err = String;

    /// Reads `count/seconds` or `count/seconds+burst`.
    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("{text} is not count/seconds or count/seconds+burst");
        let (count, rest) = text.split_once('/').ok_or_else(expected)?;
        let (seconds, burst) = rest.split_once('+').unwrap_or((rest, count));
        let number = |text: &str| text.parse::<NonZeroU32>().map_err(|_| expected());
        let period = Duration::from_secs(number(seconds)?.get().into());
        Ok(Self { count: number(count)?, period, burst: number(burst)? })
    }
}

/// A setting of limits: one limit's rate, or that there are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RateLimitSetting {
    Off,
    Rate(String, Rate),
}

impl FromStr for RateLimitSetting {
    type Err = String;

    /// Reads `off` or `name=count/seconds+burst`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, rate)) => Ok(Self::Rate(name.to_owned(), rate.parse()?)),
            None if text == "off" => Ok(Self::Off),
            None => Err("expected off, or name=count/seconds+burst".to_owned()),
        }
    }
}

/// What a service's own binary can ask a running service: a container holds no other program that could.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HealthCheck {
    /// Whether the process answers
    Live,
    /// Whether its tables are there, and Postgres and Redis answer
    Ready,
}

/// The part of a service's settings that all five share by name.
#[derive(Args, Clone, Debug)]
pub struct Base {
    /// Address to listen on
    #[arg(long, env = "HOST", default_value = "127.0.0.1")]
    pub host: IpAddr,

    /// Port to listen on
    #[arg(long, env = "PORT")]
    pub port: u16,

    /// Connections of clients served at once; others wait
    #[arg(long, env = "MAX_CONNECTIONS", default_value_t = 4096)]
    pub max_connections: usize,

    /// Seconds between SIGTERM and the stop, in which `/health/serve` says no, so that load balancers can see it
    #[arg(long, env = "DRAIN_SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=300))]
    pub drain_seconds: u64,

    /// Postgres server and database of this service: postgres://role:password@host:port/database
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_parser = check_postgres_url)]
    pub database_url: SecretString,

    /// The same, as the same role and past the transaction pooler to which `DATABASE_URL` leads: for leases and migrations
    #[arg(long, env = "DATABASE_DIRECT_URL", hide_env_values = true, value_parser = check_postgres_url)]
    pub database_direct_url: Option<SecretString>,

    /// A standby of that Postgres, past any pooler: lists and searches are read from it while it is less than ten seconds behind
    #[arg(long, env = "DATABASE_REPLICA_URL", hide_env_values = true, value_parser = check_postgres_url)]
    pub database_replica_url: Option<SecretString>,

    /// Connections to Postgres kept at most, from 2
    #[arg(long, env = "DATABASE_POOL", default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..))]
    pub database_pool: u32,

    /// Redis that holds the event streams: redis://host:port/database, redis://host:port,host:port?cluster, or
    /// redis+sentinel://host:port,host:port/service/database; each also with rediss for redis, which is TLS
    #[arg(long, env = "REDIS_URL", hide_env_values = true, default_value = "redis://127.0.0.1:6379/0", value_parser = check_redis_url)]
    pub redis_url: SecretString,

    /// The secret of operators and other services on /internal/*; without it all are refused
    #[arg(long, env = "SERVICE_TOKEN", hide_env_values = true)]
    pub service_token: Option<SecretString>,

    /// Where the other services hand out events that Redis lost: name=http://host:port, separated by commas
    #[arg(long, env = "PRODUCERS", value_delimiter = ',', value_parser = parse_producer, default_values = [
        "auth-service=http://127.0.0.1:8000",
        "post-service=http://127.0.0.1:8001",
        "interaction-service=http://127.0.0.1:8002",
        "moderation-service=http://127.0.0.1:8003",
        "engagement-service=http://127.0.0.1:8004",
    ])]
    pub producers: Vec<Producer>,

    /// Proxies whose X-Forwarded-For is believed, as networks separated by commas: 10.0.0.0/8
    #[arg(long, env = "TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<IpNet>,

    /// Rates other than the built-in ones, name=count/seconds+burst, separated by commas; or off, for load tests
    #[arg(long, env = "RATE_LIMITS", value_delimiter = ',')]
    pub rate_limits: Vec<RateLimitSetting>,

    /// Origins whose pages may call this service from a browser, scheme://host:port, separated by commas
    #[arg(long, env = "CORS_ORIGINS", value_delimiter = ',', value_parser = parse_origin)]
    pub cors_origins: Vec<HeaderValue>,

    /// Development accepts default secrets, production refuses to start on one
    #[arg(long, env = "ENVIRONMENT", value_enum, default_value_t = Environment::Development)]
    pub environment: Environment,

    /// Where traces are sent by OTLP: <http://collector:4318>; empty: nowhere. The SDK's `OTEL_TRACES_SAMPLER`,
    /// `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_EXPORTER_OTLP_HEADERS` and `OTEL_BSP_*` hold beside it
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", default_value = "")]
    pub otel_exporter_otlp_endpoint: String,

    /// What the service is called in traces, when not by its name
    #[arg(long, env = "OTEL_SERVICE_NAME")]
    pub otel_service_name: Option<String>,

    /// How log lines look
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value_t = LogFormat::Pretty)]
    pub log_format: LogFormat,

    /// What is logged, as tracing filter directives
    #[arg(long, env = "LOG", default_value = "info")]
    pub log: String,

    /// Start nothing: ask the service that runs here whether it is well, and end with 0 if so, with 1 if not
    #[arg(long, value_enum, value_name = "QUESTION")]
    pub check: Option<HealthCheck>,
}

fn parse_origin(text: &str) -> Result<HeaderValue, String> {
    let url: reqwest::Url = text.parse().map_err(|cause| format!("{text} is no URL: {cause}"))?;
    if url.origin().ascii_serialization() != text || text.contains('*') {
        return Err(format!("{text} is no origin: scheme, host and port, nothing else"));
    }
    text.parse().map_err(|_| format!("{text} is no header value"))
}

fn parse_producer(text: &str) -> Result<Producer, String> {
    let (name, url) = text.split_once('=').ok_or("expected name=http://host:port")?;
    let url: reqwest::Url = url.parse().map_err(|cause| format!("{url} is no URL: {cause}"))?;
    Ok(Producer { name: name.to_owned(), url: url.as_str().trim_end_matches('/').to_owned() })
}

fn check_postgres_url(text: &str) -> Result<SecretString, String> {
    text.parse::<PgConnectOptions>().map(|_| text.into()).map_err(|cause| cause.to_string())
}

/// Refuses what is no address of Redis.
pub fn check_redis_url(text: &str) -> Result<SecretString, String> {
    text.parse::<RedisAddress>().map(|_| text.into()).map_err(|cause| cause.to_string())
}

/// What the arguments, the environment and the files of secrets say. Ends the process with a message when an argument is
/// wrong, as clap does.
pub fn read(command: Command) -> anyhow::Result<ArgMatches> {
    #[expect(clippy::disallowed_methods, reason = "the names are those of settings, with _FILE behind them")]
    let secrets = secrets(&command, std::env::var_os)?;
    let mut arguments = std::env::args_os();
    let program = arguments.next();
    let arguments = program.into_iter().chain(secrets.into_iter().map(OsString::from)).chain(arguments);
    let command =
        command.after_help("A secret can also be the content of a file: DATABASE_URL_FILE=/run/secrets/database");
    Ok(command.get_matches_from(arguments))
}

/// The arguments for secrets that are given as files: `NAME_FILE` names the file of a secret that `NAME` would hold.
fn secrets(command: &Command, variable: impl Fn(String) -> Option<OsString>) -> anyhow::Result<Vec<String>> {
    let mut arguments = Vec::new();
    // What --help does not show the value of is a secret.
    for secret in command.get_arguments().filter(|argument| argument.is_hide_env_values_set()) {
        let (Some(name), Some(long)) = (secret.get_env().and_then(|name| name.to_str()), secret.get_long()) else {
            continue;
        };
        if let Some(file) = variable(format!("{name}_FILE")) {
            anyhow::ensure!(variable(name.to_owned()).is_none(), "{name} and {name}_FILE are both set");
            let text = std::fs::read_to_string(file).with_context(|| format!("{name}_FILE"))?;
            arguments.push(format!("--{long}={}", text.trim_end_matches(['\r', '\n'])));
        }
    }
    Ok(arguments)
}

impl Base {
    /// Refuses settings that are not fit for their environment.
    pub fn check(&self) -> anyhow::Result<()> {
        let token = self.service_token.as_ref().map(ExposeSecret::expose_secret);
        token.map_or(Ok(()), |token| self.environment.check_secret("SERVICE_TOKEN", token))
    }

    /// How to connect to Postgres.
    pub fn database(&self) -> Result<PgConnectOptions, sqlx::Error> {
        self.database_url.expose_secret().parse()
    }

    /// How to connect to it past a pooler, where there is one.
    pub fn database_directly(&self) -> Result<PgConnectOptions, sqlx::Error> {
        self.database_direct_url.as_ref().unwrap_or(&self.database_url).expose_secret().parse()
    }

    /// Where Redis is.
    pub fn redis(&self) -> redis::RedisResult<RedisAddress> {
        self.redis_url.expose_secret().parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_can_be_the_content_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "s3cret=x\n").unwrap();
        let command = Base::augment_args(Command::new("test"));
        let named = |name: String| (name == "SERVICE_TOKEN_FILE").then(|| file.clone().into_os_string());
        assert_eq!(secrets(&command, named).unwrap(), ["--service-token=s3cret=x"]);
        let both = |name: String| name.starts_with("SERVICE_TOKEN").then(|| file.clone().into_os_string());
        let error = secrets(&command, both).unwrap_err();
        assert_eq!(error.to_string(), "SERVICE_TOKEN and SERVICE_TOKEN_FILE are both set");
        let missing = |name: String| (name == "REDIS_URL_FILE").then(|| folder.path().join("none").into_os_string());
        assert_eq!(secrets(&command, missing).unwrap_err().to_string(), "REDIS_URL_FILE");
    }

    #[test]
    fn production_needs_secrets_that_cannot_be_guessed() {
        let good = [
            "2Wc0mVwMyr0Y5uHn8Gf0vQk1Zb3uXoXcJ4sT7aYpLeA=",
            "9f86d081884c7d659a2feaa0c55ad015",
            "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
        ];
        for secret in good {
            assert!(Environment::Production.check_secret("SECRET_KEY", secret).is_ok(), "{secret}");
        }
        for (bad, fault) in [
            ("", "has fewer than 32 bytes"),
            ("x", "has fewer than 32 bytes"),
            ("development", "has fewer than 32 bytes"),
            ("2Wc0mVwMyr0Y5uHn8Gf0vQk1Zb3uXoX", "has fewer than 32 bytes"),
            ("please-Change-me-please-Change-me", "holds a word of development"),
            (&"x".repeat(64), "repeats itself"),
            (&"0123456789abcdef".repeat(2), "repeats itself"),
            ("abcdefghijklmnopqrstuvwxyz0123456789", "repeats itself"),
            ("0101101011010110101101010110110101", "repeats itself"),
        ] {
            let refused = Environment::Production.check_secret("SECRET_KEY", bad).unwrap_err().to_string();
            assert_eq!(refused, format!("SECRET_KEY {fault}; make one for production with: openssl rand -base64 32"));
            assert!(Environment::Development.check_secret("SECRET_KEY", bad).is_ok());
        }
    }

    /// What stands in the compose files is public.
    #[test]
    fn production_refuses_the_secrets_of_the_compose_files() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        for file in ["docker-compose.yaml", "../docker-compose-local.yaml"] {
            let text = std::fs::read_to_string(folder.join(file)).unwrap();
            let value = |line: &str| Some(line.split_once("${")?.1.split_once(":-")?.1.split_once('}')?.0.to_owned());
            let is_secret = |line: &&str| ["SERVICE_TOKEN:", "SECRET_KEY:"].iter().any(|name| line.contains(name));
            let defaults: Vec<_> = text.lines().filter(is_secret).filter_map(value).collect();
            assert!(!defaults.is_empty(), "{file}");
            for default in defaults {
                assert!(Environment::Production.check_secret("SERVICE_TOKEN", &default).is_err(), "{file}: {default}");
            }
        }
    }

    #[test]
    fn an_origin_is_exact() {
        assert_eq!(parse_origin("https://app.example:8443").unwrap(), "https://app.example:8443");
        for wrong in ["*", "app.example", "https://app.example/", "https://app.example/x", "https://*.example"] {
            assert!(parse_origin(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_rate_is_read_as_it_is_written() {
        assert_eq!("5/60".parse(), Ok(Rate::new(5, 60)));
        assert_eq!("posts=30/60+90".parse(), Ok(RateLimitSetting::Rate("posts".into(), Rate::new(30, 60).burst(90))));
        assert_eq!("off".parse(), Ok(RateLimitSetting::Off));
        for wrong in ["", "posts", "posts=", "posts=0/60", "posts=1", "posts=1/0", "posts=1/60+", "posts=-1/60"] {
            assert!(wrong.parse::<RateLimitSetting>().is_err(), "{wrong}");
        }
    }
}
