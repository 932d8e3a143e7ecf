//! Marks in a text around values from outside.

/// Marks: Unicode noncharacters, which do not occur in texts.
pub(super) const BEGIN: char = '\u{fdd0}';
pub(super) const TEXT: char = '\u{fdd1}';
pub(super) const END: char = '\u{fdd2}';

/// `text` with marks that carry `about`.
pub(super) fn mark(text: &str, about: &str) -> String {
    let text = text.replace([BEGIN, TEXT, END], "\u{fffd}");
    format!("{BEGIN}{about}{TEXT}{text}{END}")
}
