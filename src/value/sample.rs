//! Sample values for shapes.

use super::{Kind, Shape, Value};

/// Deep enough for every answer that a recipe reads; shapes may be recursive.
const MAX_DEPTH: usize = 6;

/// The sample of a text of no known format, such as an id.
pub const SAMPLE_TEXT: &str = "sample";

impl Shape {
    /// A value of this shape: all known fields, one item per list, and descriptive words.
    pub fn sample(&self) -> Value {
        self.sample_at(MAX_DEPTH)
    }

    fn sample_at(&self, depth: usize) -> Value {
        if let Some(value) = self.values.first() {
            return value.clone();
        }
        if let Some(first) = self.any_of.first() {
            return first.sample_at(depth);
        }
        match self.kind {
            Kind::Any => Value::Null,
            Kind::String => Value::from(self.sample_text()),
            Kind::Integer | Kind::Number => Value::from(1),
            Kind::Boolean => Value::from(true),
            Kind::Array => match &self.items {
                Some(items) if depth > 0 => Value::Array(vec![items.sample_at(depth - 1)]),
                _ => Value::Array(vec![]),
            },
            Kind::Object if depth > 0 => {
                let fields = self.fields.iter();
                fields.map(|(name, shape)| (name.clone(), shape.sample_at(depth - 1))).collect()
            }
            Kind::Object => Value::Object(super::Map::new()),
        }
    }

    fn sample_text(&self) -> &'static str {
        match self.format.as_deref() {
            Some("date-time") => "2027-01-01T09:00:00Z",
            Some("date") => "2027-01-01",
            Some("email") => "sample@example.com",
            Some("uri" | "url") => "https://example.com/sample",
            Some("uuid") => "00000000-0000-0000-0000-000000000000",
            _ => SAMPLE_TEXT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_fits_its_shape() {
        let shape: Shape = serde_yaml::from_str(
            "type: object\nfields:\n  id: { type: string, required: true }\n  on: { type: string, format: date-time }\n  \
             status: { type: string, enum: [open, won] }\n  tags: { type: array, items: { type: string } }\n  \
             n: { any_of: [{ type: integer }, { type: string }] }\n  deep: { type: object, fields: { x: { type: boolean } } }",
        )
        .unwrap();
        let sample = shape.sample();
        assert!(shape.check(&sample, &|_| false).is_empty(), "{sample}");
        assert_eq!(sample["tags"][0], "sample");
    }
}
