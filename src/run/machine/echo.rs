//! Before a run starts: whether its event is an echo of hob's own write, or the run would continue a loop.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::echo_check::EchoCheck;
use super::{Command, Machine};
use crate::event::Event;
use crate::run::RunState;
use crate::run::echo::{Evidence, Verdict};
use crate::run::entry::{ChainLink, Entry, StepKey};
use crate::run::status::Phase;
use crate::value::{Map, Value};

impl Machine {
    /// The event, until it is decided whether it is an echo.
    pub fn event(&self) -> Option<&Event> {
        match &self.echo_check {
            EchoCheck::Needed(event) => Some(event),
            _ => None,
        }
    }

    /// The answer to [`Command::GatherEvidence`]; `None` if the event cannot be an echo.
    pub fn take_evidence(&mut self, evidence: Option<Evidence>) {
        self.echo_check = match (std::mem::replace(&mut self.echo_check, EchoCheck::Done), evidence) {
            (EchoCheck::Needed(event), Some(evidence)) => EchoCheck::Gathered(event, Arc::new(evidence)),
            _ => EchoCheck::Done,
        };
    }

    /// Starts the run unless the event is an echo; `None` if there is more to decide.
    pub(super) fn begin_unless_echo(&mut self, now: DateTime<Utc>) -> Option<Command> {
        let start = StepKey::start();
        if let Phase::Parked { reason } = self.status.step(&start).phase {
            self.scope.set("vars", Value::Object(Map::new()));
            return self.after_parking(&start, reason, now);
        }
        let (event, evidence) = match &self.echo_check {
            EchoCheck::Done => return self.begin(now),
            EchoCheck::Needed(_) => return Some(Command::GatherEvidence),
            EchoCheck::Gathered(event, evidence) => (event, Arc::clone(evidence)),
        };
        let payload = self.scope.get("event").map(Cow::into_owned).unwrap_or_default();
        match evidence.verdict(event, &payload, self.status.fetched.map(|at| self.wall(at)), now) {
            Verdict::Echo(reason) => self.finish(RunState::Suppressed, Some(reason), None, now),
            Verdict::Wait { until, reason } => return Some(Command::Sleep { until, reason }),
            Verdict::Run { chain, as_of, remark } => {
                self.echo_check = EchoCheck::Done;
                if let Some(message) = remark {
                    self.record(Entry::Remark { level: "info".to_owned(), message }, now);
                }
                self.follow_chain(chain, as_of, now);
            }
        }
        None
    }

    /// Records that the run follows from `chain`, and parks it if that is a loop.
    fn follow_chain(&mut self, chain: Vec<ChainLink>, as_of: DateTime<Utc>, now: DateTime<Utc>) {
        if chain.is_empty() && self.source.as_ref().is_none_or(|source| source.as_of == as_of) {
            return;
        }
        let recipe = self.recipe.name().to_owned();
        let exceeded = self.loop_limit.exceeded(&recipe, &chain, now);
        self.record(Entry::Caused { by: chain, as_of: Some(as_of) }, now);
        if let Some(reason) = exceeded {
            self.record(Entry::Parked { step: StepKey::start(), reason }, now);
        }
    }
}
