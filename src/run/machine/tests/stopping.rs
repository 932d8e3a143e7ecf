//! Stopping after any entry and restarting from the history: the end is the same, and no recorded step is repeated.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::{Just, ProptestConfig, any, prop, prop_assert_eq, prop_oneof, proptest};
use serde_json::{Value, json};

use super::{SteppedRun, again};
use crate::catalog::Effect;
use crate::run::probe::{Search, SearchOutcome, Window};
use crate::run::testing::run;
use crate::run::{Command, Entry, Finding, FoundLink, Probe, RunState, StepCall, StepResult};
use crate::template::LinkQuery;

const RECIPE: &str = "vars: { n: '{{ event.n }}', m: \"{{ links.find(links.find('b', event.n), to='x') }}\" }\nactions:\n\
    - { id: read, do: things.get, with: { id: a }, retry: { attempts: 50 } }\n\
    - { id: made, do: things.create, with: { name: 'thing {{ vars.n }}' }, retry: { attempts: 50 } }\n\
    - { id: each, do: things.update, for_each: '{{ [1, 2, 3] }}', with: { id: '{{ item }}', of: '{{ steps.made.name }}', twin: \"{{ links.find('a', item) }}\" }, retry: { attempts: 50 } }\n\
    - { do: wait, with: { for: 5s } }\n\
    - { id: again, do: things.create, with: { name: 'second {{ steps.made.id }}' }, retry: { attempts: 50 } }\n";

/// An API that carries out requests and loses answers as planned.
#[derive(Default)]
struct FakeApi {
    things: Vec<Value>,
    updates: HashMap<String, Value>,
    faults: Vec<u8>,
    calls: usize,
}

impl FakeApi {
    fn send(&mut self, call: &StepCall, now: DateTime<Utc>) -> StepResult {
        self.calls += 1;
        let fault = self.faults.get(self.calls - 1).copied().unwrap_or(0);
        match fault {
            1 => return again("refused"),
            2 => {
                return StepResult::Later {
                    wait: std::time::Duration::from_secs(1),
                    reason: "429".into(),
                    kind: None,
                };
            }
            _ => {}
        }
        let result = self.happen(call, now);
        match fault {
            3 if call.effect == Effect::Create => StepResult::InDoubt { reason: "lost".into(), status: None },
            3 => again("lost"),
            _ => StepResult::Done(result),
        }
    }

    fn happen(&mut self, call: &StepCall, now: DateTime<Utc>) -> Value {
        match call.effect {
            Effect::Read => json!({ "id": "a" }),
            Effect::Idempotent => {
                let inputs = Value::Object(call.inputs.clone());
                self.updates.insert(call.step.to_string(), inputs.clone());
                inputs
            }
            Effect::Create => {
                let thing = json!({
                    "id": format!("t{}", self.things.len()),
                    "name": call.inputs["name"],
                    "at": now.to_rfc3339(),
                });
                self.things.push(thing.clone());
                thing
            }
        }
    }

    fn probe(&self, probe: &Probe) -> Finding {
        let data = probe.operation.probe.as_ref().unwrap();
        let window = Window { sent: probe.sent, missed: probe.missed };
        let mut search = Search::new(data, &probe.inputs, window).unwrap();
        search.page(&self.things);
        match search.end(data, &[]) {
            SearchOutcome::Found(thing) => Finding::Happened(thing),
            SearchOutcome::Absent => Finding::DidNotHappen,
            other => Finding::Unclear { reason: format!("{other:?}") },
        }
    }
}

/// Runs to the end. `stops` are the numbers of entries after which hob stops: before the command is executed, or
/// between that and recording its result.
fn end(faults: Vec<u8>, stops: &[(usize, bool)]) -> (FakeApi, SteppedRun, RunState) {
    let mut world = FakeApi { faults, ..FakeApi::default() };
    let mut stepped = SteppedRun::new(RECIPE, json!({ "n": 7 }));
    let mut stops = stops.to_vec();
    for _ in 0..400 {
        let command = stepped.decide();
        let stop = stops.iter().position(|(entries, _)| *entries <= stepped.history.len());
        let stop = stop.map(|index| stops.swap_remove(index).1);
        if stop == Some(false) {
            stepped.restart();
            continue;
        }
        let entry = match command {
            Command::Execute(call) => {
                let done = stepped.machine.status.step(&call.step).phase;
                assert!(!matches!(done, crate::run::Phase::Done(_)), "{} is done again", call.step);
                let step_result = world.send(&call, stepped.now);
                call.entry(&run().id, step_result, stepped.now)
            }
            Command::Probe(probe) => probe.entry(world.probe(&probe), stepped.now),
            Command::Sleep { until, .. } => {
                stepped.now = until;
                stepped.restart();
                continue;
            }
            Command::Park { reason } => panic!("parked: {reason}"),
            Command::FindLinks { step, links } => {
                let found = |query: LinkQuery| FoundLink { found: Some(format!("{}!", query.name)), query };
                Entry::LinksFound { step, links: links.into_iter().map(found).collect() }
            }
            Command::GatherEvidence => unreachable!("no recipe writes what starts this one"),
            Command::Finish { state, .. } => return (world, stepped, state),
        };
        stepped.now += TimeDelta::milliseconds(10);
        if stop == Some(true) {
            stepped.restart();
        } else {
            stepped.record(entry);
        }
    }
    panic!("no end: {:?}", stepped.history);
}

fn names(world: &FakeApi) -> Vec<String> {
    world.things.iter().map(|thing| thing["name"].as_str().unwrap().to_owned()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn stopped_and_resumed_runs_end_alike(
        faults in prop::collection::vec(prop_oneof![4 => Just(0u8), 1 => 1..4u8], 0..12),
        stops in prop::collection::vec((0..24usize, any::<bool>()), 0..6),
    ) {
        let (world, stepped, state) = end(faults, &stops);
        let (straight, _, _) = end(vec![], &[]);
        prop_assert_eq!(state, RunState::Succeeded, "{:?}", stepped.history);
        prop_assert_eq!(names(&world), names(&straight), "each create exactly once: {:?}", stepped.history);
        prop_assert_eq!(&world.updates, &straight.updates);
        let mut succeeded: Vec<String> = stepped.history.iter().filter_map(|stamped| match &stamped.entry {
            Entry::StepSucceeded { step, .. } => Some(step.to_string()),
            _ => None,
        }).collect();
        let all = succeeded.len();
        succeeded.sort();
        succeeded.dedup();
        prop_assert_eq!(all, succeeded.len(), "a step succeeds once");
    }
}
