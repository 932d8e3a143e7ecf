//! What the polls of a counter cost after a change to some of them.

use super::input::Input;
use super::poll_groups::PollGroup;
use super::polls::Poll;
use super::uses::{PlannedUse, poll_use};

/// The polls of a counter, to be planned again.
pub(super) struct Replan<'a> {
    polls: Vec<Poll>,
    input: &'a Input<'a>,
    calls: f64,
}

impl<'a> Replan<'a> {
    /// The polls among `uses`.
    pub(super) fn new(uses: &[&PlannedUse], input: &'a Input<'a>) -> Self {
        let polls: Vec<Poll> = uses.iter().flat_map(|used| used.polls.iter().cloned()).collect();
        let calls = expected(polls.clone(), input);
        Self { polls, input, calls }
    }

    /// Requests a day that are saved if polls are as `change` makes them; `None` if none is. Polls that others share
    /// stay as long as one of these needs them.
    pub(super) fn saves(&self, change: &dyn Fn(&Poll) -> Option<Poll>) -> Option<u64> {
        let changed = self.polls.iter().map(|poll| change(poll).unwrap_or_else(|| poll.clone())).collect();
        let saved = (self.calls - expected(changed, self.input)).round();
        (saved >= 1.0).then_some(saved as u64)
    }
}

fn expected(polls: Vec<Poll>, input: &Input<'_>) -> f64 {
    let uses = PollGroup::all(polls).into_iter().filter_map(|group| poll_use(group, input, &mut |_, _| {}));
    uses.map(|used| used.shown.calls.expected).sum()
}
