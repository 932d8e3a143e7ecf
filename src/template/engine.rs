//! The minijinja environment shared by all templates: strict, fuel-limited, without files, clock or process
//! environment.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use minijinja::machinery::{CodeGenerator, Instructions, ast, eval, make_string_output};
use minijinja::value::{Value as Datum, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior};

use super::error::advised;
use super::exact_number::Exact;
use super::filters::{self, unfit};
use super::hidden_filters::{
    EQUAL, FACTOR, FILLED, JOINED, LESS, LESS_OR_EQUAL, MEMBER, MORE, MORE_OR_EQUAL, PRESENT, SNAPPED, TRUTH,
    UNEQUAL, WITHIN,
};
use super::marks::mark;
use super::omit::{self, is_omit};
use super::scope::Scope;
use super::truth::text_holds;
use super::{convert, functions, number, order, predicates};

/// The limit of one evaluation. A unit pays for an instruction or for 64 bytes of new text, which bounds both time
/// (tens of milliseconds) and memory (tens of megabytes).
const FUEL: u64 = 1_000_000;

/// The shared environment, built on first use.
fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut env = Environment::new();
        env.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        env.set_fuel(Some(FUEL));
        // Without it, errors have neither a range nor the name of what is undefined.
        env.set_debug(true);
        env.set_auto_escape_callback(|_| AutoEscape::None);
        env.set_formatter(write);
        env.add_filter(MEMBER, member);
        env.add_filter(SNAPPED, snapped);
        env.add_filter(JOINED, joined);
        env.add_filter(PRESENT, present);
        env.add_filter(FACTOR, factor);
        env.add_filter(FILLED, filled);
        add_comparisons(&mut env);
        env.add_global(omit::NAME, omit::omit());
        env.add_filter(TRUTH, truth);
        for filter in filters::all() {
            filter.add_filter_to(&mut env);
        }
        for name in filters::WITHHELD {
            env.remove_filter(name);
        }
        for function in functions::all() {
            function.add_function_to(&mut env);
        }
        for name in functions::WITHHELD {
            env.remove_global(name);
        }
        for test in predicates::all() {
            test.add_test_to(&mut env);
        }
        for name in predicates::WITHHELD {
            env.remove_test(name);
        }
        env
    })
}

fn add_comparisons(env: &mut Environment<'static>) {
    env.add_filter(EQUAL, order::equal);
    env.add_filter(UNEQUAL, |left: &Datum, right: &Datum| order::equal(left, right).map(|equal| !equal));
    env.add_filter(LESS, |left: &Datum, right: &Datum| order::compare(left, right).map(Ordering::is_lt));
    env.add_filter(LESS_OR_EQUAL, |left: &Datum, right: &Datum| {
        order::compare(left, right).map(Ordering::is_le)
    });
    env.add_filter(MORE, |left: &Datum, right: &Datum| order::compare(left, right).map(Ordering::is_gt));
    env.add_filter(MORE_OR_EQUAL, |left: &Datum, right: &Datum| {
        order::compare(left, right).map(Ordering::is_ge)
    });
    env.add_filter(WITHIN, |state: &State<'_, '_>, value: &Datum, container: &Datum| {
        order::contains(state, container, value)
    });
}

/// Evaluates a lowered expression of the template `text`.
pub(super) fn expression(text: &str, expr: &ast::Expr<'_>, scope: &Scope) -> Result<Datum, Error> {
    let mut code = CodeGenerator::new("", text);
    code.compile_expr(expr);
    let result = run(&code.finish().0, scope, &mut String::new())?;
    Ok(result.unwrap_or_default())
}

/// Renders lowered statements of the template `text`.
pub(super) fn render(text: &str, stmt: &ast::Stmt<'_>, scope: &Scope) -> Result<String, Error> {
    let mut code = CodeGenerator::new("", text);
    code.compile_stmt(stmt);
    let mut rendered = String::new();
    run(&code.finish().0, scope, &mut rendered)?;
    Ok(rendered)
}

fn run(code: &Instructions<'_>, scope: &Scope, into: &mut String) -> Result<Option<Datum>, Error> {
    let blocks = BTreeMap::new();
    let root = scope.to_context();
    eval(environment(), code, root, &blocks, &mut make_string_output(into), AutoEscape::None)
        .map(|(result, _)| result)
}

/// Writes a value into text: null is empty, numbers are rounded, lists and mappings are JSON.
fn write(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Datum) -> Result<(), Error> {
    if let Some(text) = value.as_str() {
        return out.write_str(text).map_err(Error::from);
    }
    out.write_str(&text_of(state, value)?).map_err(Error::from)
}

pub(super) fn text_of(state: &State<'_, '_>, value: &Datum) -> Result<String, Error> {
    if is_omit(value) {
        return Err(advised(
            "`omit` leaves out a whole input, and here it stands inside text",
            "let one `{{ … }}` be the whole value, or use `default('')`",
        ));
    }
    Ok(match value.kind() {
        ValueKind::Undefined | ValueKind::None => String::new(),
        ValueKind::Number => number::text(value),
        ValueKind::Bool => value.is_true().to_string(),
        ValueKind::String => value.to_string(),
        _ => convert::to_json_charged(state, value)?.to_string(),
    })
}

fn member(value: &Datum, key: &Datum) -> Datum {
    value.get_item(key).unwrap_or_default()
}

fn factor(value: Datum) -> Result<Datum, Error> {
    match value.as_str() {
        Some(text) if Exact::read(text).is_some() => Err(advised(
            format!("`*` would repeat {} instead of multiplying it", filters::describe(&value)),
            "turn it into a number with `| number`",
        )),
        _ => Ok(value),
    }
}

fn present(value: Datum) -> Result<Datum, Error> {
    if value.is_none() { Err(unfit(&value, "a list")) } else { Ok(value) }
}

fn snapped(value: Datum) -> Datum {
    number::snap_datum(value)
}

fn truth(value: &Datum) -> bool {
    value.as_str().map_or_else(|| value.is_true(), text_holds)
}

fn joined(state: &State<'_, '_>, value: Datum) -> Result<Datum, Error> {
    match value.kind() {
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::String => Ok(value),
        _ => text_of(state, &value).map(Datum::from),
    }
}

/// Puts marks around a text, and around any other value if it is `joined` to a text. Undefined values stay undefined,
/// for `default`.
fn filled(state: &State<'_, '_>, value: Datum, about: &str, joined: bool) -> Result<Datum, Error> {
    let marked = |text: &str| Datum::from(mark(text, about));
    match value.as_str() {
        Some(text) => Ok(marked(text)),
        None if joined && !value.is_undefined() && !value.is_none() => Ok(marked(&text_of(state, &value)?)),
        None => Ok(value),
    }
}
