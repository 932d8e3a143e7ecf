//! Operations that hob performs itself and that need the journal or the network. Those that only
//! write history are the machine's own.

mod execute;
mod http_request;
mod inputs;
mod links;
mod state;

pub(super) use execute::execute;
