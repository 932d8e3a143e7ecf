//! The literal parts of a template.

use std::ops::Range;

use minijinja::machinery::{Token, tokenize};

use super::parse::Template;
use super::syntax::{bytes, clamp};

impl Template {
    /// The literal parts, in bytes of the text. `{% raw %}` is excluded: it is intended to be sent literally.
    pub fn literal_parts(&self) -> Vec<Range<usize>> {
        let text = self.text();
        if self.is_literal() {
            return std::iter::once(0..text.len()).collect();
        }
        let mut parts = Vec::new();
        for token in tokenize(text, false, Default::default()) {
            let Ok((token, span)) = token else { break };
            if let Token::TemplateData(_) = token {
                parts.push(clamp(text, bytes(span)));
            }
        }
        parts.retain(|part| !follows_raw(&text[..part.start]));
        parts
    }
}

fn follows_raw(before: &str) -> bool {
    let tag = before.trim_end().strip_suffix("%}").map(|tag| tag.trim_end_matches(['-', '+']).trim_end());
    let start = tag.and_then(|tag| tag.strip_suffix("raw")).map(str::trim_end);
    start.is_some_and(|start| start.trim_end_matches(['-', '+']).ends_with("{%"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_text_is_outside_of_braces() {
        let parts = |text: &str| -> Vec<String> {
            let template = Template::parse(text).unwrap();
            template.literal_parts().into_iter().map(|part| text[part].to_owned()).collect()
        };
        assert_eq!(parts("plain"), ["plain"]);
        assert_eq!(parts("a {{ b }} c{# d #}e{% if f %}g{% endif %}"), ["a ", " c", "e", "g"]);
        assert_eq!(parts("{% raw %}{{ a }}{% endraw %}b"), ["b"]);
        assert_eq!(parts("{%- raw -%} $a {%- endraw -%}"), Vec::<String>::new());
    }
}
