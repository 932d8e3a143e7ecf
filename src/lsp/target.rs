//! A place in a file of the workspace.

use std::path::{Path, PathBuf};

use lsp_types::{Location, Range, TextEdit};

use super::text_position::Encoding;
use super::uri;
use crate::source::{SourceFile, Span};

/// Finds the text of a file: the open one, or that on disk.
pub type FindText<'a> = dyn Fn(&Path) -> Option<SourceFile> + 'a;

/// A place in a file.
#[derive(Debug, Clone)]
pub struct Target {
    /// The file.
    pub path: PathBuf,
    /// Its text.
    pub file: SourceFile,
    /// The place in it.
    pub span: Span,
}

impl Target {
    /// As the protocol has it.
    pub fn location(&self, encoding: Encoding) -> Option<Location> {
        Some(Location::new(uri::of(&self.path)?, self.range(encoding)))
    }

    /// The change of its text to `text`.
    pub fn edit(&self, text: &str, encoding: Encoding) -> TextEdit {
        TextEdit::new(self.range(encoding), text.to_owned())
    }

    fn range(&self, encoding: Encoding) -> Range {
        encoding.range(&self.file, self.span)
    }
}
