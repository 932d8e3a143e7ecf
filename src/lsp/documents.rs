//! The texts that are open in the editor, which replace the files on disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lsp_types::{TextDocumentContentChangeEvent, Uri};

use super::text_position::Encoding;
use crate::source::SourceFile;

/// An open text.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its address, as the client writes it.
    pub uri: Uri,
    /// The client's number for this state of it.
    pub version: i32,
    /// The text.
    pub file: SourceFile,
}

/// The open texts by path.
#[derive(Debug, Default)]
pub struct Documents {
    open: BTreeMap<PathBuf, Document>,
}

impl Documents {
    /// Adds a text, called `name` in messages.
    pub fn open(&mut self, path: PathBuf, name: String, uri: Uri, version: i32, text: String) {
        self.open.insert(path, Document { uri, version, file: SourceFile::new(name, text) });
    }

    /// Applies `changes`, one after the other; ignored for a text that is not open.
    pub fn change(
        &mut self,
        path: &Path,
        version: i32,
        changes: Vec<TextDocumentContentChangeEvent>,
        encoding: Encoding,
    ) {
        let Some(document) = self.open.get_mut(path) else { return };
        document.version = version;
        for change in changes {
            let text = match change.range {
                None => change.text,
                Some(range) => {
                    let span = encoding.span(&document.file, range);
                    let mut text = document.file.text().to_owned();
                    text.replace_range(span.range(), &change.text);
                    text
                }
            };
            document.file = SourceFile::new(document.file.name(), text);
        }
    }

    /// Removes a text.
    pub fn close(&mut self, path: &Path) {
        self.open.remove(path);
    }

    /// The text at `path`, if it is open.
    pub fn get(&self, path: &Path) -> Option<&Document> {
        self.open.get(path)
    }

    /// All open texts.
    pub fn all(&self) -> impl Iterator<Item = (&PathBuf, &Document)> {
        self.open.iter()
    }
}

#[cfg(test)]
mod tests {
    use lsp_types::{Position, Range};

    use super::*;

    #[test]
    fn changes_are_applied_one_after_the_other() {
        let mut documents = Documents::default();
        let path = Path::new("/a.yaml");
        let uri = "file:///a.yaml".parse().unwrap();
        documents.open(path.into(), "a.yaml".into(), uri, 1, "name: 😀\nx: 1\n".into());
        let change = |from: (u32, u32), to: (u32, u32), text: &str| TextDocumentContentChangeEvent {
            range: Some(Range::new(Position::new(from.0, from.1), Position::new(to.0, to.1))),
            range_length: None,
            text: text.into(),
        };
        let changes =
            vec![change((0, 6), (0, 8), "ü"), change((0, 7), (1, 0), "b\n"), change((9, 9), (9, 9), "z")];
        documents.change(path, 2, changes, Encoding::Utf16);
        let document = documents.get(path).unwrap();
        assert_eq!((document.file.text(), document.version), ("name: üb\nx: 1\nz", 2));
        // A range whose end comes before its start.
        documents.change(path, 3, vec![change((1, 1), (0, 0), "!")], Encoding::Utf16);
        assert_eq!(documents.get(path).unwrap().version, 3);
        documents.close(path);
        assert!(documents.get(path).is_none());
    }
}
