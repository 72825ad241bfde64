//! Waiting for the services: each is asked for `/health/ready` until it answers 200.

use std::{path::PathBuf, time::Duration};

use anyhow::{Result, bail};
use futures::future::join_all;
use reqwest::{Client, StatusCode};
use tokio::time::{Instant, interval, timeout};

use crate::client;
use crate::host::console;
use crate::servers::processes::Running;

/// What readiness may take: migrations on a slow disk included.
const PATIENCE: Duration = Duration::from_mins(2);
/// How long one question may take.
const ANSWER: Duration = Duration::from_secs(2);
/// How long the same question may take where it is answered by looking for a server that is not there.
const OUTAGE: Duration = Duration::from_secs(10);

/// One process of a service, as it is listed.
#[derive(Debug, Clone)]
pub struct Instance {
    pub name: String,
    pub url: String,
    pub log: PathBuf,
    pub started: Instant,
}

/// Waits until all are ready, telling of each how long it took. Fails when a process ends meanwhile.
pub async fn wait(running: &mut Running, instances: &[Instance]) -> Result<()> {
    let http = client::http(ANSWER)?;
    let spinner = console::spinner("Waiting for the services");
    // Who is still waited for, with what it said last.
    let mut waiting: Vec<(&Instance, String)> =
        instances.iter().map(|instance| (instance, "it does not answer".to_owned())).collect();
    let all_ready = async {
        let mut look = interval(Duration::from_millis(20));
        let mut turn = 0;
        while !waiting.is_empty() {
            turn %= waiting.len();
            if turn == 0 {
                look.tick().await;
            }
            let (instance, said) = &mut waiting[turn];
            match ask(&http, instance).await {
                Ok(()) => {
                    let took = console::seconds(instance.started.elapsed());
                    spinner.suspend(|| console::tell(format_args!("{} is ready after {took}", instance.name)));
                    waiting.remove(turn);
                    let names: Vec<_> = waiting.iter().map(|(instance, _)| instance.name.as_str()).collect();
                    spinner.set_message(format!("Waiting for {}", names.join(", ")));
                }
                Err(answer) => {
                    *said = answer.unwrap_or(std::mem::take(said));
                    turn += 1;
                }
            }
        }
    };
    let in_time = tokio::select! {
        error = running.first_end() => Err(error),
        outcome = timeout(PATIENCE, all_ready) => Ok(outcome.is_ok()),
    };
    spinner.finish_and_clear();
    if in_time? {
        return Ok(());
    }
    let late: Vec<_> = waiting
        .iter()
        .map(|(instance, said)| format!("{} ({said}; its log is {})", instance.name, instance.log.display()))
        .collect();
    bail!("not ready after {} s: {}", PATIENCE.as_secs(), late.join(", "));
}

/// Waits until all have begun to answer, and tells which are not ready and why: they were started before what they miss.
pub async fn live(running: &mut Running, instances: &[Instance]) -> Result<()> {
    let http = client::http(OUTAGE)?;
    for instance in instances {
        let answers = async || http.get(format!("{}/health/live", instance.url)).send().await.is_ok();
        running.until(&instance.name, PATIENCE, answers).await?;
    }
    let answers = instances.iter().map(|instance| ask(&http, instance));
    for (instance, answer) in instances.iter().zip(join_all(answers).await) {
        if let Err(said) = answer {
            let said = said.unwrap_or_else(|| "it does not say whether it is ready".to_owned());
            console::tell(format_args!("{} runs and is not ready: {said}", instance.name));
        }
    }
    Ok(())
}

/// Ready, or what it said instead (nothing, when it does not answer at all).
async fn ask(http: &Client, instance: &Instance) -> Result<(), Option<String>> {
    let answer = http.get(format!("{}/health/ready", instance.url)).send().await.map_err(|_| None)?;
    let status = answer.status();
    if status == StatusCode::OK {
        return Ok(());
    }
    Err(Some(format!("it answers {status} {}", answer.text().await.unwrap_or_default())))
}
