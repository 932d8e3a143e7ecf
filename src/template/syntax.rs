//! Template text → syntax tree, with limits on its size, and the complaint when it is none.

use std::ops::Range;

use minijinja::machinery::ast::{EmitExpr, Expr, Spanned, Stmt};
use minijinja::machinery::{Span, Token, parse, tokenize};
use minijinja::syntax::SyntaxConfig;

/// Names, operators and brackets in one expression. Their nesting costs stack, so it needs a bound.
const LONGEST_EXPRESSION: usize = 300;
/// `{% elif … %}` in one template: each nests in the one before.
const MOST_ELIFS: usize = 60;
/// A prefix nests at once, where other parts need two or more for a level.
const PREFIX: usize = 4;

/// A template that does not parse, or that uses something recipes do without.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// What is wrong, lower-case, without a final period.
    pub message: String,
    /// Where, in bytes of the template's text.
    pub range: Range<usize>,
    /// What to do.
    pub help: Option<String>,
}

/// The statements of a template.
pub(super) fn statements(text: &str) -> Result<Stmt<'_>, SyntaxError> {
    let config = config();
    check_size(text, &config)?;
    parse(text, "", config).map_err(|error| from_engine(text, &error))
}

/// The one expression of a template that is nothing else, whatever white space stands around it.
pub(super) fn only_expression<'t, 'a>(template: &'t Stmt<'a>) -> Option<&'t Spanned<EmitExpr<'a>>> {
    let Stmt::Template(template) = template else { return None };
    let blank = |stmt: &&Stmt<'a>| matches!(stmt, Stmt::EmitRaw(raw) if raw.raw.trim().is_empty());
    let mut rest = template.children.iter().filter(|stmt| !blank(stmt));
    match (rest.next(), rest.next()) {
        (Some(Stmt::EmitExpr(only)), None) => Some(only),
        _ => None,
    }
}

/// Bytes of the template's text that `span` covers.
pub(super) fn bytes(span: Span) -> Range<usize> {
    span.start_offset as usize..span.end_offset as usize
}

/// The whole of an expression: the engine's own spans of `a.b` and `a | f` begin at the last part.
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
        let message = if parts > LONGEST_EXPRESSION {
            format!("the expression has more than {LONGEST_EXPRESSION} parts")
        } else if elifs > MOST_ELIFS {
            format!("the template has more than {MOST_ELIFS} `elif`")
        } else {
            continue;
        };
        let help = Some("split it into several `vars`".to_owned());
        return Err(SyntaxError { message, range: start..span.end_offset as usize, help });
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
    SyntaxError { message, range, help }
}

/// `range` within the text and on character boundaries.
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
