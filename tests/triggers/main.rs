//! Triggers against real servers and a real journal: lists read in every style, schedules by a
//! clock that the tests set.

mod lists;
mod polling;
mod reconciling;
mod schedules;
mod stage;
