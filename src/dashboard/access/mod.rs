//! Who gets in, and what they may do.
//!
//! Callers on this machine need no login unless hob.yaml says so; all others log in, and without operators there is no
//! dashboard for them. The guard stands before every page: it checks host, origin and session, demands a token in what acts,
//! and records every act in the audit log, so that a page cannot forget to.

mod actor;
mod attempts;
mod client;
mod cookie;
mod csrf;
mod fetch;
mod guard;
mod headers;
mod host;
mod log_page;
mod login;
mod path;
mod policy;
mod refusal;
mod session;

pub use actor::Actor;
pub(super) use guard::admit;
pub(super) use headers::protect;
pub(super) use log_page::show as show_log;
pub(super) use login::{log_in, log_out, show as show_login};
pub(super) use policy::Access;
