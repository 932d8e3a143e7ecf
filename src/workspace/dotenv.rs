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
    let text = std::fs::read_to_string(&path).map_err(|error| Error::unreadable(&path, &error))?;
    Ok(parse(&text))
}

/// Lines `NAME=value`, with or without `export` and quotes; others are left out.
fn parse(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.strip_prefix("export ").unwrap_or(line).split_once('=')).map(pair).collect()
}

fn pair((name, value): (&str, &str)) -> (String, String) {
    let value = value.trim();
    let quoted = ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.split_once(quote));
    let plain = || value.split_once(" #").map_or(value, |(value, _)| value.trim_end());
    (name.trim().to_owned(), quoted.map_or_else(plain, |(inside, _)| inside).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_usual_forms() {
        let found = parse("# c\nA=1\nexport B = 'x y'\nC=\"q#1\" # c\nD=t#1 # c\n\nnonsense\nE=\n");
        let wanted = [("A", "1"), ("B", "x y"), ("C", "q#1"), ("D", "t#1"), ("E", "")];
        assert_eq!(found, wanted.map(|(n, v)| (n.to_owned(), v.to_owned())).into_iter().collect());
    }
}
