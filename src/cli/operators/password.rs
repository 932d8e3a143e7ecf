//! `hob operators password`: the hash of a password.

use std::io::Read;

use anyhow::{Context, anyhow};
use clap::Args;

use crate::cli::{ExitCode, Failure, Session};
use crate::operator::PasswordHash;

/// Make the hash of a password for hob.yaml
#[derive(Debug, Args)]
#[command(
    after_help = "Reads a password of at least 12 characters from standard input; on a terminal it is asked for twice and not \
shown. The hash goes into hob.yaml, as `password_hash` of an operator below `server: { dashboard: { operators: [ … ] } }`, or \
into a variable that hob.yaml names there.\n\n\
Examples:\n  hob operators password\n  openssl rand -base64 18 | tee password.txt | hob operators password"
)]
pub struct Password {}

/// Most bytes of a line.
const MAX_LINE: usize = 10_000;

impl Password {
    /// Makes one.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let hidden = HiddenInput::begin();
        let password = ask(session, hidden.is_some().then_some("Password: "))?;
        if hidden.is_some() && ask(session, Some("Again: "))? != password {
            return Err(Failure::usage(anyhow!("these are two different passwords")));
        }
        drop(hidden);
        let hash = PasswordHash::make(&password).map_err(Failure::usage)?;
        session.streams.say(format!("password_hash: {hash}"))?;
        Ok(ExitCode::Fine)
    }
}

/// Reads a line, after a question.
fn ask(session: &mut Session, question: Option<&str>) -> Result<String, Failure> {
    let streams = &mut session.streams;
    if let Some(question) = question {
        write!(streams.errors, "{question}")?;
        streams.errors.flush()?;
    }
    let mut line = Vec::new();
    let mut byte = [0];
    while line.len() < MAX_LINE && streams.input.read(&mut byte)? == 1 && byte[0] != b'\n' {
        line.push(byte[0]);
    }
    if question.is_some() {
        writeln!(streams.errors)?;
    }
    let line = String::from_utf8(line).context("the password is not UTF-8").map_err(Failure::usage)?;
    Ok(line.trim_end_matches('\r').to_owned())
}

/// Lets a terminal not show what is typed, until dropped.
#[cfg(unix)]
struct HiddenInput(rustix::termios::Termios);

#[cfg(unix)]
impl HiddenInput {
    /// `None` if standard input is no terminal.
    fn begin() -> Option<Self> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let before = tcgetattr(std::io::stdin()).ok()?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &hidden).ok()?;
        Some(Self(before))
    }
}

#[cfg(unix)]
impl Drop for HiddenInput {
    fn drop(&mut self) {
        let now = rustix::termios::OptionalActions::Now;
        // The terminal is gone if this fails.
        rustix::termios::tcsetattr(std::io::stdin(), now, &self.0).ok();
    }
}

/// Elsewhere what is typed is shown.
#[cfg(not(unix))]
struct HiddenInput;

#[cfg(not(unix))]
impl HiddenInput {
    fn begin() -> Option<Self> {
        None
    }
}
