//! Writes a tree as YAML.

use std::fmt::Write;

use super::scalar::resolve;
use super::{Data, Node};

/// Lists of at most this many plain scalars stand in one line.
const SHORT_LIST: usize = 8;

/// `node` as the YAML text of a file; reading it gives an equal tree.
pub fn to_yaml(node: &Node) -> String {
    let mut text = String::new();
    match &node.value {
        Data::Map(entries) if !entries.is_empty() => write_block(node, 0, &mut text),
        Data::List(items) if !items.is_empty() => write_block(node, 0, &mut text),
        _ => {
            text.push_str(&in_line(node));
            text.push('\n');
        }
    }
    text
}

fn write_block(node: &Node, indent: usize, text: &mut String) {
    let spaces = " ".repeat(indent);
    match &node.value {
        Data::Map(entries) => {
            for (at, (key, value)) in entries.iter().enumerate() {
                // The first key of a list's item stands behind its dash.
                let before = if at == 0 && text.ends_with("- ") { "" } else { &spaces };
                let _ = write!(text, "{before}{}:", scalar(&Data::Text(key.value.clone())));
                write_value(value, indent + 2, text);
            }
        }
        Data::List(items) => {
            for item in items {
                let _ = write!(text, "{spaces}- ");
                match is_block(item) {
                    true => write_block(item, indent + 2, text),
                    false => text.push_str(&(in_line(item) + "\n")),
                }
            }
        }
        _ => {}
    }
}

fn write_value(value: &Node, indent: usize, text: &mut String) {
    if is_block(value) {
        text.push('\n');
        write_block(value, indent, text);
    } else {
        let _ = writeln!(text, " {}", in_line(value));
    }
}

/// Whether it takes lines of its own. A list within a list stands in one line.
fn is_block(node: &Node) -> bool {
    let is_plain = |item: &Node| !matches!(item.value, Data::Map(_) | Data::List(_));
    match &node.value {
        Data::Map(entries) => !entries.is_empty(),
        Data::List(items) => {
            let is_short =
                items.len() <= SHORT_LIST && items.iter().all(|item| scalar(&item.value).len() < 30);
            let has_lists = items.iter().any(|item| matches!(item.value, Data::List(_)));
            let is_line = items.is_empty() || has_lists || is_short && items.iter().all(is_plain);
            !is_line
        }
        _ => false,
    }
}

fn in_line(node: &Node) -> String {
    match &node.value {
        Data::List(items) => {
            format!("[{}]", items.iter().map(in_line).collect::<Vec<_>>().join(", "))
        }
        Data::Map(entries) => {
            let entry = |(key, value): &(super::Spanned<String>, Node)| {
                format!("{}: {}", scalar(&Data::Text(key.value.clone())), in_line(value))
            };
            match entries.as_slice() {
                [] => "{}".to_owned(),
                entries => format!("{{ {} }}", entries.iter().map(entry).collect::<Vec<_>>().join(", ")),
            }
        }
        value => scalar(value),
    }
}

fn scalar(data: &Data) -> String {
    match data {
        Data::Text(text) if is_plain(text) => text.clone(),
        // JSON's strings are YAML's double-quoted ones.
        other => other.to_value().to_string(),
    }
}

/// Whether the text may stand without quotes, in a line too.
fn is_plain(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric() || "-_./$".contains(c);
    let sound = text.starts_with(|c: char| c.is_ascii_alphanumeric() || "/$".contains(c))
        && text.ends_with(|c: char| {
            c.is_ascii_alphabetic() || c == '$' || text.starts_with(|c: char| c.is_ascii_alphabetic())
        })
        && text.split(' ').all(|word| !word.is_empty() && word.chars().all(letter));
    sound && resolve(text) == Data::Text(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceFile, parse};

    #[test]
    fn what_is_written_is_read_as_it_was() {
        for text in [
            "a: 1\nb: [x, y, 'no', 'null', '1', \"{{ a | b('c') }}\"]\nc: { d: {}, e: [], f: ~, g: 'a: b', h: \"x\\ny\" }\n",
            "- a: 1\n  b:\n  - c: 2\n    d: [[1, 2], [3]]\n- 'yes'\n- \"say \\\"hi\\\" \\\\ é 😀\"\n- - { x: 1 }\n",
            "'{{ odd }}': 'true'\n'': ' padded '\n",
            "plain text\n",
        ] {
            let read = |text: &str| parse(&SourceFile::new("a.yaml", text)).node.expect("a tree");
            let written = to_yaml(&read(text));
            assert_eq!(read(&written), read(text), "{written}");
        }
    }
}
