//! PostgreSQL only: many processes on one store, lost connections, and defects of a server.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hob::journal::{
    Access, Appended, Batch, Error, Journal, Part, Postgres, Queries, Record, RunFilter, Slots,
};
use hob::run::{RunId, RunState};

use crate::cluster::{Cluster, PASSWORD};
use crate::fixture::{
    StoreLocation, TIMEOUT, TTL, WORKER, add, add_event, at, end, event, ids, lease, new_run, remark, update,
};

/// A store in the shared cluster: its address and schema.
fn place() -> Option<(&'static Cluster, String, String)> {
    let cluster = Cluster::shared()?;
    let schema = cluster.schema();
    Some((cluster, cluster.url(&schema), schema))
}

async fn open(url: &str) -> Arc<Postgres> {
    Arc::new(Postgres::open(url, Access::Runner).await.expect("opens"))
}

#[tokio::test(flavor = "multi_thread")]
async fn lanes_keep_their_order_though_many_add_to_them() {
    let Some((_, url, _)) = place() else { return };
    let stores = [open(&url).await, open(&url).await];
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..12 {
        let store = Arc::clone(&stores[writer % 2]);
        writers.spawn(async move {
            for n in 0..20 {
                // Batches that touch several lanes, in different orders.
                let lanes = [n % 3, (n + writer) % 3].map(|lane| lane.to_string());
                let runs = lanes.iter().map(|lane| new_run("a", lane)).collect();
                let batch = Batch { events: vec![(event(&format!("{writer}-{n}")), runs)], progress: None };
                assert_eq!(store.append(batch).await.expect("appends").runs, 2);
            }
        });
    }
    // Meanwhile both work on runs.
    let done = Arc::new(std::sync::Mutex::new(BTreeMap::<String, Vec<RunId>>::new()));
    let mut workers = tokio::task::JoinSet::new();
    for (number, store) in stores.iter().enumerate() {
        let (store, done) = (Arc::clone(store), Arc::clone(&done));
        workers.spawn(async move {
            let owner = format!("worker-{number}");
            while done.lock().unwrap().values().map(Vec::len).sum::<usize>() < 480 {
                let leased = store.lease(&owner, Slots::any(4), at(0), TTL).await.expect("leases");
                for run in leased {
                    assert_eq!(run.lease.epoch, 1, "each run is leased once");
                    done.lock().unwrap().entry(run.run.lane.clone()).or_default().push(run.run.id.clone());
                    end(&*store, &run, RunState::Succeeded).await;
                }
            }
        });
    }
    writers.join_all().await;
    tokio::time::timeout(TIMEOUT, workers.join_all()).await.expect("no lane is stuck");
    let mut order = BTreeMap::<String, Vec<RunId>>::new();
    let page = stores[0].snapshot().await.unwrap().export(Part::Runs, None, 1000).await.unwrap();
    for record in page.records {
        let Record::Run { run, .. } = record else { panic!("a run") };
        order.entry(run.lane).or_default().push(run.id);
    }
    assert_eq!(*done.lock().unwrap(), order);
    let totals = stores[1].totals(None).await.unwrap();
    assert_eq!((totals.events, totals.runs["succeeded"]), (240, 480));
    assert_eq!(totals, stores[1].totals(Some(at(-1))).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_lane_has_one_head_in_any_order_of_arrival() {
    let Some((_, url, _)) = place() else { return };
    let stores = [open(&url).await, open(&url).await, open(&url).await];
    for lane in 0..30 {
        let adding = stores.iter().enumerate().map(|(n, store)| {
            let (store, dedup, lane) = (Arc::clone(store), format!("{lane}-{n}"), lane.to_string());
            tokio::spawn(async move { add(&*store, &dedup, "a", &lane).await })
        });
        for task in adding.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        let leased = lease(&*stores[0], 9, 0).await;
        assert_eq!(leased.len(), 1, "one of a lane at a time");
    }
}

#[tokio::test]
async fn a_process_is_fenced_and_woken_by_another() {
    let Some((_, url, _)) = place() else { return };
    let (one, other) = (open(&url).await, open(&url).await);
    assert!(lease(&*other, 1, 0).await.is_empty());
    let waiting = tokio::spawn({
        let other = Arc::clone(&other);
        async move { tokio::time::timeout(TIMEOUT, other.changed(TIMEOUT * 2)).await }
    });
    let run = add(&*one, "1", "a", "x").await;
    waiting.await.unwrap().expect("the other one wakes");

    let late = lease(&*one, 1, 0).await.remove(0).lease;
    assert!(lease(&*other, 1, 0).await.is_empty());
    assert_eq!(other.reclaim("other", at(29)).await.unwrap(), 0);
    assert_eq!(other.reclaim("other", at(30)).await.unwrap(), 1);
    let present = other.lease("other", Slots::any(1), at(30), TTL).await.unwrap().remove(0);
    assert_eq!((&present.run.id, present.lease.epoch), (&run, late.epoch + 1));
    let record = one.record(&late, vec![remark(0, "late")], update(RunState::Succeeded, 0)).await;
    assert!(matches!(record, Err(Error::Fenced { .. })));
    assert!(one.renew(&[late], at(30), TTL).await.unwrap().is_empty());
    end(&*other, &present, RunState::Succeeded).await;
    assert!(one.run(&run).await.unwrap().unwrap().entries.is_empty());

    // A run ended by another process frees the lane for us and wakes us.
    add(&*one, "2", "a", "x").await;
    add(&*one, "3", "a", "x").await;
    let second = lease(&*other, 1, 0).await.remove(0);
    assert!(lease(&*one, 1, 0).await.is_empty());
    end(&*other, &second, RunState::Failed).await;
    tokio::time::timeout(TIMEOUT, one.changed(TIMEOUT * 2)).await.expect("is woken");
    assert_eq!(lease(&*one, 1, 0).await.len(), 1);
}

#[tokio::test]
async fn a_job_that_fails_spoils_nothing_else() {
    let Some((_, url, _)) = place() else { return };
    let store = open(&url).await;
    let taken = new_run("a", "taken");
    let first = Batch { events: vec![(event("first"), vec![taken.clone()])], progress: None };
    store.append(first).await.unwrap();
    let mut jobs = tokio::task::JoinSet::new();
    for n in 0..40 {
        let (store, taken) = (Arc::clone(&store), taken.clone());
        jobs.spawn(async move {
            let run = if n == 20 { taken } else { new_run("a", &n.to_string()) };
            (
                n,
                store
                    .append(Batch { events: vec![(event(&n.to_string()), vec![run])], progress: None })
                    .await,
            )
        });
    }
    for (n, answer) in jobs.join_all().await {
        match answer {
            Ok(appended) => assert_eq!(appended, Appended { events: 1, runs: 1, duplicates: 0 }),
            Err(error) => assert!(n == 20 && matches!(error, Error::Unavailable { .. }), "{error}"),
        }
    }
    let totals = store.totals(None).await.unwrap();
    assert_eq!((totals.events, totals.runs["waiting"]), (40, 40));
}

#[tokio::test]
async fn texts_may_hold_what_postgres_does_not_take() {
    let Some((_, url, _)) = place() else { return };
    let store = open(&url).await;
    let mut odd = event("a\0b");
    odd.record = Some("re\0cord".to_owned());
    odd.payload = serde_json::json!({ "nul": "\0", "number": 1.10 });
    let run = add_event(&*store, odd.clone(), "a", "la\0ne").await;
    let leased = lease(&*store, 9, 0).await.remove(0);
    assert_eq!((&leased.event, &*leased.run.lane), (&odd, "la\0ne"));
    let mut failed = update(RunState::Failed, 1);
    failed.error = Some("broke at \0".to_owned());
    store.record(&leased.lease, vec![remark(0, "said \0")], failed).await.unwrap();
    let detail = store.run(&run).await.unwrap().unwrap();
    assert_eq!(detail.row.error.as_deref(), Some("broke at \0"));
    assert_eq!((detail.entries, detail.event), (vec![remark(0, "said \0")], odd));
    let found = RunFilter { record: Some("re\0cord".to_owned()), ..RunFilter::default() };
    assert_eq!(store.runs(&found).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_large_batch_is_one_transaction() {
    let Some((_, url, _)) = place() else { return };
    let store = open(&url).await;
    let batch = || Batch {
        events: (0..3000)
            .map(|n| (event(&n.to_string()), vec![new_run("a", &n.to_string()), new_run("b", "one")]))
            .collect(),
        progress: None,
    };
    assert_eq!(store.append(batch()).await.unwrap(), Appended { events: 3000, runs: 6000, duplicates: 0 });
    assert_eq!(store.append(batch()).await.unwrap(), Appended { events: 0, runs: 0, duplicates: 3000 });
    assert_eq!(lease(&*store, 5000, 0).await.len(), 3001);
}

#[tokio::test]
async fn looking_makes_no_store_and_a_strange_schema_is_left_alone() {
    let Some((cluster, url, schema)) = place() else { return };
    assert!(Postgres::open_existing(&url, Access::Client).await.unwrap().is_none());
    cluster.user(&format!("CREATE SCHEMA {schema}; CREATE TABLE {schema}.photos (name TEXT)"));
    let error = refusal(&url).await;
    assert!(error.contains("another program") && error.contains("?schema="), "{error}");
    cluster.user(&format!("DROP TABLE {schema}.photos"));
    add(&*open(&url).await, "1", "a", "x").await;
    assert!(Postgres::open_existing(&url, Access::Client).await.unwrap().is_some());
}

async fn refusal(url: &str) -> String {
    match Postgres::open(url, Access::Runner).await {
        Ok(_) => panic!("it was opened"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_newer_format_is_refused_and_an_older_one_left_to_the_runner() {
    let Some((cluster, url, schema)) = place() else { return };
    open(&url).await.close().await;
    cluster.user(&format!("UPDATE {schema}.store SET format = 99"));
    let error = Postgres::open(&url, Access::Runner).await.err().expect("is refused");
    assert!(matches!(error, Error::Newer { found: 99, known: 12, .. }), "{error:?}");
    assert!(
        error.to_string().ends_with("has format 99, but this hob knows formats up to 12; use a newer hob"),
        "{error}"
    );
    cluster.user(&format!("UPDATE {schema}.store SET format = 0"));
    let error = Postgres::open(&url, Access::Client).await.err().expect("is refused").to_string();
    assert!(error.contains("has an older format; start `hob run` once"), "{error}");
}

#[tokio::test]
async fn errors_do_not_contain_the_password() {
    let Some((cluster, url, _)) = place() else { return };
    let right = format!("127.0.0.1:{}/hob", cluster.port);
    let wrong = [
        (format!("postgres://hob:wrong-{PASSWORD}@{right}"), "check the user and the password"),
        (format!("postgres://hob@{right}"), "check the user and the password"),
        (format!("postgres://nobody:{PASSWORD}@{right}"), "check the user and the password"),
        (url.replace("/hob?", "/elsewhere?"), "createdb"),
        (format!("postgres://hob:{PASSWORD}@127.0.0.1:1/hob"), "check that its server is running"),
        (format!("postgres://hob:{PASSWORD}@host.invalid/hob"), "check that its server is running"),
        (format!("postgres://hob:{PASSWORD}@{right}?sslmode=require"), "check sslmode"),
        (format!("postgres://hob:{PASSWORD}@@{right}"), "%40 for @"),
        (format!("postgres://hob:{PASSWORD}@{right}?colour=red"), "unknown option `colour`"),
        (format!("postgres://hob:{PASSWORD}@{right}?schema=A"), "?schema="),
    ];
    for (url, remedy) in wrong {
        let error = refusal(&url).await;
        assert!(error.contains(remedy), "{remedy}: {error}");
        assert!(!error.contains(PASSWORD), "{error}");
    }
}

#[tokio::test]
async fn a_read_only_server_is_reported() {
    let Some((cluster, url, schema)) = place() else { return };
    let store = open(&url).await;
    add(&*store, "1", "a", "x").await;
    // Like a standby.
    let read_only = format!("{url}&options=-c%20default_transaction_read_only%3Don");
    let error = refusal(&read_only).await;
    assert!(error.contains("is read-only"), "{error}");
    // Missing tables are reported as such.
    cluster.user(&format!("DROP SCHEMA {schema} CASCADE"));
    let error = store.append(Batch { events: vec![(event("2"), vec![])], progress: None }).await.unwrap_err();
    assert!(error.to_string().contains("restore a backup"), "{error}");
    assert!(store.healthy().await.is_err());
}

#[tokio::test]
async fn no_query_reads_a_whole_table() {
    let Some((cluster, url, schema)) = place() else { return };
    let store = open(&url).await;
    // Plans are made while the tables are empty, and kept.
    for n in 0..200 {
        add(&*store, &n.to_string(), "a", &n.to_string()).await;
    }
    for run in lease(&*store, 100, 0).await {
        end(&*store, &run, RunState::Succeeded).await;
    }
    let some = |text: &str| Some(text.to_owned());
    for recipe in [None, some("a")] {
        for record in [None, some("contact-1")] {
            for state in [None, Some(RunState::Succeeded)] {
                for text in [None, some("nothing")] {
                    let (recipe, record) = (recipe.clone(), record.clone());
                    let filter = RunFilter {
                        recipe,
                        record,
                        state,
                        since: Some(at(0)),
                        until: Some(at(9)),
                        text,
                        limit: Some(5),
                        ..RunFilter::default()
                    };
                    store.runs(&filter).await.unwrap();
                }
            }
        }
    }
    store.totals(Some(at(0))).await.unwrap();
    store.next_due().await.unwrap();
    store.reclaim(WORKER, at(0)).await.unwrap();
    store.close().await;
    drop(store);
    // Scan counts appear with a delay after their connection has ended.
    let check = format!(
        "DO $$ DECLARE scans BIGINT; BEGIN
             FOR i IN 1..1200 LOOP
                 PERFORM pg_stat_clear_snapshot();
                 SELECT sum(idx_scan) INTO scans FROM pg_stat_user_tables
                     WHERE schemaname = '{schema}' AND relname = 'runs';
                 EXIT WHEN scans > 100;
                 PERFORM pg_sleep(0.1);
             END LOOP;
             ASSERT scans > 100, 'nothing was counted';
             SELECT sum(seq_scan) INTO scans FROM pg_stat_user_tables
                 WHERE schemaname = '{schema}' AND relname IN ('runs', 'events', 'entries', 'receipts');
             -- One for each index that is made, and one for the update of `due`.
             ASSERT scans <= 19, format('%s whole tables were read', scans);
             SELECT sum(idx_tup_read) INTO scans FROM pg_stat_user_indexes
                 WHERE schemaname = '{schema}' AND indexrelname IN ('runs_lane', 'runs_due', 'runs_ready', 'runs_pkey');
             ASSERT scans < 3000, format('%s rows of the indexes of work were read', scans);
         END $$"
    );
    cluster.user(&check);
}

#[tokio::test]
async fn home_is_another_place_each_time() {
    let (Some(one), Some(other)) = (StoreLocation::postgres(), StoreLocation::postgres()) else { return };
    add(&*one.open().await, "1", "a", "x").await;
    let other = other.open().await;
    assert_eq!(other.totals(None).await.unwrap().events, 0);
    let runs: BTreeSet<RunId> = ids(&lease(&*other, 9, 0).await).into_iter().collect();
    assert!(runs.is_empty());
}
