//! Texts on their way to the model: a bounded queue that threads of its own empty in batches, so that no async thread computes.
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, anyhow};
use tokio::sync::{mpsc, oneshot};

use super::explain::{Span, explain};
use super::{Head, Scores, TextModel};

/// Texts that wait at most; further callers wait for a place.
const WAITING: usize = 256;
/// Texts that a thread takes at once: enough that a weight serves several, few enough that none waits long for the others.
const BATCH: usize = 16;

/// Where an answer goes; when there is none, the cause as text.
type Caller<T> = oneshot::Sender<Result<T, String>>;

/// A text and what is asked about it.
enum Waiting {
    Read(String, Caller<Scores>),
    Explain(String, Head, Caller<Vec<Span>>),
}

/// The way to the model. Its threads end when the last copy of it is dropped.
#[derive(Clone, Debug)]
pub struct Queue(mpsc::Sender<Waiting>);

impl Queue {
    /// Starts this many threads that read with a model.
    pub fn start(model: &Arc<dyn TextModel>, threads: usize) -> anyhow::Result<Self> {
        let (sender, receiver) = mpsc::channel(WAITING);
        let receiver = Arc::new(Mutex::new(receiver));
        for number in 0..threads.max(1) {
            let (model, receiver) = (model.clone(), receiver.clone());
            let thread = thread::Builder::new().name(format!("text-model-{number}"));
            thread.spawn(move || while read_batch(&*model, &receiver) {}).context("a thread of the text model")?;
        }
        Ok(Self(sender))
    }

    /// What the model says about a text. A caller that no longer waits costs nothing if its turn has not come.
    pub async fn read(&self, text: String) -> anyhow::Result<Scores> {
        let (sender, receiver) = oneshot::channel();
        self.0.send(Waiting::Read(text, sender)).await.context("the text model has stopped")?;
        receiver.await.context("the text model has failed")?.map_err(|cause| anyhow!(cause))
    }

    /// The words that weigh most in a score of a head.
    pub async fn explain(&self, text: String, head: Head) -> anyhow::Result<Vec<Span>> {
        let (sender, receiver) = oneshot::channel();
        self.0.send(Waiting::Explain(text, head, sender)).await.context("the text model has stopped")?;
        receiver.await.context("the text model has failed")?.map_err(|cause| anyhow!(cause))
    }
}

/// Waits for texts, and reads what is there; says whether there can be more.
fn read_batch(model: &dyn TextModel, receiver: &Mutex<mpsc::Receiver<Waiting>>) -> bool {
    let (mut batch, mut asked) = (Vec::new(), None);
    {
        // A thread that panicked while it waited has taken nothing.
        let mut receiver = receiver.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = receiver.blocking_recv();
        if next.is_none() {
            return false;
        }
        // An explanation is as much work as a batch, so it ends one.
        while let Some(waiting) = next {
            match waiting {
                Waiting::Read(text, caller) => batch.push((text, caller)),
                Waiting::Explain(text, head, caller) => {
                    asked = Some((text, head, caller));
                    break;
                }
            }
            next = if batch.len() < BATCH { receiver.try_recv().ok() } else { None };
        }
    }
    batch.retain(|(_, caller)| !caller.is_closed());
    // An explanation that waited alone has no batch before it.
    if !batch.is_empty() {
        let texts: Vec<&str> = batch.iter().map(|(text, _)| text.as_str()).collect();
        let read = model.read(&texts).map_err(|error| format!("{error:#}"));
        for (at, (_, caller)) in batch.into_iter().enumerate() {
            let scores = read.as_ref().map(|scores| scores[at]).map_err(Clone::clone);
            // The error is that the caller has gone.
            drop(caller.send(scores));
        }
    }
    if let Some((text, head, caller)) = asked.filter(|(.., caller)| !caller.is_closed()) {
        drop(caller.send(explain(model, &text, head).map_err(|error| format!("{error:#}"))));
    }
    true
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc as blocking;

    use futures::future::join_all;

    use super::super::Calibration;
    use super::super::{Class, HEADS};
    use super::*;

    /// Answers a text with its length, once the test lets it.
    struct Measuring(Mutex<blocking::Receiver<()>>, Mutex<Vec<usize>>);

    impl TextModel for Measuring {
        fn version(&self) -> &'static str {
            "measuring"
        }

        fn calibrations(&self) -> &[Calibration; HEADS] {
            &[Calibration { slope: 1.0, bias: 0.0, label: 0.5, hide: None }; HEADS]
        }

        fn read(&self, texts: &[&str]) -> anyhow::Result<Vec<Scores>> {
            self.0.lock().unwrap().recv()?;
            self.1.lock().unwrap().push(texts.len());
            anyhow::ensure!(!texts.contains(&"bad"), "a bad text");
            let scores = |text: &&str| Scores {
                scores: [f32::from(u8::try_from(text.len()).unwrap()); HEADS],
                labels: [false; HEADS],
                hides: [false; HEADS],
                class: Class::Neither,
                is_partial: false,
            };
            Ok(texts.iter().map(scores).collect())
        }
    }

    /// Texts that wait together are read together, each caller gets the scores of its own text, and a failure reaches the callers.
    #[tokio::test]
    async fn waiting_texts_are_read_in_bounded_batches() {
        let (go, wait) = blocking::channel();
        let measuring = Arc::new(Measuring(Mutex::new(wait), Mutex::default()));
        let model: Arc<dyn TextModel> = measuring.clone();
        let queue = Queue::start(&model, 1).unwrap();
        let texts: Vec<String> = (0..40).map(|length| "x".repeat(length)).collect();
        for _ in 0..45 {
            go.send(()).unwrap();
        }
        let read = join_all(texts.iter().map(|text| queue.read(text.clone()))).await;
        let lengths: Vec<f32> = read.into_iter().map(|scores| scores.unwrap().scores[0]).collect();
        assert_eq!(lengths, (0..40u8).map(f32::from).collect::<Vec<_>>());
        let batches = measuring.1.lock().unwrap().clone();
        assert!(
            batches.iter().all(|count| (1..=BATCH).contains(count)) && batches.iter().sum::<usize>() == 40,
            "{batches:?}"
        );
        let error = queue.read("bad".to_owned()).await.unwrap_err().to_string();
        assert_eq!(error, "a bad text");
    }

    /// An explanation is read between batches, by the same threads.
    #[tokio::test]
    async fn explanations_wait_in_the_same_queue() {
        let (go, wait) = blocking::channel();
        let model: Arc<dyn TextModel> = Arc::new(Measuring(Mutex::new(wait), Mutex::default()));
        let queue = Queue::start(&model, 1).unwrap();
        for _ in 0..5 {
            go.send(()).unwrap();
        }
        // A sixth reading fails instead of waiting.
        drop(go);
        let (spans, scores, error) = futures::join!(
            queue.explain("some words".to_owned(), Head::Hate),
            queue.read("x".to_owned()),
            queue.explain("bad".to_owned(), Head::Hate)
        );
        assert_eq!(spans.unwrap(), [], "a length is no probability");
        assert!((scores.unwrap().scores[0] - 1.0).abs() < f32::EPSILON);
        assert_eq!(error.unwrap_err().to_string(), "a bad text");
    }
}
