//! What can be asked of this tool; `cargo stack help` prints it.

mod values;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use reqwest::Url;

use crate::{bench::options::Bench, chaos::faults::Fault, order::Part, top::scrape::Address};
use values::{minutes, postgres_url, process, redis_url, seconds, setting};

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
