//! Infers ids, titles and summaries of operations without an overlay entry, from path and method. Deterministic and
//! unique.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::described::{Described, path_names};

/// First words of a path's last part that name an action.
const VERBS: [&str; 67] = [
    "activate",
    "add",
    "approve",
    "archive",
    "assign",
    "attach",
    "bulk",
    "calculate",
    "cancel",
    "charge",
    "check",
    "clone",
    "complete",
    "connect",
    "copy",
    "crawl",
    "deactivate",
    "delete",
    "disable",
    "disconnect",
    "download",
    "duplicate",
    "edit",
    "enable",
    "estimate",
    "exchange",
    "execute",
    "export",
    "filter",
    "generate",
    "get",
    "import",
    "initiate",
    "install",
    "list",
    "lock",
    "merge",
    "migrate",
    "move",
    "pause",
    "publish",
    "purchase",
    "record",
    "refund",
    "reject",
    "remove",
    "resend",
    "restart",
    "restore",
    "resume",
    "retry",
    "search",
    "send",
    "set",
    "start",
    "stop",
    "sync",
    "test",
    "train",
    "unassign",
    "uninstall",
    "unlock",
    "update",
    "upload",
    "upsert",
    "validate",
    "verify",
];
/// Words that are verbs only after a record's id: `POST /invoices/{id}/void`, `…/schedule`.
const VERBS_AFTER_ID: [&str; 3] = ["schedule", "void", "manage"];
/// Verbs that a GET may have; other such words are nouns.
const READ_VERBS: [&str; 11] = [
    "calculate",
    "check",
    "download",
    "estimate",
    "export",
    "generate",
    "get",
    "list",
    "search",
    "start",
    "validate",
];

/// The meaning of a name: the resource, from outer to inner, and the action.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    resource: Vec<String>,
    verb: String,
}

impl Name {
    /// `contacts.tasks.list`.
    pub(super) fn id(&self) -> String {
        let mut words = self.resource.clone();
        words.push(self.verb.clone());
        words.join(".")
    }

    /// The first word of the action: `search`, `list`, `bulk`.
    pub(super) fn action(&self) -> &str {
        self.verb.split('_').next().unwrap_or_default()
    }

    /// `List contact tasks`. `words` contains special spellings.
    pub(super) fn title(&self, words: &IndexMap<String, String>) -> String {
        let (verb, by) =
            self.verb.split_once("_by_").map_or((self.verb.as_str(), None), |(v, by)| (v, Some(by)));
        let action = self.action();
        let many = matches!(action, "list" | "search" | "bulk" | "export" | "import");
        let noun = self.noun(many);
        let says_all = verb.contains('_') && action != "bulk";
        let mut text = match (says_all, by) {
            (true, _) if verb.split('_').any(|word| noun.contains(&singular(word))) => verb.to_owned(),
            (true, _) => format!("{verb} ({noun})"),
            (false, Some(by)) => format!("{verb} {noun} by {by}"),
            (false, None) => format!("{verb} {noun}"),
        };
        text = text.replace('_', " ");
        capitalised(&written(&text, words))
    }

    /// A sentence that states only what path and method do.
    pub(super) fn summary(&self, words: &IndexMap<String, String>, facts: &[&str]) -> String {
        let one = written(&self.noun(false), words);
        let mut sentence = match self.verb.as_str() {
            "list" => format!("Lists {}", written(&self.noun(true), words)),
            "search" => format!("Searches {}", written(&self.noun(true), words)),
            "get" => format!("Reads the {one}"),
            "create" => format!("Creates {} {one}", if one.starts_with(is_vowel) { "an" } else { "a" }),
            "update" => format!("Changes the {one}"),
            "delete" => format!("Deletes the {one}"),
            verb if !verb.contains('_') => format!("{} the {one}", capitalised(&third_person(verb))),
            _ => self.title(words),
        };
        for fact in facts {
            sentence.push_str("; ");
            sentence.push_str(fact);
        }
        sentence.push('.');
        sentence
    }

    /// The resource in words: the innermost two names, the outer one as an attribute.
    fn noun(&self, many: bool) -> String {
        let names: Vec<String> = self.resource.iter().map(|name| name.replace('_', " ")).collect();
        let Some((last, outer)) = names.split_last() else { return String::new() };
        let last = if many { last.clone() } else { singular(last) };
        match outer.last().map(|outer| singular(outer)) {
            Some(outer) if !last.starts_with(&outer) => format!("{outer} {last}"),
            _ => last,
        }
    }

    /// The name for an id.
    pub(super) fn from_id(id: &str) -> Self {
        let mut resource: Vec<String> = id.split('.').map(str::to_owned).collect();
        let verb = resource.pop().unwrap_or_default();
        Self { resource, verb }
    }
}

/// Literal path prefixes of collections: paths with ids are below them.
pub(super) fn collections<'a>(paths: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for path in paths {
        let parts: Vec<&str> = parts(path).collect();
        for at in 1..parts.len() {
            let parameter = path_names(parts[at]).pop().unwrap_or_default();
            if !parts[at - 1].starts_with('{') && is_id_of(&parameter, parts[at - 1]) {
                found.insert(prefix(&parts[..at]));
            }
        }
    }
    found
}

/// `{id}`, or `{shippingZoneId}` below `shipping-zone`: an id of that resource.
fn is_id_of(parameter: &str, literal: &str) -> bool {
    let parameter = word(parameter);
    let literal = word(literal);
    let last = literal.rsplit('_').next().unwrap_or_default();
    let thing = parameter.strip_suffix("_id").map(|thing| thing.rsplit('_').next().unwrap_or_default());
    literal.len() > 3 && (parameter == "id" || thing.is_some_and(|thing| singular(last) == thing))
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}

/// The literals of a path, joined.
fn prefix(parts: &[&str]) -> String {
    parts.iter().filter(|part| !part.starts_with('{')).copied().collect::<Vec<_>>().join("/")
}

/// The name of an operation. `listing` is true if its answer is a list; `rename` has other names for some outermost
/// resources.
pub(super) fn name(
    described: &Described<'_>,
    collections: &BTreeSet<String>,
    rename: &IndexMap<String, String>,
    listing: bool,
) -> Name {
    let all: Vec<&str> = parts(described.path).collect();
    let trailing = all.iter().rev().take_while(|part| part.starts_with('{')).count();
    let kept = &all[..all.len() - trailing];
    let mut resource: Vec<String> = Vec::new();
    for at in 0..kept.len() {
        if !kept[at].starts_with('{') {
            let word = word(kept[at]);
            let many = collections.contains(&prefix(&kept[..=at]));
            resource.push(if many { plural(&word) } else { word });
        }
    }
    let after_id = kept.len() >= 2 && kept[kept.len() - 2].starts_with('{');
    let verb = match resource.last() {
        Some(last) if trailing == 0 || described.method != "GET" || last.starts_with("get_") => {
            let thing = collections.contains(&prefix(kept));
            let part = kept.last().filter(|_| !thing).copied().unwrap_or_default();
            verb_in(part, described.method, after_id)
        }
        _ => None,
    };
    let verb = match verb {
        Some(verb) => {
            resource.pop();
            verb
        }
        None => {
            let plural = resource.last().is_some_and(|last| trailing == 0 && is_plural(last));
            by_method(described.method, trailing > 0, listing || plural).to_owned()
        }
    };
    if resource.is_empty() {
        let stem = super::document::file_name(described.document).split('.').next().unwrap_or_default();
        resource.push(word(stem));
    }
    if let Some(other) = rename.get(&resource[0]) {
        resource[0].clone_from(other);
    }
    Name { resource, verb }
}

fn verb_in(part: &str, method: &str, after_id: bool) -> Option<String> {
    let word = word(part);
    let first = word.split('_').next().unwrap_or_default();
    let is_verb = match method {
        "GET" | "HEAD" => READ_VERBS.contains(&first),
        "DELETE" => VERBS.contains(&first),
        _ => VERBS.contains(&first) || (after_id && VERBS_AFTER_ID.contains(&first)),
    };
    is_verb.then_some(word)
}

fn by_method(method: &str, of_one: bool, listing: bool) -> &'static str {
    match method {
        "GET" | "HEAD" if listing => "list",
        "GET" | "HEAD" => "get",
        "DELETE" => "delete",
        "POST" if !of_one => "create",
        _ => "update",
    }
}

/// What `unique` needs to know about an operation.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub name: Name,
    pub path: String,
    pub method: String,
}

/// Makes names unique: a duplicate gets the names of its path parameters, then the method, then a number. `reserved`
/// ids are never used.
pub(super) fn unique(
    candidates: &BTreeMap<String, Candidate>,
    reserved: &BTreeSet<String>,
) -> BTreeMap<String, Name> {
    let mut order: Vec<(&String, &Candidate)> = candidates.iter().collect();
    order.sort_by_key(|(key, c)| (c.name.clone(), path_names(&c.path).len(), (*key).clone()));
    let mut taken: BTreeSet<String> = reserved.clone();
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut result = BTreeMap::new();
    for (key, candidate) in order {
        let free = |name: &Name| !taken.contains(&name.id());
        let name = alternatives(candidate).into_iter().find(free).unwrap_or_else(|| {
            let number = numbers.entry(candidate.name.id()).or_insert(1);
            loop {
                *number += 1;
                let verb = format!("{}_{number}", candidate.name.verb);
                let numbered = Name { resource: candidate.name.resource.clone(), verb };
                if free(&numbered) {
                    break numbered;
                }
            }
        });
        taken.insert(name.id());
        result.insert(key.clone(), name);
    }
    result
}

fn alternatives(candidate: &Candidate) -> Vec<Name> {
    let Candidate { name, path, method } = candidate;
    let by: Vec<String> = path_names(path).iter().map(|name| word(name)).collect();
    let mut verbs = vec![name.verb.clone()];
    verbs.extend(by.last().map(|parameter| format!("{}_by_{parameter}", name.verb)));
    if by.len() > 1 {
        verbs.push(format!("{}_by_{}", name.verb, by.join("_and_")));
    }
    verbs.push(format!("{}_{}", name.verb, method.to_lowercase()));
    verbs.into_iter().map(|verb| Name { resource: name.resource.clone(), verb }).collect()
}

/// A path part as a word of an id: lower case, underscores, beginning with a letter.
pub(super) fn word(part: &str) -> String {
    let mut word = String::new();
    let mut lower_before = false;
    for c in part.chars() {
        if c.is_ascii_alphanumeric() {
            if c.is_ascii_uppercase() && lower_before {
                word.push('_');
            }
            lower_before = c.is_ascii_lowercase() || c.is_ascii_digit();
            word.push(c.to_ascii_lowercase());
        } else {
            lower_before = false;
            if !word.is_empty() && !word.ends_with('_') {
                word.push('_');
            }
        }
    }
    let word = word.trim_matches('_').to_owned();
    if word.starts_with(|c: char| c.is_ascii_lowercase()) { word } else { format!("x{word}") }
}

fn plural(word: &str) -> String {
    match word {
        _ if word.ends_with('s') => word.to_owned(),
        _ if word.ends_with("ay") || word.ends_with("ey") => format!("{word}s"),
        _ if word.ends_with('y') => format!("{}ies", &word[..word.len() - 1]),
        _ if word.ends_with("ch") || word.ends_with('x') => format!("{word}es"),
        _ => format!("{word}s"),
    }
}

/// Whether a word is plural, judging by its ending.
fn is_plural(word: &str) -> bool {
    let one = ["settings", "stats", "details", "statistics", "analytics", "saas", "sms"];
    let last = word.rsplit('_').next().unwrap_or_default();
    !word.starts_with("has_") && last.ends_with('s') && !one.contains(&last) && singular(last) != last
}

pub(super) fn singular(words: &str) -> String {
    match words {
        "saas" | "sms" | "settings" | "statistics" | "analytics" | "credentials" => words.to_owned(),
        _ if words.ends_with("ss") || words.ends_with("us") || words.ends_with("is") => words.to_owned(),
        _ if words.ends_with("ies") => format!("{}y", &words[..words.len() - 3]),
        _ if words.ends_with("sses") || words.ends_with("ches") || words.ends_with("xes") => {
            words[..words.len() - 2].to_owned()
        }
        _ => words.strip_suffix('s').unwrap_or(words).to_owned(),
    }
}

fn is_vowel(c: char) -> bool {
    "aeiouAEIO".contains(c)
}

fn third_person(verb: &str) -> String {
    match verb {
        _ if verb.ends_with("ch") || verb.ends_with("sh") || verb.ends_with('s') => format!("{verb}es"),
        _ if verb.ends_with("fy") => format!("{}ies", &verb[..verb.len() - 1]),
        _ => format!("{verb}s"),
    }
}

/// Words with special spellings.
fn written(text: &str, words: &IndexMap<String, String>) -> String {
    let real: Vec<&str> = text.split(' ').map(|word| words.get(word).map_or(word, String::as_str)).collect();
    real.join(" ")
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn id(method: &str, path: &str, listing: bool) -> String {
        let described = Described {
            document: "store.json",
            root: &Value::Null,
            method,
            path,
            item: &Value::Null,
            operation: &Value::Null,
        };
        name(&described, &collections([path].into_iter()), &IndexMap::new(), listing).id()
    }

    #[test]
    fn names_follow_path_and_method() {
        assert_eq!(id("GET", "/contacts/{contactId}/tasks", true), "contacts.tasks.list");
        assert_eq!(id("GET", "/contacts/{contactId}/tasks/{taskId}", false), "contacts.tasks.get");
        assert_eq!(id("POST", "/invoices/{invoiceId}/void", false), "invoices.void");
        assert_eq!(
            id("POST", "/store/shipping-zone/{shippingZoneId}/shipping-rate", false),
            "store.shipping_zones.shipping_rate.create"
        );
        assert_eq!(id("GET", "/products/store/{storeId}/stats", false), "products.stores.stats.get");
        assert_eq!(id("GET", "/custom-fields/object-key/{objectKey}", true), "custom_fields.object_key.list");
        assert_eq!(id("POST", "/users/search/filter-by-email", true), "users.search.filter_by_email");
        assert_eq!(id("PUT", "/invoices/estimate/{estimateId}", false), "invoices.estimates.update");
        assert_eq!(id("GET", "/payments/connect", false), "payments.connect.get");
        assert_eq!(id("GET", "/{id}", false), "store.get");
        assert_eq!(id("GET", "/", true), "store.list");
    }

    #[test]
    fn two_never_share_a_name() {
        let same = Name { resource: vec!["a".into()], verb: "get".into() };
        let entry =
            |path: &str| Candidate { name: same.clone(), path: path.to_owned(), method: "GET".into() };
        let names = BTreeMap::from([
            ("GET /a/{x}".to_owned(), entry("/a/{x}")),
            ("GET /a/{x}/{y}".to_owned(), entry("/a/{x}/{y}")),
            ("GET /a/b/{y}".to_owned(), entry("/a/b/{y}")),
        ]);
        let ids: BTreeSet<String> =
            unique(&names, &BTreeSet::from(["a.get".into()])).values().map(Name::id).collect();
        assert_eq!(ids.len(), 3);
        assert!(!ids.contains("a.get"));
    }

    #[test]
    fn titles_are_words() {
        let name = Name { resource: vec!["store".into(), "shipping_zones".into()], verb: "list".into() };
        assert_eq!(name.title(&IndexMap::new()), "List store shipping zones");
        let words = IndexMap::from([("csv".to_owned(), "CSV".to_owned())]);
        assert_eq!(Name::from_id("posts.csv.get").title(&words), "Get post CSV");
        assert_eq!(Name::from_id("posts.csv.get").summary(&words, &["x"]), "Reads the post CSV; x.");
        assert_eq!(Name::from_id("invoices.create").summary(&words, &[]), "Creates an invoice.");
        assert_eq!(Name::from_id("campaigns.publish").summary(&words, &[]), "Publishes the campaign.");
        assert_eq!(Name::from_id("orders.record_payment").title(&words), "Record payment (order)");
        assert_eq!(Name::from_id("posts.bulk_delete").title(&words), "Bulk delete posts");
    }
}
