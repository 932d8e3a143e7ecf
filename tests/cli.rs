//! The program as its users meet it.

#[path = "cli/commands.rs"]
mod commands;
#[path = "cli/program.rs"]
mod program;
