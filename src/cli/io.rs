//! A command's access to the outside: environment, standard streams, and terminals.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use serde::Serialize;

use super::log_redactor;
use crate::printable;
use crate::secret::{Redactor, Secret};

/// The environment, read by `main`.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// Variables by name.
    pub variables: BTreeMap<String, String>,
    /// The base of relative paths.
    pub directory: PathBuf,
}

impl Environment {
    /// A variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Standard streams.
pub struct Streams {
    /// Input.
    pub input: Box<dyn Read + Send>,
    /// For results.
    pub output: Box<dyn Write + Send>,
    /// For everything else.
    pub errors: Box<dyn Write + Send>,
    /// Whether `output` is a terminal.
    pub output_is_terminal: bool,
    /// Whether `errors` is a terminal.
    pub errors_is_terminal: bool,
    /// Redacts everything written by the methods below. They also escape control characters.
    pub redactor: Redactor,
}

impl Streams {
    /// Hides these secrets in output and log.
    pub fn hide(&mut self, secrets: impl IntoIterator<Item = Secret>) {
        self.redactor.add(secrets);
        log_redactor::hide(self.redactor.clone());
    }

    /// Writes a line of the result; line breaks and cursor movements in it are escaped.
    pub fn say(&mut self, line: impl AsRef<str>) -> io::Result<()> {
        writeln!(self.output, "{}", printable::line(&self.redactor.text(line.as_ref()), usize::MAX))
    }

    /// Writes a text of the result with its layout.
    pub fn print(&mut self, text: &str) -> io::Result<()> {
        self.output.write_all(printable::lines(&self.redactor.text(text)).as_bytes())
    }

    /// Writes an address for a person to open, unredacted: its secrets are meant for them.
    pub fn address(&mut self, url: &str) -> io::Result<()> {
        writeln!(self.output, "{}", printable::line(url, usize::MAX))
    }

    /// Writes a text and a line break.
    pub fn show(&mut self, text: impl AsRef<str>) -> io::Result<()> {
        self.print(text.as_ref())?;
        writeln!(self.output)
    }

    /// Writes a text coloured by hob itself.
    pub fn show_coloured(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.output, "{}", printable::coloured(&self.redactor.text(text)))
    }

    /// Writes a note about the work to standard error, with further lines indented, so that only notes start lines.
    /// Errors are ignored.
    pub fn note(&mut self, text: impl AsRef<str>) {
        let text = self.redactor.text(text.as_ref());
        writeln!(self.errors, "{}", printable::lines(&text.trim_end().replace('\n', "\n  "))).ok();
    }

    /// Writes a note coloured by hob itself.
    pub fn note_coloured(&mut self, text: &str) {
        writeln!(self.errors, "{}", printable::coloured(&self.redactor.text(text))).ok();
    }

    /// Writes the result as JSON.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let value = self.redactor.value(&serde_json::to_value(value)?);
        let text = serde_json::to_string_pretty(&value).map_err(io::Error::from)?;
        writeln!(self.output, "{}", printable::json(&text))?;
        self.output.flush()
    }
}
