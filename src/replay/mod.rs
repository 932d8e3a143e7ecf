//! Replays recorded runs with recipes as they are now, and tells what would be different. Answers come from the
//! histories of the runs; nothing is sent, and what a history does not tell is never guessed.

mod book;
mod compare;
mod knowledge;
mod player;
mod recording;
mod repetition;
mod report;
mod request;
mod run_replay;
mod step_map;
#[cfg(test)]
mod tests;

pub use compare::{Change, What};
pub use player::Doubt;
pub use report::{Counts, DoubtGroup, Example, Group, GroupKey, ReplayedRun, Report, Values};
pub use run_replay::{NotReplayed, RunReplay, links_before, reads_links};
