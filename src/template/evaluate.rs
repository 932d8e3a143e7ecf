//! Evaluates a `Template` in a `Scope`.

use std::sync::Arc;

use minijinja::machinery::ast::Expr;

use super::error::Error;
use super::explain::Explainer;
use super::omit::is_omit;
use super::parse::{Form, Template};
use super::scope::Scope;
use super::syntax::SyntaxError;
use super::truth::truthy;
use super::{convert, engine, lower, syntax};
use crate::value::Value;

/// The result of an expression.
enum Outcome {
    Undefined,
    Omitted,
    Value(Value),
}
/// Lowers an expression to its value or to its truth.
type Lower = for<'a> fn(&Expr<'a>) -> Result<Expr<'a>, SyntaxError>;

impl Template {
    /// The value: of any type if the template is one `{{ … }}`, otherwise text. Undefined values, `omit`, and
    /// exceeding the limits are errors.
    pub fn evaluate(&self, scope: &Scope) -> Result<Value, Error> {
        self.evaluate_input(scope)?.ok_or_else(|| Explainer::new(self, scope).misplaced_omit())
    }

    /// The value, shared with the scope if the template is only a path, so that large lists are not copied.
    pub fn evaluate_shared(&self, scope: &Scope) -> Result<Arc<Value>, Error> {
        if let Form::Access(access) = self.form()
            && let Some(shared) = access.shared(scope)
        {
            return Ok(shared);
        }
        self.evaluate(scope).map(Arc::new)
    }

    /// The value, or `None` for `omit`.
    pub fn evaluate_input(&self, scope: &Scope) -> Result<Option<Value>, Error> {
        match self.form() {
            Form::Literal => Ok(Some(Value::String(self.text().to_owned()))),
            Form::Access(access) => match access.follow(scope) {
                Some(value) => Ok(Some(value.into_owned())),
                None => Err(Explainer::new(self, scope).undefined_result()),
            },
            Form::Whole => match self.expression(scope, lower::expression)? {
                Outcome::Value(value) => Ok(Some(value)),
                Outcome::Omitted => Ok(None),
                Outcome::Undefined => Err(Explainer::new(self, scope).undefined_result()),
            },
            Form::Text => self.rendered(scope).map(|text| Some(Value::String(text))),
        }
    }

    /// Whether a condition (`when`, `if`) is true, see [`truthy`]. Unlike elsewhere, a missing last part of a path
    /// counts as false, because APIs omit empty fields.
    pub fn holds(&self, scope: &Scope) -> Result<bool, Error> {
        if let Form::Access(access) = self.form()
            && access.lacks_only_its_end(scope)
            && access.follow(scope).is_none()
        {
            return Ok(false);
        }
        match self.form() {
            Form::Whole => {
                Explainer::new(self, scope).unknown_name().map_or(Ok(()), Err)?;
                match self.expression(scope, lower::test_of)? {
                    Outcome::Value(value) => Ok(truthy(&value)),
                    Outcome::Undefined => Ok(false),
                    Outcome::Omitted => Err(Explainer::new(self, scope).misplaced_omit()),
                }
            }
            _ => self.evaluate(scope).map(|value| truthy(&value)),
        }
    }

    /// Evaluates the expression, lowered by `lower`.
    fn expression(&self, scope: &Scope, lower: Lower) -> Result<Outcome, Error> {
        let template = syntax::statements(self.text())?;
        let Some(only) = syntax::only_expression(&template) else { return Ok(Outcome::Undefined) };
        let lowered = lower(&only.expr)?;
        let explainer = Explainer::new(self, scope);
        let result =
            engine::expression(self.text(), &lowered, scope).map_err(|error| explainer.explain(&error))?;
        if result.is_undefined() {
            return Ok(Outcome::Undefined);
        }
        if is_omit(&result) {
            return Ok(Outcome::Omitted);
        }
        convert::to_json(&result).map(Outcome::Value).map_err(|error| explainer.explain(&error))
    }

    fn rendered(&self, scope: &Scope) -> Result<String, Error> {
        let template = syntax::statements(self.text())?;
        let lowered = lower::statement(&template)?;
        let explainer = Explainer::new(self, scope);
        engine::render(self.text(), &lowered, scope).map_err(|error| explainer.explain(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::ErrorKind;
    use crate::template::testing::{evaluate, failure, value};
    use chrono::DateTime;
    use proptest::prelude::*;
    use serde_json::json;
    use std::time::{Duration, Instant};

    fn event() -> Value {
        json!({
            "id": 7, "email": "Ada@Example.com", "amount": 19.9, "price": 1.0, "none": null, "empty": "",
            "tags": ["gold", "new"], "address": { "city": "London" }, "lat": 51.507_350_912_345_67,
            "notes": [{ "text": "a" }, { "body": "b" }],
        })
    }

    #[test]
    fn a_whole_expression_keeps_its_type() {
        for (text, wanted) in [
            ("{{ event.id }}", json!(7)),
            ("  {{ event.id }}\n", json!(7)),
            ("{{ event.none }}", json!(null)),
            ("{{ event.tags }}", json!(["gold", "new"])),
            ("{{ event.tags[-1] }}", json!("new")),
            ("{{ event['address'] }}", json!({ "city": "London" })),
            ("{{ event.tags | length > 1 }}", json!(true)),
            (
                "{{ {'id': event.id, 'to': [event.email | lower]} }}",
                json!({ "id": 7, "to": ["ada@example.com"] }),
            ),
            ("{{ event.lat }}", json!(51.507_350_912_345_67)),
            ("{{ event.price }}", json!(1.0)),
            ("{{ 'x' if event.none }}", json!(null)),
            ("{{ (1, 2) }}", json!([1, 2])),
        ] {
            assert_eq!(value(text, event()), wanted, "{text}");
        }
    }

    #[test]
    fn anything_else_is_text() {
        for (text, wanted) in [
            ("plain", "plain"),
            ("id {{ event.id }}", "id 7"),
            ("{{ event.id }}{{ event.id }}", "77"),
            ("<{{ event.none }}>", "<>"),
            ("{{ true }} {{ false ~ '' }}", "true false"),
            ("{{ event.tags }}!", r#"["gold","new"]!"#),
            ("{% if event.none %}x{% else %}y{% endif %}", "y"),
            ("{% for t in event.tags %}{{ loop.index }}{{ t }} {% endfor %}", "1gold 2new "),
            ("{% set n = event.amount * 100 %}{{ n }} cents\n", "1990 cents\n"),
            ("{# note #}{{ event.price }} & <b>", "1 & <b>"),
            ("{{ 'a' ~ event.none ~ event.amount * 10 }}", "a199"),
        ] {
            assert_eq!(value(text, event()), json!(wanted), "{text}");
        }
    }

    #[test]
    fn arithmetic_has_no_binary_dust() {
        for (text, wanted) in [
            ("{{ 19.9 * 100 }}", json!(1990)),
            ("{{ event.amount * 100 }}", json!(1990)),
            ("{{ 0.1 + 0.2 == 0.3 }}", json!(true)),
            ("{{ (event.amount * 100) % 10 }}", json!(0)),
            ("{{ 10 / 4 }}", json!(2.5)),
            ("{{ 10 / 5 }}", json!(2)),
            ("{{ 7 // 2 }}", json!(3)),
            ("{{ 2 ** 10 }}", json!(1024)),
            ("{{ -event.amount }}", json!(-19.9)),
        ] {
            assert_eq!(value(text, event()), wanted, "{text}");
        }
        assert_eq!(failure("{{ 1 / 0 }}", event()).message, "unable to calculate 1 / 0");
        for text in ["{{ '50' * 3 }}", "{{ 3 * '50' }}"] {
            let message = "`*` would repeat the text \"50\" instead of multiplying it";
            assert_eq!(failure(text, event()).message, message);
        }
        assert_eq!(value("{{ '-' * 3 }}", event()), json!("---"));
        assert_eq!(failure("{{ 2 ** 100 }}", event()).kind, ErrorKind::Other);
    }

    #[test]
    fn optional_values_must_be_declared() {
        for (text, wanted) in [
            ("{{ event.phone | default('none') }}", json!("none")),
            ("{{ event.none | default('none') }}", json!("none")),
            ("{{ event.empty | default('none') }}", json!("")),
            ("{{ event.empty | default('none', true) }}", json!("none")),
            ("{{ event.a.b.c | default(0) }}", json!(0)),
            ("{{ event['a'].b[0].c | d(0) }}", json!(0)),
            ("{{ nothing.at.all | default(0) }}", json!(0)),
            ("{{ event.none.x | default(0) }}", json!(0)),
            ("{{ event.a.b is defined }}", json!(false)),
            ("{{ event.a.b is undefined }}", json!(true)),
            ("{{ event.phone or event.email }}", json!("Ada@Example.com")),
            ("{{ 'y' if event.phone else 'n' }}", json!("n")),
        ] {
            assert_eq!(value(text, event()), wanted, "{text}");
        }
    }

    #[test]
    fn a_text_has_the_same_truth_in_every_position() {
        for text in ["false", "FALSE ", "no", "off", "0", "null", " ", ""] {
            let event = json!({ "x": text, "yes": "yes" });
            let scope = Scope::new(DateTime::UNIX_EPOCH).with("event", event.clone());
            let holds = |text: &str| Template::parse(text).unwrap().holds(&scope).unwrap();
            assert!(!holds("{{ event.x }}"), "{text}");
            assert!(holds("{{ not event.x }}"), "{text}");
            assert!(holds("{{ event.x or event.yes }}") && !holds("{{ event.x and event.yes }}"), "{text}");
            assert!(!holds("{{ event.yes and not (event.yes and not event.x) }}"), "{text}");
            assert_eq!(value("{{ 1 if event.x else 2 }}", event.clone()), json!(2), "{text}");
            assert_eq!(value("a{% if event.x %}b{% endif %}", event.clone()), json!("a"), "{text}");
            assert_eq!(value("{{ event.x or event.yes }}", json!({ "x": "a", "yes": 1 })), json!("a"));
        }
    }

    #[test]
    fn missing_values_are_named_with_their_place() {
        let has = "`event` has: id, email, amount, price, none, empty, tags, address, lat, notes";
        for (text, at, message, help) in [
            (
                "{{ event.emial }}",
                "event.emial",
                format!("`event.emial` is undefined; {has}"),
                "did you mean `event.email`?",
            ),
            (
                "Hi {{ event.emial }}",
                "event.emial",
                format!("`event.emial` is undefined; {has}"),
                "did you mean `event.email`?",
            ),
            (
                "{{ event.emial | lower }}",
                "event.emial",
                format!("`event.emial` is undefined; {has}"),
                "did you mean `event.email`?",
            ),
            (
                "{{ evnt.email }}",
                "evnt.email",
                "`evnt` is undefined; available: event".into(),
                "did you mean `event`?",
            ),
            (
                "{{ event.address.town.x }}",
                "event.address.town.x",
                "`event.address.town` is undefined; `event.address` has: city".into(),
                "if it may be missing, write `event.address.town | default(…)`",
            ),
            (
                "{{ event.none.x }}",
                "event.none.x",
                "`event.none.x` is undefined; `event.none` is null".into(),
                "if it may be missing, write `event.none.x | default(…)`",
            ),
            (
                "{% for n in event.notes %}{{ n.text }}{% endfor %}",
                "n.text",
                "`event.notes[1].text` is undefined; `event.notes[1]` has: body".into(),
                "if it may be missing, write `event.notes[1].text | default(…)`",
            ),
            (
                "{{ event.id + 1 if event.id > event.limit }}",
                "event.limit",
                format!("`event.limit` is undefined; {has}"),
                "if it may be missing, write `event.limit | default(…)`",
            ),
            (
                "{{ [] | first }}",
                "{{ [] | first }}",
                "`[] | first` is undefined".into(),
                "give it a value for that case: `… | default(…)`",
            ),
            ("{{ now }}", "now", "`now` is a function".into(), "call it: `now()`"),
            (
                "{{ [event.id, event.x] }}",
                "event.x",
                format!("`event.x` is undefined; {has}"),
                "if it may be missing, write `event.x | default(…)`",
            ),
            (
                "{{ event.x is none }}",
                "event.x",
                format!("`event.x` is undefined; {has}"),
                "if it may be missing, write `event.x | default(…)`",
            ),
        ] {
            let error = failure(text, event());
            assert_eq!(error.kind, ErrorKind::Undefined, "{text}");
            assert_eq!(error.message, message, "{text}");
            assert_eq!(&text[error.range.unwrap()], at, "{text}");
            assert_eq!(error.help.as_deref(), Some(help), "{text}");
        }
    }

    #[test]
    fn other_failures_are_explained_too() {
        for (text, message, help) in [
            ("{{ event.email | lowr }}", "there is no filter `lowr`", Some("did you mean `lower`?")),
            ("{{ event.email is strng }}", "there is no test `strng`", Some("did you mean `string`?")),
            (
                "{{ event.tags | map('uper') | list }}",
                "there is no filter `uper`",
                Some("did you mean `upper`?"),
            ),
            ("{{ event.tags | map('up' ~ 'er') | list }}", "there is no such filter", None),
            ("{{ event | safe }}", "there is no filter `safe`", None),
            ("{{ event is sameas(1) }}", "there is no test `sameas`", Some("did you mean `same`?")),
            ("{{ debug() }}", "there is no function `debug`", None),
            ("{{ nwo() }}", "there is no function `nwo`", Some("did you mean `now`?")),
            (
                "{{ event.email + 1 }}",
                "cannot use + operator on unsupported types string and number",
                Some("turn text into a number with `| number`, and a number into text with `| string`"),
            ),
            (
                "{{ event.email | sort(true, 'a', true, 4) }}",
                "`sort` takes 3 arguments at most",
                Some("it is used as `… | sort(reverse=false, attribute=none, case_sensitive=false)`"),
            ),
        ] {
            let error = failure(text, event());
            assert_eq!((error.message.as_str(), error.help.as_deref()), (message, help), "{text}");
            assert!(error.range.is_some(), "{text}");
        }
    }

    #[test]
    fn messages_about_templates_with_env_show_no_values() {
        let scope =
            Scope::new(DateTime::UNIX_EPOCH).with("env", json!({ "TOKEN": "s3cret", "LIST": ["s3cret"] }));
        for text in [
            "{{ env.TOKEN | number }}",
            "{{ env.TOKEN | jsonpath(env.TOKEN) }}",
            "{{ env.TOKEN | date(env.TOKEN) }}",
            "{{ env.LIST | map('number') | list }}",
            "{{ env.TOKEN | regex_find('(' ~ env.TOKEN) }}",
            "{{ env.TOKEN + 1 }}",
            "{{ env.TOKEN.s3 }}",
            "{{ range(env.TOKEN) }}",
        ] {
            let error = Template::parse(text).unwrap().evaluate(&scope).unwrap_err();
            assert!(!format!("{error:?}").contains("s3cret"), "{text}: {error:?}");
        }
        assert!(!format!("{scope:?}").contains("s3cret"));
    }

    #[test]
    fn unavailable_constructs_do_not_parse() {
        for (text, help) in [
            ("{{ event.email.lower() }}", "write `{{ event.email | lower }}`"),
            ("{{ (event.a ~ 'x').lower() }}", "write `{{ (event.a ~ 'x') | lower }}`"),
            (
                "{% include 'x' %}",
                "use `for`, `if`, `set`, `with` or `filter`; put what is needed twice into `vars`",
            ),
            (
                "{% macro m() %}{% endmacro %}",
                "use `for`, `if`, `set`, `with` or `filter`; put what is needed twice into `vars`",
            ),
            ("{% set event.x = 1 %}", "write `{% set name = … %}`"),
            ("{% for x in y recursive %}{% endfor %}", "use one `for` inside the other"),
        ] {
            let error = Template::parse(text).unwrap_err();
            assert_eq!(error.help.as_deref(), Some(help), "{text}: {error}");
        }
    }

    #[test]
    fn conditions_take_a_missing_last_part_for_false() {
        let scope = Scope::new(DateTime::UNIX_EPOCH).with("event", event());
        let holds = |text: &str| Template::parse(text).unwrap().holds(&scope);
        for (text, wanted) in [
            ("{{ event.email }}", true),
            ("{{ event.phone }}", false),
            ("{{ event.phone and event.email }}", false),
            ("{{ not event.phone }}", true),
            ("{{ event.empty }}", false),
            ("{{ event.id > 5 }}", true),
            ("yes", true),
            ("{{ event.id > 5 }} ", true),
            ("{% if event.id > 9 %}true{% else %}false{% endif %}\n", false),
        ] {
            assert_eq!(holds(text), Ok(wanted), "{text}");
        }
        assert_eq!(holds("{{ evnt.email }}").unwrap_err().kind, ErrorKind::Undefined);
        assert_eq!(holds("{{ event.adress.city }}").unwrap_err().kind, ErrorKind::Undefined);
    }

    #[test]
    fn work_and_memory_are_bounded() {
        for text in [
            "{{ [1] * 100000000 }}",
            "{{ ([1] * 100000000) | list | length }}",
            "{{ 'x' * 10**9 }}",
            "{{ 'x' * 10**8 }}",
            "{{ range(10**9) }}",
            "{{ range(100000) | map('string') | join(',') | list | join | list | join | list | join | list | join | list | join | length }}",
            "{% for a in range(10000) %}{% for b in range(10000) %}{{ a * b }}{% endfor %}{% endfor %}",
            "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
            "{% set a = 'x' * 1000 %}{% set b = a * 1000 %}{% set c = b * 1000 %}{{ c * 1000 }}",
            "{{ (range(100000) | list) * 1000 }}",
            "{{ range(100000) | map('tojson') | map('fromjson') | map('hash') | list | length }}",
            "{{ range(100000) | map('e164', 'GB', false) | list | length }}",
            "{{ range(100000) | map('regex_replace', '(a|b)*c', 'x') | list | length }}",
            "{{ ('a,' * 1000000) | split(',') | length }}",
            "{{ (('x' * 100000 ~ ',') * 300) | split(',') | map('hash') | list }}",
            "{{ range(100000) | jsonpath('$[?count($..*) > 1]') }}",
            "{{ range(100) | jsonpath('$[*,*,*,*]' ~ ('..[*,*,*,*]' * 20)) }}",
            "{{ range(100000) | groupby('x', default=range(1000)) | list }}",
            "{{ 9 ** 9 ** 9 ** 9 }}",
        ] {
            let begun = Instant::now();
            let result = evaluate(text, json!({}));
            let took = begun.elapsed();
            assert!(took < Duration::from_secs(60), "{text} took {took:?}");
            assert!(result.is_err(), "{text}");
        }
    }

    #[test]
    fn the_deepest_templates_allowed_fit_on_a_small_stack() {
        let nested = [
            format!("{{{{ event{} }}}}", ".b".repeat(145)),
            format!("{{{{ event{} | default(1) }}}}", ".b".repeat(145)),
            format!("{{{{ 1{} }}}}", " + event.id".repeat(70)),
            format!("{{{{ event.email{} }}}}", "|lower".repeat(140)),
            format!("{{{{ {}1 }}}}", "not ".repeat(72)),
            format!("{{{{ {}1 }}}}", "-".repeat(72)),
            format!("{{{{ {}1{} }}}}", "[".repeat(70), "]".repeat(70)),
            format!("{{{{ {}1{} }}}}", "(".repeat(70), ")".repeat(70)),
            format!("{{% if 0 %}}{}{{% endif %}}", "{% elif 0 %}x".repeat(60)),
            format!("{}x{}", "{% if 1 %}".repeat(145), "{% endif %}".repeat(145)),
            format!("{{{{ 1{} }}}}", " if 1 else 2".repeat(98)),
        ];
        for text in nested {
            let name = text[..30].to_owned();
            let work = move || {
                let template = Template::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
                let scope = Scope::new(DateTime::UNIX_EPOCH).with("event", event());
                let _ = template.evaluate(&scope);
            };
            std::thread::Builder::new().name(name).stack_size(1 << 20).spawn(work).unwrap().join().unwrap();
        }
    }

    /// Texts close to templates, so that most of them pass the lexer.
    fn template_text() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "{{",
            "}}",
            "{%",
            "%}",
            "{#",
            "#}",
            " ",
            "event",
            ".",
            "id",
            "tags",
            "notes",
            "|",
            "lower",
            "default",
            "(",
            ")",
            "[",
            "]",
            "0",
            "-1",
            "1.5",
            "'x'",
            "\"",
            "'",
            ",",
            ":",
            "if",
            "else",
            "endif",
            "for",
            "in",
            "endfor",
            "set",
            "endset",
            "with",
            "endwith",
            "filter",
            "endfilter",
            "=",
            "==",
            "+",
            "*",
            "/",
            "//",
            "%",
            "**",
            "~",
            "not",
            "and",
            "or",
            "is",
            "defined",
            "none",
            "x",
            "loop",
            "now()",
            "e164",
            "date",
            "jsonpath",
            "'$.a'",
            "join",
            "map",
            "attribute=",
            "é",
            "\n",
            "-",
            "{",
            "}",
            "raw",
            "endraw",
            "dict(",
            "range(9)",
        ]);
        prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    fn tags_text() -> impl Strategy<Value = String> {
        template_text().prop_map(|inner| format!("a{{{{ {inner} }}}}b"))
    }

    proptest! {
        #[test]
        fn no_template_panics(text in prop_oneof![template_text(), tags_text(), "\\PC{0,60}"]) {
            match Template::parse(&text) {
                Err(error) => prop_assert!(text.get(error.range.clone()).is_some(), "{:?}", error),
                Ok(template) => {
                    for used in template.uses() {
                        prop_assert!(text.get(used.range()).is_some(), "{:?}", used);
                    }
                    let scope = Scope::new(DateTime::UNIX_EPOCH).with("event", event()).with("x", json!([1, "a"]));
                    match template.evaluate(&scope) {
                        Ok(value) => prop_assert!(template.is_whole() || value.is_string()),
                        Err(error) => {
                            let range = error.range.clone().unwrap_or(0..0);
                            prop_assert!(text.get(range).is_some(), "{:?}", error);
                        }
                    }
                    let _ = template.holds(&scope);
                }
            }
        }

        #[test]
        fn text_without_marks_is_itself(text in "[^{]{0,40}") {
            let template = Template::parse(&text).unwrap();
            prop_assert!(template.is_literal());
            prop_assert_eq!(template.evaluate(&Scope::new(DateTime::UNIX_EPOCH)).unwrap(), json!(text));
        }
    }
}
