//! Before a run starts: whether its event is an echo of hob's own write, or the run would continue a loop.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::{Command, Machine};
use crate::run::RunState;
use crate::run::echo::Verdict;
use crate::run::entry::{ChainLink, Entry, StepKey};
use crate::run::status::Phase;
use crate::value::{Map, Value};

impl Machine {
    /// Starts the run unless the event is an echo; `None` if there is more to decide.
    pub(super) fn begin_unless_echo(&mut self, now: DateTime<Utc>) -> Option<Command> {
        let start = StepKey::start();
        if let Phase::Parked { reason } = self.status.step(&start).phase {
            self.scope.set("vars", Value::Object(Map::new()));
            return self.after_parking(&start, reason, now);
        }
        match self.verdict(now) {
            None => self.begin(now),
            Some(Verdict::Echo(reason)) => self.finish(RunState::Suppressed, Some(reason), None, now),
            Some(Verdict::Wait { until, reason }) => return Some(Command::Sleep { until, reason }),
            Some(Verdict::Run(chain)) => {
                self.evidence = None;
                self.follow_chain(chain, now);
            }
        }
        None
    }

    fn verdict(&self, now: DateTime<Utc>) -> Option<Verdict> {
        let (evidence, event) = self.evidence.as_ref()?;
        let payload = self.scope.get("event").map(Cow::into_owned).unwrap_or_default();
        Some(evidence.verdict(event, &payload, now))
    }

    /// Records that the run follows from `chain`, and parks it if that is a loop.
    fn follow_chain(&mut self, chain: Vec<ChainLink>, now: DateTime<Utc>) {
        if chain.is_empty() {
            return;
        }
        let recipe = self.recipe.name().to_owned();
        let exceeded = self.loop_limit.exceeded(&recipe, &chain, now);
        self.record(Entry::Caused { by: chain }, now);
        if let Some(reason) = exceeded {
            self.record(Entry::Parked { step: StepKey::start(), reason }, now);
        }
    }
}
