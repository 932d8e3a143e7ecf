//! What a filter, function or test takes, read from how the reference writes its call.

/// The ways in which something can be called: `range(end) or range(start, end, step=1)` are two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signature {
    pub(super) forms: Vec<Form>,
}

/// One way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) parameters: Vec<Parameter>,
    /// It ends with `…`: more values of the last kind may follow.
    pub(super) open: bool,
}

/// One parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parameter {
    /// The name that a keyword argument uses; `None` for what is given by its place only (`'test'`).
    pub(super) name: Option<&'static str>,
    /// Whether the call needs it.
    pub(super) required: bool,
}

impl Signature {
    /// Reads `date(format='%Y-%m-%d', timezone='UTC')`.
    pub(super) fn parse(text: &'static str) -> Self {
        Self { forms: text.split(" or ").map(Form::parse).collect() }
    }

    /// The one form, if it takes a fixed number of arguments that each have a name.
    pub(super) fn fixed(&self) -> Option<&Form> {
        match self.forms.as_slice() {
            [form] if !form.open && form.parameters.iter().all(|parameter| parameter.name.is_some()) => {
                Some(form)
            }
            _ => None,
        }
    }

    /// All names that keyword arguments may use.
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
            // `name='field'` tells what is meant, it is no default.
            let name = (!name.starts_with('\'')).then_some(name);
            form.parameters.push(Parameter { name, required: default.is_none() });
        }
        form
    }

    /// The place of the parameter that `keyword` names.
    pub(super) fn place(&self, keyword: &str) -> Option<usize> {
        self.parameters.iter().position(|parameter| parameter.name == Some(keyword))
    }
}

/// The parts between commas; a comma may stand in quotes.
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
