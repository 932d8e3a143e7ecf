//! Sample answers, for steps whose request is not sent.

use serde_json::{Map, Value};

use super::Operation;

impl Operation {
    /// A sample of its answer to a request with `inputs`, which stand in it where it has fields of the same names.
    pub fn sample_answer(&self, inputs: &Map<String, Value>) -> Value {
        let mut answer = match &self.response {
            Some(shape) => shape.sample(),
            None => return Value::Object(inputs.clone()),
        };
        overlay(&mut answer, inputs, 3);
        answer
    }
}

fn overlay(value: &mut Value, inputs: &Map<String, Value>, depth: usize) {
    let Value::Object(map) = value else { return };
    for (name, field) in map.iter_mut() {
        match inputs.get(name) {
            Some(given) if !given.is_null() => *field = given.clone(),
            _ if depth > 0 => overlay(field, inputs, depth - 1),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_sample_shows_what_was_sent() {
        let operation: Operation = serde_yaml::from_str(
            "title: t\nsummary: s\nkinds: [action]\nresponse: { type: object, fields: { contact: { type: object, fields: { id: { type: string }, email: { type: string } } }, new: { type: boolean } } }",
        )
        .unwrap();
        let inputs = json!({ "email": "a@b.c", "other": 1 });
        let answer = operation.sample_answer(inputs.as_object().unwrap());
        assert_eq!(answer, json!({ "contact": { "id": "sample", "email": "a@b.c" }, "new": true }));
    }
}
