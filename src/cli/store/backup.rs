//! `hob store backup`: a usable copy of the store's file.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use super::target::Target;
use crate::cli::{ExitCode, Failure, Session, StoreChoice, runtime};
use crate::journal::Sqlite;
use crate::workspace::Store;

/// How often the progress is updated.
const TICK: Duration = Duration::from_millis(100);

/// Copy the store into a file that can take its place
#[derive(Debug, Args)]
#[command(
    after_help = "Works also while hob runs: the copy is the store as it is at this moment. It is read once to \
see that it is sound, and only its owner may read it. To go back to it, stop hob and name it in hob.yaml \
(`store: sqlite:FILE`), or put a copy of it in the place of the store's file and delete the files beside that with \
-wal and -shm at the end of their names. For PostgreSQL use pg_dump, or `hob store export`.\n\n\
Examples:\n  hob store backup backups/monday.db\n  hob store backup --force latest.db"
)]
pub struct Backup {
    /// The file to write
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    store: StoreChoice,
}

impl Backup {
    /// Copies.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let workspace = session.workspace_or_its_sandbox(&[], self.store)?;
        let Store::Sqlite(path) = &workspace.store else {
            let reason = "the store is PostgreSQL: use pg_dump, or `hob store export FILE`";
            return Err(Failure::usage(anyhow!(reason)));
        };
        if !path.exists() {
            return Err(Failure::usage(anyhow!("there is no store yet; `hob run` creates it")));
        }
        let place = session.path(&self.file);
        self.ensure_replaceable(path, &place)?;
        let target = Target::beside(&place).map_err(Failure::usage)?;
        let Target::File { file, .. } = &target else {
            return Err(Failure::usage(anyhow!("{} is no file", place.display())));
        };
        let bar = progress(session.streams.errors_is_terminal, path);
        runtime::block_on(copy(path, file.path(), &bar))??;
        bar.finish_and_clear();
        let bytes = fs::metadata(file.path()).map(|file| file.len()).unwrap_or_default();
        target.finish(self.force).map_err(Failure::unavailable)?;
        let (shown, size) = (session.shown(&place), HumanBytes(bytes));
        session.streams.say(format!("copied {} into {shown} ({size})", workspace.store))?;
        Ok(ExitCode::Fine)
    }

    /// Refuses to overwrite anything except an earlier backup, and that only with `--force`.
    fn ensure_replaceable(&self, store: &Path, place: &Path) -> Result<(), Failure> {
        let Ok(there) = fs::symlink_metadata(place) else { return Ok(()) };
        let same = |one: &Path| fs::canonicalize(one).ok();
        if same(store) == same(place) {
            return Err(Failure::usage(anyhow!("that is the store itself; name another file")));
        }
        if !there.is_file() {
            return Err(Failure::usage(anyhow!("{} is no file; choose another name", place.display())));
        }
        if !self.force {
            let reason = anyhow!("{} is there already; --force replaces it", place.display());
            return Err(Failure::usage(reason));
        }
        Ok(())
    }
}

fn progress(watched: bool, store: &Path) -> ProgressBar {
    let bar = match fs::metadata(store) {
        Ok(file) if watched => ProgressBar::new(file.len()),
        _ => return ProgressBar::hidden(),
    };
    // Falls back to the default style if the template is invalid.
    if let Ok(style) = ProgressStyle::with_template("{bytes}/{total_bytes} [{bar:30}] {eta}") {
        bar.set_style(style);
    }
    bar
}

async fn copy(store: &Path, to: &Path, bar: &ProgressBar) -> Result<(), Failure> {
    let (from, into) = (store.to_owned(), to.to_owned());
    let mut copying = tokio::task::spawn_blocking(move || Sqlite::backup(&from, &into));
    let mut ticks = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            copied = &mut copying => {
                let copied = copied.context("the copy broke off").map_err(Failure::unavailable)?;
                return copied.map_err(Failure::unavailable);
            }
            _ = ticks.tick() => {
                bar.set_position(fs::metadata(to).map(|file| file.len()).unwrap_or_default());
            }
        }
    }
}
