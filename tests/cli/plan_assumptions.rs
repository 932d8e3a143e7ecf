//! What `hob plan` says is true: advice saves what it promises, and what is guessed or left out is said.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::program::{EndedRun, hob};
use crate::stand_in::StandIn;
use crate::stand_in_workspace::{ONCE, workspace};

/// A folder with these recipes, on an account that allows `daily` requests. A plan sends nothing.
fn folder(daily: u64, recipes: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let account = |name: &str, location: &str| {
        format!(
            "  {name}: {{ connector: highlevel, location: {location}, auth: {{ token: t-{name}-1111 }}, budget: {{ daily: \
             {daily} }} }}\n"
        )
    };
    let fitr =
        "  fitr: { connector: fitr, base_url: \"https://fitr.example\", auth: { token: t-fitr-1111 } }\n";
    let text = format!("connections:\n{}{}{fitr}", account("one", "here"), account("two", "here"));
    fs::write(folder.path().join("hob.yaml"), text).unwrap();
    fs::create_dir(folder.path().join("recipes")).unwrap();
    for (number, recipe) in recipes.iter().enumerate() {
        let recipe = recipe.replacen('\n', "\nconnections: { highlevel: one }\n", 1);
        fs::write(folder.path().join(format!("recipes/{number}.yaml")), recipe).unwrap();
    }
    folder
}

fn plan(folder: &Path, arguments: &[&str]) -> EndedRun {
    hob(folder, &[&["plan"], arguments].concat())
}

fn plan_json(folder: &Path, arguments: &[&str], code: i32) -> Value {
    plan(folder, &[arguments, &["--format", "json"]].concat()).code(code).json()
}

fn poll(name: &str, trigger: &str, step: &str) -> String {
    format!("name: {name}\ntrigger: {{ poll: contacts.search, {trigger} }}\nactions:\n- {step}\n")
}

const LOG: &str = "{ do: log, with: { message: seen } }";
const GET: &str = "{ do: contacts.get, with: { contactId: \"{{ event.id }}\" } }";
const ALL: &str = "every: 1m, emit: [new, changed, removed]";

fn advice<'a>(plan: &'a Value, words: &str) -> Option<&'a Value> {
    let all = plan["counters"][0]["advice"].as_array().unwrap();
    all.iter().find(|advice| advice["change"].as_str().unwrap().contains(words))
}

fn calls(plan: &Value) -> f64 {
    plan["counters"][0]["calls"]["expected"].as_f64().unwrap()
}

#[test]
fn advice_saves_what_it_promises_where_polls_are_shared() {
    let assume = ["--assume", "records=950"];
    for (triggers, leave_out, changed) in [
        ([ALL, ALL], "`removed` out of `emit` of a and b", ["every: 1m", "every: 1m"]),
        (
            [ALL, "every: 2m, emit: [new, removed]"],
            "`removed` out of `emit` of a and b",
            ["every: 1m", "every: 2m, emit: [new]"],
        ),
    ] {
        let recipes = |triggers: [&str; 2]| [poll("a", triggers[0], LOG), poll("b", triggers[1], LOG)];
        let before = recipes(triggers);
        let before = plan_json(folder(5000, &[&before[0], &before[1]]).path(), &assume, 1);
        let found = advice(&before, leave_out).unwrap_or_else(|| panic!("{before:#}"));
        let after = recipes(changed);
        let after = plan_json(folder(50_000, &[&after[0], &after[1]]).path(), &assume, 0);
        assert_eq!(found["saves"].as_f64().unwrap(), (calls(&before) - calls(&after)).round());
    }
    // One that can only be polled for removed records keeps the list being read to its end.
    let shared = [poll("a", ALL, LOG), poll("b", "every: 1m, emit: [removed]", LOG)];
    let plan = plan_json(folder(5000, &[&shared[0], &shared[1]]).path(), &assume, 1);
    assert_eq!(advice(&plan, "`removed`"), None, "{plan:#}");
}

#[test]
fn advice_to_use_webhooks_is_for_all_that_share_a_poll() {
    let recipes = [poll("a", "every: 1m", LOG), poll("b", "every: 1m", LOG)];
    let plan = plan_json(folder(1000, &[&recipes[0], &recipes[1]]).path(), &["--assume", "records=100"], 1);
    let found = advice(&plan, "webhook").unwrap_or_else(|| panic!("{plan:#}"));
    assert!(found["change"].as_str().unwrap().contains("start a by `webhook: ["), "{found}");
    assert!(found["change"].as_str().unwrap().contains(" and b by `webhook: ["), "{found}");
    assert_eq!(found["saves"].as_f64().unwrap(), calls(&plan) - 4.0, "four sweeps remain: {plan:#}");
}

#[test]
fn records_that_exist_count_on_the_first_day() {
    let recipe = poll("all", "every: 5m, start: all", GET);
    let folder = folder(1000, &[&recipe]);
    let known = plan_json(folder.path(), &["--assume", "records=1700", "--assume", "all=10"], 1);
    let counter = &known["counters"][0];
    assert_eq!((&counter["over"], &known["over"]), (&json!(true), &json!(true)));
    assert!(counter["at_start"]["expected"].as_f64().unwrap() > 1700.0, "{counter:#}");
    assert!(counter["calls"]["expected"].as_f64().unwrap() < 1000.0, "{counter:#}");
    let text = plan(folder.path(), &["--assume", "records=1700"]).code(1).output;
    assert!(text.contains("on the first day: too many"), "{text}");
    let unknown = plan_json(folder.path(), &[], 0);
    assert_eq!(unknown["counters"][0]["at_start"]["most"], Value::Null);
    assert!(unknown["recipes"][0]["notes"].to_string().contains("contacts.search=2000"), "{unknown:#}");
    let text = plan(folder.path(), &[]).code(0).output;
    assert!(text.contains("each record that exists") && text.contains("once at the start"), "{text}");
}

#[test]
fn what_is_kept_of_the_day_is_not_for_polls() {
    // 1,440 requests a day, if nothing is found.
    let polled = poll("polled", "every: 1m", LOG);
    let plan_of = |daily: u64, code: i32| {
        plan_json(folder(daily, &[&polled]).path(), &["--assume", "records=100"], code)
    };
    let fits = plan_of(1500, 0);
    let counter = &fits["counters"][0];
    assert_eq!(
        (&counter["reserve"], &counter["calls"]["expected"]),
        (&json!(15), &json!(1440.0)),
        "{fits:#}"
    );
    // The limit would do, but not without the last hundredth.
    let over = plan_of(1450, 1);
    let counter = &over["counters"][0];
    assert_eq!((&counter["reserve"], &counter["over_each_day"]), (&json!(14), &json!(true)), "{over:#}");
    let dry = counter["runs_dry"].as_str().unwrap();
    assert!(dry.starts_with("23:5"), "{over:#}");
    // Runs that somebody waits for may use it.
    let by_hand =
        "name: by-hand\ntrigger: { manual: {} }\nactions:\n- { do: contacts.get, with: { contactId: c } }\n";
    let hand = plan_json(folder(1450, &[by_hand]).path(), &["--assume", "by-hand=1440"], 0);
    assert_eq!((&hand["over"], &hand["counters"][0]["runs_dry"]), (&json!(false), &Value::Null), "{hand:#}");
    let text = plan(folder(1450, &[&polled]).path(), &["--assume", "records=100"]).code(1).output;
    for words in [
        "99.3 %: too many",
        "the last 14 are kept for webhooks, schedules and manual runs",
        "runs dry at 23:5",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
}

#[test]
fn constants_are_evaluated_and_only_requests_are_noted() {
    let recipe = "name: fixed\ntrigger: { manual: {} }\nvars: { some: \"{{ range(3) | list }}\" }\nactions:\n\
        - { do: contacts.get, for_each: \"{{ range(150) | list }}\", with: { contactId: c } }\n\
        - { do: contacts.get, for_each: \"{{ vars.some }}\", with: { contactId: c } }\n\
        - { do: contacts.get, if: \"{{ (range(4) | list | length) > 3 }}\", with: { contactId: c } }\n\
        - { do: log, if: \"{{ event.x }}\", for_each: \"{{ event.all }}\", with: { message: seen } }\n\
        - { id: end, do: stop, if: \"{{ event.x }}\" }\n\
        - { do: contacts.get, with: { contactId: c } }\n";
    let plan = plan_json(folder(1000, &[recipe]).path(), &["--assume", "fixed=2"], 0);
    assert_eq!(calls(&plan), 310.0, "{plan:#}");
    let notes = plan["recipes"][0]["notes"].as_array().unwrap();
    assert_eq!(notes.len(), 1, "{notes:#?}");
    assert!(notes[0]["about"] == "fixed/end" && notes[0].to_string().contains("may end the run"));
}

#[test]
fn a_stop_that_is_assumed_leaves_out_later_steps() {
    let recipe = "name: s\ntrigger: { manual: {} }\nactions:\n- { id: end, do: stop, if: \"{{ event.x }}\" }\n\
        - { do: contacts.get, with: { contactId: c } }\n";
    let folder = folder(1000, &[recipe]);
    let with = |assume: &str| calls(&plan_json(folder.path(), &["--assume", "s=100", "--assume", assume], 0));
    assert_eq!(
        [with("s/end=25%"), with("if=0.5"), with("s/end=0"), with("s/end=99%")],
        [75.0, 50.0, 100.0, 1.0]
    );
}

#[test]
fn assumptions_that_mean_nothing_are_refused() {
    let weekly = format!("name: weekly\ntrigger: {{ schedule: \"0 9 * * 1\" }}\nactions:\n- {LOG}\n");
    let sync = "name: people\ndescription: d\nsync:\n  sides:\n    highlevel: { record: contact, every: 5m }\n    fitr: \
        { record: client, every: 5m }\n  match: email\n  fields: { email: { highlevel: email, fitr: email } }\n  create: \
        none\n";
    let folder = folder(1000, &[&weekly]);
    fs::write(
        folder.path().join("recipes/people.yaml"),
        sync.replacen('\n', "\nconnections: { highlevel: one }\n", 1),
    )
    .unwrap();
    for (wrong, words) in [
        ("weekly=5", "schedule"),
        ("events=50%", "share"),
        ("items=1,5", "NAME=NUMBER"),
        ("people=5", "people/"),
    ] {
        let errors = plan(folder.path(), &["--assume", wrong]).code(2).errors;
        assert!(errors.contains(words), "{wrong}: {errors}");
    }
}

#[test]
fn set_times_beyond_the_planned_days_and_connections_are_named() {
    let yearly = format!("name: yearly\ntrigger: {{ schedule: \"0 9 29 2 *\" }}\nactions:\n- {GET}\n")
        .replace("event.id", "'c'");
    let busy = poll("busy", "every: 5m", LOG);
    let folder = folder(1000, &[&yearly, &busy]);
    let path = folder.path().join("recipes/1.yaml");
    let both = fs::read_to_string(&path).unwrap().replace("highlevel: one", "highlevel: [one, two]");
    fs::write(path, both).unwrap();
    let text = plan(folder.path(), &[]).output;
    assert!(text.contains("yearly: it is not due on this day; next on 2028-02-29 at 09:00 UTC"), "{text}");
    assert!(text.contains("CONNECTION") && text.contains("  two  "), "{text}");
}

#[test]
fn one_pass_over_the_daily_limit_takes_days() {
    let recipe = poll("all", "start: all", GET);
    let folder = folder(1000, &[&recipe]);
    let text = plan(folder.path(), &["--once", "--assume", "records=17000"]).code(1).output;
    assert!(text.contains("all sent after 18 days, as a day allows 1,000"), "{text}");
    assert!(!text.contains("calls a day"), "{text}");
}

#[test]
fn paused_recipes_are_left_out_and_first_polls_are_no_rate() {
    let stand_in = StandIn::start();
    let recipe = poll("all", "every: 5m, start: all", GET);
    let folder = workspace(&stand_in, &[&recipe]);
    hob(folder.path(), &ONCE).code(0);
    let day = plan_json(folder.path(), &[], 0);
    assert_eq!(day["recipes"][0]["events"], Value::Null, "all of its runs are of the first poll: {day:#}");
    hob(folder.path(), &["pause", "all"]).code(0);
    for arguments in [&["--assume", "all=50"][..], &["--once"]] {
        let plan = plan_json(folder.path(), arguments, 0);
        let counters = plan["counters"].as_array().unwrap();
        assert!(counters.iter().all(|counter| counter["calls"]["expected"] == 0.0), "{plan:#}");
        assert_eq!(plan["recipes"][0]["events_from"], "paused");
        assert!(plan["recipes"][0]["notes"].to_string().contains("paused"), "{plan:#}");
    }
}

/// Records that a backfill finds are taken as the list has them, so a webhook recipe reads none of them again.
#[test]
fn waiting_records_of_a_backfill_are_not_hydrated() {
    let stand_in = StandIn::start();
    let hook = "name: hook\ntrigger: { webhook: [highlevel.ContactCreate, highlevel.ContactUpdate], hydrate: true }\n\
        actions:\n- { do: contacts.notes.create, with: { contactId: \"{{ event.id }}\", body: changed } }\n";
    let folder = workspace(&stand_in, &[hook]);
    hob(folder.path(), &["backfill", "hook"]).code(0);
    let plan = plan_json(folder.path(), &["--once"], 0);
    let before = stand_in.sandbox.log().len();
    hob(folder.path(), &ONCE).code(0);
    let sent = stand_in.sandbox.log().len() - before;
    assert!(sent > 0);
    assert_eq!(calls(&plan), sent as f64, "{plan:#}");
}
