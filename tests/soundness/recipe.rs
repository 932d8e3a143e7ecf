//! Random recipes: a trigger, variables and steps of the catalog's operations, as people write them.

use hob::catalog::{Builtin, Catalog, Effect, Encoding, Operation, path};
use hob::sandbox::Sandbox;
use hob::value::{Kind, Shape};
use serde_json::{Map, Value, json};

use crate::expression::{Field, Writer, fields_below};
use crate::grammar::Sort;
use crate::inputs;
use crate::random::Random;
use crate::trigger::Trigger;
use crate::values::{self, Named};

/// A recipe and an event for it.
#[derive(Debug, Clone)]
pub struct Case {
    pub recipe: Value,
    pub trigger: &'static str,
    pub event: Value,
    pub event_kind: Option<String>,
}

impl Case {
    /// The recipe as a file.
    pub fn text(&self) -> String {
        serde_yaml::to_string(&self.recipe).unwrap()
    }

    /// A random one.
    pub fn random(random: &mut Random, catalog: &Catalog, sandbox: &Sandbox) -> Self {
        let trigger = Trigger::random(random, catalog, sandbox);
        let mut event = match trigger.body.as_ref().or(trigger.event.as_ref()) {
            Some(shape) => values::value(random, shape, Named("event")),
            None => json!({ "id": "e1", "name": "Ada" }),
        };
        for (pointer, value) in &trigger.ids {
            set(&mut event, pointer, value.clone());
        }
        let careless = random.percent(45);
        let mut maker = Maker { random, catalog, sandbox, careless, fields: Vec::new() };
        maker.fields.extend(run_fields());
        if let Some(shape) = &trigger.event {
            let typed = !["webhook", "several"].contains(&trigger.kind);
            // Of careless recipes, only declared types tell what is wrong.
            let fields = fields_below("event", shape, false).into_iter().filter(|_| typed || !careless);
            maker.fields.extend(fields.map(|field| Field { typed, ..field }));
        }
        let recipe = maker.recipe(&trigger);
        Self { recipe, trigger: trigger.kind, event, event_kind: trigger.event_kind }
    }
}

/// Sets what is at `pointer`, in mappings that are there.
fn set(event: &mut Value, pointer: &str, value: Value) {
    let Some((holder, name)) = pointer.rsplit_once('/') else { return };
    if let Some(Value::Object(fields)) = event.pointer_mut(holder) {
        fields.insert(name.to_owned(), value);
    }
}

fn run_fields() -> Vec<Field> {
    let text = Shape::new(Kind::String);
    let time = Shape { format: Some("date-time".into()), ..Shape::new(Kind::String) };
    vec![
        Field::new("run.id", &text),
        Field::new("run.recipe", &text),
        Field::new("run.created", &time),
        Field::new("run.event.kind", &text),
    ]
}

/// Makes the parts of a recipe; knows what can be read so far.
struct Maker<'a> {
    random: &'a mut Random,
    catalog: &'a Catalog,
    sandbox: &'a Sandbox,
    careless: bool,
    fields: Vec<Field>,
}

impl Maker<'_> {
    fn recipe(&mut self, trigger: &Trigger) -> Value {
        let mut recipe = Map::new();
        recipe.insert("name".into(), json!("generated"));
        recipe.insert("trigger".into(), trigger.yaml.clone());
        if self.random.percent(15) {
            recipe.insert("when".into(), self.condition());
        }
        let vars = self.vars();
        if !vars.is_empty() {
            recipe.insert("vars".into(), Value::Object(vars));
        }
        let count = 1 + self.random.below(5);
        let mut actions: Vec<Value> = (0..count).map(|at| self.action(&format!("s{at}"))).collect();
        link_first(&mut actions);
        recipe.insert("actions".into(), Value::Array(actions));
        if self.random.percent(12) {
            recipe.insert("on_failure".into(), self.on_failure(trigger));
        }
        Value::Object(recipe)
    }

    fn writer(&mut self) -> Writer<'_> {
        let careless = self.careless && self.random.percent(50);
        Writer { random: self.random, fields: &self.fields, careless }
    }

    fn vars(&mut self) -> Map<String, Value> {
        let mut vars = Map::new();
        let kinds = [
            (Sort::Text, Shape::new(Kind::String)),
            (Sort::Number, Shape::new(Kind::Number)),
            (Sort::Flag, Shape::new(Kind::Boolean)),
            (Sort::Texts, Shape::list(Shape::new(Kind::String))),
            (Sort::Numbers, Shape::list(Shape::new(Kind::Number))),
            (Sort::Mapping, Shape::new(Kind::Object)),
            (Sort::Time, Shape { format: Some("date-time".into()), ..Shape::new(Kind::String) }),
        ];
        for at in 0..self.random.below(4) {
            let (sort, shape) = self.random.one(&kinds).clone();
            let name = format!("v{at}");
            let template = self.writer().template(sort);
            // What comes of a field without a declared type has none.
            let typed = !self.fields.iter().any(|field| !field.typed && template.contains(&field.path));
            vars.insert(name.clone(), Value::from(template));
            self.fields.push(Field { typed, ..Field::new(format!("vars.{name}"), &shape) });
        }
        vars
    }

    fn condition(&mut self) -> Value {
        let all: Vec<String> = self
            .fields
            .iter()
            .filter(|field| field.missing && !field.deep)
            .map(|field| field.path.clone())
            .collect();
        match self.random.below(3) {
            0 if !all.is_empty() => Value::from(format!("{{{{ {} }}}}", self.random.one(&all))),
            _ => Value::from(self.writer().template(Sort::Flag)),
        }
    }

    fn operation(&mut self) -> &Operation {
        let catalog = self.catalog;
        let built_in = self.random.percent(25);
        let all: Vec<&Operation> = catalog
            .operations()
            .map(AsRef::as_ref)
            .filter(|operation| operation.is_action() && operation.builtin.is_some() == built_in)
            .collect();
        // What sends and receives files is rare in the catalog.
        let files: Vec<&Operation> = all
            .iter()
            .copied()
            .filter(|operation| {
                let body = operation.body.as_ref();
                operation.download.is_some() || body.is_some_and(|body| body.encoding != Encoding::Json)
            })
            .collect();
        if !built_in && self.random.percent(3) {
            return self.random.one::<&Operation>(&files);
        }
        // Half of them of the resources that recipes are mostly about.
        let usual: Vec<&Operation> = all
            .iter()
            .copied()
            .filter(|operation| {
                ["contacts.", "opportunities.", "fitr."].iter().any(|name| operation.id.starts_with(name))
            })
            .collect();
        let usual_one = !built_in && self.random.percent(50);
        let chosen: &[&Operation] = if usual_one { &usual } else { &all };
        self.random.one::<&Operation>(chosen)
    }

    fn action(&mut self, id: &str) -> Value {
        let operation = self.operation().id.clone();
        let operation = self.catalog.operation(&operation).unwrap().as_ref();
        let mut action = Map::new();
        action.insert("id".into(), json!(id));
        action.insert("do".into(), json!(operation.id));
        let before = self.fields.clone();
        let mut skipped = false;
        if self.random.percent(25) {
            let condition = self.condition();
            self.believe(&condition);
            action.insert("if".into(), condition);
            skipped = true;
        }
        let notes = matches!(operation.builtin, Some(Builtin::LinksIntend | Builtin::LinksSettle));
        let each = !notes && self.random.percent(12);
        if each {
            self.for_each(&mut action);
        }
        let with = self.with(operation);
        if !with.is_empty() {
            action.insert("with".into(), Value::Object(with));
        }
        self.policies(&mut action, operation, &mut skipped);
        self.fields = before;
        self.add_result(id, operation, &action, each, skipped);
        Value::Object(action)
    }

    /// Within the step, what its condition asks for is there.
    fn believe(&mut self, condition: &Value) {
        let asked = condition.as_str().unwrap_or_default().trim_matches(['{', '}', ' ']).to_owned();
        for field in &mut self.fields {
            field.missing &= field.path != asked;
        }
    }

    fn for_each(&mut self, action: &mut Map<String, Value>) {
        let lists: Vec<Field> = self
            .fields
            .iter()
            .filter(|field| field.shape.kind == Kind::Array && (!field.missing || self.careless))
            .cloned()
            .collect();
        let (list, item) = match self.random.pick(&lists).filter(|field| field.shape.items.is_some()) {
            Some(field) => (field.path.clone(), field.shape.items.as_deref().cloned().unwrap_or_default()),
            None => (self.writer().expression(Sort::Texts), Shape::new(Kind::String)),
        };
        action.insert("for_each".into(), Value::from(format!("{{{{ {list} }}}}")));
        action.insert("as".into(), json!("item"));
        self.fields.extend(fields_below("item", &item, false));
    }

    fn with(&mut self, operation: &Operation) -> Map<String, Value> {
        let example = match operation.builtin {
            Some(_) => return self.built_in(operation),
            None => self.sandbox.example(&operation.id).unwrap_or_default(),
        };
        let mut writer = self.writer();
        inputs::inputs(&mut writer, operation, &example)
    }

    /// Inputs of a built-in operation. What notes values with a link finds it as `link_first` has made it.
    fn built_in(&mut self, operation: &Operation) -> Map<String, Value> {
        let mut writer = self.writer();
        let text = writer.template(Sort::Text);
        let link = format!("{{{{ {} | default('r1', true) }}}}", writer.expression(Sort::Text));
        let any = inputs::any(&mut writer);
        let with = match operation.id.as_str() {
            "http.request" => json!({
                "method": writer.random.one(&["GET", "HEAD"]),
                "url": "{{ env.SANDBOX }}/fitr/tags",
                "headers": { "X-API-Key": "{{ env.SANDBOX_KEY }}" },
            }),
            "links.save" => json!({ "name": "other", "from": link, "to": "r2", "replace": true }),
            "links.intend" | "links.settle" => json!({
                "name": "pair",
                "from": "a1",
                "to": "b1",
                "revision": 0,
                "values": { "from": { "x": any } },
            }),
            "links.find" | "links.delete" | "links.base" => json!({ "name": "pair", "from": link }),
            "state.get" => json!({ "key": "k", "default": any }),
            "state.put" => json!({ "key": "k", "value": any }),
            "wait" => match writer.random.below(2) {
                0 => json!({ "for": "90m" }),
                _ => json!({ "until": format!("{{{{ {} | iso8601 }}}}", writer.leaf(Sort::Time)) }),
            },
            "stop" => json!({ "reason": format!("because of {text}") }),
            "log" => json!({ "message": text, "level": writer.random.one(&["info", "warn"]) }),
            "set" => json!({ "one": any, "two": text }),
            _ => Value::Object(operation.example.clone().into_iter().collect()),
        };
        with.as_object().cloned().unwrap_or_default()
    }

    fn policies(&mut self, action: &mut Map<String, Value>, operation: &Operation, skipped: &mut bool) {
        if operation.builtin.is_some() {
            return;
        }
        if self.random.percent(8) {
            action.insert("on_error".into(), json!("continue"));
            *skipped = true;
        }
        let pages = [
            "limit",
            "skip",
            "page",
            "pageLimit",
            "cursor",
            "offset",
            "startAfter",
            "startAfterId",
            "searchAfter",
        ];
        let chosen = action.get("with").is_some_and(|with| pages.iter().any(|name| with.get(name).is_some()));
        if !chosen && operation.list.is_some() && operation.effect == Effect::Read && self.random.percent(25)
        {
            action.insert("pages".into(), json!("all"));
        }
        if operation.effect == Effect::Read && self.random.percent(8) {
            action.insert("retry".into(), json!({ "attempts": 2, "backoff": "1s..2s" }));
        }
        if self.random.percent(10)
            && !action.contains_key("pages")
            && let Some(answer) = &operation.response
        {
            let pick = self.pick(answer);
            action.insert("pick".into(), Value::from(pick));
        }
    }

    /// A JSONPath into an answer of this shape.
    fn pick(&mut self, answer: &Shape) -> String {
        let mut path = "$".to_owned();
        let mut shape = answer;
        for _ in 0..self.random.below(3) {
            if let Some(items) = shape.items.as_deref() {
                path.push_str(self.random.one::<&str>(&["[*]", "[0]"]));
                shape = items;
                continue;
            }
            let names: Vec<&String> = shape
                .fields
                .keys()
                .filter(|name| name.chars().all(|letter| letter.is_ascii_alphanumeric()))
                .collect();
            let Some(name) = self.random.pick(&names).copied() else { break };
            path.extend([".", name.as_str()]);
            shape = &shape.fields[name];
        }
        path
    }

    fn add_result(
        &mut self,
        id: &str,
        operation: &Operation,
        action: &Map<String, Value>,
        each: bool,
        skipped: bool,
    ) {
        let taken = action.get("pick").and_then(Value::as_str).map(str::to_owned);
        let taken = taken.or_else(|| operation.result.first().cloned()).unwrap_or_else(|| "$".to_owned());
        let Some(answer) = &operation.response else { return };
        let Some(shape) = path::walk(answer, &taken.replace("[0]", "[*]")) else { return };
        let mut shape = shape.clone();
        if taken.contains("[*]") {
            shape = Shape::list(shape);
        }
        if each {
            shape = Shape::list(shape);
        }
        let mut fields =
            fields_below(&format!("steps.{id}"), &shape, skipped && !each || taken.contains("[0]"));
        fields.truncate(80);
        self.fields.extend(fields);
    }

    fn on_failure(&mut self, trigger: &Trigger) -> Value {
        // What a run that failed early does not have.
        for field in &mut self.fields {
            let hydrated = trigger.kind == "hydrated" && field.path.starts_with("event.");
            field.missing |= hydrated || field.path.starts_with("vars.") || field.path.starts_with("steps.");
            field.deep |= field.path.starts_with("steps.") && field.path.matches(['.', '[']).count() > 1;
        }
        let careless = self.careless;
        self.fields.retain(|field| careless || !field.deep || !field.path.starts_with("steps."));
        let text = Shape::new(Kind::String);
        self.fields.push(Field::new("error.message", &text));
        self.fields.push(Field::new("error.step", &text));
        let message = self.writer().template(Sort::Text);
        let value = inputs::any(&mut self.writer());
        json!([
            { "do": "log", "with": { "message": format!("{message}: {{{{ error.message }}}}") } },
            { "do": "state.put", "with": { "key": "failed", "value": value } },
        ])
    }
}

/// Puts a step that makes the link before those that note values with it; only one of them knows its revision.
fn link_first(actions: &mut Vec<Value>) {
    let notes = |action: &Value| matches!(action["do"].as_str(), Some("links.intend" | "links.settle"));
    for action in actions.iter_mut().filter(|action| notes(action)).skip(1) {
        *action = json!({ "id": action["id"], "do": "log", "with": { "message": "noted before" } });
    }
    if actions.iter().any(notes) {
        let with = json!({ "name": "pair", "from": "a1", "to": "b1", "replace": true });
        actions.insert(0, json!({ "id": "link", "do": "links.save", "with": with }));
    }
}
