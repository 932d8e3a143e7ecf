//! The systems of a simulation: what people and hob do to them, as time goes on.

use super::engine::{Engine, Next};
use super::timeline::Lane;
use crate::run::StepCall;

/// What the engine works on.
pub(super) trait Environment {
    /// What people do.
    type Action;

    fn engine(&mut self) -> &mut Engine<Self::Action>;

    fn act(&mut self, action: Self::Action);

    /// A poll of a system, or a sweep for lost webhooks.
    fn list(&mut self, system: usize);

    fn handle_request(&mut self, lane: Lane, call: Box<StepCall>);

    /// Goes on with the runs of a lane as far as they come.
    fn advance(&mut self, lane: &Lane);

    /// Until nothing happens any more.
    fn run(&mut self) {
        while let Some(next) = self.engine().next() {
            match next {
                Next::Act(action) => self.act(action),
                Next::List { system } => self.list(system),
                Next::Request { lane, call } => self.handle_request(lane, call),
                Next::Advance { lane } => self.advance(&lane),
            }
        }
    }
}
