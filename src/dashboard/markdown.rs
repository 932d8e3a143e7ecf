//! The Markdown that hob's reference consists of, as blocks that a template can show: headings, paragraphs, nested lists
//! and code. Not for any other Markdown.

use serde::Serialize;

/// A block.
#[derive(Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Block {
    /// A heading, by its level.
    Heading { level: usize, text: Vec<Inline> },
    /// A paragraph.
    Paragraph { text: Vec<Inline> },
    /// An item of a list, by its depth.
    Item { depth: usize, text: Vec<Inline> },
    /// Code.
    Code { text: String },
}

/// A part of a line.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Inline {
    /// `text`, `code` or `strong`.
    style: &'static str,
    text: String,
}

/// The blocks of a text.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let trimmed = line.trim_start();
        if trimmed.starts_with("```") {
            let code: Vec<&str> =
                lines.by_ref().take_while(|line| !line.trim_start().starts_with("```")).collect();
            blocks.push(Block::Code { text: code.join("\n") });
        } else if let Some(item) = trimmed.strip_prefix("- ") {
            blocks.push(Block::Item { depth: (line.len() - trimmed.len()) / 2, text: inlines(item) });
        } else if trimmed.starts_with('#') {
            let level = trimmed.bytes().take_while(|byte| *byte == b'#').count();
            blocks.push(Block::Heading { level, text: inlines(trimmed[level..].trim()) });
        } else if !trimmed.is_empty() {
            blocks.push(Block::Paragraph { text: inlines(trimmed) });
        }
    }
    blocks
}

/// The parts of a line. The address of a link is left out: it leads to a page of the reference.
fn inlines(line: &str) -> Vec<Inline> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut rest = line;
    let flush = |plain: &mut String, parts: &mut Vec<Inline>| {
        if !plain.is_empty() {
            parts.push(Inline { style: "text", text: std::mem::take(plain) });
        }
    };
    while let Some(first) = rest.chars().next() {
        let marked = [("**", "strong"), ("`", "code")].into_iter().find_map(|(mark, style)| {
            let inside = rest.strip_prefix(mark)?;
            let end = inside.find(mark)?;
            Some((style, inside[..end].to_owned(), &inside[end + mark.len()..]))
        });
        if let Some((style, text, after)) = marked {
            flush(&mut plain, &mut parts);
            parts.push(Inline { style, text });
            rest = after;
            continue;
        }
        if let Some((text, after)) = link(rest) {
            plain.push_str(&text.replace('`', ""));
            rest = after;
            continue;
        }
        plain.push(first);
        rest = &rest[first.len_utf8()..];
    }
    flush(&mut plain, &mut parts);
    parts
}

fn link(rest: &str) -> Option<(&str, &str)> {
    let (text, after) = rest.strip_prefix('[')?.split_once("](")?;
    let (_, after) = after.split_once(')')?;
    (!text.contains('[')).then_some((text, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(style: &'static str, text: &str) -> Inline {
        Inline { style, text: text.to_owned() }
    }

    #[test]
    fn what_the_reference_consists_of_is_read() {
        let text = "## a.b\n\nSee `x` and [`y`](../y.md), **z**. 2 * 3\n\n- one\n  - two\n\n```yaml\na: 1\n\n- b\n```\n";
        let expected = vec![
            Block::Heading { level: 2, text: vec![part("text", "a.b")] },
            Block::Paragraph {
                text: vec![
                    part("text", "See "),
                    part("code", "x"),
                    part("text", " and y, "),
                    part("strong", "z"),
                    part("text", ". 2 * 3"),
                ],
            },
            Block::Item { depth: 0, text: vec![part("text", "one")] },
            Block::Item { depth: 1, text: vec![part("text", "two")] },
            Block::Code { text: "a: 1\n\n- b".to_owned() },
        ];
        assert_eq!(blocks(text), expected);
        assert_eq!(inlines("a ` b ** [c"), [part("text", "a ` b ** [c")]);
    }
}
