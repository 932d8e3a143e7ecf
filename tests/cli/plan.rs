//! `hob plan` tells within 5 % what is sent, shows what is assumed, and finds what is too much.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use hob::connection::{TransportSettings, http_client};
use hob::sandbox::{Budget, Options};
use serde_json::{Value, json};

use crate::listening::listen;
use crate::program::{EndedRun, hob, hob_with};
use crate::stand_in::{StandIn, built_in};
use crate::stand_in_workspace::{ONCE, workspace};

/// How far a plan may be off.
const TOLERANCE: f64 = 0.05;

/// What is planned, and then done.
#[derive(Default)]
struct Scenario {
    name: &'static str,
    recipes: Vec<String>,
    /// Events sent to the recipe `hand` before each pass.
    events: Vec<Value>,
    /// What is known beforehand.
    assume: Vec<&'static str>,
    /// Passes that only make a history.
    before: usize,
    /// Further connections to the same account.
    more_accounts: Vec<&'static str>,
}

fn plan(folder: &Path, arguments: &[&str]) -> EndedRun {
    hob(folder, &[&["plan"], arguments].concat())
}

/// Requests so far, by connector.
fn sent(stand_in: &StandIn) -> BTreeMap<String, f64> {
    let mut sent = BTreeMap::new();
    for entry in stand_in.sandbox.log() {
        *sent.entry(entry.connector).or_default() += 1.0;
    }
    sent
}

/// Planned requests, by connector.
fn planned(plan: &Value) -> BTreeMap<String, f64> {
    let mut planned = BTreeMap::new();
    for counter in plan["counters"].as_array().unwrap() {
        let connector = counter["connector"].as_str().unwrap().to_owned();
        *planned.entry(connector).or_default() += counter["calls"]["expected"].as_f64().unwrap();
    }
    planned
}

impl Scenario {
    fn send_events(&self, folder: &Path) {
        for event in &self.events {
            hob_with(folder, &["trigger", "hand", "--event", "-"], &event.to_string()).code(0);
        }
    }

    /// Plans a pass and does it; what is wrong with the plan.
    fn wrong(&self) -> Option<String> {
        let options =
            Options { budget: Budget::Unlimited, log: usize::MAX, records: Some(250), ..Options::default() };
        let stand_in = StandIn::with(built_in(), options);
        let recipes: Vec<&str> = self.recipes.iter().map(String::as_str).collect();
        let folder = workspace(&stand_in, &recipes);
        let folder = folder.path();
        self.add_accounts(&stand_in, folder);
        for _ in 0..self.before {
            self.send_events(folder);
            hob(folder, &ONCE).code(0);
        }
        self.send_events(folder);
        let mut arguments = vec!["--once", "--format", "json"];
        self.assume.iter().for_each(|assumed| arguments.extend(["--assume", assumed]));
        let plan = plan(folder, &arguments).code(0).json();
        let before = sent(&stand_in);
        hob(folder, &ONCE).code(0);
        let mut actual = sent(&stand_in);
        actual.iter_mut().for_each(|(name, calls)| *calls -= before.get(name).copied().unwrap_or_default());
        actual.retain(|_, calls| *calls > 0.0);
        let mut planned = planned(&plan);
        planned.retain(|_, calls| *calls > 0.0);
        let total: f64 = actual.values().sum();
        let close = |name: &String, calls: &f64| {
            let planned = planned.get(name).copied().unwrap_or_default();
            (planned - calls).abs() <= calls * TOLERANCE
        };
        let fits = actual.iter().all(|(name, calls)| close(name, calls)) && planned.len() == actual.len();
        (!fits || total == 0.0).then(|| format!("{}: planned {planned:?}, sent {actual:?}", self.name))
    }

    fn add_accounts(&self, stand_in: &StandIn, folder: &Path) {
        let mut more = String::new();
        for name in &self.more_accounts {
            more += &format!(
                "  {name}: {{ connector: highlevel, base_url: \"{}\"",
                stand_in.base_url("highlevel")
            );
            for (setting, value) in stand_in.sandbox.settings("highlevel") {
                more += &format!(", {setting}: {value}");
            }
            more += &format!(", auth: {} }}\n", stand_in.sandbox.credential("highlevel").unwrap());
        }
        let path = folder.join("hob.yaml");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, text.replace("server:", &format!("{more}server:"))).unwrap();
    }
}

const OVER: &str =
    "poll: contacts.notes.list, over: contacts.search, with: { contactId: '{{ parent.id }}' }, start: all";
const SYNC: &str = include_str!("../../recipes/people-sync.yaml");
const LOG: &str = "- { do: log, with: { message: seen } }\n";

fn poll(name: &str, trigger: &str, steps: &str) -> String {
    format!("name: {name}\ntrigger: {{ {trigger} }}\nactions:\n{steps}")
}

fn hand(more: &str, steps: &str) -> String {
    format!("name: hand\ntrigger: {{ manual: {{}} }}\n{more}actions:\n{steps}")
}

fn events(count: usize, event: impl Fn(usize) -> Value) -> Vec<Value> {
    (0..count).map(event).collect()
}

const GET: &str = "- { do: contacts.get, with: { contactId: \"{{ event.id }}\" } }\n";
const UPSERT: &str = "- { id: contact, do: contacts.upsert, with: { email: \"{{ event.email }}\" } }\n";

fn emails(count: usize) -> Vec<Value> {
    events(
        count,
        |n| json!({ "email": format!("p{n}@example.com"), "vip": n % 2 == 0, "notes": ["a", "b", "c"] }),
    )
}

fn polls() -> Vec<Scenario> {
    let quiet = |name, trigger: &str| Scenario {
        name,
        recipes: vec![poll("p", trigger, LOG)],
        before: 1,
        ..Scenario::default()
    };
    let three = |trigger: &str| ["a", "b", "c"].map(|name| poll(name, trigger, LOG)).to_vec();
    vec![
        Scenario {
            name: "all records, page by page",
            recipes: vec![poll("p", "poll: contacts.search, start: all", LOG)],
            assume: vec!["records=250"],
            ..Scenario::default()
        },
        Scenario {
            name: "a step for each record",
            recipes: vec![poll("p", "poll: contacts.search, start: all", GET)],
            assume: vec!["contacts.search=250"],
            ..Scenario::default()
        },
        Scenario {
            name: "records of a first poll are read whole",
            recipes: vec![poll("p", "poll: contacts.search, start: all, hydrate: true", LOG)],
            assume: vec!["records=250"],
            ..Scenario::default()
        },
        Scenario {
            name: "the first poll of a sorted list",
            recipes: vec![poll("p", "poll: contacts.search", LOG)],
            ..Scenario::default()
        },
        quiet("a quiet poll of a sorted list", "poll: contacts.search"),
        quiet("a quiet poll of a whole list", "poll: contacts.search, emit: [new, changed, removed]"),
        quiet("a quiet poll of a short list", "poll: fitr.leads.list"),
        Scenario {
            name: "a list for each contact, at first",
            recipes: vec![poll("p", OVER, LOG)],
            assume: vec!["contacts.search=250"],
            ..Scenario::default()
        },
        quiet("a list for each contact, as often as the last time", OVER),
        Scenario {
            name: "equal polls share their requests",
            recipes: three("poll: contacts.search, start: all"),
            assume: vec!["records=250"],
            ..Scenario::default()
        },
        Scenario {
            name: "different polls share nothing",
            recipes: vec![
                poll("a", "poll: contacts.search", LOG),
                poll("b", "poll: fitr.clients.list", LOG),
                poll("c", "poll: opportunities.search", LOG),
            ],
            before: 1,
            ..Scenario::default()
        },
        Scenario {
            name: "a sweep for lost webhooks",
            recipes: vec![poll("w", "webhook: highlevel.ContactUpdate, reconcile: 6h", LOG)],
            before: 1,
            ..Scenario::default()
        },
        Scenario {
            name: "a sync of records that are not linked yet",
            recipes: vec![SYNC.to_owned()],
            assume: vec!["contacts.search=250", "fitr.clients.list=8"],
            ..Scenario::default()
        },
        Scenario { name: "a quiet sync", recipes: vec![SYNC.to_owned()], before: 3, ..Scenario::default() },
        Scenario {
            name: "a poll for each account",
            recipes: vec![format!(
                "connections: {{ highlevel: [highlevel, second] }}\n{}",
                poll("p", "poll: contacts.search, start: all", LOG)
            )],
            assume: vec!["records=250"],
            more_accounts: vec!["second"],
            ..Scenario::default()
        },
    ]
}

fn runs() -> Vec<Scenario> {
    let by_hand = |name, recipe: String, events, assume: &[&'static str]| Scenario {
        name,
        recipes: vec![recipe],
        events,
        assume: assume.to_vec(),
        ..Scenario::default()
    };
    let notes = "- { id: notes, do: contacts.notes.create, for_each: LIST, as: note, with: { contactId: \"{{ \
                 steps.contact.id }}\", body: \"{{ note }}\" } }\n";
    let from_event = format!("{UPSERT}{}", notes.replace("LIST", "\"{{ event.notes }}\""));
    let tag = "- { id: tag, do: contacts.tags.add, IF, with: { contactId: \"{{ steps.contact.id }}\", tags: [x] } }\n";
    let some = format!("{UPSERT}{}", tag.replace("IF", "if: \"{{ event.vip }}\""));
    let noted = format!(
        "{UPSERT}- {{ do: contacts.notes.create, if: \"{{{{ event.vip }}}}\", with: {{ contactId: \"{{{{ steps.contact.id \
         }}}}\", body: vip }} }}\n"
    );
    let fixed = format!("{UPSERT}{}", notes.replace("LIST", "\"{{ vars.all }}\""));
    let pages = "- { do: contacts.search, pages: all, with: { pageLimit: 100 } }\n"
        .replace(", with: { pageLimit: 100 }", "");
    let stop = format!("{UPSERT}- {{ do: stop }}\n{}", tag.replace("IF, ", ""));
    let never = format!("{UPSERT}{}", tag.replace("IF", "if: false"));
    let unchanged = format!(
        "{UPSERT}- {{ id: write, do: contacts.update, with: {{ contactId: \"{{{{ steps.contact.id }}}}\", email: \"{{{{ \
         event.email }}}}\" }} }}\n"
    );
    let created = "- { do: contacts.create, with: { email: \"{{ event.email }}\" } }\n";
    let found = "- { do: contacts.find, with: { email: \"{{ event.email }}\" } }\n";
    let both =
        format!("{UPSERT}- {{ do: fitr.clients.list, with: {{ email: \"{{{{ event.email }}}}\" }} }}\n");
    vec![
        by_hand("a list in the event", hand("", &from_event), emails(4), &["items=3"]),
        by_hand("a constant list", hand("vars: { all: [a, b, c, d] }\n", &fixed), emails(3), &[]),
        by_hand("a condition that holds for half", hand("", &some), emails(4), &["hand/tag=50%"]),
        by_hand("a condition that never holds", hand("", &never), emails(3), &[]),
        by_hand("half of the events", hand("when: \"{{ event.vip }}\"\n", UPSERT), emails(4), &["when=0.5"]),
        by_hand("a stop", hand("", &stop), emails(3), &[]),
        by_hand("all pages of a list", hand("", &pages), emails(2), &["contacts.search=250"]),
        by_hand("a create that can be probed", hand("", created), emails(3), &[]),
        by_hand("a composite that finds nothing", hand("", found), emails(3), &[]),
        by_hand("steps on two connectors", hand("", &both), emails(3), &[]),
        Scenario { before: 1, ..by_hand("conditions as in the history", hand("", &noted), emails(4), &[]) },
        Scenario { before: 1, ..by_hand("lists as in the history", hand("", &from_event), emails(3), &[]) },
        Scenario { before: 1, ..by_hand("writes that change nothing", hand("", &unchanged), emails(3), &[]) },
        Scenario {
            more_accounts: vec!["second"],
            ..by_hand(
                "a run for each account",
                hand("connections: { highlevel: [highlevel, second] }\n", UPSERT),
                emails(3),
                &[],
            )
        },
    ]
}

#[test]
fn polls_are_planned_within_five_percent() {
    let wrong: Vec<String> = polls().iter().filter_map(Scenario::wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn runs_are_planned_within_five_percent() {
    let wrong: Vec<String> = runs().iter().filter_map(Scenario::wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Ten events that come in, against the plan of a day with ten.
#[test]
fn hydrated_webhooks_are_planned_within_five_percent() {
    let stand_in = StandIn::start();
    let hook = "name: hook\ntrigger: { webhook: highlevel.ContactUpdate, hydrate: true }\nactions:\n\
        - { do: contacts.notes.create, with: { contactId: \"{{ event.id }}\", body: changed } }\n";
    let folder = workspace(&stand_in, &[hook]);
    let text = fs::read_to_string(folder.path().join("hob.yaml")).unwrap();
    let unverified = "server: { webhooks: { highlevel: { unverified: true } } }";
    fs::write(folder.path().join("hob.yaml"), text.replace("server: { metrics: true }", unverified)).unwrap();
    let plan = plan(folder.path(), &["--assume", "events=10", "--format", "json"]).code(0).json();
    assert_eq!(planned(&plan)["highlevel"], 20.0, "{plan:#}");
    let mut listening = listen(folder.path());
    let url = format!("{}/webhooks/highlevel", listening.address);
    let location = &stand_in.sandbox.settings("highlevel")["location"];
    let contacts = stand_in.sandbox.records("highlevel", "contacts", 10).unwrap();
    stand_in.runtime.block_on(async {
        let client = http_client(&TransportSettings::default()).unwrap();
        for n in 0..10 {
            let id = &contacts[n % contacts.len()]["id"];
            let body =
                json!({ "type": "ContactUpdate", "locationId": location, "id": id, "webhookId": format!("w{n}") });
            let body = body.to_string();
            let posted = client.post(&url).header("content-type", "application/json").body(body).send().await;
            assert!(posted.unwrap().status().is_success());
        }
    });
    let begun = Instant::now();
    while stand_in.sandbox.log().len() < 20 && begun.elapsed() < Duration::from_secs(60) {
        std::thread::park_timeout(Duration::from_millis(20));
    }
    listening.child.kill().unwrap();
    listening.child.wait().unwrap();
    assert_eq!(sent(&stand_in)["highlevel"], 20.0);
}

const BUSY: &str = "name: busy\ntrigger: { poll: contacts.search, every: 1m, emit: [new, changed, removed] }\n\
    actions:\n- { do: contacts.get, with: { contactId: \"{{ event.id }}\" } }\n";

#[test]
fn what_is_too_much_is_told_with_what_to_change() {
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in, &[BUSY]);
    let path = folder.path().join("hob.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, text.replace("burst: 100000/1s", "burst: 100/10s, daily: 5000")).unwrap();
    let arguments = ["--assume", "contacts.search=950", "--assume", "busy=100"];
    let over = plan(folder.path(), &[&arguments[..], &["--format", "json"]].concat()).code(1).json();
    let counter = &over["counters"][0];
    assert_eq!(
        (&over["over"], &counter["over"], &counter["limit"]),
        (&json!(true), &json!(true), &json!(5000))
    );
    assert_eq!(counter["limit_from"], "configured");
    assert!(counter["runs_dry"].as_str().is_some_and(|at| at.starts_with("0")), "{counter:#}");
    assert_eq!(counter["hours"].as_array().unwrap().len(), 24);
    let advice = counter["advice"].as_array().unwrap();
    let slower = advice[0]["change"].as_str().unwrap();
    assert!(slower.starts_with("poll `contacts.search` every 5m instead of 1m"), "{advice:#?}");
    assert!(
        advice.iter().any(|advice| advice["change"].as_str().unwrap().contains("`removed`")),
        "{advice:#?}"
    );
    let text = plan(folder.path(), &arguments).code(1).output;
    for words in ["too many", "runs dry at", "to change:", "saves", "###", "5,000 a day (from hob.yaml)"] {
        assert!(text.contains(words), "{words} in {text}");
    }
    assert!(stand_in.sandbox.log().is_empty(), "a plan sends nothing");
    assert!(!folder.path().join("state/hob.db").exists(), "and stores nothing");
}

#[test]
fn what_is_not_known_is_said_and_wrong_usage_is_refused() {
    let stand_in = StandIn::start();
    let hook = "name: hook\ntrigger: { webhook: /in, verify: none }\nactions:\n\
        - { do: contacts.notes.create, for_each: \"{{ event.all }}\", with: { contactId: c, body: \"{{ item }}\" } }\n";
    let folder = workspace(&stand_in, &[hook]);
    let plan = |arguments: &[&str]| plan(folder.path(), arguments);
    let unknown = plan(&["--format", "json"]).code(0).json();
    assert_eq!(unknown["recipes"][0]["events"], Value::Null);
    assert_eq!(
        unknown["recipes"][0]["calls_per_run"],
        json!({ "least": 0.0, "expected": 1.0, "most": null })
    );
    let notes = unknown["recipes"][0]["notes"].to_string();
    assert!(notes.contains("events=500") && notes.contains("items=3"), "{notes}");
    for wrong in ["events", "events=many", "events=-1", "when=3", "hok=5", "hook/create=3", "contacts.lst=5"]
    {
        let errors = plan(&["--assume", wrong]).code(2).errors;
        assert!(errors.contains("--assume"), "{errors}");
    }
    assert!(plan(&["--assume", "hok=5"]).errors.contains("did you mean `hook`?"));
    plan(&["no-such-file.yaml"]).code(2);
    let broken = "name: broken\ntrigger: { poll: contacts.serch }\nactions: []\n";
    fs::write(folder.path().join("recipes/broken.yaml"), broken).unwrap();
    let ended = plan(&["--format", "json"]).code(1);
    assert_eq!(ended.json()["left_out"][0]["recipe"], "broken");
    assert!(ended.errors.contains("contacts.serch"), "{}", ended.errors);
}

/// Two private tokens of a location have one daily counter, and each a burst of its own.
#[test]
fn connections_on_one_counter_are_added_up() {
    let folder = tempfile::tempdir().unwrap();
    let account = |token: &str, location: &str| {
        format!("{{ connector: highlevel, location: {location}, auth: {{ token: {token} }} }}")
    };
    let text = format!(
        "connections:\n  one: {}\n  two: {}\n  unset: {}\n",
        account("t-11111111", "here"),
        account("t-22222222", "here"),
        account("${NOT_SET}", "there")
    );
    fs::write(folder.path().join("hob.yaml"), text).unwrap();
    let recipe = "name: daily\nconnections: { highlevel: [one, two, unset] }\ntrigger: { schedule: \"*/10 * * * *\" }\n\
        actions:\n- { do: contacts.notes.list, with: { contactId: c } }\n";
    fs::create_dir(folder.path().join("recipes")).unwrap();
    fs::write(folder.path().join("recipes/daily.yaml"), recipe).unwrap();
    let plan = plan(folder.path(), &["--format", "json"]).code(0).json();
    let counters: Vec<_> = plan["counters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["connections"], &one["calls"]["expected"]))
        .collect();
    assert_eq!(counters, [(&json!(["one", "two"]), &json!(288.0)), (&json!(["unset"]), &json!(144.0))]);
    let bursts: Vec<_> = plan["bursts"].as_array().unwrap().iter().map(|one| &one["connections"]).collect();
    assert_eq!(bursts, [&json!(["one"]), &json!(["two"]), &json!(["unset"])]);
    assert_eq!(plan["counters"][0]["limit_from"], "connector");
}

/// What the API has said of its limits counts more than hob.yaml.
#[test]
fn learned_limits_come_first() {
    let budget = Budget::Limited { requests: 50, interval_ms: 2000, daily: 1234 };
    let options = Options { budget, log: usize::MAX, ..Options::default() };
    let stand_in = StandIn::with(built_in(), options);
    let folder = workspace(&stand_in, &[&poll("p", "poll: contacts.search", LOG)]);
    let limit =
        |plan: Value| (plan["counters"][0]["limit"].clone(), plan["counters"][0]["limit_from"].clone());
    let json = || plan(folder.path(), &["--format", "json"]).code(0).json();
    assert_eq!(limit(json()), (json!(200_000), json!("connector")));
    hob(folder.path(), &ONCE).code(0);
    assert_eq!(limit(json()), (json!(1234), json!("learned")));
    assert_eq!(json()["bursts"][0]["limit"], "50/2s");
}
