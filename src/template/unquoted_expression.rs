//! Texts intended as an expression.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::foreign::{Rewritten, rewrite};
use super::name_use::Use;
use super::parse::{Template, parses};

fn regex(text: &str) -> Regex {
    Regex::new(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// An expression in braces, with prefixes of other tools and quotes around it.
static BRACES: LazyLock<Regex> = LazyLock::new(|| regex(r#"['"‘“]?[$=]?\{\{-?\s*(.*?)\s*-?\}\}['"’”]?"#));
static SPACES: LazyLock<Regex> = LazyLock::new(|| regex(" {2,}"));
/// A block that results in one text or another.
static BLOCK: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"(?s)^\{%-?\s*if\s+(.+?)\s*-?%\}(.*?)(?:\{%-?\s*else\s*-?%\}(.*?))?\{%-?\s*endif\s*-?%\}$")
});
/// Words after a comparison without quotes.
static UNQUOTED: LazyLock<Regex> = LazyLock::new(|| regex(r#"^(.+?)\s*([!=]=)\s*([^'"{}=]+)$"#));

/// The template that a text was meant as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intended {
    /// The template.
    pub template: String,
    /// Whether the text can mean nothing else: no word of it had to be taken for a text.
    pub is_exact: bool,
}

/// The template intended by `text` in a condition, if obvious. `roots` are the names that an expression can begin
/// with; other words are texts.
pub fn as_expression(text: &str, roots: &[&str]) -> Option<Intended> {
    let text = text.trim();
    let candidate = match text.contains("{%") {
        true => block(text)?,
        false => join(text),
    };
    let Rewritten { text: candidate, is_exact, .. } = rewrite(&candidate);
    let unquoted = || UNQUOTED.replace(&candidate, "$1 $2 '$3'").trim().to_owned();
    let is_expression = parses(&braced(&candidate));
    let expression = if is_expression { candidate.clone() } else { unquoted() };
    let mut is_exact = is_exact && is_expression;
    let template = Template::parse(&braced(&expression)).ok().filter(Template::is_whole)?;
    let known = |name: &str| roots.contains(&name);
    let mut names_something = false;
    let mut quoted = template.text().to_owned();
    for used in template.uses().iter().rev() {
        match used {
            Use::Path { root, .. } if known(root) => names_something = true,
            Use::Path { root, steps, range, .. } if steps.is_empty() => {
                quoted.replace_range(range.clone(), &format!("'{root}'"));
                is_exact = false;
            }
            Use::Filter { name, .. } if super::filters().iter().any(|spec| spec.name == name) => {}
            Use::Function { name, .. } if super::functions().iter().any(|spec| spec.name == name) => {}
            Use::Test { name, .. } if super::tests().iter().any(|spec| spec.name == name) => {}
            _ => return None,
        }
    }
    (names_something && parses(&quoted)).then_some(Intended { template: quoted, is_exact })
}

fn braced(expression: &str) -> String {
    format!("{{{{ {expression} }}}}")
}

/// The text without its braces.
fn join(text: &str) -> String {
    let alone = BRACES.find(text).is_some_and(|found| found.range() == (0..text.len()));
    let inside = |found: &Captures<'_>| {
        let inner = &found[1];
        let compound = [" or ", " and ", " if ", "==", "!=", "<", ">"].iter().any(|op| inner.contains(op));
        if compound && !alone { format!(" ({inner}) ") } else { format!(" {inner} ") }
    };
    SPACES.replace_all(BRACES.replace_all(text, inside).trim(), " ").into_owned()
}

/// The condition of `{% if a %}true{% else %}false{% endif %}`.
fn block(text: &str) -> Option<String> {
    let found = BLOCK.captures(text)?;
    let holds = |at: usize| {
        let part = found.get(at).map_or("", |part| part.as_str()).trim().to_owned();
        (!part.contains("{{") && !part.contains("{%")).then(|| super::truthy(&part.into()))
    };
    match (holds(2)?, holds(3)?) {
        (true, false) => Some(found[1].to_owned()),
        (false, true) => Some(format!("not ({})", &found[1])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intended_expressions_are_recognised() {
        let intended = |text: &str| as_expression(text, &["event", "steps"]);
        for (text, meant) in [
            ("event.member", "event.member"),
            ("{{ event.status }} == 'client'", "event.status == 'client'"),
            ("{{ event.status }} == client", "event.status == 'client'"),
            ("{{event.status}}==new lead", "event.status == 'new lead'"),
            ("'{{ event.status }}' == 'client'", "event.status == 'client'"),
            ("'{{ event.paid }}'", "event.paid"),
            ("not {{event.x}}", "not event.x"),
            ("!{{event.x}}", "not event.x"),
            ("{{event.a}} and {{event.b}}", "event.a and event.b"),
            ("{{ event.a or event.b }} && {{event.c}}", "(event.a or event.b) and event.c"),
            ("{{ event.amount }} > 5", "event.amount > 5"),
            ("event.status === \"client\"", "event.status == \"client\""),
            ("event.status == client", "event.status == 'client'"),
            ("${{ event.paid }}", "event.paid"),
            ("={{ $json.paid }}", "event.paid"),
            ("$json.paid", "event.paid"),
            ("{% if event.a %}true{% else %}false{% endif %}", "event.a"),
            ("{% if event.a == 'x' %}{% else %}yes{% endif %}", "not (event.a == 'x')"),
        ] {
            let wanted = format!("{{{{ {meant} }}}}");
            assert_eq!(intended(text).map(|meant| meant.template), Some(wanted), "{text}");
        }
        let is_exact = |text| intended(text).is_some_and(|meant| meant.is_exact);
        assert!(is_exact("{{ event.status }} == 'client' && !event.b"));
        for guessed in ["event.status == client", "{{event.status}}==new lead", "$json.paid"] {
            assert!(!is_exact(guessed), "{guessed}");
        }
    }

    #[test]
    fn texts_without_an_expression_are_not_rewritten() {
        for text in [
            "",
            "yes",
            "{{ event.a }}{{ event.b }}",
            "only members",
            "{{ event.a }}!",
            "contact.x",
            "a.b == 1",
        ] {
            assert_eq!(as_expression(text, &["event"]), None, "{text}");
        }
    }
}
