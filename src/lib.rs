//! hob: durable recipes for HighLevel and the apps beside it.

pub mod catalog;
pub mod check;
pub mod cli;
pub mod clock;
pub mod connection;
pub mod diagnostic;
pub mod engine;
pub mod event;
pub mod import;
pub mod journal;
pub mod plan;
pub mod printable;
pub mod private;
pub mod recipe;
pub mod reference;
pub mod request;
pub mod run;
pub mod sandbox;
pub mod secret;
pub mod server;
pub mod services;
pub mod source;
pub mod template;
pub mod trigger;
pub mod value;
pub mod workspace;
