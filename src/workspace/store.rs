//! The store of a workspace.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use crate::secret::Secret;

/// A store, as in `store:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Store {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(Address),
}

/// Default path of the store in the workspace.
const USUAL: &str = "state/hob.db";
/// Path of the sandbox's store in the workspace.
const SANDBOX: &str = "state/sandbox.db";

/// Why a `store:` cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Its kind is unknown.
    #[error(
        "`{0}` is not a store; write it like `sqlite:{USUAL}` or `postgres://user:password@host/database`"
    )]
    Unknown(String),
    /// It would not outlive the process.
    #[error("`sqlite:{0}` keeps nothing: everything would be forgotten at the end; name a file")]
    Memory(String),
    /// It is outside the workspace, or written like a URL.
    #[error("`sqlite:{path}` {reason}")]
    Elsewhere {
        /// The given path.
        path: String,
        /// What is wrong with it, and what to write.
        reason: String,
    },
    /// It is the sandbox's store.
    #[error("`sqlite:{SANDBOX}` is where the sandbox keeps its own history; name another file")]
    Sandbox,
}

/// The intended path: relative to the workspace, or absolute.
fn within(path: &str) -> Result<&Path, Error> {
    let elsewhere = |reason: String| Err(Error::Elsewhere { path: path.to_owned(), reason });
    if path.starts_with("//") && !path.starts_with("///") {
        let meant = path.trim_start_matches('/');
        return elsewhere(format!("is no address: write `sqlite:{meant}` for a file of the workspace"));
    }
    if path.starts_with("file:") || path.contains('?') {
        return elsewhere(
            "takes a path alone, without options; write it like `sqlite:state/hob.db`".to_owned(),
        );
    }
    if path == "~" || path.starts_with("~/") {
        return elsewhere("would be in a folder called `~`; write the whole path".to_owned());
    }
    let mut depth = 0;
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => depth -= 1,
            Component::Normal(_) => depth += 1,
            Component::RootDir | Component::Prefix(_) => depth = i32::MAX / 2,
            Component::CurDir => {}
        }
        if depth < 0 {
            return elsewhere(
                "leads out of the workspace; if that is meant, write the whole path".to_owned(),
            );
        }
    }
    Ok(Path::new(path))
}

impl Store {
    /// The default store of a workspace.
    pub(super) fn usual(root: &Path) -> Self {
        Store::Sqlite(root.join(USUAL))
    }

    /// The store of a workspace's sandbox: separate from the real one, so that nothing done in the sandbox affects
    /// it. Always a file, so that trying recipes needs no database server.
    pub fn sandbox(root: &Path) -> Self {
        Store::Sqlite(root.join(SANDBOX))
    }

    /// Parses `store:`; paths are relative to the workspace.
    pub fn parse(text: &str, root: &Path) -> Result<Self, Error> {
        match text.trim().split_once(':') {
            Some(("sqlite", path)) if path.contains(":memory:") || path.contains("mode=memory") => {
                Err(Error::Memory(path.trim().to_owned()))
            }
            Some(("sqlite", path)) if !path.trim().is_empty() => {
                Ok(Store::Sqlite(root.join(within(path.trim())?)))
            }
            Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => {
                Ok(Store::Postgres(Address(Secret::new(text.trim()))))
            }
            // Without a password that the address may contain.
            Some((scheme, _)) => Err(Error::Unknown(format!("{scheme}:…"))),
            None => Err(Error::Unknown(text.to_owned())),
        }
    }

    /// Its secrets.
    pub fn secrets(&self) -> Vec<Secret> {
        match self {
            Store::Sqlite(_) => Vec::new(),
            Store::Postgres(address) => address.secrets(),
        }
    }
}

/// Without credentials.
impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Store::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Store::Postgres(address) => address.fmt(f),
        }
    }
}

/// The address of a database, which may contain a password. `Debug` and `Display` hide it.
#[derive(Clone)]
pub struct Address(Secret);

impl Address {
    /// The whole address, for connecting.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// User and password, and the rest.
    fn parts(&self) -> (&str, &str) {
        let rest = self.expose().split_once("://").map_or("", |(_, rest)| rest);
        rest.rsplit_once('@').unwrap_or(("", rest))
    }

    /// The pairs of the query.
    fn query(&self) -> impl Iterator<Item = (&str, &str)> {
        let query = self.parts().1.split_once('?').map_or("", |(_, query)| query);
        query.split('&').filter_map(|pair| pair.split_once('='))
    }

    /// The schema, if named and valid: then it is not part of a password.
    fn schema(&self) -> Option<&str> {
        let part_of_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let (_, schema) = self.query().find(|(name, _)| *name == "schema")?;
        schema.bytes().all(part_of_name).then_some(schema)
    }

    /// The password, as written and decoded. The user name is not secret: it may be an ordinary word.
    fn secrets(&self) -> Vec<Secret> {
        let (user, _) = self.parts();
        let secret = |name: &str| name.contains("password");
        let written = self.query().filter(|(name, _)| secret(name)).map(|(_, password)| password);
        let written = written.chain(user.split_once(':').map(|(_, password)| password));
        let meant = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        written.flat_map(|text| [text.to_owned(), meant(text)]).map(Secret::new).collect()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (user, rest) = self.parts();
        let (at, place) = (if user.is_empty() { "" } else { "***@" }, rest.split('?').next());
        write!(f, "postgres://{at}{}", place.unwrap_or_default())?;
        match self.schema() {
            Some(schema) => write!(f, "?schema={schema}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Address {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Redactor;

    #[test]
    fn valid_lines_are_read_and_others_reported() {
        let root = Path::new("/w");
        assert_eq!(Store::parse("sqlite:a/b.db", root), Ok(Store::Sqlite("/w/a/b.db".into())));
        assert_eq!(Store::parse("sqlite:/x.db", root), Ok(Store::Sqlite("/x.db".into())));
        let store = Store::parse("postgresql://u:secret@h/db", root).unwrap();
        assert_eq!(store.to_string(), "postgres://***@h/db");
        let wrong = Store::parse("mysql://u:secret@h/db", root).unwrap_err().to_string();
        assert!(wrong.contains("`mysql:…`") && wrong.contains("sqlite:"), "{wrong}");
        assert!(Store::parse("", root).is_err());
        assert_eq!(Store::parse("sqlite:a/../b.db", root), Ok(Store::Sqlite("/w/a/../b.db".into())));
        assert_eq!(Store::parse("sqlite:///var/b.db", root), Ok(Store::Sqlite("///var/b.db".into())));
        for (wrong, word) in [
            ("sqlite:../b.db", "the whole path"),
            ("sqlite:a/../../b.db", "the whole path"),
            ("sqlite:~/b.db", "the whole path"),
            ("sqlite://state/b.db", "`sqlite:state/b.db`"),
            ("sqlite:state/b.db?mode=rwc", "without options"),
            ("sqlite:file:b.db", "without options"),
        ] {
            let told = Store::parse(wrong, root).unwrap_err().to_string();
            assert!(told.contains(word), "{wrong}: {told}");
        }
    }

    #[test]
    fn schemas_are_separate() {
        for (text, shown) in [
            ("postgres://me:pw@h/db?schema=one&sslmode=require", "postgres://***@h/db?schema=one"),
            ("postgres://me@h/db?sslmode=require&schema=two", "postgres://***@h/db?schema=two"),
            ("postgres://me@h/db?schema=a%40b", "postgres://***@h/db"),
            ("postgres://me@h/db?schema=Hunter-22", "postgres://***@h/db"),
        ] {
            assert_eq!(Store::parse(text, Path::new("/w")).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn no_password_is_shown() {
        for (text, password) in [
            ("postgres://me:hunter-22@h/db?sslmode=require", "hunter-22"),
            ("postgres://me:hunter%4022@h/db", "hunter@22"),
            ("postgres://me:hunter@22@h/db", "hunter@22"),
            ("postgres://me@h/db?password=hunter-22&sslmode=require", "hunter-22"),
        ] {
            let store = Store::parse(text, Path::new("/w")).unwrap();
            assert_eq!(store.to_string(), "postgres://***@h/db");
            assert!(!format!("{store:?}").contains("hunter"));
            let redactor = Redactor::new(store.secrets());
            assert_eq!(redactor.text(&format!("said {password}")), "said ***");
            assert!(!redactor.text(text).contains("hunter"), "{text}");
        }
    }
}
