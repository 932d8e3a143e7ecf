//! Generated records: each is a function of its number, so that any number of them costs nothing.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::Value as Any;
use minijinja::value::Object;
use serde_json::{Map, Value};

use super::config::{Collection, Times};
use super::convert::{any, any_lazy};
use super::identity::Random;
use super::template::Scope;
use super::time;

/// A record as it is stored.
pub(super) type Record = Map<String, Value>;

/// The material of generated records.
#[derive(Debug, Clone, Default)]
pub(super) struct Material {
    pub(super) seed: u64,
    /// The connector's lists.
    pub(super) lists: Arc<HashMap<String, Vec<Any>>>,
    /// Records seeded before.
    pub(super) seeded: Arc<HashMap<String, Referable>>,
    /// The connection's settings.
    pub(super) settings: Any,
}

/// Records that others can refer to.
#[derive(Debug, Clone)]
pub(super) struct Referable {
    records: Vec<Any>,
    all: Any,
}

impl Referable {
    /// These records.
    pub(super) fn new(records: Vec<Any>) -> Self {
        Self { all: Any::from(records.clone()), records }
    }
}

impl Material {
    /// Material from the connector's lists.
    pub(super) fn new(seed: u64, lists: &IndexMap<String, Vec<Value>>, settings: &Value) -> Self {
        let lists = lists.iter().map(|(name, list)| (name.clone(), list.iter().map(any).collect()));
        Self { seed, lists: Arc::new(lists.collect()), seeded: Arc::default(), settings: any(settings) }
    }

    /// The names that the `n`th record of `collection` may use.
    pub(super) fn scope(&self, collection: &Arc<str>, n: u64, at: Option<i64>) -> Scope {
        let chance = RandomChoice { material: self.clone(), collection: Arc::clone(collection), n };
        let mut scope = Scope::with_fallback(Any::from_object(chance));
        scope.set_any("n", Any::from(n));
        if let Some(at) = at {
            scope.set_any("at", Any::from(at));
        }
        scope
    }

    /// All seeded records, as `seed`.
    pub(super) fn seeds(&self) -> Any {
        Any::from_object(Seeds(Arc::clone(&self.seeded)))
    }
}

/// Names for an item of each list, chosen by the record's number.
#[derive(Debug)]
struct RandomChoice {
    material: Material,
    collection: Arc<str>,
    n: u64,
}

impl RandomChoice {
    fn choose(&self, name: &str, list: &[Any]) -> Option<Any> {
        let mut random =
            Random::new(self.material.seed ^ super::identity::hash(name), &self.collection, self.n);
        list.get(random.below(list.len())).cloned()
    }
}

impl Object for RandomChoice {
    fn get_value(self: &Arc<Self>, key: &Any) -> Option<Any> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Any> {
        match key {
            "seed" => Some(self.material.seeds()),
            "settings" => Some(self.material.settings.clone()),
            "any" => Some(Any::from_object(RandomSeed(Arc::clone(self)))),
            _ => self.choose(key, self.material.lists.get(key)?),
        }
    }
}

#[derive(Debug)]
struct RandomSeed(Arc<RandomChoice>);

impl Object for RandomSeed {
    fn get_value(self: &Arc<Self>, key: &Any) -> Option<Any> {
        let name = key.as_str()?;
        self.0.choose(name, &self.0.material.seeded.get(name)?.records)
    }
}

#[derive(Debug)]
struct Seeds(Arc<HashMap<String, Referable>>);

impl Object for Seeds {
    fn get_value(self: &Arc<Self>, key: &Any) -> Option<Any> {
        Some(self.0.get(key.as_str()?)?.all.clone())
    }
}

/// Time of the `n`th seeded record of a collection.
pub(super) fn seed_time(collection: &Collection, n: u64) -> Option<i64> {
    let start = time::parse(collection.start.as_deref()?)?;
    let every = collection.every.as_deref().and_then(time::duration).unwrap_or(0);
    Some(start + every * i64::try_from(n).unwrap_or(0))
}

/// A time in the collection's notation.
pub(super) fn formatted_time(collection: &Collection, ms: i64) -> Value {
    match collection.times {
        Times::Iso => Value::from(time::iso(ms)),
        Times::EpochMs => Value::from(ms),
    }
}

/// A field of the `n`th generated record, without generating the rest.
pub(super) fn field(
    collection: &Collection,
    material: &Material,
    name: &Arc<str>,
    n: u64,
    field: &str,
) -> Option<Value> {
    let at = seed_time(collection, n);
    if let Some(template) = collection.generate.as_ref().and_then(|generate| generate.fields.get(field)) {
        return template.render(&material.scope(name, n, at));
    }
    let is_time =
        [&collection.created, &collection.updated].iter().any(|time| time.as_deref() == Some(field));
    match at {
        Some(at) if is_time => Some(formatted_time(collection, at)),
        _ if collection.computed.contains_key(field) => {
            record(collection, material, name, n, "").remove(field)
        }
        _ => collection.defaults.get(field)?.render(&material.scope(name, n, at)),
    }
}

/// The `n`th generated record.
pub(super) fn record(
    collection: &Collection,
    material: &Material,
    name: &Arc<str>,
    n: u64,
    id: &str,
) -> Record {
    let at = seed_time(collection, n);
    let scope = material.scope(name, n, at);
    let given = collection.generate.iter().flat_map(|generate| &generate.fields);
    let given =
        given.filter_map(|(field, template)| Some((field.clone(), template.render(&scope)?))).collect();
    complete(collection, given, id, at, &scope)
}

/// A new record with the fields `given`, its id, times, defaults and computed fields.
pub(super) fn complete(
    collection: &Collection,
    given: Record,
    id: &str,
    at: Option<i64>,
    scope: &Scope,
) -> Record {
    let mut record = Record::new();
    record.insert(collection.id.field.clone(), Value::from(id));
    record.extend(given);
    for (field, template) in &collection.defaults {
        if !record.contains_key(field)
            && let Some(value) = template.render(scope)
        {
            record.insert(field.clone(), value);
        }
    }
    for field in [&collection.created, &collection.updated].into_iter().flatten() {
        if let Some(at) = at
            && !record.contains_key(field)
        {
            record.insert(field.clone(), formatted_time(collection, at));
        }
    }
    compute(collection, &mut record, scope);
    record
}

/// Sets the computed fields.
pub(super) fn compute(collection: &Collection, record: &mut Record, scope: &Scope) {
    if collection.computed.is_empty() {
        return;
    }
    let seen = Arc::new(std::mem::take(record));
    let scope = scope.with_any("record", any_lazy(&seen));
    let computed: Vec<(&String, Value)> = collection
        .computed
        .iter()
        .filter_map(|(field, template)| Some((field, template.render(&scope)?)))
        .collect();
    drop(scope);
    *record = Arc::unwrap_or_clone(seen);
    for (field, value) in computed {
        record.insert(field.clone(), value);
    }
}
