//! Applies renames of an API version to an operation: to the paths in its answer and to the operations it refers to.

use indexmap::IndexMap;

use super::version::{ApiVersion, Change};
use super::{Listing, Operation, Paging};

/// Applies the names of `version` to all places in `operation`: results, items, list, probe and alternatives. `own`
/// are the differences of the operation itself.
pub(super) fn rename(operation: &mut Operation, own: &Change, version: &ApiVersion) {
    let unchanged = Change::default();
    let of = |id: &str| version.operations.get(id).unwrap_or(&unchanged);
    let input = |name: &mut String| own.rename_input(name);
    let answer = |path: &mut String| own.rename_answer(path);
    operation.one_of.iter_mut().for_each(input);
    keys(&mut operation.replaces_all, input);
    operation.result.iter_mut().for_each(answer);
    for first in &mut operation.first_only {
        answer(&mut first.field);
        first.created.iter_mut().for_each(answer);
    }
    for case in &mut operation.creates_when {
        keys(&mut case.equal, input);
        case.without.iter_mut().for_each(input);
    }
    for list in &mut operation.read_back {
        input(&mut list.input);
        answer(&mut list.answer);
    }
    if let Some(probe) = &mut operation.probe {
        let read = of(&probe.operation);
        keys(&mut probe.with, |name| read.rename_input(name));
        probe.with.values_mut().for_each(|value| value.rename(&|name| input(&mut name.0)));
        probe.matching.values_mut().for_each(input);
        keys(&mut probe.matching, |name| read.rename_item(name));
        probe.created.iter_mut().for_each(|name| read.rename_item(name));
    }
    for alternative in &mut operation.composite {
        let part = of(&alternative.operation);
        alternative.when.iter_mut().for_each(input);
        keys(&mut alternative.with, |name| part.rename_input(name));
        alternative.with.values_mut().for_each(|value| value.rename(&|name| input(&mut name.0)));
        part.rename_answer(&mut alternative.result);
    }
    if let Some(list) = &mut operation.list {
        rename_list(list, own);
    }
}

fn rename_list(list: &mut Listing, own: &Change) {
    list.items.iter_mut().for_each(|path| own.rename_answer(path));
    let fields = list.id.iter_mut().chain(&mut list.updated).chain(&mut list.created).chain(&mut list.ignore);
    fields.for_each(|name| own.rename_item(name));
    keys(&mut list.newest_first, |name| own.rename_input(name));
    if let Some(inputs) = &mut list.newest_created_first {
        keys(inputs, |name| own.rename_input(name));
    }
    if let Some(window) = &mut list.window {
        own.rename_input(&mut window.from);
        own.rename_input(&mut window.to);
        own.rename_item(&mut window.time);
    }
    list.other_paging.iter_mut().for_each(|name| own.rename_input(name));
    match &mut list.paging {
        Paging::None | Paging::Link { .. } => {}
        Paging::Offset { offset, limit, .. } => {
            own.rename_input(offset);
            own.rename_input(limit);
        }
        Paging::Page { page, limit, .. } => {
            own.rename_input(page);
            limit.iter_mut().for_each(|name| own.rename_input(name));
        }
        Paging::Cursor { next, limit, .. } => {
            keys(next, |name| own.rename_input(name));
            limit.iter_mut().for_each(|name| own.rename_input(name));
        }
    }
}

/// The map with renamed keys, in the same order.
fn keys<T>(map: &mut IndexMap<String, T>, rename: impl Fn(&mut String)) {
    let renamed = std::mem::take(map).into_iter().map(|(mut name, value)| {
        rename(&mut name);
        (name, value)
    });
    *map = renamed.collect();
}

impl Change {
    /// The name of an input in this version.
    fn rename_input(&self, name: &mut String) {
        if let Some(now) = self.inputs.renamed.get(name.as_str()) {
            name.clone_from(now);
        }
    }

    /// Renames the parts of a JSONPath in the answer.
    fn rename_answer(&self, path: &mut String) {
        let Some(rest) = path.strip_prefix('$') else { return };
        let mut own = parts(rest);
        let mut changed = false;
        for (renamed, now) in self.innermost_first() {
            changed |= rename_last(&mut own, &parts(renamed), now);
        }
        if changed {
            *path = format!("$.{}", own.join(".").replace("[]", "[*]"));
        }
    }

    /// Renames of the answer, inner fields before outer ones, because paths use the old names.
    fn innermost_first(&self) -> Vec<(&String, &String)> {
        let mut renamed: Vec<_> = self.answer.renamed.iter().collect();
        renamed.sort_by_key(|(path, _)| std::cmp::Reverse(parts(path).len()));
        renamed
    }

    /// Renames a field of an item.
    fn rename_item(&self, name: &mut String) {
        let mut own = parts(name.strip_prefix("$.").unwrap_or(name));
        let mut changed = false;
        for (path, now) in self.innermost_first() {
            let within = path.split_once("[].").or_else(|| path.split_once('.')).map_or("", |(_, rest)| rest);
            changed |= rename_last(&mut own, &parts(within), now);
        }
        if changed {
            *name = own.join(".").replace("[]", "[*]");
        }
    }
}

/// `a[*].b` as `a[]`, `b`.
fn parts(path: &str) -> Vec<String> {
    path.replace("[*]", "[]").split('.').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Renames the last part of `renamed` if `path` goes through it; returns whether it does.
fn rename_last(path: &mut [String], renamed: &[String], now: &str) -> bool {
    let Some((last, before)) = renamed.split_last() else { return false };
    let bare = |part: &str| part.trim_end_matches("[]").to_owned();
    let goes_there =
        path.len() > before.len() && path.starts_with(before) && bare(&path[before.len()]) == bare(last);
    if goes_there {
        let list = if path[before.len()].ends_with("[]") { "[]" } else { "" };
        path[before.len()] = format!("{now}{list}");
    }
    goes_there
}
