//! Strength of keys that verify webhooks.

use crate::catalog::public_key;
use crate::recipe::Verify;
use crate::value::Value;

/// Why `key` is too weak, and the remedy; `None` if it is strong enough.
pub fn weakness(verify: &Verify, key: &Value) -> Option<(String, String)> {
    let text = match key {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Some(("the key is not text".to_owned(), FROM_ENV.to_owned())),
    };
    if is_blank(&text) {
        return Some(("the key is blank, so that anyone can make it up".to_owned(), FROM_ENV.to_owned()));
    }
    if let Some(variable) = unreplaced_placeholder(&text) {
        let name = variable.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let name = name.rsplit('.').next().unwrap_or_default().split(":-").next().unwrap_or_default();
        let message =
            format!("the key holds `{variable}`, which nothing fills in here: anyone could guess it");
        let help = format!(
            "a recipe has it as `{{{{ env.{name} }}}}`, with {name} listed under `env` in hob.yaml; a variable's \
             value is taken as it is"
        );
        return Some((message, help));
    }
    let Verify::Ed25519 { .. } = verify else { return None };
    let reason = public_key::ed25519(&text).err()?;
    let message = format!("the key cannot be used: {reason}");
    Some((message, "take the public key that the sender shows, whole".to_owned()))
}

const FROM_ENV: &str =
    "keep it in the environment: `{{ env.HOOK_SECRET }}`, with HOOK_SECRET listed under `env` in hob.yaml";

/// Whether nothing is visible.
fn is_blank(text: &str) -> bool {
    let unseen = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
    };
    text.chars().all(unseen)
}

/// A placeholder `${NAME}` or `{{ … }}` that was not replaced.
fn unreplaced_placeholder(text: &str) -> Option<&str> {
    let within = |open: &str, close: &str| {
        let start = text.find(open)?;
        let end = start + text[start..].find(close)? + close.len();
        text.get(start..end)
    };
    let variable = within("${", "}").filter(|found| {
        let name = found[2..found.len() - 1].split(":-").next().unwrap_or_default();
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    });
    variable.or_else(|| within("{{", "}}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceFile, Span};
    use crate::template::LocatedTemplate;
    use serde_json::json;

    fn verify(public: bool) -> Verify {
        let key =
            LocatedTemplate::parse_text("{{ env.K }}", Span::default(), &SourceFile::new("a", "")).unwrap();
        let header = "X-Key".to_owned();
        if public { Verify::Ed25519 { header, key } } else { Verify::Header { name: header, value: key } }
    }

    #[test]
    fn guessable_keys_are_rejected() {
        for key in [
            json!(""),
            json!(" \t"),
            json!("\u{200b}\u{a0}"),
            json!(null),
            json!(["a"]),
            json!(true),
            json!("${HOOK_SECRET}"),
            json!("Bearer ${HOOK_SECRET:-x}"),
            json!("{{ env.HOOK_SECRET }}"),
        ] {
            assert!(weakness(&verify(false), &key).is_some(), "{key}");
        }
        for key in [json!("s3cr3t"), json!(12345), json!("a${b"), json!("$2y$10$abc{d}")] {
            assert_eq!(weakness(&verify(false), &key), None, "{key}");
        }
    }

    #[test]
    fn a_public_key_is_one() {
        let identity = format!("01{}", "0".repeat(62));
        assert!(weakness(&verify(true), &json!(identity)).unwrap().0.contains("low order"));
        assert!(weakness(&verify(true), &json!("s3cr3t")).is_some());
        let good = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        assert_eq!(weakness(&verify(true), &json!(good)), None);
    }
}
