//! Stories in which one thing happens at a certain moment of a run.

use serde_json::json;

use super::super::engine::at;
use super::super::environment::Environment as _;
use super::super::random::Random;
use super::super::recipes::Mode;
use super::super::timeline::Task;
use super::requests::{Fault, Planned};
use super::simulation::Action::{EditUntold, Tell};
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

    /// Plays it: both records are equal in the end, and nothing fails.
    fn play(mut self) -> Self {
        self.0.run();
        let wrong = self.0.mistakes();
        let told = self.0.engine.log.join("\n");
        assert!(wrong.is_empty() && self.0.planned.is_empty(), "{wrong:?}\n{told}");
        let counts = self.0.counts;
        assert_eq!((counts.failed, counts.echo_runs), (0, 0), "{told}");
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
                let planned = Planned { step: "updated", before, fault };
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
        let planned = Planned { step, before: Vec::new(), fault };
        let story = Story::new(vec![edit(FITR, NAME, "new")], vec![planned]).play();
        story.ends_with(NAME, "new");
        story.writes(1);
    }
}

#[test]
fn what_was_noted_and_never_written_makes_no_edit_hobs_own() {
    let planned = Planned { step: "intent", before: Vec::new(), fault: Fault::Crash };
    let mut story = Story::new(vec![edit(FITR, NAME, "ours")], vec![planned]);
    // While hob is down.
    story.0.engine.timeline.add(LATER + 4000, Task::Act(edit(HIGHLEVEL, NAME, "theirs")));
    let story = story.play();
    story.ends_with(NAME, "theirs");
    story.writes(1);
}

#[test]
fn a_value_that_hob_wrote_once_may_come_back_by_an_edit() {
    let planned = Planned { step: "updated", before: Vec::new(), fault: Fault::Crash };
    let mut story = Story::new(vec![edit(FITR, NAME, "first")], vec![planned]);
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
        Planned { step: "other", before: vec![other], fault: Fault::None },
        Planned { step: "set_back", before: vec![back, tell], fault: Fault::None },
    ];
    let story = Story::new(vec![edit(HIGHLEVEL, PHONE, "+447700900001")], planned).play();
    story.ends_with(NAME, "n0");
    story.ends_with(PHONE, "+447700900001");
}

#[test]
fn between_the_reads_of_a_run_and_its_write_only_the_field_that_is_written_is_at_stake() {
    let before = vec![edit(HIGHLEVEL, NAME, "theirs"), edit(HIGHLEVEL, PHONE, "+447700900001")];
    let planned = Planned { step: "updated", before, fault: Fault::None };
    let story = Story::new(vec![edit(FITR, NAME, "ours")], vec![planned]).play();
    story.ends_with(NAME, "ours");
    story.ends_with(PHONE, "+447700900001");
}
