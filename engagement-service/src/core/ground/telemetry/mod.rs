//! What the service says about itself: log lines, numbers (`meters`), and the trace that a request and all that follows
//! from it share (`trace`, `spans`), handed on as a W3C `traceparent` through the outbox, the stream and the consumers, and
//! exported to a collector where there is one (`export`).
pub mod export;
pub mod meters;
mod process;
pub mod spans;
pub mod trace;

use tracing::Dispatch;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub use export::stop;
pub use trace::Trace;

use crate::core::ground::settings::{Base, LogFormat};

/// Starts logging to standard output, and the export of traces where the settings name a collector; once per process.
pub fn start(service: &'static str, base: &Base) -> anyhow::Result<()> {
    log_writer(base, std::io::stdout)?.try_init()?;
    export::start(service, base)
}

/// What writes the log lines. Each has the fields of the work that it is about, its trace among them.
fn log_writer<W>(base: &Base, out: W) -> anyhow::Result<Dispatch>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let registry = tracing_subscriber::registry().with(EnvFilter::try_new(&base.log)?);
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(out);
    Ok(match base.log_format {
        LogFormat::Pretty => registry.with(lines).into(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).into(),
    })
}

#[cfg(test)]
pub mod tests {
    use std::io::{Seek, Write};

    use clap::{Args, Command, FromArgMatches};
    use serde_json::Value;

    use super::*;

    /// The lines that are written about a piece of work under the settings.
    pub fn written(settings: &[&str], work: impl FnOnce()) -> Vec<String> {
        let usual = ["test", "--port", "0", "--database-url", "postgres://localhost/x"];
        let command = Base::augment_args(Command::new("test"));
        let arguments = command.try_get_matches_from(usual.iter().chain(settings)).unwrap();
        let base = Base::from_arg_matches(&arguments).unwrap();
        let mut file = tempfile::tempfile().unwrap();
        let writer = std::sync::Mutex::new(file.try_clone().unwrap());
        tracing::dispatcher::with_default(&log_writer(&base, writer).unwrap(), work);
        file.flush().unwrap();
        file.rewind().unwrap();
        std::io::read_to_string(file).unwrap().lines().map(str::to_owned).collect()
    }

    fn fail_within_a_request() {
        let span = tracing::error_span!("request", route = "/posts", trace = "4bf92f35");
        span.in_scope(|| tracing::error_span!("inner").in_scope(|| tracing::warn!(cause = "none", "it failed")));
    }

    #[test]
    fn a_line_about_a_request_has_its_trace_whatever_is_logged() {
        let json = written(&["--log-format", "json", "--log", "warn"], fail_within_a_request);
        let line: Value = serde_json::from_str(&json[0]).unwrap();
        assert_eq!((&line["message"], &line["spans"][0]["trace"]), (&"it failed".into(), &"4bf92f35".into()));
        let pretty = written(&["--log", "warn"], fail_within_a_request);
        assert!(pretty[0].contains("trace=\"4bf92f35\"") && pretty[0].contains("it failed"), "{pretty:?}");
    }

    #[test]
    fn requests_have_a_line_of_their_own_when_asked_for() {
        let access = || tracing::debug!(target: "access", status = 200);
        assert_eq!(written(&[], access), Vec::<String>::new());
        assert_eq!(written(&["--log", "info,access=debug"], access).len(), 1);
    }
}
