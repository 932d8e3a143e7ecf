//! Files that a request may upload. An input that names a file may come from an event as well as from a recipe, so not
//! every file on the machine is allowed.

use std::io;
use std::path::{Path, PathBuf};

use tokio::fs::File;

/// Maximum size of an uploaded file, in bytes: HighLevel's limit for a video.
const MAX_SIZE: u64 = 500 << 20;

/// Folders from which requests may upload files.
#[derive(Debug, Clone, Default)]
pub struct FileFolders {
    /// Folder that relative paths are resolved against.
    pub root: PathBuf,
    /// Folders whose files any recipe may upload.
    pub allowed: Vec<PathBuf>,
}

/// Who chose the files of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileChoice {
    /// A person named them for this call.
    Person,
    /// A recipe; its run has downloaded these files.
    Run(Vec<String>),
}

impl Default for FileChoice {
    fn default() -> Self {
        Self::Run(Vec::new())
    }
}

/// A file that is open for sending.
pub(super) struct Opened {
    pub(super) file: File,
    pub(super) length: u64,
    pub(super) name: String,
}

/// Which files one call may upload.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowed<'a> {
    pub(super) folders: &'a FileFolders,
    /// Folder in which hob saves downloads.
    pub(super) downloads: &'a Path,
    pub(super) choice: &'a FileChoice,
}

impl Allowed<'_> {
    /// Opens the file at `path`, or returns why it is not sent.
    pub(super) async fn open(self, path: &Path) -> Result<Opened, String> {
        let (path, folders) = self.resolve(path);
        let unreadable = |error| format!("cannot read the file {}: {error}", path.display());
        // Links are resolved first, so that the file that is checked is the file that is opened.
        let real = tokio::fs::canonicalize(&path).await.map_err(unreadable)?;
        if let Some(folders) = folders
            && !is_within(&real, &folders).await
        {
            return Err(refusal(&path, &real));
        }
        let odd =
            || format!("{} is a folder, a pipe or a device, and only files can be sent", path.display());
        if !tokio::fs::symlink_metadata(&real).await.map_err(unreadable)?.is_file() {
            return Err(odd());
        }
        let file = open(&real).await.map_err(unreadable)?;
        let about = file.metadata().await.map_err(unreadable)?;
        if !about.is_file() {
            return Err(odd());
        }
        if about.len() > MAX_SIZE {
            let most = MAX_SIZE >> 20;
            return Err(format!("{} is larger than {most} MiB, the most that hob sends", path.display()));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Opened { file, length: about.len(), name })
    }

    /// The file's path and the folders it must be in; `None` allows any folder.
    fn resolve(self, path: &Path) -> (PathBuf, Option<Vec<PathBuf>>) {
        match self.choice {
            FileChoice::Person => (path.to_owned(), None),
            FileChoice::Run(downloaded) if downloaded.iter().any(|file| Path::new(file) == path) => {
                (path.to_owned(), Some(vec![self.downloads.to_owned()]))
            }
            FileChoice::Run(_) => (self.folders.root.join(path), Some(self.folders.allowed.clone())),
        }
    }
}

async fn is_within(real: &Path, folders: &[PathBuf]) -> bool {
    for folder in folders {
        if tokio::fs::canonicalize(folder).await.is_ok_and(|folder| real.starts_with(folder)) {
            return true;
        }
    }
    false
}

fn refusal(path: &Path, real: &Path) -> String {
    let led = if path == real { String::new() } else { format!(" (it leads to {})", real.display()) };
    format!(
        "{}{led} is not sent: it is in none of the folders that hob.yaml lists under `files`, and this run has not \
         downloaded it",
        path.display()
    )
}

/// Opens a file without following a link that was put there after the check, and without blocking on a pipe.
async fn open(path: &Path) -> io::Result<File> {
    let mut options = tokio::fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    }
    options.open(path).await
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[tokio::test]
    async fn only_files_of_folders_that_are_named_or_of_this_run() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["out", "out/deep", "downloads", "private", "outside"] {
            fs::create_dir(at(name)).unwrap();
        }
        for name in
            ["out/a.txt", "out/deep/b.txt", "downloads/1.pdf", "downloads/2.pdf", "private/key", "outside/c"]
        {
            fs::write(at(name), name).unwrap();
        }
        symlink(at("out/a.txt"), at("out/inner")).unwrap();
        symlink(at("private/key"), at("out/leak")).unwrap();
        symlink(at("private"), at("out/folder")).unwrap();
        symlink(at("nowhere"), at("out/dangling")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(at("out/pipe")).status().unwrap().success());
        symlink(Path::new("/dev/zero"), at("out/zero")).unwrap();
        fs::File::create(at("out/huge")).unwrap().set_len(MAX_SIZE + 1).unwrap();
        let folders = FileFolders { root: folder.path().to_owned(), allowed: vec![at("out"), at("missing")] };
        let whole = |name: &str| at(name).display().to_string();
        let run = FileChoice::Run(vec![whole("downloads/1.pdf"), whole("private/key")]);
        let downloads = at("downloads");
        let open = async |choice: &FileChoice, path: String| {
            let allowed = Allowed { folders: &folders, downloads: &downloads, choice };
            allowed.open(Path::new(&path)).await.map(|opened| opened.name)
        };
        for (path, expected) in [
            ("out/a.txt".to_owned(), Ok("a.txt")),
            ("out/deep/../a.txt".to_owned(), Ok("a.txt")),
            (whole("out/deep/b.txt"), Ok("b.txt")),
            ("out/inner".to_owned(), Ok("inner")),
            (whole("downloads/1.pdf"), Ok("1.pdf")),
            (whole("downloads/2.pdf"), Err("is not sent")),
            (whole("private/key"), Err("is not sent")),
            ("out/leak".to_owned(), Err("private/key) is not sent")),
            ("out/folder/key".to_owned(), Err("is not sent")),
            ("out/../private/key".to_owned(), Err("is not sent")),
            ("outside/c".to_owned(), Err("is not sent")),
            ("out2/c".to_owned(), Err("cannot read")),
            ("/etc/passwd".to_owned(), Err("is not sent")),
            ("/proc/self/environ".to_owned(), Err("is not sent")),
            ("out/dangling".to_owned(), Err("cannot read")),
            ("out/pipe".to_owned(), Err("a pipe or a device")),
            ("out/deep".to_owned(), Err("is a folder")),
            ("out/zero".to_owned(), Err("is not sent")),
            ("out/huge".to_owned(), Err("larger than 500 MiB")),
            (String::new(), Err("is not sent")),
        ] {
            let opened = open(&run, path.clone()).await;
            match (&opened, expected) {
                (Ok(name), Ok(expected)) => assert_eq!(name, expected, "{path}"),
                (Err(told), Err(part)) => assert!(told.contains(part), "{path}: {told}"),
                _ => panic!("{path}: {opened:?}"),
            }
        }
        let person = &FileChoice::Person;
        assert_eq!(open(person, whole("private/key")).await.as_deref(), Ok("key"));
        assert!(open(person, "/dev/zero".into()).await.unwrap_err().contains("a device"));
    }
}
