//! Parses a template into a syntax tree, with limits on its size.

use std::ops::Range;

use minijinja::machinery::ast::{EmitExpr, Expr, Spanned, Stmt};
use minijinja::machinery::{Span, Token, parse, tokenize};
use minijinja::syntax::SyntaxConfig;

/// Maximum number of names, operators and brackets in an expression, because nesting consumes stack.
const MAX_EXPRESSION: usize = 300;
/// Maximum number of `{% elif … %}` in a template: each is nested in the previous one.
const MAX_ELIFS: usize = 60;
/// A prefix operator nests by itself; other constructs need several tokens per level.
const PREFIX: usize = 4;

/// A template that does not parse, or uses an unavailable construct.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// The message, lower-case, without a final period.
    pub message: String,
    /// The place, in bytes of the template's text.
    pub range: Range<usize>,
    /// The remedy.
    pub help: Option<String>,
    /// A range of the text, and what is exactly the same in the language of recipes.
    pub mended: Option<(Range<usize>, String)>,
}

/// The statements of a template.
pub(super) fn statements(text: &str) -> Result<Stmt<'_>, SyntaxError> {
    let config = config();
    check_size(text, &config)?;
    parse(text, "", config).map_err(|error| from_engine(text, &error))
}

/// The expression of a template that consists of a single one and white space.
pub(super) fn only_expression<'t, 'a>(template: &'t Stmt<'a>) -> Option<&'t Spanned<EmitExpr<'a>>> {
    let Stmt::Template(template) = template else { return None };
    let blank = |stmt: &&Stmt<'a>| matches!(stmt, Stmt::EmitRaw(raw) if raw.raw.trim().is_empty());
    let mut rest = template.children.iter().filter(|stmt| !blank(stmt));
    match (rest.next(), rest.next()) {
        (Some(Stmt::EmitExpr(only)), None) => Some(only),
        _ => None,
    }
}

/// The range of `span` in bytes.
pub(super) fn bytes(span: Span) -> Range<usize> {
    span.start_offset as usize..span.end_offset as usize
}

/// The range of an expression: the engine's spans of `a.b` and `a | f` begin at the last part.
pub(super) fn extent(expr: &Expr<'_>) -> Range<usize> {
    let own = bytes(expr.span());
    let first = match expr {
        Expr::GetAttr(get) => &get.expr,
        Expr::GetItem(get) => &get.expr,
        Expr::Slice(slice) => &slice.expr,
        Expr::Call(call) => &call.expr,
        Expr::Test(test) => &test.expr,
        Expr::BinOp(op) => &op.left,
        Expr::Compare(compare) => &compare.expr,
        Expr::Filter(filter) => match &filter.expr {
            Some(first) => first,
            None => return own,
        },
        _ => return own,
    };
    let first = extent(first);
    own.start.min(first.start)..own.end.max(first.end)
}

fn config() -> SyntaxConfig {
    let mut config = SyntaxConfig::builder();
    config.keep_trailing_newline(true);
    config.build().unwrap_or_default()
}

fn check_size(text: &str, config: &SyntaxConfig) -> Result<(), SyntaxError> {
    let (mut parts, mut elifs) = (0, 0);
    let mut start = 0;
    for token in tokenize(text, false, config.clone()) {
        let Ok((token, span)) = token else { return Ok(()) };
        match token {
            Token::VariableStart | Token::BlockStart => {
                start = span.start_offset as usize;
                parts = 0;
            }
            Token::Comma | Token::Str(_) | Token::String(_) | Token::Int(_) | Token::Float(_) => {}
            Token::TemplateData(_) => {}
            Token::Ident("elif") => elifs += 1,
            Token::Ident("not") | Token::Minus => parts += PREFIX,
            _ => parts += 1,
        }
        let message = if parts > MAX_EXPRESSION {
            format!("the expression has more than {MAX_EXPRESSION} parts")
        } else if elifs > MAX_ELIFS {
            format!("the template has more than {MAX_ELIFS} `elif`")
        } else {
            continue;
        };
        let help = Some("split it into several `vars`".to_owned());
        return Err(SyntaxError { message, range: start..span.end_offset as usize, help, mended: None });
    }
    Ok(())
}

fn from_engine(text: &str, error: &minijinja::Error) -> SyntaxError {
    let message = error.detail().unwrap_or("the template does not parse").to_owned();
    let range = clamp(text, error.range().unwrap_or(0..text.len()));
    let help = if message.contains("end of input") && message.contains("variable block") {
        Some("close the expression with `}}`".to_owned())
    } else if message.contains("unexpected `=`") {
        Some("compare with `==`".to_owned())
    } else if message.contains("unexpected `&`") || message.contains("unexpected `|`") {
        Some("write `and` and `or`; `|` applies a filter".to_owned())
    } else {
        None
    };
    SyntaxError { message, range, help, mended: None }
}

/// `range` clamped to the text and to character boundaries.
pub(super) fn clamp(text: &str, range: Range<usize>) -> Range<usize> {
    let boundary = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = boundary(range.start);
    start..boundary(range.end).max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> SyntaxError {
        statements(text).expect_err(text)
    }

    #[test]
    fn complaints_have_a_place_and_advice() {
        let unclosed = error("Hello {{ event.name");
        assert_eq!(unclosed.help.as_deref(), Some("close the expression with `}}`"), "{unclosed:?}");
        let bad = error("{{ event. }} x");
        assert_eq!(&"{{ event. }} x"[bad.range.clone()], "}}", "{bad:?}");
    }

    #[test]
    fn very_long_expressions_and_templates_are_refused_before_they_cost_stack() {
        for text in [
            format!("{{{{ a{} }}}}", ".b".repeat(100_000)),
            format!("{{{{ a{} }}}}", " + a".repeat(100_000)),
            format!("{{{{ a{} }}}}", "|f".repeat(100_000)),
            format!("{{{{ {} a }}}}", "not ".repeat(100_000)),
            format!("{{{{ {} a }}}}", "-".repeat(100_000)),
            format!("{{{{ {} a }}}}", "[".repeat(100_000)),
            format!("{{% if a %}}{}{{% endif %}}", "{% elif a %}x".repeat(100_000)),
        ] {
            assert!(error(&text).message.contains("more than"), "{}", &text[..30]);
        }
    }
}
