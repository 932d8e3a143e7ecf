use std::collections::BTreeMap;

use hob::event::{CursorKey, Priority, Source};
use hob::journal::{EndedIn, Journal, Part, Record, Retention, RunFilter, RunUpdate};
use hob::run::{Origin, RunId, RunState, SourceRecord, StepKey, Unsettled, Write};

use crate::fixture::{StoreLocation, add, add_event, at, end, event, lease, remark, update};

async fn list(journal: &dyn Journal, filter: RunFilter) -> Vec<RunId> {
    journal.runs(&filter).await.unwrap().into_iter().map(|row| row.id).collect()
}

pub async fn filters_and_order(location: &StoreLocation) {
    let journal = location.open().await;
    let mut runs = Vec::new();
    for n in 0..6 {
        let mut event = event(&n.to_string());
        event.received = at(n * 10);
        event.record = (n != 5).then(|| format!("record-{}", n % 2));
        if n == 3 {
            event.source = Source::Backfill(CursorKey::new("a", &["studio-1".to_owned()]));
        }
        let recipe = if n < 4 { "a" } else { "b" };
        runs.push(add_event(&*journal, event, recipe, &n.to_string()).await);
    }
    for run in lease(&*journal, 9, 100).await {
        match runs.iter().position(|id| *id == run.run.id) {
            Some(0 | 1) => end(&*journal, &run, RunState::Failed).await,
            _ => journal.record(&run.lease, vec![], update(RunState::Waiting, 1)).await.unwrap(),
        }
    }
    let pick = |places: &[usize]| places.iter().map(|place| runs[*place].clone()).collect::<Vec<_>>();
    let recipe = |name: &str| Some(name.to_owned());
    let all = RunFilter::default;
    assert_eq!(list(&*journal, all()).await, pick(&[5, 4, 3, 2, 1, 0]));
    assert_eq!(list(&*journal, RunFilter { limit: Some(2), ..all() }).await, pick(&[5, 4]));
    assert_eq!(list(&*journal, RunFilter { recipe: recipe("a"), ..all() }).await, pick(&[3, 2, 1, 0]));
    let live = RunFilter { priority: Some(Priority::Poll), recipe: recipe("a"), ..all() };
    assert_eq!(list(&*journal, live).await, pick(&[2, 1, 0]));
    let failed = RunFilter { state: Some(RunState::Failed), ..all() };
    assert_eq!(list(&*journal, failed.clone()).await, pick(&[1, 0]));
    assert_eq!(list(&*journal, RunFilter { recipe: recipe("b"), ..failed }).await, pick(&[]));
    let record = RunFilter { record: recipe("record-0"), ..all() };
    assert_eq!(list(&*journal, record.clone()).await, pick(&[4, 2, 0]));
    assert_eq!(list(&*journal, RunFilter { recipe: recipe("a"), ..record.clone() }).await, pick(&[2, 0]));
    let waiting = Some(RunState::Waiting);
    assert_eq!(list(&*journal, RunFilter { state: waiting, ..record.clone() }).await, pick(&[4, 2]));
    let until = RunFilter { until: Some(at(20)), ..record.clone() };
    assert_eq!(list(&*journal, until.clone()).await, pick(&[2, 0]));
    assert_eq!(list(&*journal, RunFilter { limit: Some(1), ..until }).await, pick(&[2]));
    assert_eq!(list(&*journal, RunFilter { since: Some(at(20)), ..record }).await, pick(&[4, 2]));
    let since = RunFilter { since: Some(at(20)), ..all() };
    assert_eq!(list(&*journal, since.clone()).await, pick(&[5, 4, 3, 2]));
    assert_eq!(list(&*journal, RunFilter { recipe: recipe("a"), ..since.clone() }).await, pick(&[3, 2]));
    // The same with histories, a page at a time, the other way round.
    for (filter, expected) in [(all(), &[0, 1, 2, 3, 4, 5][..]), (since, &[2, 3, 4, 5])] {
        let (mut after, mut found) = (None, Vec::new());
        loop {
            let page = RunFilter { limit: Some(2), ..filter.clone() };
            let page = journal.histories(&page, after).await.unwrap();
            let Some((place, _)) = page.last() else { break };
            after = Some(*place);
            for (_, detail) in &page {
                let one = journal.run(&detail.row.id).await.unwrap().unwrap();
                assert_eq!(
                    (&one.row, &one.event, &one.entries),
                    (&detail.row, &detail.event, &detail.entries)
                );
            }
            found.extend(page.into_iter().map(|(_, detail)| detail.row.id));
        }
        assert_eq!(found, pick(expected));
    }
}

pub async fn what_has_not_ended_is_counted_by_recipe_connections_and_state(location: &StoreLocation) {
    let journal = location.open().await;
    assert_eq!(journal.unfinished(None).await.unwrap(), []);
    for n in 0..5 {
        add(&*journal, &n.to_string(), "a", &n.to_string()).await;
    }
    let leased = lease(&*journal, 3, 100).await;
    for n in 5..7 {
        add(&*journal, &n.to_string(), "b", &n.to_string()).await;
    }
    end(&*journal, &leased[0], RunState::Succeeded).await;
    journal.record(&leased[1].lease, vec![], update(RunState::Parked, 1)).await.unwrap();
    let counted = journal.unfinished(None).await.unwrap();
    let mut told: Vec<(String, Vec<String>, &str, u64)> = counted
        .into_iter()
        .map(|runs| (runs.recipe, runs.connections, runs.state.name(), runs.count))
        .collect();
    told.sort();
    let of = |recipe: &str, state, count| (recipe.to_owned(), vec!["studio-1".to_owned()], state, count);
    let some = journal.unfinished(Some(4)).await.unwrap();
    assert_eq!(some.iter().map(|runs| runs.count).sum::<u64>(), 4);
    assert_eq!(
        told,
        [of("a", "parked", 1), of("a", "running", 1), of("a", "waiting", 2), of("b", "waiting", 2)]
    );
}

pub async fn texts_are_found_wherever_they_stand(location: &StoreLocation) {
    let journal = location.open().await;
    let mut payload = event("1");
    payload.payload = serde_json::json!({ "name": "Ann \"the\" 100% Lee_x" });
    let in_event = add_event(&*journal, payload, "a", "1").await;
    let (in_error, in_history) = (add(&*journal, "2", "a", "2").await, add(&*journal, "3", "b", "3").await);
    for run in lease(&*journal, 9, 0).await {
        let failed = RunUpdate { error: Some("No such Contact".to_owned()), ..update(RunState::Failed, 1) };
        let (entries, update) = match &run.run.id {
            id if *id == in_error => (vec![], failed),
            id if *id == in_history => (vec![remark(1, "said hello")], update(RunState::Succeeded, 1)),
            _ => (vec![], update(RunState::Succeeded, 1)),
        };
        journal.record(&run.lease, entries, update).await.unwrap();
    }
    let with = |text: &str| RunFilter { text: Some(text.to_owned()), ..RunFilter::default() };
    for (text, found) in [
        ("the\" 100%", vec![&in_event]),
        ("ANN", vec![&in_event]),
        ("no such contact", vec![&in_error]),
        ("Hello", vec![&in_history]),
        ("CONTACT-3", vec![&in_history]),
        ("100_", vec![]),
        ("lee%x", vec![]),
    ] {
        let found: Vec<RunId> = found.into_iter().cloned().collect();
        assert_eq!(list(&*journal, with(text)).await, found, "{text}");
    }
    let both = RunFilter { recipe: Some("a".to_owned()), ..with("contact") };
    assert_eq!(list(&*journal, both).await, [in_error.clone(), in_event.clone()]);
    let first = RunFilter { limit: Some(1), ..with("contact") };
    assert_eq!(list(&*journal, first).await, [in_history]);
}

pub async fn a_list_over_many_states_is_in_order(location: &StoreLocation) {
    let journal = location.open().await;
    let mut runs = Vec::new();
    for n in 0..RunState::ALL.len() * 3 {
        runs.push(add(&*journal, &n.to_string(), "a", &n.to_string()).await);
    }
    let leased = lease(&*journal, runs.len(), 0).await;
    for (run, state) in leased.iter().zip(RunState::ALL.into_iter().cycle()) {
        end(&*journal, run, state).await;
    }
    runs.reverse();
    assert_eq!(list(&*journal, RunFilter::default()).await, runs);
    let mine = RunFilter { recipe: Some("a".to_owned()), limit: Some(5), ..RunFilter::default() };
    assert_eq!(list(&*journal, mine).await, runs[..5]);
}

pub async fn a_run_in_detail(location: &StoreLocation) {
    let journal = location.open().await;
    assert!(journal.run(&RunId("run_none".to_owned())).await.unwrap().is_none());
    let event = event("1");
    let id = add_event(&*journal, event.clone(), "a", "x").await;
    let run = lease(&*journal, 1, 0).await.remove(0);
    let entries = vec![remark(1, "one"), remark(2, "two")];
    let failed = RunUpdate {
        error: Some("the contact has no e-mail".to_owned()),
        version: Some("v1".to_owned()),
        ..update(RunState::Failed, 3)
    };
    journal.record(&run.lease, entries.clone(), failed).await.unwrap();
    let detail = journal.run(&id).await.unwrap().unwrap();
    assert_eq!(detail.row.state, RunState::Failed);
    assert_eq!(detail.row.error.as_deref(), Some("the contact has no e-mail"));
    assert_eq!((detail.row.created, detail.row.finished), (at(0), Some(at(3))));
    assert_eq!(
        (detail.row.record.as_deref(), detail.run.version.as_deref()),
        (Some("contact-1"), Some("v1"))
    );
    assert_eq!((&detail.event, detail.entries), (&event, entries));
    assert_eq!(journal.runs(&RunFilter::default()).await.unwrap(), [detail.row]);
    assert_eq!(journal.event(&event.id).await.unwrap(), Some(event));
}

pub async fn what_was_written_to_a_record(location: &StoreLocation) {
    let journal = location.open().await;
    let write = |record: &str, connection: &str, n: u32| Write {
        connection: connection.to_owned(),
        record: record.to_owned(),
        operation: "contacts.update".to_owned(),
        fields: serde_json::json!({ "z": n, "a": "ü" }),
        origin: None,
    };
    let (first, second) = (add(&*journal, "1", "a", "1").await, add(&*journal, "2", "b", "2").await);
    let leased = lease(&*journal, 2, 0).await;
    let with = |state, seconds, writes| RunUpdate { writes, ..update(state, seconds) };
    let (one, other) = (&leased[0].lease, &leased[1].lease);
    let writes = vec![write("c1", "x", 1), write("n1", "x", 1)];
    journal.record(one, vec![remark(1, "did")], with(RunState::Running, 1, writes)).await.unwrap();
    let writes = vec![write("c1", "y", 2)];
    journal.record(other, vec![remark(2, "did")], with(RunState::Succeeded, 2, writes)).await.unwrap();
    let writes = vec![write("c1", "x", 3)];
    journal.record(one, vec![remark(3, "did")], with(RunState::Succeeded, 3, writes.clone())).await.unwrap();
    // A fenced worker has written nothing.
    journal.record(one, vec![remark(4, "did")], with(RunState::Succeeded, 4, writes)).await.unwrap_err();
    let found = journal.written("c1", None, 9).await.unwrap();
    let told: Vec<_> = found.iter().map(|w| (&w.run, w.recipe.as_str(), w.at, &w.write)).collect();
    let writes = [write("c1", "x", 3), write("c1", "y", 2), write("c1", "x", 1)];
    let expected = [
        (&first, "a", at(3), &writes[0]),
        (&second, "b", at(2), &writes[1]),
        (&first, "a", at(1), &writes[2]),
    ];
    assert_eq!(told, expected);
    let count =
        async |record, connection, limit| journal.written(record, connection, limit).await.unwrap().len();
    assert_eq!(count("c1", Some("x"), 9).await, 2);
    assert_eq!((count("c1", None, 1).await, count("n1", None, 9).await), (1, 1));
    assert_eq!((count("c2", None, 9).await, count("c1", Some("z"), 9).await), (0, 0));
    // They are deleted with their runs.
    let retention = Retention { before: Some(at(100)), ..Retention::default() };
    assert_eq!(journal.prune(&retention, 10).await.unwrap().runs, 2);
    assert_eq!(count("c1", None, 9).await, 0);

    // Those with an origin stay as long as dedup keys.
    let third = add(&*journal, "3", "a", "3").await;
    let leased = lease(&*journal, 1, 200).await;
    let origin = Origin {
        run: third.clone(),
        recipe: "a".to_owned(),
        step: "put".to_owned(),
        sent: at(200),
        answer: serde_json::json!({ "z": "9" }),
        beside: vec![],
        chain: vec![],
        source: Some(SourceRecord { connection: "x".to_owned(), record: "s1".to_owned(), as_of: at(199) }),
    };
    let kept = Write { origin: Some(origin), ..write("c9", "x", 9) };
    let done = with(RunState::Succeeded, 201, vec![kept.clone()]);
    journal.record(&leased[0].lease, vec![remark(201, "did")], done).await.unwrap();
    let retention = Retention { before: Some(at(300)), dedup_before: Some(at(150)), ..Retention::default() };
    assert_eq!(journal.prune(&retention, 10).await.unwrap().runs, 1);
    let found = journal.written("c9", Some("x"), 9).await.unwrap();
    let told: Vec<_> = found.iter().map(|w| (&w.run, w.recipe.as_str(), w.at, &w.write)).collect();
    assert_eq!(told, [(&third, "a", at(201), &kept)]);
    let snapshot = journal.snapshot().await.unwrap();
    let exported = snapshot.export(Part::Writes, None, 10).await.unwrap().records;
    assert_eq!(exported, [Record::Written { at: at(201), write: kept }]);
    drop(snapshot);
    journal.import(exported).await.unwrap();
    assert_eq!(count("c9", None, 9).await, 1, "it was there");
    let retention = Retention { dedup_before: Some(at(250)), ..Retention::default() };
    journal.prune(&retention, 10).await.unwrap();
    assert_eq!(count("c9", None, 9).await, 0);
}

pub async fn what_is_unsettled_is_known_until_it_is_settled(location: &StoreLocation) {
    let journal = location.open().await;
    let one = |action: &str, missed| Unsettled {
        step: StepKey::new(action),
        operation: "contacts.notes.create".to_owned(),
        connection: "studio".to_owned(),
        inputs: serde_json::json!({ "body": "ü\u{0}" }).as_object().unwrap().clone(),
        sent: at(1),
        missed,
        not_probed: false,
    };
    let (first, second) = (add(&*journal, "1", "a", "1").await, add(&*journal, "2", "b", "2").await);
    let leased = lease(&*journal, 2, 0).await;
    let with = |state, unsettled| RunUpdate { unsettled, ..update(state, 1) };
    let (a, b) = (&leased[0].lease, &leased[1].lease);
    let both = vec![one("x", None), one("y", Some(at(2)))];
    journal.record(a, vec![], with(RunState::Running, Some(both.clone()))).await.unwrap();
    journal.record(b, vec![], with(RunState::Running, Some(vec![one("z", None)]))).await.unwrap();
    // An update without the field changes nothing.
    journal.record(a, vec![remark(1, "on")], with(RunState::Parked, None)).await.unwrap();
    let all = [(first.clone(), both[0].clone()), (first.clone(), both[1].clone()), (second, one("z", None))];
    assert_eq!(journal.unsettled().await.unwrap(), all);
    journal.record(b, vec![], with(RunState::Succeeded, Some(vec![]))).await.unwrap();
    assert_eq!(journal.unsettled().await.unwrap(), all[..2]);
    // It moves with its run; an intervention leaves it unchanged.
    let other = location.another();
    let other = other.open().await;
    let snapshot = journal.snapshot().await.unwrap();
    for part in hob::journal::Part::ALL {
        other.import(snapshot.export(part, None, 100).await.unwrap().records).await.unwrap();
    }
    assert_eq!(other.unsettled().await.unwrap(), all[..2]);
    assert!(journal.amend(&first, 1, vec![], update(RunState::Skipped, 2)).await.unwrap());
    assert_eq!(journal.unsettled().await.unwrap().len(), 2);
}

pub async fn totals_of_all_and_since(location: &StoreLocation) {
    let journal = location.open().await;
    for n in 0..5 {
        let mut event = event(&n.to_string());
        event.received = at(n);
        add_event(&*journal, event, "a", &n.to_string()).await;
    }
    let leased = lease(&*journal, 4, 10).await;
    end(&*journal, &leased[0], RunState::Succeeded).await;
    end(&*journal, &leased[1], RunState::Parked).await;
    end(&*journal, &leased[2], RunState::Waiting).await;
    let counts = |counts: &[(&str, u64)]| -> BTreeMap<String, u64> {
        counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    };
    let all = journal.totals(None).await.unwrap();
    assert_eq!(all.events, 5);
    assert_eq!(all.runs, counts(&[("succeeded", 1), ("parked", 1), ("waiting", 2), ("running", 1)]));
    assert_eq!(journal.totals(Some(at(0))).await.unwrap(), all);
    let later = journal.totals(Some(at(2))).await.unwrap();
    assert_eq!((later.events, later.runs), (3, counts(&[("waiting", 2), ("running", 1)])));
}

pub async fn what_ended_alike_is_counted_together(location: &StoreLocation) {
    let journal = location.open().await;
    let mut runs = Vec::new();
    for n in 0..6 {
        let mut event = event(&n.to_string());
        event.received = at(n * 10);
        // The last two are behind another one in its lane.
        let lane = if n < 4 { n.to_string() } else { "3".to_owned() };
        runs.push(add_event(&*journal, event, "a", &lane).await);
    }
    for run in lease(&*journal, 9, 100).await {
        let place = runs.iter().position(|id| *id == run.run.id).unwrap();
        let state = if place == 3 { RunState::Parked } else { RunState::Failed };
        let error = Some(if place == 1 { "other" } else { "same" }.to_owned());
        let version = Some("v1".to_owned());
        let update = RunUpdate { error, version, ..update(state, 200 + place as i64) };
        journal.record(&run.lease, vec![], update).await.unwrap();
    }
    let count = async |state, since, limit| {
        let which = EndedIn { state, since, limit };
        let mut groups = journal.ended_alike(&which).await.unwrap();
        groups.sort_by_key(|group| group.reason.clone());
        groups
    };
    let failed = count(RunState::Failed, None, None).await;
    let told: Vec<(&str, u64)> =
        failed.iter().map(|group| (group.reason.as_deref().unwrap(), group.count)).collect();
    assert_eq!(told, [("other", 1), ("same", 2)]);
    let same = &failed[1];
    assert_eq!((same.first, same.last, &same.newest), (at(200), at(202), &runs[2]));
    assert_eq!((same.recipe.as_str(), same.version.as_deref(), same.behind), ("a", Some("v1"), 0));
    assert_eq!(same.connections, ["studio-1"]);
    let parked = count(RunState::Parked, None, None).await;
    assert_eq!((parked.len(), parked[0].count, parked[0].behind), (1, 1, 2));
    assert_eq!(parked[0].first, at(30), "what has not ended counts from its creation");
    assert_eq!(count(RunState::Failed, Some(at(20)), None).await.len(), 1);
    let newest = count(RunState::Failed, None, Some(1)).await;
    assert_eq!((newest.len(), newest[0].count, &newest[0].newest), (1, 1, &runs[2]));
}

pub async fn what_was_created_is_counted_by_minute(location: &StoreLocation) {
    let journal = location.open().await;
    for n in [0, 59, 60, 61, 200] {
        let mut event = event(&n.to_string());
        event.received = at(n);
        add_event(&*journal, event, "a", &n.to_string()).await;
    }
    end(&*journal, &lease(&*journal, 1, 300).await[0], RunState::Failed).await;
    let first_minute = at(0).timestamp() / 60;
    let mut found: Vec<(RunState, i64, u64)> = journal
        .activity(at(0), at(200))
        .await
        .unwrap()
        .into_iter()
        .map(|part| (part.state, part.minute.timestamp() / 60 - first_minute, part.runs))
        .collect();
    found.sort_unstable_by_key(|(state, minute, _)| (state.name(), *minute));
    assert_eq!(found, [(RunState::Failed, 0, 1), (RunState::Waiting, 0, 1), (RunState::Waiting, 1, 2)]);
}

pub async fn a_list_goes_on_after_any_run(location: &StoreLocation) {
    let journal = location.open().await;
    let mut runs = Vec::new();
    for n in 0..5 {
        let mut event = event(&n.to_string());
        // The first three at the same time.
        event.received = at((n - 2).max(0));
        runs.push(add_event(&*journal, event, "a", &n.to_string()).await);
    }
    runs.reverse();
    for filter in [RunFilter::default(), RunFilter { recipe: Some("a".to_owned()), ..RunFilter::default() }] {
        let (mut found, mut before) = (Vec::new(), None);
        loop {
            let page = RunFilter { before, limit: Some(2), ..filter.clone() };
            let page = list(&*journal, page).await;
            before = page.last().cloned();
            found.extend(page);
            if before.is_none() {
                break;
            }
        }
        assert_eq!(found, runs);
    }
    let gone = RunFilter { before: Some(RunId("run_gone".to_owned())), ..RunFilter::default() };
    assert_eq!(list(&*journal, gone).await, []);
}

pub async fn a_run_knows_its_neighbours_by_id(location: &StoreLocation) {
    let journal = location.open().await;
    let mut runs = Vec::new();
    for n in 0..70 {
        runs.push(add(&*journal, &n.to_string(), "a", &n.to_string()).await);
    }
    runs.sort();
    let mut asked = runs.clone();
    asked.push(RunId("run_nobody".to_owned()));
    let mut found = journal.run_neighbours(&asked).await.unwrap();
    found.sort_by(|one, other| one.id.cmp(&other.id));
    found.dedup();
    assert_eq!(found.len(), runs.len());
    for (place, neighbours) in found.iter().enumerate() {
        assert_eq!(neighbours.id, runs[place]);
        assert_eq!(neighbours.before.as_ref(), place.checked_sub(1).map(|before| &runs[before]));
        assert_eq!(neighbours.after.as_ref(), runs.get(place + 1));
        let short = neighbours.unique_prefix(5);
        let fitting = journal.runs_by_prefix(short, 2).await.unwrap();
        assert_eq!(fitting.len(), 1, "{short}");
        assert_eq!(fitting[0].id, neighbours.id);
    }
    assert!(journal.run_neighbours(&[]).await.unwrap().is_empty());
}
