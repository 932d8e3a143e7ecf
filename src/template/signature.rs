//! The parameters of a filter, function or test, parsed from the reference's signature.

use minijinja::machinery::ast::{CallArg, Expr};

/// The forms of a call: `range(end) or range(start, end, step=1)` are two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signature {
    pub(super) forms: Vec<Form>,
}

/// A form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) parameters: Vec<Parameter>,
    /// It ends with `…`: more values of the last kind may follow.
    pub(super) open: bool,
}

/// A parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parameter {
    /// The name for keyword arguments; `None` for positional ones (`'test'`).
    pub(super) name: Option<&'static str>,
    /// Whether it is required.
    pub(super) required: bool,
}

impl Signature {
    /// Parses `date(format='%Y-%m-%d', timezone='UTC')`.
    pub(super) fn parse(text: &'static str) -> Self {
        Self { forms: text.split(" or ").map(Form::parse).collect() }
    }

    /// The single form, if it has a fixed number of named parameters.
    pub(super) fn fixed(&self) -> Option<&Form> {
        match self.forms.as_slice() {
            [form] if !form.open && form.parameters.iter().all(|parameter| parameter.name.is_some()) => {
                Some(form)
            }
            _ => None,
        }
    }

    /// All names of keyword arguments.
    pub(super) fn keywords(&self) -> Vec<&'static str> {
        let mut names: Vec<&str> = Vec::new();
        for name in self.forms.iter().flat_map(|form| &form.parameters).filter_map(|known| known.name) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}

impl Form {
    fn parse(text: &'static str) -> Self {
        let inside = text.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or_default();
        let mut form = Self { parameters: Vec::new(), open: false };
        for part in parts(inside) {
            if part == "…" {
                form.open = true;
                continue;
            }
            let (name, default) =
                part.split_once('=').map_or((part, None), |(name, value)| (name, Some(value)));
            // `name='field'` is an example, not a default.
            let name = (!name.starts_with('\'')).then_some(name);
            form.parameters.push(Parameter { name, required: default.is_none() });
        }
        form
    }

    /// The index of the parameter `keyword`.
    pub(super) fn place(&self, keyword: &str) -> Option<usize> {
        self.parameters.iter().position(|parameter| parameter.name == Some(keyword))
    }
}

/// The parts between commas outside quotes.
fn parts(inside: &'static str) -> Vec<&'static str> {
    let (mut found, mut start, mut quoted) = (Vec::new(), 0, false);
    for (at, c) in inside.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            ',' if !quoted => {
                found.push(inside[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    let last = inside[start..].trim();
    if !last.is_empty() {
        found.push(last);
    }
    found
}

/// Whether a filter is called with `strict=false`, its second argument.
pub(super) fn is_lenient(arguments: &[CallArg<'_>]) -> bool {
    let is_false = |expr: &Expr<'_>| expr.as_const().is_none_or(|value| !value.is_true());
    match arguments.get(1) {
        Some(CallArg::Pos(strict)) => is_false(strict),
        _ => arguments.iter().any(|argument| match argument {
            CallArg::Kwarg("strict", strict) => is_false(strict),
            CallArg::PosSplat(_) | CallArg::KwargSplat(_) => true,
            _ => false,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_read_as_the_reference_writes_them() {
        let date = Signature::parse("date(format='%Y, %m', timezone='UTC', input=none)");
        assert_eq!(date.keywords(), ["format", "timezone", "input"]);
        assert!(date.fixed().is_some_and(|form| form.parameters.iter().all(|known| !known.required)));
        let replace = Signature::parse("replace(old, new)");
        assert!(replace.fixed().is_some_and(|form| form.parameters.iter().all(|known| known.required)));
        assert_eq!(Signature::parse("lower").fixed().map(|form| form.parameters.len()), Some(0));
        assert!(Signature::parse("select('test', …)").fixed().is_none());
        let range = Signature::parse("range(end) or range(start, end, step=1)");
        assert_eq!((range.forms.len(), range.keywords()), (2, vec!["end", "start", "step"]));
    }
}
