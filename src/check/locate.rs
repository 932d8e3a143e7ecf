//! Spans of parts of a `with`, by path.

use crate::source::Span;
use crate::template::{TemplateTree, TreeShape};

/// The span of the value at `path`, or of its nearest existing parent.
pub(super) fn value_at(tree: &TemplateTree, path: &[String]) -> Span {
    let Some((first, rest)) = path.split_first() else { return tree.span };
    let inner = match &tree.shape {
        TreeShape::Map(_) => tree.get(first),
        TreeShape::List(items) => first.parse().ok().and_then(|index: usize| items.get(index)),
        _ => None,
    };
    inner.map_or(tree.span, |inner| value_at(inner, rest))
}

/// The span of the last key of `path`.
pub(super) fn key_at(tree: &TemplateTree, path: &[String]) -> Span {
    let Some((first, rest)) = path.split_first() else { return tree.span };
    match &tree.shape {
        TreeShape::Map(entries) => match entries.iter().find(|(key, _)| key.value == *first) {
            Some((key, _)) if rest.is_empty() => key.span,
            Some((_, inner)) => key_at(inner, rest),
            None => tree.span,
        },
        TreeShape::List(items) => {
            let inner = first.parse().ok().and_then(|index: usize| items.get(index));
            inner.map_or(tree.span, |inner| key_at(inner, rest))
        }
        _ => tree.span,
    }
}
