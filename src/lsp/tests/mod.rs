//! Tests of the server as an editor sees it, without its process.

mod anywhere;
mod changes;
mod completions;
mod mistakes;
mod protocol;
mod requests;
