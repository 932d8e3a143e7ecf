//! What `/metrics` tells, as the official parser of Prometheus reads it.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hob::connection::http_client;
use hob::server::FAMILIES;
use serde_json::{Value, json};

use crate::alert_sinks::until;
use crate::listening::{Listening, listen};
use crate::stand_in::StandIn;
use crate::stand_in_workspace::{runs, trigger, workspace};

const WATCH: &str = "name: watch
connections: { highlevel: highlevel }
trigger: { poll: contacts.search, every: 5m, start: now }
actions:
  - { do: log, with: { message: seen } }
";
const LOOK: &str = "name: look
connections: { highlevel: highlevel }
trigger: { manual: {} }
actions:
  - { id: find, do: contacts.get, with: { contactId: \"{{ event.id }}\" } }
";

/// Parses standard input; prints each family's type and its samples.
const PARSE: &str = r#"
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
found = {}
for family in text_string_to_metric_families(sys.stdin.read()):
    found[family.name] = {"type": family.type, "help": family.documentation,
        "samples": [[s.name, s.labels, s.value] for s in family.samples]}
json.dump(found, sys.stdout)
"#;

/// A Python with the package `prometheus_client`.
fn python() -> Option<PathBuf> {
    let has_it = |python: &Path| {
        let asked = Command::new(python).args(["-c", "import prometheus_client.openmetrics.parser"]).output();
        asked.is_ok_and(|output| output.status.success())
    };
    let system = PathBuf::from("python3");
    if has_it(&system) {
        return Some(system);
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("prometheus-client");
    let python = folder.join("bin/python");
    if !has_it(&python) {
        let made = Command::new("python3").args(["-m", "venv"]).arg(&folder).output();
        let install = ["-m", "pip", "install", "--quiet", "prometheus_client==0.22.1"];
        let installed = made.and_then(|_| Command::new(&python).args(install).output());
        if !installed.is_ok_and(|output| output.status.success()) {
            eprintln!("SKIPPED: the parser of Prometheus: no Python package prometheus_client");
            return None;
        }
    }
    Some(python)
}

#[test]
fn the_official_parser_reads_all_families() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in, &[WATCH, LOOK]);
    let path = folder.path();
    trigger(path, "look", &json!({ "id": "nobody" }));
    let Listening { mut child, address } = listen(path);
    let client = http_client(&Default::default()).unwrap();
    let get = || {
        let asked = client.get(format!("{address}/metrics"));
        stand_in.runtime.block_on(async { asked.send().await.unwrap().text().await.unwrap() })
    };
    until("the run", || runs(path).iter().find(|run| run["state"] == "failed").cloned());
    let text = until("the poll", || {
        Some(get())
            .filter(|text| text.contains("hob_poll_lag_seconds{recipe=\"watch\",connection=\"highlevel\"}"))
    });
    child.kill().unwrap();
    child.wait().unwrap();
    for family in FAMILIES {
        let name = family.name.trim_end_matches("_total").trim_end_matches("_info");
        assert!(
            text.contains(&format!("# TYPE {name} {}\n", family.kind.name())),
            "{} in {text}",
            family.name
        );
    }
    for sample in [
        "hob_step_seconds_count{recipe=\"look\",operation=\"contacts.get\"} 1",
        "hob_runs_ended_total{recipe=\"look\",connection=\"highlevel\",state=\"failed\"} 1",
        "hob_queue_runs 0",
    ] {
        assert!(text.lines().any(|line| line == sample), "{sample} in {text}");
    }
    let Some(python) = python() else { return };
    let mut parser = Command::new(python)
        .args(["-c", PARSE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    parser.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let parsed = parser.wait_with_output().unwrap();
    assert!(parsed.status.success(), "{text}");
    let found: BTreeMap<String, Value> = serde_json::from_slice(&parsed.stdout).unwrap();
    for family in FAMILIES {
        let name = family.name.trim_end_matches("_total").trim_end_matches("_info");
        let read = &found[name];
        assert_eq!(
            (&read["type"], &read["help"]),
            (&json!(family.kind.name()), &json!(family.help)),
            "{name}"
        );
        for sample in read["samples"].as_array().unwrap() {
            let mut labels: Vec<&str> = sample[1].as_object().unwrap().keys().map(String::as_str).collect();
            labels.retain(|label| *label != "le");
            labels.sort_unstable();
            let mut expected: Vec<&str> = family.labels.iter().map(|label| label.name()).collect();
            expected.sort_unstable();
            assert_eq!(labels, expected, "{sample}");
        }
    }
    let memory = found["process_resident_memory_bytes"]["samples"][0][2].as_f64().unwrap();
    assert!(!cfg!(target_os = "linux") || memory > 1e6, "{memory}");
}
