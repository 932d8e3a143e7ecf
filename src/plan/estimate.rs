//! A number of requests, and between which numbers it lies.

use std::ops::{Add, Mul};

use serde::{Serialize, Serializer, ser::SerializeStruct};

/// A number that is expected under the stated assumptions, and the least and the most that it can be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The least.
    pub least: f64,
    /// The expected number.
    pub expected: f64,
    /// The most; `None` if nothing limits it.
    pub most: Option<f64>,
}

impl Estimate {
    /// Zero.
    pub const ZERO: Self = Self::exactly(0.0);

    /// A number that is certain.
    pub const fn exactly(number: f64) -> Self {
        Self { least: number, expected: number, most: Some(number) }
    }

    /// A number between two.
    pub fn between(least: f64, expected: f64, most: Option<f64>) -> Self {
        Self { least, expected, most }
    }

    /// The same, or less down to nothing.
    pub fn or_none(self) -> Self {
        Self { least: 0.0, ..self }
    }

    /// Whether it is certain.
    pub fn is_exact(&self) -> bool {
        self.most == Some(self.least)
    }

    /// The larger one of each of the numbers.
    pub fn max(self, other: Self) -> Self {
        Self {
            least: self.least.max(other.least),
            expected: self.expected.max(other.expected),
            most: self.most.zip(other.most).map(|(one, other)| one.max(other)),
        }
    }
}

impl Add for Estimate {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            least: self.least + other.least,
            expected: self.expected + other.expected,
            most: self.most.zip(other.most).map(|(one, other)| one + other),
        }
    }
}

impl Mul for Estimate {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let most = match (self.most, other.most) {
            (Some(one), Some(other)) => Some(one * other),
            // Nothing, however often.
            (Some(0.0), None) | (None, Some(0.0)) => Some(0.0),
            _ => None,
        };
        Self { least: self.least * other.least, expected: self.expected * other.expected, most }
    }
}

impl std::iter::Sum for Estimate {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, Add::add)
    }
}

/// With two decimals.
impl Serialize for Estimate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let short = |number: f64| (number * 100.0).round() / 100.0;
        let mut fields = serializer.serialize_struct("Estimate", 3)?;
        fields.serialize_field("least", &short(self.least))?;
        fields.serialize_field("expected", &short(self.expected))?;
        fields.serialize_field("most", &self.most.map(short))?;
        fields.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_add_up_and_multiply() {
        let (two, some) = (Estimate::exactly(2.0), Estimate::between(0.0, 1.0, None));
        assert_eq!(two + some, Estimate::between(2.0, 3.0, None));
        assert_eq!(two * Estimate::between(1.0, 2.0, Some(3.0)), Estimate::between(2.0, 4.0, Some(6.0)));
        assert_eq!(Estimate::ZERO * some, Estimate::ZERO);
        assert!(two.is_exact() && !some.is_exact() && !two.or_none().is_exact());
        assert_eq!(two.max(some), Estimate::between(2.0, 2.0, None));
    }
}
