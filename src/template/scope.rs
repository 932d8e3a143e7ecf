//! The names that a template can use.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use minijinja::value::{Enumerator, Object, ObjectRepr, Value as Datum};

use super::convert;
use super::links::{LINKS, Links};
use super::path_key::Key;
use crate::value::Value;

/// The name under which functions find the time; templates cannot write it.
pub(super) const NOW: &str = "$now";

/// Names with their values, and the current time. A clone is cheap and shares the values; additions to the clone do
/// not affect the original.
#[derive(Clone)]
pub struct Scope {
    names: Arc<Names>,
}

#[derive(Clone)]
struct Names {
    now: DateTime<Utc>,
    links: Option<Arc<Links>>,
    roots: Vec<(String, Arc<Root>)>,
}

struct Root {
    held: Held,
    /// The converted value, created on demand.
    datum: OnceLock<Datum>,
}

enum Held {
    Whole(Arc<Value>),
    /// A mapping whose values are held individually: large ones are shared, and converted for the engine on demand.
    Parts(Parts),
}

#[derive(Clone, Default)]
struct Parts(IndexMap<String, Arc<Root>>);

impl Scope {
    /// An empty scope at this time.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self { names: Arc::new(Names { now, links: None, roots: Vec::new() }) }
    }

    /// Adds `name`.
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Arc<Value>>) -> Self {
        self.set(name, value);
        self
    }

    /// Adds an empty mapping `name`, filled by [`set_part`](Self::set_part).
    pub fn with_parts(mut self, name: impl Into<String>) -> Self {
        self.hold(name.into(), Held::Parts(Parts::default()));
        self
    }

    /// Sets the time.
    pub fn at(mut self, now: DateTime<Utc>) -> Self {
        Arc::make_mut(&mut self.names).now = now;
        self
    }

    /// Sets the links that templates can find.
    pub fn with_links(mut self, links: Arc<Links>) -> Self {
        Arc::make_mut(&mut self.names).links = Some(links);
        self
    }

    /// Sets the value of `name`.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Arc<Value>>) {
        self.hold(name.into(), Held::Whole(value.into()));
    }

    /// Adds `part` to the mapping `name`, created by [`with_parts`](Self::with_parts).
    pub fn set_part(&mut self, name: &str, part: impl Into<String>, value: impl Into<Arc<Value>>) {
        let mut parts = match self.root(name).map(|root| &root.held) {
            Some(Held::Parts(parts)) => parts.clone(),
            _ => Parts::default(),
        };
        parts.0.insert(part.into(), Root::new(Held::Whole(value.into())));
        self.hold(name.to_owned(), Held::Parts(parts));
    }

    fn hold(&mut self, name: String, held: Held) {
        let root = Root::new(held);
        let roots = &mut Arc::make_mut(&mut self.names).roots;
        match roots.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = root,
            None => roots.push((name, root)),
        }
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.follow(name, &[])
    }

    /// The value at `keys` below `name`.
    pub(super) fn follow(&self, name: &str, keys: &[Key]) -> Option<Cow<'_, Value>> {
        let root = self.root(name)?;
        let (whole, keys) = match (&root.held, keys) {
            (Held::Whole(value), keys) => (value, keys),
            (Held::Parts(parts), []) => return Some(Cow::Owned(parts.to_json())),
            (Held::Parts(parts), [Key::Name(first), rest @ ..]) => (parts.0.get(first)?.whole()?, rest),
            (Held::Parts(_), _) => return None,
        };
        keys.iter().try_fold(whole.as_ref(), |value, key| key.get(value)).map(Cow::Borrowed)
    }

    /// The same, shared, if it is held as a whole.
    pub(super) fn shared(&self, name: &str, keys: &[Key]) -> Option<Arc<Value>> {
        match (&self.root(name)?.held, keys) {
            (Held::Whole(value), []) => Some(Arc::clone(value)),
            (Held::Parts(parts), [Key::Name(part)]) => parts.0.get(part)?.whole().cloned(),
            _ => None,
        }
    }

    /// All names, in order of addition.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.roots.iter().map(|(name, _)| name.as_str())
    }

    /// The current time.
    pub fn now(&self) -> DateTime<Utc> {
        self.names.now
    }

    fn root(&self, name: &str) -> Option<&Root> {
        self.names.roots.iter().find(|(known, _)| known == name).map(|(_, root)| root.as_ref())
    }

    pub(super) fn to_context(&self) -> Datum {
        Datum::from_object(self.clone())
    }
}

/// Names only: values are personal data, and `env` may contain secrets.
impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

impl Object for Scope {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Datum) -> Option<Datum> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Datum> {
        if key == NOW {
            return Some(Datum::from(self.names.now.timestamp_millis()));
        }
        if key == LINKS {
            return self.names.links.clone().map(Datum::from_dyn_object);
        }
        let root = self.root(key)?;
        Some(root.datum())
    }
}

impl Root {
    fn new(held: Held) -> Arc<Self> {
        Arc::new(Self { held, datum: OnceLock::new() })
    }

    fn whole(&self) -> Option<&Arc<Value>> {
        match &self.held {
            Held::Whole(value) => Some(value),
            Held::Parts(_) => None,
        }
    }

    fn datum(&self) -> Datum {
        let make = || match &self.held {
            Held::Whole(value) => convert::from_json(value),
            Held::Parts(parts) => Datum::from_object(parts.clone()),
        };
        self.datum.get_or_init(make).clone()
    }
}

impl Parts {
    fn to_json(&self) -> Value {
        let wholes =
            self.0.iter().filter_map(|(name, root)| Some((name.clone(), Value::clone(root.whole()?))));
        Value::Object(wholes.collect())
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Object for Parts {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Datum) -> Option<Datum> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Datum> {
        self.0.get(key).map(|root| root.datum())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.keys().map(|name| Datum::from(name.as_str())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Template;
    use serde_json::json;

    #[test]
    fn a_clone_has_its_own_names() {
        let run = Scope::new(DateTime::UNIX_EPOCH).with("event", json!({ "id": 1 }));
        let item = run.clone().with("note", json!("hi")).with("event", json!(2));
        assert_eq!(run.get("note"), None);
        assert_eq!(run.get("event").as_deref(), Some(&json!({ "id": 1 })));
        assert_eq!(item.names().collect::<Vec<_>>(), ["event", "note"]);
        assert_eq!(item.get("event").as_deref(), Some(&json!(2)));
    }

    #[test]
    fn parts_are_a_mapping_to_templates_and_shared_outside() {
        let before = Scope::new(DateTime::UNIX_EPOCH).with_parts("steps");
        let mut scope = before.clone();
        let list = Arc::new(json!([{ "id": 1 }, { "id": 2 }]));
        scope.set_part("steps", "all", Arc::clone(&list));
        scope.set_part("steps", "one", json!({ "id": 3 }));
        let evaluated = |scope: &Scope, text: &str| Template::parse(text).unwrap().evaluate(scope).unwrap();
        for (text, value) in [
            ("{{ steps.one.id }}", json!(3)),
            ("{{ steps['all'][-1].id }}", json!(2)),
            ("{{ steps.all | map(attribute='id') | list }}", json!([1, 2])),
            ("{{ steps | length }}", json!(2)),
            ("{{ steps | list }}", json!(["all", "one"])),
            ("{{ steps.none | default('no') }}", json!("no")),
            ("{{ steps }}", json!({ "all": [{ "id": 1 }, { "id": 2 }], "one": { "id": 3 } })),
            ("{{ steps | items | list | length }}", json!(2)),
        ] {
            assert_eq!(evaluated(&scope, text), value, "{text}");
        }
        assert_eq!(evaluated(&before, "{{ steps }}"), json!({}));
        let shared = Template::parse("{{ steps.all }}").unwrap().evaluate_shared(&scope).unwrap();
        assert!(Arc::ptr_eq(&shared, &list));
    }
}
