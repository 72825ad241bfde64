//! `cargo stack top --once`: what is asked of a platform between two looks is in the listing, by service, route and stream.

use std::process::Stdio;

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use tokio::process::Command;

use crate::platform::{PASSWORD, Platform, errors, stack};

/// The cells of the row that begins with a name.
fn row<'a>(listing: &'a str, name: &str) -> Vec<&'a str> {
    let rows = listing.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.into_iter().find(|cells| cells.first() == Some(&name)).unwrap_or_else(|| panic!("no {name} in\n{listing}"))
}

#[tokio::test]
async fn what_happens_between_two_looks_is_listed_and_a_process_that_is_away_is_counted() -> Result<()> {
    let mut platform = Platform::up(&["--replicas", "2"]);
    let ada = platform.api().join("ada@example.org", PASSWORD, ("Ada", "Lovelace"), &["BOOKS"]).await?;
    let first = ada.write_post("Looked at", "How often?", &["BOOKS"], "POSTED").await?;
    let base = platform.url(0, 0);
    let look = || {
        let mut top = Command::new(env!("CARGO_BIN_EXE_stack"));
        top.args(["top", "--once", "--replicas", "2", "--interval", "2", "--base-url", &base]);
        top.stdin(Stdio::null()).output()
    };

    let looking = look();
    tokio::pin!(looking);
    // As many as there is time for.
    let output = loop {
        tokio::select! {
            output = &mut looking => break output?,
            done = ada.view(&first.id) => drop(done.context("a view")?),
        }
    };
    assert!(output.status.success(), "{}", errors(&output));
    let listing = String::from_utf8(output.stdout)?;
    let [_, up, rate, p50, p99, failed, refused, ..] = row(&listing, "interaction")[..] else { panic!("{listing}") };
    assert_eq!((up, failed, refused), ("2/2", "0.0%", "0.0%"), "{listing}");
    assert!(rate.parse::<f64>()? > 1.0 && p50.ends_with('s') && p99.ends_with('s'), "{listing}");
    let route = listing.lines().find(|line| line.ends_with("GET     /api/v1/{post_id}/view"));
    assert!(route.is_some_and(|line| line.contains(" interaction ")), "{listing}");
    let told: f64 = row(&listing, "post_viewed")[1].parse()?;
    assert!(told > 0.0, "{listing}");
    for service in ["auth", "post", "moderation", "engagement"] {
        assert_eq!(row(&listing, service)[1], "2/2", "{listing}");
    }
    assert!(!listing.contains("/metrics") && !listing.contains("/health"), "{listing}");

    platform.signal_to("post-service-2", Signal::SIGSTOP);
    let output = look().await?;
    platform.signal_to("post-service-2", Signal::SIGCONT);
    assert_eq!(row(&String::from_utf8(output.stdout)?, "post")[1], "1/2");
    platform.stop();
    Ok(())
}

#[test]
fn where_nobody_answers_it_says_so() {
    let address = "post-service=http://127.0.0.1:9";
    let run = stack(&["top", "--once", "--address", address]);
    assert_eq!(run.status.code(), Some(1));
    assert!(
        errors(&run).starts_with("error: none of the services answers; is the platform running"),
        "{}",
        errors(&run)
    );
}
