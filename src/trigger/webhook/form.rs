//! Reads a form as the payload of an event.
//!
//! Values are texts. A repeated name, or one that ends in `[]`, becomes a list; `a[b]` is the field `b` of `a`.
//! A file is represented by its name, type, size and hash; its content is not kept.

use std::convert::Infallible;

use bytes::Bytes;
use percent_encoding::percent_decode;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::unreadable::Unreadable;
use crate::value::{charset, decode_part, read_json};

/// Maximum number of fields.
const MAX_FIELDS: usize = 10_000;
/// Maximum depth of a nested name; a deeper one is used as a plain name.
const MAX_DEPTH: usize = 16;

/// The fields of an `application/x-www-form-urlencoded` body.
pub(super) fn urlencoded(body: &[u8], charset: Option<&str>) -> Result<Value, Unreadable> {
    let mut fields = Fields::default();
    for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let (name, value) = (&pair[..at], pair.get(at + 1..).unwrap_or_default());
        fields.add(&unescaped(name, charset), Value::from(unescaped(value, charset)))?;
    }
    Ok(fields.finish())
}

fn unescaped(text: &[u8], charset: Option<&str>) -> String {
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let bytes: Vec<u8> = percent_decode(&spaced).collect();
    decode_part(&bytes, charset).into_owned()
}

/// The fields of a `multipart/form-data` body (RFC 7578).
pub(super) fn multipart(body: &[u8], boundary: &str) -> Result<Value, Unreadable> {
    if boundary.is_empty() {
        return Err(Unreadable::NotAForm("its Content-Type has no boundary".into()));
    }
    let refuse = |error: multer::Error| Unreadable::NotAForm(error.to_string());
    let body = Bytes::copy_from_slice(body);
    let whole = futures::stream::once(std::future::ready(Ok::<_, Infallible>(body)));
    let mut parts = multer::Multipart::new(whole, boundary);
    let mut fields = Fields::default();
    // The whole body is in memory, so the reader never waits.
    futures::executor::block_on(async {
        while let Some(part) = parts.next_field().await.map_err(refuse)? {
            let name = part.name().map(str::to_owned);
            let name = name.ok_or_else(|| Unreadable::NotAForm("a part has no name".into()))?;
            let file = part.file_name().map(str::to_owned);
            let media_type = part.content_type().map(ToString::to_string);
            let content = part.bytes().await.map_err(refuse)?;
            let value = match file {
                Some(file) => described(&file, media_type.as_deref(), &content),
                None => part_value(&content, media_type.as_deref().unwrap_or_default()),
            };
            fields.add(&name, value)?;
        }
        Ok(fields.finish())
    })
}

/// The description of a file; null where the form's file field was left empty.
fn described(name: &str, media_type: Option<&str>, content: &[u8]) -> Value {
    if name.is_empty() && content.is_empty() {
        return Value::Null;
    }
    let hash = hex::encode(Sha256::digest(content));
    json!({ "name": name, "media_type": media_type, "bytes": content.len(), "sha256": hash })
}

/// The value of a part; a part that declares JSON is parsed.
fn part_value(content: &[u8], media_type: &str) -> Value {
    let charset = charset(media_type);
    let kind = media_type.split(';').next().unwrap_or_default().trim();
    let json = kind.ends_with("json").then(|| read_json(content, charset).ok()).flatten();
    json.unwrap_or_else(|| Value::from(decode_part(content, charset)))
}

#[derive(Default)]
struct Fields {
    fields: Map<String, Value>,
    count: usize,
}

impl Fields {
    fn add(&mut self, name: &str, value: Value) -> Result<(), Unreadable> {
        self.count += 1;
        if self.count > MAX_FIELDS {
            return Err(Unreadable::NotAForm(format!("it has more than {MAX_FIELDS} fields")));
        }
        let way = parts(name).unwrap_or_else(|| vec![name]);
        if let Err(value) = put(&mut self.fields, &way, value) {
            // Something else has this place. Under the plain name nothing is lost.
            append(&mut self.fields, name, value);
        }
        Ok(())
    }

    fn finish(mut self) -> Value {
        self.fields.values_mut().for_each(number);
        Value::Object(self.fields)
    }
}

/// `a[b][]` as `a`, `b` and an empty name; `None` for a name that is not written like this.
fn parts(name: &str) -> Option<Vec<&str>> {
    let (first, mut rest) = name.split_at(name.find('[')?);
    let mut way = vec![first];
    while !rest.is_empty() {
        let (inner, after) = rest.strip_prefix('[')?.split_once(']')?;
        way.push(inner);
        rest = after;
    }
    (!first.is_empty() && way.len() <= MAX_DEPTH).then_some(way)
}

/// Inserts `value` at the path `way`; returns it if something else is there.
fn put(fields: &mut Map<String, Value>, way: &[&str], value: Value) -> Result<(), Value> {
    match way {
        [] => Err(value),
        [name] => {
            append(fields, name, value);
            Ok(())
        }
        [name, ""] => match fields.entry(*name).or_insert_with(|| json!([])) {
            Value::Array(list) => {
                list.push(value);
                Ok(())
            }
            _ => {
                append(fields, name, value);
                Ok(())
            }
        },
        // Fields belong to the last element, until one repeats a name it already has.
        [name, "", rest @ ..] => match fields.entry(*name).or_insert_with(|| json!([])) {
            Value::Array(list) => {
                let full = |last: &Value| last.get(rest[0]).is_some_and(|_| rest.len() == 1);
                if list.last().is_none_or(|last| !last.is_object() || full(last)) {
                    list.push(json!({}));
                }
                match list.last_mut() {
                    Some(Value::Object(last)) => put(last, rest, value),
                    _ => Err(value),
                }
            }
            _ => Err(value),
        },
        [name, rest @ ..] => match fields.entry(*name).or_insert_with(|| json!({})) {
            Value::Object(inner) => put(inner, rest, value),
            _ => Err(value),
        },
    }
}

/// Adds another value of a name, which makes it a list.
fn append(fields: &mut Map<String, Value>, name: &str, value: Value) {
    match fields.get_mut(name) {
        None => _ = fields.insert(name.to_owned(), value),
        Some(Value::Array(list)) => list.push(value),
        Some(first) => *first = json!([first.take(), value]),
    }
}

/// Turns objects whose keys are numbered from 0 into lists.
fn number(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(number);
            let numbered = fields.keys().enumerate().all(|(index, key)| *key == index.to_string());
            if numbered && !fields.is_empty() {
                *value = std::mem::take(fields).into_iter().map(|(_, member)| member).collect();
            }
        }
        Value::Array(members) => members.iter_mut().for_each(number),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(body: &str) -> Value {
        urlencoded(body.as_bytes(), None).unwrap()
    }

    #[test]
    fn fields_lists_and_fields_of_fields() {
        for (body, event) in [
            (
                "email=ada%40example.com&name=Ada+L%C3%B6wel",
                json!({ "email": "ada@example.com", "name": "Ada Löwel" }),
            ),
            ("a=&b&c=1=2", json!({ "a": "", "b": "", "c": "1=2" })),
            ("tags=a&tags=b&tags=c", json!({ "tags": ["a", "b", "c"] })),
            ("tags[]=a", json!({ "tags": ["a"] })),
            ("tags%5B%5D=a&tags%5B%5D=b", json!({ "tags": ["a", "b"] })),
            (
                "c[name]=Ada&c[address][city]=Rome",
                json!({ "c": { "name": "Ada", "address": { "city": "Rome" } } }),
            ),
            ("i[0][n]=a&i[1][n]=b", json!({ "i": [{ "n": "a" }, { "n": "b" }] })),
            ("i[][n]=a&i[][q]=1&i[][n]=b", json!({ "i": [{ "n": "a", "q": "1" }, { "n": "b" }] })),
            ("a=1&a[b]=2", json!({ "a": "1", "a[b]": "2" })),
            ("a[b=1&[c]=2&d]=3", json!({ "a[b": "1", "[c]": "2", "d]": "3" })),
            ("&&", json!({})),
        ] {
            assert_eq!(form(body), event, "{body}");
        }
        assert_eq!(urlencoded(b"n=M%FCller", Some("iso-8859-1")).unwrap(), json!({ "n": "Müller" }));
        assert_eq!(form("n=M%FCller"), json!({ "n": "M\u{fffd}ller" }));
        assert_eq!(form("n=%00a&%zz=1"), json!({ "n": "\0a", "%zz": "1" }));
        assert!(urlencoded("a&".repeat(MAX_FIELDS + 1).as_bytes(), None).is_err());
    }

    #[test]
    fn parts_and_files() {
        let body = "--x\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nada@example.com\r\n\
            --x\r\nContent-Disposition: form-data; name=\"tags[]\"\r\n\r\na\r\n\
            --x\r\nContent-Disposition: form-data; name=\"data\"\r\nContent-Type: application/json\r\n\r\n{\"n\":1}\r\n\
            --x\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"me.png\"\r\nContent-Type: image/png\r\n\r\nPNG\r\n\
            --x\r\nContent-Disposition: form-data; name=\"cv\"; filename=\"\"\r\nContent-Type: application/octet-stream\r\n\r\n\r\n\
            --x--\r\n";
        let event = multipart(body.as_bytes(), "x").unwrap();
        let hash = hex::encode(Sha256::digest(b"PNG"));
        let photo = json!({ "name": "me.png", "media_type": "image/png", "bytes": 3, "sha256": hash });
        let expected = json!({ "email": "ada@example.com", "tags": ["a"], "data": { "n": 1 }, "photo": photo, "cv": null });
        assert_eq!(event, expected);
        assert!(multipart(b"--x\r\nContent-Dis", "x").is_err(), "cut");
        assert!(multipart(body.as_bytes(), "").is_err());
    }
}
