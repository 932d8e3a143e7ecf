//! The pages of diagnostics and exit codes.

use std::fmt::Write;

use super::page::Page;
use super::sources::Example;
use crate::check::rules;
use crate::diagnostic::{Code, Severity};

/// The page of diagnostics: each with a recipe that causes it, and the rules.
pub(super) fn page(examples: &[Example]) -> Page {
    let mut text = String::from(
        "# Complaints\n\nWhat `hob validate` and `hob run` may complain about, by the code in brackets. An error \
         keeps a recipe from running, a warning does not.\n",
    );
    for code in Code::ALL {
        let severity = match code.severity() {
            Severity::Error => "Error",
            Severity::Warning => "Warning",
        };
        let _ = write!(text, "\n## {}\n\n{severity}. {}\n", code.name(), code.summary());
        if let Some(example) = examples.iter().find(|example| example.code == *code) {
            let [broken, output, mended] =
                [&example.text, &example.output, &example.mended].map(|text| text.trim_end());
            let _ = write!(
                text,
                "\n```yaml\n{broken}\n```\n\n```text\n{output}\n```\n\nMended:\n\n```yaml\n{mended}\n```\n"
            );
        }
    }
    text.push_str(FIXES);
    text.push_str("\n## What is checked\n\n");
    rules::ALL.iter().for_each(|rule| text.push_str(&format!("- {}\n", rule.summary())));
    Page::new("codes.md", &text)
        .listed("Complaints", "every code, with a recipe that causes it and the same mended.")
}

/// What `--fix` does.
const FIXES: &str = "
## What is mended

`hob validate --fix` mends in the files what can only have been meant one way, and shows what is left; `--diff` shows what it \
would change, and changes nothing. Comments and layout stay as they are, and a recipe that works is never changed: only \
errors are mended, and a recipe with an error does nothing. These are mended:

- a misspelt name (of an operation, a parameter, a field, a step, a variable, a filter, a word that a field takes), if one \
known name is one or two letters away from it or differs only in `-`, `_`, `.`, the order of words or capital letters, and \
every other name is further away;
- `first` where `vars.first` or `steps.first` is meant;
- a template without quotes, a condition or `for_each` without braces or with text beside them, `yes` and `no`;
- a sign of another language that means exactly the same here: `&&`, `||`, `!`, `===`, `a ? b : c`, `null`, \
`.toLowerCase()`, `| upcase`, `${{ … }}`;
- a parameter by its name in another version of the API;
- quotes around a number, `true` or `false` where text is not taken, and numbers without them where text is.

What is only probably meant is offered by editors, and is in the output of `--format json` and `--format sarif` as \
`suggested`.
";

/// What the page says of a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// A recipe, or another file, that causes it.
    pub recipe: String,
    /// What hob says about it.
    pub output: String,
    /// The file without the mistake.
    pub mended: String,
}

/// The explanation of `code` in `page`, the text of the page of diagnostics.
pub fn explanation(page: &str, code: Code) -> Option<Explanation> {
    let (_, rest) = page.split_once(&format!("\n## {}\n", code.name()))?;
    let section = rest.split_once("\n## ").map_or(rest, |(section, _)| section);
    let (broken, mended) = section.split_once("\nMended:\n")?;
    let block = |text: &str, language: &str| {
        let (_, rest) = text.split_once(&format!("\n```{language}\n"))?;
        Some(rest.split_once("\n```\n")?.0.to_owned())
    };
    Some(Explanation {
        recipe: block(broken, "yaml")?,
        output: block(broken, "text")?,
        mended: block(mended, "yaml")?,
    })
}

/// The page of exit codes.
pub(super) fn exit_codes(codes: &[(u8, &str)]) -> Page {
    let mut text =
        String::from("# Exit codes\n\nThe same for every command.\n\n| Code | Meaning |\n| ---: | --- |\n");
    for (number, meaning) in codes {
        let _ = writeln!(text, "| {number} | {meaning} |");
    }
    Page::new("exit-codes.md", &text).listed("Exit codes", "what a command tells its caller.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_page_says_is_found_again() {
        let example = |code: Code, text: &str| Example {
            code,
            text: format!("nmae: {text}\n"),
            output: format!("error: {text}\n"),
            mended: format!("name: {text}\n"),
        };
        let text = page(&[example(Code::Syntax, "b"), example(Code::UnknownField, "c")]).text;
        let found = explanation(&text, Code::UnknownField).unwrap();
        let wanted =
            Explanation { recipe: "nmae: c".into(), output: "error: c".into(), mended: "name: c".into() };
        assert_eq!(found, wanted);
        assert_eq!(explanation(&text, Code::Deprecated), None);
    }
}
