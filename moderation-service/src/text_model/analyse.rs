//! `moderation-service analyse --jsonl`: reads texts from standard input and writes what the model says to standard output.
//!
//! A line holds `{"text": …}`; the answer is one line for each, in the same order. No database and no Redis are needed. A line that
//! is no such object is answered by `{"error": …}`, and the command then ends with a failure, after all lines.
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use anyhow::Context;
use clap::Args;
use futures::StreamExt;
use futures::stream::unfold;
use serde::{Deserialize, Serialize, Serializer};
use tokio::sync::mpsc;

use super::explain::Span;
use super::queue::Queue;
use super::{Class, HEADS, Head, TextModel, shipped};
use crate::subjects::reasons::ContractReason;

/// Lines on their way at once: more than the threads read in one go, and few enough to hold in memory.
const LINES: usize = 128;

/// What is analysed with what.
#[derive(Args, Clone, Debug)]
pub struct Analyse {
    /// One JSON object per line, which is the only form so far
    #[arg(long, required = true)]
    pub jsonl: bool,

    /// The file of another text model than the shipped one
    #[arg(long, env = "MODERATION_MODEL")]
    pub model: Option<PathBuf>,

    /// Adds to each line with a label the spans that weigh most in it: about 24 times the work
    #[arg(long)]
    pub explain: bool,
}

/// A line of input; what else it holds is not read.
#[derive(Deserialize)]
struct Line {
    text: String,
}

/// A line of output.
#[derive(Serialize)]
#[serde(untagged)]
enum Output<'a> {
    Analysis {
        scores: ByHead<f32>,
        labels: ByHead<bool>,
        /// Which of the scores are so high that the text may be hidden before a person has seen it.
        hides: ByHead<bool>,
        /// Hate, offensive or neither, as a whole.
        class: Class,
        /// The reason for which the text would be hidden; none, where it would not.
        reason: Option<ContractReason>,
        #[serde(skip_serializing_if = "Option::is_none")]
        explanation: Option<LabelExplanation>,
        model_version: &'a str,
    },
    Refusal {
        error: String,
    },
}

/// Why a line has its gravest label.
#[derive(Serialize)]
struct LabelExplanation {
    head: &'static str,
    /// From which score on the label applies.
    threshold: f32,
    spans: Vec<Span>,
}

/// A value per head, under the heads' names.
struct ByHead<T>([T; HEADS]);

impl<T: Serialize> Serialize for ByHead<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(Head::ALL.iter().map(|head| (head.name(), &self.0[*head as usize])))
    }
}

/// Reads standard input to its end.
pub async fn run(analyse: &Analyse) -> anyhow::Result<()> {
    let model: Arc<dyn TextModel> = Arc::new(shipped::open(analyse.model.as_deref())?);
    let (sender, receiver) = mpsc::channel(LINES);
    thread::Builder::new().name("stdin".to_owned()).spawn(move || {
        for line in std::io::stdin().lock().split(b'\n') {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    })?;
    analyse_lines(&model, analyse.explain, receiver, std::io::stdout().lock()).await
}

async fn analyse_lines(
    model: &Arc<dyn TextModel>,
    explain: bool,
    lines: mpsc::Receiver<std::io::Result<Vec<u8>>>,
    mut to: impl Write,
) -> anyhow::Result<()> {
    let queue = &Queue::start(model, thread::available_parallelism()?.get())?;
    let lines = unfold(lines, |mut lines| async { lines.recv().await.map(|line| (line, lines)) });
    // A line of other bytes than UTF-8 is refused like one that is no JSON, and ends no others.
    let read = |line: std::io::Result<Vec<u8>>| async move {
        let input = serde_json::from_slice::<Line>(&line.context("standard input")?);
        match input {
            Ok(input) => {
                let scores = queue.read(input.text.clone()).await?;
                let explanation = match gravest(scores.labels).filter(|_| explain) {
                    Some(head) => Some(LabelExplanation {
                        head: head.name(),
                        threshold: model.calibrations()[head as usize].label,
                        spans: queue.explain(input.text, head).await?,
                    }),
                    None => None,
                };
                anyhow::Ok(Ok((scores, explanation)))
            }
            Err(error) => Ok(Err(format!("not an object with a text: {error}"))),
        }
    };
    let mut answers = std::pin::pin!(lines.map(read).buffered(LINES));
    let mut refused = 0;
    while let Some(answer) = answers.next().await {
        let output = match answer? {
            Ok((scores, explanation)) => Output::Analysis {
                scores: ByHead(scores.scores),
                labels: ByHead(scores.labels),
                hides: ByHead(scores.hides),
                class: scores.class,
                reason: gravest(scores.hides).map(reason),
                explanation,
                model_version: model.version(),
            },
            Err(error) => {
                refused += 1;
                Output::Refusal { error }
            }
        };
        writeln!(to, "{}", serde_json::to_string(&output)?)?;
        to.flush()?;
    }
    anyhow::ensure!(refused == 0, "{refused} lines were no objects with a text");
    Ok(())
}

/// The gravest of the heads that apply.
fn gravest(heads: [bool; HEADS]) -> Option<Head> {
    let order = [Head::Threat, Head::Hate, Head::Sexism, Head::Toxic, Head::Spam];
    order.into_iter().find(|head| heads[*head as usize])
}

/// The reason of a head. The contract has no word for hate that is not racist, so hate is `OFFENSIVE_CONTENT`.
fn reason(head: Head) -> ContractReason {
    match head {
        Head::Threat | Head::Spam => ContractReason::RulesViolation,
        Head::Hate | Head::Sexism | Head::Toxic => ContractReason::OffensiveContent,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::kernel::packed::InstructionSet;
    use super::super::mini_lm::MiniLm;
    use super::super::tests::tiny;
    use super::*;

    /// One line in, one line out, in order; a bad line is answered and counted, and does not end the others.
    #[tokio::test]
    async fn every_line_is_answered_in_its_place() {
        let model: Arc<dyn TextModel> = Arc::new(MiniLm::new(&tiny(), InstructionSet::best()).unwrap());
        let (sender, receiver) = mpsc::channel(400);
        let texts: Vec<String> =
            (0..300).map(|number| ["one", "two two", "three, one", ""][number % 4].repeat(number % 9)).collect();
        for (number, text) in texts.iter().enumerate() {
            let line = if number == 150 {
                "{\"txt\": 1}".to_owned()
            } else {
                serde_json::json!({ "text": text, "id": 7 }).to_string()
            };
            let line = if number == 151 { vec![b'"', 0xff, b'"'] } else { line.into_bytes() };
            sender.send(Ok(line)).await.unwrap();
        }
        drop(sender);
        let mut written = Vec::new();
        let error = analyse_lines(&model, true, receiver, &mut written).await.unwrap_err().to_string();
        assert_eq!(error, "2 lines were no objects with a text");
        let lines: Vec<Value> = written
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 300);
        for (number, (line, text)) in lines.iter().zip(&texts).enumerate() {
            if let Some(cause) =
                [(150, "missing field `text`"), (151, "invalid")].iter().find(|(bad, _)| *bad == number)
            {
                let error = line["error"].as_str().unwrap();
                assert!(error.starts_with(&format!("not an object with a text: {}", cause.1)), "{line}");
                continue;
            }
            let expected = model.read(&[text]).unwrap()[0];
            for head in Head::ALL {
                let place = head as usize;
                let score: f32 = line["scores"][head.name()].to_string().parse().unwrap();
                assert_eq!(score.to_bits(), expected.scores[place].to_bits());
                assert_eq!(line["labels"][head.name()], expected.labels[place]);
                assert_eq!(line["hides"][head.name()], expected.hides[place]);
            }
            assert_eq!(line["class"], serde_json::json!(expected.class));
            assert_eq!(line["model_version"], model.version());
            assert_eq!(line["reason"].is_string(), expected.hides.contains(&true), "{line}");
            let flagged = expected.labels.contains(&true);
            assert_eq!(line["explanation"].is_object(), flagged, "{line}");
        }
    }

    #[test]
    fn the_gravest_head_is_the_reason() {
        let of = |heads| gravest(heads).map(reason);
        assert_eq!(of([false; HEADS]), None);
        assert_eq!(of([true, true, false, true, false]), Some(ContractReason::RulesViolation));
        assert_eq!(of([false, true, false, false, true]), Some(ContractReason::OffensiveContent));
        assert_eq!(of([false, false, false, false, true]), Some(ContractReason::RulesViolation));
    }
}
