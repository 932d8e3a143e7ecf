//! The place where a text ends.

use super::frame::{Container, End, Frame};
use super::place::{Part, Place, Role};
use super::scanner::Scanner;

/// The place at the end of `text`.
pub fn place(text: &str) -> Place {
    let mut scanner = Scanner { text, at: 0, frames: Vec::new(), flow: None };
    let end = scanner.run();
    scanner.place(end)
}

impl Scanner<'_> {
    /// Leaves what does not contain a word at `column`; whether that word is a key of the innermost mapping.
    pub(super) fn resolve(&mut self, column: usize) -> bool {
        self.leave(column, false);
        match self.frames.last() {
            Some(Frame { column: Some(at), container: Container::Map(entries) }) => {
                *at == column || entries.last().is_some_and(|(_, value)| !value.is_empty())
            }
            _ => false,
        }
    }

    fn place(mut self, end: End) -> Place {
        let (role, start, quoted, block) = match end {
            End::Comment => (Role::Comment, self.text.len(), false, false),
            End::Value { start, quoted, block } => (Role::Value, start, quoted, block),
            End::Key { start, quoted } => (Role::Key, start, quoted, false),
            End::Blank { column } => {
                self.resolve(column);
                (Role::Key, self.text.len(), false, false)
            }
        };
        let mut before = Vec::new();
        let is_key_of_last = role == Role::Key && self.is_key(start);
        let count = self.frames.len();
        let mut path = Vec::new();
        for (at, frame) in self.frames.into_iter().enumerate() {
            match frame.container {
                Container::List(items) => path.push(Part::Item(items.saturating_sub(1))),
                Container::Map(entries) if at + 1 == count && is_key_of_last => before = entries,
                Container::Map(mut entries) => {
                    let key = entries.pop().map(|(key, _)| key).unwrap_or_default();
                    path.push(Part::Key(key));
                    if at + 1 == count {
                        before = entries;
                    }
                }
            }
        }
        Place { path, role, start, quoted, block, flow: self.flow, before }
    }

    /// Whether a key that begins at `start` is one of the innermost mapping, rather than the first of a new one.
    fn is_key(&mut self, start: usize) -> bool {
        match self.frames.last() {
            Some(Frame { column: None, container: Container::Map(_) }) => true,
            Some(Frame { column: Some(_), container: Container::Map(_) }) => {
                let line = self.text[..start].rfind('\n').map_or(0, |end| end + 1);
                // A quote is no part of the column.
                let column = self.text[line..start].trim_end_matches(['"', '\'']).len();
                self.resolve(column)
            }
            _ => false,
        }
    }
}
