//! `links.find`: links between records in templates.
//!
//! An evaluation cannot read the store, so it only knows the links that were looked up before. What else it asks for
//! is noted and is null for the time being: whoever evaluates looks that up and evaluates again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use indexmap::IndexSet;
use minijinja::value::{Object, Rest, Value as Datum, ValueOrKwargs};
use minijinja::{Error, State};
use serde::{Deserialize, Serialize};

use super::bind::bind;
use super::convert;
use super::error::{advised, refusal};
use super::filters::unfit;
use super::spec::{Spec, own};
use crate::value::Value;

/// The name under which the function finds them in the scope; templates cannot write it.
pub(super) const LINKS: &str = "$links";

/// The name before the dot.
pub(super) const NAMESPACE: &str = "links";

/// The most links that one evaluation may ask for.
const MAX_ASKED: usize = 10_000;

pub(super) const FIND: Spec = own!(
    add_function(find),
    "links.find(name, from=none, to=none)",
    "The other end of the link with this name that has the record `from` on its one side, or the record `to` on its \
     other side; null when there is none, and of null. Links are made by `links.save`. A step sees them as they are \
     when it begins, in all of its attempts; `when` and `vars` as they are when the run begins.",
    ("{{ links.find('fitr-client', to='contact-7') }}", "null")
);

/// A link to look up: its name, and the end that is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LinkQuery {
    /// The link's name.
    pub name: String,
    /// The known end.
    #[serde(flatten)]
    pub known: LinkEnd,
}

/// The known end of a link.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkEnd {
    /// The record that it leads from.
    From(String),
    /// The record that it leads to.
    To(String),
}

/// The links that were looked up, and those that templates ask for besides.
#[derive(Debug, Default)]
pub struct Links {
    found: HashMap<LinkQuery, Option<String>>,
    asked: Mutex<IndexSet<LinkQuery>>,
}

impl Links {
    /// `found`: by query, the other end; `None` where there is no link.
    pub fn new(found: HashMap<LinkQuery, Option<String>>) -> Self {
        Self { found, asked: Mutex::default() }
    }

    /// Takes what templates asked for and what was not looked up, in the order of asking. Unless it is empty, the
    /// values of those templates are to be discarded.
    pub fn take_asked(&self) -> Vec<LinkQuery> {
        std::mem::take(&mut *self.asked()).into_iter().collect()
    }

    fn look_up(&self, query: LinkQuery) -> Result<Option<&str>, Error> {
        if let Some(found) = self.found.get(&query) {
            return Ok(found.as_deref());
        }
        let mut asked = self.asked();
        asked.insert(query);
        if asked.len() > MAX_ASKED {
            return Err(refusal(format!("`links.find` finds {MAX_ASKED} links at most in one value")));
        }
        Ok(None)
    }

    fn asked(&self) -> MutexGuard<'_, IndexSet<LinkQuery>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For the function, which finds it in the scope.
impl Object for Links {}

fn find(state: &State<'_, '_>, given: Rest<ValueOrKwargs>) -> Result<Datum, Error> {
    let given = bind(&FIND.parsed(), FIND.signature, false, &given.into_values())?;
    let argument = |at: usize| given.get(at).filter(|value| !value.is_undefined());
    let name = argument(0).map_or(Ok(None), |name| text(name, "name"))?;
    let name = name.ok_or_else(|| refusal("`links.find` needs the name of the link, and it is null"))?;
    let (from, to) = (argument(1), argument(2));
    if from.is_none() && to.is_none() {
        return Err(advised(NO_END, END_HELP));
    }
    let end = |value: Option<&Datum>, what| value.map_or(Ok(None), |value| text(value, what));
    let known = match (end(from, "from")?, end(to, "to")?) {
        (Some(from), None) => LinkEnd::From(from),
        (None, Some(to)) => LinkEnd::To(to),
        (None, None) => return Ok(Datum::from(())),
        (Some(_), Some(_)) => return Err(advised(BOTH_ENDS, END_HELP)),
    };
    let links = state.lookup(LINKS).and_then(|links| links.downcast_object::<Links>());
    let links = links.ok_or_else(|| refusal("`links.find` does not work here"))?;
    Ok(links.look_up(LinkQuery { name, known })?.map_or(Datum::from(()), Datum::from))
}

pub(super) const NO_END: &str = "`links.find` needs the record at one end of the link";
pub(super) const BOTH_ENDS: &str = "`links.find` takes one end of the link, and two are given";
pub(super) const END_HELP: &str = "write `links.find('name', id)` for the end that `links.save` calls `from`, and `links.find('name', to=id)` for \
     the other one";

/// The text of an argument; ids are often numbers. `None` for null.
fn text(value: &Datum, what: &str) -> Result<Option<String>, Error> {
    match convert::to_json(value)? {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => {
            let message = format!("`links.find` needs a record, and `{what}` is an empty text");
            Err(advised(message, "where it may be empty, write `… | default(none, true)`: null has no link"))
        }
        Value::String(text) => Ok(Some(text)),
        Value::Number(number) => Ok(Some(number.to_string())),
        _ => Err(refusal(format!("`links.find`: {}", unfit(value, "text").detail().unwrap_or_default()))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::DateTime;
    use serde_json::json;

    use super::*;
    use crate::template::{Scope, Template};

    fn from(name: &str, id: &str) -> LinkQuery {
        LinkQuery { name: name.to_owned(), known: LinkEnd::From(id.to_owned()) }
    }

    fn to(name: &str, id: &str) -> LinkQuery {
        LinkQuery { name: name.to_owned(), known: LinkEnd::To(id.to_owned()) }
    }

    fn evaluate(text: &str, links: &Arc<Links>) -> Result<Value, String> {
        let scope = Scope::new(DateTime::UNIX_EPOCH)
            .with("event", json!({ "id": 7, "text": "a", "none": null, "ids": ["x", "y"], "empty": "" }))
            .with("links", json!({ "twin": "b" }))
            .with_links(Arc::clone(links));
        Template::parse(text).unwrap().evaluate(&scope).map_err(|error| error.message)
    }

    #[test]
    fn what_is_not_known_is_asked_for_at_once() {
        let links = Arc::default();
        let text = "{{ links.find('c', event.id) }}{% for id in event.ids %}{{ links.find('c', to=id) }}{% endfor %}\
                    {{ links.find(name='c', from='7') }}";
        assert_eq!(evaluate(text, &links), Ok(json!("")));
        assert_eq!(links.take_asked(), [from("c", "7"), to("c", "x"), to("c", "y")]);
        let found = [(from("c", "7"), Some("one".to_owned())), (to("c", "x"), None)];
        let links = Arc::new(Links::new(HashMap::from(found)));
        assert_eq!(evaluate("{{ links.find('c', event.id) }}", &links), Ok(json!("one")));
        assert_eq!(evaluate("{{ links.find('c', to='x') }}", &links), Ok(Value::Null));
        assert_eq!(
            evaluate("{{ links.find('c', 7) ~ '!' if links.find('c', 7) else 'no' }}", &links),
            Ok(json!("one!"))
        );
        assert_eq!(links.take_asked(), []);
        // What depends on another link is asked for when that one is known.
        assert_eq!(evaluate("{{ links.find('d', links.find('c', 7)) }}", &links), Ok(Value::Null));
        assert_eq!(links.take_asked(), [from("d", "one")]);
    }

    #[test]
    fn null_has_no_link_and_nonsense_is_refused() {
        let links = Arc::default();
        for text in ["{{ links.find('c', event.none) }}", "{{ links.find('c', to=none) }}"] {
            assert_eq!(evaluate(text, &links), Ok(Value::Null), "{text}");
        }
        assert_eq!(evaluate("{{ links.find('c', none, to='a') }}", &links), Ok(Value::Null));
        assert_eq!(links.take_asked(), [to("c", "a")]);
        for (text, message) in [
            ("{{ links.find('c', event.ids) }}", "text"),
            ("{{ links.find('c', event.empty) }}", "`from` is an empty text"),
            ("{{ links.find(event.none, 'a') }}", "null"),
            ("{{ links.find('c', event.text, to=event.text) }}", "two are given"),
            ("{{ links.find('c', event.missing) }}", "`event.missing` is undefined"),
            ("{{ links.find('c', to=event.missing) }}", "`event.missing` is undefined"),
        ] {
            let error = evaluate(text, &links).unwrap_err();
            assert!(error.contains(message), "{text}: {error}");
        }
        assert_eq!(links.take_asked(), []);
        assert_eq!(evaluate("{{ links.twin }}{{ links['twin'] }}", &links), Ok(json!("bb")));
    }

    #[test]
    fn only_find_can_be_called() {
        let error = Template::parse("{{ links.fnd('c', 1) }}").unwrap_err();
        assert!(error.message.contains("`links.fnd`"), "{error}");
        assert!(error.help.is_some_and(|help| help.contains("links.find")));
        assert!(Template::parse("{{ event.find('c') }}").is_err());
    }

    #[test]
    fn a_query_is_stored_under_its_end() {
        let query = to("c", "7");
        assert_eq!(json!(query), json!({ "name": "c", "to": "7" }));
        assert_eq!(serde_json::from_value::<LinkQuery>(json!(query)).unwrap(), query);
    }
}
