//! The verbs that read records.

use std::collections::HashSet;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::condition::{Bound, Condition, Operator, SortKey};
use super::convert::any_lazy;
use super::execute::{Execution, Outcome};
use super::generate::Record;
use super::page::{self, cursor_token};
use super::refusal::Refusal;
use super::select::{Page, Query, Start, select};
use super::step::{Filter, Filters, List, Matching, Slots, Sort, Target};
use super::template::{Scope, Template};
use super::time;
use crate::catalog::Effect;

impl Execution<'_> {
    /// One record by id.
    pub(super) fn get(&mut self, target: &Target, scope: &Scope) -> Result<Outcome, Refusal> {
        match self.target(target, scope)? {
            Some(slot) => Ok(Outcome::Record(self.show(&target.collection, slot)?)),
            None => Ok(Outcome::Record(None)),
        }
    }

    /// The first record that matches, or none.
    pub(super) fn find(&mut self, matching: &Matching, scope: &Scope) -> Result<Outcome, Refusal> {
        match self.matching(matching, scope)? {
            Some(slot) => Ok(Outcome::Record(self.show(&matching.collection, slot)?)),
            None => Ok(Outcome::Record(None)),
        }
    }

    /// The first record in which one of the `match` fields (or all of them) and all `where` fields are equal.
    pub(super) fn matching(&mut self, matching: &Matching, scope: &Scope) -> Result<Option<u32>, Refusal> {
        let collection = Arc::clone(self.table(&matching.collection)?.collection());
        let mut sought: Vec<(String, Value)> = Vec::new();
        for (field, template) in &matching.fields {
            let Some(value) = template.render(scope).filter(|value| !value.is_null()) else { continue };
            let mut one = Map::from_iter([(field.clone(), value)]);
            super::write::normalise(&collection, &mut one, scope);
            sought.extend(one);
        }
        let equal = rendered(&matching.equal, scope);
        let unseen = self.hidden_by_lag(&matching.collection)?;
        let table = self.table(&matching.collection)?;
        let mut first = |equal: Vec<(String, Value)>| {
            let query = Query { equal, limit: 1, unseen: unseen.clone(), ..Query::default() };
            select(table, &query).slots.first().copied()
        };
        if matching.all || sought.is_empty() {
            let all: Vec<_> = sought.into_iter().chain(equal).collect();
            return Ok(if all.is_empty() { None } else { first(all) });
        }
        Ok(sought.into_iter().find_map(|one| first(std::iter::once(one).chain(equal.clone()).collect())))
    }

    /// Slots of records that are too new to be shown. Writes see all records.
    fn hidden_by_lag(&mut self, collection: &str) -> Result<Vec<u32>, Refusal> {
        let lag = self.list.lag.filter(|_| self.operation.effect == Effect::Read);
        let (Some(lag), now) = (lag, self.now) else { return Ok(Vec::new()) };
        Ok(self.table(collection)?.created_after(now - lag))
    }

    /// A page of records.
    pub(super) fn list(&mut self, list: &List, scope: &mut Scope) -> Result<Outcome, Refusal> {
        let collection = &list.filter.collection;
        let mut query = self.query(&list.filter, list.sort.as_ref(), scope)?;
        let asked = page::asked(self.operation, self.inputs, &list.page, scope);
        query.limit = asked.limit;
        query.unseen = self.hidden_by_lag(collection)?;
        query.start = if self.list.frozen { Start::First } else { asked.start };
        let page = select(self.table(collection)?, &query);
        self.set_page(collection, &page, asked.number, query.limit, scope)?;
        let mut records = Vec::with_capacity(page.slots.len());
        for (slot, key) in page.slots.iter().zip(&page.keys) {
            let Some(mut record) = self.show(collection, *slot)? else { continue };
            if !list.each_extra.is_empty() {
                let cursor = cursor(key.as_ref(), self.table(collection)?.id(*slot));
                add_extra(&list.each_extra, &mut record, &cursor);
            }
            record.retain(|field, _| !list.hide.contains(field));
            records.push(record);
        }
        Ok(Outcome::Records(records))
    }

    /// Slots of all records that match.
    pub(super) fn all_matching(&mut self, filter: &Filter, scope: &Scope) -> Result<Vec<u32>, Refusal> {
        let mut query = self.query(filter, None, scope)?;
        query.limit = usize::MAX;
        Ok(select(self.table(&filter.collection)?, &query).slots)
    }

    fn query(&mut self, filter: &Filter, sort: Option<&Sort>, scope: &Scope) -> Result<Query, Refusal> {
        let mut conditions = Vec::new();
        let either = rendered(&filter.either, scope);
        if !either.is_empty() {
            conditions.push(Condition::Any(
                either.into_iter().map(|(field, value)| Condition::Equal(field, value)).collect(),
            ));
        }
        for between in &filter.between {
            for (bound, limit) in [(Bound::From, &between.from), (Bound::To, &between.to)] {
                let limit = limit.as_ref().and_then(|limit| SortKey::from_value(&limit.render(scope)?));
                conditions.extend(limit.map(|limit| Condition::Bounded(between.field.clone(), bound, limit)));
            }
        }
        if let Some(words) = &filter.text
            && let Some(text) = words.query.text(scope).filter(|text| !text.is_empty())
        {
            let contains = |field: &String| Condition::Contains(field.clone(), text.to_lowercase());
            conditions.push(Condition::Any(words.fields.iter().map(contains).collect()));
        }
        if let Some(filters) = &filter.filters
            && let Some(tree) = filters.from.render(scope)
        {
            conditions.extend(all_of(filters, &tree)?);
        }
        let collection = self.table(&filter.collection)?.collection();
        let default = || collection.created.clone().unwrap_or_default();
        let by = sort.and_then(|sort| sort.by.text(scope));
        let order = sort.and_then(|sort| sort.order.as_ref()?.text(scope));
        Ok(Query {
            equal: rendered(&filter.equal, scope),
            conditions,
            sort: by.filter(|by| !by.is_empty()).unwrap_or_else(default),
            descending: order.is_some_and(|order| order.to_lowercase().starts_with("desc")),
            ..Query::default()
        })
    }

    /// Sets what the answer may show about the page.
    fn set_page(
        &mut self,
        collection: &str,
        page: &Page,
        number: usize,
        limit: usize,
        scope: &mut Scope,
    ) -> Result<(), Refusal> {
        let last = match (page.slots.last(), page.keys.last()) {
            (Some(slot), Some(key)) => {
                let id = self.table(collection)?.id(*slot).to_string();
                cursor(key.as_ref(), &id)
            }
            _ => Value::Null,
        };
        scope.set("cursor", &last);
        scope.set("total", &Value::from(page.total));
        scope.set("count", &Value::from(page.slots.len()));
        scope.set("more", &Value::Bool(page.more || self.list.frozen));
        let pages = page.total.div_ceil(limit.max(1));
        scope.set("page", &json!({ "number": number, "limit": limit, "pages": pages }));
        Ok(())
    }

    /// Free times within a window, by day.
    pub(super) fn slots(&mut self, slots: &Slots, scope: &Scope) -> Result<Outcome, Refusal> {
        const DAY: i64 = 86_400_000;
        let Slots { filter, slots } = slots;
        let number = |template: &Template| template.text(scope).as_deref().and_then(time::parse);
        let (Some(from), Some(to)) = (number(&slots.from), number(&slots.to)) else {
            return Ok(Outcome::Whole(json!({})));
        };
        let minutes = number(&slots.minutes).filter(|minutes| *minutes > 0).unwrap_or(30);
        let matching = self.all_matching(filter, scope)?;
        let table = self.table(&filter.collection)?;
        let taken: HashSet<SortKey> = matching
            .iter()
            .filter_map(|slot| SortKey::from_value(&*table.field(*slot, &slots.taken)?))
            .collect();
        let mut days = Map::new();
        let last = to.min(from.saturating_add(31 * DAY));
        for day in (from.div_euclid(DAY)..=last.div_euclid(DAY)).map(|day| day * DAY) {
            // The epoch began on a Thursday; Saturday and Sunday are the days 2 and 3 after it.
            if matches!(day.div_euclid(DAY).rem_euclid(7), 2 | 3) {
                continue;
            }
            let hour = |hour: u32| day + i64::from(hour) * 3_600_000;
            let length = usize::try_from(minutes * 60_000).unwrap_or(1);
            let free: Vec<Value> = (hour(slots.hours.0)..hour(slots.hours.1))
                .step_by(length)
                .filter(|at| (from..=to).contains(at) && !taken.contains(&SortKey::Number(*at)))
                .map(|at| Value::from(time::iso(at)))
                .collect();
            if !free.is_empty() {
                days.insert(time::iso(day)[..10].to_owned(), json!({ "slots": free }));
            }
        }
        Ok(Outcome::Whole(Value::Object(days)))
    }
}

/// Adds the extra fields of a listed record.
fn add_extra(extra: &IndexMap<String, Template>, record: &mut Record, cursor: &Value) {
    let seen = Arc::new(std::mem::take(record));
    let scope = Scope::default().with("cursor", cursor).with_any("record", any_lazy(&seen));
    let added: Vec<(&String, Value)> =
        extra.iter().filter_map(|(field, template)| Some((field, template.render(&scope)?))).collect();
    drop(scope);
    *record = Arc::unwrap_or_clone(seen);
    for (field, value) in added {
        record.insert(field.clone(), value);
    }
}

fn cursor(key: Option<&SortKey>, id: &str) -> Value {
    let sort = key.map_or(Value::Null, SortKey::shown);
    let token = cursor_token(&sort, id);
    json!({ "pair": [sort, id], "sort": sort, "id": id, "token": token })
}

fn rendered(templates: &IndexMap<String, Template>, scope: &Scope) -> Vec<(String, Value)> {
    let value = |template: &Template| template.render(scope).filter(|value| !value.is_null());
    templates.iter().filter_map(|(field, template)| Some((field.clone(), value(template)?))).collect()
}

fn all_of(filters: &Filters, tree: &Value) -> Result<Vec<Condition>, Refusal> {
    tree.as_array().into_iter().flatten().map(|node| condition(filters, node)).collect()
}

fn condition(filters: &Filters, node: &Value) -> Result<Condition, Refusal> {
    let invalid = |message: String| Refusal::new("invalid").message(message);
    if let Some(group) = node.get(&filters.group).and_then(Value::as_str) {
        let members = all_of(filters, node.get(&filters.members).unwrap_or(&Value::Null))?;
        let any = group.eq_ignore_ascii_case("or");
        return Ok(if any { Condition::Any(members) } else { Condition::All(members) });
    }
    let text = |name: &str| node.get(name).and_then(Value::as_str);
    let field =
        text(&filters.field).ok_or_else(|| invalid(format!("{} is missing", filters.field)))?.to_owned();
    let word = text(&filters.operator).unwrap_or_default();
    let operator = filters.operators.get(word).ok_or_else(|| invalid(format!("Invalid operator {word}")))?;
    let value = node.get(&filters.value).cloned().unwrap_or(Value::Null);
    let words =
        || super::condition::words(&value).first().map(|word| word.to_lowercase()).unwrap_or_default();
    let not = |condition| Condition::Not(Box::new(condition));
    Ok(match operator {
        Operator::Equal => Condition::Equal(field, value),
        Operator::NotEqual => not(Condition::Equal(field, value)),
        Operator::Contains => Condition::Contains(field, words()),
        Operator::NotContains => not(Condition::Contains(field, words())),
        Operator::StartsWith => Condition::StartsWith(field, words()),
        Operator::Exists => Condition::Exists(field),
        Operator::NotExists => not(Condition::Exists(field)),
        Operator::Range => {
            let bound = |(name, bound): (&String, &Bound)| {
                let limit = SortKey::from_value(value.get(name)?)?;
                Some(Condition::Bounded(field.clone(), *bound, limit))
            };
            Condition::All(filters.bounds.iter().filter_map(bound).collect())
        }
    })
}
