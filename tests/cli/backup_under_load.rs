//! Backups of a store that is written to all the time, and what is in them once they are restored.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::listening::listen;
use crate::program::hob;

const RECIPE: &str = "name: load\ntrigger: { webhook: /load, verify: none, id: $.n }\nactions:\n  - { do: log, with: { message: 'got {{ event.n }}' } }\n";

fn workspace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    fs::write(folder.path().join("hob.yaml"), "{}").unwrap();
    fs::write(folder.path().join("recipes/load.yaml"), RECIPE).unwrap();
    folder
}

/// Sends the event `n`; returns whether it was acknowledged.
fn send(address: &str, n: u64) -> bool {
    let body = format!("{{\"n\": {n}}}");
    let head = "POST /webhooks/load HTTP/1.1\r\nHost: hob\r\nConnection: close\r\nContent-Type: application/json\r\n";
    let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    let mut answer = String::new();
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let sent = stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_string(&mut answer));
    sent.is_ok() && answer.starts_with("HTTP/1.1 200")
}

/// The events in a store.
fn events(folder: &Path) -> Vec<u64> {
    let exported = hob(folder, &["store", "export", "-"]).code(0).output;
    let lines = exported.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    lines.filter_map(|line| line["event"]["payload"]["n"].as_u64()).collect()
}

#[test]
fn a_backup_under_load_has_all_that_was_acknowledged_before_it() {
    let folder = workspace();
    let mut running = listen(folder.path());
    let address = running.address.strip_prefix("http://").unwrap().to_owned();
    let (acknowledged, stop) = (Arc::new(Mutex::new(BTreeSet::new())), Arc::new(AtomicBool::new(false)));
    let next = Arc::new(AtomicU64::new(0));
    let senders: Vec<_> = (0..4)
        .map(|_| {
            let (address, next) = (address.clone(), Arc::clone(&next));
            let (acknowledged, stop) = (Arc::clone(&acknowledged), Arc::clone(&stop));
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if send(&address, n) {
                        acknowledged.lock().unwrap().insert(n);
                    }
                }
            })
        })
        .collect();
    let mut restored = Vec::new();
    for round in 1..=3 {
        while acknowledged.lock().unwrap().len() < round * 60 {
            std::thread::yield_now();
        }
        let before: BTreeSet<u64> = acknowledged.lock().unwrap().clone();
        let file = format!("backup-{round}.db");
        hob(folder.path(), &["store", "backup", &file]).code(0);
        restored.push((before, file));
    }
    stop.store(true, Ordering::Relaxed);
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    for (before, file) in restored {
        let elsewhere = workspace();
        let path = elsewhere.path();
        fs::create_dir(path.join("state")).unwrap();
        fs::copy(folder.path().join(&file), path.join("state/hob.db")).unwrap();
        hob(path, &["run", "--once"]).code(0);
        let found = events(path);
        let unique: BTreeSet<u64> = found.iter().copied().collect();
        assert_eq!(found.len(), unique.len(), "{file} has no event twice");
        assert!(before.is_subset(&unique), "{file} lacks {:?}", before.difference(&unique));
        let runs = hob(path, &["runs", "list", "--limit", "0", "--format", "json"]).code(0).json();
        let states: BTreeSet<&str> =
            runs.as_array().unwrap().iter().map(|run| run["state"].as_str().unwrap()).collect();
        assert_eq!((runs.as_array().unwrap().len(), states), (found.len(), BTreeSet::from(["succeeded"])));
    }
}
