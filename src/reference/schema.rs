//! Pages of files: the fields of recipes, workspaces and connectors, from their JSON Schemas.

use std::fmt::Write;
use std::sync::LazyLock;

use indexmap::{IndexMap, IndexSet};

use super::connector::anchor;
use super::page::Page;
use crate::value::{Map, Value};

/// A definition with its own page.
const TRIGGER: &str = "Trigger";
const RECIPE_FILE: &str = "recipe.md";
const TRIGGERS_FILE: &str = "triggers.md";
const SYNC_FILE: &str = "sync.md";

/// The pages about recipes and triggers.
pub(super) fn recipe_pages(schema: &Value) -> Vec<Page> {
    let definitions = definitions(schema);
    let trigger = definitions.get(TRIGGER).unwrap_or(&Value::Null);
    let mut rest = IndexSet::from([TRIGGER]);
    reach(&schema["properties"], definitions, &mut rest);
    rest.shift_remove(TRIGGER);
    let mut triggers = rest.clone();
    reach(trigger, definitions, &mut triggers);
    let triggers: Vec<&str> = triggers.into_iter().filter(|name| !rest.contains(name)).collect();

    let homes = rest.iter().map(|name| (*name, RECIPE_FILE));
    let homes: IndexMap<&str, &str> =
        homes.chain(triggers.iter().chain([&TRIGGER]).map(|name| (*name, TRIGGERS_FILE))).collect();
    let mut recipe = Writer { definitions, homes: &homes, file: RECIPE_FILE, text: String::new() };
    recipe.top("Recipes", "recipe", schema);
    rest.iter().for_each(|name| recipe.section(name));
    let recipe = Page::new(RECIPE_FILE, &recipe.text).listed("Recipes", "every field of a recipe.");

    let mut text = Writer { definitions, homes: &homes, file: TRIGGERS_FILE, text: String::new() };
    text.top("Trigger", "trigger", trigger);
    triggers.iter().for_each(|name| text.section(name));
    let triggers = Page::new(TRIGGERS_FILE, &text.text).listed("Triggers", "what starts a recipe.");
    vec![recipe, triggers]
}

/// The page about syncs. What they share with ordinary recipes is on the page of recipes.
pub(super) fn sync_page(schema: &Value, recipe_schema: &Value) -> Page {
    let definitions = definitions(schema);
    let mut names = IndexSet::new();
    reach(&schema["properties"]["sync"], definitions, &mut names);
    let own =
        names.iter().filter(|name| title(name).to_lowercase().contains("side") || name.starts_with("Sync"));
    let own: Vec<&str> = own.copied().collect();
    let mut all = IndexSet::new();
    reach(schema, definitions, &mut all);
    let mut of_recipes = IndexSet::from([TRIGGER]);
    reach(&recipe_schema["properties"], self::definitions(recipe_schema), &mut of_recipes);
    let home = |name: &&str| match *name {
        name if own.contains(&name) => SYNC_FILE,
        name if of_recipes.contains(name) => RECIPE_FILE,
        _ => TRIGGERS_FILE,
    };
    let homes = all.iter().map(|name| (*name, home(name))).collect();
    let mut writer = Writer { definitions, homes: &homes, file: SYNC_FILE, text: String::new() };
    writer.top("Syncs", "sync recipe", schema);
    own.iter().for_each(|name| writer.section(name));
    let about = "records of two apps that are kept equal; the [guide](../sync.md) shows it step by step.";
    Page::new(SYNC_FILE, &writer.text).listed("Syncs", about)
}

/// The page of `hob.yaml`.
pub(super) fn workspace_page(schema: &Value) -> Page {
    let text = whole("workspace.md", "hob.yaml", "workspace", schema);
    Page::new("workspace.md", &text).listed("hob.yaml", "connections, store and server of a workspace.")
}

/// The page of connector files.
pub(super) fn connector_page(schema: &Value) -> Page {
    let text = whole("connector.md", "Connector files", "connector file", schema);
    Page::new("connector.md", &text).listed(
        "Connector files",
        "how an API is described; the [guide](../connectors.md) shows it step by step.",
    )
}

/// The page of `sandbox.yaml`.
pub(super) fn sandbox_page(schema: &Value) -> Page {
    let text = whole("sandbox.md", "sandbox.yaml", "sandbox", schema);
    Page::new("sandbox.md", &text).listed("sandbox.yaml", "how the sandbox stands in for a connector.")
}

fn whole(file: &'static str, title: &str, name: &str, schema: &Value) -> String {
    let definitions = definitions(schema);
    let mut names = IndexSet::new();
    reach(schema, definitions, &mut names);
    let homes = names.iter().map(|name| (*name, file)).collect();
    let mut writer = Writer { definitions, homes: &homes, file, text: String::new() };
    writer.top(title, name, schema);
    names.iter().for_each(|name| writer.section(name));
    writer.text
}

fn definitions(schema: &Value) -> &Map<String, Value> {
    static NONE: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
    schema["definitions"].as_object().unwrap_or(&NONE)
}

/// Adds the definitions reachable from `node`, in order. Known ones are not followed.
fn reach<'a>(node: &'a Value, definitions: &'a Map<String, Value>, names: &mut IndexSet<&'a str>) {
    match node {
        Value::Object(map) => {
            if let Some(name) = reference(node)
                && names.insert(name)
                && let Some(next) = definitions.get(name)
            {
                reach(next, definitions, names);
            }
            map.iter().filter(|(key, _)| *key != "definitions").for_each(|(_, inner)| {
                reach(inner, definitions, names);
            });
        }
        Value::Array(list) => list.iter().for_each(|inner| reach(inner, definitions, names)),
        _ => {}
    }
}

/// The definition that a node refers to: by `$ref`, alone or in `allOf`.
fn reference(node: &Value) -> Option<&str> {
    let direct = node["$ref"].as_str().or_else(|| match node["allOf"].as_array()?.as_slice() {
        [only] => only["$ref"].as_str(),
        _ => None,
    });
    direct?.strip_prefix("#/definitions/")
}

struct Writer<'a> {
    definitions: &'a Map<String, Value>,
    /// The file in which a definition is described.
    homes: &'a IndexMap<&'a str, &'a str>,
    file: &'a str,
    text: String,
}

impl Writer<'_> {
    fn top(&mut self, title: &str, name: &str, node: &Value) {
        let _ = write!(self.text, "# {title}\n\n");
        self.body(name, node);
    }

    fn section(&mut self, name: &str) {
        let title = title(name);
        let _ = write!(self.text, "\n## {title}\n\n");
        let definitions = self.definitions;
        self.body(&title, definitions.get(name).unwrap_or(&Value::Null));
    }

    fn body(&mut self, holder: &str, node: &Value) {
        let description = node["description"].as_str().unwrap_or_default();
        let _ = writeln!(self.text, "{description}");
        if let Some(fields) = node["properties"].as_object() {
            fields
                .iter()
                .for_each(|(name, field)| self.field(&format!("{holder}.{name}"), name, field, node));
        } else if let Some(variants) = node["oneOf"].as_array().or(node["anyOf"].as_array()) {
            let shared = shared_fields(variants);
            for (name, field) in &shared {
                self.field(&format!("{holder}.{name}"), name, field, &Value::Null);
            }
            self.text.push('\n');
            variants.iter().for_each(|variant| self.variant(variant, &shared));
        } else if node["type"].is_string() {
            let kind = self.kind(node);
            let examples = examples(node);
            let shown =
                if examples.is_empty() { String::new() } else { format!(", as {}", examples.join(", ")) };
            let _ = writeln!(self.text, "\nWritten as {kind}{shown}.");
        }
    }

    /// A field with a unique heading.
    fn field(&mut self, heading: &str, name: &str, field: &Value, holder: &Value) {
        let needed = if is_required(holder, name) { ", required" } else { "" };
        let kind = self.kind(field);
        let _ = write!(self.text, "\n### {heading}\n\n{kind}{needed}\n");
        let about = described(field);
        if !about.is_empty() {
            let _ = write!(self.text, "\n{about}\n");
        }
        let examples = field["examples"].as_array().map(Vec::as_slice).unwrap_or_default();
        if !examples.is_empty() {
            self.text.push_str("\n```yaml\n");
            examples.iter().for_each(|example| self.text.push_str(&yaml(name, example)));
            self.text.push_str("```\n");
        }
    }

    /// A line for a variant, and for its own fields.
    fn variant(&mut self, variant: &Value, shared: &Map<String, Value>) {
        let about = described(variant);
        let Some(fields) = variant["properties"].as_object() else {
            let kind = self.kind(variant);
            let _ = writeln!(self.text, "- {kind}: {about}");
            return;
        };
        let tag = fields.iter().find(|(_, field)| field["const"].is_string());
        if let Some((name, tagged)) = tag {
            let _ =
                writeln!(self.text, "- `{name}: {}`: {about}", tagged["const"].as_str().unwrap_or_default());
        }
        let own =
            fields.iter().filter(|(name, field)| !field["const"].is_string() && !shared.contains_key(*name));
        for (name, field) in own {
            let kind = self.kind(field);
            if tag.is_none() {
                let _ = writeln!(self.text, "- `{name}:` {kind}: {about}");
            } else {
                let needed = if is_required(variant, name) { ", required" } else { "" };
                let _ = writeln!(self.text, "  - `{name}` ({kind}{needed}): {}", described(field));
            }
        }
    }

    /// The type in words, with links.
    fn kind(&self, node: &Value) -> String {
        if let Some(name) = reference(node) {
            let home = self.homes.get(name).copied().filter(|home| *home != self.file).unwrap_or_default();
            let title = title(name);
            return format!("[{title}]({home}#{})", anchor(&title));
        }
        if let Some(constant) = node.get("const") {
            return format!("`{}`", plain(constant));
        }
        if let Some(values) = node["enum"].as_array() {
            let values: Vec<String> = values.iter().map(|value| format!("`{}`", plain(value))).collect();
            return values.join(" or ");
        }
        if let Some(variants) = node["anyOf"].as_array().or(node["oneOf"].as_array()) {
            return variants.iter().map(|variant| self.kind(variant)).collect::<Vec<_>>().join(" or ");
        }
        match &node["type"] {
            Value::String(name) => self.named(name, node),
            Value::Array(names) => {
                let names = names.iter().filter_map(Value::as_str);
                names.map(|name| self.named(name, node)).collect::<Vec<_>>().join(" or ")
            }
            _ => "any value".to_owned(),
        }
    }

    fn named(&self, name: &str, node: &Value) -> String {
        match name {
            "string" => "text".to_owned(),
            "integer" => "a whole number".to_owned(),
            "number" => "a number".to_owned(),
            "boolean" => "true or false".to_owned(),
            "array" => format!("a list of {}", self.kind(&node["items"])),
            "object" => match &node["additionalProperties"] {
                entries @ Value::Object(_) => format!("a mapping of names to {}", self.kind(entries)),
                _ => "a mapping".to_owned(),
            },
            other => other.to_owned(),
        }
    }
}

/// The fields that all variants share.
fn shared_fields(variants: &[Value]) -> Map<String, Value> {
    let [first, others @ ..] = variants else { return Map::new() };
    let is_shared = |name: &String, field: &Value| {
        !others.is_empty() && others.iter().all(|other| other["properties"].get(name) == Some(field))
    };
    let fields = first["properties"].as_object().into_iter().flatten();
    fields
        .filter(|(name, field)| is_shared(name, field))
        .map(|(name, field)| (name.clone(), field.clone()))
        .collect()
}

/// `LaneOnFailure` → `lane on failure`
fn title(name: &str) -> String {
    let mut title = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !title.is_empty() {
            title.push(' ');
        }
        title.extend(c.to_lowercase());
    }
    title
}

fn is_required(holder: &Value, name: &str) -> bool {
    holder["required"].as_array().is_some_and(|names| names.iter().any(|required| required == name))
}

/// The description, and the default if meaningful.
fn described(node: &Value) -> String {
    let about = node["description"].as_str().unwrap_or_default();
    let default = match &node["default"] {
        Value::Null => return about.to_owned(),
        Value::Object(_) => return about.to_owned(),
        Value::Array(list) if list.is_empty() => return about.to_owned(),
        Value::String(text) if text.is_empty() => return about.to_owned(),
        default => default,
    };
    format!("{about} Default: `{}`.", plain(default))
}

fn examples(node: &Value) -> Vec<String> {
    node["examples"].as_array().into_iter().flatten().map(|example| format!("`{}`", plain(example))).collect()
}

/// A value as YAML on one line.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn yaml(name: &str, example: &Value) -> String {
    // Fails only for values without a YAML form, which JSON does not have.
    serde_yaml::to_string(&IndexMap::from([(name, example)])).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(schema: &Value) -> String {
        whole("x.md", "X", "x", schema)
    }

    #[test]
    fn a_field_has_type_need_words_and_example() {
        let text = page(&json!({
            "properties": { "every": {
                "description": "How often.", "allOf": [{ "$ref": "#/definitions/LengthOfTime" }], "examples": ["5m"],
            } },
            "required": ["every"],
            "definitions": { "LengthOfTime": { "type": "string", "description": "A time." } },
        }));
        let field = "### x.every\n\n[length of time](#length-of-time), required\n\nHow often.\n\n```yaml\nevery: 5m\n```\n";
        assert!(text.contains(field), "{text}");
        assert!(text.contains("## length of time\n\nA time.\n\nWritten as text.\n"), "{text}");
    }

    #[test]
    fn a_form_with_a_tag_lists_its_fields() {
        let text = page(&json!({ "oneOf": [{
            "description": "Numbered.",
            "properties": { "style": { "const": "page" }, "size": { "type": "integer", "description": "How many.", "default": 5 } },
            "required": ["style"],
        }] }));
        let form = "- `style: page`: Numbered.\n  - `size` (a whole number): How many. Default: `5`.\n";
        assert!(text.contains(form), "{text}");
    }

    #[test]
    fn triggers_have_their_own_page_and_links_lead_there() {
        let pages = recipe_pages(crate::recipe::schema());
        let [recipe, triggers] = pages.as_slice() else { panic!("two pages") };
        assert!(
            recipe.text.contains("[trigger](triggers.md#trigger)") || recipe.text.contains("(triggers.md")
        );
        assert!(triggers.text.contains("\n## poll\n"));
        assert!(triggers.text.contains("[duration text](recipe.md#duration-text)"));
    }
}
