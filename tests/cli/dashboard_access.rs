//! Who gets into the dashboard, from where, with what, and what is recorded of it.

use std::fs;

use tempfile::TempDir;

use crate::cluster::Cluster;
use crate::dashboard_client::{Ask, PASSWORD, Site, guarded_workspace, workspace};
use crate::program::{hob, hob_with};

/// `hob operators log`, as rows of who, what and about what.
fn log(site: &Site) -> Vec<(String, String, String, u64)> {
    let rows = hob(site.path(), &["operators", "log", "--format", "json"]).code(0).json();
    let text = |row: &serde_json::Value, name: &str| row[name].as_str().unwrap().to_owned();
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| {
        (text(row, "operator"), text(row, "act"), text(row, "target"), row["runs"].as_u64().unwrap())
    })
    .collect()
}

#[test]
fn nobody_needs_a_login_on_the_machine_itself_and_nobody_gets_in_from_elsewhere() {
    let site = Site::start(workspace("{}"), "127.0.0.1");
    let page = site.ask(Ask::get("/"));
    assert!(page.status == 200 && page.body.contains("local"), "{}", page.body);
    assert!(page.cookies().is_empty() && !page.body.contains("Log out"));
    assert_eq!(site.ask(Ask::get("/login?next=%2Faudit-log")).header("location"), "/audit-log");
    for (name, value) in
        [("X-Forwarded-For", "192.0.2.7"), ("Via", "1.1 caddy"), ("Forwarded", "for=192.0.2.7")]
    {
        let elsewhere = site.ask(Ask::get("/").with(name, value));
        assert_eq!(elsewhere.status, 403, "{name}");
        assert!(elsewhere.body.contains("hob operators password"), "{}", elsewhere.body);
        let program = site.ask(Ask::new("GET", "/").with(name, value));
        assert!(program.status == 403 && program.header("content-type") == "application/json");
    }
    // A proxy that says nothing of its client.
    assert_eq!(site.ask(Ask::get("/").old_version()).status, 403);
    for open in ["/healthz", "/readyz"] {
        assert_eq!(site.ask(Ask::get(open).with("X-Forwarded-For", "192.0.2.7")).status, 200, "{open}");
    }

    let everywhere = Site::start(workspace("{}"), "0.0.0.0");
    assert_eq!(everywhere.ask(Ask::get("/")).status, 403, "its callers may be anywhere");
}

#[test]
fn operators_log_in_act_and_log_out_and_all_of_it_is_recorded() {
    let (folder, token) = guarded_workspace("");
    let site = Site::start(folder, "127.0.0.1");
    let lost = site.ask(Ask::get("/audit-log?act=login"));
    assert_eq!((lost.status, lost.header("location")), (303, "/login?next=%2Faudit%2Dlog%3Fact%3Dlogin"));
    assert_eq!(site.ask(Ask::new("GET", "/")).status, 401, "a program is told");

    let page = site.login_page();
    let fields =
        [("csrf", page.csrf.as_str()), ("name", "ada"), ("password", PASSWORD), ("next", "/audit-log")];
    let answer = site.ask(Ask::form("/login", &fields).by(&page));
    assert_eq!((answer.status, answer.header("location")), (303, "/audit-log"));
    let set = answer.headers("set-cookie");
    assert!(set[0].starts_with("hob_session=") && set[0].ends_with("; Path=/; HttpOnly; SameSite=Strict"));
    assert!(set[1].starts_with("hob_login=; ") && set[1].contains("Max-Age=0"), "{set:?}");

    let ada = site.login("ada");
    let shown = site.ask(Ask::get("/").by(&ada));
    assert!(shown.status == 200 && shown.body.contains("Log out") && !shown.body.contains("may look only"));
    // A token of a script, in the header or on the login page.
    let script = site.ask(Ask::new("GET", "/audit-log").with("Authorization", &format!("Bearer {token}")));
    assert!(script.status == 200 && script.body.contains("login"), "{}", script.body);
    assert_eq!(site.try_login("script", &token).status, 303);
    let bob = site.login("bob");
    assert!(site.ask(Ask::get("/").by(&bob)).body.contains("may look only"));
    assert_eq!(site.try_login("ada", "wrong horse battery").status, 401);
    assert_eq!(site.try_login("my password by mistake", "x").status, 401);

    let out = site.ask(Ask::form("/logout", &[("csrf", &ada.csrf)]).by(&ada));
    assert_eq!((out.status, out.header("location")), (303, "/login"));
    assert!(out.header("set-cookie").starts_with("hob_session=; "));
    assert_eq!(site.ask(Ask::get("/").by(&ada)).status, 303, "the cookie is worth nothing any more");
    assert_eq!(site.ask(Ask::get("/").by(&bob)).status, 200);

    let acts: Vec<_> = log(&site).into_iter().map(|(who, act, ..)| format!("{who} {act}")).collect();
    let expected = [
        "ada logout",
        "(unknown) login-failed",
        "ada login-failed",
        "bob login",
        "script login",
        "ada login",
        "ada login",
    ];
    assert_eq!(acts, expected);
    let listed = site.ask(Ask::get("/audit-log?act=login-failed").by(&bob)).body;
    assert!(listed.contains("(unknown)") && listed.contains("127.0.0.1") && !listed.contains("by mistake"));
}

#[test]
fn a_session_outlives_a_restart_but_not_its_password() {
    let (folder, _) = guarded_workspace("");
    let mut site = Site::start(folder, "127.0.0.1");
    let bob = site.login("bob");
    site.restart();
    assert_eq!(site.ask(Ask::get("/").by(&bob)).status, 200);
    let file = site.path().join("hob.yaml");
    let text = fs::read_to_string(&file).unwrap();
    let old = text.lines().find(|line| line.contains("name: bob")).unwrap();
    fs::write(&file, text.replace(old, &old.replace("name: bob", "name: bob, role: act"))).unwrap();
    site.restart();
    assert!(!site.ask(Ask::get("/").by(&bob)).body.contains("may look only"), "the role is that of hob.yaml");
    let other = crate::dashboard_client::password_hash(site.path());
    let (before, _) = old.split_once("password_hash").unwrap();
    fs::write(&file, text.replace(old, &format!("{before}password_hash: {other} }}"))).unwrap();
    site.restart();
    assert_eq!(site.ask(Ask::get("/").by(&bob)).status, 303, "another hash of the same password");
    fs::write(&file, text.replace(&format!("{old}\n"), "")).unwrap();
    site.restart();
    assert_eq!(site.ask(Ask::get("/").by(&bob)).status, 303);
}

#[test]
fn processes_that_share_a_store_know_the_same_sessions() {
    // The missing PostgreSQL was reported.
    let Some(cluster) = Cluster::shared() else { return };
    let (folder, _) = guarded_workspace("");
    let store = format!("store: '{}'\n", cluster.store());
    let text = fs::read_to_string(folder.path().join("hob.yaml")).unwrap() + &store;
    fs::write(folder.path().join("hob.yaml"), &text).unwrap();
    let one = Site::start(folder, "127.0.0.1");
    let other = Site::start(workspace(&text), "127.0.0.1");
    let ada = one.login("ada");
    assert_eq!(other.ask(Ask::get("/audit-log").by(&ada)).status, 200);
    // The form of one process is good for the other, too.
    let page = one.login_page();
    let fields = [("csrf", page.csrf.as_str()), ("name", "ada"), ("password", PASSWORD)];
    assert_eq!(other.ask(Ask::form("/login", &fields).by(&page)).status, 303);
    assert_eq!(other.ask(Ask::form("/logout", &[("csrf", &ada.csrf)]).by(&ada)).header("location"), "/login");
    assert_eq!(one.ask(Ask::get("/audit-log").by(&ada)).status, 303, "it has ended everywhere at once");
}

/// A workspace with three failed runs of one cause.
fn failed_runs() -> TempDir {
    let folder = workspace("history: { keep: 30d }\n");
    let path = folder.path();
    let recipe = "name: phones\ntrigger: { manual: {} }\nactions:\n  - { do: log, with: { message: \"{{ event.phone | e164('GB') }}\" } }\n";
    fs::write(path.join("recipes/phones.yaml"), recipe).unwrap();
    for phone in ["a", "b", "c"] {
        let event = format!("{{\"phone\": \"{phone}\"}}");
        hob_with(path, &["trigger", "phones", "--event", "-"], &event).code(0);
    }
    hob(path, &["run", "--once"]).code(1);
    folder
}

#[test]
fn acts_of_the_dashboard_are_recorded_with_the_number_of_runs() {
    let site = Site::start(failed_runs(), "127.0.0.1");
    let status = hob(site.path(), &["status", "--format", "json"]).json();
    let cause = status["problems"][0]["cause"].as_str().unwrap();
    let csrf = site.ask(Ask::get("/recipes/phones")).csrf();
    let post = |target: &str, fields: &[(&str, &str)]| {
        let fields = [&[("csrf", csrf.as_str())], fields].concat();
        let answer = site.ask(Ask::form(target, &fields));
        assert_eq!(answer.status, 303, "{target}: {}", answer.body);
    };
    post("/recipes/phones/pause", &[]);
    let runs = hob(site.path(), &["runs", "list", "--format", "json"]).json();
    let run = runs[0]["id"].as_str().unwrap();
    post(&format!("/runs/{run}"), &[("act", "retry")]);
    // It waits, because its recipe is paused, so that two are left.
    post("/fix", &[("cause", cause), ("act", "skip")]);
    let rows = loop {
        let rows = log(&site);
        if rows.iter().any(|(.., runs)| *runs == 2) {
            break rows;
        }
    };
    let rows: Vec<_> =
        rows.into_iter().map(|(who, act, target, _)| format!("{who} {act} {target}")).collect();
    assert!(rows[0].starts_with(&format!("local skip cause {cause}")), "{rows:?}");
    let first = [format!("local retry run {run}"), "local pause recipe phones".to_owned()];
    assert_eq!(rows[rows.len() - 2..], first);
}

#[test]
fn acts_of_the_command_line_are_recorded_with_their_user() {
    let folder = failed_runs();
    let path = folder.path();
    let by_ada = |arguments: &[&str]| {
        let mut command = assert_cmd::Command::cargo_bin("hob").unwrap();
        command.env_clear().env("USER", "ada").current_dir(path).args(arguments).assert().success();
    };
    by_ada(&["runs", "retry", "--recipe", "phones", "--dry-run"]);
    by_ada(&["runs", "retry", "--recipe", "phones"]);
    by_ada(&["pause", "phones"]);
    by_ada(&["pause", "phones"]);
    by_ada(&["resume", "phones"]);
    by_ada(&["runs", "skip", "--state", "waiting"]);
    let listed = hob(path, &["operators", "log", "--format", "json"]).code(0).json();
    let rows: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            assert_eq!((&row["operator"], &row["origin"]), (&"ada".into(), &"command line".into()));
            format!("{} {} {}", row["act"].as_str().unwrap(), row["target"].as_str().unwrap(), row["runs"])
        })
        .collect();
    let expected =
        ["skip state waiting 3", "resume recipe phones 0", "pause recipe phones 0", "retry recipe phones 3"];
    assert_eq!(rows, expected);
    let only =
        hob(path, &["operators", "log", "--act", "pause", "--operator", "ada", "--since", "1h"]).code(0);
    assert!(only.output.contains("recipe phones") && only.output.lines().count() == 2, "{}", only.output);
    assert!(hob(path, &["operators", "log", "--act", "dance"]).code(2).errors.contains("login-failed"));
}

#[test]
fn weak_passwords_get_no_hash() {
    let folder = tempfile::tempdir().unwrap();
    let told = hob_with(folder.path(), &["operators", "password"], "short\n").code(2).errors;
    assert!(told.contains("at least 12 characters") && !told.contains("short"), "{told}");
    hob_with(folder.path(), &["operators", "password"], "").code(2);
}
