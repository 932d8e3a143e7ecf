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
        if let Some(Example { recipe, output }) = shortest(*code, examples) {
            let _ = write!(
                text,
                "\n```yaml\n{}\n```\n\n```text\n{}\n```\n",
                recipe.trim_end(),
                output.trim_end()
            );
        }
    }
    text.push_str("\n## What is checked\n\n");
    rules::ALL.iter().for_each(|rule| text.push_str(&format!("- {}\n", rule.summary())));
    Page::new("codes.md", &text).listed("Complaints", "every code, with a recipe that causes it.")
}

/// What the page says of a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// A recipe that causes it.
    pub recipe: String,
    /// What hob says about it.
    pub output: String,
}

/// The explanation of `code` in `page`, the text of the page of diagnostics.
pub fn explanation(page: &str, code: Code) -> Option<Explanation> {
    let (_, rest) = page.split_once(&format!("\n## {}\n", code.name()))?;
    let section = rest.split_once("\n## ").map_or(rest, |(section, _)| section);
    let block = |language: &str| {
        let (_, rest) = section.split_once(&format!("\n```{language}\n"))?;
        Some(rest.split_once("\n```\n")?.0.to_owned())
    };
    Some(Explanation { recipe: block("yaml")?, output: block("text")? })
}

/// The example of a code with the shortest output.
fn shortest(code: Code, examples: &[Example]) -> Option<&Example> {
    let mark = format!("[{}]", code.name());
    let causing = examples.iter().filter(|example| example.output.contains(&mark));
    causing.min_by_key(|example| (example.output.len(), example.recipe.len()))
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
        let example = |output: &str| Example { recipe: "name: a".into(), output: output.into() };
        let text = page(&[example("error[syntax]: b"), example("error[unknown-field]: c")]).text;
        let found = explanation(&text, Code::UnknownField).unwrap();
        assert_eq!(found, Explanation { recipe: "name: a".into(), output: "error[unknown-field]: c".into() });
        assert_eq!(explanation(&text, Code::Deprecated), None);
    }

    #[test]
    fn the_example_with_the_least_noise_is_shown() {
        let example = |output: &str| Example { recipe: String::new(), output: output.into() };
        let examples = [example("error[syntax]: a long story"), example("error[syntax]: b"), example("x")];
        assert_eq!(shortest(Code::Syntax, &examples).unwrap().output, "error[syntax]: b");
        assert_eq!(shortest(Code::Deprecated, &examples), None);
    }
}
