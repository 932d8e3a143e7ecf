//! Matches requests to operations: literal paths before parameters, case and slashes matter.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// The paths of one connector.
#[derive(Debug, Default)]
pub(super) struct Routes(Vec<Route>);

#[derive(Debug)]
struct Route {
    /// The operation's id.
    id: String,
    method: String,
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Literal(String),
    Parameter(String),
}

/// The match of a path.
#[derive(Debug)]
pub(super) enum Found<T> {
    /// An operation with its path parameters.
    Operation(T, Map<String, Value>),
    /// Nothing, but it would match in another case.
    OtherCase,
    /// Nothing.
    Nothing,
}

impl Routes {
    /// Adds a path; the first of equal ones is used.
    pub(super) fn add(&mut self, id: &str, method: &str, path: &str) {
        let parts = path.split('/').skip(1).map(Part::parse).collect();
        self.0.push(Route { id: id.to_owned(), method: method.to_owned(), parts });
    }

    /// The id of the operation with this method and path (percent-encoded, with its leading slash).
    pub(super) fn find(&self, method: &str, path: &str) -> Found<&str> {
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let best = |exact: bool| {
            let fitting =
                self.0.iter().filter_map(|route| Some((route, route.fit(method, &segments, exact)?)));
            // `max_by_key` returns the last of equal ones; the first is intended.
            fitting.rev().max_by_key(|(_, literal)| *literal).map(|(route, _)| route)
        };
        match best(true) {
            Some(route) => Found::Operation(&route.id, route.parameters(&segments)),
            None if best(false).is_some() => Found::OtherCase,
            None => Found::Nothing,
        }
    }
}

impl Part {
    fn parse(text: &str) -> Self {
        match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            Some(name) => Self::Parameter(name.to_owned()),
            None => Self::Literal(text.to_owned()),
        }
    }
}

impl Route {
    /// The quality of a match: the number of literal parts.
    fn fit(&self, method: &str, segments: &[&str], exact: bool) -> Option<usize> {
        if self.method != method || self.parts.len() != segments.len() {
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
        let mut routes = Routes::default();
        routes.add("remove", "DELETE", "/contacts/{contactId}/campaigns/{campaignId}");
        routes.add("remove_all", "DELETE", "/contacts/{contactId}/campaigns/removeAll");
        routes.add("list", "GET", "/contacts/");
        routes.add("get", "GET", "/contacts/{contactId}");
        routes
    }

    fn found(method: &str, path: &str) -> String {
        match routes().find(method, path) {
            Found::Operation(id, parameters) => format!("{id} {}", Value::Object(parameters)),
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
