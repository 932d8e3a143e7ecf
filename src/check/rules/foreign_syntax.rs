//! Templates in the syntax of other tools, which would be sent literally.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::Rule;
use super::foreign_name::within_event;
use crate::check::Position;
use crate::check::result_shape::path_shape;
use crate::check::{Context, StepPart, TemplateSite};
use crate::diagnostic::{Code, Diagnostic, Fix};
use crate::template::{PathStep, as_expression, filters, instead_of};

/// Texts contain no templates in the syntax of other tools.
pub struct OwnSyntax;

/// Names that paths begin with, here or in other tools.
const ROOTS: &str = "event|steps|vars|env|item|run|connection|links|json|input|node|trigger";
/// Fields assumed for `{name}` or `%name%` if the event is unknown.
const USUAL: [&str; 12] = [
    "email",
    "phone",
    "name",
    "first_name",
    "last_name",
    "full_name",
    "firstName",
    "lastName",
    "fullName",
    "event",
    "contact",
    "address",
];
/// Last names of paths that are amounts: a dollar sign before one is intended.
const AMOUNTS: [&str; 14] = [
    "amount", "price", "total", "cost", "value", "fee", "sum", "balance", "paid", "revenue", "tax",
    "discount", "rate", "due",
];

/// The template syntax of another tool; the first group is the content.
struct Form {
    find: Regex,
    name: &'static str,
    /// Whether it is a template whatever the content.
    certain: bool,
}

static FORMS: LazyLock<Vec<Form>> = LazyLock::new(|| {
    let form = |find: &str, name, certain| Form {
        find: Regex::new(find).unwrap_or_else(|error| panic!("{find}: {error}")),
        name,
        certain,
    };
    vec![
        form(r"<%[=-]?\s*(.*?)\s*-?%>", "<% … %>", true),
        form(r"\$\{\s*([^{}]*?)\s*\}", "${…}", true),
        form(r"@\{\s*(\w+\([^{}]*)\}", "@{…}", true),
        form(r"[@#%]\{\s*([^{}]*?)\s*\}", "{…}", false),
        form(&format!(r"(\$(?:{ROOTS})(?:\.\w+|\[[^\]]*\])+)"), "$…", true),
        form(r"\[\[\s*([\w.]+)\s*\]\]", "[[…]]", false),
        form(r"(?:^|[^{$@#%])\{\s*([A-Za-z_][\w.]*)\s*\}(?:[^}]|$)", "{…}", false),
        form(
            &format!(
                r"(?:^|[^{{$@#%])\{{\s*((?:{ROOTS})(?:\.\w+|\[[^\]]*\])+(?:\s*[|~+=!<>][^{{}}]*?|\s+(?:or|and|if|in|not)\s[^{{}}]*?)?)\s*\}}(?:[^}}]|$)"
            ),
            "{…}",
            false,
        ),
        form(r"%([A-Za-z_][\w.]{2,})%", "%…%", false),
        form(r"<<\s*([A-Za-z_][\w.]*)\s*>>", "<<…>>", false),
    ]
});

impl Rule for OwnSyntax {
    fn summary(&self) -> &'static str {
        "Texts hold no templates in the form of another tool: `${{ … }}`, `={{ … }}`, `{event.email}`, `%email%` and the like."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        for site in &context.texts {
            let condition = matches!(
                site.position,
                Position::When | Position::Step { part: StepPart::Condition | StepPart::List, .. }
            );
            // Other rules report several templates here. A literal key is reported as weak.
            let key = matches!(site.position, Position::Verify) && site.template.is_literal();
            if condition || key {
                continue;
            }
            found.extend(before_braces(site));
            found.extend(curly_quotes(site, context.recipe.file.text()));
            let bare = bare_path(site).or_else(|| formula(context, site));
            let is_bare = bare.is_some();
            found.extend(bare);
            for part in site.template.literal_parts() {
                forms(context, site, part.clone(), found);
                let piped = bare_filter(site, part.clone()).or_else(|| mentioned(context, site, part));
                let piped = piped.filter(|_| !is_bare);
                let is_told = |piped: &Diagnostic| {
                    found
                        .iter()
                        .any(|other| other.span.start <= piped.span.start && piped.span.end <= other.span.end)
                };
                if let Some(piped) = piped.filter(|piped| !is_told(piped)) {
                    found.push(piped);
                }
            }
        }
    }
}

/// `${{ … }}` and `={{ … }}`.
fn before_braces(site: &TemplateSite<'_>) -> Vec<Diagnostic> {
    let text = site.template.text();
    let mut found = Vec::new();
    for part in site.template.literal_parts() {
        let (before, after) = (&text[..part.end], &text[part.end..]);
        let Some(sign) = before.chars().last().filter(|sign| matches!(sign, '$' | '=')) else { continue };
        let Some(inner) = after.strip_prefix("{{").and_then(|rest| rest.split("}}").next()) else { continue };
        let inner = inner.trim_matches('-').trim();
        let at_start = before.trim_start().len() == 1;
        let alone = at_start && after.trim_end().len() == after.find("}}").map_or(0, |at| at + 2);
        let certain = if sign == '=' { at_start } else { alone };
        if !certain && (sign == '=' || is_amount(inner)) {
            continue;
        }
        let place = site.template.place(part.end - 1..part.end);
        let message =
            format!("`{sign}` before `{{{{ … }}}}` is no part of the template, and is sent as it stands");
        let help =
            format!("write `{{{{ {inner} }}}}`, or `{{{{ '{sign}' ~ {inner} }}}}` if the sign is meant");
        let code = if certain { Code::ForeignSyntax } else { Code::Suspicious };
        let edit = site.template.edit(part.end - 1..part.end, "");
        let fix = edit.map(|edit| Fix::new(format!("leave out the `{sign}`"), vec![edit]));
        let fix = if certain { fix } else { fix.map(Fix::suggested) };
        found.push(Diagnostic::new(code, place, message).help(help).fix(fix));
    }
    found
}

/// Curly quotes around a whole value, which are not YAML quotes.
fn curly_quotes(site: &TemplateSite<'_>, source: &str) -> Option<Diagnostic> {
    const PAIRS: [(char, char); 7] =
        [('“', '”'), ('‘', '’'), ('„', '“'), ('‚', '‘'), ('«', '»'), ('”', '”'), ('’', '’')];
    let text = site.template.text().trim();
    let (open, close) =
        PAIRS.iter().find(|(open, close)| text.starts_with(*open) && text.ends_with(*close))?;
    let inner = text.strip_prefix(*open)?.strip_suffix(*close)?;
    // Within YAML quotes they are intended.
    let plain = source.get(site.template.span.start..)?.starts_with(*open);
    if !plain || inner.contains([*open, *close]) {
        return None;
    }
    let message = format!("the curly quotes `{open}…{close}` are part of the value, and are sent with it");
    let help = format!("write `\"{inner}\"` with straight quotes, or `'{text}'` if they are meant");
    let code = if site.template.is_literal() { Code::Suspicious } else { Code::ForeignSyntax };
    Some(Diagnostic::new(code, site.template.span, message).help(help))
}

fn is_amount(expression: &str) -> bool {
    let filters = ["fixed", "round", "number", "sum", "float", "int", "divided_by", "times", "plus", "minus"];
    let made =
        expression.split('|').skip(1).any(|filter| filters.iter().any(|f| filter.trim().starts_with(f)));
    let last = expression.split('|').next().unwrap_or("").trim().rsplit(['.', '_']).next().unwrap_or("");
    made || expression.contains(['*', '/', '+'])
        || AMOUNTS.iter().any(|name| last.to_lowercase().ends_with(name))
}

/// A text that consists of a path only: `event.email` without braces.
fn bare_path(site: &TemplateSite<'_>) -> Option<Diagnostic> {
    static PATH: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?s)^(event|steps|vars|env|item|run|connection)(?:\.\w+|\[[\w':]+\])+(?:\s*(?:\||~|\+|==|!=).*|\s(?:if|or|and|in|not)\s.*)?$",
        )
        .ok()
    });
    static CHOICE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?s)^.*\sif\s(?:not\s+)?(event|steps|vars|env|item|run|connection)\.\w.*\selse\s.*$")
            .ok()
    });
    let text = site.template.text().trim();
    if !site.template.is_literal() {
        return None;
    }
    let captures = PATH.as_ref()?.captures(text).or_else(|| CHOICE.as_ref()?.captures(text))?;
    let root = captures.get(1)?.as_str();
    if !site.position.roots().contains(&root) {
        return None;
    }
    let message = format!("`{text}` is sent as this text");
    let help = format!("write `\"{{{{ {text} }}}}\"` for its value, `\"{{{{ '{text}' }}}}\"` for the text");
    let edit = site.template.rewritten(&format!("{{{{ {text} }}}}"));
    let fix = edit.map(|edit| Fix::new(format!("write `{{{{ {text} }}}}`"), vec![edit]).suggested());
    Some(Diagnostic::new(Code::Suspicious, site.template.span, message).help(help).fix(fix))
}

/// A whole text that is a path, a formula or a variable elsewhere: `$.event.email`, `=UPPER(name)`, `$ALERT_URL`.
fn formula(context: &Context<'_>, site: &TemplateSite<'_>) -> Option<Diagnostic> {
    static FORMULA: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"^(?:\$\.((?:event|steps|vars)(?:\.\w+|\[\d+\])+)|=([A-Za-z]+)\(.*\)|\$([A-Z][A-Z0-9_]+))$",
        )
        .ok()
    });
    let text = site.template.text().trim();
    let captures = FORMULA.as_ref().filter(|_| site.template.is_literal())?.captures(text)?;
    let message = format!("`{text}` is sent as this text");
    let diagnostic = Diagnostic::new(Code::Suspicious, site.template.span, message);
    if let Some(path) = captures.get(1) {
        let meant = format!("{{{{ {} }}}}", path.as_str());
        let edit = site.template.rewritten(&meant);
        let fix = edit.map(|edit| Fix::new(format!("write `{meant}`"), vec![edit]).suggested());
        return Some(diagnostic.help(format!("write `\"{meant}\"` for its value")).fix(fix));
    }
    if let Some(name) = captures.get(2) {
        let help = match instead_of("function", name.as_str()) {
            Some(help) => format!("values are computed in `{{{{ … }}}}`: {help}"),
            None => "values are computed in `{{ … }}` with filters".to_owned(),
        };
        return Some(diagnostic.help(help));
    }
    let name = captures.get(3)?.as_str();
    let is_known = name.contains('_') || context.workspace_info.env.iter().any(|known| known == name);
    is_known.then(|| {
        diagnostic.help(format!("write `\"{{{{ env.{name} }}}}\"`, and list it under `env` in hob.yaml"))
    })
}

/// A path of a known value in the middle of a text: `Call event.full_name`.
fn mentioned(context: &Context<'_>, site: &TemplateSite<'_>, part: Range<usize>) -> Option<Diagnostic> {
    static MENTION: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?:^|[\s(:,;'\x22])((event|steps|vars)((?:\.[A-Za-z_]\w*)+))(?:$|[\s),:;!?'\x22]|\.(?:\s|$))",
        )
        .ok()
    });
    let text = &site.template.text()[part.clone()];
    let captures = MENTION.as_ref()?.captures(text)?;
    let (written, root) = (captures.get(1)?, captures.get(2)?.as_str());
    let steps: Vec<PathStep> =
        captures[3].split('.').skip(1).map(|name| PathStep::Field(name.to_owned())).collect();
    let is_known = match (root, steps.as_slice()) {
        ("vars", [PathStep::Field(name), ..]) => context.recipe.vars.contains_key(name.as_str()),
        ("steps", [_]) => false,
        _ => path_shape(context, &site.position, root, &steps).is_some(),
    };
    if !is_known || !site.position.roots().contains(&root) {
        return None;
    }
    let path = written.as_str();
    let place = site.template.place(part.start + written.start()..part.start + written.end());
    let diagnostic = Diagnostic::new(Code::Suspicious, place, format!("`{path}` is sent as this text"));
    Some(diagnostic.help(format!("write `{{{{ {path} }}}}` for its value")))
}

/// A path with a filter in the middle of a text: `Goal: event.goal | default('none')`.
fn bare_filter(site: &TemplateSite<'_>, part: Range<usize>) -> Option<Diagnostic> {
    static PIPED: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"\b(event|steps|vars)(?:\.\w+|\[[\w':]+\])+\s*\|\s*(\w+)").ok());
    let text = &site.template.text()[part.clone()];
    let captures = PIPED.as_ref()?.captures(text)?;
    let (whole, root, filter) = (captures.get(0)?, captures.get(1)?.as_str(), captures.get(2)?.as_str());
    let is_filter = filters().iter().any(|spec| spec.name == filter);
    if !is_filter || !site.position.roots().contains(&root) {
        return None;
    }
    let written = whole.as_str();
    let message = format!("`{written}` is sent as this text");
    let help = format!("write `{{{{ {written} … }}}}` for its value");
    let place = site.template.place(part.start + whole.start()..part.start + whole.end());
    Some(Diagnostic::new(Code::Suspicious, place, message).help(help))
}

fn forms(context: &Context<'_>, site: &TemplateSite<'_>, part: Range<usize>, found: &mut Vec<Diagnostic>) {
    let text = site.template.text();
    let mut taken: Vec<Range<usize>> = Vec::new();
    for form in FORMS.iter() {
        for captures in form.find.captures_iter(&text[part.clone()]) {
            let Some(inner) = captures.get(1) else { continue };
            let whole = whole(&captures);
            let range = part.start + whole.start..part.start + whole.end;
            if taken.iter().any(|other| other.start < range.end && range.start < other.end) {
                continue;
            }
            if let Some(diagnostic) = complaint(context, site, form, inner.as_str(), range.clone()) {
                taken.push(range);
                found.push(diagnostic);
            }
        }
    }
}

/// The match without its context.
fn whole(captures: &Captures<'_>) -> Range<usize> {
    let found = captures.get(0).map_or(0..0, |found| found.range());
    let text = &captures[0];
    let lead = text.find(['<', '$', '@', '#', '%', '[', '{']).unwrap_or(0);
    let tail = text.rfind(['>', ']', '}', '%']).map_or(text.len(), |at| at + 1);
    if text.starts_with('$') { found } else { found.start + lead..found.start + tail }
}

fn complaint(
    context: &Context<'_>,
    site: &TemplateSite<'_>,
    form: &Form,
    inner: &str,
    range: Range<usize>,
) -> Option<Diagnostic> {
    let written = &site.template.text()[range.clone()];
    let path = inner.trim_start_matches('$');
    let root = path.split(['.', '[', '(']).next().unwrap_or("");
    let rooted = root != path && ROOTS.split('|').any(|name| name == root);
    let known = known_name(context, site, path);
    if !form.certain && !rooted && known.is_none() {
        return None;
    }
    let is_variable =
        !path.is_empty() && path.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    let (mended, is_exact) = match known {
        Some(known) => (Some(known), false),
        None if is_variable => (Some(format!("{{{{ env.{path} }}}}")), false),
        None => {
            let meant = as_expression(inner, &site.position.roots());
            (meant.as_ref().map(|meant| meant.template.clone()), meant.is_some_and(|meant| meant.is_exact))
        }
    };
    let message = format!("`{written}` is no template here, and is sent as it stands");
    let literal = format!("`{{{{ '{written}' }}}}` sends it as it stands");
    let help = match mended {
        Some(ref mended) => format!("write `{mended}`; {literal}"),
        None => format!("write `{{{{ … }}}}`; {literal}"),
    };
    let certain = rooted || form.name == "<% … %>" || (form.name == "${…}" && is_variable);
    let code = if certain { Code::ForeignSyntax } else { Code::Suspicious };
    let edit = mended.as_ref().and_then(|mended| site.template.edit(range.clone(), mended));
    let fix = edit.map(|edit| Fix::new(format!("write `{}`", edit.replacement), vec![edit]));
    let fix = if certain && is_exact { fix } else { fix.map(Fix::suggested) };
    Some(Diagnostic::new(code, site.template.place(range), message).help(help).fix(fix))
}

/// The intended template for a plain name: a field of the event or a variable.
fn known_name(context: &Context<'_>, site: &TemplateSite<'_>, name: &str) -> Option<String> {
    let roots = site.position.roots();
    if roots.contains(&"vars") && context.recipe.vars.contains_key(name) {
        return Some(format!("{{{{ vars.{name} }}}}"));
    }
    if !roots.contains(&"event") || name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_')
    {
        return None;
    }
    let steps = [PathStep::Field(name.to_owned())];
    let has = path_shape(context, &site.position, "event", &steps).is_some();
    let path = within_event(context, site, &[name]);
    (has || USUAL.contains(&name)).then(|| format!("{{{{ {path} }}}}"))
}
