//! The store is away for a while: its disk is full, or somebody else has locked it. Senders are told to
//! come again, nothing is acknowledged that is not stored, and hob goes on by itself when it is back.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hob::connection::http_client;
use serde_json::json;

use crate::evidence::Evidence;
use crate::feeder::Feeder;
use crate::fleet::Addresses;
use crate::home::Home;
use crate::ordeal::run_until_nothing_is_left;
use crate::process::Process;
use crate::program::hob;
use crate::proof::complaints;
use crate::stand_in::StandIn;

const LANES: usize = 16;
/// Events before, and after, the store is away.
const SOME: usize = 60;
/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(300);
/// Longer than the store is ever away: no run is lost to it.
const LEASE: &[&str] = &["--lease", "1h"];

/// The store is taken away from a program at work and given back.
fn leave_and_come_back(
    home: Home,
    stand_in: &StandIn,
    mut process: Process,
    away: impl FnOnce(&Process) -> Box<dyn FnOnce()>,
) {
    let accepted = stand_in.runtime.block_on(async {
        process.ready().await;
        let address = process.address().borrow().clone().unwrap();
        let feeder = Feeder::start(stand_in, Addresses::of(&process), LANES);
        until("events come in", || feeder.count() >= SOME).await;
        let back = away(&process);
        until_refused(&address).await;
        let log = || fs::read_to_string(home.log_path()).unwrap();
        until("polls wait", || log().contains("polling waits for the store")).await;
        until("runs wait", || {
            log().contains("trying again") || log().contains("cannot take runs from the store")
        })
        .await;
        assert_eq!(status_of_ready(&address).await, 503);
        back();
        let before = feeder.count();
        until("events come in again", || feeder.count() >= before + SOME).await;
        assert_eq!(status_of_ready(&address).await, 200);
        feeder.finish().await
    });
    assert!(process.stop().success());
    run_until_nothing_is_left(&home, 1);
    let evidence = Evidence::gather(accepted, &stand_in.sandbox, home.path());
    assert_eq!(complaints(&evidence), Vec::<String>::new());
    assert_eq!(evidence.parked, vec![], "hob did not end, so nothing is in doubt");
    assert!(evidence.deeds().values().all(|times| *times == 1), "what was done is not done again");
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Sends what is known, until it is answered that it cannot be stored.
async fn until_refused(address: &str) {
    let (client, begun) = (http_client(&Default::default()).unwrap(), Instant::now());
    for number in 0.. {
        assert!(begun.elapsed() < PATIENCE, "the store is not away");
        // The first event of a lane, of which only the first copy counts.
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

/// A small disk of its own at a folder, for as long as this lives.
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

    /// Takes all the space there is; the file that has it.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("filler");
        let mut file = File::create(&path).unwrap();
        let mut piece = vec![0; 1 << 20];
        // Smaller and smaller pieces, until not a byte is left.
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
    let home = Home::new(&stand_in, None);
    let Some(disk) = Disk::at(&home.path().join("state")) else {
        eprintln!("SKIPPED: a disk of its own cannot be mounted here; the limit on files stands in for it");
        return;
    };
    let process = Process::start(&home, LEASE);
    let disk = &disk;
    leave_and_come_back(home, &stand_in, process, |_| {
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
    let home = Home::new(&stand_in, None);
    let process = Process::start_limitable(&home, LEASE);
    leave_and_come_back(home, &stand_in, process, |process| {
        let id = process.id();
        limit_files(id, "1");
        Box::new(move || limit_files(id, "unlimited"))
    });
}

/// Sets the soft limit on the size of files; the hard one stays, so that it can be raised again.
fn limit_files(process: u32, bytes: &str) {
    let status =
        Command::new("prlimit").args(["--pid", &process.to_string(), &format!("--fsize={bytes}:")]).status();
    assert!(status.unwrap().success());
}

#[test]
fn a_lock_of_another_program_is_waited_for() {
    let stand_in = StandIn::start();
    let home = Home::new(&stand_in, None);
    let (process, store) = (Process::start(&home, LEASE), home.path().join("state/hob.db"));
    leave_and_come_back(home, &stand_in, process, |_| {
        let other = rusqlite::Connection::open(store).unwrap();
        other.busy_timeout(PATIENCE).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        Box::new(move || other.execute_batch("ROLLBACK").unwrap())
    });
}

#[test]
fn a_stop_does_not_wait_for_a_store_that_is_away() {
    let stand_in = StandIn::start();
    let home = Home::new(&stand_in, None);
    let mut process = Process::start(&home, &[]);
    let accepted = stand_in.runtime.block_on(async {
        process.ready().await;
        let feeder = Feeder::start(&stand_in, Addresses::of(&process), LANES);
        until("events come in", || feeder.count() >= SOME).await;
        feeder.finish().await
    });
    let other = rusqlite::Connection::open(home.path().join("state/hob.db")).unwrap();
    other.busy_timeout(PATIENCE).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let begun = Instant::now();
    assert!(process.stop().success());
    // Ten seconds are promised; as many again are for a machine that has other things to do.
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    other.execute_batch("ROLLBACK").unwrap();
    drop(other);
    run_until_nothing_is_left(&home, 1);
    let evidence = Evidence::gather(accepted, &stand_in.sandbox, home.path());
    assert_eq!(complaints(&evidence), Vec::<String>::new());
}

#[test]
fn a_disk_that_may_only_be_read_is_told() {
    let stand_in = StandIn::start();
    let home = Home::new(&stand_in, None);
    let Some(disk) = Disk::at(&home.path().join("state")) else {
        eprintln!("SKIPPED: a disk of its own cannot be mounted here");
        return;
    };
    hob(home.path(), &["run", "--once"]).code(0);
    disk.make_read_only();
    let ended = hob(home.path(), &["run", "--once"]).code(3);
    assert!(ended.errors.contains("give the user that runs hob write permission"), "{}", ended.errors);
}

#[test]
fn a_damaged_store_is_told_and_left_alone() {
    let stand_in = StandIn::start();
    let home = Home::new(&stand_in, None);
    hob(home.path(), &["run", "--once"]).code(0);
    let store = home.path().join("state/hob.db");
    let sound = fs::read(&store).unwrap();
    let told = |bytes: Vec<u8>, remedy: &str| {
        fs::write(&store, &bytes).unwrap();
        for arguments in [&["run", "--once"][..], &["runs", "list"]] {
            let ended = hob(home.path(), arguments).code(3);
            assert!(ended.errors.contains(remedy), "{arguments:?}: {}", ended.errors);
        }
        bytes
    };
    // Every page but the first, which holds the list of tables.
    let mut damaged = sound.clone();
    damaged[4096..].fill(0x55);
    told(damaged, "restore a backup");
    let nonsense = told(b"name: no database\n".repeat(300), "name another file");
    assert_eq!(fs::read(&store).unwrap(), nonsense);
    // The backup is back.
    fs::write(&store, sound).unwrap();
    hob(home.path(), &["run", "--once"]).code(0);
}
