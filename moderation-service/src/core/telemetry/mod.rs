//! What the service says about itself: log lines, metrics, and the trace that a request and all that follows from it
//! share, handed on as a W3C `traceparent` through the outbox, the stream and the consumers.
pub mod meters;
mod process;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use uuid::Uuid;

use super::settings::{Base, LogFormat};

tokio::task_local! {
    static TRACE: Trace;
}

/// Starts logging to standard output, once per process.
pub fn start_logging(base: &Base) -> anyhow::Result<()> {
    let registry = tracing_subscriber::registry().with(EnvFilter::try_new(&base.log)?);
    match base.log_format {
        LogFormat::Pretty => registry.with(tracing_subscriber::fmt::layer().with_ansi(false)).try_init()?,
        LogFormat::Json => registry.with(tracing_subscriber::fmt::layer().json().flatten_event(true)).try_init()?,
    }
    Ok(())
}

/// The trace that the work at hand belongs to, and its place in it (W3C Trace Context).
#[derive(Clone, Debug)]
pub struct Trace {
    id: String,
    span: String,
}

impl Trace {
    /// Goes on with the trace of a `traceparent` when it is one, or begins a new one.
    pub fn follow(traceparent: Option<&str>) -> Self {
        let id = traceparent.and_then(|text| {
            let mut parts = text.split('-');
            let (version, id, span) = (parts.next()?, parts.next()?, parts.next()?);
            let hex = |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_hexdigit());
            (version == "00" && hex(id, 32) && hex(span, 16)).then(|| id.to_ascii_lowercase())
        });
        let fresh = Uuid::now_v7().simple().to_string();
        // The second half of a UUID v7 is random; its first half is the time.
        let span = fresh[16..].to_owned();
        Self { id: id.unwrap_or(fresh), span }
    }

    /// The trace's id, 32 hexadecimal digits.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Runs a piece of work as part of this trace.
    pub async fn scope<F: Future>(self, work: F) -> F::Output {
        TRACE.scope(self, work).await
    }
}

/// The `traceparent` of the work at hand, when it is part of a trace.
pub fn traceparent() -> Option<String> {
    TRACE.try_with(|trace| format!("00-{}-{}-01", trace.id, trace.span)).ok()
}

/// The id of the trace at hand, which is the `X-Request-ID` of the answer.
pub fn trace_id() -> Option<String> {
    TRACE.try_with(|trace| trace.id.clone()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_trace_is_followed_and_what_is_none_begins_a_new_one() {
        let given = "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01";
        let followed = Trace::follow(Some(given)).scope(async { traceparent().unwrap() }).await;
        assert!(followed.starts_with("00-0af7651916cd43dd8448eb211c80319c-"), "{followed}");
        assert_ne!(followed, given, "the place in the trace is a new one");
        for nonsense in
            [None, Some(""), Some("00-xyz-1-01"), Some("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
        {
            let trace = Trace::follow(nonsense);
            assert_eq!((trace.id.len(), trace.span.len()), (32, 16));
            assert_ne!(trace.id, "0af7651916cd43dd8448eb211c80319c");
        }
        assert_eq!(traceparent(), None);
    }
}
