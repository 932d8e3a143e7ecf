//! Conversion between JSON and the engine's values.

use minijinja::value::{Value as Datum, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::error::advised;
use super::number;
use super::omit::is_omit;
use crate::value::{Map, Value};

/// Maximum number of parts of a result; lists in the engine may be lazy and infinite.
const MAX_PARTS: usize = 1_000_000;
/// Maximum nesting of a result.
const MAX_DEPTH: usize = 200;

/// JSON as a value of the engine.
pub(super) fn from_json(value: &Value) -> Datum {
    match value {
        Value::Null => Datum::from(()),
        Value::Bool(flag) => Datum::from(*flag),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(whole), _, _) => Datum::from(whole),
            (_, Some(whole), _) => Datum::from(whole),
            (_, _, Some(float)) => Datum::from(float),
            _ => Datum::from(number.to_string()),
        },
        Value::String(text) => Datum::from(text.as_str()),
        Value::Array(items) => items.iter().map(from_json).collect(),
        Value::Object(fields) => {
            Datum::from_pairs(fields.iter().map(|(name, value)| (name.as_str(), from_json(value))))
        }
    }
}

/// The engine's value as JSON, without items and fields that are `omit`. An undefined part is an `UndefinedError`, an
/// infinite one `OutOfFuel`.
pub(super) fn to_json(value: &Datum) -> Result<Value, Error> {
    let mut left = MAX_PARTS;
    convert(value, &mut left, MAX_DEPTH)
}

/// The same inside a filter, consuming fuel.
pub(super) fn to_json_charged(state: &State<'_, '_>, value: &Datum) -> Result<Value, Error> {
    let most = state.fuel_levels().map_or(MAX_PARTS, |(_, left)| MAX_PARTS.min(left as usize));
    let mut left = most;
    let json = convert(value, &mut left, MAX_DEPTH)?;
    state.consume_fuel((most - left) as u64)?;
    Ok(json)
}

fn convert(value: &Datum, left: &mut usize, depth: usize) -> Result<Value, Error> {
    *left = left.checked_sub(1).ok_or_else(|| Error::from(ErrorKind::OutOfFuel))?;
    if depth == 0 {
        return Err(Error::new(ErrorKind::InvalidOperation, "the value has too many lists within lists"));
    }
    Ok(match value.kind() {
        ValueKind::Undefined => return Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::None => Value::Null,
        ValueKind::Bool => Value::Bool(value.is_true()),
        ValueKind::Number => Value::Number(number::to_json(value).ok_or_else(|| no_number(value))?),
        ValueKind::String => Value::String(value.as_str().unwrap_or_default().to_owned()),
        ValueKind::Seq | ValueKind::Iterable => {
            let mut items = Vec::new();
            for item in value.try_iter()?.checked() {
                let item = item?;
                if !is_omit(&item) {
                    items.push(convert(&item, left, depth - 1)?);
                }
            }
            Value::Array(items)
        }
        ValueKind::Map => {
            let mut fields = Map::new();
            for key in value.try_iter()?.checked() {
                let key = key?;
                let field = value.get_item(&key)?;
                if is_omit(&field) {
                    continue;
                }
                let field = convert(&field, left, depth - 1)?;
                fields.insert(key.as_str().map_or_else(|| key.to_string(), str::to_owned), field);
            }
            Value::Object(fields)
        }
        ValueKind::Invalid => return Err(invalid(value)),
        _ if is_omit(value) => return Err(misplaced()),
        _ => {
            return Err(Error::new(
                ErrorKind::InvalidOperation,
                "a function is not a value; call it with `()`",
            ));
        }
    })
}

/// The error for `omit` in place of a value.
fn misplaced() -> Error {
    advised(
        "`omit` leaves out an input of `with`, and here a value is needed",
        "give it a value, such as `none`",
    )
}

fn no_number(value: &Datum) -> Error {
    let message = match f64::try_from(value.clone()) {
        Ok(number) if !number.is_finite() => {
            "the number is infinite or undefined; is something divided by zero?"
        }
        _ => "the number has more than 64 bits",
    };
    Error::new(ErrorKind::InvalidOperation, message)
}

/// The error inside an invalid value (such as an iteration that ran out of fuel).
fn invalid(value: &Datum) -> Error {
    let lost = || Error::new(ErrorKind::InvalidOperation, "the value could not be computed");
    value.try_iter().err().unwrap_or_else(lost)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(".{0,6}", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    #[test]
    fn order_of_fields_stays() {
        let value = json!({ "z": 1, "a": { "y": null, "b": [1.5, "x"] } });
        assert_eq!(to_json(&from_json(&value)).unwrap().to_string(), value.to_string());
    }

    #[test]
    fn endless_lists_end() {
        let endless = Datum::make_iterable(|| std::iter::repeat_n(Datum::from(1), usize::MAX));
        assert_eq!(to_json(&endless).unwrap_err().kind(), ErrorKind::OutOfFuel);
    }

    proptest! {
        #[test]
        fn there_and_back(value in any_json()) {
            prop_assert_eq!(to_json(&from_json(&value)).unwrap(), value);
        }
    }
}
