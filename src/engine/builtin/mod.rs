//! Operations that hob performs itself and that need the journal or the network. Pure ones are in `run::builtin`.

mod execute;
mod http_request;
mod inputs;
mod link_bases;
mod links;
mod state;

pub(super) use execute::execute;
