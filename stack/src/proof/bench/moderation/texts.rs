//! Texts that the text model reads, per second and core: `moderation-service analyse` on a file of them, with no server beside it.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tokio::process::Command;

use crate::host::console;
use crate::proof::bench::options::Moderation;
use crate::proof::bench::platform::MeasuredPlatform;
use crate::proof::bench::report::{Measurement, row};
use crate::system::MODERATION;

/// Words of which texts are made; each is one token of the model's vocabulary.
const WORDS: [&str; 16] = [
    "we", "walked", "along", "the", "sea", "and", "talked", "about", "books", "until", "it", "was", "late", "in",
    "the", "day",
];
/// Clock ticks per second in `/proc`, which is a constant of the kernel's interface.
const TICKS: f64 = 100.0;

/// Reads the texts, of 16, 32 and 128 tokens each.
pub async fn measure(options: &Moderation, platform: &MeasuredPlatform<'_>) -> Result<Measurement> {
    let mut rows = vec![row(["tokens of a text", "texts", "texts/s", "texts/s and core", "CPU time of a text"])];
    for tokens in [16, 32, 128] {
        console::info(format_args!("Reading {} texts of {tokens} tokens", options.texts));
        let (took, worked) = read(options, platform, tokens).await?;
        let texts = f64::from(options.texts);
        let (rate, of_core) = (texts / took.as_secs_f64(), texts / worked.as_secs_f64());
        rows.push(row([
            &tokens.to_string(),
            &options.texts.to_string(),
            &format!("{rate:.0}"),
            &format!("{of_core:.0}"),
            &format!("{:.2} ms", 1000.0 * worked.as_secs_f64() / texts),
        ]));
    }
    let description = "Lines of one text each on standard input of `moderation-service analyse --jsonl`, and a line of scores for each on \
        its output, the start of the program and the loading of the model in it. CPU time is that of the process, over all its \
        threads."
        .to_owned();
    Ok(Measurement { title: "Texts".to_owned(), description, rows })
}

/// Lets the service read texts; how long it took, and how long processors worked for it.
async fn read(options: &Moderation, platform: &MeasuredPlatform<'_>, tokens: usize) -> Result<(Duration, Duration)> {
    let path = platform.base.folder().path().join("texts.jsonl");
    // Different in their first word, as no two texts are the same.
    let text = |number: u32| {
        let words = WORDS.iter().cycle().take(tokens - 3).copied().collect::<Vec<_>>().join(" ");
        json!({ "text": format!("{number} {words}") }).to_string()
    };
    fs::write(&path, (0..options.texts).map(|number| text(number % 1_000) + "\n").collect::<String>())?;
    let mut command = Command::new(platform.base.binary(&MODERATION)?);
    command.args(["analyse", "--jsonl"]);
    if let Some(model) = &options.model {
        command.arg("--model").arg(model);
    }
    let (before, began) = (children_worked()?, Instant::now());
    let output = command.stdin(fs::File::open(&path)?).stderr(Stdio::inherit()).output().await;
    let output = output.context("the moderation service cannot be run")?;
    let took = began.elapsed();
    ensure!(output.status.success(), "texts cannot be read; --model names the file of the text model");
    let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
    ensure!(lines == options.texts as usize, "{lines} of {} texts were answered", options.texts);
    Ok((took, children_worked()?.saturating_sub(before)))
}

/// How long processors have worked for processes that this one has started, and that have ended.
fn children_worked() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").context("there is no /proc, as Linux has it")?;
    worked(&stat).with_context(|| format!("{stat:?} is no state of a process"))
}

fn worked(stat: &str) -> Option<Duration> {
    // The name of the program may hold anything; what follows its parenthesis begins with the third field.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(13);
    let (user, system): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(Duration::from_secs_f64((user + system) / TICKS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_work_of_children_is_in_the_16th_and_17th_field() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194304 1 2 3 4 10 20 250 50 20 0 1 0 1 1 1";
        assert_eq!(worked(stat), Some(Duration::from_secs(3)));
        assert_eq!(worked("7 (a) S 1"), None);
        assert!(children_worked().is_ok());
    }
}
