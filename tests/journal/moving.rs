use hob::event::Seen;
use hob::journal::{
    Act, BaseWrite, Batch, Due, Journal, Link, LinkBase, OperatorAct, Part, Progress, RecipeText, Record,
    Retention, RunFilter, RunUpdate, StoredAlert,
};
use hob::run::{RunState, Write};
use serde_json::json;

use crate::fixture::{
    StoreLocation, add, at, cursor, end, event, ids, lease, new_run, remark, sleep_until, update,
};

/// A store with runs in every state: ended, waiting, sleeping, blocking a lane, and leased.
async fn fill_store(journal: &dyn Journal) {
    for n in 0..12 {
        add(journal, &n.to_string(), "a", &(n % 6).to_string()).await;
    }
    let leased = lease(journal, 6, 0).await;
    let begun = RunUpdate { version: Some("v1".to_owned()), ..update(RunState::Running, 0) };
    journal.record(&leased[0].lease, vec![remark(0, "begun")], begun).await.unwrap();
    journal.record(&leased[1].lease, vec![remark(0, "sleeps")], sleep_until(500)).await.unwrap();
    let write = Write {
        connection: "studio".to_owned(),
        record: "c1".to_owned(),
        operation: "contacts.update".to_owned(),
        fields: json!({ "z": "ü", "a": 1.50 }),
        origin: None,
    };
    let failed = RunUpdate {
        writes: vec![write.clone(), write],
        error: Some("no".to_owned()),
        ..update(RunState::Failed, 1)
    };
    journal.record(&leased[2].lease, vec![], failed.clone()).await.unwrap();
    end(journal, &leased[3], RunState::Parked).await;
    journal.record(&leased[4].lease, vec![], RunUpdate { holds_lane: true, ..failed }).await.unwrap();
    let progress = Progress {
        cursor: cursor("p", 3),
        seen: (0..5).map(|n| Seen { record: n.to_string(), fingerprint: format!("f{n}") }).collect(),
        forgotten: vec![],
        reset: false,
        claim: None,
        beside: false,
    };
    journal.append(Batch { events: vec![(event("x"), vec![])], progress: Some(progress) }).await.unwrap();
    let link = Link { name: "l".to_owned(), from: "f".to_owned(), to: "t".to_owned() };
    journal.save_link(&link).await.unwrap();
    let intent = json!({ "run": "run_1", "from": {}, "to": { "name": 2.50 } });
    let (from, to) = (json!({ "name": "Ada" }), json!({ "name": ["ü", 1.50] }));
    let base = json!({ "revision": 1, "from": from, "to": to, "intents": [intent] });
    let base: LinkBase = serde_json::from_value(base).unwrap();
    assert_eq!(journal.put_link_base(&link, &base).await.unwrap(), BaseWrite::Saved);
    let (name, version) = ("a".to_owned(), "v1".to_owned());
    let recipe = RecipeText { name, version, file: "a.yaml".to_owned(), text: "name: a".to_owned() };
    journal.save_recipe(&recipe).await.unwrap();
    journal.put_state("k", &json!({ "z": 1, "a": [2.50] })).await.unwrap();
    for act in [Act::Login, Act::Retry, Act::Skip, Act::Logout, Act::Pause] {
        let act = OperatorAct::new(at(7), "ada", "192.0.2.7", act).about("run_1").changed(3);
        journal.save_act(&act).await.unwrap();
    }
    let alert = |number: usize| StoredAlert {
        key: format!("failed:{number}"),
        version: 1,
        live: number.is_multiple_of(2),
        changed: at(8),
        alert: json!({ "text": "ü", "z": number, "a": 1.50 }),
    };
    let alerts: Vec<StoredAlert> = (0..6).map(alert).collect();
    assert!(journal.put_alerts(&alerts).await.unwrap());
}

/// All records, read in pages of `limit`, after a round trip through JSON.
async fn records(journal: &dyn Journal, limit: usize) -> Vec<Record> {
    let (mut all, moment) = (Vec::new(), journal.snapshot().await.unwrap());
    for part in Part::ALL {
        let mut after = None;
        loop {
            let page = moment.export(part, after.as_deref(), limit).await.unwrap();
            assert!(page.records.len() <= limit);
            all.extend(page.records);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    let line = |record| serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap();
    all.into_iter().map(line).collect()
}

pub async fn everything_can_be_moved(location: &StoreLocation) {
    let (old, place) = (location.open().await, location.another());
    fill_store(&*old).await;
    let exported = records(&*old, 4).await;
    assert_eq!(exported, records(&*old, 1000).await, "pages neither lose nor repeat");
    let under_way = exported.iter().filter(|record| {
        matches!(record, Record::Run { state: RunState::Waiting, due: Due::Now, entries, .. } if entries.len() == 1)
    });
    assert_eq!(under_way.count(), 1, "what is under way goes on at once");

    let new = place.open().await;
    for part in exported.chunks(7) {
        new.import(part.to_vec()).await.unwrap();
    }
    assert_eq!(records(&*new, 1000).await, exported);
    assert_eq!(new.alerts().await.unwrap(), old.alerts().await.unwrap());
    let runs = old.runs(&RunFilter::default()).await.unwrap();
    for (old_row, row) in runs.iter().zip(new.runs(&RunFilter::default()).await.unwrap()) {
        assert_eq!((&old_row.id, &old_row.error, old_row.finished), (&row.id, &row.error, row.finished));
        let (mut before, after) = (old.run(&row.id).await.unwrap().unwrap(), new.run(&row.id).await.unwrap());
        if before.row.state == RunState::Running {
            before.row.state = RunState::Waiting;
        }
        let (before, after) = (serde_json::to_value(before), serde_json::to_value(after));
        assert_eq!(before.unwrap(), after.unwrap());
    }
    assert_eq!(new.written("c1", None, 9).await.unwrap(), old.written("c1", None, 9).await.unwrap());
    assert_eq!(new.written("c1", None, 9).await.unwrap().len(), 4);
    assert_eq!(new.totals(None).await.unwrap(), new.totals(Some(at(-1))).await.unwrap());
    let both = |info: hob::journal::StoreInfo| (info.totals.events, info.cursors, info.links, info.oldest);
    assert_eq!(both(new.info().await.unwrap()), both(old.info().await.unwrap()));

    // Work continues there as here.
    old.reclaim("nobody", at(10_000)).await.unwrap();
    let (here, there) = (lease(&*old, 99, 10_000).await, lease(&*new, 99, 10_000).await);
    let sorted = |mut ids: Vec<hob::run::RunId>| {
        ids.sort();
        ids
    };
    assert_eq!(sorted(ids(&here)), sorted(ids(&there)));
    let known = Batch { events: vec![(event("3"), vec![new_run("a", "x")])], progress: None };
    assert_eq!(new.append(known).await.unwrap().duplicates, 1);
}

/// Asserts that the fingerprint has changed.
#[track_caller]
fn is_new(known: &mut Vec<String>, fingerprint: String) {
    assert!(!known.contains(&fingerprint), "the change of step {} is not seen", known.len());
    known.push(fingerprint);
}

pub async fn a_fingerprint_tells_any_change(location: &StoreLocation) {
    let journal = location.open().await;
    let mut known = Vec::new();
    is_new(&mut known, journal.fingerprint().await.unwrap());
    add(&*journal, "1", "a", "x").await;
    is_new(&mut known, journal.fingerprint().await.unwrap());
    let leased = lease(&*journal, 1, 0).await.remove(0);
    is_new(&mut known, journal.fingerprint().await.unwrap());
    journal.record(&leased.lease, vec![remark(0, "begun")], update(RunState::Running, 0)).await.unwrap();
    is_new(&mut known, journal.fingerprint().await.unwrap());
    journal.record(&leased.lease, vec![], sleep_until(500)).await.unwrap();
    is_new(&mut known, journal.fingerprint().await.unwrap());
    let leased = lease(&*journal, 1, 600).await.remove(0);
    journal.record(&leased.lease, vec![], sleep_until(900)).await.unwrap();
    is_new(&mut known, journal.fingerprint().await.unwrap());
    let ruled = journal.amend(&leased.run.id, 1, vec![remark(0, "no")], update(RunState::Skipped, 0)).await;
    assert!(ruled.unwrap());
    is_new(&mut known, journal.fingerprint().await.unwrap());
    for scan in [3, 4] {
        let progress = Progress {
            cursor: cursor("p", scan),
            seen: vec![],
            forgotten: vec![],
            reset: false,
            claim: None,
            beside: false,
        };
        journal.append(Batch { events: vec![], progress: Some(progress) }).await.unwrap();
        is_new(&mut known, journal.fingerprint().await.unwrap());
    }
    for to in ["t", "u"] {
        let link = Link { name: "l".to_owned(), from: "f".to_owned(), to: to.to_owned() };
        journal.replace_links(&link).await.unwrap();
        is_new(&mut known, journal.fingerprint().await.unwrap());
    }
    let link = Link { name: "l".to_owned(), from: "f".to_owned(), to: "u".to_owned() };
    for revision in [1, 2] {
        let base = LinkBase { revision, ..LinkBase::default() };
        journal.put_link_base(&link, &base).await.unwrap();
        is_new(&mut known, journal.fingerprint().await.unwrap());
    }
    for value in [1, 2] {
        journal.put_state("k", &json!(value)).await.unwrap();
        is_new(&mut known, journal.fingerprint().await.unwrap());
    }
    // Reading changes nothing.
    records(&*journal, 10).await;
    journal.info().await.unwrap();
    journal.healthy().await.unwrap();
    journal.close().await;
    assert_eq!(known.last(), Some(&location.open().await.fingerprint().await.unwrap()));
    // A new event does, even if another was deleted.
    let journal = location.open().await;
    let gone = Retention { before: Some(at(100_000)), most_runs: None, dedup_before: None };
    journal.prune(&gone, 10).await.unwrap();
    is_new(&mut known, journal.fingerprint().await.unwrap());
    add(&*journal, "2", "a", "x").await;
    is_new(&mut known, journal.fingerprint().await.unwrap());
}

pub async fn a_move_can_be_begun_again(location: &StoreLocation) {
    let (old, place) = (location.open().await, location.another());
    fill_store(&*old).await;
    let exported = records(&*old, 1000).await;
    let new = place.open().await;
    new.import(exported[..exported.len() / 2].to_vec()).await.unwrap();
    new.import(exported.clone()).await.unwrap();
    assert_eq!(records(&*new, 1000).await, exported);
    assert_eq!(new.totals(None).await.unwrap(), new.totals(Some(at(-1))).await.unwrap());
    // A run without its event is rejected, with the whole batch.
    let run = exported.iter().find(|record| matches!(record, Record::Run { .. })).unwrap().clone();
    let empty = location.another();
    let empty = empty.open().await;
    let value = Record::Value { key: "k".to_owned(), value: json!(1) };
    assert!(empty.import(vec![value, run]).await.is_err());
    assert_eq!(empty.state("k").await.unwrap(), None);
}
