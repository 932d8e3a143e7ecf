//! Two processes on one PostgreSQL store: what one writes is an echo for the other.

use std::fs;
use std::path::Path;
use std::process::Command;

use hob::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::listening::{Listening, listen};
use crate::pause_resume::post;
use crate::program::hob_with;
use crate::spawn::spawn;
use crate::stand_in::StandIn;
use crate::stand_in_workspace::{runs, workspace};
use crate::waiting_runs::{on_postgres, wait_until};

const WRITER: &str = "name: writer
trigger: { manual: {} }
actions:
  - { do: contacts.update, with: { contactId: \"{{ event.contact }}\", city: Leeds, lastName: Acme } }
";
const READER: &str = "name: reader
trigger: { webhook: highlevel.ContactUpdate }
actions:
  - { do: log, with: { message: \"{{ event.city }} {{ event.lastName }}\" } }
";

/// How long the answer to the write takes: long enough for a second process to start meanwhile.
const ANSWER_MS: u64 = 5_000;

fn of<'a>(runs: &'a [Value], recipe: &str) -> Vec<&'a Value> {
    runs.iter().filter(|run| run["recipe"] == recipe).collect()
}

fn ended(folder: &Path, count: usize) -> bool {
    let runs = runs(folder);
    runs.len() == count && runs.iter().all(|run| run["finished"].is_string())
}

#[test]
fn an_echo_of_another_process_is_suppressed_and_a_foreign_edit_beside_it_passes() {
    let Some(cluster) = Cluster::shared() else { return };
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in, &[WRITER, READER]);
    let path = folder.path();
    let file = path.join("hob.yaml");
    let unverified = "server: { webhooks: { highlevel: { unverified: true } } }";
    let text = fs::read_to_string(&file).unwrap().replace("server: { metrics: true }", unverified);
    fs::write(&file, text).unwrap();
    on_postgres(path, &cluster.store());
    let contact = stand_in.sandbox.records("highlevel", "contacts", 1).unwrap()[0]["id"].clone();
    let location = stand_in.sandbox.settings("highlevel")["location"].clone();
    let (operation, what) = (Some("contacts.update".to_owned()), FaultKind::Delay(ANSWER_MS));
    stand_in.sandbox.add_fault(Fault { operation, what, done: true, ..Fault::default() });

    // The one process has a single slot, which the run that writes takes.
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("hob"));
    command.args(["run", "--concurrency", "1"]);
    let (mut one, mut lines) = spawn(command, path);
    assert!(lines.any(|line| line.contains("Ctrl-C stops")), "it has begun to work");
    std::thread::spawn(move || lines.for_each(drop));
    hob_with(path, &["trigger", "writer", "--event", "-"], &json!({ "contact": contact }).to_string())
        .code(0);
    wait_until("the write is sent", || stand_in.sandbox.log().iter().any(|entry| entry.method == "PUT"));

    // Its webhook arrives at the other process, together with those of edits by somebody else.
    let Listening { child: mut other, address } = listen(path);
    let told = |webhook: &str, city: &str, name: &str| {
        let body = json!({
            "type": "ContactUpdate", "webhookId": webhook, "locationId": location, "id": contact,
            "city": city, "lastName": name,
        });
        assert_eq!(post(&address, "/webhooks/highlevel", &body.to_string()), 200);
    };
    told("w0", "Leeds", "Acme");
    told("w1", "Leeds", "Theirs");
    told("w2", "York", "Acme");
    wait_until("all runs have ended", || ended(path, 4));
    for child in [&mut one, &mut other] {
        child.kill().unwrap();
        child.wait().unwrap();
    }

    let runs = runs(path);
    let wrote = of(&runs, "writer")[0]["id"].as_str().unwrap();
    let mut reads = of(&runs, "reader");
    reads.reverse();
    let states: Vec<&str> = reads.iter().map(|run| run["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["suppressed", "succeeded", "succeeded"], "{reads:#?}");
    let reason = reads[0]["error"].as_str().unwrap();
    assert!(reason.contains("echo") && reason.contains(wrote), "{reason}");
}
