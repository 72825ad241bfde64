//! What can be asked of `cargo stack bench`.

use clap::{Args, Subcommand, value_parser};

#[derive(Debug, Subcommand)]
pub enum Bench {
    /// How fast events take effect, how fast backlogs drain, what the outbox costs
    Events(Events),
    /// How fast people are suggested, found and listed among 100,000
    Graph(Graph),
}

/// What all benches share.
#[derive(Debug, Args)]
pub struct Run {
    /// Build nothing: run the optimised binaries of an earlier build
    #[arg(long)]
    pub prebuilt: bool,
    /// Write the figures into docs/benchmarks.md
    #[arg(long)]
    pub write: bool,
}

#[derive(Debug, Args)]
pub struct Events {
    #[command(flatten)]
    pub run: Run,
    /// Events per second while the latency is measured
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = value_parser!(u32).range(1..=10_000))]
    pub rate: u32,
    /// How long it is measured
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = value_parser!(u32).range(1..=3600))]
    pub seconds: u32,
    /// Events of each backlog
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = value_parser!(i64).range(1000..=10_000_000))]
    pub backlog: i64,
    /// How often a write is compared with itself without its outbox row
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = value_parser!(u32).range(1..=1000))]
    pub rounds: u32,
}

#[derive(Debug, Args)]
pub struct Graph {
    #[command(flatten)]
    pub run: Run,
    /// People
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = value_parser!(i64).range(1000..=1_000_000))]
    pub people: i64,
    /// Connections of each
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = value_parser!(i64).range(10..=400))]
    pub connections: i64,
    /// The same number makes the same people and connections
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u32,
    /// Requests of each kind
    #[arg(long, value_name = "N", default_value_t = 300, value_parser = value_parser!(u32).range(100..=100_000))]
    pub requests: u32,
    /// Requests per second
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = value_parser!(u32).range(1..=1000))]
    pub rate: u32,
}
