//! Addresses of documents and paths of files.

use std::path::{Path, PathBuf};

use lsp_types::Uri;
use url::Url;

/// The path of a document. One without a file, such as a text that was never saved, has its address as its name.
pub fn path(uri: &Uri) -> PathBuf {
    let file = Url::parse(uri.as_str()).ok().and_then(|url| url.to_file_path().ok());
    file.unwrap_or_else(|| PathBuf::from(uri.as_str()))
}

/// The address of the file at `path`.
pub fn of(path: &Path) -> Option<Uri> {
    let text = match Url::from_file_path(path) {
        Ok(url) => url.to_string(),
        Err(()) => path.to_str()?.to_owned(),
    };
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_addresses_belong_together() {
        for (address, file) in [
            ("file:///w/a%20b/%C3%BC.yaml", "/w/a b/ü.yaml"),
            ("file:///w/a.yaml", "/w/a.yaml"),
            ("untitled:Untitled-1", "untitled:Untitled-1"),
        ] {
            let uri: Uri = address.parse().unwrap();
            assert_eq!(path(&uri), PathBuf::from(file));
            assert_eq!(of(Path::new(file)).unwrap().as_str(), address);
        }
        assert_eq!(path(&"file:///w/a%3Ab.yaml".parse().unwrap()), PathBuf::from("/w/a:b.yaml"));
    }
}
