//! Runs of thin webhooks: the record is fetched once, first, and appears in `event`.

use serde_json::json;

use crate::catalog::Catalog;
use crate::check::{self, CheckedRecipe, ConnectionInfo};
use crate::event::{Event, Source};
use crate::run::testing::{event, run, time};
use crate::run::{
    Accounts, Command, Entry, Machine, RunContext, RunState, StampedEntry, StepCall, StepError, StepResult,
};
use crate::source::SourceFile;
use crate::value::Value;
use std::sync::Arc;

const CONNECTOR: &str =
    "connector: y\ntitle: Y\nabout: Y\nauth: [{ kind: bearer }]\nwebhooks: { type: $.type }";

const EVENTS: &str = "events:\n  Moved:\n    title: Moved\n    types: [Moved]\n    id: [$.thing.id]\n    record: $.thing\n    \
    hydrate: { operation: things.fetch, with: { id: '{{ $.thing.id }}' } }";

const OPERATIONS: &str = r#"
operations:
  things.fetch:
    { title: t, summary: s, kinds: [action], method: GET, path: "/things/{id}", effect: read, result: [$.thing],
      parameters: { id: { in: path, shape: { type: string } } } }
"#;

fn recipe() -> CheckedRecipe {
    let mut catalog = Catalog::built_in();
    let files = [("connector", CONNECTOR), ("events", EVENTS), ("operations", OPERATIONS)];
    let files = files.map(|(name, text)| (format!("y/{name}.yaml"), text.to_owned())).to_vec();
    catalog.add_folder("y", files).expect("a connector");
    let text = "name: r\ntrigger: { webhook: y.Moved, hydrate: true }\nwhen: \"{{ event.thing.size > 3 }}\"\n\
                vars: { kind: \"{{ event.type }}\" }\n\
                actions: [{ id: log, do: log, with: { message: \"{{ event.thing.name }}\" } }]\n";
    let file = SourceFile::new("r.yaml", text);
    let mut workspace_info = check::WorkspaceInfo { known: true, ..check::WorkspaceInfo::none() };
    let connection = ConnectionInfo { connector: "y".into(), settings: vec![], version: None };
    workspace_info.connections.insert("yard".into(), connection);
    check::check(&file, &Arc::new(catalog), &workspace_info)
        .into_recipe()
        .unwrap_or_else(|report| panic!("{report}"))
}

fn thin(payload: Value) -> Event {
    Event { source: Source::Connector("y".into()), kind: "Moved".into(), ..event(payload) }
}

fn machine(payload: Value, history: &[StampedEntry]) -> Machine {
    let run = crate::run::Run { accounts: Accounts::from([("y".to_owned(), "yard".to_owned())]), ..run() };
    Machine::new(recipe(), run, &thin(payload), history, &RunContext::default())
}

fn fetch(machine: &mut Machine) -> StepCall {
    match machine.decide(time(1)).command {
        Command::Execute(call) => *call,
        other => panic!("{other:?}"),
    }
}

fn body() -> Value {
    json!({ "type": "Moved", "thing": { "id": "t1", "name": "old" } })
}

#[test]
fn the_record_is_fetched_before_the_condition_and_only_once() {
    let mut first = machine(body(), &[]);
    let call = fetch(&mut first);
    assert_eq!((call.operation.id.as_str(), &call.inputs["id"]), ("things.fetch", &json!("t1")));
    assert_eq!(call.connection.as_deref(), Some("yard"));
    let answer = StepResult::Done(json!({ "id": "t1", "name": "new", "size": 5 }));
    let entry = call.entry(&run().id, answer, time(2));
    let history = [StampedEntry::new(time(2), entry)];

    let mut restarted = machine(body(), &history);
    let decision = restarted.decide(time(3));
    assert!(
        matches!(decision.command, Command::Finish { state: RunState::Succeeded, .. }),
        "{:?}",
        decision.command
    );
    let logged = decision.entries.iter().find_map(|stamped| match &stamped.entry {
        Entry::Remark { message, .. } => Some(message.as_str()),
        _ => None,
    });
    assert_eq!(logged, Some("new"));
    let vars = decision.entries.iter().find_map(|stamped| match &stamped.entry {
        Entry::Started { vars, .. } => Some(vars["kind"].clone()),
        _ => None,
    });
    assert_eq!(vars, Some(json!("Moved")), "what only the event has stays");
}

#[test]
fn a_record_that_cannot_be_fetched_fails_the_run() {
    let mut machine = machine(body(), &[]);
    let call = fetch(&mut machine);
    let entry = call.entry(&run().id, StepResult::Refused(StepError::new("no such thing")), time(2));
    machine.apply(&StampedEntry::new(time(2), entry));
    match machine.decide(time(3)).command {
        Command::Finish { state, reason } => {
            assert_eq!(
                (state, reason.as_deref()),
                (RunState::Failed, Some("step `(hydrate)`: no such thing"))
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_body_without_the_id_is_accepted() {
    let mut machine = machine(json!({ "type": "Moved", "thing": { "size": 9, "name": "thin" } }), &[]);
    let decision = machine.decide(time(1));
    assert!(
        matches!(decision.command, Command::Finish { state: RunState::Succeeded, .. }),
        "{:?}",
        decision.command
    );
    assert!(decision.entries.iter().any(|stamped| matches!(&stamped.entry,
        Entry::StepSkipped { reason, .. } if reason.contains("$.thing.id"))));
}
