//! What a test has counted, apart from what others count.
use metrics::LocalRecorderGuard;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// Counts what this thread counts, which is all of a test, from now on and for as long as this lives.
pub struct Counted {
    handle: PrometheusHandle,
    _guard: LocalRecorderGuard<'static>,
}

impl Counted {
    /// Counts from nothing.
    pub fn begin() -> Self {
        // A guard needs a recorder that outlives it, and a test is over soon.
        let recorder = Box::leak(Box::new(PrometheusBuilder::new().build_recorder()));
        Self { handle: recorder.handle(), _guard: metrics::set_default_local_recorder(recorder) }
    }

    /// What `/metrics` would answer.
    pub fn text(&self) -> String {
        self.handle.render()
    }

    /// Fails when a line is not in what `/metrics` would answer.
    #[track_caller]
    pub fn assert(&self, line: &str) {
        let text = self.text();
        assert!(text.lines().any(|shown| shown == line), "{line} is not in\n{text}");
    }
}
