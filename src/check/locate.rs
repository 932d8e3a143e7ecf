//! The span of a part of a `with`, by its path.

use crate::source::Span;
use crate::template::{TemplateTree, TreeShape};

/// The place of the value at `path`, as far as the path leads.
pub(super) fn value_at(tree: &TemplateTree, path: &[String]) -> Span {
    let Some((first, rest)) = path.split_first() else { return tree.span };
    let inner = match &tree.shape {
        TreeShape::Map(_) => tree.get(first),
        TreeShape::List(items) => first.parse().ok().and_then(|index: usize| items.get(index)),
        _ => None,
    };
    inner.map_or(tree.span, |inner| value_at(inner, rest))
}

/// The place of the key at the end of `path`.
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
