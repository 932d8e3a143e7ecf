//! Operations meant by names that they have in other tools: `create_contact`, `contact.create`, `send_sms`.

use crate::catalog::Operation;
use crate::check::Context;

/// More suggestions are no help.
const MAX_MEANT: usize = 3;

/// Words of names that mean nothing by themselves.
const FILLERS: [&str; 11] = ["a", "an", "the", "to", "of", "by", "with", "for", "from", "or", "and"];

/// Verbs that other tools use for one another; the first is the one that stands for all.
const VERBS: [&[&str]; 4] = [
    &["create", "add", "new", "insert", "make", "book"],
    &["get", "find", "search", "list", "lookup", "query", "fetch", "retrieve", "read"],
    &["update", "edit", "modify", "change", "patch"],
    &["delete", "remove", "destroy"],
];

/// What stands for operations in other tools and is no operation here, with the way to write it.
const CONSTRUCTS: [(&[&str], &str); 5] = [
    (
        &["if", "condition", "filter", "switch", "router", "branch", "choose", "case", "paths"],
        "a condition is `if:` at the step, or `when:` for the whole recipe",
    ),
    (
        &["for", "foreach", "for_each", "each", "loop", "iterator", "iterate", "repeat", "split_in_batches"],
        "a step runs for each member of a list with `for_each:`",
    ),
    (
        &["code", "function", "script", "javascript", "js", "python", "run", "shell", "bash", "exec", "eval"],
        "recipes contain no code: values are computed in `{{ … }}` with filters, and what is needed twice goes into `vars:`",
    ),
    (
        &["formatter", "format", "transform", "template", "mapper", "parse_json", "json", "text_parser"],
        "values are computed in `{{ … }}` with filters, wherever they are needed",
    ),
    (&["trigger", "on", "schedule", "cron", "webhook"], "what starts a recipe is its `trigger:`, not a step"),
];

/// What to write for a name that is no operation's; `None` if nobody knows.
pub(super) fn construct(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase().replace(['-', ' ', '.'], "_");
    CONSTRUCTS.iter().find(|(names, _)| names.contains(&name.as_str())).map(|(_, help)| *help)
}

/// The operations that `name` may stand for, the likeliest first: those that a connector knows by it, else those of
/// which the id or title contains all its words.
pub(super) fn meant<'a>(
    context: &'a Context<'_>,
    name: &str,
    fits: &dyn Fn(&Operation) -> bool,
) -> Vec<&'a str> {
    let wanted = words(name);
    let known_as = context.catalog.connectors().find_map(|connector| {
        let mut names = connector.known_as.iter();
        names.find(|(known, _)| words(known) == wanted).map(|(_, id)| id.as_str())
    });
    if let Some(id) = known_as {
        return context
            .catalog
            .operation(id)
            .filter(|operation| fits(operation))
            .map(|_| id)
            .into_iter()
            .collect();
    }
    let candidates = context.catalog.operations().filter(|operation| fits(operation));
    let mut ranked: Vec<_> =
        candidates.filter_map(|operation| Some((rank(&wanted, operation)?, operation))).collect();
    ranked.sort_by(|(first, one), (second, other)| first.cmp(second).then_with(|| one.id.cmp(&other.id)));
    let Some(((best, _), _)) = ranked.first() else { return Vec::new() };
    let near = ranked.iter().filter(|((class, _), _)| class == best).take(MAX_MEANT);
    near.map(|(_, operation)| operation.id.as_str()).collect()
}

/// How well an operation fits the words of a name, the least best: how many words are only names of its inputs and how
/// many are other verbs; then how many words its id has besides.
fn rank(wanted: &[String], operation: &Operation) -> Option<((usize, usize), usize)> {
    let connector = words(&operation.connector);
    let wanted: Vec<&String> = wanted.iter().filter(|word| !connector.contains(word)).collect();
    if wanted.len() < 2 || operation.deprecated {
        return None;
    }
    let id: Vec<String> = words(&operation.id).into_iter().filter(|word| !connector.contains(word)).collect();
    let is_wanted = |one: &String| wanted.iter().any(|word| same(one, word));
    let parts: Vec<&str> = operation.id.split('.').collect();
    let (_, own) = parts.split_at(parts.len().saturating_sub(2));
    let own = words(&own.join("."));
    if !own.iter().filter(|word| !connector.contains(word)).all(is_wanted) {
        return None;
    }
    let title = words(&operation.title);
    let inputs: Vec<String> = operation.inputs().iter().flat_map(|input| words(input.name)).collect();
    let (mut by_input, mut other_verbs) = (0, 0);
    for word in &wanted {
        let mut names = id.iter().chain(&title);
        if names.clone().any(|one| one == *word) {
            continue;
        }
        match names.any(|one| same(one, word)) {
            true => other_verbs += 1,
            false if inputs.contains(word) => by_input += 1,
            false => return None,
        }
    }
    let extra = id.iter().filter(|one| !is_wanted(one)).count();
    Some(((by_input, other_verbs), extra))
}

/// Whether both are the same word, or verbs for the same.
fn same(one: &str, other: &str) -> bool {
    one == other || VERBS.iter().any(|verbs| verbs.contains(&one) && verbs.contains(&other))
}

/// The words of a name: small, in the singular, without fillers. `upsert` is `create or update`.
fn words(name: &str) -> Vec<String> {
    let mut spaced = String::new();
    let mut was_small = false;
    for c in name.replace("e-mail", "email").chars() {
        if was_small && c.is_ascii_uppercase() {
            spaced.push(' ');
        }
        was_small = c.is_ascii_lowercase();
        spaced.push(if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' });
    }
    let words = spaced.split_whitespace().filter(|word| !FILLERS.contains(word));
    let mut words: Vec<String> = words.flat_map(singular).collect();
    words.sort();
    words.dedup();
    words
}

fn singular(word: &str) -> Vec<String> {
    match word {
        "upsert" => vec!["create".to_owned(), "update".to_owned()],
        _ if word.ends_with("ies") => vec![format!("{}y", &word[..word.len() - 3])],
        _ if word.ends_with('s') && !word.ends_with("ss") => vec![word[..word.len() - 1].to_owned()],
        _ => vec![word.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_other_tools_have_the_same_words() {
        for (name, other) in [
            ("create_contact", "contacts.create"),
            ("ContactUpsert", "contacts.create_or_update"),
            ("updateOpportunities", "opportunity.update"),
            ("Send SMS to the contact", "contact.send.sms"),
        ] {
            assert_eq!(words(name), words(other).into_iter().collect::<Vec<_>>(), "{name}");
        }
        assert!(same("add", "create") && !same("add", "remove"));
    }
}
