//! The result of a replay for people.

use serde_json::Value;

use super::page::Page;
use crate::catalog::singular;
use crate::printable;
use crate::replay::{Counts, Example, Group, GroupKey, What};
use crate::value::{Difference, shortened};

/// Longest value shown, in characters.
const MAX_VALUE: usize = 120;

/// The whole result. `all`: every record is shown.
pub(super) fn text(page: &Page<'_>, all: bool) -> String {
    let report = page.report;
    let mut lines = Vec::new();
    for recipe in report.recipes.keys() {
        let groups = report.groups.iter().filter(|(key, _)| key.recipe == *recipe);
        let uncertainties = report.uncertainties.iter().filter(|((name, _), _)| name == recipe);
        let before = lines.len();
        let mut following = Vec::new();
        for (key, group) in groups {
            lines.extend(change(page, key, group, all));
        }
        for ((_, uncertainty), group) in uncertainties {
            if let Some(step) = uncertainty.step.as_ref().filter(|_| uncertainty.follows) {
                following.push(format!("`{step}` in {}", runs(group.runs)));
                continue;
            }
            let place = page.step_place(recipe, uncertainty.step.as_deref());
            let place = place.map(|place| format!("{place} ")).unwrap_or_default();
            let step = uncertainty.step.as_ref().map(|step| format!("step `{step}`: ")).unwrap_or_default();
            lines.push(format!(
                "{place}{recipe}, {step}{} inconclusive: {}",
                runs(group.runs),
                uncertainty.reason
            ));
            let names: Vec<&str> = group.examples.iter().map(|run| run.0.as_str()).collect();
            lines.push(some(&names.join(", "), group.runs, names.len()));
        }
        if !following.is_empty() {
            lines.push(format!("  so that these steps are not known either: {}", following.join(", ")));
        }
        for ((_, step), count) in report.assumed.iter().filter(|((name, _), _)| name == recipe) {
            lines.push(format!(
                "{recipe}, step `{step}`: {} with an id from the recorded answer to a request that would be another one",
                runs(*count)
            ));
        }
        if lines.len() > before {
            lines.push(String::new());
        }
    }
    for (reason, count) in &report.not_replayed {
        lines.push(format!("not replayed: {}, {}", runs(*count), reason.in_words()));
    }
    if report.recipes.len() > 1 {
        lines.extend(report.recipes.iter().map(|(recipe, counts)| format!("{recipe}: {}", counted(counts))));
    }
    lines.push(format!("{}; nothing was sent", counted(&report.counts)));
    lines.join("\n") + "\n"
}

fn counted(counts: &Counts) -> String {
    let Counts { replayed, same, different, inconclusive } = counts;
    format!(
        "{} replayed: {same} the same, {different} different, {inconclusive} inconclusive",
        runs(*replayed)
    )
}

fn runs(count: u64) -> String {
    if count == 1 { "1 run".to_owned() } else { format!("{count} runs") }
}

fn change(page: &Page<'_>, key: &GroupKey, group: &Group, all: bool) -> Vec<String> {
    let place = page.place(key).map(|place| format!("{place} ")).unwrap_or_default();
    let operation = key.operation.as_ref().map(|operation| format!(" ({operation})")).unwrap_or_default();
    let step = key.step.as_ref().map(|step| format!(", step `{step}`{operation}")).unwrap_or_default();
    let mut lines = vec![format!("{place}{}{step}: {}", key.recipe, headline(page, key, group))];
    if all || group.values.len() > 1 || group.others > 0 {
        lines.extend(group.examples.iter().map(example));
        let left = group.changes - group.examples.len() as u64;
        if left > 0 {
            lines.push(format!("  and {left} more; --all shows each"));
        }
        return lines;
    }
    lines.extend(
        group.values.iter().flat_map(|values| &values.fields).map(|field| format!("  {}", told(field))),
    );
    let named: Vec<String> = group.examples.iter().map(name).collect();
    lines.push(some(&named.join(", "), group.changes, named.len()));
    lines
}

fn headline(page: &Page<'_>, key: &GroupKey, group: &Group) -> String {
    let records = records(page, key, group);
    let times = if group.changes == group.records() as u64 {
        String::new()
    } else {
        format!(" {} times", group.changes)
    };
    match &key.what {
        What::Ends { before, after } if before == after => {
            format!("{} would end as {after} at another step", runs(group.runs))
        }
        What::Ends { before, after } => format!("{} would end as {after}, not {before}", runs(group.runs)),
        What::Changed => format!("{records} would get other values{times}"),
        What::Added => format!("{records} would get this request{times}, which was not sent"),
        What::Removed => format!("{records} would not get this request, which was sent{times}"),
        What::Moved => format!("{records} would get this request in another order{times}"),
    }
}

/// How many records of which kind: `37 contacts`.
fn records(page: &Page<'_>, key: &GroupKey, group: &Group) -> String {
    let of_recipe = || page.recipe(&key.recipe)?.operation_by_id(key.operation.as_deref()?);
    // What hob does itself concerns no kind of record.
    let operation = of_recipe().filter(|operation| operation.builtin.is_none());
    let kind = operation.and_then(|operation| {
        let words: Vec<&str> = operation.id.split('.').collect();
        words.strip_prefix(&[operation.connector.as_str()]).unwrap_or(&words).first().copied()
    });
    let kind = kind.unwrap_or("records");
    match group.records() {
        1 => format!("1 {}", singular(kind)),
        count => format!("{count} {kind}"),
    }
}

fn example(example: &Example) -> String {
    let fields: Vec<String> = example.fields.iter().map(told).collect();
    format!("  {}  {}", name(example), fields.join(", ")).trim_end().to_owned()
}

fn name(example: &Example) -> String {
    match &example.record {
        Some(record) => format!("{} ({})", printable::line(record, MAX_VALUE), example.run),
        None => example.run.0.clone(),
    }
}

fn some(names: &str, all: u64, shown: usize) -> String {
    match all.saturating_sub(shown as u64) {
        _ if shown == 0 => "  --all shows each".to_owned(),
        0 => format!("  {names}"),
        more => format!("  {names} and {more} more; --all shows each"),
    }
}

fn told(field: &Difference) -> String {
    let shown = |value: &Value| shortened(value.clone(), MAX_VALUE).to_string();
    let path = &field.path;
    match (&field.expected, &field.found) {
        (Some(before), Some(after)) => format!("{path}: {} → {}", shown(before), shown(after)),
        (None, Some(Value::String(reason))) if path == "reason" => reason.clone(),
        (None, Some(after)) => format!("{path}: {} (new)", shown(after)),
        (Some(before), None) => format!("{path}: {} (gone)", shown(before)),
        (None, None) => path.clone(),
    }
}
