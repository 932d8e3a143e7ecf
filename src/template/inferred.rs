//! What is known of the value of an expression before it is evaluated.

use crate::value::{Kind, Shape, Step, Value, Written, time_in};

/// Most members of a written list that are looked at one by one.
const MAX_ITEMS: usize = 32;

/// What is known of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Inferred<'s> {
    /// Nothing.
    Unknown,
    /// It has a declared shape.
    Declared(&'s Shape),
    /// A list of such values.
    List(Box<Inferred<'s>>),
    /// A mapping.
    Mapping,
    /// Text.
    Text,
    /// A date without a time.
    Day,
    /// A time with a zone.
    Moment,
    /// A number.
    Number,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Flag,
    /// This value.
    Constant(Value),
    /// `omit`.
    Omitted,
    /// Nothing: what a list without members has as its first one. To use it is an error.
    Absent,
    /// One of several.
    OneOf(Vec<Inferred<'s>>),
}

/// A date or a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// A date without a time, which has no zone.
    Day,
    /// A time with a zone.
    Moment,
}

/// The classes of values that no conversion bridges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Null.
    Null,
    /// Text, a number or a flag.
    Scalar,
    /// A list.
    List,
    /// A mapping.
    Mapping,
}

impl Class {
    /// The class of a value.
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null => Class::Null,
            Value::Array(_) => Class::List,
            Value::Object(_) => Class::Mapping,
            _ => Class::Scalar,
        }
    }

    /// A few words for messages.
    pub fn describe(self) -> &'static str {
        match self {
            Class::Null => "null",
            Class::Scalar => "a single value",
            Class::List => "a list",
            Class::Mapping => "a mapping",
        }
    }

    fn of_kind(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Any => None,
            Kind::Array => Some(Class::List),
            Kind::Object => Some(Class::Mapping),
            Kind::String | Kind::Integer | Kind::Number | Kind::Boolean => Some(Class::Scalar),
        }
    }
}

impl<'s> Inferred<'s> {
    /// The class of the value, if it is known and the same for all that it may be, null aside.
    pub fn class(&self) -> Option<Class> {
        match self {
            Inferred::Unknown | Inferred::Omitted | Inferred::Absent => None,
            Inferred::Declared(shape) if shape.doubtful || !shape.any_of.is_empty() => None,
            Inferred::Declared(shape) => Class::of_kind(shape.kind),
            Inferred::List(_) => Some(Class::List),
            Inferred::Mapping => Some(Class::Mapping),
            Inferred::Text
            | Inferred::Day
            | Inferred::Moment
            | Inferred::Number
            | Inferred::Integer
            | Inferred::Flag => Some(Class::Scalar),
            Inferred::Constant(value) => Some(Class::of(value)),
            Inferred::OneOf(all) => {
                let given = all.iter().filter(|one| !one.is_nothing() && **one != Inferred::Omitted);
                let mut classes = given.map(Self::class);
                let first = classes.next()??;
                classes.all(|class| class == Some(first)).then_some(first)
            }
        }
    }

    /// Whether it is text or a number, null aside; `None` if neither is certain.
    pub(super) fn kind(&self) -> Option<Kind> {
        match self {
            Inferred::Text | Inferred::Day | Inferred::Moment | Inferred::Constant(Value::String(_)) => {
                Some(Kind::String)
            }
            Inferred::Number | Inferred::Integer | Inferred::Constant(Value::Number(_)) => Some(Kind::Number),
            Inferred::Declared(shape) if shape.doubtful || !shape.any_of.is_empty() => None,
            Inferred::Declared(shape) => match shape.kind {
                Kind::String => Some(Kind::String),
                Kind::Integer | Kind::Number => Some(Kind::Number),
                _ => None,
            },
            Inferred::OneOf(all) => {
                let given = all.iter().filter(|one| !one.is_nothing() && **one != Inferred::Omitted);
                let mut kinds = given.map(Self::kind);
                let first = kinds.next()??;
                kinds.all(|kind| kind == Some(first)).then_some(first)
            }
            _ => None,
        }
    }

    /// Whether it is a date or a time, if that is certain.
    pub(super) fn when(&self) -> Option<When> {
        match self {
            Inferred::Day => Some(When::Day),
            Inferred::Moment => Some(When::Moment),
            Inferred::Declared(shape) if shape.kind == Kind::String && !shape.doubtful => {
                match shape.format.as_deref() {
                    Some("date") => Some(When::Day),
                    Some("date-time") => Some(When::Moment),
                    _ => None,
                }
            }
            Inferred::Constant(Value::String(text)) => match time_in(text)? {
                Written::Day(_) => Some(When::Day),
                Written::Exact(_) => Some(When::Moment),
                Written::Local(_) => None,
            },
            _ => None,
        }
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Inferred::Constant(Value::Null))
    }

    /// Whether it is null, or not even that.
    fn is_nothing(&self) -> bool {
        self.is_null() || matches!(self, Inferred::Absent)
    }

    /// Whether one of the values that it may be is this one, such as null.
    pub(super) fn may_be(&self, one: &Self) -> bool {
        match self {
            Inferred::OneOf(all) => all.iter().any(|other| other.may_be(one)),
            other => other == one,
        }
    }

    /// Whether it may be null, as far as known.
    pub fn may_be_null(&self) -> bool {
        match self {
            Inferred::Unknown => true,
            Inferred::Declared(shape) => shape.nullable,
            Inferred::OneOf(all) => all.iter().any(Self::may_be_null),
            other => other.is_null(),
        }
    }

    /// Whether it is known that it may be null or missing.
    pub(super) fn may_be_nothing(&self) -> bool {
        match self {
            Inferred::Declared(shape) => shape.nullable,
            Inferred::OneOf(all) => all.iter().any(Self::may_be_nothing),
            other => other.is_nothing(),
        }
    }

    /// All that it may be.
    pub fn alternatives(&self) -> Vec<&Self> {
        match self {
            Inferred::OneOf(all) => all.iter().flat_map(Self::alternatives).collect(),
            one => vec![one],
        }
    }

    /// It, or null.
    pub fn or_null(self) -> Self {
        self.or(Inferred::Constant(Value::Null))
    }

    /// One of both.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Inferred::OneOf(mut all), other) => {
                all.push(other);
                Inferred::OneOf(all)
            }
            (one, other) => Inferred::OneOf(vec![one, other]),
        }
    }

    /// The same without null and without nothing.
    pub(super) fn present(self) -> Self {
        match self {
            Inferred::OneOf(all) => {
                let mut present = all.into_iter().filter(|one| !one.is_nothing()).map(Self::present);
                let Some(first) = present.next() else { return Inferred::Unknown };
                present.fold(first, Self::or)
            }
            other => other,
        }
    }

    /// The same where it is known to be there, perhaps as null.
    pub(super) fn there(self) -> Self {
        match self {
            Inferred::OneOf(all) => {
                let there = all.into_iter().filter(|one| *one != Inferred::Absent).map(Self::there);
                there.reduce(Self::or).unwrap_or(Inferred::Unknown)
            }
            other => other,
        }
    }

    /// Whether it is a list of which members may be missing.
    pub fn may_lack_members(&self) -> bool {
        self.class() == Some(Class::List) && self.step(&Step::Item).may_be(&Inferred::Absent)
    }

    /// The same where it is known not to be null, although its shape may be.
    pub(super) fn not_null(self) -> Self {
        match self {
            Inferred::OneOf(all) => {
                let present = all.into_iter().filter(|one| !one.is_nothing()).map(Self::not_null);
                present.reduce(Self::or).unwrap_or(Inferred::Unknown)
            }
            Inferred::Declared(shape) if !shape.nullable => Inferred::Declared(shape),
            Inferred::Declared(shape)
                if shape.doubtful || !shape.any_of.is_empty() || !shape.values.is_empty() =>
            {
                Inferred::Unknown
            }
            Inferred::Declared(shape) => match (shape.kind, shape.format.as_deref()) {
                (Kind::String, Some("date")) => Inferred::Day,
                (Kind::String, Some("date-time")) => Inferred::Moment,
                (Kind::String, _) => Inferred::Text,
                (Kind::Integer, _) => Inferred::Integer,
                (Kind::Number, _) => Inferred::Number,
                (Kind::Boolean, _) => Inferred::Flag,
                (Kind::Object, _) => Inferred::Mapping,
                (Kind::Array, _) => match shape.items.as_deref() {
                    Some(items) => Inferred::List(Box::new(Inferred::Declared(items))),
                    None => Inferred::List(Box::new(Inferred::Unknown)),
                },
                (Kind::Any, _) => Inferred::Unknown,
            },
            one if one.is_nothing() => Inferred::Unknown,
            one => one,
        }
    }

    /// What a path of fields leads to, such as `address.city`.
    pub(super) fn field(&self, path: &str) -> Self {
        path.split('.').fold(self.clone(), |value, name| value.step(&Step::Field(name.to_owned())))
    }

    /// What `step` leads to.
    pub fn step(&self, step: &Step) -> Self {
        match (self, step) {
            (Inferred::Declared(shape), step) => match shape.step(step) {
                Ok(Some(inner)) => Inferred::Declared(inner),
                _ => Inferred::Unknown,
            },
            (Inferred::List(items), Step::Item) => items.as_ref().clone(),
            (
                Inferred::Text | Inferred::Day | Inferred::Moment | Inferred::Constant(Value::String(_)),
                Step::Item,
            ) => Inferred::Text,
            (Inferred::Constant(Value::Array(items)), Step::Item) if items.len() <= MAX_ITEMS => {
                let items = items.iter().cloned().map(Inferred::Constant);
                items.reduce(Self::or).unwrap_or(Inferred::Unknown)
            }
            (Inferred::Constant(Value::Object(fields)), Step::Field(name)) => {
                fields.get(name).cloned().map_or(Inferred::Unknown, Inferred::Constant)
            }
            (Inferred::OneOf(all), step) => {
                let mut inner = all.iter().filter(|one| !one.is_nothing()).map(|one| one.step(step));
                let Some(first) = inner.next() else { return Inferred::Unknown };
                inner.fold(first, Self::or)
            }
            _ => Inferred::Unknown,
        }
    }
}
