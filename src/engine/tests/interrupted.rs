//! Requests without an answer, because hob or the connection stops.

use super::*;

/// Stops an engine during the request to `server`, like a crash.
async fn crash_in_request(bed: &TestBed, verb: &str, at: &str) {
    let reached = Arc::new(Notify::new());
    let told = Arc::clone(&reached);
    let answer = move |_: &wiremock::Request| {
        told.notify_one();
        ResponseTemplate::new(200).set_delay(Duration::from_secs(600))
    };
    Mock::given(method(verb)).and(path(at)).respond_with(answer).up_to_n_times(1).mount(&bed.server).await;
    let journal = bed.store();
    add(journal.as_ref(), &[json!({})]).await;
    let engine = bed.engine(Arc::<Sqlite>::clone(&journal), quick());
    let running = tokio::spawn(async move { engine.run_until_idle().await });
    reached.notified().await;
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    journal.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_whose_answer_was_lost_is_found_and_adopted() {
    let bed = TestBed::new("actions: [{ id: a, do: things.create, with: { name: ann } }]\n").await;
    crash_in_request(&bed, "POST", "/things").await;
    let thing = json!({ "id": "t1", "name": "Ann", "at": Clock::system().now() });
    let bed = bed.on("GET", "/things", ok(json!({ "things": [thing] }))).await;
    let journal = bed.store();
    bed.engine(Arc::<Sqlite>::clone(&journal), quick()).run_until_idle().await.unwrap();
    let (row, history) = only(journal.as_ref()).await;
    assert_eq!(row.state, RunState::Succeeded, "{history:?}");
    assert_eq!(kinds(&history), ["started", "intent", "in_doubt", "step_succeeded", "finished"]);
    assert_eq!(bed.requests().await, ["POST /things", "GET /things"], "never sent twice");
}

/// The outcome of a lost create of a row named `ann` if the list has these names.
async fn lost_among(names: &[String]) -> (RunRow, Vec<String>) {
    let bed = TestBed::new("actions: [{ id: a, do: rows.create, with: { name: ann } }]\n").await;
    crash_in_request(&bed, "POST", "/rows").await;
    let row = |name: &String| json!({ "name": name, "at": Clock::system().now() });
    let rows: Vec<Value> = names.iter().map(row).collect();
    let list = move |request: &wiremock::Request| {
        let number = |name: &str| {
            let given = request.url.query_pairs().find(|(key, _)| key == name);
            given.and_then(|(_, value)| value.parse::<usize>().ok())
        };
        let page = rows.iter().skip(number("skip").unwrap_or(0)).take(number("limit").unwrap_or(1));
        ok(json!({ "rows": page.collect::<Vec<_>>() }))
    };
    Mock::given(method("GET")).and(path("/rows")).respond_with(list).mount(&bed.server).await;
    let bed = bed.on("POST", "/rows", ok(json!({}))).await;
    let journal = bed.store();
    bed.engine(Arc::<Sqlite>::clone(&journal), quick()).run_until_idle().await.unwrap();
    (only(journal.as_ref()).await.0, bed.requests().await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_create_is_looked_for_on_every_page() {
    let mut names: Vec<String> = (0..4).map(|number| format!("n{number}")).collect();
    let (row, requests) = lost_among(&names).await;
    assert_eq!(row.state, RunState::Succeeded, "{row:?}");
    assert_eq!(requests, ["POST /rows", "GET /rows", "GET /rows", "GET /rows", "POST /rows"], "not there");
    names.push("ann".into());
    let (row, requests) = lost_among(&names).await;
    assert_eq!(row.state, RunState::Succeeded, "{row:?}");
    // All pages are read, because a second match would make the result unclear.
    let all = ["POST /rows", "GET /rows", "GET /rows", "GET /rows", "GET /rows"];
    assert_eq!(requests, all, "never sent twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_too_long_to_search_is_inconclusive() {
    let names: Vec<String> = (0..100).map(|number| format!("n{number}")).collect();
    let (row, requests) = lost_among(&names).await;
    assert_eq!(row.state, RunState::Parked, "{row:?}");
    assert_eq!(requests.iter().filter(|request| *request == "POST /rows").count(), 1, "{requests:?}");
    assert_eq!(requests.len(), 21, "some pages, and no more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_without_a_probe_is_parked() {
    let bed = TestBed::new("actions: [{ id: a, do: things.shout, with: { text: hi } }]\n").await;
    crash_in_request(&bed, "POST", "/shouts").await;
    let journal = bed.store();
    bed.engine(Arc::<Sqlite>::clone(&journal), quick()).run_until_idle().await.unwrap();
    let (row, _) = only(journal.as_ref()).await;
    assert_eq!(row.state, RunState::Parked);
    assert!(row.error.as_ref().unwrap().contains("may have happened"), "{row:?}");
    assert_eq!(bed.requests().await, ["POST /shouts"]);
}

/// On one thread, so that no worker sees the answer before the engine has announced the stop.
#[tokio::test]
async fn stopping_ends_the_request_and_the_next_start_continues() {
    let bed = TestBed::new(
        "actions:\n- { do: things.shout, with: { n: 1 } }\n- { do: things.get, with: { id: a } }\n",
    )
    .await;
    let (answer, reached, go) = held(ok(json!({})));
    Mock::given(method("POST")).respond_with(answer).mount(&bed.server).await;
    let bed = bed.on("GET", "/things/a", ok(json!({}))).await;
    let journal = bed.store();
    add(journal.as_ref(), &[json!({})]).await;
    let engine = bed.engine(Arc::<Sqlite>::clone(&journal), quick());
    let stop = async move {
        reached.notified().await;
        go.send(()).unwrap();
    };
    engine.run(stop).await;
    let (row, history) = only(journal.as_ref()).await;
    assert_eq!(row.state, RunState::Waiting);
    assert_eq!(kinds(&history), ["started", "intent", "step_succeeded"]);
    bed.engine(Arc::<Sqlite>::clone(&journal), quick()).run_until_idle().await.unwrap();
    assert_eq!(only(journal.as_ref()).await.0.state, RunState::Succeeded);
    assert_eq!(bed.requests().await, ["POST /shouts", "GET /things/a"]);
}
