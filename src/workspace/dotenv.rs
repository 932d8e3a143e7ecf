//! A workspace's `.env`: variables for its own use, so that secrets need not stand in `hob.yaml`.

use std::collections::BTreeMap;
use std::path::Path;

use super::Error;

/// Variables of the `.env` below `root`, if there is one.
pub fn dotenv(root: &Path) -> Result<BTreeMap<String, String>, Error> {
    let path = root.join(".env");
    if !path.is_file() {
        return Ok(BTreeMap::new());
    }
    let bytes = std::fs::read(&path).map_err(|error| Error::unreadable(&path, &error))?;
    let text = decode(&bytes).map_err(|error| Error::unreadable(&path, &error))?;
    Ok(parse(&text))
}

/// The text of a file as Windows' editors and shells save it: UTF-8 with or without a mark in front, or
/// UTF-16 with one.
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

/// Lines `NAME=value`, with or without `export` and quotes; others are left out.
fn parse(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.strip_prefix("export ").unwrap_or(line).split_once('=')).map(pair).collect()
}

fn pair((name, value): (&str, &str)) -> (String, String) {
    let only_comment = value.starts_with(char::is_whitespace) && value.trim_start().starts_with('#');
    let value = if only_comment { "" } else { value.trim() };
    let quoted = ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.split_once(quote));
    // A `#` is a comment where white space stands before it.
    let comment = value
        .char_indices()
        .zip(value.chars().skip(1))
        .find(|((_, blank), sign)| blank.is_whitespace() && *sign == '#');
    let plain = || comment.map_or(value, |((at, _), _)| value[..at].trim_end());
    (name.trim().to_owned(), quoted.map_or_else(plain, |(inside, _)| inside).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(parse(&decode(&bytes).unwrap()), wanted);
        }
        assert!(decode(&[b'A', b'=', 0xFC]).is_err());
    }

    #[test]
    fn white_space_of_any_kind_makes_a_comment() {
        let found = parse("A=x\t# c\nB=x\u{a0}# c\nC=x#y\nD= # c\nE=a # b # c\n  \t# F=1\n");
        let wanted = [("A", "x"), ("B", "x"), ("C", "x#y"), ("D", ""), ("E", "a")];
        assert_eq!(found, wanted.map(|(n, v)| (n.to_owned(), v.to_owned())).into_iter().collect());
    }

    #[test]
    fn reads_the_usual_forms() {
        let found = parse("# c\nA=1\nexport B = 'x y'\nC=\"q#1\" # c\nD=t#1 # c\n\nnonsense\nE=\n");
        let wanted = [("A", "1"), ("B", "x y"), ("C", "q#1"), ("D", "t#1"), ("E", "")];
        assert_eq!(found, wanted.map(|(n, v)| (n.to_owned(), v.to_owned())).into_iter().collect());
    }
}
