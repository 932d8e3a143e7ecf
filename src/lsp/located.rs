//! The part of a parsed text that is at an offset.

use super::outline::Part;
use crate::source::{Data, Node, Span};

/// A key or a value at an offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The way to the value; of a key, to the mapping that has it.
    pub path: Vec<Part>,
    /// The key, if it is one.
    pub key: Option<String>,
    /// Its place.
    pub span: Span,
}

/// What is at `offset` in `node`.
pub fn locate(node: &Node, offset: usize) -> Option<Located> {
    let holds = |span: Span| span.start <= offset && offset <= span.end;
    let mut path = Vec::new();
    let mut here = node;
    loop {
        match &here.value {
            Data::Map(entries) => {
                if let Some((key, _)) = entries.iter().find(|(key, _)| holds(key.span)) {
                    return Some(Located { path, key: Some(key.value.clone()), span: key.span });
                }
                let (key, value) = entries.iter().find(|(_, value)| holds(value.span))?;
                path.push(Part::Key(key.value.clone()));
                here = value;
            }
            Data::List(items) => {
                let (at, item) = items.iter().enumerate().find(|(_, item)| holds(item.span))?;
                path.push(Part::Item(at));
                here = item;
            }
            _ => return holds(here.span).then_some(Located { path, key: None, span: here.span }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceFile, parse};

    #[test]
    fn keys_and_values_are_found() {
        let text = "a:\n  - b: xy\n    c: { d: 1 }\ne:\n";
        let node = parse(&SourceFile::new("a", text)).node.unwrap();
        let found = |word: &str| {
            let located = locate(&node, text.find(word).unwrap())?;
            let path: Vec<String> = located.path.iter().map(|part| format!("{part:?}")).collect();
            Some((path.join(" "), located.key, &text[located.span.range()]))
        };
        assert_eq!(found("b"), Some(("Key(\"a\") Item(0)".into(), Some("b".into()), "b")));
        assert_eq!(found("xy"), Some(("Key(\"a\") Item(0) Key(\"b\")".into(), None, "xy")));
        assert_eq!(found("1"), Some(("Key(\"a\") Item(0) Key(\"c\") Key(\"d\")".into(), None, "1")));
        assert_eq!(found("e:").unwrap().1, Some("e".into()));
        assert_eq!(locate(&node, 999), None);
    }
}
