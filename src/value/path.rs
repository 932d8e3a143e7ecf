//! Paths of files as texts.

use std::path::{Component, Path, PathBuf};

/// `path` without `.` and `..`, from its text alone: links are not followed.
pub fn normalized(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            Component::ParentDir if plain.has_root() => {}
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_resolved() {
        for (path, expected) in
            [("/a/./b/../c", "/a/c"), ("a/../../b", "../b"), ("/../x", "/x"), ("./", ""), ("/a//b/", "/a/b")]
        {
            assert_eq!(normalized(Path::new(path)), Path::new(expected), "{path}");
        }
    }
}
