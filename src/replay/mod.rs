//! Replays recorded runs with recipes as they are now, and tells what would be different. Answers come from the
//! histories of the runs; nothing is sent, and what a history does not tell is never guessed.

mod compare;
mod knowledge;
mod recorded_answers;
mod recording;
mod repetition;
mod replayer;
mod report;
mod request;
mod run_replay;
mod step_map;
#[cfg(test)]
mod tests;

pub use compare::{Change, What};
pub use replayer::Uncertainty;
pub use report::{Counts, Example, Group, GroupKey, ReplayedRun, Report, UncertaintyGroup, Values};
pub use run_replay::{NotReplayed, RunReplay, links_before, reads_links};
