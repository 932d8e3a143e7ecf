//! Which operation a request is: literal paths before parameters, cases and slashes as they stand.

use std::sync::Arc;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::catalog::Operation;

/// The paths of one connector.
#[derive(Debug, Default)]
pub(super) struct Routes(Vec<Route>);

#[derive(Debug)]
struct Route {
    operation: Arc<Operation>,
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Literal(String),
    Parameter(String),
}

/// What a path leads to.
#[derive(Debug)]
pub(super) enum Found<'a> {
    /// An operation with its path parameters.
    Operation(&'a Arc<Operation>, Map<String, Value>),
    /// Nothing, but it would in another case.
    OtherCase,
    /// Nothing.
    Nothing,
}

impl Routes {
    /// Of all operations that are requests of their own; of several with the same, the first.
    pub(super) fn new<'a>(operations: impl Iterator<Item = &'a Arc<Operation>>) -> Self {
        let route = |operation: &Arc<Operation>| Route {
            operation: Arc::clone(operation),
            parts: operation.path.split('/').skip(1).map(Part::of).collect(),
        };
        let sent = |operation: &&Arc<Operation>| !operation.path.is_empty() && operation.composite.is_empty();
        Self(operations.filter(sent).map(route).collect())
    }

    /// The operation with this method and path (percent-encoded, with its leading slash).
    pub(super) fn find(&self, method: &str, path: &str) -> Found<'_> {
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let best = |exact: bool| {
            let fitting =
                self.0.iter().filter_map(|route| Some((route, route.fit(method, &segments, exact)?)));
            // `max_by_key` takes the last of equals; the first is meant.
            fitting.rev().max_by_key(|(_, literal)| *literal).map(|(route, _)| route)
        };
        match best(true) {
            Some(route) => Found::Operation(&route.operation, route.parameters(&segments)),
            None if best(false).is_some() => Found::OtherCase,
            None => Found::Nothing,
        }
    }
}

impl Part {
    fn of(text: &str) -> Self {
        match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            Some(name) => Self::Parameter(name.to_owned()),
            None => Self::Literal(text.to_owned()),
        }
    }
}

impl Route {
    /// How well it fits, more literal parts being better.
    fn fit(&self, method: &str, segments: &[&str], exact: bool) -> Option<usize> {
        if self.operation.method != method || self.parts.len() != segments.len() {
            return None;
        }
        let mut literal = 0;
        for (part, segment) in self.parts.iter().zip(segments) {
            match part {
                Part::Literal(text) if text == segment || (!exact && text.eq_ignore_ascii_case(segment)) => {
                    literal += usize::from(!text.is_empty());
                }
                Part::Parameter(_) if !segment.is_empty() => {}
                _ => return None,
            }
        }
        Some(literal)
    }

    fn parameters(&self, segments: &[&str]) -> Map<String, Value> {
        let mut parameters = Map::new();
        for (part, segment) in self.parts.iter().zip(segments) {
            if let Part::Parameter(name) = part {
                let text = percent_decode_str(segment).decode_utf8_lossy().into_owned();
                parameters.insert(name.clone(), Value::from(text));
            }
        }
        parameters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes() -> Routes {
        let operation = |id: &str, method: &str, path: &str| {
            let yaml =
                format!("{{ title: t, summary: s, kinds: [action], method: {method}, path: '{path}' }}");
            let mut operation: Operation = serde_yaml::from_str(&yaml).expect("an operation");
            operation.id = id.to_owned();
            Arc::new(operation)
        };
        Routes::new(
            [
                operation("remove", "DELETE", "/contacts/{contactId}/campaigns/{campaignId}"),
                operation("remove_all", "DELETE", "/contacts/{contactId}/campaigns/removeAll"),
                operation("list", "GET", "/contacts/"),
                operation("get", "GET", "/contacts/{contactId}"),
            ]
            .iter(),
        )
    }

    fn found(method: &str, path: &str) -> String {
        match routes().find(method, path) {
            Found::Operation(operation, parameters) => {
                format!("{} {}", operation.id, Value::Object(parameters))
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn literal_parts_win_and_slashes_count() {
        assert!(found("DELETE", "/contacts/a/campaigns/removeAll").starts_with("remove_all"));
        assert!(found("DELETE", "/contacts/a/campaigns/b").starts_with("remove "));
        assert!(found("GET", "/contacts/").starts_with("list"));
        assert_eq!(found("GET", "/contacts/a%2Fb"), r#"get {"contactId":"a/b"}"#);
        assert_eq!(found("GET", "/contacts"), "Nothing");
        assert_eq!(found("PUT", "/contacts/"), "Nothing");
        assert_eq!(found("GET", "/Contacts/"), "OtherCase");
    }
}
