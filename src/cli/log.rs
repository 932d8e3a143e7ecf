//! Logging to standard error, for people or for machines.

use std::io::{self, Write, stderr};

use tracing_subscriber::EnvFilter;

use super::{Environment, Global, LogFormat, log_redactor};
use crate::printable;
use crate::value::shortened;

/// The format of lines.
#[derive(Debug, Clone, Copy)]
enum Form {
    Plain,
    Coloured,
    Json,
}

/// Most characters of a line for people, or of a text in a line for machines.
const MAX_LENGTH: usize = 8_000;

impl Form {
    /// A line without its line break, with control characters escaped.
    fn printable(self, line: &str) -> String {
        match self {
            Form::Plain => printable::line(line, MAX_LENGTH),
            // Foreign escapes are escaped before.
            Form::Coloured => match line.char_indices().nth(MAX_LENGTH) {
                Some((end, _)) => Form::Coloured.printable(&line[..end]) + "…\u{1b}[0m",
                None => printable::coloured(&line.replace('\n', "\\n")).into_owned(),
            },
            Form::Json if line.len() > MAX_LENGTH => {
                let short = serde_json::from_str(line).map(|value| shortened(value, MAX_LENGTH).to_string());
                printable::json(&short.unwrap_or_default()).into_owned()
            }
            Form::Json => printable::json(line).into_owned(),
        }
    }
}

/// Redacted standard error. Each line is written at once.
struct Lines(Form);

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches('\n');
        let masked = log_redactor::redact(text);
        stderr().write_all(format!("{}\n", self.0.printable(&masked)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        stderr().flush()
    }
}

/// Starts logging at the level `usual` unless the user chose another. Further calls in one process have no effect.
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
    let form = match (global.log_format, colour) {
        (LogFormat::Text, false) => Form::Plain,
        (LogFormat::Text, true) => Form::Coloured,
        (LogFormat::Json, _) => Form::Json,
    };
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(move || Lines(form));
    // Fails only if logging was started already.
    match global.log_format {
        LogFormat::Text => log.with_ansi(colour).with_target(false).try_init().ok(),
        LogFormat::Json => log.json().flatten_event(true).try_init().ok(),
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    #[test]
    fn no_line_begins_another_or_gives_orders() {
        let forged = "WARN refused reason=a\nINFO forged \u{1b}[2J\u{9b}\u{202e}";
        assert_eq!(
            Form::Plain.printable(forged),
            "WARN refused reason=a\\nINFO forged \\u{1b}[2J\\u{9b}\\u{202e}"
        );
        let shown = Form::Coloured.printable(&format!("\u{1b}[33mWARN\u{1b}[0m {forged}"));
        assert!(shown.starts_with("\u{1b}[33mWARN\u{1b}[0m ") && shown.lines().count() == 1, "{shown}");
        assert!(!shown.contains("\u{1b}[2J") && !shown.contains('\u{202e}'), "{shown}");
        let json = Form::Json.printable(&serde_json::json!({ "message": forged }).to_string());
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["message"], forged);
        assert!(json.chars().all(printable::is_printable), "{json}");
    }

    #[test]
    fn long_lines_are_cut_and_json_stays_json() {
        let long = "x".repeat(100_000);
        assert_eq!(Form::Plain.printable(&long).chars().count(), MAX_LENGTH + 1);
        assert!(Form::Coloured.printable(&format!("\u{1b}[2m{long}")).ends_with("xx…\u{1b}[0m"));
        let json = Form::Json.printable(&serde_json::json!({ "path": long, "n": 1 }).to_string());
        let value: Value = serde_json::from_str(&json).unwrap();
        assert!(json.len() < 9_000 && value["n"] == 1);
    }
}
