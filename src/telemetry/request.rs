//! Requests to a collector.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use super::spans::text;
use crate::diagnostic::with_causes;
use crate::workspace::Collector;

/// The name under which hob reports.
pub const TRACER: &str = "hob";
/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why spans were not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// They may be taken later.
    Later(String),
    /// They never will be.
    Never(String),
}

/// Sends `spans` of the workspace `workspace`.
pub(super) async fn send(
    http: &reqwest::Client,
    collector: &Collector,
    workspace: &str,
    spans: Vec<Span>,
) -> Result<(), Refusal> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
    for (name, value) in &collector.headers {
        let name: HeaderName =
            name.parse().map_err(|_| Refusal::Never(format!("`{name}` is not the name of a header")))?;
        let mut value = HeaderValue::from_str(value.expose())
            .map_err(|_| Refusal::Never(format!("the value of the header `{name}` cannot be sent")))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    let body = body(workspace, spans).encode_to_vec();
    let request = http.post(&collector.url).headers(headers).timeout(TIMEOUT).body(body);
    let response = request.send().await.map_err(|error| Refusal::Later(with_causes(&error.without_url())))?;
    let status = response.status();
    let reason = || format!("it answered {status}");
    match status.as_u16() {
        200..=299 => Ok(()),
        408 | 429 | 502 | 503 | 504 => Err(Refusal::Later(reason())),
        _ => Err(Refusal::Never(reason())),
    }
}

fn body(workspace: &str, spans: Vec<Span>) -> ExportTraceServiceRequest {
    let attributes = vec![
        text("service.name", TRACER),
        text("service.version", env!("CARGO_PKG_VERSION")),
        text("hob.workspace", workspace),
    ];
    let scope = InstrumentationScope {
        name: TRACER.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    };
    let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }];
    let resource = Some(Resource { attributes, ..Resource::default() });
    let resource_spans = vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }
}
