//! A command's access to the outside: the environment, standard streams, and whether a
//! person is watching.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use serde::Serialize;

use super::log_redactor;
use crate::printable;
use crate::secret::{Redactor, Secret};

/// The environment that `main` read.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// Variables by name.
    pub variables: BTreeMap<String, String>,
    /// The directory that relative paths begin at.
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
    /// Results go here.
    pub output: Box<dyn Write + Send>,
    /// Everything else goes here.
    pub errors: Box<dyn Write + Send>,
    /// A person reads `output`.
    pub output_is_terminal: bool,
    /// A person reads `errors`.
    pub errors_is_terminal: bool,
    /// Takes secrets out of all that is written by the methods below. They write nothing that gives a terminal orders
    /// either, whatever stands in a text.
    pub redactor: Redactor,
}

impl Streams {
    /// From now on these are never shown, neither here nor in the log.
    pub fn hide(&mut self, secrets: impl IntoIterator<Item = Secret>) {
        self.redactor.add(secrets);
        log_redactor::hide(self.redactor.clone());
    }

    /// A line of the result. What would end it or move the cursor within it is written out.
    pub fn say(&mut self, line: impl AsRef<str>) -> io::Result<()> {
        writeln!(self.output, "{}", printable::line(&self.redactor.text(line.as_ref()), usize::MAX))
    }

    /// A text of the result, as it is laid out.
    pub fn print(&mut self, text: &str) -> io::Result<()> {
        self.output.write_all(printable::lines(&self.redactor.text(text)).as_bytes())
    }

    /// An address for a person to open, as it is: what of it is secret is for them.
    pub fn address(&mut self, url: &str) -> io::Result<()> {
        writeln!(self.output, "{}", printable::line(url, usize::MAX))
    }

    /// The same, and the end of the line.
    pub fn show(&mut self, text: impl AsRef<str>) -> io::Result<()> {
        self.print(text.as_ref())?;
        writeln!(self.output)
    }

    /// A text that hob itself has coloured, as part of the result.
    pub fn show_coloured(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.output, "{}", printable::coloured(&self.redactor.text(text)))
    }

    /// Something about the work, on standard error; further lines of it are indented, so that each note begins a line.
    /// A closed standard error is nobody's problem.
    pub fn note(&mut self, text: impl AsRef<str>) {
        let text = self.redactor.text(text.as_ref());
        writeln!(self.errors, "{}", printable::lines(&text.trim_end().replace('\n', "\n  "))).ok();
    }

    /// The same of what hob itself has coloured.
    pub fn note_coloured(&mut self, text: &str) {
        writeln!(self.errors, "{}", printable::coloured(&self.redactor.text(text))).ok();
    }

    /// The result as JSON.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let value = self.redactor.value(&serde_json::to_value(value)?);
        let text = serde_json::to_string_pretty(&value).map_err(io::Error::from)?;
        writeln!(self.output, "{}", printable::json(&text))?;
        self.output.flush()
    }
}
