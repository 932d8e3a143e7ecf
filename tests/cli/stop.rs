//! The program is asked to stop.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::listening::{Listening, listen};
use crate::program::hob;
use crate::stand_in::StandIn;

const RECIPE: &str = "name: form
trigger: { webhook: /form, verify: none, id: $.number }
actions:
  - do: contacts.upsert
    with: { email: \"form-{{ event.number }}@example.com\" }
";

#[test]
fn a_stop_signal_ends_it_well_and_in_time() {
    let stand_in = StandIn::start();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    fs::write(folder.path().join("recipes/form.yaml"), RECIPE).unwrap();
    fs::write(folder.path().join("hob.yaml"), stand_in.workspace()).unwrap();
    let Listening { mut child, .. } = listen(folder.path());
    let begun = Instant::now();
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(10));
    // The store is free again.
    hob(folder.path(), &["run", "--once"]).code(0);
}

fn signal(child: &std::process::Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn the_end_of_its_terminal_ends_it_as_well() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    let recipe = "name: hand\ntrigger: { manual: {} }\nactions: [{ do: log, with: { message: m } }]\n";
    fs::write(folder.path().join("recipes/hand.yaml"), recipe).unwrap();
    fs::write(folder.path().join("hob.yaml"), "").unwrap();
    let Listening { mut child, .. } = listen(folder.path());
    signal(&child, "-HUP");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// Requests in progress are finished first, unless somebody asks twice.
#[test]
fn who_asks_twice_does_not_wait() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    let recipe = format!(
        "name: hand\ntrigger: {{ manual: {{}} }}\nactions: [{{ do: http.request, with: {{ method: POST, url: 'http://{}/' }} }}]\n",
        silent.local_addr().unwrap()
    );
    fs::write(folder.path().join("recipes/hand.yaml"), recipe).unwrap();
    fs::write(folder.path().join("hob.yaml"), "").unwrap();
    let Listening { mut child, .. } = listen(folder.path());
    hob(folder.path(), &["trigger", "hand"]).code(0);
    // It is under way, and never answered.
    let (_kept, _) = silent.accept().unwrap();
    let begun = Instant::now();
    signal(&child, "-INT");
    // Until the first one is taken note of, the second one is the same.
    let log =
        || hob(folder.path(), &["runs", "list", "--state", "running", "--format", "json"]).code(0).json();
    assert_eq!(log().as_array().unwrap().len(), 1);
    signal(&child, "-INT");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
}
