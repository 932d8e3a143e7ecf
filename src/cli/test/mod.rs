//! `hob test`: runs the tests beside recipes.

mod command;
mod discovery;
mod report;
mod watch;

pub use command::Test;
pub(super) use discovery::check_tests;
