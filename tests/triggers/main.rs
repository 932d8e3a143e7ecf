//! Triggers against real servers and a real journal: lists read in every style, webhooks posted over
//! HTTP, schedules by a clock that the tests set.

mod door;
mod hostile;
mod lists;
mod polling;
mod reconciling;
mod sandboxed;
mod schedules;
mod stage;
mod strangers;
mod webhooks;
