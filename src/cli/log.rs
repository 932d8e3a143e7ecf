//! Where the log goes: to standard error, for people or for machines.

use std::io::{self, Write, stderr};
use std::sync::{PoisonError, RwLock};

use tracing_subscriber::EnvFilter;

use super::{Environment, Global, LogFormat};
use crate::secret::Redactor;

/// What no line shows. There is one log in a process.
static HIDDEN: RwLock<Option<Redactor>> = RwLock::new(None);

/// From now on no line shows what `redactor` knows.
pub(super) fn hide(redactor: Redactor) {
    *HIDDEN.write().unwrap_or_else(PoisonError::into_inner) = Some(redactor);
}

/// Standard error, without secrets. A line comes in one piece.
struct Lines;

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match &*HIDDEN.read().unwrap_or_else(PoisonError::into_inner) {
            Some(redactor) => stderr().write_all(redactor.text(&String::from_utf8_lossy(line)).as_bytes())?,
            None => stderr().write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        stderr().flush()
    }
}

/// Starts logging, of what is `usual` unless the user says otherwise. A second call in one process changes nothing.
pub fn start(global: &Global, environment: &Environment, usual: &str, colour: bool) -> Result<(), String> {
    let level = match (&global.log_level, environment.get("HOB_LOG"), global.verbose) {
        (Some(level), ..) => level.as_str(),
        (None, Some(level), 0) => level,
        (None, _, 0) => usual,
        (None, _, 1) => "info,hob=debug",
        (None, ..) => "debug,hob=trace",
    };
    let filter = EnvFilter::try_new(level).map_err(|error| {
        format!("unknown log level `{level}` ({error}); use error, warn, info, debug or trace")
    })?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| Lines);
    // Fails only when logging has begun already.
    match global.log_format {
        LogFormat::Text => log.with_ansi(colour).with_target(false).try_init().ok(),
        LogFormat::Json => log.json().flatten_event(true).try_init().ok(),
    };
    Ok(())
}
