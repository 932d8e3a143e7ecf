//! Triggers against real servers and a real journal: lists in every paging style, webhooks over HTTP, schedules with
//! a manual clock.

mod adaptive;
mod business;
mod changing;
mod fixture;
mod hostile_requests;
mod lists;
mod lost_answers;
mod parents;
mod planned;
mod polling;
mod reconciling;
mod removals;
mod sandboxed;
mod schedules;
mod server;
mod sharing;
#[path = "../cli/spawn.rs"]
mod spawn;
mod studio;
mod untrusted_clients;
mod webhooks;
mod windows;
