//! Takes secrets out of the text that messages about `hob.yaml` quote.

use crate::source::{Data, Node};

/// Fields whose values are secrets.
const SECRET: [&str; 4] = ["token", "value", "password", "client_secret"];

/// `text` with asterisks, byte for byte, in the place of secrets that stand in it. Those that come
/// from variables do not.
pub(super) fn conceal(text: &str, node: &Node) -> String {
    let mut secrets = Vec::new();
    collect(node, &mut secrets);
    let mut concealed = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.trim().is_empty()) {
        concealed = concealed.replace(secret, &"*".repeat(secret.len()));
    }
    concealed
}

fn collect<'a>(node: &'a Node, secrets: &mut Vec<&'a str>) {
    match &node.value {
        Data::List(items) => items.iter().for_each(|item| collect(item, secrets)),
        Data::Map(entries) => {
            for (key, value) in entries {
                match value.as_text() {
                    Some(text) if SECRET.contains(&key.value.as_str()) => secrets.push(text),
                    Some(text) => secrets.extend(password(text)),
                    None => collect(value, secrets),
                }
            }
        }
        _ => {}
    }
}

/// User name and password of an address.
fn password(text: &str) -> Option<&str> {
    text.split_once("://")?.1.rsplit_once('@').map(|(user, _)| user).filter(|user| user.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceFile, parse};

    #[test]
    fn hides_what_is_written_out_and_keeps_places() {
        let text = "a: { auth: { token: pit-1 } }\nb: { header: { name: X, value: 'k v' } }\nstore: postgres://me:pw@host/db\n";
        let node = parse(&SourceFile::new("hob.yaml", text)).node.unwrap();
        let wanted = "a: { auth: { token: ***** } }\nb: { header: { name: X, value: '***' } }\nstore: postgres://*****@host/db\n";
        assert_eq!(conceal(text, &node), wanted);
    }
}
