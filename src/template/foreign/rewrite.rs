//! Rewrites expressions of other languages as far as possible.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::pattern::Pattern;
use super::{filter_alias, method, words};

/// A rewritten expression, and the first foreign construct in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::template) struct Rewritten {
    /// The expression.
    pub(in crate::template) text: String,
    /// The first foreign construct, if any.
    pub(in crate::template) habit: Option<Habit>,
    /// Whether it means the same, rather than what was probably meant.
    pub(in crate::template) is_exact: bool,
}

/// A construct of another language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::template) struct Habit {
    /// The message of its diagnostic.
    pub(in crate::template) message: String,
    /// The remedy if the expression cannot be rewritten completely.
    pub(in crate::template) help: &'static str,
    /// Its range, in bytes of the expression.
    pub(in crate::template) range: Range<usize>,
}

/// Beginnings of messages of constructs that mean exactly what they are replaced by.
const EXACT: [&str; 19] = [
    "`&&` is",
    "`||` is",
    "`===` is",
    "`!==` is",
    "`<>` is",
    "`!` is",
    "`? :` is",
    "`-` in a name",
    "`=` does not compare",
    "an expression does not begin",
    "operators are written small",
    "text stands in straight quotes",
    "what contains something",
    "null is asked for",
    "a filter stands after its value",
    "values are compared with",
    "the beginning of a text is asked for",
    "the end of a text is asked for",
    "a pattern is asked for",
];
/// Methods that are exactly the filter they are replaced by.
const EXACT_METHODS: [&str; 5] = ["toLowerCase", "toUpperCase", "trim", "lower", "upper"];

const DOLLAR: &str = "names have no `$` here";
const DOLLAR_HELP: &str = "the event is `event`, the result of an earlier step `steps.ID`";

static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    let pattern = Pattern::new;
    let quote = "['\"‘’“”]";
    let mut all = words::patterns();
    all.extend([
        pattern(
            &format!(
                r"\$(?:node)?\s*[\[(]\s*{quote}([^'\x22‘’“”]*){quote}\s*[\])](?:\.(?:item|first\(\)|last\(\)|all\(\)))?(?:\.json)?"
            ),
            "steps.$1",
            DOLLAR,
            DOLLAR_HELP,
        ),
        pattern(
            r"\$(?:input(?:\.(?:item|first\(\)|last\(\)))?(?:\.json)?|json(?:\.body)?|event|trigger(?:\.event)?|body|contact)\b",
            "event",
            DOLLAR,
            DOLLAR_HELP,
        ),
        pattern(r"\$now\b(?:\(\))?", "now()", DOLLAR, DOLLAR_HELP),
        pattern(r"\$today\b(?:\(\))?", "now() | date('%Y-%m-%d')", DOLLAR, DOLLAR_HELP),
        pattern(r"\$(?:execution|workflow)\b", "run", DOLLAR, DOLLAR_HELP),
        pattern(r"\$(\w+)", "$1", DOLLAR, DOLLAR_HELP),
        pattern(
            r"new\s+Date\(\s*\)",
            "now()",
            "`new` is no operator here",
            "the present time is `now()`, and texts such as `2026-01-31T09:00:00Z` are times",
        ),
        pattern(
            r"typeof\s+(\w)",
            "$1",
            "`typeof` is no operator here",
            "ask whether there is a value: `event.email is defined`",
        ),
        pattern(
            r"JSON\.stringify\(\s*([\w.\[\]]+)\s*\)",
            "$1 | tojson",
            "values have no methods such as `.stringify()`",
            "write `value | tojson`",
        ),
        pattern(
            r"JSON\.parse\(\s*([\w.\[\]]+)\s*\)",
            "$1 | fromjson",
            "values have no methods such as `.parse()`",
            "write `value | fromjson`",
        ),
        pattern(
            r"Math\.(round|abs|floor|ceil)\(\s*([\w.\[\]]+)\s*\)",
            "$2 | $1",
            "there is no `Math` here",
            "use a filter: `value | round`",
        ),
        pattern(
            r"\s*;\s*",
            ", ",
            "arguments are separated by `,`",
            "write `value | name(argument, argument)`",
        ),
        pattern("@", "", "names have no `@` here", DOLLAR_HELP),
        pattern(
            r"(steps|vars|env|event|item)\.([A-Za-z_][\w-]*-\d\w*)\.([A-Za-z_])",
            "$1['$2'].$3",
            "`-` in a name is a minus",
            "write the name in brackets: `steps['my-step']`",
        ),
        pattern(
            r"\d+(?:\.|__)([A-Za-z_])",
            "event.$1",
            "a number has no fields",
            "modules have no numbers here: the event is `event`, the result of an earlier step `steps.ID`",
        ),
        pattern(
            r"(?:IS|is)\s+(?:NOT|not)\s+(?:NULL|null)\b",
            "is not none",
            "null is asked for with `is none`",
            "write `… is not none`",
        ),
        pattern(
            r"(?:IS|is)\s+(?:NULL|null)\b",
            "is none",
            "null is asked for with `is none`",
            "write `… is none`",
        ),
        pattern(r"\s*&&\s*", " and ", "`&&` is no operator here", "write `and`"),
        pattern(r"\s*\|\|\s*", " or ", "`||` is no operator here", "write `or`"),
        pattern(r"\s*&\s*", " ~ ", "`&` is no operator here", "join texts with `~`"),
        pattern("===", "==", "`===` is no operator here", "compare with `==`"),
        pattern("!==", "!=", "`!==` is no operator here", "compare with `!=`"),
        pattern("<>", "!=", "`<>` is no operator here", "compare with `!=`"),
        pattern(r"(==|!=|<=|>=|=>)", "$1", "", ""),
        pattern(r"!\s*", "not ", "`!` is no operator here", "write `not`"),
        pattern(
            r"\?\.\[",
            "[",
            "`?.` is no operator here",
            "give it a value for that case: `… | default(…)`",
        ),
        pattern(r"\?\.", ".", "`?.` is no operator here", "give it a value for that case: `… | default(…)`"),
        pattern(
            r"\s*\?\?\s*('[^']*'|\x22[^\x22]*\x22|[\w.\[\]]+)",
            " | default($1)",
            "`??` is no operator here",
            "write `… | default(…)`",
        ),
        pattern(r"(?:null|undefined|nil|NULL|Null|NaN)\b", "none", "-", "write `none`"),
        pattern(r"AND\b", "and", "operators are written small", "write `and`"),
        pattern(r"OR\b", "or", "operators are written small", "write `or`"),
        pattern(r"NOT\b", "not", "operators are written small", "write `not`"),
        pattern(r"IN\b", "in", "operators are written small", "write `in`"),
        pattern(r"(?:blank|empty)\b", "none", "-", "write `not …` for what may be empty"),
    ]);
    all
});

/// `expression`, the text between `{{` and `}}`, in the syntax of recipes.
pub(in crate::template) fn rewrite(expression: &str) -> Rewritten {
    let mut scanner =
        Scanner { text: expression, at: 0, out: String::new(), depth: 0, habit: None, is_exact: true };
    let trimmed = expression.trim_start();
    if let Some(rest) = trimmed.strip_prefix('=').filter(|rest| !rest.starts_with('=')) {
        scanner.at = expression.len() - rest.len();
        let at = scanner.at - 1;
        scanner.found("an expression does not begin with `=`", "leave the `=` out", at..at + 1);
    }
    if let Some(rest) = trimmed.strip_prefix('.').filter(|rest| rest.starts_with(char::is_alphabetic)) {
        scanner.at = expression.len() - rest.len();
        let at = scanner.at - 1;
        scanner.found("an expression does not begin with `.`", "leave the `.` out", at..at + 1);
    }
    while scanner.at < expression.len() {
        scanner.step();
    }
    let text = scanner.out.trim().to_owned();
    let text = helper(&text, &mut scanner.habit);
    let text = membership(&text, &mut scanner.habit);
    Rewritten { text, habit: scanner.habit, is_exact: scanner.is_exact }
}

/// `uppercase event.name` is `event.name | upper`.
fn helper(text: &str, habit: &mut Option<Habit>) -> String {
    static CALL: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"^(\w+)\s+((?:event|steps|vars|item)\.[\w.\[\]]+)$").ok());
    let Some(found) = CALL.as_ref().and_then(|regex| regex.captures(text)) else { return text.to_owned() };
    let Some(filter) = filter_alias(&found[1]).or_else(|| method(&found[1])) else { return text.to_owned() };
    habit.get_or_insert_with(|| Habit {
        message: "a filter stands after its value".into(),
        help: "write `value | name`",
        range: 0..found[1].len(),
    });
    format!("{} | {filter}", &found[2])
}

/// `a contains 'b'` is `'b' in a`.
fn membership(text: &str, habit: &mut Option<Habit>) -> String {
    static CONTAINS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r#"([\w.\[\]]+)(?:\s+(?:contains|includes|has)\s+|\.(?:includes|contains)\(\s*)('[^']*'|"[^"]*"|[\w.]+)\s*(\)?)"#,
        )
        .ok()
    });
    let Some(found) = CONTAINS.as_ref().and_then(|regex| regex.captures(text)) else {
        return text.to_owned();
    };
    let is_call = found[0].contains('(');
    if is_call != (&found[3] == ")") {
        return text.to_owned();
    }
    let whole = found.get(0).map_or(0..0, |whole| whole.range());
    habit.get_or_insert_with(|| Habit {
        message: "what contains something is written the other way round".into(),
        help: "write `'b' in a`",
        range: 0..0,
    });
    format!("{}{} in {}{}", &text[..whole.start], &found[2], &found[1], &text[whole.end..])
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    out: String,
    depth: usize,
    habit: Option<Habit>,
    is_exact: bool,
}

impl<'t> Scanner<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn found(&mut self, message: &str, help: &'static str, range: Range<usize>) {
        if !message.is_empty() {
            let is_none = message.ends_with("` is written `none` here");
            self.is_exact &= is_none || EXACT.iter().any(|exact| message.starts_with(exact));
            self.habit.get_or_insert_with(|| Habit { message: message.to_owned(), help, range });
        }
    }

    fn step(&mut self) {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return };
        match first {
            '\'' | '"' => return self.quoted(first),
            '‘' | '’' | '“' | '”' | '„' | '`' | '´' => return self.odd_quotes(first),
            '?' if self.depth == 0 && !rest.starts_with("?.") && !rest.starts_with("??") => {
                return self.ternary();
            }
            '?' if !rest.starts_with("?.") && !rest.starts_with("??") => {
                let help = "write `a if condition else b`";
                self.found("`? :` is no operator here", help, self.at..self.at + 1);
            }
            '.' if self.method() => return,
            '|' if self.liquid() => return,
            _ => {}
        }
        let in_word = self.out.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.');
        let starts_word = first.is_alphanumeric();
        if !(in_word && starts_word) && self.pattern() {
            return;
        }
        match first {
            '(' | '[' | '{' => self.depth += 1,
            ')' | ']' | '}' => self.depth = self.depth.saturating_sub(1),
            '=' if self.depth == 0 => {
                self.found("`=` does not compare", "compare with `==`", self.at..self.at + 1);
                self.out.push('=');
            }
            _ => {}
        }
        self.out.push(first);
        self.at += first.len_utf8();
    }

    fn pattern(&mut self) -> bool {
        let rest = self.rest();
        for pattern in PATTERNS.iter() {
            let Some(found) = pattern.find.captures(rest) else { continue };
            let mut made = String::new();
            found.expand(pattern.becomes, &mut made);
            let length = found.get(0).map_or(0, |whole| whole.end());
            let lead = rest.len() - rest.trim_start().len();
            let shown = rest[lead.min(length)..length].trim_end();
            let range = self.at + lead..self.at + lead + shown.len();
            let message = match pattern.becomes {
                "none" if matches!(shown, "blank" | "empty") => format!("`{shown}` is no value here"),
                "none" => format!("`{shown}` is written `none` here"),
                _ => pattern.message.to_owned(),
            };
            self.found(&message, pattern.help, range);
            if made.starts_with(' ') && self.out.ends_with(' ') {
                made.remove(0);
            }
            if let Some(name) = made.strip_prefix("steps.") {
                made = format!("steps.{}", name.trim().to_lowercase().replace([' ', '-'], "_"));
            }
            self.out.push_str(&made);
            self.at += length;
            return length > 0;
        }
        false
    }

    fn quoted(&mut self, quote: char) {
        let rest = self.rest();
        let mut escaped = false;
        let end = rest.char_indices().skip(1).find(|(_, c)| {
            let closes = *c == quote && !escaped;
            escaped = *c == '\\' && !escaped;
            closes
        });
        let length = match end {
            Some((at, _)) => at + 1,
            None => {
                let help = "close it with the same mark; an apostrophe in a text needs double quotes around the text";
                self.found("a quotation mark is not closed", help, self.at..self.at + 1);
                rest.len()
            }
        };
        self.out.push_str(&rest[..length]);
        self.at += length;
    }

    fn odd_quotes(&mut self, opening: char) {
        let rest = self.rest();
        let length = opening.len_utf8();
        let message = match opening {
            '`' | '´' => "text stands in straight quotes, not in backticks",
            _ => "text stands in straight quotes, not in curly ones",
        };
        self.found(message, "write `'` for each of them", self.at..self.at + length);
        let close = |c: char| "‘’“”„`´".contains(c) || c == '"';
        let end = rest[length..].find(close).map_or(rest.len(), |at| length + at);
        let inside = &rest[length..end];
        let quote = if inside.contains('\'') { '"' } else { '\'' };
        self.out.push(quote);
        self.out.push_str(inside);
        self.out.push(quote);
        self.at += end + rest[end..].chars().next().map_or(0, char::len_utf8);
    }

    /// `condition ? a : b`; the text so far is the condition.
    fn ternary(&mut self) {
        let message = "`? :` is no operator here";
        self.found(message, "write `a if condition else b`", self.at..self.at + 1);
        let rest = &self.text[self.at + 1..];
        let Some(colon) = top_level(rest, ':') else {
            self.out.push('?');
            self.at += 1;
            return;
        };
        let (yes, no) = (rewrite(&rest[..colon]), rewrite(&rest[colon + 1..]));
        self.is_exact &= yes.is_exact && no.is_exact;
        self.out = format!("{} if {} else {}", yes.text, self.out.trim(), no.text);
        self.at = self.text.len();
    }

    /// `| date: '%Y'` is `| date('%Y')`.
    fn liquid(&mut self) -> bool {
        static FILTER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\|\s*(\w+)\s*:\s*").ok());
        let rest = self.rest();
        let Some(found) = FILTER.as_ref().and_then(|regex| regex.captures(rest)) else { return false };
        let start = found[0].len();
        let end = start + top_level(&rest[start..], '|').unwrap_or(rest.len() - start);
        let help = "write `| name(argument)`";
        self.found(
            "arguments of a filter stand in parentheses",
            help,
            self.at..self.at + found[0].trim_end().len(),
        );
        let arguments = rewrite(rest[start..end].trim()).text;
        self.out.push_str(&format!("| {}({arguments}) ", &found[1]));
        self.at += end;
        true
    }

    /// `.toLowerCase()` is `| lower`.
    fn method(&mut self) -> bool {
        static METHOD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\.(\w+)\(([^()]*)\)").ok());
        let rest = self.rest();
        let Some(found) = METHOD.as_ref().and_then(|regex| regex.captures(rest)) else { return false };
        let name = &found[1];
        let Some(filter) = method(name) else { return false };
        let message = format!("values have no methods such as `.{name}()`");
        let is_exact = self.is_exact && EXACT_METHODS.contains(&name) && found[2].trim().is_empty();
        self.found(&message, "use a filter: `value | name(…)`", self.at..self.at + found[0].len());
        self.is_exact = is_exact;
        let arguments = rewrite(&found[2]).text;
        self.out.push_str(&format!(" | {filter}"));
        if !arguments.is_empty() {
            self.out.push_str(&format!("({arguments})"));
        }
        self.at += found[0].len();
        true
    }
}

/// The first `sign` outside brackets and quotes.
fn top_level(text: &str, sign: char) -> Option<usize> {
    let (mut depth, mut quote) = (0_i32, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, c) if c == sign && depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn habits_of_other_tools_are_rewritten() {
        for (written, ours) in [
            ("$json.email", "event.email"),
            ("$json['email']", "event['email']"),
            ("$('Get Contact').item.json.id", "steps.get_contact.id"),
            ("$node[\"Http\"].json.id", "steps.http.id"),
            ("1.email", "event.email"),
            ("12345__email", "event.email"),
            ("$now", "now()"),
            ("$today", "now() | date('%Y-%m-%d')"),
            ("$execution.id", "run.id"),
            ("new Date()", "now()"),
            ("typeof event.a", "event.a"),
            ("JSON.stringify(event.a)", "event.a | tojson"),
            ("Math.round(event.a)", "event.a | round"),
            ("steps.update-1.id | lower", "steps['update-1'].id | lower"),
            ("event.total-1 && event.a-event.b", "event.total-1 and event.a-event.b"),
            ("a && b || !c", "a and b or not c"),
            ("a&&b", "a and b"),
            ("a === 'x' && b !== \"y\"", "a == 'x' and b != \"y\""),
            ("event['x'].y?.z", "event['x'].y.z"),
            ("x ? y : z", "y if x else z"),
            ("a == 'b' ? 'c:d' : e", "'c:d' if a == 'b' else e"),
            ("event.x | date: '%Y'", "event.x | date('%Y')"),
            ("event.x | date: '%H:%M'", "event.x | date('%H:%M')"),
            ("event.x | replace: 'a', 'b' | upcase", "event.x | replace('a', 'b') | upcase"),
            ("event.x | default(“n/a”)", "event.x | default('n/a')"),
            ("‘it's’", "\"it's\""),
            ("event.x == null", "event.x == none"),
            ("event.x ?? 'none'", "event.x | default('none')"),
            ("event.email.trim().toLowerCase()", "event.email | trim | lower"),
            ("event.email.replace('a', 'b')", "event.email | replace('a', 'b')"),
            ("event.tags.includes('vip')", "'vip' in event.tags"),
            ("event.tags contains 'vip'", "'vip' in event.tags"),
            ("event.tags has 'vip'", "'vip' in event.tags"),
            ("event.name startswith 'A' and b", "event.name is startingwith('A') and b"),
            ("event.name starts with event.x", "event.name is startingwith(event.x)"),
            ("event.email ends_with '.com'", "event.email is endingwith('.com')"),
            ("event.email matches '[0-9]+'", "event.email is matching('[0-9]+')"),
            ("event.email =~ '[0-9]+'", "event.email is matching('[0-9]+')"),
            ("event.status equals 'open'", "event.status == 'open'"),
            ("event.status is equal to 'open'", "event.status == 'open'"),
            ("event.status not equals 'open'", "event.status != 'open'"),
            ("event.status is 'open'", "event.status == 'open'"),
            ("event.status is not 'open'", "event.status != 'open'"),
            ("event.name like 'A%'", "event.name like 'A%'"),
            ("a = 'b'", "a == 'b'"),
            ("= event.email", "event.email"),
            ("a == 'x' AND NOT b", "a == 'x' and not b"),
            ("a IS NOT NULL", "a is not none"),
            ("a is null", "a is none"),
            ("event.a & ' x'", "event.a ~ ' x'"),
            (".event.email", "event.email"),
            ("uppercase event.name", "event.name | upper"),
            ("trim steps.found.name", "steps.found.name | trim"),
        ] {
            let rewritten = rewrite(written);
            assert_eq!(rewritten.text, ours, "{written}");
            assert!(rewritten.habit.is_some(), "{written}");
        }
    }

    #[test]
    fn what_is_only_probably_meant_is_not_exact() {
        for (written, is_exact) in [
            ("a && !b || c === 'x'", true),
            ("a ? b : c", true),
            ("event.email.trim().toLowerCase()", true),
            ("event.x == null", true),
            ("a = 'b'", true),
            ("event.x == blank", false),
            ("$json.email", false),
            ("1.email", false),
            ("a && $json.email", false),
            ("a ? $json.b : c", false),
            ("event.x ?? 'none'", false),
            ("event.x?.y", false),
            ("event.x.at(1)", false),
            ("event.x | date: '%Y'", false),
            ("a == 'it", false),
        ] {
            assert_eq!(rewrite(written).is_exact, is_exact, "{written}");
        }
    }

    #[test]
    fn our_own_marks_stay() {
        for text in [
            "event.email | lower",
            "a == 'b && c' or \"! ? :\" in d",
            "x if a != b else z",
            "event.x | default(none)",
            "{'a': 1}[b] <= 2",
            "event['$json'] >= nullable.empty_list",
            "a | join(separator=', ')",
            "1.5 * x",
        ] {
            let rewritten = rewrite(text);
            assert_eq!((rewritten.text.as_str(), rewritten.habit, rewritten.is_exact), (text, None, true));
        }
    }
}
