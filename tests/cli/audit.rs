//! `hob audit`: it finds what is planted and nothing else, and mends what can be mended.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use hob::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::listening::{Listening, listen};
use crate::pause_resume::post;
use crate::program::hob_with;
use crate::program::{EndedRun, hob};
use crate::rng::Rng;
use crate::stand_in::StandIn;
use crate::stand_in_workspace::{ONCE, workspace};

const HOOK: &str = "name: hook
trigger: { webhook: [highlevel.ContactCreate, highlevel.ContactUpdate], reconcile: 6h }
actions:
  - { do: log, with: { message: \"{{ event.id }}\" } }
";
/// What the world does to contacts, apart from the workspace under test.
const OUTSIDE: &str = "name: outside
trigger: { manual: {} }
actions:
  - { do: contacts.upsert, for_each: \"{{ event.upsert }}\", as: it, with: { email: \"{{ it.email }}\", firstName: \"{{ it.name }}\", companyName: \"{{ it.kind }}\" } }
  - { do: contacts.delete, for_each: \"{{ event.delete }}\", as: it, with: { contactId: \"{{ it }}\" } }
";
const LONG: Duration = Duration::from_secs(60);

/// A workspace with its stand-in, and another one that plays the world.
struct Scene {
    stand_in: StandIn,
    folder: tempfile::TempDir,
    outside: tempfile::TempDir,
}

impl Scene {
    fn new(recipes: &[&str]) -> Self {
        let stand_in = StandIn::start();
        let folder = workspace(&stand_in, recipes);
        let file = folder.path().join("hob.yaml");
        let unverified = "server: { webhooks: { highlevel: { unverified: true } } }";
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace("server: { metrics: true }", unverified)).unwrap();
        let outside = workspace(&stand_in, &[OUTSIDE]);
        let scene = Self { stand_in, folder, outside };
        scene.once();
        scene
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn once(&self) -> EndedRun {
        hob(self.path(), &ONCE)
    }

    /// Makes or changes contacts: e-mail addresses with a first name and a kind, which is the company.
    fn upsert(&self, contacts: &[(String, &str, &str)]) {
        let contacts: Vec<Value> = contacts
            .iter()
            .map(|(email, name, kind)| json!({ "email": email, "name": name, "kind": kind }))
            .collect();
        self.tell_outside(&json!({ "upsert": contacts, "delete": [] }));
    }

    fn tell_outside(&self, event: &Value) {
        let outside = self.outside.path();
        hob_with(outside, &["trigger", "outside", "--event", "-"], &event.to_string()).code(0);
        hob(outside, &ONCE).code(0);
    }

    /// The contacts with this company by id, each with its record.
    fn of_kind(&self, kind: &str) -> BTreeMap<String, Value> {
        let contacts = self.stand_in.sandbox.records("highlevel", "contacts", 10_000).unwrap();
        let fitting = contacts.into_iter().filter(|contact| contact["companyName"] == kind);
        fitting.map(|contact| (contact["id"].as_str().unwrap().to_owned(), contact)).collect()
    }

    fn ids(&self, kind: &str) -> BTreeSet<String> {
        self.of_kind(kind).into_keys().collect()
    }

    fn runs_by_record(&self) -> BTreeMap<String, usize> {
        let mut records = BTreeMap::new();
        for run in runs(self.path()) {
            *records.entry(run["record"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        records
    }
}

fn runs(folder: &Path) -> Vec<Value> {
    let listed = hob(folder, &["runs", "list", "--limit", "0", "--format", "json"]).code(0).json();
    listed.as_array().unwrap().clone()
}

fn audit(folder: &Path, arguments: &[&str]) -> EndedRun {
    hob(folder, &[&["audit", "--format", "json"], arguments].concat())
}

/// The records found, by what is the matter with them.
fn found(ended: &EndedRun) -> BTreeMap<String, BTreeSet<String>> {
    let mut records: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for finding in ended.json()["findings"].as_array().unwrap() {
        let text = |name: &str| finding[name].as_str().unwrap().to_owned();
        let is_first = records.entry(text("what")).or_default().insert(text("record"));
        assert!(is_first, "twice: {finding}");
    }
    records
}

fn expected<const N: usize>(all: [(&str, BTreeSet<String>); N]) -> BTreeMap<String, BTreeSet<String>> {
    let some = all.into_iter().filter(|(_, records)| !records.is_empty());
    some.map(|(what, records)| (what.to_owned(), records)).collect()
}

fn deliver(listening: &Listening, contact: &Value, kind: &str) {
    let body = json!({ "type": kind, "locationId": contact["locationId"], "id": contact["id"] });
    assert_eq!(post(&listening.address, "/webhooks/highlevel", &body.to_string()), 200);
}

fn stop(mut listening: Listening) {
    listening.child.kill().unwrap();
    listening.child.wait().unwrap();
}

/// Waits until every run has ended.
fn all_ended(folder: &Path, count: usize) {
    let begun = Instant::now();
    loop {
        let runs = runs(folder);
        let ended = runs.iter().filter(|run| !run["finished"].is_null()).count();
        if ended == count && runs.len() == count {
            return;
        }
        assert!(begun.elapsed() < LONG, "{ended} of {count}");
    }
}

/// Three hundred new contacts, of whose webhooks three in ten are lost; the ids of the lost ones.
fn lose_webhooks(scene: &Scene, listening: &Listening, rng: &mut Rng) -> BTreeSet<String> {
    let new: Vec<_> = (0..300).map(|n| (format!("new{n}@example.com"), "New", "webhook")).collect();
    scene.upsert(&new);
    let mut lost = BTreeSet::new();
    for (id, contact) in scene.of_kind("webhook") {
        if rng.below(10) < 3 {
            lost.insert(id);
        } else {
            deliver(listening, &contact, "ContactCreate");
        }
    }
    assert!((60..120).contains(&lost.len()), "{}", lost.len());
    all_ended(scene.path(), 300 - lost.len());
    lost
}

fn each_once(scene: &Scene) {
    let expected: BTreeMap<String, usize> = scene.ids("webhook").into_iter().map(|id| (id, 1)).collect();
    assert_eq!(scene.runs_by_record(), expected);
}

#[test]
fn one_sweep_finds_every_lost_webhook_and_the_audit_knows_them_before() {
    let scene = Scene::new(&[HOOK]);
    let listening = listen(scene.path());
    let lost = lose_webhooks(&scene, &listening, &mut Rng(1));
    let ended = audit(scene.path(), &[]).code(1);
    assert_eq!(found(&ended), expected([("missed", lost)]));
    assert_eq!(audit(scene.path(), &["--since", "2099-01-01"]).code(0).json()["findings"], json!([]));
    stop(listening);
    assert_eq!(scene.once().code(0).json()["polls"].as_array().unwrap().len(), 1);
    each_once(&scene);
    assert_eq!(audit(scene.path(), &[]).code(0).json()["findings"], json!([]));
}

#[test]
fn lost_webhooks_are_mended_once_beside_a_running_hob() {
    let scene = Scene::new(&[HOOK]);
    let listening = listen(scene.path());
    let lost = lose_webhooks(&scene, &listening, &mut Rng(2));
    let ended = audit(scene.path(), &["--mend"]).code(0);
    let summary = ended.json();
    assert_eq!((&summary["mended"], &summary["differences"]), (&json!(lost.len()), &json!(0)));
    all_ended(scene.path(), 300);
    stop(listening);
    assert_eq!(audit(scene.path(), &[]).code(0).json()["findings"], json!([]));
    assert_eq!(scene.once().code(0).json()["events"], 0, "the sweep finds nothing that was mended");
    each_once(&scene);
}

#[test]
fn without_a_sweep_the_list_of_the_catalog_is_compared_since_a_time() {
    let scene = Scene::new(&[&HOOK.replace(", reconcile: 6h", "")]);
    let text = hob(scene.path(), &["audit"]).code(0).output;
    assert!(text.contains("it has no run yet"), "{text}");
    let begun = hob::clock::Clock::system().now().to_rfc3339();
    let new: Vec<_> = (0..5).map(|n| (format!("new{n}@example.com"), "New", "webhook")).collect();
    scene.upsert(&new);
    let ended = audit(scene.path(), &["--since", &begun, "--mend"]).code(0);
    assert_eq!(found(&ended), expected([("missed", scene.ids("webhook"))]));
    assert_eq!(audit(scene.path(), &["--since", &begun, "--mend"]).code(0).json()["mended"], 0);
    scene.once().code(0);
    each_once(&scene);
    assert_eq!(audit(scene.path(), &["--since", &begun]).code(0).json()["findings"], json!([]));
}

/// Fails, is parked or is filtered as the company of its contact says; all others are written to, and come back as
/// echoes.
fn polled(stand_in: &StandIn) -> String {
    let example = stand_in.sandbox.example("conversations.messages.send").expect("an example");
    format!(
        "name: polled
trigger: {{ poll: contacts.search, every: 10ms }}
when: \"{{{{ event.companyName != 'filter' }}}}\"
actions:
  - {{ if: \"{{{{ event.companyName == 'fail' }}}}\", do: log, with: {{ message: \"{{{{ event.email | e164('GB') }}}}\" }} }}
  - {{ id: send, if: \"{{{{ event.companyName == 'park' }}}}\", do: conversations.messages.send, with: {} }}
  - {{ id: write, do: contacts.update, with: {{ contactId: \"{{{{ event.id }}}}\", city: \"{{{{ event.email }}}}\" }} }}
",
        Value::Object(example)
    )
}

/// One seed takes many runs of the program; `HOB_AUDIT_SEEDS` asks for more.
#[expect(clippy::disallowed_methods, reason = "a setting of the tests")]
fn seeds() -> u64 {
    std::env::var("HOB_AUDIT_SEEDS").map_or(1, |number| number.parse().expect("a number"))
}

#[test]
fn every_planted_difference_of_a_poll_is_found_and_no_other() {
    for seed in 1..=seeds() {
        let mut rng = Rng(seed);
        let scene = Scene::new(&[]);
        fs::write(scene.path().join("recipes/polled.yaml"), polled(&scene.stand_in)).unwrap();
        scene.stand_in.sandbox.add_fault(Fault {
            operation: Some("conversations.messages.send".to_owned()),
            what: FaultKind::Status { status: 200, body: Some(json!("<html>")), headers: vec![] },
            ..Fault::default()
        });
        scene.once().code(0);
        let kinds = ["well", "well", "well", "filter", "fail", "park"];
        let plant = |rng: &mut Rng, first: u64| -> Vec<_> {
            (first..first + 30)
                .map(|n| (format!("p{n}@example.com"), "Ada", kinds[rng.below(6) as usize]))
                .collect()
        };
        scene.upsert(&plant(&mut rng, 0));
        scene.once().code(1);
        // The echoes of what was written.
        scene.once().code(0);
        let planted = || expected([("failed", scene.ids("fail")), ("parked", scene.ids("park"))]);
        assert_eq!(found(&audit(scene.path(), &[]).code(1)), planted(), "seed {seed}");

        // Nobody polls: new records, and changes of known ones.
        let known: Vec<_> = scene.ids("well").into_iter().collect();
        let new: Vec<_> = (0..5).map(|n| (format!("late{n}@example.com"), "Late", "well")).collect();
        scene.upsert(&new);
        let contacts = scene.of_kind("well");
        let changed: Vec<_> = known.iter().filter(|_| rng.below(3) == 0).collect();
        let text = |id: &String| contacts[id]["email"].as_str().unwrap().to_owned();
        let changes: Vec<_> = changed.iter().map(|id| (text(id), "Changed", "well")).collect();
        scene.upsert(&changes);
        let mut missed: BTreeSet<String> = changed.into_iter().cloned().collect();
        missed.extend(scene.ids("well").into_iter().filter(|id| !known.contains(id)));
        let all = || {
            let mut all = planted();
            all.insert("missed".to_owned(), missed.clone());
            all
        };
        let ended = audit(scene.path(), &[]).code(1);
        assert_eq!(found(&ended), all(), "seed {seed}");
        let ended = audit(scene.path(), &["--mend"]).code(1);
        assert_eq!((found(&ended), &ended.json()["mended"]), (all(), &json!(missed.len())), "seed {seed}");
        let summary = scene.once().code(0).json();
        assert_eq!(summary["runs"]["succeeded"], missed.len(), "seed {seed}: {summary}");
        scene.once().code(0);
        assert_eq!(found(&audit(scene.path(), &["--mend"]).code(1)), planted(), "seed {seed}");

        // What is left is a person's: the failed ones are skipped, the parked ones resolved.
        hob(scene.path(), &["runs", "skip", "--state", "failed"]).code(0);
        hob(scene.path(), &["runs", "resolve", "--state", "parked", "--happened"]).code(0);
        scene.once().code(0);
        scene.once().code(0);
        assert_eq!(found(&audit(scene.path(), &[]).code(0)), expected([]), "seed {seed}");
    }
}

#[test]
fn what_is_under_way_paused_or_without_a_list_is_told_apart() {
    let recipes = [
        "name: slow\ntrigger: { poll: contacts.search, every: 1h }\nactions: [{ do: log, with: { message: x } }]\n",
        "name: nightly\ntrigger: { schedule: '0 3 * * *' }\nactions: [{ do: stop }]\n",
        "name: form\ntrigger: { webhook: /form, verify: none, id: $.id }\nactions:\n  \
         - { do: log, with: { message: \"{{ event.phone | e164('GB') }}\" } }\n",
        "name: tagged\ntrigger: { webhook: highlevel.ContactTagUpdate, reconcile: 6h }\n\
         actions: [{ do: log, with: { message: x } }]\n",
    ];
    let scene = Scene::new(&recipes);
    let text = hob(scene.path(), &["audit"]).code(0).output;
    for expected in [
        "nightly: it starts at set times",
        "form: no list shows what its sender has",
        "slow: contacts.search on highlevel, ",
        "no differences",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let contacts = scene.stand_in.sandbox.records("highlevel", "contacts", 1).unwrap();
    let email = contacts[0]["email"].as_str().unwrap().to_owned();
    scene.upsert(&[(email, "Changed", "any")]);
    let changed = scene.ids("any");
    let ended = audit(scene.path(), &[]).code(0);
    assert_eq!(found(&audit(scene.path(), &["slow"]).code(0)), expected([("on_its_way", changed.clone())]));
    assert_eq!(found(&audit(scene.path(), &["tagged"]).code(0)), expected([("unclear", changed.clone())]));
    assert_eq!(ended.json()["differences"], 0);
    hob(scene.path(), &["pause", "slow"]).code(0);
    assert_eq!(found(&audit(scene.path(), &["slow"]).code(1)), expected([("paused", changed)]));

    let listening = listen(scene.path());
    assert_eq!(post(&listening.address, "/webhooks/form", "{\"id\": 7, \"phone\": \"none\"}"), 200);
    all_ended(scene.path(), 1);
    stop(listening);
    let text = hob(scene.path(), &["audit", "form"]).code(1).output;
    assert!(text.contains("1 failed") && text.contains("hob runs retry run_"), "{text}");
    hob(scene.path(), &["audit", "frm"]).code(2);

    // What cannot be read is not said to be well.
    let what = FaultKind::Status { status: 403, body: Some(json!({ "message": "no" })), headers: vec![] };
    let operation = Some("contacts.search".to_owned());
    scene.stand_in.sandbox.add_fault(Fault { operation, what, ..Fault::default() });
    hob(scene.path(), &["resume", "slow"]).code(0);
    let ended = hob(scene.path(), &["audit", "slow"]).code(3);
    assert!(ended.output.contains("not everything could be read"), "{}", ended.output);
    assert!(ended.errors.contains("`contacts.search` on highlevel cannot be read"), "{}", ended.errors);
    let never = recipes[0].replace("slow", "never");
    fs::write(scene.path().join("recipes/never.yaml"), never).unwrap();
    assert!(hob(scene.path(), &["audit", "never"]).code(0).output.contains("was not polled yet"));
    scene.once();
    let ended = hob(scene.path(), &["audit", "never"]).code(3);
    assert!(ended.errors.contains("no poll has come to its end"), "{}", ended.errors);
}

const CLIENTS: &str = "name: clients
trigger: { poll: fitr.clients.list, every: 10ms }
actions:
  - id: contact
    do: contacts.upsert
    with: { email: \"{{ event.email }}\", firstName: \"{{ event.full_name }}\", companyName: \"{{ event.program }}\", city: Hull }
";

#[test]
fn what_became_of_written_records_is_found() {
    let scene = Scene::new(&[CLIENTS]);
    let create = |n: u32, program: &str| {
        let client = json!({ "full_name": "Ada", "email": format!("c{n}@example.com"), "program": program });
        hob(scene.path(), &["call", "fitr.clients.create", "--with", &client.to_string()]).code(0);
    };
    (0..9).for_each(|n| create(n, ["well", "changed", "gone"][n as usize % 3]));
    assert_eq!(scene.once().code(0).json()["runs"], json!({ "succeeded": 9 }));
    assert_eq!(audit(scene.path(), &["--targets"]).code(0).json()["findings"], json!([]));
    let damages = json!({ "city": "drop" });
    scene.stand_in.sandbox.add_fault(Fault {
        operation: Some("contacts.upsert".to_owned()),
        what: serde_json::from_value(json!({ "damage": damages })).unwrap(),
        ..Fault::default()
    });
    (9..12).for_each(|n| create(n, "not kept"));
    assert_eq!(scene.once().code(0).json()["runs"], json!({ "succeeded": 3 }));
    scene.stand_in.sandbox.clear_faults();

    let (changed, gone) = (scene.of_kind("changed"), scene.ids("gone"));
    let email = |contact: &Value| contact["email"].as_str().unwrap().to_owned();
    let changes: Vec<_> = changed.values().map(|contact| (email(contact), "Grace", "changed")).collect();
    scene.upsert(&changes);
    scene.tell_outside(&json!({ "upsert": [], "delete": gone }));
    let changed = changed.into_keys().collect();
    let planned = audit(scene.path(), &["--targets", "--dry-run"]).code(0).json();
    assert_eq!((&planned["targets"]["requests"], &planned["targets"]["records"]), (&json!(12), &json!(0)));
    let ended = audit(scene.path(), &["--targets"]).code(1);
    let all = [("changed", changed), ("gone", gone), ("not_kept", scene.ids("not kept"))];
    assert_eq!(found(&ended), expected(all));
    let ended = ended.json();
    let of = |what: &str| {
        let findings = ended["findings"].as_array().unwrap();
        findings.iter().find(|finding| finding["what"] == what).unwrap()["fields"].clone()
    };
    assert_eq!(of("changed"), json!([{ "field": "firstName", "sent": "Ada", "got": "Grace" }]));
    assert_eq!(of("not_kept"), json!([{ "field": "city", "sent": "Hull", "got": null }]));
    let text = hob(scene.path(), &["audit", "--targets", "--limit", "4"]).code(1).output;
    assert!(text.contains("records written to: 4 read"), "{text}");
    assert_eq!(audit(scene.path(), &[]).code(0).json()["findings"], json!([]), "it is asked for");
}
