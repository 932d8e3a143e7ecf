//! Turns an operation and its inputs into an HTTP request, and the answer into an outcome. Everything is read
//! from the catalog; this module knows no operation by name, does not retry and stores nothing.

mod answer;
mod body;
mod call;
mod call_options;
mod classify;
mod client;
mod coerce;
mod download;
mod error_message;
mod expected;
mod files;
mod http_request;
mod inputs;
mod outcome;
pub mod paging;
mod path;
mod prepare;
mod problem;
mod query;
mod read_error;
mod responder;
mod retry_after;
mod scope;
mod send_guard;
mod text_input;
mod wait_notice;

pub use answer::{Answer, result, take_result};
pub use body::{Part, PartContent, RequestBody};
pub use call::Admitted;
pub use call_options::CallOptions;
pub use classify::{Received, classify};
pub use client::{Client, ClientSettings};
pub use download::OnBytes;
pub use expected::{Expected, Form};
pub use files::{FileChoice, FileFolders};
pub use http_request::http_request;
pub use inputs::complete;
pub use outcome::{HeldBy, Outcome, Refusal};
pub use prepare::{PreparedRequest, prepare};
pub use problem::{InputProblem, list};
pub use responder::Responder;
pub use send_guard::SendGuard;
pub use text_input::input_from_text;
pub use wait_notice::OnWait;
