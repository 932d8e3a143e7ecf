//! Where the log goes: to standard error, for people or for machines.

use tracing_subscriber::EnvFilter;

use super::{Environment, Global, LogFormat};

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
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Fails only when logging has begun already.
    match global.log_format {
        LogFormat::Text => log.with_ansi(colour).with_target(false).try_init().ok(),
        LogFormat::Json => log.json().flatten_event(true).try_init().ok(),
    };
    Ok(())
}
