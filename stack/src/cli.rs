//! The commands, which `cargo stack help` lists. Each command defines its own arguments.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::servers::folder::DataFolder;
use crate::traffic::target::Entrance;

use crate::launcher::prepare::{self, Prepare};
use crate::launcher::roll::{self, Roll};
use crate::launcher::test::{self, Test};
use crate::launcher::up::{self, Up};
use crate::launcher::{check, doctor, reset};
use crate::proof::bench;
use crate::proof::bench::options::Bench;
use crate::proof::chaos::{self, Chaos};
use crate::traffic::demo;
use crate::traffic::fuzz::{self, Fuzz};
use crate::traffic::screenshots::{self, Pictures};
use crate::traffic::seed::{self, Seed};
use crate::traffic::top::{self, Top};

/// Runs the whole platform on one machine, for development and tests.
#[derive(Debug, Parser)]
#[command(name = "cargo stack", bin_name = "cargo stack", disable_help_subcommand = false)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start Postgres, Redis and the five services, and keep them running until Ctrl-C
    Up(Up),
    /// Check what would keep `up` with the same arguments from starting, or which processes of a running platform are not ready
    Doctor(Up),
    /// Build the services, or take those of a folder, and replace the processes of a running platform one at a time, while requests go on
    Roll(Roll),
    /// Run every test of the workspace against temporary servers
    Test(Test),
    /// Play the functional flow against a running platform and check what it counts
    Demo(Entrance),
    /// Fill a running platform with realistic data through its public API
    Seed(Seed),
    /// Draw every page of the web client of a running platform, in three widths and two schemes
    Pictures(Pictures),
    /// List what the services of a running platform do: requests, durations, errors, lag; every second, or once
    Top(Top),
    /// Inject faults into a platform of its own under load, and check that nothing was lost or counted twice
    Chaos(Chaos),
    /// Measure a platform of its own on this machine
    #[command(subcommand)]
    Bench(Bench),
    /// Test every service of a running platform against its `openapi.json`; needs schemathesis
    Fuzz(Fuzz),
    /// Write the query descriptions (`.sqlx`) with which the services compile without a database
    Prepare(Prepare),
    /// Check format, lints, licences, advisories and the laws of CONTRIBUTING.md; with their tools, also alerts, dashboards, the chart
    /// and new migrations
    Check,
    /// Delete the data of a platform that is not running
    Reset(DataFolder),
}

impl Cli {
    /// Runs the command that was given.
    pub async fn run(self) -> Result<ExitCode> {
        match self.command {
            Command::Up(options) => up::up(options).await,
            Command::Doctor(options) => doctor::doctor(options).await,
            Command::Roll(options) => roll::roll(options).await,
            Command::Test(options) => test::test(options).await,
            Command::Demo(options) => demo::demo(options).await,
            Command::Seed(options) => seed::seed(options).await,
            Command::Pictures(options) => screenshots::pictures(options).await,
            Command::Top(options) => top::top(options).await,
            Command::Chaos(options) => chaos::chaos(options).await,
            Command::Bench(which) => bench::bench(which).await,
            Command::Fuzz(options) => fuzz::fuzz(options).await,
            Command::Prepare(options) => prepare::prepare(options).await,
            Command::Check => check::check().await,
            Command::Reset(options) => reset::reset(options).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::CommandFactory;

    use super::*;
    use crate::proof::chaos::faults::Fault;
    use crate::servers::redis::RedisKind;

    fn parse(line: &str) -> Result<Command, clap::Error> {
        Cli::try_parse_from(line.split_whitespace()).map(|cli| cli.command)
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn up_starts_at_port_8000_with_one_process_per_service() {
        let Command::Up(up) = parse("stack up").unwrap() else { panic!("not up") };
        assert_eq!((up.port_base, up.replicas, up.build.release, up.build.prebuilt), (8000, 1, false, false));
        assert_eq!(up.data.data_dir, None);
    }

    #[test]
    fn roll_is_for_all_services_or_for_some_that_there_are() {
        let Command::Roll(all) = parse("stack roll").unwrap() else { panic!("not roll") };
        assert_eq!((all.services, all.from), (Vec::<String>::new(), None));
        let line = "stack roll --from before post-service auth-service";
        let Command::Roll(some) = parse(line).unwrap() else { panic!("not roll") };
        assert_eq!(some.services, ["post-service", "auth-service"]);
        assert_eq!(some.from.as_deref(), Some(Path::new("before")));
        assert!(parse("stack roll mail-service").unwrap_err().to_string().contains("it must be one of auth-service, "));
    }

    #[test]
    fn what_follows_test_goes_to_the_runner() {
        let Command::Test(test) = parse("stack test -p auth-service --no-capture sign_in").unwrap() else {
            panic!("not test")
        };
        assert_eq!(test.arguments, ["-p", "auth-service", "--no-capture", "sign_in"]);
    }

    #[test]
    fn addresses_of_another_kind_are_refused() {
        let error = parse("stack up --postgres-url mysql://h/x").unwrap_err().to_string();
        assert!(error.contains("it must begin with postgres:// or postgresql://"), "{error}");
        assert!(parse("stack up --redis-url redis://localhost:6379").is_ok());
    }

    #[test]
    fn chaos_breaks_everything_unless_told_what() {
        let faults = |line: &str| match parse(line).unwrap() {
            Command::Chaos(chaos) => chaos.chosen().map_err(|error| error.to_string()),
            other => panic!("{other:?}"),
        };
        let all = |redis| Ok(Fault::all(redis).collect::<Vec<_>>());
        assert_eq!(faults("stack chaos"), all(RedisKind::Single));
        assert_eq!(faults("stack chaos --redis cluster"), all(RedisKind::Cluster));
        let some = Ok(vec![Fault::Flushall, Fault::KillRedis]);
        assert_eq!(faults("stack chaos --faults flushall,kill-redis"), some);
        let error = |text: &str| Err(text.to_owned());
        assert_eq!(faults("stack chaos --faults reshard"), error("reshard needs --redis cluster"));
        let line = "stack chaos --redis cluster --faults flushall,old-redis";
        assert_eq!(faults(line), error("old-redis needs --redis single"));
        assert!(parse("stack chaos --minutes 0").is_err());
    }

    #[test]
    fn redis_is_one_server_or_a_cluster_or_elsewhere() {
        let Command::Up(up) = parse("stack up --redis cluster").unwrap() else { panic!("not up") };
        assert_eq!(up.redis, RedisKind::Cluster);
        let line = "stack up --redis-url redis://a:1,b:2?cluster";
        let Command::Up(up) = parse(line).unwrap() else { panic!("not up") };
        assert_eq!((up.redis, up.redis_url.is_some_and(|url| url.is_cluster())), (RedisKind::Single, true));
        assert!(parse("stack up --redis cluster --redis-url redis://a").is_err());
    }

    #[test]
    fn a_setting_is_for_one_service_and_its_value_may_hold_anything() {
        let set = |text: &str| match parse(&format!("stack up --set {text}")) {
            Ok(Command::Up(up)) => Ok(up.set),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.to_string()),
        };
        let all = set("post-service.DATABASE_URL=a://b.c/d?e=f").unwrap();
        assert_eq!((all[0].service, all[0].name.as_str()), ("post-service", "DATABASE_URL"));
        assert_eq!(all[0].value, "a://b.c/d?e=f");
        assert!(set("LOG=debug").unwrap_err().contains("it must be like"));
        assert!(set("mail-service.LOG=debug").unwrap_err().contains("there is no service mail-service"));
    }

    #[test]
    fn services_are_a_port_apart_and_behind_a_gateway_none() {
        let place = |line: &str| match parse(line).unwrap() {
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
