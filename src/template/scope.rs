//! The names that a template can use.

use std::fmt;
use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};
use minijinja::value::{Object, ObjectRepr, Value as Datum};

use super::convert;
use crate::value::Value;

/// Under this name, which no template can write, functions find the time.
pub(super) const NOW: &str = "$now";

/// Names and their values, and the time it is. A clone is cheap and shares the values; adding to the
/// clone leaves the original as it was.
#[derive(Clone)]
pub struct Scope {
    names: Arc<Names>,
}

#[derive(Clone)]
struct Names {
    now: DateTime<Utc>,
    roots: Vec<(String, Arc<Root>)>,
}

struct Root {
    value: Arc<Value>,
    /// The same for the engine, made when an expression needs it for the first time.
    datum: OnceLock<Datum>,
}

impl Scope {
    /// No names, at this time.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self { names: Arc::new(Names { now, roots: Vec::new() }) }
    }

    /// The same with `name`.
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Arc<Value>>) -> Self {
        self.set(name, value);
        self
    }

    /// The same at another time.
    pub fn at(mut self, now: DateTime<Utc>) -> Self {
        Arc::make_mut(&mut self.names).now = now;
        self
    }

    /// Adds `name`, or gives it another value.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Arc<Value>>) {
        let name = name.into();
        let root = Arc::new(Root { value: value.into(), datum: OnceLock::new() });
        let roots = &mut Arc::make_mut(&mut self.names).roots;
        match roots.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = root,
            None => roots.push((name, root)),
        }
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.root(name).map(|root| root.value.as_ref())
    }

    /// All names, in the order they were added.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.roots.iter().map(|(name, _)| name.as_str())
    }

    /// The time it is.
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

/// The names only: the values are people's data, and `env` may hold secrets.
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
        let root = self.root(key)?;
        Some(root.datum.get_or_init(|| convert::from_json(&root.value)).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_clone_has_its_own_names() {
        let run = Scope::new(DateTime::UNIX_EPOCH).with("event", json!({ "id": 1 }));
        let item = run.clone().with("note", json!("hi")).with("event", json!(2));
        assert_eq!(run.get("note"), None);
        assert_eq!(run.get("event"), Some(&json!({ "id": 1 })));
        assert_eq!(item.names().collect::<Vec<_>>(), ["event", "note"]);
        assert_eq!(item.get("event"), Some(&json!(2)));
    }
}
