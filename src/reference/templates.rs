//! The page of filters, functions and tests of templates.

use std::fmt::Write;

use super::page::Page;
use crate::template::{Spec, filters, functions, tests};

/// The introduction before the lists of callables.
const LANGUAGE: &str = "# Templates

What stands between `{{` and `}}` in a recipe. What is not there is an error, never an empty text; a value that \
is exactly one `{{ … }}` keeps its type. The language is Jinja's: `{% if … %}`, `{% for note in event.notes %}` \
(with `loop.index`), `{% set … %}`, `{% with … %}` and `{% filter … %}` make text of several lines; there are \
no macros, includes or methods.

## Names

| name | what it holds | where |
|---|---|---|
| `event` | what happened: the record of a poll, the data of a webhook, what `hob trigger` was given; for a schedule the time it was due | everywhere but in a poll's `with` and in `verify` |
| `vars` | the recipe's `vars`, each with those before it | `vars` and steps |
| `steps` | results of the steps before, by `id`: what `pick` took of the answer; null after a step that `if` skipped; a list after `for_each` | steps |
| `item` | the member at hand, under the name that `as` gives it | the `if` and `with` of a step with `for_each` |
| `connection` | by connector, the connection that the run uses: `connection.highlevel.name`, and its settings such as `connection.highlevel.location` | everywhere but in `verify` |
| `links` | by name, the other end of the link that the event's record has (`links.save`): `links['fitr-client']` | `when`, `vars` and steps |
| `run` | `run.id`, `run.recipe`, `run.created`, and of the event `run.event.id`, `kind`, `record`, `received`, `source`, `connection`; `run.more` and `run.found` are lists of steps: those that read only part of a list, and those whose answers were lost, so that their results are what was found later | everywhere but in a poll's `with` and in `verify` |
| `env` | variables of the environment that `env:` in hob.yaml lists | everywhere |
| `error` | what failed: `error.message`, `error.help`, `error.step`, `error.status` (HTTP), `error.item` | `on_failure` |
| `omit` | leaves an input out, see below | inputs |
| `now()` | the time of this attempt, see [now](#now) | everywhere |

## Null, and what is left out

Null stays null: `{{ none }}` as a whole value is null, and so is `{{ event.phone | default(none) }}` without a \
phone. Only within other text, and beside `~`, it is nothing: `\"Hi {{ none }}\"` is `Hi `. Filters that need text, a \
number or a list refuse it and say so; `for_each` and `{% for %}` take it for an empty list.

In the body of a request null is sent as null, which for most APIs empties the field; in an address, a header or \
a form, which have no null, it is left out. `omit` leaves an input out altogether, so that the record keeps what \
it has:

```text
phone: \"{{ event.phone | default(omit) }}\"
city: \"{{ event.city if event.country == 'GB' else omit }}\"
name: \"{{ [event.first, event.last] | join_present | default(omit) }}\"
```

It works for inputs under `with`, for fields and members within them (`tags: [new, \"{{ event.tag | default(omit) }}\"]`), \
and for fields and members of mappings and lists within an expression. `default(omit, true)` leaves out what is empty, too. \
Inside text, in a condition and as a variable it is an error, and so is leaving out what an operation needs.

## What changed

In recipes that a poll or the events of a connector start, `event.changed` lists the names of the record's fields that differ from what hob last saw of it, with dots below mappings (`address.city`), and `event.before` is the record as it was then. hob has seen a record before if the recipe had an event about it on the same connection that is still in the history. At the first sight `event.before` is null and `event.changed` has all fields, so that no change is missed: a step that must know what was there before asks `if: \"{{ event.before }}\"` first.

```text
if: \"{{ 'email' in event.changed }}\"
body: \"Was {{ event.before.status | default('unknown') }}, is {{ event.status }}\"
```

Fields that only say which record it is, or change with every write (`id`, the time of the last change), are not in the list. Of a webhook that shows a part of the record, only that part is compared. A record that has a field `changed` or `before` of its own keeps it. Both are known once the run begins, in `when`, `vars` and steps, not in `lane`, and stay as they were then.

## Order

`<`, `<=`, `>`, `>=`, `min`, `max`, `sort`, `dictsort`, `groupby` and the tests `lt`, `le`, `gt`, `ge` know an order \
among numbers, among texts and among times. A text that is a number as JSON writes one (`'50'`, `' 1e3 '`) counts as \
that number, to the last digit; two texts that are both ISO 8601 times are compared as times. Anything else has no \
order and is an error: null, true and false, a list, a text that is no number beside a number, and a date or time \
without a zone beside a time with one.

`==`, `!=` and `in` compare anything. A number equals the text that is that number; two texts are the same only letter \
by letter, so that `'007'` is not `'7'`.

## Times

Times are texts. Filters on times read ISO 8601 with or without separators, seconds and fractions, week dates and \
ordinal dates, dates of e-mails, and seconds or milliseconds since 1970. A time that names no zone is UTC unless \
`from` says otherwise. A date without a time has no zone: formatting it never moves it to another day.
";

/// The page.
pub(super) fn page() -> Page {
    let mut text = String::from(LANGUAGE);
    let sections = [
        (
            "Filters",
            "After `|`. Arguments are given by place or by the name that is written here.",
            filters(),
        ),
        ("Functions", "Called by name.", functions()),
        ("Tests", "After `is`, and by name in `select`, `reject`, `selectattr` and `rejectattr`.", tests()),
    ];
    for (title, about, specs) in sections {
        let _ = write!(text, "\n## {title}\n\n{about}\n");
        specs.iter().for_each(|spec| section(spec, &mut text));
    }
    Page::new("templates.md", &text).listed("Templates", "names, null, order, filters, functions and tests.")
}

fn section(spec: &Spec, text: &mut String) {
    let Spec { name, signature, summary, example, result, .. } = spec;
    let _ =
        write!(text, "\n### {name}\n\n`{signature}`\n\n{summary}\n\n```text\n{example}\n→ {result}\n```\n");
}
