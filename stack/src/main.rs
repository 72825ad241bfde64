//! `cargo stack`: runs the platform on one machine, tests it, fills it, checks it.

mod check;
mod cli;
mod console;
mod environment;
mod folder;
mod kept;
mod ledger;
mod ports;
mod postgres;
mod prepare;
mod process;
mod programs;
mod ready;
mod redis;
mod reset;
mod roles;
mod servers;
mod stop;
mod system;
mod test;
mod up;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::cli::{Cli, Command};

// One thread is plenty: the launcher waits most of the time.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // The one TLS implementation of the platform (reqwest asks which). Nobody was installed before; were it otherwise,
    // that one would do.
    rustls::crypto::ring::default_provider().install_default().unwrap_or_default();
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
        Command::Test { arguments } => test::test(arguments).await,
        Command::Prepare { check } => prepare::prepare(check).await,
        Command::Check => check::check().await,
        Command::Reset { place } => reset::reset(&up::place(place.data_dir)).await,
        _ => anyhow::bail!("not there yet"),
    }
}
