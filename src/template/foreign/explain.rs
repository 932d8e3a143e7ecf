//! Explains templates that do not parse because they are written for another tool.

use std::ops::Range;

use super::{Rewritten, rewrite};
use crate::template::parse::parses;
use crate::template::syntax::{SyntaxError, clamp};

/// Tags of Liquid and Handlebars with their equivalents.
const TAGS: &[(&str, &str)] = &[
    ("assign", "write `{% set name = … %}`"),
    ("capture", "write `{% set name %}…{% endset %}`"),
    ("unless", "write `{% if not … %}…{% endif %}`"),
    ("elsif", "write `{% elif … %}`"),
    ("elseif", "write `{% elif … %}`"),
    ("case", "write `{% if … %}…{% elif … %}…{% endif %}`"),
    ("when", "write `{% elif … == … %}`"),
    ("comment", "write `{# … #}`"),
    ("foreach", "write `{% for item in … %}…{% endfor %}`"),
    ("each", "write `{% for item in … %}…{% endfor %}`"),
    ("end", "write `{% endif %}` or `{% endfor %}`"),
];

/// The error of parsing `text`, explained to users of other tools.
pub(in crate::template) fn explain(text: &str, error: SyntaxError) -> SyntaxError {
    if let Some(better) = braces(text).or_else(|| expression(text)) {
        return better;
    }
    let tag = error.message.strip_prefix("unknown statement ");
    match tag.and_then(|tag| TAGS.iter().find(|(known, _)| *known == tag.trim_matches('`'))) {
        Some((tag, help)) => SyntaxError {
            message: format!("recipes have no `{{% {tag} %}}`"),
            help: Some((*help).to_owned()),
            ..error
        },
        None => error,
    }
}

/// Braces with a meaning in other tools: `{{{ x }}}`, `{{#if x}}`, `{{> part}}`.
fn braces(text: &str) -> Option<SyntaxError> {
    if let Some(at) = text.find("{{{")
        && text.contains("}}}")
    {
        let mended = text.replace("{{{", "{{").replace("}}}", "}}");
        let help = match parses(&mended) {
            true => format!("write `{}`", mended.trim()),
            false => "write `{{ … }}`".to_owned(),
        };
        let message = "an expression stands in two braces, not in three".to_owned();
        let mended = parses(&mended).then_some((0..text.len(), mended));
        return Some(SyntaxError { message, range: at..at + 3, help: Some(help), mended });
    }
    if let Some((range, word)) =
        segments(text).find_map(|range| Some((range.clone(), go_word(&text[range])?)))
    {
        let help = "write `{% if … %}…{% else %}…{% endif %}` and `{% for item in … %}…{% endfor %}`";
        return Some(SyntaxError {
            message: format!("`{word}` stands in `{{% … %}}`, not in `{{{{ … }}}}`"),
            range,
            help: Some(help.to_owned()),
            mended: None,
        });
    }
    let (range, sign) = segments(text).find_map(|range| {
        let sign = text[range.clone()].trim_start().chars().next()?;
        Some((range, sign)).filter(|(_, sign)| "#/^>&~".contains(*sign))
    })?;
    let help = match sign {
        '#' | '/' | '^' => "write `{% if … %}…{% endif %}` and `{% for item in … %}…{% endfor %}`",
        _ => "write `{{ … }}`; what is needed twice goes into `vars`",
    };
    let message = format!("`{{{{{sign}` is the mark of another template language");
    Some(SyntaxError {
        message,
        range: clamp(text, range.start - 2..range.end + 2),
        help: Some(help.to_owned()),
        mended: None,
    })
}

/// The statement that an expression begins with, as in Go's templates.
fn go_word(inner: &str) -> Option<&str> {
    let inner = inner.trim_matches('-').trim();
    let word = inner.split_whitespace().next()?;
    let is_statement = match word {
        "if" | "range" | "with" | "each" | "unless" | "for" | "elif" | "elsif" => word.len() < inner.len(),
        "else" | "end" | "endif" | "endfor" => true,
        _ => false,
    };
    is_statement.then_some(word)
}

/// The first expression that does not parse because it is written for another tool.
fn expression(text: &str) -> Option<SyntaxError> {
    let (range, inner) = segments(text).find_map(|range| {
        let inner = text.get(range.clone())?;
        (!parses(&format!("{{{{{inner}}}}}"))).then_some((range, inner))
    })?;
    let Rewritten { text: mended, habit, is_exact } = rewrite(inner);
    let habit = habit?;
    let is_mended = parses(&format!("{{{{ {mended} }}}}")) && mended != inner.trim();
    let help = match is_mended {
        true => format!("write `{{{{ {mended} }}}}`"),
        false => habit.help.to_owned(),
    };
    let is_closed = text[range.end..].starts_with("}}");
    let mended = (is_mended && is_exact && is_closed).then(|| (range.clone(), format!(" {mended} ")));
    let place = range.start + habit.range.start..range.start + habit.range.end;
    let range = clamp(text, if habit.range.is_empty() { range } else { place });
    Some(SyntaxError { message: habit.message, range, help: Some(help), mended })
}

/// The texts between `{{` and the next `}}`, or the end.
fn segments(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + text.get(from..)?.find("{{")? + 2;
        let end = text[start..].find("}}").map_or(text.len(), |at| start + at);
        from = (end + 2).min(text.len());
        Some(start..end)
    })
}
