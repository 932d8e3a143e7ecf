//! Names of functions in other languages, and the equivalent filters.

/// Filters of Liquid, Make, n8n, Ansible and Python → what to write after the `|`.
const FILTERS: &[(&str, &str)] = &[
    ("upcase", "upper"),
    ("downcase", "lower"),
    ("to_lower", "lower"),
    ("to_upper", "upper"),
    ("strip", "trim"),
    ("lstrip", "trim"),
    ("rstrip", "trim"),
    ("titlecase", "title"),
    ("size", "length"),
    ("len", "length"),
    ("uniq", "unique"),
    ("where", "selectattr('name', 'eq', 'value')"),
    ("strftime", "date('%Y-%m-%d')"),
    ("date_format", "date('%Y-%m-%d')"),
    ("format_date", "date('%Y-%m-%d')"),
    ("formatDate", "date('%Y-%m-%d')"),
    ("timestamp_custom", "date('%Y-%m-%d')"),
    ("to_datetime", "date('%Y-%m-%d')"),
    ("to_json", "tojson"),
    ("json", "tojson"),
    ("to_nice_json", "tojson"),
    ("from_json", "fromjson"),
    ("parse_json", "fromjson"),
    ("b64encode", "base64"),
    ("b64decode", "base64_decode"),
    ("base64_encode", "base64"),
    ("url_encode", "urlencode"),
    ("cgi_escape", "urlencode"),
    ("handleize", "slug"),
    ("slugify", "slug"),
    ("number_format", "fixed(2)"),
    ("formatNumber", "fixed(2)"),
    ("money", "fixed(2)"),
    ("divide", "divided_by(2)"),
    ("substring", "truncate(20)"),
    ("regex_search", "regex_find('…')"),
    ("match", "regex_find('…')"),
    ("gsub", "regex_replace('…', '…')"),
    ("phone", "e164('GB')"),
    ("combine", "merge({…})"),
    ("boolean", "bool"),
    ("lowercase", "lower"),
    ("uppercase", "upper"),
];

/// Those of them that mean exactly the same.
const EXACT: [&str; 14] = [
    "upcase",
    "downcase",
    "to_lower",
    "to_upper",
    "lowercase",
    "uppercase",
    "strip",
    "titlecase",
    "size",
    "len",
    "uniq",
    "to_json",
    "from_json",
    "parse_json",
];

/// Methods of JavaScript and Python → filter.
const METHODS: &[(&str, &str)] = &[
    ("toLowerCase", "lower"),
    ("toUpperCase", "upper"),
    ("strip", "trim"),
    ("lstrip", "trim"),
    ("rstrip", "trim"),
    ("trimStart", "trim"),
    ("trimEnd", "trim"),
    ("toString", "string"),
    ("toFixed", "fixed"),
    ("replaceAll", "replace"),
    ("splitlines", "lines"),
    ("toISOString", "iso8601"),
    ("strftime", "date"),
    ("toFormat", "date"),
    ("format", "date"),
    ("concat", "chain"),
    ("toTitleCase", "title"),
    ("capitalize", "capitalize"),
    ("removeprefix", "remove_prefix"),
    ("at", "first"),
];

/// Functions of other languages → what to write instead.
const FUNCTIONS: &[(&str, &str)] = &[
    ("len", "value | length"),
    ("length", "value | length"),
    ("str", "value | string"),
    ("String", "value | string"),
    ("int", "value | int"),
    ("parseInt", "value | int"),
    ("Number", "value | number"),
    ("parseFloat", "value | number"),
    ("parseNumber", "value | number"),
    ("float", "value | float"),
    ("bool", "value | bool"),
    ("Boolean", "value | bool"),
    ("IF", "a if condition else b"),
    ("if", "a if condition else b"),
    ("iif", "a if condition else b"),
    ("ifempty", "value | default('…', true)"),
    ("ifEmpty", "value | default('…', true)"),
    ("isEmpty", "not value"),
    ("empty", "not value"),
    ("exists", "value is defined"),
    ("get", "value.name"),
    ("first", "value | first"),
    ("formatDate", "value | date('%Y-%m-%d')"),
    ("parseDate", "value | date('%Y-%m-%d')"),
    ("strftime", "value | date('%Y-%m-%d')"),
    ("Date", "now()"),
    ("today", "now() | date('%Y-%m-%d')"),
    ("utcnow", "now()"),
    ("NOW", "now()"),
    ("concat", "a ~ b"),
    ("CONCATENATE", "a ~ b"),
    ("contains", "a in b"),
    ("includes", "a in b"),
    ("lookup", "env.NAME"),
    ("env", "env.NAME"),
    ("states", "event.name` or `steps.ID.name"),
    ("state_attr", "event.name` or `steps.ID.name"),
    ("is_state", "event.name == 'value'"),
    ("round", "value | round"),
    ("replace", "value | replace('a', 'b')"),
];

fn find(table: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    table.iter().find(|(known, _)| *known == name).map(|(_, ours)| *ours)
}

/// The equivalent of another language's filter, with its arguments.
pub fn filter_alias(name: &str) -> Option<&'static str> {
    find(FILTERS, name)
}

/// Whether another language's filter means exactly what its equivalent does.
pub(in crate::template) fn is_exact_alias(name: &str) -> bool {
    EXACT.contains(&name)
}

/// The equivalent of another language's function.
pub fn function_alias(name: &str) -> Option<&'static str> {
    find(FUNCTIONS, name)
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
        for (name, _) in FILTERS {
            assert!(!filters().iter().any(|spec| spec.name == *name), "{name} is ours");
        }
    }
}
