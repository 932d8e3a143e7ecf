//! The dashboard in a real browser: what an operator does at night, on each page accessibility and width, and that nothing
//! is loaded from elsewhere. Needs Chromium and npm; says so where they are missing.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hob::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::alert_sinks::HttpSink;
use crate::program::{hob, hob_with};
use crate::spawn::spawn;
use crate::stand_in::StandIn;

#[expect(dead_code, reason = "other tests use more of it")]
#[path = "cli/alert_sinks.rs"]
mod alert_sinks;
#[path = "cli/program.rs"]
mod program;
#[path = "cli/spawn.rs"]
mod spawn;
#[expect(dead_code, reason = "other tests use more of it")]
#[path = "cli/stand_in.rs"]
mod stand_in;

/// Longest wait for anything.
const TIMEOUT: Duration = Duration::from_secs(120);
/// Where Chromium may be.
const BROWSERS: [&str; 3] = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

const LEADS: &str = "name: leads
description: A lead becomes a contact with a tag.
connections: { highlevel: highlevel }
trigger: { manual: {} }
vars:
  first: \"{{ event.name | split(' ') | first }}\"
actions:
  - id: contact
    do: contacts.upsert
    with: { email: \"{{ event.email }}\", firstName: \"{{ vars.first }}\" }
  - id: look
    do: contacts.get
    if: \"{{ event.friend }}\"
    with: { contactId: \"{{ event.friend }}\" }
  - id: tag
    do: contacts.tags.add
    with: { contactId: \"{{ steps.contact.id }}\", tags: [lead] }
";

const SWEEP: &str = "name: sweep
connections: { fitr: fitr }
trigger: { poll: fitr.clients.list, every: 1m, start: now }
actions:
  - do: log
    with: { message: \"{{ event.id }}\" }
";

const FOLLOW: &str = "name: follow
connections: { highlevel: highlevel }
trigger: { poll: contacts.search, every: 1h, start: now }
actions:
  - do: log
    with: { message: \"{{ event.id }}\" }
";

/// The packages, installed by npm, and the browser; `None` where something is missing.
fn tools() -> Option<(PathBuf, &'static str)> {
    let browser = BROWSERS.into_iter().find(|path| Path::new(path).exists());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    fs::create_dir_all(&folder).unwrap();
    for file in ["package.json", "package-lock.json"] {
        fs::copy(own.join(file), folder.join(file)).unwrap();
    }
    let npm = browser.and_then(|_| {
        let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];
        let installed =
            Command::new("npm").args(arguments).current_dir(&folder).stdout(Stdio::null()).status();
        installed.ok().filter(std::process::ExitStatus::success)
    });
    #[expect(clippy::disallowed_methods, reason = "a setting of the tests")]
    let is_required = std::env::var_os("HOB_TEST_BROWSER").is_some_and(|value| value == "required");
    let found = browser.filter(|_| npm.is_some());
    let missing = if browser.is_none() { "Chromium" } else { "npm, or what it installs" };
    assert!(
        found.is_some() || !is_required,
        "{missing} is missing, and HOB_TEST_BROWSER says that it must be there"
    );
    if found.is_none() {
        eprintln!("SKIPPED: {missing} is missing; the dashboard is not tested in a browser");
    }
    found.map(|browser| (folder, browser))
}

/// A running hob, killed at the end.
struct Running {
    child: Child,
    address: String,
}

impl Running {
    fn start(folder: &Path, address: &str) -> Self {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("hob"));
        command.args(["run", "--listen", address]);
        let (child, mut lines) = spawn(command, folder);
        let address =
            lines.find_map(|line| Some(line.strip_prefix("dashboard at ")?.trim_end_matches('/').to_owned()));
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address: address.expect("it tells where the dashboard is") }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// An address at which nobody listens now. What is told of alerts names it before hob listens there.
fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

fn trigger(folder: &Path, recipe: &str, event: &Value) -> String {
    let arguments = ["trigger", recipe, "--event", "-", "--format", "json"];
    let stored = hob_with(folder, &arguments, &event.to_string()).code(0).json();
    stored["runs"][0].as_str().unwrap().to_owned()
}

/// Waits until all runs of `recipe` are in `state`.
fn wait_until(folder: &Path, recipe: &str, state: &str) {
    let begun = Instant::now();
    loop {
        let runs = hob(folder, &["runs", "list", "--recipe", recipe, "--format", "json"]).code(0).json();
        let runs = runs.as_array().unwrap();
        if runs.iter().all(|run| run["state"] == state) {
            return;
        }
        assert!(begun.elapsed() < TIMEOUT, "{recipe} is not {state}: {runs:#?}");
    }
}

/// Waits for what an alert about `recipe` tells.
fn told(sink: &HttpSink, event: &str, recipe: &str) -> Value {
    alert_sinks::until("the alert", || {
        let alerts =
            sink.received().into_iter().flat_map(|sent| sent.body["alerts"].as_array().unwrap().clone());
        alerts.into_iter().find(|alert| alert["event"] == event && alert["recipe"] == recipe)
    })
}

#[test]
fn an_operator_finds_mends_and_retries_in_a_browser() {
    let Some((packages, chromium)) = tools() else { return };
    let stand_in = StandIn::start();
    let example = stand_in.sandbox.example("conversations.messages.send").expect("an example");
    let with = Value::Object(example).to_string();
    let send = format!(
        "name: welcome\ntrigger: {{ manual: {{}} }}\nconnections: {{ highlevel: highlevel }}\nactions:\n\
         - {{ id: message, do: conversations.messages.send, with: {with} }}\n"
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("recipes")).unwrap();
    let (sink, address) = (HttpSink::start(200), free_address());
    let alerts = format!(
        "server: {{ url: \"http://{address}\" }}\nalerts:\n  gone_for: 1s\n  to:\n    team: {{ webhook: {{ url: \"http://{}/alerts\" }} }}\n",
        sink.address
    );
    fs::write(path.join("hob.yaml"), stand_in.workspace() + &alerts).unwrap();
    for (name, text) in [("leads", LEADS), ("welcome", &send), ("sweep", SWEEP), ("follow", FOLLOW)] {
        fs::write(path.join(format!("recipes/{name}.yaml")), text).unwrap();
    }
    stand_in.sandbox.add_fault(Fault {
        operation: Some("conversations.messages.send".into()),
        what: FaultKind::Close,
        times: Some(1),
        ..Fault::default()
    });
    let running = Running::start(path, &address);
    let mut failed = String::new();
    for (number, friend) in ["nobody1k2v9qwe", "nobody7t3z4asd", "nobody5r8u6yxc"].into_iter().enumerate() {
        // Markup from outside must show as text.
        let event = json!({ "name": "<b>Jane</b> Doe", "email": format!("jane{number}@example.com"), "friend": friend });
        failed = trigger(path, "leads", &event);
    }
    wait_until(path, "leads", "failed");
    let parked = trigger(path, "welcome", &json!({}));
    wait_until(path, "welcome", "parked");
    let link = told(&sink, "opened", "leads")["link"].as_str().unwrap().to_owned();
    let mended = LEADS.replace("if: \"{{ event.friend }}\"", "if: \"{{ event.friend == 'somebody' }}\"");
    let shots = Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
    let setting = json!({
        "address": running.address, "chromium": chromium, "packages": packages, "shots": shots,
        "email": "jane1@example.com", "parked": parked, "failed": failed,
        "link": link, "recipe": path.join("recipes/leads.yaml"), "mended": mended,
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/dashboard.mjs");
    let run = Command::new("node").arg(script).arg(setting.to_string()).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{out}{err}");
    eprintln!("{out}");
    wait_until(path, "leads", "succeeded");
    wait_until(path, "welcome", "succeeded");
    assert_eq!(told(&sink, "recovered", "leads")["link"], link);
}
