//! Binds arguments of a call, positional or by keyword, to parameters.

use minijinja::value::{Kwargs, Value as Datum, from_args};
use minijinja::{Error, ErrorKind};

use super::error::{advised, refusal};
use super::presence::{asks_presence, replaces_missing};
use super::signature::{Form, Signature};
use crate::diagnostic::closest;

/// Whether the callee accepts undefined values.
pub(super) fn is_lenient(name: &str) -> bool {
    replaces_missing(name) || asks_presence(name)
}

/// The arguments `given` in the order of the signature's parameters, with undefined for omitted ones before the last.
/// Calls with a variable number of arguments stay unchanged. `signature` and `usage` (its text) are those of the
/// callee; the input of a filter or test is not in `given`.
pub(super) fn bind(
    signature: &Signature,
    usage: &str,
    lenient: bool,
    given: &[Datum],
) -> Result<Vec<Datum>, Error> {
    let (placed, keywords): (&[Datum], Kwargs) = from_args(given)?;
    if !lenient && placed.iter().any(Datum::is_undefined) {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    let Some(form) = signature.fixed() else {
        return open(signature, usage, lenient, given, placed, &keywords);
    };
    let most = form.parameters.len();
    if placed.len() > most {
        return Err(too_many(most, usage));
    }
    let mut bound = placed.to_vec();
    for keyword in keywords.args() {
        let value: Datum = keywords.get(keyword)?;
        if value.is_undefined() && !lenient {
            return Err(Error::from(ErrorKind::UndefinedError));
        }
        let place = form.place(keyword).ok_or_else(|| unknown(keyword, signature, usage))?;
        if bound.len() <= place {
            bound.resize(place + 1, Datum::UNDEFINED);
        } else if !bound[place].is_undefined() {
            return Err(twice(keyword));
        }
        bound[place] = value;
    }
    needed(form, &bound, usage)?;
    Ok(bound)
}

/// A call with a variable number of arguments: `coalesce(value, …)`, `map('filter', …)`. Its keywords are passed on
/// to the inner filter, unless it accepts named values itself.
fn open(
    signature: &Signature,
    usage: &str,
    lenient: bool,
    given: &[Datum],
    placed: &[Datum],
    keywords: &Kwargs,
) -> Result<Vec<Datum>, Error> {
    let [form] = signature.forms.as_slice() else { return Ok(given.to_vec()) };
    if form.parameters.iter().any(|parameter| parameter.name.is_none()) {
        return Ok(given.to_vec());
    }
    let mut bound = placed.to_vec();
    for keyword in keywords.args() {
        let place = form.place(keyword).ok_or_else(|| unknown(keyword, signature, usage))?;
        if place != bound.len() {
            return Err(twice(keyword));
        }
        bound.push(keywords.get(keyword)?);
    }
    // What is given may be missing: `coalesce` passes over it.
    if !lenient || bound.is_empty() {
        needed(form, &bound, usage)?;
    }
    Ok(bound)
}

fn needed(form: &Form, bound: &[Datum], usage: &str) -> Result<(), Error> {
    let given = |place: usize| bound.get(place).is_some_and(|value| !value.is_undefined());
    let missing = form.parameters.iter().enumerate().find(|(place, known)| known.required && !given(*place));
    match missing {
        Some((_, parameter)) => Err(advised(
            format!("needs the argument `{}`", parameter.name.unwrap_or("value")),
            format!("it is used as `… | {usage}`"),
        )),
        None => Ok(()),
    }
}

fn too_many(most: usize, usage: &str) -> Error {
    let takes = match most {
        0 => "takes no argument".to_owned(),
        1 => "takes one argument at most".to_owned(),
        _ => format!("takes {most} arguments at most"),
    };
    advised(takes, format!("it is used as `… | {usage}`"))
}

fn unknown(keyword: &str, signature: &Signature, usage: &str) -> Error {
    let help = match closest(keyword, signature.keywords().iter().copied()) {
        Some(suggestion) => suggestion.to_string(),
        None => format!("it is used as `… | {usage}`"),
    };
    advised(format!("has no argument `{keyword}`"), help)
}

fn twice(keyword: &str) -> Error {
    refusal(format!("is given `{keyword}` twice, by place and by name"))
}
