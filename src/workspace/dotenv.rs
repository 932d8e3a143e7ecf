//! A workspace's `.env`: variables, so that secrets need not be in `hob.yaml`.

use std::collections::BTreeMap;
use std::path::Path;

use super::Error;
use super::folder::is_left_out;
use crate::diagnostic::{Code, Diagnostic, Report};
use crate::source::{SourceFile, Span};

/// Name of the file.
const FILE: &str = ".env";

/// The content of a `.env`.
#[derive(Debug, Clone)]
pub struct Dotenv {
    /// Variables by name.
    pub variables: BTreeMap<String, String>,
    /// Likely mistakes in it. Quotes no values.
    pub report: Report,
}

/// The `.env` in `root`, if there is one.
pub fn dotenv(root: &Path) -> Result<Dotenv, Error> {
    let path = root.join(FILE);
    if is_left_out(&path) || !path.is_file() {
        return Ok(parse(""));
    }
    let bytes = std::fs::read(&path).map_err(|error| Error::unreadable(&path, &error))?;
    let text = decode(&bytes).map_err(|error| Error::unreadable(&path, &error))?;
    Ok(parse(&text))
}

/// Decodes a file as saved by Windows' editors and shells: UTF-8 with or without BOM, or UTF-16 with BOM.
fn decode(bytes: &[u8]) -> std::io::Result<String> {
    let pairs = |read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|pair| read([pair[0], pair[1]])).collect();
        String::from_utf16(&units)
    };
    let bad = |error: &dyn std::error::Error| {
        std::io::Error::new(std::io::ErrorKind::InvalidData, error.to_string())
    };
    match bytes {
        [0xFF, 0xFE, ..] => pairs(u16::from_le_bytes).map_err(|error| bad(&error)),
        [0xFE, 0xFF, ..] => pairs(u16::from_be_bytes).map_err(|error| bad(&error)),
        _ => {
            let text = std::str::from_utf8(bytes).map_err(|error| bad(&error))?;
            Ok(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned())
        }
    }
}

/// Lines `NAME=value`, with or without `export` and quotes; others are skipped and reported.
fn parse(text: &str) -> Dotenv {
    let file = SourceFile::new(FILE, text);
    let (mut variables, mut diagnostics, mut values) = (BTreeMap::new(), Vec::new(), Vec::new());
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at + line.len() - line.trim_start().len();
        at += line.len();
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let whole = Span::new(start, start + line.len());
        let mut tell = |message: &str, help: &str| {
            diagnostics.push(Diagnostic::new(Code::Suspicious, whole, message).help(help));
        };
        let Some((name, written)) = line.strip_prefix("export ").unwrap_or(line).split_once('=') else {
            tell("this line is left out: it sets nothing", "write `NAME=value`, or `#` before a remark");
            values.push(whole);
            continue;
        };
        let name = name.trim();
        if !is_name(name) {
            tell(
                "this line is left out: what stands before the `=` is not the name of a variable",
                "write `NAME=value`",
            );
            values.push(whole);
            continue;
        }
        values.push(Span::new(whole.end - written.len(), whole.end));
        let (value, odd) = value(written);
        if let Some((message, help)) = odd {
            tell(message, help);
        }
        if variables.insert(name.to_owned(), value).is_some() {
            tell(&format!("`{name}` is set a second time; this value counts"), "keep one of the lines");
        }
    }
    Dotenv { variables, report: Report { file: file.masked(values), diagnostics } }
}

fn is_name(text: &str) -> bool {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    !text.is_empty() && text.bytes().all(part) && !text.as_bytes()[0].is_ascii_digit()
}

/// The value after the `=`, with a possible problem and its remedy.
fn value(written: &str) -> (String, Option<(&'static str, &'static str)>) {
    let only_comment = written.starts_with(char::is_whitespace) && written.trim_start().starts_with('#');
    let value = if only_comment { "" } else { written.trim() };
    let Some(quote) = value.chars().next().filter(|sign| matches!(sign, '"' | '\'')) else {
        // A `#` starts a comment only after white space.
        let comment = value
            .char_indices()
            .zip(value.chars().skip(1))
            .find(|((_, blank), sign)| blank.is_whitespace() && *sign == '#');
        let value = comment.map_or(value, |((at, _), _)| value[..at].trim_end());
        return (value.to_owned(), reference(value));
    };
    match value[1..].split_once(quote) {
        None => {
            let help = "a value ends with its line: close the quote there, or leave it out";
            (value.to_owned(), Some(("the quote is not closed, and is taken for a part of the value", help)))
        }
        Some((inside, rest)) if !rest.trim().is_empty() && !rest.trim_start().starts_with('#') => {
            let help = "use the other kind of quotes around a value with quotes in it";
            (inside.to_owned(), Some(("what follows the closing quote is left out", help)))
        }
        Some((inside, _)) => (inside.to_owned(), if quote == '"' { reference(inside) } else { None }),
    }
}

/// Other readers of such files expand variables.
fn reference(value: &str) -> Option<(&'static str, &'static str)> {
    let (_, rest) = value.split_once("${")?;
    rest.contains('}').then_some((
        "`${…}` is taken as it stands: hob fills in no variables here",
        "write the value itself, or put it into single quotes if it is meant so",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(text: &str) -> BTreeMap<String, String> {
        parse(text).variables
    }

    #[test]
    fn oddities_are_reported_without_values() {
        let text = "A=1\nsecret-1\nB C=secret-2\nD=\"secret-3\nE='secret-4'x\nF=${secret-5}\nA=secret-6\n  1G=secret-7\nH='${ok}' # fine\n=secret-8\n";
        let Dotenv { variables, report } = parse(text);
        assert_eq!(variables.keys().map(String::as_str).collect::<Vec<_>>(), ["A", "D", "E", "F", "H"]);
        let lines: Vec<usize> =
            report.diagnostics.iter().map(|found| report.file.position(found.span.start).line).collect();
        assert_eq!(lines, [2, 3, 4, 5, 6, 7, 8, 10]);
        let shown = crate::diagnostic::render(&report.file, &report.diagnostics, false);
        assert!(!shown.contains("secret") && shown.contains(".env:8:3"), "{shown}");
    }

    #[test]
    fn marks_of_editors_are_no_part_of_a_name() {
        let wanted: BTreeMap<String, String> = [("A".to_owned(), "ü".to_owned())].into();
        let utf16 = |mark: [u8; 2], write: fn(u16) -> [u8; 2]| -> Vec<u8> {
            mark.into_iter().chain("A=ü\r\n".encode_utf16().flat_map(write)).collect()
        };
        for bytes in [
            "\u{feff}A=ü\r\n".as_bytes().to_vec(),
            utf16([0xFF, 0xFE], u16::to_le_bytes),
            utf16([0xFE, 0xFF], u16::to_be_bytes),
        ] {
            assert_eq!(parse(&decode(&bytes).unwrap()).variables, wanted);
        }
        assert!(decode(&[b'A', b'=', 0xFC]).is_err());
    }

    #[test]
    fn white_space_of_any_kind_makes_a_comment() {
        let found = variables("A=x\t# c\nB=x\u{a0}# c\nC=x#y\nD= # c\nE=a # b # c\n  \t# F=1\n");
        let wanted = [("A", "x"), ("B", "x"), ("C", "x#y"), ("D", ""), ("E", "a")];
        assert_eq!(found, wanted.map(|(n, v)| (n.to_owned(), v.to_owned())).into_iter().collect());
    }

    #[test]
    fn reads_the_usual_forms() {
        let found = variables("# c\nA=1\nexport B = 'x y'\nC=\"q#1\" # c\nD=t#1 # c\n\nnonsense\nE=\n");
        let wanted = [("A", "1"), ("B", "x y"), ("C", "q#1"), ("D", "t#1"), ("E", "")];
        assert_eq!(found, wanted.map(|(n, v)| (n.to_owned(), v.to_owned())).into_iter().collect());
    }
}
