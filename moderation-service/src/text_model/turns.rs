//! Whose turn it is at the processor: what decides about a text goes before what explains a decision.
//!
//! A model is wrapped twice. Through [`Turns::first`] texts are read as ever, and are counted meanwhile. Through [`Turns::after`] they
//! are read a few at a time, and each few wait until nothing is read through the first; but no longer than [`PATIENCE`], so that a
//! platform that always reads something explains as well, if slowly.
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Calibration, HEADS, Scores, TextModel};

/// Texts that are read between two looks at whose turn it is: about ten milliseconds, for which a reading has one core less.
const PIECE: usize = 4;
/// How long a piece waits for readings that never end.
const PATIENCE: Duration = Duration::from_millis(500);

/// Who reads with a model.
#[derive(Clone, Debug, Default)]
pub struct Turns(Arc<Readers>);

/// How many are reading, and where the end of the last of them is waited for.
#[derive(Debug, Default)]
struct Readers {
    count: Mutex<usize>,
    none: Condvar,
}

impl Readers {
    fn count(&self) -> MutexGuard<'_, usize> {
        // A reader that panicked while it counted has changed nothing else.
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turns {
    /// The model for readings that something waits for.
    pub fn first(&self, model: Arc<dyn TextModel>) -> Arc<dyn TextModel> {
        Arc::new(First { model, reading: self.0.clone() })
    }

    /// The model for readings that have time.
    pub fn after(&self, model: Arc<dyn TextModel>) -> Arc<dyn TextModel> {
        Arc::new(After { model, reading: self.0.clone() })
    }
}

struct First {
    model: Arc<dyn TextModel>,
    reading: Arc<Readers>,
}

/// Counts a reading until it is dropped, also by a panic of the model.
struct ReadingGuard<'a>(&'a Readers);

impl Drop for ReadingGuard<'_> {
    fn drop(&mut self) {
        let mut count = self.0.count();
        *count -= 1;
        if *count == 0 {
            self.0.none.notify_all();
        }
    }
}

impl TextModel for First {
    fn version(&self) -> &str {
        self.model.version()
    }

    fn calibrations(&self) -> &[Calibration; HEADS] {
        self.model.calibrations()
    }

    fn read(&self, texts: &[&str]) -> anyhow::Result<Vec<Scores>> {
        *self.reading.count() += 1;
        let _guard = ReadingGuard(&self.reading);
        self.model.read(texts)
    }
}

struct After {
    model: Arc<dyn TextModel>,
    reading: Arc<Readers>,
}

impl TextModel for After {
    fn version(&self) -> &str {
        self.model.version()
    }

    fn calibrations(&self) -> &[Calibration; HEADS] {
        self.model.calibrations()
    }

    fn read(&self, texts: &[&str]) -> anyhow::Result<Vec<Scores>> {
        let mut scores = Vec::with_capacity(texts.len());
        for piece in texts.chunks(PIECE) {
            let waited = self.reading.none.wait_timeout_while(self.reading.count(), PATIENCE, |count| *count > 0);
            drop(waited);
            scores.extend(self.model.read(piece)?);
        }
        Ok(scores)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::super::Class;
    use super::*;

    /// Notes what it reads; reads "long" until the test lets it.
    struct Noting {
        go: Mutex<mpsc::Receiver<()>>,
        begun: mpsc::Sender<String>,
    }

    impl TextModel for Noting {
        fn version(&self) -> &'static str {
            "noting"
        }

        fn calibrations(&self) -> &[Calibration; HEADS] {
            &[Calibration { slope: 1.0, bias: 0.0, label: 0.5, hide: None }; HEADS]
        }

        fn read(&self, texts: &[&str]) -> anyhow::Result<Vec<Scores>> {
            self.begun.send(texts.join(" "))?;
            if texts.contains(&"long") {
                self.go.lock().unwrap().recv()?;
            }
            anyhow::ensure!(!texts.contains(&"bad"), "a bad text");
            let scores = Scores {
                scores: [0.5; HEADS],
                labels: [false; HEADS],
                hides: [false; HEADS],
                class: Class::Neither,
                is_partial: false,
            };
            Ok(vec![scores; texts.len()])
        }
    }

    /// What has time is read in pieces, none while a reading goes on that something waits for, and after a failed one as after any.
    #[test]
    fn what_has_time_waits_for_readings() {
        let ((go, wait), (begun, noted)) = (mpsc::channel(), mpsc::channel());
        let model: Arc<dyn TextModel> = Arc::new(Noting { go: Mutex::new(wait), begun });
        let turns = Turns::default();
        let (first, after) = (turns.first(model.clone()), turns.after(model));
        assert_eq!((first.version(), after.calibrations()), ("noting", first.calibrations()));
        let reader = thread::spawn(move || first.read(&["long"]).and_then(|_| first.read(&["bad"])));
        assert_eq!(noted.recv().unwrap(), "long");
        let explainer = thread::spawn(move || after.read(&["a", "b", "c", "d", "e", "f"]));
        // Nothing comes before the reading ends; half of the patience is no time in which it would.
        assert!(noted.recv_timeout(PATIENCE / 2).is_err());
        go.send(()).unwrap();
        assert!(reader.join().unwrap().is_err());
        assert_eq!(explainer.join().unwrap().unwrap().len(), 6);
        let mut read: Vec<String> = noted.iter().collect();
        read.sort_unstable();
        assert_eq!(read, ["a b c d", "bad", "e f"]);
    }

    /// Readings that never end hold up no explanation for good.
    #[test]
    fn patience_ends() {
        let ((go, wait), (begun, noted)) = (mpsc::channel(), mpsc::channel());
        let model: Arc<dyn TextModel> = Arc::new(Noting { go: Mutex::new(wait), begun });
        let turns = Turns::default();
        let (first, after) = (turns.first(model.clone()), turns.after(model));
        let reader = thread::spawn(move || first.read(&["long"]));
        assert_eq!(noted.recv().unwrap(), "long");
        assert_eq!(after.read(&["a"]).unwrap().len(), 1);
        assert_eq!(noted.recv().unwrap(), "a", "the long one is still read");
        go.send(()).unwrap();
        assert_eq!(reader.join().unwrap().unwrap().len(), 1);
    }
}
