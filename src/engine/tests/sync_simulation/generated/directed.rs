//! Stories in which one thing happens at a certain moment of a run.

use serde_json::json;

use super::super::engine::{Engine, at};
use super::super::environment::Environment as _;
use super::super::random::Random;
use super::super::recipes::Mode;
use super::super::timeline::Task;
use super::requests::{Fault, Planned};
use super::simulation::Action::{EditUntold, Recover, Tell};
use super::simulation::{Action, Simulation};
use super::systems::{KINDS, PHONE};

const FITR: usize = 0;
const HIGHLEVEL: usize = 1;
const NAME: usize = 1;
/// The pair is made and equal by then.
const LATER: i64 = 100_000;

fn edit(system: usize, field: usize, value: &str) -> Action {
    Action::Edit { system, pair: 0, field, value: value.to_owned() }
}

/// The next request of a step has this fault.
fn planned(step: &'static str, fault: Fault) -> Planned {
    Planned { step, before: Vec::new(), fault, after: Vec::new() }
}

/// A pair of records, edited [`LATER`].
struct Story(Simulation);

impl Story {
    fn new(edits: Vec<Action>, planned: Vec<Planned>) -> Self {
        let mut simulation = Simulation::empty(Mode::Webhooks, Random::none());
        simulation.planned = planned;
        simulation.engine.last_edit = LATER;
        let timeline = &mut simulation.engine.timeline;
        timeline.add(1000, Task::Act(Action::Make { system: FITR, pair: 0 }));
        edits.into_iter().for_each(|edit| timeline.add(LATER, Task::Act(edit)));
        simulation.engine.schedule_lists();
        Self(simulation)
    }

    /// So many milliseconds after [`LATER`], this happens as well.
    fn at(mut self, when: i64, action: Action) -> Self {
        let Engine { timeline, last_edit, .. } = &mut self.0.engine;
        timeline.add(LATER + when, Task::Act(action));
        *last_edit = (*last_edit).max(LATER + when);
        self
    }

    /// Plays it: both records are equal in the end, and nothing fails.
    fn play(self) -> Self {
        self.play_expecting(0, 0)
    }

    /// The same, but so many runs fail at first, and so many run though their events are echoes.
    fn play_expecting(mut self, failing: usize, echoes: usize) -> Self {
        self.0.run();
        let wrong = self.0.mistakes();
        let told = self.0.engine.log.join("\n");
        assert!(wrong.is_empty() && self.0.planned.is_empty(), "{wrong:?}\n{told}");
        let counts = self.0.counts;
        assert_eq!((counts.failed, counts.echo_runs), (failing, echoes), "{told}");
        self
    }

    /// Expects this of a field of both records, in the notation of HighLevel.
    fn ends_with(&self, field: usize, value: &str) {
        let kept = |value: &str| KINDS[HIGHLEVEL].kept(field, value);
        for system in &self.0.systems {
            let held = &system.values(system.of_pair(0).unwrap())[field];
            assert_eq!(kept(held), kept(value), "{}", self.0.engine.log.join("\n"));
        }
    }

    /// Expects so many writes, the one that made the other record left aside.
    fn writes(&self, count: usize) {
        let (counts, told) = (self.0.counts, self.0.engine.log.join("\n"));
        assert_eq!((counts.writes - 1, counts.idle_writes), (count, 0), "{told}");
    }
}

#[test]
fn an_edit_beats_the_write_that_it_came_in_between() {
    for fault in [Fault::None, Fault::Crash, Fault::Lost] {
        // Field and other system: the one whose record tells the later time is written by hob.
        for (field, old, new) in [(NAME, "old", "new"), (PHONE, "+44 7700 900001", "+44 7700 900002")] {
            for system in [FITR, HIGHLEVEL] {
                let before = vec![edit(system, field, new)];
                let planned = Planned { before, ..planned("updated", fault) };
                let story = Story::new(vec![edit(system, field, old)], vec![planned]).play();
                story.ends_with(field, new);
                story.writes(2);
            }
        }
    }
}

#[test]
fn what_was_noted_and_never_written_is_written() {
    for (step, fault) in [("intent", Fault::Crash), ("updated", Fault::Unavailable)] {
        let planned = vec![planned(step, fault)];
        let story = Story::new(vec![edit(FITR, NAME, "new")], planned).play();
        story.ends_with(NAME, "new");
        story.writes(1);
    }
}

#[test]
fn what_was_noted_and_never_written_makes_no_edit_hobs_own() {
    let planned = vec![planned("intent", Fault::Crash)];
    let mut story = Story::new(vec![edit(FITR, NAME, "ours")], planned);
    // While hob is down.
    story.0.engine.timeline.add(LATER + 4000, Task::Act(edit(HIGHLEVEL, NAME, "theirs")));
    let story = story.play();
    story.ends_with(NAME, "theirs");
    story.writes(1);
}

#[test]
fn a_value_that_hob_wrote_once_may_come_back_by_an_edit() {
    let planned = vec![planned("updated", Fault::Crash)];
    let mut story = Story::new(vec![edit(FITR, NAME, "first")], planned);
    for (n, value) in [(1, "second"), (2, "first")] {
        let when = LATER + n * LATER;
        story.0.engine.last_edit = when;
        story.0.engine.timeline.add(when, Task::Act(edit(HIGHLEVEL, NAME, value)));
    }
    let story = story.play();
    story.ends_with(NAME, "first");
    story.writes(3);
}

#[test]
fn edits_of_both_records_at_once_are_written_once_each() {
    let edits = vec![edit(FITR, NAME, "new"), edit(HIGHLEVEL, PHONE, "+447700900001")];
    let story = Story::new(edits, Vec::new()).play();
    story.ends_with(NAME, "new");
    story.ends_with(PHONE, "+447700900001");
    story.writes(2);
}

#[test]
fn an_event_older_than_what_was_made_equal_changes_nothing() {
    let mut story = Story::new(vec![edit(FITR, NAME, "old")], Vec::new());
    story.0.engine.timeline.add(2 * LATER, Task::Act(edit(FITR, NAME, "new")));
    story.0.engine.last_edit = 3 * LATER;
    let id = "cl_00000001";
    let record = json!({
        "id": id, "email": "p0@example.com", "full_name": "old", "updated_at": at(LATER).to_rfc3339(),
    });
    story.0.engine.now = 3 * LATER;
    story.0.engine.send_webhook(FITR, id, KINDS[FITR].webhook(false, record), false);
    let story = story.play();
    story.ends_with(NAME, "new");
    story.writes(2);
}

#[test]
fn an_event_waits_for_a_run_that_has_read_what_the_record_had_before() {
    // Whoever changes a value for a moment: the run of the other record has read it, and is about to write it.
    let other = EditUntold { system: FITR, pair: 0, field: NAME, value: "brief".into() };
    let back = EditUntold { system: FITR, pair: 0, field: NAME, value: "n0".into() };
    let tell = Tell { system: FITR, pair: 0 };
    let planned = vec![
        Planned { before: vec![other], ..planned("other", Fault::None) },
        Planned { before: vec![back, tell], ..planned("set_back", Fault::None) },
    ];
    let story = Story::new(vec![edit(HIGHLEVEL, PHONE, "+447700900001")], planned).play();
    story.ends_with(NAME, "n0");
    story.ends_with(PHONE, "+447700900001");
}

#[test]
fn between_the_reads_of_a_run_and_its_write_only_the_field_that_is_written_is_at_stake() {
    let before = vec![edit(HIGHLEVEL, NAME, "theirs"), edit(HIGHLEVEL, PHONE, "+447700900001")];
    let planned = Planned { before, ..planned("updated", Fault::None) };
    let story = Story::new(vec![edit(FITR, NAME, "ours")], vec![planned]).play();
    story.ends_with(NAME, "ours");
    story.ends_with(PHONE, "+447700900001");
}

#[test]
fn what_was_written_before_a_run_failed_is_known_in_another_case() {
    // HighLevel keeps the name with a capital. The answer that would tell is lost, and then the run fails at the other
    // record.
    let phone = EditUntold { system: HIGHLEVEL, pair: 0, field: PHONE, value: "+447700900001".into() };
    let planned = vec![
        Planned { after: vec![phone], ..planned("updated", Fault::Lost) },
        planned("set_back", Fault::Refused),
    ];
    let story = Story::new(vec![edit(FITR, NAME, "new")], planned).at(20_000, Recover).play_expecting(1, 0);
    story.ends_with(NAME, "new");
    story.ends_with(PHONE, "+447700900001");
    story.writes(2);
}

#[test]
fn what_a_retried_run_has_read_is_known_though_the_run_is_old() {
    // The first run fails, and is retried after six more: when it reads what the last of them wrote, whose webhook is
    // still on its way, somebody has changed the record.
    let mut story = Story::new(vec![edit(FITR, NAME, "v0")], vec![planned("updated", Fault::Refused)]);
    for n in 1..=6 {
        story = story.at(n * 10_000, edit(FITR, NAME, &format!("v{n}")));
    }
    let phone = EditUntold { system: HIGHLEVEL, pair: 0, field: PHONE, value: "+447700900001".into() };
    let story = story.at(64_500, phone).at(64_600, Recover).play_expecting(1, 0);
    story.ends_with(NAME, "v6");
    story.ends_with(PHONE, "+447700900001");
    story.writes(7);
}

#[test]
fn an_edit_of_a_record_that_was_just_created_is_seen_though_the_answer_is_lost() {
    for (field, value) in [(PHONE, "+447700900001"), (NAME, "theirs")] {
        for then in [Fault::None, Fault::Crash] {
            let after = vec![edit(HIGHLEVEL, field, value)];
            let created = Planned { after, ..planned("created", Fault::Lost) };
            let story = Story::new(Vec::new(), vec![created, planned("link", then)]);
            // HighLevel keeps the name with a capital. No answer told so: what hob made may be an edit.
            let story = story.play_expecting(0, usize::from(field == NAME));
            story.ends_with(field, value);
            story.writes(1);
        }
    }
}
