//! The page of filters, functions and tests of templates.

use std::fmt::Write;

use super::page::Page;
use crate::template::{Spec, filters, functions, tests};

/// The page.
pub(super) fn page() -> Page {
    let mut text = String::from(
        "# Templates\n\nWhat stands between `{{` and `}}` in a recipe. What is not there is an error, never \
         an empty text; a value that is exactly one `{{ … }}` keeps its type.\n",
    );
    let sections = [
        ("Filters", "After `|`.", filters()),
        ("Functions", "Called by name.", functions()),
        ("Tests", "After `is`, and by name in `select`, `reject`, `selectattr` and `rejectattr`.", tests()),
    ];
    for (title, about, specs) in sections {
        let _ = write!(text, "\n## {title}\n\n{about}\n");
        specs.iter().for_each(|spec| section(spec, &mut text));
    }
    Page::new("templates.md", &text).listed("Templates", "filters, functions and tests.")
}

fn section(spec: &Spec, text: &mut String) {
    let Spec { name, signature, summary, example, result, .. } = spec;
    let _ =
        write!(text, "\n### {name}\n\n`{signature}`\n\n{summary}\n\n```text\n{example}\n→ {result}\n```\n");
}
