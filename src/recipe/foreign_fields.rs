//! Fields by their names in other tools.

/// Mapping, names in other tools, name here. Mappings are named as in messages.
const FIELDS: &[(&str, &[&str], &str)] = &[
    ("a recipe", &["on", "triggers", "trigger_on", "when_event", "start", "source", "starts"], "trigger"),
    (
        "a recipe",
        &["steps", "jobs", "do", "then", "tasks", "run", "action", "workflow", "nodes", "sequence"],
        "actions",
    ),
    ("a recipe", &["if", "condition", "conditions", "filter", "filters", "only_if"], "when"),
    ("a recipe", &["title", "alias", "id"], "name"),
    ("a recipe", &["desc", "summary", "about"], "description"),
    ("a recipe", &["variables", "set", "locals", "defaults", "let"], "vars"),
    ("a recipe", &["accounts", "connection", "credentials", "auth"], "connections"),
    ("a recipe", &["on_error", "onError", "catch", "rescue", "failure", "on_fail", "errors"], "on_failure"),
    ("a recipe", &["concurrency", "key", "group", "queue"], "lane"),
    ("`trigger`", &["event", "http", "hook", "path", "on"], "webhook"),
    ("`trigger`", &["poller", "watch", "operation", "uses", "source", "app"], "poll"),
    (
        "a poll trigger",
        &["params", "parameters", "input", "inputs", "args", "query", "filter", "filters"],
        "with",
    ),
    ("a poll trigger", &["interval", "frequency", "period", "poll_interval", "each"], "every"),
    ("a poll trigger", &["events", "on", "changes"], "emit"),
    ("a poll trigger", &["tz", "zone", "time_zone"], "timezone"),
    ("a schedule", &["tz", "zone", "time_zone"], "timezone"),
    ("a schedule", &["expression", "schedule", "at"], "cron"),
    ("a webhook trigger", &["auth", "secret", "signature", "authentication"], "verify"),
    ("a webhook trigger", &["key", "dedup", "dedupe", "unique"], "id"),
    (
        "an action",
        &["uses", "run", "action", "type", "operation", "op", "call", "module", "use", "service", "task"],
        "do",
    ),
    (
        "an action",
        &[
            "params",
            "parameters",
            "input",
            "inputs",
            "args",
            "arguments",
            "data",
            "body",
            "fields",
            "values",
            "payload",
            "props",
            "config",
            "settings",
        ],
        "with",
    ),
    ("an action", &["when", "condition", "conditions", "only_if", "unless", "filter"], "if"),
    (
        "an action",
        &["foreach", "forEach", "loop", "each", "repeat", "with_items", "items", "for"],
        "for_each",
    ),
    ("an action", &["loop_var", "item", "var", "loop_control"], "as"),
    ("an action", &["name", "key", "register", "alias"], "id"),
    ("an action", &["output", "outputs", "result", "select", "extract", "path"], "pick"),
    ("an action", &["retries", "retry_policy", "attempts"], "retry"),
    (
        "an action",
        &["continue_on_error", "continue-on-error", "ignore_errors", "onError", "on_failure"],
        "on_error",
    ),
    ("an action", &["account", "credential", "auth"], "connection"),
    ("a retry", &["times", "max", "max_attempts", "count", "limit", "tries", "maxAttempts"], "attempts"),
    ("a retry", &["delay", "wait", "interval", "pause"], "backoff"),
];

/// The field of `holder` that other tools call `name`, if it is among the unused fields `free`.
pub(super) fn field<'a>(holder: &str, name: &str, free: &[&'a str]) -> Option<&'a str> {
    let known = FIELDS.iter().filter(|(of, names, _)| *of == holder && names.contains(&name));
    known.filter_map(|(_, _, ours)| free.iter().find(|field| *field == ours).copied()).next()
}

/// How to write a trigger whose kind is in a field `type`, as in other tools.
pub(super) fn kind(value: Option<&str>) -> Option<String> {
    let kind = match value?.to_ascii_lowercase().as_str() {
        "webhook" | "http" | "http_request" | "hook" | "event" => "webhook: /new-client",
        "schedule" | "cron" | "timer" | "interval" => "schedule: \"0 9 * * *\"",
        "poll" | "polling" | "watch" => "poll: contacts.search",
        "manual" | "button" => "manual: {}",
        _ => return None,
    };
    Some(format!("the kind is the field itself: `{kind}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_has_one_name_elsewhere_per_holder() {
        for (holder, names, _) in FIELDS {
            for name in *names {
                let all = FIELDS.iter().filter(|(of, names, _)| of == holder && names.contains(name)).count();
                assert_eq!(all, 1, "{holder}: {name}");
            }
        }
    }

    #[test]
    fn only_what_is_free_is_meant() {
        assert_eq!(field("an action", "params", &["with", "if"]), Some("with"));
        assert_eq!(field("an action", "params", &["if"]), None);
        assert_eq!(field("a recipe", "params", &["with"]), None);
    }
}
