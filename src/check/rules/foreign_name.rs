//! Names in other tools for what started a run, and their names here.

use crate::check::result_shape::path_shape;
use crate::check::{Context, Position, TemplateSite};
use crate::template::PathStep;

/// Names in other tools for the record of a run, or for its container.
pub(super) const RECORDS: &[&str] = &[
    "trigger",
    "contact",
    "inputData",
    "input_data",
    "input",
    "inputs",
    "bundle",
    "json",
    "data",
    "body",
    "payload",
    "record",
    "customer",
    "lead",
    "client",
    "item",
    "this",
    "self",
    "webhook",
    "inboundWebhookRequest",
    "opportunity",
    "appointment",
    "order",
    "message",
    "form",
    "fields",
    "row",
    "values",
    "request",
    "it",
    "triggerBody",
    "context",
    "user",
    "member",
    "person",
    "msg",
    "object",
];
/// Parts of paths that only lead to the record.
pub(super) const WRAPPERS: &[&str] = &[
    "event",
    "body",
    "json",
    "inputData",
    "input",
    "data",
    "payload",
    "record",
    "item",
    "output",
    "outputs",
    "result",
    "response",
    "contact",
    "first",
    "object",
];
/// HighLevel's merge fields that are not about the record.
const MERGE_FIELDS: &[&str] =
    &["location", "custom_values", "calendar", "campaign", "invoice", "right_now", "attribution"];

/// The likely intended path for one with this unknown root.
pub(super) fn meant(
    context: &Context<'_>,
    site: &TemplateSite<'_>,
    root: &str,
    steps: &[PathStep],
) -> Option<String> {
    match root {
        "null" | "undefined" | "nil" | "NULL" | "Null" => {
            return Some(format!("`{root}` is written `none` here"));
        }
        "blank" | "empty" | "nothing" => {
            return Some(format!("`{root}` is no value here: ask `not …` for what may be empty"));
        }
        "NaN" | "Infinity" => return Some("write `none`".to_owned()),
        "TRUE" | "FALSE" | "yes" | "no" | "on" | "off" => return Some("write `true` or `false`".to_owned()),
        "now" | "today" | "Date" | "utcnow" | "timestamp" => {
            return Some("the present time is `now()`".to_owned());
        }
        "secrets" | "process" | "ENV" | "environment" => {
            return Some("variables of the environment are `env.NAME`, where hob.yaml lists them".to_owned());
        }
        "github" => return Some("the event is `event`".to_owned()),
        "outputs" | "results" | "nodes" | "tasks" | "jobs" | "step" | "needs" => {
            return Some("the result of an earlier step is `steps.ID`".to_owned());
        }
        _ if MERGE_FIELDS.contains(&root) => return Some(merge_field()),
        _ => {}
    }
    if !RECORDS.contains(&root) {
        return None;
    }
    let named: Vec<&str> = steps.iter().filter_map(PathStep::field).collect();
    if named.len() < steps.len()
        || matches!(site.position, Position::PollInput | Position::ParentInput | Position::Verify)
    {
        return Some("the event is `event`".to_owned());
    }
    let path = within_event(context, site, &named);
    let help = format!("the event is `event`: write `{path}`");
    Some(match root {
        "contact" | "appointment" | "opportunity" | "user" | "message" => format!(
            "{help}; to have HighLevel fill in its own merge field, put `{{% raw %}}…{{% endraw %}}` around it"
        ),
        _ => help,
    })
}

fn merge_field() -> String {
    "HighLevel's merge fields are not filled in here; to send one as it stands, put `{% raw %}…{% endraw %}` around it"
        .to_owned()
}

/// The path below `event`, with the event's field names if known.
pub(super) fn within_event(context: &Context<'_>, site: &TemplateSite<'_>, names: &[&str]) -> String {
    let mut rest = names;
    loop {
        if let Some(path) = known(context, site, rest) {
            return path;
        }
        match rest.split_first() {
            Some((first, more)) if WRAPPERS.contains(first) => rest = more,
            _ => break,
        }
    }
    let shown: String = rest.iter().map(|name| format!(".{name}")).collect();
    format!("event{shown}")
}

/// `event` and `names` in one of the usual spellings, if the event has that field.
fn known(context: &Context<'_>, site: &TemplateSite<'_>, names: &[&str]) -> Option<String> {
    let (last, _) = names.split_last()?;
    let spellings = [(*last).to_owned(), camel(last), snake(last)];
    spellings.iter().find_map(|last| {
        let mut names: Vec<&str> = names.to_vec();
        if let Some(end) = names.last_mut() {
            *end = last;
        }
        let steps: Vec<PathStep> = names.iter().map(|name| PathStep::Field((*name).to_owned())).collect();
        path_shape(context, &site.position, "event", &steps)?;
        Some(format!("event.{}", names.join(".")))
    })
}

fn camel(name: &str) -> String {
    let mut upper = false;
    let mut made = String::new();
    for c in name.chars() {
        match c {
            '_' => upper = true,
            c if upper => {
                made.extend(c.to_uppercase());
                upper = false;
            }
            c => made.push(c),
        }
    }
    made
}

fn snake(name: &str) -> String {
    let mut made = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !made.is_empty() {
            made.push('_');
        }
        made.extend(c.to_lowercase());
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_are_those_that_apps_have() {
        assert_eq!(camel("first_name"), "firstName");
        assert_eq!(snake("firstName"), "first_name");
    }
}
