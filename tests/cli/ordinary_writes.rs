//! Writes that an API keeps, in the forms in which it keeps things: none of them is told as not kept.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::program::{hob, hob_with};
use crate::rng::Rng;
use crate::stand_in::StandIn;
use crate::stand_in_workspace::{ONCE, runs, workspace};

/// Writes of a run.
const WRITES: usize = 200;
/// Runs of a usual test.
const RUNS: usize = 5;
const NAMES: [&str; 18] = [
    "Ada",
    "O'Neil",
    "Zoë",
    "李小龙",
    "Tom & Ada",
    "Jean-Luc",
    "van der Berg",
    "ŁUKASZ",
    "ada",
    "Ada ",
    "  Bo",
    "Ada  Lovelace",
    "🎯 Ace",
    "No",
    "null",
    "0",
    "\"quoted\"",
    "back\\slash",
];
const TEXTS: [&str; 7] = ["Leeds", "St. Albans", "one\ntwo", "Saint-Étienne", "LEEDS", "50 %", "a, b; c"];
const CODES: [&str; 5] = ["SW1A 1AA", "007", "90210", "D-10115", "0"];
const SITES: [&str; 4] =
    ["example.com", "https://Example.com", "http://example.com/a?b=c&d=e", "www.example.com/"];
const TAGS: [&str; 6] = ["VIP", "vip ", "Gold Member", "two-words", "Zoë", "a:b"];
const STATUSES: [&str; 5] = ["Active", "Needs Training", "Pending", "Program Finished", "Cancelled by Coach"];

/// So many runs; `HOB_ORDINARY_WRITES` asks for as many writes.
#[expect(clippy::disallowed_methods, reason = "a setting of the tests")]
fn wanted() -> usize {
    let writes = std::env::var("HOB_ORDINARY_WRITES");
    writes.map_or(RUNS, |number| number.parse::<usize>().expect("a number").div_ceil(WRITES))
}

/// A kind of write: its operation, how many of them are in a run, and its fields.
struct Kind {
    operation: &'static str,
    share: usize,
    fields: &'static [&'static str],
}

/// The fields of a change of a contact.
const CHANGED: &[&str] = &[
    "contactId",
    "email",
    "firstName",
    "lastName",
    "phone",
    "address1",
    "city",
    "postalCode",
    "website",
    "source",
    "dnd",
    "tags",
    "customFields",
];
/// The same without the id.
const PERSON: &[&str] = CHANGED.split_at(1).1;
const KINDS: [Kind; 10] = [
    Kind { operation: "contacts.create", share: 50, fields: PERSON },
    Kind { operation: "contacts.upsert", share: 25, fields: PERSON },
    Kind { operation: "contacts.update", share: 40, fields: CHANGED },
    Kind { operation: "contacts.tags.add", share: 10, fields: &["contactId", "tags"] },
    Kind { operation: "contacts.notes.create", share: 10, fields: &["contactId", "body"] },
    Kind {
        operation: "contacts.tasks.create",
        share: 15,
        fields: &["contactId", "title", "body", "dueDate", "completed"],
    },
    Kind { operation: "opportunities.update", share: 15, fields: &["id", "name", "status", "monetaryValue"] },
    Kind {
        operation: "fitr.clients.create",
        share: 15,
        fields: &["full_name", "email", "phone", "status", "program", "tags", "external_id"],
    },
    Kind {
        operation: "fitr.clients.update",
        share: 15,
        fields: &["id", "full_name", "phone", "status", "program", "tags", "external_id"],
    },
    Kind {
        operation: "fitr.leads.update",
        share: 5,
        fields: &["id", "full_name", "stage", "source", "goal", "tags"],
    },
];

fn recipe() -> String {
    let steps = KINDS.iter().enumerate().map(|(at, kind)| {
        let with =
            kind.fields.iter().map(|field| format!("{field}: \"{{{{ it.{field} | default(omit) }}}}\""));
        let with = with.collect::<Vec<_>>().join(", ");
        format!(
            "- {{ id: s{at}, do: {}, for_each: \"{{{{ event.s{at} }}}}\", as: it, with: {{ {with} }} }}\n",
            kind.operation
        )
    });
    let steps: String = steps.collect();
    format!("name: hand\ntrigger: {{ manual: {{}} }}\nunchanged: send\nactions:\n{steps}")
}

/// Records that exist.
struct Known {
    contacts: Vec<Value>,
    opportunities: Vec<Value>,
    clients: Vec<Value>,
    leads: Vec<Value>,
}

impl Known {
    fn of(stand_in: &StandIn) -> Self {
        let ids = |connector: &str, collection: &str| {
            let records = stand_in.sandbox.records(connector, collection, 100).unwrap();
            records.into_iter().map(|record| record["id"].clone()).collect()
        };
        Self {
            contacts: ids("highlevel", "contacts"),
            opportunities: ids("highlevel", "opportunities"),
            clients: ids("fitr", "clients"),
            leads: ids("fitr", "leads"),
        }
    }
}

/// Makes events of writes.
struct Writer {
    rng: Rng,
    known: Known,
    /// Addresses and numbers come once, so that no record is refused as the same person.
    count: u64,
}

impl Writer {
    fn event(&mut self) -> Value {
        let steps = KINDS.iter().enumerate().map(|(at, kind)| {
            let writes = (0..kind.share).map(|_| self.write(kind)).collect();
            (format!("s{at}"), Value::Array(writes))
        });
        Value::Object(steps.collect())
    }

    fn write(&mut self, kind: &Kind) -> Value {
        self.count += 1;
        let mut fields = Map::new();
        for field in kind.fields {
            // Some fields are left out, where the API can do without.
            let is_needed =
                ["contactId", "id", "email", "full_name", "title", "dueDate", "completed", "body", "name"];
            let is_needed = is_needed.contains(field) || kind.operation == "contacts.tags.add";
            if is_needed || self.rng.below(3) > 0 {
                fields.insert((*field).to_owned(), self.value(kind, field));
            }
        }
        Value::Object(fields)
    }

    fn value(&mut self, kind: &Kind, field: &str) -> Value {
        let count = self.count;
        let one = |rng: &mut Rng, ids: &[Value]| ids[rng.below(ids.len() as u64) as usize].clone();
        let rng = &mut self.rng;
        match field {
            "contactId" => one(rng, &self.known.contacts),
            "id" => {
                let ids = match kind.operation {
                    "opportunities.update" => &self.known.opportunities,
                    "fitr.clients.update" => &self.known.clients,
                    _ => &self.known.leads,
                };
                one(rng, ids)
            }
            "email" => json!(format!("{}{count}@Example.com", rng.choose(&["ada.", "ADA_", "o'neil+"]))),
            "phone" => {
                let (first, rest) = (700 + count / 1_000_000 % 100, count % 1_000_000);
                json!(match rng.below(4) {
                    0 => format!("07{first} {rest:06}"),
                    1 => format!("+44 7{first} {rest:06}"),
                    2 => format!("(07{first}) {rest:06}"),
                    _ => format!("+447{first}{rest:06}"),
                })
            }
            "dnd" | "completed" => json!(rng.below(2) == 0),
            "tags" => {
                let count = 1 + rng.below(3);
                (0..count).map(|_| rng.choose(&TAGS)).collect()
            }
            "customFields" => {
                let value = match rng.below(3) {
                    0 => json!(rng.below(1000)),
                    _ => json!(rng.choose(&TEXTS)),
                };
                json!([{ "key": "training_goal", "field_value": value }])
            }
            "postalCode" => json!(rng.choose(&CODES)),
            "website" => json!(rng.choose(&SITES)),
            "monetaryValue" => match rng.below(3) {
                0 => json!(0),
                1 => json!(rng.below(100_000)),
                _ => json!(rng.below(100_000) as f64 / 100.0),
            },
            "dueDate" => {
                let (day, hour) = (1 + rng.below(28), rng.below(24));
                let zone = rng.choose(&["Z", "+01:00", ".000Z", "-05:30"]);
                json!(format!("2026-12-{day:02}T{hour:02}:30:00{zone}"))
            }
            "status" if kind.operation == "opportunities.update" => {
                json!(rng.choose(&["open", "won", "lost"]))
            }
            "status" => json!(rng.choose(&STATUSES)),
            "stage" => json!(rng.choose(&["new", "contacted", "lost"])),
            "external_id" => json!(format!("A-{count:05}")),
            "firstName" | "lastName" | "full_name" | "name" | "title" => json!(rng.choose(&NAMES)),
            _ => json!(rng.choose(&TEXTS)),
        }
    }
}

/// What was told as not kept.
fn told(folder: &Path) -> Vec<Value> {
    let mut told = Vec::new();
    for run in runs(folder) {
        let shown =
            hob(folder, &["runs", "show", run["id"].as_str().unwrap(), "--format", "json"]).code(0).json();
        let entries = shown["entries"].as_array().unwrap();
        told.extend(entries.iter().filter(|entry| entry["entry"] == "not_kept").cloned());
    }
    told
}

#[test]
fn ordinary_writes_by_the_thousand_are_not_told() {
    assert_eq!(KINDS.iter().map(|kind| kind.share).sum::<usize>(), WRITES);
    let stand_in = StandIn::start();
    let folder = workspace(&stand_in, &[&recipe()]);
    let mut writer = Writer { rng: Rng(1), known: Known::of(&stand_in), count: 0 };
    for _ in 0..wanted() {
        let event = writer.event().to_string();
        hob_with(folder.path(), &["trigger", "hand", "--event", "-"], &event).code(0);
        let before = stand_in.sandbox.totals().0;
        let ended = hob(folder.path(), &ONCE);
        let summary = ended.json();
        assert_eq!(summary["runs"], json!({ "succeeded": 1 }), "{}{:#?}", ended.errors, runs(folder.path()));
        assert_eq!(stand_in.sandbox.totals().0 - before, WRITES as u64, "no request beyond the writes");
        assert_eq!(summary["not_kept"], 0, "{:#?}", told(folder.path()));
    }
}
