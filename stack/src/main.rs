//! `cargo stack`: runs the platform on one machine, tests it, fills it, checks it.
//!
//! ```text
//! cli         which command is meant
//! proof       chaos, bench: break or measure a platform of their own
//! launcher    up, roll, doctor, reset, test, prepare, check
//! traffic     demo, seed, pictures, fuzz, top: use the API of a running platform
//! platform    the five services and the gateway: settings, ports, order, readiness
//! servers     processes and what they keep: the data folder, Postgres, Redis
//! host        this machine: terminal, programs, ports, signals, the workspace and cargo
//! ```
//!
//! A file uses files of its own floor and of those below, and no two files use each other. Beside the floors stand two pages
//! that everything may use: `system`, which lists what runs, and `client`, the platform's API as a program uses it.

mod cli;
mod client;
mod host;
mod launcher;
mod platform;
mod proof;
mod servers;
mod system;
mod traffic;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;
use crate::host::console;

// One thread is plenty: the launcher waits most of the time.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match Cli::parse().run().await {
        Ok(code) => code,
        Err(error) => {
            console::error(&error);
            ExitCode::FAILURE
        }
    }
}
