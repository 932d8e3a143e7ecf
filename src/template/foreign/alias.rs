//! What to write here for the name of a filter, function, method or test in another language.

use super::names::{EXACT, FILTERS, FUNCTIONS, METHODS, NEEDLESS, OPERATORS, TESTS};

/// `formatDate` → `format_date`.
fn snake(name: &str) -> String {
    let mut made = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && made.ends_with(|last: char| last.is_ascii_lowercase()) {
            made.push('_');
        }
        made.push(c.to_ascii_lowercase());
    }
    made
}

/// The entry of `name`, in any of the usual spellings.
fn find(table: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    let (lower, snake) = (name.to_ascii_lowercase(), snake(name));
    let spelt = [name, &lower, &snake].into_iter().find_map(|name| {
        let is_it = |known: &str| known == name || known.to_ascii_lowercase() == name;
        table.iter().find(|(known, _)| is_it(known))
    });
    spelt.map(|(_, ours)| *ours)
}

/// Our filter of another spelling: `LOWER`, `addTime`.
fn respelt(name: &str) -> Option<&'static str> {
    let spelt = [name.to_ascii_lowercase(), snake(name)];
    let ours = super::super::filters().iter().find(|spec| spelt.iter().any(|name| name == spec.name));
    ours.map(|spec| spec.name)
}

/// The equivalent of another language's filter, with its arguments.
pub fn filter_alias(name: &str) -> Option<&'static str> {
    find(FILTERS, name)
}

/// What to write instead of another language's filter, function or test, in words.
pub fn instead_of(kind: &str, name: &str) -> Option<String> {
    let written = |ours: &str| format!("write `{ours}`");
    match kind {
        "filter" if NEEDLESS.contains(&name) => Some("leave it out: values are sent as they are".to_owned()),
        "filter" => {
            let filter = filter_alias(name).map(|ours| format!("write `| {ours}`"));
            filter.or_else(|| find(OPERATORS, name).map(written))
        }
        "function" => {
            let filter = || {
                find(FILTERS, name).or_else(|| respelt(name)).map(|ours| format!("write `value | {ours}`"))
            };
            find(FUNCTIONS, name).map(written).or_else(filter).or_else(|| find(OPERATORS, name).map(written))
        }
        _ => find(TESTS, name).map(written),
    }
}

/// Whether another language's filter means exactly what its equivalent does.
pub(in crate::template) fn is_exact_alias(name: &str) -> bool {
    EXACT.contains(&name)
}

/// The filter equivalent to another language's method.
pub(in crate::template) fn method(name: &str) -> Option<&'static str> {
    let ours = || super::super::filters().iter().find(|spec| spec.name == name).map(|spec| spec.name);
    find(METHODS, name).or_else(ours)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::filters;

    #[test]
    fn aliases_name_filters_that_exist() {
        for (name, ours) in FILTERS.iter().chain(METHODS) {
            let filter = ours.split('(').next().unwrap_or("");
            assert!(filters().iter().any(|spec| spec.name == filter), "{name} → {ours}");
        }
        for (name, _) in FILTERS.iter().chain(OPERATORS) {
            assert!(!filters().iter().any(|spec| spec.name == *name), "{name} is ours");
        }
        for (name, _) in TESTS {
            assert!(!crate::template::tests().iter().any(|spec| spec.name == *name), "{name} is ours");
        }
    }

    #[test]
    fn what_is_advised_parses() {
        for (table, is_filter) in [(FILTERS, true), (OPERATORS, false), (FUNCTIONS, false), (TESTS, false)] {
            for (name, ours) in table {
                let ours = ours.split("` or `").next().unwrap_or("");
                let ours = ours.replace("[…]", "['a']").replace("{…}", "{'a': 1}").replace("== …", "== 'a'");
                let before = if is_filter { "value | " } else { "" };
                let text = format!("{{{{ {before}{ours} }}}}");
                assert!(crate::template::Template::parse(&text).is_ok(), "{name}: {text}");
            }
        }
    }

    #[test]
    fn names_are_known_in_every_spelling() {
        for (kind, name, wanted) in [
            ("filter", "formatDate", "write `| date('%Y-%m-%d')`"),
            ("filter", "addDays", "write `| add_time('1d')`"),
            ("filter", "append", "write `value ~ '…'`"),
            ("filter", "safe", "leave it out: values are sent as they are"),
            ("function", "LEFT", "write `value[0:3]`"),
            ("function", "UPCASE", "write `value | upper`"),
            ("function", "Lower", "write `value | lower`"),
            ("test", "Nil", "write `value is none`"),
        ] {
            assert_eq!(instead_of(kind, name).as_deref(), Some(wanted), "{name}");
        }
        assert_eq!(instead_of("filter", "pluralise"), None);
    }
}
