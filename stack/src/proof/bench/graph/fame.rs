//! What it costs to be famous: many who connect to one person at once, whose row all of them change, and the end of an
//! account that everybody is connected to.

use std::sync::Arc;

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::Value;
use tokio::{task::JoinSet, time::Instant};

use crate::client::{Person, To};
use crate::host::console;
use crate::proof::bench::section::{Part, row};
use crate::proof::bench::times::Times;

/// How many connect at once.
const AT_ONCE: usize = 8;
/// How often each of them ends the connection and makes it again.
const TURNS: usize = 50;

/// Lets people connect to one person, and then lets that person leave.
pub async fn measure(people: &[Person], famous: &Person) -> Result<Part> {
    console::tell(format_args!("{AT_ONCE} people who connect to one at once"));
    let path: Arc<str> = format!("/users/{}/connect/toggle", famous.id).into();
    let (began, mut tasks) = (Instant::now(), JoinSet::new());
    for person in people.iter().take(AT_ONCE).cloned() {
        let path = path.clone();
        tasks.spawn(async move {
            let mut took = Vec::new();
            for _ in 0..2 * TURNS {
                let began = Instant::now();
                let _: Value = person.api.ask(Method::POST, To::Auth, &path, None).await?;
                took.push(began.elapsed());
            }
            Ok::<_, anyhow::Error>(took)
        });
    }
    let mut times = Times::new()?;
    while let Some(took) = tasks.join_next().await {
        for took in took.context("a connect broke down")?? {
            times.note(took)?;
        }
    }
    let per_second = f64::from(u32::try_from(times.count())?) / began.elapsed().as_secs_f64();
    console::tell("The end of the account that everybody is connected to");
    let began = Instant::now();
    let path = format!("/users/{}", famous.id);
    let _: Value = famous.api.ask(Method::DELETE, To::Auth, &path, None).await?;
    let mut left = Times::new()?;
    left.note(began.elapsed())?;
    let rows = vec![
        row(["what", "requests", "median", "p95", "p99", "longest"]),
        times.row("connect or disconnect"),
        left.row("delete the account"),
    ];
    let says = format!(
        "{AT_ONCE} people end and make their connection to the same person again and again, each as soon as the last request is \
         answered: {per_second:.0} requests/s, one at a time in the database, since all of them change that person's count. Then that \
         person leaves, and everybody loses a connection."
    );
    Ok(Part { title: "Fame".to_owned(), says, rows })
}
