//! The links of a recorded run, before and after it.

use serde_json::{Map, Value, json};

use super::exchanges::{Exchange, done};
use super::links::entry;
use crate::catalog::Builtin;
use crate::journal::RunDetail;
use crate::run::Entry;
use crate::template::LinkEnd;

/// Links: name → from → what a test says of it.
#[derive(Default)]
struct Links(Map<String, Value>);

impl Links {
    fn set(&mut self, name: &str, from: &str, entry: Value) {
        let of_name = self.0.entry(name.to_owned()).or_insert_with(|| json!({}));
        of_name[from] = entry;
    }

    /// The link with this end: its ends.
    fn find(&self, name: &str, from: Option<&str>, to: Option<&str>) -> Option<(String, String)> {
        let links = self.0.get(name)?.as_object()?;
        let is_meant = |(start, end): &(&String, &Value)| match from {
            Some(from) => *start == from,
            None => end.as_str() == to,
        };
        links.iter().find(is_meant).and_then(|(from, to)| Some((from.clone(), to.as_str()?.to_owned())))
    }
}

/// The links that the run found, with what it read of their bases.
pub(super) fn links_before(
    detail: &RunDetail,
    exchanges: &[Exchange],
    unknown: &mut Vec<String>,
) -> Map<String, Value> {
    let mut links = Links::default();
    for stamped in &detail.entries {
        let Entry::LinksFound { links: found, .. } = &stamped.entry else { continue };
        for link in found {
            let Some(other) = &link.found else { continue };
            match &link.query.known {
                LinkEnd::From(from) => links.set(&link.query.name, from, other.as_str().into()),
                LinkEnd::To(to) => links.set(&link.query.name, other, to.as_str().into()),
            }
        }
    }
    for (exchange, result) in done(exchanges, Builtin::LinksFind) {
        let Some(other) = result.as_str() else { continue };
        let name = exchange.text("name").unwrap_or_default();
        match (exchange.text("from"), exchange.text("to")) {
            (Some(from), _) => links.set(&name, &from, other.into()),
            (None, Some(to)) => links.set(&name, other, to.into()),
            (None, None) => {}
        }
    }
    let mut read = Vec::new();
    for (exchange, base) in done(exchanges, Builtin::LinksBase) {
        let name = exchange.text("name").unwrap_or_default();
        let (from, to) = (exchange.text("from"), exchange.text("to"));
        // What a run reads later it may have noted itself.
        if read.contains(&(name.clone(), from.clone(), to.clone())) {
            continue;
        }
        if let Some((from, to)) = links.find(&name, from.as_deref(), to.as_deref()) {
            let ends = json!({ "from": base["from"], "to": base["to"] });
            let stated = entry(&to, &ends, &base["sent"]);
            if stated.get("sent").is_some() && base["over"].as_array().is_none_or(Vec::is_empty) {
                let note =
                    format!("another run was writing to the records of the link `{name}`; here it has ended");
                unknown.push(note);
            }
            links.set(&name, &from, stated);
        }
        read.push((name, from, to));
    }
    links.0
}

/// The links that the run saved, with what it noted last of their bases.
pub(super) fn links_after(exchanges: &[Exchange]) -> Map<String, Value> {
    let mut links = Links::default();
    for builtin in [Builtin::LinksSave, Builtin::LinksSettle] {
        for (exchange, _) in done(exchanges, builtin) {
            let [name, from, to] =
                ["name", "from", "to"].map(|input| exchange.text(input).unwrap_or_default());
            let values = exchange.inputs.get("values").unwrap_or(&Value::Null);
            links.set(&name, &from, entry(&to, values, &Value::Null));
        }
    }
    links.0
}
