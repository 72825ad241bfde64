//! The trace that the work at hand belongs to, and its place in it (W3C Trace Context).
//!
//! There is one source of it, OpenTelemetry's context, which follows the work through its awaits. With a collector the
//! context holds a span that is exported when it ends; without one it holds ids alone, and nothing is built or kept. The
//! code that reads the `traceparent`, or begins work of its own, sees no difference.
use opentelemetry::trace::{
    FutureExt, Link, Span, SpanBuilder, SpanContext, SpanId, Status, TraceContextExt, TraceFlags, TraceId, TraceState,
    Tracer,
};
use opentelemetry::{Context, KeyValue};
use rand::RngExt;
use uuid::Uuid;

use crate::core::ground::telemetry::export;

/// A piece of work, and its place in a trace. It is over when [`Trace::end`] says so, or when it is given up.
#[derive(Clone)]
pub struct Trace(Context);

impl Trace {
    /// Work that goes on with the trace of a `traceparent` when it is one, or begins a new one. The span is built
    /// only where a collector takes it.
    pub fn begin(traceparent: Option<&str>, span: impl FnOnce() -> SpanBuilder) -> Self {
        let parent = traceparent.and_then(parse);
        if let Some(tracer) = export::tracer() {
            let context = parent.map_or_else(Context::new, |parent| Context::new().with_remote_span_context(parent));
            return Self(context.with_span(tracer.build_with_context(span(), &context)));
        }
        // All of an id is random: a sampler takes its last half for a number between 0 and 1.
        let mut random = rand::rng();
        let (id, flags) = match parent {
            Some(parent) => (parent.trace_id(), parent.trace_flags()),
            None => (TraceId::from(random.random::<u128>()), TraceFlags::SAMPLED),
        };
        let place = SpanContext::new(id, SpanId::from(random.random::<u64>()), flags, false, TraceState::NONE);
        Self(Context::new().with_remote_span_context(place))
    }

    /// A part of the work at hand, where that is part of a trace.
    pub fn within(span: impl FnOnce() -> SpanBuilder) -> Self {
        let context = Context::current();
        match export::tracer() {
            Some(tracer) if context.has_active_span() => {
                Self(context.with_span(tracer.build_with_context(span(), &context)))
            }
            _ => Self(context),
        }
    }

    /// Records work that has finished and was done for another trace, too, with a link to this one.
    pub fn link_to(&self, traceparent: Option<&str>, span: impl FnOnce() -> SpanBuilder) {
        let link = || vec![Link::with_context(self.0.span().span_context().clone())];
        record_finished(traceparent, || span().with_links(link()));
    }

    /// The trace's id; it prints as 32 hexadecimal digits.
    pub fn id(&self) -> TraceId {
        self.0.span().span_context().trace_id()
    }

    /// What hands this trace on, where there is one.
    pub fn traceparent(&self) -> Option<String> {
        let span = self.0.span();
        let place = span.span_context();
        let flags = place.trace_flags() & TraceFlags::SAMPLED;
        place.is_valid().then(|| format!("00-{}-{}-{flags:02x}", place.trace_id(), place.span_id()))
    }

    /// Does a piece of the work as part of this trace.
    pub async fn scope<F: Future>(&self, work: F) -> F::Output {
        work.with_context(self.0.clone()).await
    }

    /// Says how the work ended: what is known now, and what went wrong, if anything did.
    pub fn end(&self, attributes: impl IntoIterator<Item = KeyValue>, failure: Option<String>) {
        let span = self.0.span();
        span.set_attributes(attributes);
        if let Some(failure) = failure {
            span.set_status(Status::error(failure));
        }
        span.end();
    }
}

/// Records work that has finished and was done for the trace of a `traceparent`, if it is one.
pub fn record_finished(traceparent: Option<&str>, span: impl FnOnce() -> SpanBuilder) {
    if let Some((tracer, parent)) = export::tracer().zip(traceparent.and_then(parse)) {
        let parent = Context::new().with_remote_span_context(parent);
        tracer.build_with_context(span(), &parent).end();
    }
}

/// The id of the trace that a `traceparent` names.
pub fn id_of(traceparent: &str) -> Option<TraceId> {
    parse(traceparent).map(|place| place.trace_id())
}

/// The id of the trace at hand, which is the `X-Request-ID` of the answer.
pub fn trace_id() -> Option<String> {
    Context::map_current(|context| {
        let span = context.span();
        span.span_context().is_valid().then(|| span.span_context().trace_id().to_string())
    })
}

/// Records who calls, in the log lines and in the trace of the request at hand: the id, and nothing else of the person.
pub fn record_caller(id: Uuid, role: &str) {
    tracing::Span::current().record("user", tracing::field::display(id)).record("role", role);
    if export::tracer().is_some() {
        Context::map_current(|context| context.span().set_attribute(KeyValue::new("user.id", id.to_string())));
    }
}

/// The place in a trace that a `traceparent` names.
fn parse(traceparent: &str) -> Option<SpanContext> {
    let mut parts = traceparent.split('-');
    let (version, id, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_hexdigit());
    if version != "00" || !(hex(id, 32) && hex(span, 16) && hex(flags, 2)) {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
    let (id, span) = (TraceId::from_hex(id).ok()?, SpanId::from_hex(span).ok()?);
    Some(SpanContext::new(id, span, flags, true, TraceState::NONE)).filter(SpanContext::is_valid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traceparent(parent: Option<&str>) -> String {
        Trace::begin(parent, || SpanBuilder::from_name("a test")).traceparent().unwrap()
    }

    #[test]
    fn a_traceparent_is_continued_and_an_invalid_one_begins_a_new_trace() {
        let given = "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01";
        let followed = traceparent(Some(given));
        assert!(
            followed.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && followed.ends_with("-01"),
            "{followed}"
        );
        assert!(!followed.contains("b7ad6b7169203331"), "the place in the trace is a new one: {followed}");
        for nonsense in [
            None,
            Some(""),
            Some("00-xyz-1-01"),
            Some("00-1-1-01"),
            Some("00-00000000000000000000000000000000-b7ad6b7169203331-01"),
            Some("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ] {
            let begun = traceparent(nonsense);
            assert_eq!((begun.len(), begun.ends_with("-01")), (55, true), "{begun}");
            assert!(!begun.contains("0af7651916cd43dd8448eb211c80319c"), "{begun}");
        }
    }

    #[test]
    fn a_trace_that_its_caller_does_not_sample_stays_unsampled() {
        let followed = traceparent(Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"));
        assert!(followed.ends_with("-00"), "{followed}");
    }

    #[tokio::test]
    async fn a_trace_is_current_within_its_scope_only() {
        assert_eq!(trace_id(), None);
        assert_eq!(Trace::within(|| SpanBuilder::from_name("a part")).traceparent(), None);
        let trace = Trace::begin(None, || SpanBuilder::from_name("a test"));
        let (id, part) = trace
            .scope(async {
                tokio::task::yield_now().await;
                (trace_id(), Trace::within(|| SpanBuilder::from_name("a part")).id())
            })
            .await;
        assert_eq!((id.as_deref(), part), (Some(trace.id().to_string().as_str()), trace.id()));
        assert_eq!(trace_id(), None);
    }

    /// A sampler compares the last 63 bits of an id with its ratio; ids of another make once had two of them fixed.
    #[test]
    fn every_bit_of_an_id_is_random() {
        let (mut ones, mut zeros) = (0, 0);
        for _ in 0..200 {
            let id = u128::from_be_bytes(Trace::begin(None, || SpanBuilder::from_name("a test")).id().to_bytes());
            (ones, zeros) = (ones | id, zeros | !id);
        }
        assert_eq!((ones, zeros), (u128::MAX, u128::MAX));
    }
}
