//! `cargo stack`: runs the platform on one machine, tests it, fills it, checks it.

mod bench;
mod chaos;
mod check;
mod claims;
mod cli;
mod client;
mod console;
mod demo;
mod doctor;
mod environment;
mod folder;
mod fuzz;
mod gateway;
mod kept;
mod ledger;
mod order;
mod ports;
mod postgres;
mod prepare;
mod process;
mod programs;
mod promtool;
mod ready;
mod redis;
mod replicas;
mod reset;
mod roles;
mod seed;
mod servers;
mod stage;
mod start;
mod stop;
mod system;
mod test;
mod top;
mod up;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::cli::{Cli, Command};

// One thread is plenty: the launcher waits most of the time.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            console::complain(&error);
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<ExitCode> {
    match cli.command {
        Command::Up(options) => up::up(options).await,
        Command::Doctor(options) => doctor::doctor(options).await,
        Command::Test { arguments } => test::test(arguments).await,
        Command::Demo(target) => demo::demo(target).await,
        Command::Prepare { check } => prepare::prepare(check).await,
        Command::Check => check::check().await,
        Command::Reset { place } => reset::reset(&up::place(place.data_dir)).await,
        Command::Seed(options) => seed::seed(options).await,
        Command::Top(options) => top::top(options).await,
        Command::Chaos(options) => chaos::chaos(options).await,
        Command::Bench(which) => bench::bench(which).await,
        Command::Fuzz(options) => fuzz::fuzz(options).await,
    }
}
