//! The dashboard over HTTP, without a browser: where it is served, what its forms do, and how pages are sent.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::listening::{Listening, listen};
use crate::program::{hob, hob_with};

const RECIPE: &str = "name: people/to-crm
trigger: { manual: {} }
actions:
  - id: count
    do: log
    with: { message: \"{{ event.items | length + event.more }}\" }
";

fn workspace() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    fs::write(folder.path().join("hob.yaml"), "").unwrap();
    fs::write(folder.path().join("recipes/people.yaml"), RECIPE).unwrap();
    folder
}

/// Killed at the end.
struct Served {
    listening: Listening,
    folder: TempDir,
}

impl Served {
    fn start() -> Self {
        let folder = workspace();
        Self { listening: listen(folder.path()), folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn host(&self) -> &str {
        self.listening.address.strip_prefix("http://").unwrap()
    }

    /// The head and the body of an answer.
    fn ask(&self, request: &str) -> (String, Vec<u8>) {
        let mut stream = TcpStream::connect(self.host()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|part| part == b"\r\n\r\n").expect("a head");
        (String::from_utf8(answer[..end].to_vec()).unwrap(), answer[end + 4..].to_vec())
    }

    fn get(&self, path: &str) -> (String, String) {
        let host = self.host();
        let (head, body) =
            self.ask(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
        (head, String::from_utf8(body).unwrap())
    }

    /// Sends a form, with the token of a page; returns the address that it leads to.
    fn send(&self, path: &str, form: &str) -> String {
        let page = self.get("/recipes/people%2Fto-crm").1;
        let token = page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let form = format!("{form}&csrf={}", token.expect("a form"));
        let (host, length) = (self.host(), form.len());
        let (head, body) = self.ask(&format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nOrigin: http://{host}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
        ));
        let told = String::from_utf8_lossy(&body).into_owned();
        let line = head.lines().find_map(|line| line.strip_prefix("location: "));
        line.unwrap_or_else(|| panic!("{head}\n{told}")).to_owned()
    }

    fn runs(&self) -> Vec<Value> {
        hob(self.path(), &["runs", "list", "--format", "json"]).code(0).json().as_array().unwrap().clone()
    }

    fn trigger(&self, event: &Value) {
        hob_with(self.path(), &["trigger", "people/to-crm", "--event", "-"], &event.to_string()).code(0);
    }

    fn until(&self, state: &str, count: usize) {
        while self.runs().iter().filter(|run| run["state"] == state).count() != count {}
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.listening.child.kill().unwrap();
        self.listening.child.wait().unwrap();
    }
}

#[test]
fn all_runs_of_a_cause_are_previewed_and_retried() {
    let served = Served::start();
    let (_, calm) = served.get("/");
    assert!(calm.contains("All is well"), "{calm}");
    for items in [json!([]), json!([1])] {
        served.trigger(&json!({ "items": items, "more": "<img src=x onerror=alert(1)>" }));
    }
    served.until("failed", 2);
    // Nobody waits for a page: it shows what was known a moment ago.
    let now = loop {
        let (_, now) = served.get("/");
        if now.contains("1 problem") {
            break now;
        }
    };
    assert!(now.contains("recipes&#x2f;people.yaml:5"), "{now}");
    assert!(!now.contains("<img"), "{now}");
    let cause = now.split("/fix?cause=").nth(1).unwrap().split('&').next().unwrap();
    // A page does not wait long for what it looks for.
    while !served.get(&format!("/fix?cause={cause}&act=retry")).1.contains("2 runs will be retried") {}
    served.until("failed", 2);
    // A page that is open asks again, and is told nothing as long as nothing has changed.
    let seen = now.split("/?seen=").nth(1).unwrap().split('"').next().unwrap();
    let (head, same) = served.get(&format!("/?seen={seen}"));
    assert!(head.starts_with("HTTP/1.1 204 ") || !same.contains("<html"), "{head} {same}");

    let mended = RECIPE.replace("event.more", "1");
    fs::write(served.path().join("recipes/people.yaml"), mended).unwrap();
    while !served.get("/recipes/people%2Fto-crm").1.contains("length + 1") {}
    let job = served.send("/fix", &format!("cause={cause}&act=retry"));
    while !served.get(&job).1.contains("2 runs were retried") {}
    served.until("succeeded", 2);
    let run = served.runs()[0]["id"].as_str().unwrap().to_owned();
    let refused = served.send(&format!("/runs/{run}"), "act=retry");
    let (_, told) = served.get(&refused);
    assert!(told.contains("Left as it is"), "{told}");
    let (head, _) = served.get("/fix?cause=../../etc&act=retry");
    assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
    let (head, _) = served.get("/runs/run_nothing");
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
}

#[test]
fn a_recipe_of_a_sync_is_paused_and_resumed_by_its_name() {
    let served = Served::start();
    let page = served.send("/recipes/people%2Fto-crm/pause", "");
    assert_eq!(page, "/recipes/people%2Fto-crm");
    assert!(served.get(&page).1.contains("Resume"));
    served.trigger(&json!({ "items": [], "more": 1 }));
    served.until("waiting", 1);
    served.send("/recipes/people%2Fto-crm/resume", "");
    served.until("succeeded", 1);
    let (head, _) = served.get("/recipes/nothing");
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
}

#[test]
fn assets_are_kept_forever_and_pages_never() {
    let served = Served::start();
    let host = served.host();
    let (head, page) = served.get("/");
    assert!(head.contains("cache-control: no-store"), "{head}");
    let address = page.split('"').find(|part| part.contains("style.css")).unwrap().replace("&#x2f;", "/");
    let (head, style) = served.get(&address);
    assert!(head.contains("immutable") && style.contains(":root"), "{head}");
    let (head, body) = served.ask(&format!(
        "GET / HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
    ));
    assert!(head.contains("content-encoding: gzip"), "{head}");
    let mut text = String::new();
    flate2::read::GzDecoder::new(body.as_slice()).read_to_string(&mut text).unwrap();
    assert!(text.contains("All is well"), "{text}");
    // Addresses of assets are exact.
    let (head, _) = served.get("/assets/0000000000000000/style.css");
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
    // Of a caller who names another host, or comes through a proxy, nobody knows who it is.
    for head in ["Host: hooks.example.com\r\n", &format!("Host: {host}\r\nX-Forwarded-For: 192.0.2.1\r\n")] {
        let (head, body) = served.ask(&format!("GET /runs HTTP/1.1\r\n{head}Connection: close\r\n\r\n"));
        assert!(
            !head.starts_with("HTTP/1.1 200 ") && !String::from_utf8_lossy(&body).contains("Runs"),
            "{head}"
        );
    }
}

#[test]
fn a_taken_port_is_no_reason_not_to_run() {
    let folder = workspace();
    // Whoever has it: this test, or another process.
    let _taken = TcpListener::bind("127.0.0.1:8787");
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("hob"));
    command.arg("run");
    let (mut child, mut lines) = crate::spawn::spawn(command, folder.path());
    let warned = lines.any(|line| line.starts_with("warning: no dashboard: cannot listen at 127.0.0.1:8787"));
    std::thread::spawn(move || lines.for_each(drop));
    hob_with(folder.path(), &["trigger", "people/to-crm", "--event", "-"], "{\"items\":[],\"more\":1}")
        .code(0);
    loop {
        let runs = hob(folder.path(), &["runs", "list", "--format", "json"]).code(0).json();
        if runs[0]["state"] == "succeeded" {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(warned);
}
