//! Two systems that two recipes keep equal: whatever is edited at once, lost, late, doubled or out of order, both are
//! equal in the end, and no echo runs. Time, systems and journal are simulated; what is decided, and from what, is the
//! real thing. It shows nothing of records that are made or deleted, of more than one pair of records, and of webhooks
//! whose record is not fetched: two of those that come in the other order cannot be told from two changes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::{Earlier, Evidence, OwnWrite, Pending, SourceWrite, Subject};
use crate::catalog::{Catalog, Effect};
use crate::check::{CheckedRecipe, Feedback, WorkspaceInfo, check_all};
use crate::event::{CursorKey, DedupKey, Event, EventId, Source};
use crate::run::testing::time;
use crate::run::{
    Accounts, Command, Entry, Machine, Run, RunContext, RunId, RunState, ShownRecord, StampedEntry, StepCall,
    StepError, StepResult, Unsettled, Write, writes,
};
use crate::source::SourceFile;

/// Seeds of a usual run; `HOB_SYNC_SEEDS` says another number, `HOB_SYNC_SEED` one of them.
const USUAL: u64 = 24;
const EDITS: usize = 200;
const FIELDS: usize = 3;

const SIDES: [SideKind; 2] = [
    SideKind {
        connector: "fitr",
        kind: "client.updated",
        id: "cl_1",
        fields: ["full_name", "phone", "program"],
        updated: "updated_at",
        lag: 0,
        trigger: ["{ webhook: fitr.client.updated, hydrate: true }", "{ poll: fitr.clients.list }"],
        write: "fitr.clients.update",
        id_input: "id",
    },
    SideKind {
        connector: "highlevel",
        kind: "ContactUpdate",
        id: "ct_1",
        fields: ["address1", "phone", "city"],
        updated: "dateUpdated",
        lag: 30_000,
        trigger: ["{ webhook: highlevel.ContactUpdate, hydrate: true }", "{ poll: contacts.search }"],
        write: "contacts.update",
        id_input: "contactId",
    },
];

struct SideKind {
    connector: &'static str,
    kind: &'static str,
    id: &'static str,
    fields: [&'static str; FIELDS],
    updated: &'static str,
    /// By how much its list lags, at most.
    lag: i64,
    trigger: [&'static str; 2],
    write: &'static str,
    id_input: &'static str,
}

/// How events come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Webhooks,
    Polls,
}

struct Setup {
    recipes: [CheckedRecipe; 2],
    feedback: Arc<Feedback>,
}

fn setup(mode: Mode) -> &'static Setup {
    static SETUPS: LazyLock<[Setup; 2]> = LazyLock::new(|| [new_setup(0), new_setup(1)]);
    &SETUPS[mode as usize]
}

fn new_setup(mode: usize) -> Setup {
    let files = [0, 1].map(|side: usize| {
        let (from, to) = (&SIDES[side], &SIDES[1 - side]);
        let root = if from.connector == "fitr" && mode == 0 { "event.data" } else { "event" };
        let mut text = format!(
            "name: to-{}\ntrigger: {}\nactions:\n- id: put\n  do: {}\n  with:\n    {}: \"{{{{ links.pair }}}}\"\n",
            to.connector, from.trigger[mode], to.write, to.id_input
        );
        for field in 0..FIELDS {
            let _ = writeln!(text, "    {}: \"{{{{ {root}.{} }}}}\"", to.fields[field], from.fields[field]);
        }
        SourceFile::new("r.yaml", text)
    });
    let workspace_info = WorkspaceInfo { verified: vec!["fitr".into()], ..WorkspaceInfo::none() };
    let checked = check_all(&files, &Arc::new(Catalog::built_in()), &workspace_info);
    let recipes: Vec<CheckedRecipe> = checked
        .into_iter()
        .map(|checked| checked.into_recipe().unwrap_or_else(|report| panic!("{report}")))
        .collect();
    let feedback = Arc::new(Feedback::of(&recipes));
    Setup { recipes: recipes.try_into().unwrap(), feedback }
}

/// Reproducible random numbers (splitmix64).
struct Rng(u64);

impl Rng {
    fn below(&mut self, end: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        i64::try_from((mixed ^ (mixed >> 31)) % u64::try_from(end).unwrap()).unwrap()
    }

    fn percent(&mut self, percent: i64) -> bool {
        self.below(100) < percent
    }
}

type Values = [String; FIELDS];

enum Happening {
    Edit {
        side: usize,
        field: usize,
        value: String,
    },
    Deliver {
        side: usize,
        event: Event,
    },
    /// A request arrives.
    Arrive {
        lane: usize,
        call: Box<StepCall>,
    },
    Answer {
        lane: usize,
        call: Box<StepCall>,
        result: StepResult,
        shown: Value,
    },
    GoOn {
        lane: usize,
    },
    Sweep {
        side: usize,
    },
}

/// What a side holds since a time.
#[derive(Clone)]
struct State {
    since: i64,
    /// Its list shows it from then on.
    listed: i64,
    values: Values,
    by_hob: bool,
}

/// The runs of a recipe about the record.
#[derive(Default)]
struct Lane {
    queue: Vec<Event>,
    active: Option<Active>,
    past: Vec<(Event, Vec<StampedEntry>, RunState)>,
}

struct Active {
    run: Run,
    event: Event,
    entries: Vec<StampedEntry>,
    machine: Machine,
}

#[derive(Debug, Default)]
struct Counts {
    edits: usize,
    writes: usize,
    /// Writes that changed nothing.
    idle: usize,
    suppressed: usize,
    /// Echoes that ran because two writes may have crossed, and had not.
    precautions: usize,
    /// Echoes that ran.
    echoes: usize,
}

struct World {
    mode: Mode,
    setup: &'static Setup,
    rng: Rng,
    now: i64,
    next: u64,
    agenda: BTreeMap<(i64, u64), Happening>,
    /// What each side has held.
    sides: [Vec<State>; 2],
    /// Which of those its list showed last.
    listed: [usize; 2],
    /// Events that tell only what hob wrote.
    told: BTreeSet<EventId>,
    lanes: [Lane; 2],
    ledger: Vec<(RunId, DateTime<Utc>, Write)>,
    unsettled: BTreeMap<RunId, Vec<Unsettled>>,
    /// Edits are made until then.
    end: i64,
    counts: Counts,
    log: Vec<String>,
}

fn at(millisecond: i64) -> DateTime<Utc> {
    time(0) + TimeDelta::milliseconds(millisecond)
}

impl World {
    fn new(seed: u64) -> Self {
        let mode = if seed.is_multiple_of(2) { Mode::Webhooks } else { Mode::Polls };
        let values = || std::array::from_fn(|field| format!("v{field}"));
        let start = || vec![State { since: 0, listed: 0, values: values(), by_hob: false }];
        let mut world = Self {
            mode,
            setup: setup(mode),
            rng: Rng(seed),
            now: 0,
            next: 0,
            agenda: BTreeMap::new(),
            sides: [start(), start()],
            listed: [0, 0],
            told: BTreeSet::new(),
            lanes: [Lane::default(), Lane::default()],
            ledger: Vec::new(),
            unsettled: BTreeMap::new(),
            end: 0,
            counts: Counts::default(),
            log: Vec::new(),
        };
        world.plan();
        world
    }

    fn plan(&mut self) {
        let mut when = 1000;
        for _ in 0..EDITS {
            when += match self.rng.below(10) {
                0..=3 => self.rng.below(300),
                4..=6 => self.rng.below(4000),
                _ => self.rng.below(40_000),
            };
            let (side, field) = (self.rng.below(2) as usize, self.rng.below(FIELDS as i64) as usize);
            // Few values, so that one comes back.
            let value = format!("x{}", self.rng.below(5));
            self.add(when, Happening::Edit { side, field, value });
        }
        self.end = when;
        for side in 0..2 {
            let first = self.rng.below(5000);
            self.add(first, Happening::Sweep { side });
        }
    }

    fn add(&mut self, when: i64, happening: Happening) {
        self.next += 1;
        self.agenda.insert((when, self.next), happening);
    }

    fn values(&self, side: usize) -> &Values {
        &self.sides[side].last().unwrap().values
    }

    fn record(&self, side: usize, number: usize) -> Value {
        let State { since, values, .. } = &self.sides[side][number];
        let kind = &SIDES[side];
        let mut record = Map::from_iter([("id".to_owned(), json!(kind.id))]);
        record.insert(kind.updated.to_owned(), json!(at(*since).to_rfc3339()));
        let fields = kind.fields.iter().zip(values);
        record.extend(fields.map(|(name, value)| ((*name).to_owned(), json!(value))));
        Value::Object(record)
    }

    fn record_now(&self, side: usize) -> Value {
        self.record(side, self.sides[side].len() - 1)
    }

    fn run(&mut self) {
        while let Some(((when, _), happening)) = self.agenda.pop_first() {
            assert!(when < self.end + 7_200_000, "it does not come to an end");
            self.now = when;
            match happening {
                Happening::Edit { side, field, value } => {
                    self.log(format!("{} edited: {field} = {value}", SIDES[side].connector));
                    let mut values = self.values(side).clone();
                    values[field] = value;
                    self.counts.edits += usize::from(values != *self.values(side));
                    self.change(side, values, false);
                }
                Happening::Deliver { side, event } => {
                    self.lanes[side].queue.push(Event { received: at(when), ..event });
                    self.go_on(side);
                }
                Happening::Arrive { lane, call } => self.arrive(lane, call),
                Happening::Answer { lane, call, result, shown } => self.answer(lane, &call, result, &shown),
                Happening::GoOn { lane } => {
                    self.restart(lane);
                    self.go_on(lane);
                }
                Happening::Sweep { side } => self.sweep(side),
            }
        }
    }

    fn log(&mut self, line: String) {
        self.log.push(format!("{:>9.3} {line}", self.now as f64 / 1000.0));
    }

    /// The side has these values from now on, and tells of it.
    fn change(&mut self, side: usize, values: Values, by_hob: bool) {
        let is_idle = values == *self.values(side);
        if !is_idle {
            let lag = if SIDES[side].lag > 0 { self.rng.below(SIDES[side].lag) } else { 0 };
            // An index lags, and does not go back.
            let listed = self.sides[side].last().unwrap().listed.max(self.now + lag);
            self.sides[side].push(State { since: self.now, listed, values, by_hob });
        }
        if self.mode == Mode::Polls || is_idle && self.rng.percent(50) || self.rng.percent(10) {
            return;
        }
        let record = self.record_now(side);
        let payload = match side {
            0 => json!({ "id": "e", "event": SIDES[0].kind, "data": record }),
            _ => {
                let mut body = json!({ "type": SIDES[1].kind, "locationId": "L" });
                body.as_object_mut().unwrap().extend(record.as_object().unwrap().clone());
                body
            }
        };
        let event =
            self.event(side, Source::Connector(SIDES[side].connector.into()), SIDES[side].kind, payload);
        if by_hob {
            self.told.insert(event.id.clone());
        }
        let lag = if self.rng.percent(5) { self.rng.below(90_000) } else { 50 + self.rng.below(2000) };
        // Sent twice under one id, it is one event; here it comes twice under two.
        if self.rng.percent(5) {
            let again = self.now + lag + self.rng.below(20_000);
            self.add(again, Happening::Deliver { side, event: event.clone() });
        }
        self.add(self.now + lag, Happening::Deliver { side, event });
    }

    fn event(&mut self, side: usize, source: Source, kind: &str, payload: Value) -> Event {
        self.next += 1;
        Event {
            id: EventId(format!("evt_{:08}", self.next)),
            source,
            kind: kind.into(),
            connection: Some(SIDES[side].connector.into()),
            record: Some(SIDES[side].id.into()),
            dedup: DedupKey(self.next.to_string()),
            received: at(self.now),
            payload,
        }
    }

    /// A poll, or the sweep for what the sender lost.
    fn sweep(&mut self, side: usize) {
        let states = &self.sides[side];
        let shown = states.iter().rposition(|state| state.listed <= self.now).unwrap_or_default();
        let (last, changed) = (std::mem::replace(&mut self.listed[side], shown), states[shown].since);
        let told = states[last..=shown].iter().skip(1).all(|state| state.by_hob);
        let is_changed = last != shown;
        let (every, arrived) = match self.mode {
            Mode::Polls => (5000, false),
            Mode::Webhooks => (60_000, self.has_arrived(side, changed)),
        };
        if is_changed && !arrived {
            let record = self.record(side, shown);
            let (kind, payload) = match (self.mode, side) {
                (Mode::Polls, _) => ("changed", record),
                (Mode::Webhooks, 0) => (SIDES[0].kind, json!({ "event": SIDES[0].kind, "data": record })),
                (Mode::Webhooks, _) => (SIDES[1].kind, record),
            };
            let key = CursorKey::new("r", &["a".to_owned()]);
            let event = self.event(side, Source::Poll(key), kind, payload);
            if told {
                self.told.insert(event.id.clone());
            }
            self.lanes[side].queue.push(event);
            self.go_on(side);
        }
        if self.now < self.end + 600_000 {
            self.add(self.now + every, Happening::Sweep { side });
        }
    }

    /// Whether a run since the change knows of it, or may fetch the record yet.
    fn has_arrived(&self, side: usize, changed: i64) -> bool {
        let lane = &self.lanes[side];
        let knows = |event: &Event, entries: &[StampedEntry]| {
            let fetched = entries.iter().find_map(|stamped| match &stamped.entry {
                Entry::StepSucceeded { step, result, .. } if step.is_hydrate() => Some(result.as_ref()),
                _ => None,
            });
            let told = event.payload.get("data").unwrap_or(&event.payload);
            let known = fetched.unwrap_or(told)[SIDES[side].updated].as_str().unwrap();
            event.received >= at(changed - 5000) && known.parse::<DateTime<Utc>>().unwrap() >= at(changed)
        };
        lane.active.is_some()
            || !lane.queue.is_empty()
            || lane.past.iter().any(|(event, entries, _)| knows(event, entries))
    }

    fn context(&self, side: usize) -> RunContext {
        RunContext {
            links: Map::from_iter([("pair".to_owned(), json!(SIDES[1 - side].id))]),
            feedback: Arc::clone(&self.setup.feedback),
            ..RunContext::default()
        }
    }

    /// The next run of a lane, if none is under way.
    fn begin(&mut self, lane: usize) {
        if self.lanes[lane].active.is_some() || self.lanes[lane].queue.is_empty() {
            return;
        }
        let event = self.lanes[lane].queue.remove(0);
        self.next += 1;
        let recipe = &self.setup.recipes[lane];
        let accounts = SIDES.iter().map(|side| (side.connector.to_owned(), side.connector.to_owned()));
        let run = Run {
            id: RunId(format!("run_{:08}", self.next)),
            event: event.id.clone(),
            recipe: recipe.name().to_owned(),
            version: None,
            accounts: Accounts::from_iter(accounts),
            lane: SIDES[lane].id.to_owned(),
            created: event.received,
        };
        let machine = Machine::new(recipe.clone(), run.clone(), &event, &[], &self.context(lane));
        self.lanes[lane].active = Some(Active { run, event, entries: Vec::new(), machine });
    }

    /// Another process, or the same one later, goes on from the history alone.
    fn restart(&mut self, lane: usize) {
        let (recipe, context) = (self.setup.recipes[lane].clone(), self.context(lane));
        if let Some(active) = &mut self.lanes[lane].active {
            active.machine =
                Machine::new(recipe, active.run.clone(), &active.event, &active.entries, &context);
        }
    }

    fn go_on(&mut self, lane: usize) {
        self.begin(lane);
        // One that waits for something is not asked again before that.
        let waiting = |happening: &Happening| match happening {
            Happening::Arrive { lane: of, .. }
            | Happening::Answer { lane: of, .. }
            | Happening::GoOn { lane: of } => *of == lane,
            _ => false,
        };
        if self.agenda.values().any(waiting) {
            return;
        }
        while let Some(mut active) = self.lanes[lane].active.take() {
            let decision = active.machine.decide(at(self.now));
            active.entries.extend(decision.entries);
            self.note_unsettled(&active);
            match decision.command {
                Command::GatherEvidence => {
                    let evidence = self.evidence(lane, &active);
                    active.machine.take_evidence(evidence);
                }
                Command::Execute(call) => {
                    let lag = 20 + self.rng.below(400);
                    self.add(self.now + lag, Happening::Arrive { lane, call });
                    self.lanes[lane].active = Some(active);
                    return;
                }
                Command::Sleep { until, .. } => {
                    let when = (until - at(0)).num_milliseconds() + 1;
                    self.add(when, Happening::GoOn { lane });
                    self.lanes[lane].active = Some(active);
                    return;
                }
                Command::Finish { state, reason } => {
                    self.end_run(lane, active, state, &reason.unwrap_or_default());
                    self.begin(lane);
                    continue;
                }
                other => panic!("{other:?}"),
            }
            self.lanes[lane].active = Some(active);
        }
    }

    fn end_run(&mut self, lane: usize, active: Active, state: RunState, reason: &str) {
        assert!(matches!(state, RunState::Succeeded | RunState::Suppressed), "{state:?}: {reason}");
        self.counts.suppressed += usize::from(state == RunState::Suppressed);
        self.log(format!("{} {}: {} {reason}", active.run.recipe, active.run.id, state.name()));
        self.lanes[lane].past.push((active.event, active.entries, state));
    }

    fn note_unsettled(&mut self, active: &Active) {
        self.unsettled.insert(active.run.id.clone(), active.machine.unsettled());
    }

    fn written<'a>(
        &'a self,
        connection: &'a str,
        record: &'a str,
    ) -> impl Iterator<Item = &'a (RunId, DateTime<Utc>, Write)> {
        let is_of = move |write: &Write| write.connection == connection && write.record == record;
        self.ledger.iter().filter(move |(_, _, write)| is_of(write))
    }

    fn evidence(&self, lane: usize, active: &Active) -> Option<Evidence> {
        let recipe = &self.setup.recipes[lane];
        let (catalog, run) = (recipe.catalog(), &active.run);
        let subject = Subject::of(recipe, &active.event, &run.accounts)?;
        let own = self.written(&subject.connection, &subject.record).filter(|(by, ..)| *by != run.id);
        let own: Vec<_> = own.collect();
        let newest = own[own.len().saturating_sub(50)..].iter();
        let writes: Vec<OwnWrite> =
            newest.filter_map(|(by, at, write)| subject.own_write(catalog, write, by, *at)).collect();
        let unsettled = self.unsettled.iter().filter(|(by, _)| **by != run.id);
        let unsettled = unsettled.flat_map(|(by, known)| known.iter().map(move |known| (by, known)));
        let pending: Vec<Pending> =
            unsettled.filter_map(|(by, known)| subject.pending(catalog, known, by)).collect();
        if writes.is_empty() && pending.is_empty() {
            return None;
        }
        let past = self.lanes[lane].past.iter().rev().take(12).rev();
        let earlier: Vec<Earlier> =
            past.map(|(event, entries, state)| subject.earlier(event, entries, *state)).collect();
        let crossing = self
            .written(SIDES[1 - lane].connector, SIDES[1 - lane].id)
            .filter_map(|(by, at, write)| {
                SourceWrite::of((&subject.connection, &subject.record), write, by, *at)
            })
            .collect();
        Some(Evidence { subject, writes, pending, earlier, crossing, allow: false })
    }

    fn arrive(&mut self, lane: usize, call: Box<StepCall>) {
        let side = if call.effect == Effect::Read { lane } else { 1 - lane };
        if call.effect != Effect::Read {
            let mut values = self.values(side).clone();
            for (field, name) in SIDES[side].fields.iter().enumerate() {
                values[field] = call.inputs[*name].as_str().unwrap().to_owned();
            }
            let active = self.lanes[lane].active.as_ref().unwrap();
            let is_idle = values == *self.values(side);
            let is_precaution = |stamped: &StampedEntry| matches!(stamped.entry, Entry::Remark { .. });
            let is_precaution = active.entries.iter().any(is_precaution);
            let known = self.sides[lane].iter().rev().find(|state| state.values == values);
            let is_echo =
                self.told.remove(&active.event.id) && is_idle && known.is_some_and(|state| state.by_hob);
            self.counts.writes += 1;
            self.counts.idle += usize::from(is_idle);
            self.counts.precautions += usize::from(is_echo && is_precaution);
            self.counts.echoes += usize::from(is_echo && !is_precaution);
            if is_echo && !is_precaution {
                self.log(format!("{} runs though its event is an echo", active.run.id));
            }
            self.log(format!("{} written: {values:?}", SIDES[side].connector));
            self.change(side, values, true);
        }
        let shown = self.record_now(side);
        let lost = call.effect != Effect::Read && self.rng.percent(3);
        let result = match lost {
            true => StepResult::Again { error: StepError::new("no answer"), not_before: None, lost: true },
            false => StepResult::Done(shown.clone()),
        };
        // A process that crashes here knows only what it meant to do.
        if call.effect != Effect::Read && self.rng.percent(2) {
            self.add(self.now + 3000, Happening::GoOn { lane });
            return;
        }
        let lag = 20 + self.rng.below(400);
        self.add(self.now + lag, Happening::Answer { lane, call, result, shown });
    }

    fn answer(&mut self, lane: usize, call: &StepCall, result: StepResult, shown: &Value) {
        let Some(mut active) = self.lanes[lane].active.take() else { unreachable!() };
        let stamped = StampedEntry::new(at(self.now), call.entry(&active.run.id, result, at(self.now)));
        if let Entry::StepSucceeded { step, result, .. } = &stamped.entry {
            let shown = ShownRecord { id: Some(SIDES[1 - lane].id.to_owned()), record: shown.clone() };
            let origin = Some(active.machine.origin(step, at(self.now)));
            let written =
                writes(&call.operation, call.connection.as_deref(), &call.inputs, result, &shown, origin);
            self.ledger.extend(written.into_iter().map(|write| (active.run.id.clone(), at(self.now), write)));
        }
        active.machine.apply(&stamped);
        active.entries.push(stamped);
        self.note_unsettled(&active);
        self.lanes[lane].active = Some(active);
        self.go_on(lane);
    }
}

#[test]
fn two_systems_end_equal_and_no_echo_runs() {
    #[expect(clippy::disallowed_methods, reason = "settings of the tests")]
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let one = number("HOB_SYNC_SEED");
    let seeds = match one {
        Some(seed) => seed..seed + 1,
        None => 1..number("HOB_SYNC_SEEDS").unwrap_or(USUAL) + 1,
    };
    let (mut wrong, mut all) = (String::new(), Counts::default());
    for seed in seeds {
        let mut world = World::new(seed);
        world.run();
        let (counts, [fitr, highlevel]) = (&world.counts, [0, 1].map(|side| world.values(side)));
        let runs_echoes = world.mode == Mode::Webhooks && counts.echoes > 0;
        if fitr != highlevel || runs_echoes || one.is_some() {
            let _ = writeln!(wrong, "HOB_SYNC_SEED={seed}: {fitr:?} {highlevel:?} {counts:?}");
            if one.is_some() {
                let _ = writeln!(wrong, "{}", world.log.join("\n"));
            }
        }
        all.edits += counts.edits;
        all.writes += counts.writes;
        all.idle += counts.idle;
        all.suppressed += counts.suppressed;
        all.precautions += counts.precautions;
        all.echoes += counts.echoes;
    }
    assert!(wrong.is_empty(), "{} complaints:\n{wrong}{all:?}", wrong.lines().count());
    // A list that lags may show what hob wrote after what it overwrote: whether somebody set it back cannot be told, and
    // what cannot be told runs.
    assert!(all.echoes * 1000 <= all.edits, "{all:?}");
    // What changes nothing is known by the ledger, and need not be sent.
    assert!((all.writes - all.idle) * 100 <= all.edits * 105, "more is written than was edited: {all:?}");
}
