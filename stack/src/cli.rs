//! What can be asked of this tool; `cargo stack help` prints it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use reqwest::Url;

use crate::{
    bench::options::Bench,
    chaos::faults::Fault,
    order::Part,
    system::{GATEWAY, SERVICES},
    top::scrape::Address,
};

/// Runs the whole platform on one machine, for development and tests.
#[derive(Debug, Parser)]
#[command(name = "cargo stack", bin_name = "cargo stack", disable_help_subcommand = false)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start Postgres, Redis and the five services, and keep them running until Ctrl-C
    Up(Up),
    /// Say what would keep `up` with the same arguments from coming up on this machine, or how a platform that runs is
    Doctor(Up),
    /// Run every test of the workspace against throw-away servers
    Test {
        /// Passed on to the test runner, e.g. a filter or `-p auth-service`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Play the functional flow against a running platform and check what it counts
    Demo(Entrance),
    /// Fill a running platform with realistic data through its public API
    Seed(Seed),
    /// Show what the services of a running platform do at this moment, on one page or listed once
    Top(Top),
    /// Break a platform of its own under load, in every way, and check that nothing was lost or counted twice
    Chaos(Chaos),
    /// Measure a platform of its own on this machine
    #[command(subcommand)]
    Bench(Bench),
    /// Try out what the `openapi.json` of each service of a running platform promise; needs schemathesis
    Fuzz(Fuzz),
    /// Write the query descriptions (`.sqlx`) with which the services compile without a database
    Prepare {
        /// Write nothing; fail when the committed ones are out of date
        #[arg(long)]
        check: bool,
    },
    /// Check format, lints, licences and the house rules
    Check,
    /// Delete the data of a platform that is not running
    Reset {
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Args)]
pub struct Up {
    #[command(flatten)]
    pub place: Place,
    /// First port: the services listen on N … N+4; 0 is anywhere
    #[arg(long, value_name = "N", default_value_t = 8000)]
    pub port_base: u16,
    /// Processes per service; replica k listens 100·k ports above the first
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=50))]
    pub replicas: u16,
    /// Keep the services' rate limits; without it there are none, because a demo and a seed come from one address
    #[arg(long)]
    pub rate_limits: bool,
    #[command(flatten)]
    pub build: Build,
    /// Use this Postgres; its user must be allowed to create roles and a database
    #[arg(long, value_name = "URL", value_parser = postgres_url)]
    pub postgres_url: Option<Url>,
    /// Use this Redis
    #[arg(long, value_name = "URL", value_parser = redis_url)]
    pub redis_url: Option<Url>,
    /// Put nginx before the services, as one origin for all of them
    #[arg(long)]
    pub gateway: bool,
    /// Port of the gateway; 0 is anywhere
    #[arg(long, value_name = "N", default_value_t = 8080, requires = "gateway")]
    pub gateway_port: u16,
    /// Tell a service, or the gateway, something of its own, as in post-service.LOG=debug; may be given several times
    #[arg(long, value_name = "SERVICE.NAME=VALUE", value_parser = setting)]
    pub set: Vec<Setting>,
    /// Start these first, in this order, separated by commas: postgres, redis, a service; any order does
    #[arg(long, value_name = "PARTS", value_delimiter = ',', value_parser = Part::named)]
    pub start_order: Vec<Part>,
}

/// An environment variable for all processes of one service, or a setting of the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    pub service: &'static str,
    pub name: String,
    pub value: String,
}

#[derive(Debug, Args)]
pub struct Place {
    /// Where data, logs, mail and secrets are kept [default: .stack in the workspace]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Target {
    /// The address of the auth service; the others are expected on the four ports after it
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8000")]
    pub base_url: Url,
}

/// A platform whose services are spoken to one by one, or through the gateway.
#[derive(Debug, Args)]
pub struct Entrance {
    #[command(flatten)]
    target: Target,
    /// The address of the gateway, which leads to all five
    #[arg(long, value_name = "URL", conflicts_with = "base_url")]
    gateway_url: Option<Url>,
}

impl Entrance {
    /// The address of the first service, and how many ports further each of the others is.
    pub fn place(&self) -> (&Url, u16) {
        self.gateway_url.as_ref().map_or((&self.target.base_url, 1), |url| (url, 0))
    }
}

#[derive(Debug, Args)]
pub struct Seed {
    #[command(flatten)]
    pub entrance: Entrance,
    /// People to sign up
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub users: u32,
    /// Posts to write
    #[arg(long, value_name = "M", default_value_t = 200)]
    pub posts: u32,
    /// The same number makes the same people, posts and reactions
    #[arg(long = "seed", value_name = "N", default_value_t = 1)]
    pub number: u64,
    /// Requests under way at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: u16,
}

#[derive(Debug, Args)]
pub struct Top {
    #[command(flatten)]
    pub target: Target,
    /// Processes per service, as `up` was told
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=50))]
    pub replicas: u16,
    /// Ask these processes and no others, as in post-service=http://10.0.0.7:8001; may be given several times
    #[arg(long, value_name = "SERVICE=URL", value_parser = process, conflicts_with_all = ["base_url", "replicas"])]
    pub address: Vec<Address>,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = seconds)]
    pub interval: f64,
    /// List it once, after one interval, and end; so it is where there is no terminal
    #[arg(long)]
    pub once: bool,
}

#[derive(Debug, Args)]
pub struct Fuzz {
    #[command(flatten)]
    pub target: Target,
    /// Requests per operation that chance brings, at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub examples: u32,
    /// The same number makes the same requests
    #[arg(long = "seed", value_name = "S", default_value_t = 1)]
    pub number: u64,
    /// The fuzzer, when it is not on the PATH
    #[arg(long, value_name = "FILE")]
    pub program: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Chaos {
    /// The same number makes the same people and the same faults at the same times
    #[arg(long = "seed", value_name = "S", default_value_t = 1)]
    pub number: u64,
    /// How long people act and things break; starting, healing and checking come on top
    #[arg(long, value_name = "M", default_value_t = 2.0, value_parser = minutes)]
    pub minutes: f64,
    /// What is broken, separated by commas; all of it when not given
    #[arg(long, value_name = "FAULTS", value_delimiter = ',', value_enum, hide_default_value = true,
        default_values_t = Fault::all())]
    pub faults: Vec<Fault>,
    #[command(flatten)]
    pub build: Build,
    /// When all is well, spoil the data in every way that the checks are there for, and see that each is found
    #[arg(long)]
    pub tamper: bool,
    /// Leave the logs and data of the run even when all is well
    #[arg(long)]
    pub keep: bool,
}

/// Which binaries of the services are run.
#[derive(Debug, Args)]
pub struct Build {
    /// Build and run with optimisation
    #[arg(long)]
    pub release: bool,
    /// Build nothing: run the binaries beside this one
    #[arg(long)]
    pub prebuilt: bool,
}

fn minutes(text: &str) -> Result<f64, String> {
    let minutes: f64 = text.parse().map_err(|_| "it must be a number".to_owned())?;
    if (0.1..=24.0 * 60.0).contains(&minutes) { Ok(minutes) } else { Err("it must be 0.1 to 1440".to_owned()) }
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "it must be a number".to_owned())?;
    if (0.2..=60.0).contains(&seconds) { Ok(seconds) } else { Err("it must be 0.2 to 60".to_owned()) }
}

fn process(text: &str) -> Result<Address, String> {
    let (name, url) = text.split_once('=').ok_or("it must be like post-service=http://10.0.0.7:8001")?;
    let service = SERVICES.iter().find(|service| service.package == name);
    let service = service.ok_or_else(|| format!("there is no service {name}"))?;
    Ok(Address { service, url: address(url, &["http", "https"])? })
}

fn setting(text: &str) -> Result<Setting, String> {
    let parts = text.split_once('.').and_then(|(service, rest)| Some((service, rest.split_once('=')?)));
    let (service, (name, value)) = parts.ok_or("it must be like post-service.LOG=debug")?;
    let known = SERVICES.iter().map(|known| known.package).chain([GATEWAY]).find(|known| *known == service);
    let service = known.ok_or_else(|| format!("there is no service {service}"))?;
    Ok(Setting { service, name: name.to_owned(), value: value.to_owned() })
}

fn postgres_url(text: &str) -> Result<Url, String> {
    address(text, &["postgres", "postgresql"])
}

fn redis_url(text: &str) -> Result<Url, String> {
    address(text, &["redis", "rediss"])
}

fn address(text: &str, schemes: &[&str]) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if !schemes.contains(&url.scheme()) {
        return Err(format!("it must begin with {}://", schemes.join(":// or ")));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("it names no host".to_owned());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn up_starts_at_port_8000_with_one_process_per_service() {
        let Command::Up(up) = parse("stack up").unwrap().command else { panic!("not up") };
        assert_eq!((up.port_base, up.replicas, up.build.release, up.build.prebuilt), (8000, 1, false, false));
        assert_eq!(up.place.data_dir, None);
    }

    #[test]
    fn what_follows_test_goes_to_the_runner() {
        let Command::Test { arguments } = parse("stack test -p auth-service --no-capture sign_in").unwrap().command
        else {
            panic!("not test")
        };
        assert_eq!(arguments, ["-p", "auth-service", "--no-capture", "sign_in"]);
    }

    #[test]
    fn addresses_of_another_kind_are_refused() {
        let error = parse("stack up --postgres-url mysql://h/x").unwrap_err().to_string();
        assert!(error.contains("it must begin with postgres:// or postgresql://"), "{error}");
        assert!(parse("stack up --redis-url redis://localhost:6379").is_ok());
    }

    #[test]
    fn chaos_breaks_everything_unless_told_what() {
        let faults = |line: &str| match parse(line).unwrap().command {
            Command::Chaos(chaos) => chaos.faults,
            other => panic!("{other:?}"),
        };
        assert_eq!(faults("stack chaos"), Fault::all().collect::<Vec<_>>());
        assert_eq!(faults("stack chaos --faults flushall,kill-redis"), [Fault::Flushall, Fault::KillRedis]);
        assert!(parse("stack chaos --minutes 0").is_err());
    }

    #[test]
    fn a_setting_is_for_one_service_and_its_value_may_hold_anything() {
        let set = |text: &str| match parse(&format!("stack up --set {text}")) {
            Ok(Cli { command: Command::Up(up) }) => Ok(up.set),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.to_string()),
        };
        let expected = Setting { service: "post-service", name: "DATABASE_URL".into(), value: "a://b.c/d?e=f".into() };
        assert_eq!(set("post-service.DATABASE_URL=a://b.c/d?e=f").unwrap(), [expected]);
        assert!(set("LOG=debug").unwrap_err().contains("it must be like"));
        assert!(set("mail-service.LOG=debug").unwrap_err().contains("there is no service mail-service"));
    }

    #[test]
    fn services_are_a_port_apart_and_behind_a_gateway_none() {
        let place = |line: &str| match parse(line).unwrap().command {
            Command::Demo(entrance) => (entrance.place().0.to_string(), entrance.place().1),
            other => panic!("{other:?}"),
        };
        assert_eq!(place("stack demo"), ("http://127.0.0.1:8000/".to_owned(), 1));
        assert_eq!(place("stack demo --gateway-url http://g"), ("http://g/".to_owned(), 0));
        assert!(parse("stack demo --gateway-url http://g --base-url http://s").is_err());
    }

    #[test]
    fn a_platform_of_no_replicas_is_refused() {
        assert!(parse("stack up --replicas 0").is_err());
    }
}
