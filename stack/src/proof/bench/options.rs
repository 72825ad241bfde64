//! The arguments of `cargo stack bench`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, value_parser};

#[derive(Debug, Subcommand)]
pub enum Bench {
    /// How fast events take effect, how fast backlogs drain, what the outbox costs
    Events(Events),
    /// How close checks of tokens, writes and reads come to their upper limits
    Http(Http),
    /// How close home feeds come to their upper limit, and how soon a post is in all of them
    Feed(Feed),
    /// What open streams of notifications take of the memory of a service
    Streams(Streams),
    /// How many texts a core reads, how soon one is answered, and how long moderators wait for a long queue
    Moderation(Moderation),
    /// How soon posts are found among very many, and what the index adds to a write
    Search(Search),
    /// How many of the posts that people like are recommended to them, which people are, and what that costs
    Recommend(Recommend),
    /// How soon another service has the connections of very many people, and what that takes of memory
    GraphView(GraphView),
    /// What pages of the web client weigh, how soon they are there, and what its process takes of memory
    Web(Web),
}

/// The arguments of all benchmarks.
#[derive(Debug, Args)]
pub struct Run {
    /// Build nothing: run the optimised binaries of an earlier build
    #[arg(long)]
    pub prebuilt: bool,
    /// Write the figures into docs/benchmarks.md
    #[arg(long)]
    pub write: bool,
}

/// How requests are sent, and how often.
#[derive(Debug, Args)]
pub struct Turns {
    /// Connections over which requests come
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = value_parser!(u32).range(1..=1000))]
    pub connections: u32,
    /// How often each measurement is taken, in turns with that of its upper limit
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = value_parser!(u32).range(1..=100))]
    pub rounds: u32,
    /// How long each takes
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = value_parser!(u32).range(1..=600))]
    pub seconds: u32,
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
    /// How often a write is compared with the same write without its outbox row
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = value_parser!(u32).range(1..=1000))]
    pub rounds: u32,
    /// Events of the old day that leaves the outbox
    #[arg(long, value_name = "N", default_value_t = 2_000_000, value_parser = value_parser!(i64).range(1000..=100_000_000))]
    pub day: i64,
}

/// What is measured over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HttpBenchmark {
    Tokens,
    Reads,
    Writes,
}

#[derive(Debug, Args)]
pub struct Http {
    #[command(flatten)]
    pub run: Run,
    #[command(flatten)]
    pub turns: Turns,
    /// Measure these alone, separated by commas
    #[arg(long, value_name = "WHAT", value_delimiter = ',', value_enum, hide_default_value = true,
        default_values_t = HttpBenchmark::value_variants().to_vec())]
    pub only: Vec<HttpBenchmark>,
    /// Posts, where there are many
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = value_parser!(i64).range(1000..=100_000_000))]
    pub posts: i64,
}

/// What is measured about feeds, in this order: the readers of big authors follow the author of the fan-out, who must not have more
/// followers than posts are copied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FeedBenchmark {
    Home,
    Connections,
    Posts,
    FanOut,
    Changes,
    Memory,
    Empty,
    Mix,
    Big,
}

/// How people are connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Graph {
    /// A few are known to most
    PowerLaw,
    /// 962 people with 18,812 friendships, as many and as unequal as in the graph socfb-Reed98
    Facebook,
}

#[derive(Debug, Args)]
pub struct Feed {
    #[command(flatten)]
    pub run: Run,
    #[command(flatten)]
    pub turns: Turns,
    /// Measure these alone, separated by commas
    #[arg(long, value_name = "WHAT", value_delimiter = ',', value_enum, hide_default_value = true,
        default_values_t = FeedBenchmark::value_variants().to_vec())]
    pub only: Vec<FeedBenchmark>,
    /// How people are connected; of facebook, home, changes and mix are measured
    #[arg(long, value_enum, default_value_t = Graph::PowerLaw)]
    pub graph: Graph,
    /// People, except in the graph facebook
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = value_parser!(u32).range(200..=10_000))]
    pub people: u32,
    /// Posts, where there are many
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = value_parser!(i64).range(1000..=100_000_000))]
    pub posts: i64,
}

#[derive(Debug, Args)]
pub struct Streams {
    #[command(flatten)]
    pub run: Run,
    /// Streams that are open at once, five of each person
    #[arg(long = "streams", value_name = "N", default_value_t = 10_000, value_parser = value_parser!(u32).range(1..=15_000))]
    pub count: u32,
    /// How long they stay open before the memory is read again
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = value_parser!(u32).range(1..=3600))]
    pub seconds: u32,
}

#[derive(Debug, Args)]
pub struct Search {
    #[command(flatten)]
    pub run: Run,
    /// Posts that are searched
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = value_parser!(i64).range(1000..=100_000_000))]
    pub posts: i64,
    /// How often a write is compared with the same write without its document
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = value_parser!(u32).range(1..=1000))]
    pub rounds: u32,
}

/// What is measured about moderation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ModerationBenchmark {
    Texts,
    Latency,
    Hiding,
    Queue,
}

#[derive(Debug, Args)]
pub struct Moderation {
    #[command(flatten)]
    pub run: Run,
    /// Measure these alone, separated by commas
    #[arg(long, value_name = "WHAT", value_delimiter = ',', value_enum, hide_default_value = true,
        default_values_t = ModerationBenchmark::value_variants().to_vec())]
    pub only: Vec<ModerationBenchmark>,
    /// Texts that are read
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = value_parser!(u32).range(100..=10_000_000))]
    pub texts: u32,
    /// The file of the text model, in place of the one that the service finds by itself
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Texts per second while the latency is measured, and then twice as many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = value_parser!(u32).range(1..=10_000))]
    pub rate: u32,
    /// Connections over which they come
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = value_parser!(u32).range(1..=1000))]
    pub connections: u32,
    /// How long it is measured
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = value_parser!(u32).range(1..=3600))]
    pub seconds: u32,
    /// Insulting posts of which it is measured how soon they are hidden
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = value_parser!(u32).range(1..=100_000))]
    pub posts: u32,
    /// Of them per second
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = value_parser!(u32).range(1..=1000))]
    pub posts_rate: u32,
    /// Cases in the queue, where there are many
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = value_parser!(i64).range(1000..=10_000_000))]
    pub cases: i64,
}

/// What is measured about recommendations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RecommendBenchmark {
    Posts,
    People,
}

#[derive(Debug, Args)]
pub struct Recommend {
    #[command(flatten)]
    pub run: Run,
    /// Measure these alone, separated by commas
    #[arg(long, value_name = "WHAT", value_delimiter = ',', value_enum, hide_default_value = true,
        default_values_t = RecommendBenchmark::value_variants().to_vec())]
    pub only: Vec<RecommendBenchmark>,
    /// People in the communities in which the quality is measured
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = value_parser!(u32).range(1000..=1_000_000))]
    pub people: u32,
    /// People where there are many, in the measurement of the cost
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = value_parser!(u32).range(1000..=10_000_000))]
    pub many: u32,
}

#[derive(Debug, Args)]
pub struct GraphView {
    #[command(flatten)]
    pub run: Run,
    /// Followers that are read
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = value_parser!(u32).range(1000..=10_000_000))]
    pub followers: u32,
    /// How often they are read in each way
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = value_parser!(u32).range(1..=1000))]
    pub rounds: u32,
}

/// What is measured about the web client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WebBenchmark {
    Visits,
    Pages,
    Latency,
    Memory,
}

#[derive(Debug, Args)]
pub struct Web {
    #[command(flatten)]
    pub run: Run,
    #[command(flatten)]
    pub turns: Turns,
    /// Measure these alone, separated by commas
    #[arg(long, value_name = "WHAT", value_delimiter = ',', value_enum, hide_default_value = true,
        default_values_t = WebBenchmark::value_variants().to_vec())]
    pub only: Vec<WebBenchmark>,
    /// Home pages per second while the latency is measured
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = value_parser!(u32).range(1..=10_000))]
    pub rate: u32,
    /// Streams of notifications that are open while the memory is read, five of each person
    #[arg(long = "streams", value_name = "N", default_value_t = 2_000, value_parser = value_parser!(u32).range(1..=5_000))]
    pub count: u32,
}
