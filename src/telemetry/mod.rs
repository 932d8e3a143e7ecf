//! Reports what runs did as traces of OpenTelemetry. They are made from the history of each run, after its end, so that a
//! crash changes nothing about them; runs never wait for them.

mod export;
mod queue;
mod request;
mod spans;

pub use export::TraceExport;
pub use request::TRACER;
