//! Makes a failing recipe smaller while it fails for the same reason.

use serde_json::Value;

use crate::recipe::Case;

/// Most recipes that are tried.
const MAX_TRIALS: usize = 300;

/// The smallest recipe found for which `fails` holds.
pub async fn minimise(case: &Case, fails: impl AsyncFn(&Case) -> bool) -> Case {
    let mut best = case.clone();
    let mut trials = 0;
    'again: loop {
        for recipe in smaller(&best.recipe) {
            trials += 1;
            if trials > MAX_TRIALS {
                return best;
            }
            let case = Case { recipe, ..best.clone() };
            if fails(&case).await {
                best = case;
                continue 'again;
            }
        }
        return best;
    }
}

/// The recipe with one thing less: a step, a field, a part of a template.
fn smaller(recipe: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    let mut pointers = Vec::new();
    walk(recipe, String::new(), &mut pointers);
    for pointer in &pointers {
        found.extend(without(recipe, pointer));
    }
    for pointer in &pointers {
        if let Some(Value::String(text)) = recipe.pointer(pointer) {
            found.extend(simpler(text).into_iter().filter_map(|text| replaced(recipe, pointer, text.into())));
        }
    }
    found
}

fn walk(value: &Value, at: String, found: &mut Vec<String>) {
    if !at.is_empty() {
        found.push(at.clone());
    }
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                walk(field, format!("{at}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

fn without(recipe: &Value, pointer: &str) -> Option<Value> {
    let (holder, last) = pointer.rsplit_once('/')?;
    let mut recipe = recipe.clone();
    match recipe.pointer_mut(holder)? {
        Value::Object(fields) => drop(fields.shift_remove(&last.replace("~1", "/").replace("~0", "~"))?),
        Value::Array(items) => drop(items.remove(last.parse().ok()?)),
        _ => return None,
    }
    Some(recipe)
}

fn replaced(recipe: &Value, pointer: &str, by: Value) -> Option<Value> {
    let mut recipe = recipe.clone();
    *recipe.pointer_mut(pointer)? = by;
    Some(recipe)
}

/// A template without its last filter, without its first, or with one of its operands alone.
fn simpler(text: &str) -> Vec<String> {
    let Some(inner) = text.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")) else {
        let inner = text.split("{{").nth(1).and_then(|rest| rest.split("}}").next());
        return inner.map(|inner| format!("{{{{{inner}}}}}")).into_iter().filter(|one| one != text).collect();
    };
    let inner = inner.trim();
    let mut found = vec![text.replacen(inner, "'x'", 1)];
    let places: Vec<usize> = inner.match_indices(" | ").map(|(at, _)| at).collect();
    for at in places.iter().rev() {
        found.push(inner[..*at].to_owned());
        found.push(format!("'x'{}", &inner[*at..]));
    }
    for operator in [" or ", " and ", " == ", " ~ ", " + ", " if ", " else ", ", "] {
        if let Some((before, after)) = inner.split_once(operator) {
            found.push(before.trim_start_matches('(').to_owned());
            found.push(after.trim_end_matches(')').to_owned());
        }
    }
    if let Some(within) = inner.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        found.push(within.to_owned());
    }
    found.retain(|one| one != inner && one.len() < inner.len());
    found.into_iter().map(|inner| format!("{{{{ {inner} }}}}")).collect()
}
