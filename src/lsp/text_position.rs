//! Positions of the protocol and offsets in a text.

use lsp_types::{Position, Range};

use crate::source::{SourceFile, Span};

/// How the client counts within a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Encoding {
    /// In bytes.
    Utf8,
    /// In units of UTF-16, unless client and server agree on something else.
    #[default]
    Utf16,
}

impl Encoding {
    /// The offset of `position`. Beyond the end of a line it is that end, and beyond the last line the end of the text;
    /// within a character it is that character's beginning.
    pub fn offset(self, file: &SourceFile, position: Position) -> usize {
        let line = usize::try_from(position.line).map_or(usize::MAX, |line| line.saturating_add(1));
        let span = file.line_span(line);
        let text = file.slice(span);
        let text = text.strip_suffix('\r').unwrap_or(text);
        let wanted = usize::try_from(position.character).unwrap_or(usize::MAX);
        let mut units = 0;
        for (at, c) in text.char_indices() {
            units += self.units(c);
            if units > wanted {
                return span.start + at;
            }
        }
        span.start + text.len()
    }

    /// The position of `offset`.
    pub fn position(self, file: &SourceFile, offset: usize) -> Position {
        let line = file.position(offset).line;
        let start = file.line_span(line).start;
        let before = file.text().get(start..offset).unwrap_or_default();
        let units: usize = before.chars().map(|c| self.units(c)).sum();
        Position::new(narrow(line - 1), narrow(units))
    }

    /// The range of `span`.
    pub fn range(self, file: &SourceFile, span: Span) -> Range {
        Range::new(self.position(file, span.start), self.position(file, span.end))
    }

    /// The span of `range`.
    pub fn span(self, file: &SourceFile, range: Range) -> Span {
        Span::new(self.offset(file, range.start), self.offset(file, range.end))
    }

    fn units(self, c: char) -> usize {
        match self {
            Self::Utf8 => c.len_utf8(),
            Self::Utf16 => c.len_utf16(),
        }
    }
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_utf16_are_counted() {
        let file = SourceFile::new("a", "a😀b\r\nüx\n");
        let places =
            [((0, 0), 0), ((0, 1), 1), ((0, 3), 5), ((0, 4), 6), ((1, 0), 8), ((1, 1), 10), ((2, 0), 12)];
        for ((line, character), offset) in places {
            let position = Position::new(line, character);
            assert_eq!(Encoding::Utf16.offset(&file, position), offset, "{position:?}");
            assert_eq!(Encoding::Utf16.position(&file, offset), position, "{offset}");
        }
        assert_eq!(Encoding::Utf8.position(&file, 5), Position::new(0, 5));
        assert_eq!(Encoding::Utf8.offset(&file, Position::new(0, 5)), 5);
    }

    #[test]
    fn what_lies_outside_is_moved_inside() {
        let file = SourceFile::new("a", "a😀b\r\nc");
        let offset = |line, character| Encoding::Utf16.offset(&file, Position::new(line, character));
        assert_eq!(offset(0, 2), 1, "within a character");
        assert_eq!(offset(0, 99), 6, "beyond a line, and before its end");
        assert_eq!((offset(9, 0), offset(u32::MAX, u32::MAX)), (9, 9));
        assert_eq!(Encoding::Utf16.position(&file, 99), Position::new(1, 0));
    }
}
