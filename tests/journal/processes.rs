//! Several processes on an SQLite file, and one that is killed.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use hob::journal::{Access, Batch, Error, Journal, RunFilter, Sqlite};
use hob::run::RunState;

use crate::fixture::{StoreLocation, TIMEOUT, add, at, event, ids, lease, remark, update};

#[tokio::test]
async fn a_second_runner_is_rejected_until_the_first_has_ended() {
    let location = StoreLocation::sqlite();
    let first = location.open().await;
    let error = Sqlite::open(&location.path(), Access::Runner).err().expect("is refused");
    assert!(matches!(error, Error::Busy { holder: Some(process), .. } if process == std::process::id()));
    let path = location.path().display().to_string();
    assert_eq!(
        error.to_string().replace(&path, "PATH"),
        format!(
            "another hob (process {}) is using the store PATH; stop it first, or use PostgreSQL to share the work",
            std::process::id()
        )
    );
    first.close().await;
    Sqlite::open(&location.path(), Access::Runner).expect("is free");
}

#[tokio::test]
async fn a_client_adds_beside_a_runner_and_wakes_it() {
    let location = StoreLocation::sqlite();
    let runner = location.open().await;
    assert!(lease(&*runner, 1, 0).await.is_empty());
    let waiting = {
        let runner = Arc::clone(&runner);
        tokio::spawn(async move { tokio::time::timeout(TIMEOUT, runner.changed(TIMEOUT * 2)).await })
    };
    let client = Sqlite::open(&location.path(), Access::Client).expect("opens beside a runner");
    let run = add(&client, "1", "a", "x").await;
    waiting.await.unwrap().expect("the runner wakes");
    assert_eq!(ids(&lease(&*runner, 1, 0).await), [run]);
    // A client does not decide that the runner is gone.
    assert_eq!(client.reclaim("client", at(1)).await.unwrap(), 0);
}

/// The folder of the child process below.
const CHILD: &str = "HOB_TEST_JOURNAL_CHILD";

#[tokio::test]
#[ignore = "it is what `a_killed_runner_loses_nothing_it_acknowledged` starts and kills"]
async fn child_that_appends_until_it_is_killed() {
    #[expect(clippy::disallowed_methods, reason = "the parent's way to tell its child")]
    let Some(path) = std::env::var_os(CHILD).map(PathBuf::from) else { return };
    let journal = Arc::new(Sqlite::open(&path, Access::Runner).expect("opens"));
    for writer in 0..8 {
        let journal = Arc::clone(&journal);
        tokio::spawn(async move {
            for n in 0.. {
                let dedup = format!("{writer}-{n}");
                add(&*journal, &dedup, "a", &writer.to_string()).await;
                println!("stored {dedup}");
            }
        });
    }
    loop {
        for run in lease(&*journal, 4, 0).await {
            let end = update(RunState::Succeeded, 1);
            journal.record(&run.lease, vec![remark(0, "done")], end).await.expect("records");
            println!("finished {}", run.event.dedup.0);
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_killed_runner_loses_nothing_it_acknowledged() {
    let location = StoreLocation::sqlite();
    let program = std::env::current_exe().unwrap();
    let mut child = Command::new(program)
        .args(["--ignored", "--exact", "processes::child_that_appends_until_it_is_killed", "--nocapture"])
        .env(CHILD, location.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut acknowledged = Vec::new();
    let mut finished = 0;
    while finished < 50 {
        let line: String = lines.next().expect("the child goes on until it is killed");
        finished += u32::from(line.starts_with("finished "));
        acknowledged.push(line);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    acknowledged.extend(lines);

    let journal = location.open().await;
    let told = |word: &str| -> Vec<String> {
        acknowledged.iter().filter_map(|line| line.strip_prefix(word)).map(str::to_owned).collect()
    };
    let (stored, finished) = (told("stored "), told("finished "));
    assert!(stored.len() >= finished.len());
    for dedup in &stored {
        let batch = Batch { events: vec![(event(dedup), vec![])], progress: None };
        assert_eq!(journal.append(batch).await.unwrap().duplicates, 1, "{dedup} is lost");
    }
    let totals = journal.totals(None).await.unwrap();
    assert!(totals.runs["succeeded"] >= finished.len() as u64);
    let counted = journal.totals(Some(at(-1))).await.unwrap();
    assert_eq!(counted.runs, totals.runs);

    // Leased runs continue, each lane where it was.
    journal.reclaim("worker-2", at(0)).await.unwrap();
    let heads = lease(&*journal, 100, 0).await;
    assert!(heads.len() <= 8);
    for head in heads {
        let (lane, n) = head.event.dedup.0.split_once('-').unwrap();
        let n: u32 = n.parse().unwrap();
        assert!(!finished.contains(&head.event.dedup.0), "{} would run twice", head.event.dedup.0);
        for earlier in 0..n {
            let id = format!("{lane}-{earlier}");
            let about = RunFilter { record: Some(format!("contact-{id}")), ..RunFilter::default() };
            let runs = journal.runs(&about).await.unwrap();
            assert!(runs.iter().all(|run| run.finished.is_some()), "{id} was overtaken");
        }
    }
}
