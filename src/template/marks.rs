//! Marks within a text around what was filled in from outside.

/// Marks around what is filled in: characters that Unicode keeps for uses like this, and no text has.
pub(super) const BEGIN: char = '\u{fdd0}';
pub(super) const TEXT: char = '\u{fdd1}';
pub(super) const END: char = '\u{fdd2}';

/// `text` with marks around it that say this `about` it.
pub(super) fn mark(text: &str, about: &str) -> String {
    let text = text.replace([BEGIN, TEXT, END], "\u{fffd}");
    format!("{BEGIN}{about}{TEXT}{text}{END}")
}
