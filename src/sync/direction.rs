//! Directions: `both`, `none`, `to-SIDE`.

use super::side::Side;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Spanned;

/// For each side, whether something goes to it.
pub(super) type Directions = [bool; 2];

/// Reads `both`, `to-SIDE` and, where it is allowed, `none`.
pub(super) fn directions(
    text: &Spanned<String>,
    sides: &[Side<'_>; 2],
    may_be_none: bool,
    found: &mut Vec<Diagnostic>,
) -> Option<Directions> {
    let to = sides.each_ref().map(|side| format!("to-{}", side.name));
    match text.as_str() {
        "both" => Some([true, true]),
        "none" if may_be_none => Some([false, false]),
        other if other == to[0] => Some([true, false]),
        other if other == to[1] => Some([false, true]),
        other => {
            let mut known = vec!["both", &to[0], &to[1]];
            known.extend(may_be_none.then_some("none"));
            let words: Vec<String> = known.iter().map(|word| format!("`{word}`")).collect();
            let message = format!("`{other}` is no direction of this sync");
            let diagnostic = Diagnostic::new(Code::NotAllowed, text.span, message);
            let help = format!("it is one of {}", words.join(", "));
            found.push(diagnostic.help(help).suggest(other, known));
            None
        }
    }
}

/// The side called `name`.
pub(super) fn side_called(
    name: &Spanned<String>,
    what: &str,
    sides: &[Side<'_>; 2],
    found: &mut Vec<Diagnostic>,
) -> Option<usize> {
    let at = sides.iter().position(|side| side.name.value == name.value);
    if at.is_none() {
        let names = sides.each_ref().map(|side| side.name.as_str());
        let message = format!("{what} `{name}` is neither side of this sync");
        let diagnostic = Diagnostic::new(Code::NotAllowed, name.span, message);
        let help = format!("the sides are `{}` and `{}`", names[0], names[1]);
        found.push(diagnostic.help(help).suggest(name, names));
    }
    at
}
