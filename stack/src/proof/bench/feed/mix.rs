//! The mixed load of a social network, as `DeathStarBench` has it: 60 % home feeds, 30 % feeds of one author, 10 % new posts.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;

use crate::host::console;
use crate::proof::bench::comparison::Spread;
use crate::proof::bench::feed::audience::{Audience, HOME};
use crate::proof::bench::latency::milliseconds;
use crate::proof::bench::load::LoadGenerator;
use crate::proof::bench::load::connection::PreparedRequest;
use crate::proof::bench::options::{Feed, Graph};
use crate::proof::bench::report::{Measurement, row};
use crate::system::{ENGAGEMENT, POST};

/// Ten requests in turn: of each kind as many as its share, and none in a row that could be mixed.
const TURNS: [Kind; 10] = {
    use Kind::{Author, Compose, Home};
    [Home, Author, Home, Home, Author, Home, Compose, Home, Author, Home]
};
/// How often the turns are prepared, so that many people and authors take part.
const REPETITIONS: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Home,
    Author,
    Compose,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Kind::Home => "60 % GET /me/feed",
            Kind::Author => "30 % GET /users/{user_id}/feed",
            Kind::Compose => "10 % POST /posts",
        }
    }
}

/// Measures how much of it there can be, and the latencies at half of that.
pub async fn measure(options: &Feed, audience: &Audience<'_>) -> Result<Measurement> {
    let turns = &options.turns;
    console::info(format_args!("The mix of a social network: {} rounds", turns.rounds));
    let (load, time) = (load(audience).await?, Duration::from_secs(turns.seconds.into()));
    load.closed(time).await?;
    let mut rates = Vec::new();
    for _ in 0..turns.rounds {
        audience.settle().await?;
        rates.push(load.closed(time).await?.rate());
    }
    audience.settle().await?;
    let maximum = Spread::of(rates).context("there was no round")?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate is a small positive number")]
    let half = ((maximum.median / 2.0) as u32).max(1);
    let outcome = load.open(half, time * 2 * turns.rounds).await?;
    audience.settle().await?;
    let mut rows = vec![row(["what", "requests", "p50", "p95", "p99", "longest"])];
    for (kind, latencies) in outcome.by_kind.iter().chain([(&"all", &outcome.latencies)]) {
        let [p50, p95, p99, longest] = [0.5, 0.95, 0.99, 1.0].map(|q| milliseconds(latencies.quantile(q)));
        rows.push(row([kind, &latencies.count().to_string(), &p50, &p95, &p99, &longest]));
    }
    let shape = match options.graph {
        Graph::PowerLaw => "a power law",
        Graph::Facebook => "as many and as unequal as in socfb-Reed98, drawn at random",
    };
    let description = format!(
        "{}: {shape}. Over {} connections to each service at most {maximum} requests/s are answered (the median, the middle half and the \
         extremes); below, half as many arrive at times fixed beforehand. Posts have all of their effects meanwhile, in the \
         feeds of their authors' followers as well.",
        audience.described(),
        turns.connections,
    );
    Ok(Measurement { title: "The mix of a social network".to_owned(), description, rows })
}

async fn load(audience: &Audience<'_>) -> Result<LoadGenerator> {
    let (engagement, post) = (audience.platform.address(&ENGAGEMENT)?, audience.platform.address(&POST)?);
    let body =
        json!({ "title": "A walk", "content": "By the sea, and back.", "types": ["TRAVEL"], "status": "POSTED" });
    let (readers, mut requests) = (audience.usual(), Vec::new());
    let mut tokens = Vec::new();
    for reader in &readers {
        tokens.push(reader.token().await?);
    }
    for turn in 0..REPETITIONS {
        for (place, kind) in TURNS.into_iter().enumerate() {
            let number = turn * TURNS.len() + place;
            // Each reader comes to each kind: the two numbers have no common divisor.
            let token = &tokens[(turn * 7 + place) % tokens.len()];
            let request = match kind {
                Kind::Home => PreparedRequest::get(engagement, HOME, token)?,
                Kind::Author => {
                    let author = audience.ids[number * 7919 % audience.ids.len()];
                    PreparedRequest::get(engagement, &format!("/api/v1/users/{author}/feed"), token)?
                }
                Kind::Compose => PreparedRequest::post(post, "/api/v1/posts", token, &body)?,
            };
            requests.push(request.of(kind.name()));
        }
    }
    Ok(LoadGenerator { requests: requests.into(), connections: audience.connections })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_are_those_of_the_names() {
        for kind in [Kind::Home, Kind::Author, Kind::Compose] {
            let share = TURNS.iter().filter(|turn| **turn == kind).count() * 10;
            assert!(kind.name().starts_with(&format!("{share} % ")), "{share} of {}", kind.name());
        }
    }
}
