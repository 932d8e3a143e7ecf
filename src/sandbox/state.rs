//! The mutable state of a connector's stand-in: records, spent budget, issued tokens.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::budget::RequestCounters;
use super::config::Collection;
use super::convert::any_map;
use super::execute::Tables;
use super::generate::{self, Material, Record, Referable};
use super::options::Options;
use super::service::Service;
use super::table::Table;
use super::template::Scope;
use super::token::Tokens;
use super::write;

/// Number of seeded records per collection that seeds, answers and examples can refer to.
const REFERABLE: usize = 100;

/// The mutable state of a connector's stand-in.
#[derive(Debug)]
pub(super) struct State {
    pub(super) tables: Tables,
    pub(super) counters: RequestCounters,
    pub(super) tokens: Tokens,
    pub(super) material: Material,
    /// Number of requests so far, for ids in answers.
    pub(super) requests: u64,
}

impl State {
    /// The initial state.
    pub(super) fn new(service: &Service, options: &Options) -> Self {
        let script = &service.script;
        let mut material = Material::new(options.seed, &script.lists, &settings(service));
        let mut tables = Tables::new();
        for (name, collection) in &script.collections {
            let mut table = Table::new(name, Arc::clone(collection), material.clone());
            for fields in &collection.seed {
                let scope = table.seed_scope();
                let given = fields
                    .iter()
                    .filter_map(|(field, template)| Some((field.clone(), template.render(&scope)?)))
                    .collect();
                add_seed(&mut table, collection, given, &scope);
            }
            if let Some(generate) = &collection.generate {
                let scaled = options.records.filter(|_| generate.scales);
                table.add_generated(
                    scaled.map_or(generate.count, |records| records.saturating_sub(table.len())),
                );
            }
            let referable = table.all().take(REFERABLE).filter_map(|slot| table.record(slot));
            let referable = Referable::new(referable.map(|record| any_map(&record)).collect());
            Arc::make_mut(&mut material.seeded).insert(name.clone(), referable);
            tables.insert(name.clone(), table);
        }
        Self {
            tables,
            counters: RequestCounters::new(&options.budget, &service.connector.limits),
            tokens: Tokens::default(),
            material,
            requests: 0,
        }
    }

    /// The names available to every expression.
    pub(super) fn scope(&self, service: &Service) -> Scope {
        let mut scope = Scope::default().with("settings", &settings(service));
        scope.set_any("seed", self.material.seeds());
        scope
    }
}

fn settings(service: &Service) -> Value {
    Value::Object(
        service.script.settings.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect(),
    )
}

fn add_seed(table: &mut Table, collection: &Collection, mut given: Record, scope: &Scope) {
    write::normalise(collection, &mut given, scope);
    let n = table.len() as u64;
    let made = table.new_id();
    let id = given.get(&collection.id.field).and_then(Value::as_str).map_or(made, str::to_owned);
    let record: Map<String, Value> =
        generate::complete(collection, given, &id, generate::seed_time(collection, n), scope);
    table.insert(&id, record);
}
