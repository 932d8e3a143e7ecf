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
