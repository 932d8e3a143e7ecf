//! The store is unavailable for a while: its disk is full, or another program has locked it. Senders are
//! asked to retry, nothing is acknowledged that is not stored, and hob recovers by itself.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hob::connection::http_client;
use serde_json::json;

use crate::chaos_run::finish_all_runs;
use crate::event_sender::EventSender;
use crate::invariants::violations;
use crate::observations::Observations;
use crate::process::Process;
use crate::processes::Addresses;
use crate::program::hob;
use crate::stand_in::StandIn;
use crate::workspace::Workspace;

const LANES: usize = 16;
/// Events before the outage, and after it.
const EVENTS_PER_PHASE: usize = 60;
/// Longest wait for any condition.
const DEADLINE: Duration = Duration::from_secs(300);
/// Longer than any outage here: no run loses its lease.
const LEASE: &[&str] = &["--lease", "1h"];

/// `cause_outage` takes the store from a working process and returns what gives it back.
fn run_through_outage(
    workspace: Workspace,
    stand_in: &StandIn,
    mut process: Process,
    cause_outage: impl FnOnce(&Process) -> Box<dyn FnOnce()>,
) {
    let accepted = stand_in.runtime.block_on(async {
        process.ready().await;
        let address = process.address().borrow().clone().unwrap();
        let sender = EventSender::start(stand_in, Addresses::of(&process), LANES);
        wait_until("events come in", || sender.count() >= EVENTS_PER_PHASE).await;
        let end_outage = cause_outage(&process);
        wait_until_refused(&address).await;
        let log = || fs::read_to_string(workspace.log_path()).unwrap();
        wait_until("polls wait", || log().contains("polling waits for the store")).await;
        wait_until("runs wait", || {
            log().contains("trying again") || log().contains("cannot take runs from the store")
        })
        .await;
        assert_eq!(status_of_ready(&address).await, 503);
        end_outage();
        let before = sender.count();
        wait_until("events come in again", || sender.count() >= before + EVENTS_PER_PHASE).await;
        assert_eq!(status_of_ready(&address).await, 200);
        sender.finish().await
    });
    assert!(process.stop().success());
    finish_all_runs(&workspace, 1);
    let observations = Observations::gather(accepted, &stand_in.sandbox, workspace.path());
    assert_eq!(violations(&observations), Vec::<String>::new());
    assert_eq!(observations.parked, vec![], "hob did not end, so nothing is in doubt");
    assert!(observations.effects().values().all(|times| *times == 1), "what was done is not done again");
}

async fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < DEADLINE, "timed out: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Repeats known events until one is refused because it cannot be stored.
async fn wait_until_refused(address: &str) {
    let (client, begun) = (http_client(&Default::default()).unwrap(), Instant::now());
    for number in 0.. {
        assert!(begun.elapsed() < DEADLINE, "the store is not away");
        // The first event of a lane again, which is deduplicated.
        let event = json!({ "number": number % LANES, "lane": number % LANES });
        let answer = client.post(format!("{address}/webhooks/form")).json(&event).send().await.unwrap();
        match answer.status().as_u16() {
            429 => return,
            200 => {}
            status => panic!("answered with {status}"),
        }
    }
}

async fn status_of_ready(address: &str) -> u16 {
    let client = http_client(&Default::default()).unwrap();
    client.get(format!("{address}/readyz")).send().await.unwrap().status().as_u16()
}

/// A small file system mounted at a folder until this is dropped.
struct Disk(PathBuf);

impl Disk {
    /// `None` where this user may not mount anything.
    fn at(folder: &Path) -> Option<Self> {
        fs::create_dir_all(folder).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=48m", "tmpfs"])
            .arg(folder)
            .stderr(Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success()).then(|| Self(folder.to_owned()))
    }

    /// Fills all space; returns the file that fills it.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("filler");
        let mut file = File::create(&path).unwrap();
        let mut piece = vec![0; 1 << 20];
        // Ever smaller pieces, until no byte is free.
        while !piece.is_empty() {
            if file.write_all(&piece).is_err() {
                piece.truncate(piece.len() / 2);
            }
        }
        path
    }

    fn make_read_only(&self) {
        let status = Command::new("mount").args(["-o", "remount,ro"]).arg(&self.0).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_waited_for() {
    let stand_in = StandIn::start();
    let workspace = Workspace::new(&stand_in, None);
    let Some(disk) = Disk::at(&workspace.path().join("state")) else {
        eprintln!("SKIPPED: a disk of its own cannot be mounted here; the limit on files stands in for it");
        return;
    };
    let process = Process::start(&workspace, LEASE);
    let disk = &disk;
    run_through_outage(workspace, &stand_in, process, |_| {
        let filler = disk.fill();
        Box::new(move || fs::remove_file(filler).unwrap())
    });
}

#[test]
fn files_that_may_not_grow_are_waited_for() {
    if Command::new("prlimit").arg("--version").output().is_err() {
        eprintln!("SKIPPED: prlimit is not installed");
        return;
    }
    let stand_in = StandIn::start();
    let workspace = Workspace::new(&stand_in, None);
    let process = Process::start_limitable(&workspace, LEASE);
    run_through_outage(workspace, &stand_in, process, |process| {
        let id = process.id();
        limit_files(id, "1");
        Box::new(move || limit_files(id, "unlimited"))
    });
}

/// Sets the soft limit on the file size; the hard limit stays, so that it can be raised again.
fn limit_files(process: u32, bytes: &str) {
    let status =
        Command::new("prlimit").args(["--pid", &process.to_string(), &format!("--fsize={bytes}:")]).status();
    assert!(status.unwrap().success());
}

#[test]
fn a_lock_of_another_program_is_waited_for() {
    let stand_in = StandIn::start();
    let workspace = Workspace::new(&stand_in, None);
    let (process, store) = (Process::start(&workspace, LEASE), workspace.path().join("state/hob.db"));
    run_through_outage(workspace, &stand_in, process, |_| {
        let other = rusqlite::Connection::open(store).unwrap();
        other.busy_timeout(DEADLINE).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        Box::new(move || other.execute_batch("ROLLBACK").unwrap())
    });
}

#[test]
fn a_stop_does_not_wait_for_a_store_that_is_away() {
    let stand_in = StandIn::start();
    let workspace = Workspace::new(&stand_in, None);
    let mut process = Process::start(&workspace, &[]);
    let accepted = stand_in.runtime.block_on(async {
        process.ready().await;
        let sender = EventSender::start(&stand_in, Addresses::of(&process), LANES);
        wait_until("events come in", || sender.count() >= EVENTS_PER_PHASE).await;
        sender.finish().await
    });
    let other = rusqlite::Connection::open(workspace.path().join("state/hob.db")).unwrap();
    other.busy_timeout(DEADLINE).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let begun = Instant::now();
    assert!(process.stop().success());
    // Ten seconds are promised; as many again allow for a busy machine.
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    other.execute_batch("ROLLBACK").unwrap();
    drop(other);
    finish_all_runs(&workspace, 1);
    let observations = Observations::gather(accepted, &stand_in.sandbox, workspace.path());
    assert_eq!(violations(&observations), Vec::<String>::new());
}

#[test]
fn a_read_only_disk_is_reported() {
    let stand_in = StandIn::start();
    let workspace = Workspace::new(&stand_in, None);
    let Some(disk) = Disk::at(&workspace.path().join("state")) else {
        eprintln!("SKIPPED: a disk of its own cannot be mounted here");
        return;
    };
    hob(workspace.path(), &["run", "--once"]).code(0);
    disk.make_read_only();
    let ended = hob(workspace.path(), &["run", "--once"]).code(3);
    assert!(ended.errors.contains("give the user that runs hob write permission"), "{}", ended.errors);
}

#[test]
fn a_damaged_store_is_reported_and_unchanged() {
    let stand_in = StandIn::start();
    let workspace = Workspace::new(&stand_in, None);
    hob(workspace.path(), &["run", "--once"]).code(0);
    let store = workspace.path().join("state/hob.db");
    let sound = fs::read(&store).unwrap();
    let told = |bytes: Vec<u8>, remedy: &str| {
        fs::write(&store, &bytes).unwrap();
        for arguments in [&["run", "--once"][..], &["runs", "list"]] {
            let ended = hob(workspace.path(), arguments).code(3);
            assert!(ended.errors.contains(remedy), "{arguments:?}: {}", ended.errors);
        }
        bytes
    };
    // Every page but the first, which holds the schema.
    let mut damaged = sound.clone();
    damaged[4096..].fill(0x55);
    told(damaged, "restore a backup");
    let nonsense = told(b"name: no database\n".repeat(300), "name another file");
    assert_eq!(fs::read(&store).unwrap(), nonsense);
    // Restored from a backup.
    fs::write(&store, sound).unwrap();
    hob(workspace.path(), &["run", "--once"]).code(0);
}
