//! Traces, as a collector of OpenTelemetry receives them.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use hob::sandbox::{Fault, FaultKind};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::json;
use tempfile::TempDir;

use crate::alert_sinks::until;
use crate::listening::Running;
use crate::program::hob;
use crate::stand_in::StandIn;
use crate::stand_in_workspace::{runs, trigger, workspace};

const LOOK: &str = "name: look
connections: { highlevel: highlevel }
trigger: { manual: {} }
actions:
  - { id: find, do: contacts.get, with: { contactId: \"{{ event.id }}\" }, retry: { attempts: 3, backoff: 10ms..20ms } }
  - { id: never, do: log, with: { message: \"{{ event.id }}\" } }
";

/// A small collector.
#[derive(Clone, Default)]
struct SmallCollector {
    taken: Arc<Mutex<Vec<(HeaderMap, ExportTraceServiceRequest)>>>,
    refuses: Arc<Mutex<bool>>,
}

impl SmallCollector {
    fn start(&self, runtime: &tokio::runtime::Runtime) -> String {
        let own = self.clone();
        let take = move |headers: HeaderMap, body: Bytes| async move {
            if *own.refuses.lock().unwrap() {
                return StatusCode::SERVICE_UNAVAILABLE;
            }
            own.taken.lock().unwrap().push((headers, ExportTraceServiceRequest::decode(body).unwrap()));
            StatusCode::OK
        };
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/v1/traces", post(take));
        runtime.spawn(async move { axum::serve(listener, router).await.unwrap() });
        format!("http://{address}")
    }

    fn spans(&self) -> Vec<Span> {
        let taken = self.taken.lock().unwrap();
        let resources = taken.iter().flat_map(|(_, request)| &request.resource_spans);
        resources.flat_map(|resource| &resource.scope_spans).flat_map(|scope| scope.spans.clone()).collect()
    }
}

fn attributes(span: &Span) -> BTreeMap<String, String> {
    let value = |any: &Any| match any {
        Any::StringValue(text) => text.clone(),
        Any::IntValue(number) => number.to_string(),
        other => panic!("{other:?}"),
    };
    let pairs = span.attributes.iter();
    pairs
        .map(|pair| (pair.key.clone(), value(pair.value.as_ref().unwrap().value.as_ref().unwrap())))
        .collect()
}

/// A workspace whose runs are reported to a collector; `more` stands beside the collector's address.
fn reporting_workspace(stand_in: &StandIn, more: &str) -> (SmallCollector, TempDir) {
    let collector = SmallCollector::default();
    let address = collector.start(&stand_in.runtime);
    let folder = workspace(stand_in, &[LOOK]);
    let settings = folder.path().join("hob.yaml");
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(settings, format!("{text}telemetry: {{ otlp: {{ endpoint: '{address}'{more} }} }}\n")).unwrap();
    (collector, folder)
}

#[test]
fn a_run_is_a_trace_with_its_steps_and_attempts() {
    let stand_in = StandIn::start();
    let headers = ", headers: [{ name: x-key, value: CANARYotlp-0001 }]";
    let (collector, folder) = reporting_workspace(&stand_in, headers);
    let path = folder.path();
    let busy = FaultKind::Status { status: 503, body: None, headers: vec![] };
    stand_in.sandbox.add_fault(Fault { times: Some(1), what: busy, ..Fault::default() });
    trigger(path, "look", &json!({ "id": "somebodys-secret-value" }));
    let ended = hob(path, &["run", "--once", "-v"]).code(1);
    assert!(!ended.output.contains("CANARY") && !ended.errors.contains("CANARY"));
    let run = runs(path)[0]["id"].as_str().unwrap().to_owned();
    let spans = collector.spans();
    let root = spans.iter().find(|span| span.parent_span_id.is_empty()).unwrap();
    assert_eq!(root.name, "run look");
    assert_eq!(format!("run_{}", hex::encode(&root.trace_id)), run);
    let told = attributes(root);
    assert_eq!(
        (told["hob.recipe"].as_str(), told["hob.run.state"].as_str(), &told["hob.run.id"]),
        ("look", "failed", &run)
    );
    assert_eq!(root.status.as_ref().unwrap().code, 2, "it is an error");
    let steps: Vec<&Span> = spans.iter().filter(|span| span.parent_span_id == root.span_id).collect();
    assert_eq!(steps.len(), 1, "{spans:#?}");
    let told = attributes(steps[0]);
    assert_eq!(
        (steps[0].name.as_str(), told["hob.operation"].as_str(), told["hob.outcome"].as_str()),
        ("find", "contacts.get", "failed")
    );
    let parts: Vec<&Span> = spans.iter().filter(|span| span.parent_span_id == steps[0].span_id).collect();
    let names: Vec<&str> = parts.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["attempt", "wait to retry", "attempt"], "{parts:#?}");
    for span in &spans {
        assert_eq!(span.trace_id, root.trace_id);
        assert!(span.start_time_unix_nano > 0 && span.end_time_unix_nano >= span.start_time_unix_nano);
        assert!(root.start_time_unix_nano <= span.start_time_unix_nano, "{span:?}");
    }
    let (headers, request) = collector.taken.lock().unwrap()[0].clone();
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(
        (header("content-type").as_str(), header("x-key").as_str()),
        ("application/x-protobuf", "CANARYotlp-0001")
    );
    let resource = request.resource_spans[0].resource.as_ref().unwrap();
    assert!(resource.attributes.iter().any(|pair| pair.key == "service.name"));
    assert!(!format!("{request:?}").contains("message: \\\"somebodys"));
    // What was reported is not reported again.
    hob(path, &["run", "--once"]).code(0);
    assert_eq!(collector.spans().len(), spans.len());
}

#[test]
fn a_kill_loses_no_trace() {
    let stand_in = StandIn::start();
    let (collector, folder) = reporting_workspace(&stand_in, "");
    let path = folder.path();
    hob(path, &["run", "--once"]).code(0);
    *collector.refuses.lock().unwrap() = true;
    let running = Running::start(path);
    for _ in 0..3 {
        trigger(path, "look", &json!({ "id": "nobody" }));
    }
    until("the runs", || {
        Some(()).filter(|()| runs(path).iter().filter(|run| run["state"] == "failed").count() == 3)
    });
    drop(running);
    assert!(collector.spans().is_empty());
    *collector.refuses.lock().unwrap() = false;
    let _running = Running::start(path);
    let roots = until("the traces", || {
        let spans = collector.spans();
        let roots: Vec<Vec<u8>> = spans
            .into_iter()
            .filter(|span| span.parent_span_id.is_empty())
            .map(|span| span.trace_id)
            .collect();
        Some(roots).filter(|roots| roots.len() >= 3)
    });
    let distinct: std::collections::BTreeSet<_> = roots.iter().collect();
    assert_eq!((roots.len(), distinct.len()), (3, 3));
}

#[test]
fn logs_in_json_name_run_and_recipe() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in, &[LOOK]);
    let path = folder.path();
    trigger(path, "look", &json!({ "id": "nobody" }));
    let ended = hob(path, &["run", "--once", "--log-format", "json", "-v"]).code(1);
    let run = runs(path)[0]["id"].clone();
    let lines = ended.errors.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let about: Vec<serde_json::Value> = lines.filter(|line| line["run"] == run).collect();
    assert!(!about.is_empty(), "{}", ended.errors);
    assert!(about.iter().all(|line| line["recipe"] == "look"), "{about:#?}");
}
