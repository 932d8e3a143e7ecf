//! `--watch`: runs the tests again whenever a file of the workspace changes.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use notify::{RecursiveMode, Watcher};
use tokio::sync::mpsc;

use crate::cli::runtime::StopSignal;
use crate::cli::{ExitCode, Failure, Session};
use crate::workspace::is_yaml;

/// Several files that are saved together start one round.
const QUIET: Duration = Duration::from_millis(100);

/// Calls `round` now and after each change of a YAML or JSON file below `root`, until Ctrl-C; the result is that of the
/// last round.
pub(super) async fn rounds(
    session: &mut Session,
    root: &Path,
    mut round: impl FnMut(&mut Session) -> Result<ExitCode, Failure>,
) -> Result<ExitCode, Failure> {
    let (tell, mut changes) = mpsc::unbounded_channel();
    // It watches until it is dropped.
    let _watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let is_json = |path: &Path| path.extension().is_some_and(|ending| ending == "json");
        let counts = |event: &notify::Event| {
            !event.kind.is_access() && event.paths.iter().any(|path| is_yaml(path) || is_json(path))
        };
        if event.is_ok_and(|event| counts(&event)) {
            let _ = tell.send(());
        }
    })
    .and_then(|mut watcher| watcher.watch(root, RecursiveMode::Recursive).map(|()| watcher))
    .context("cannot watch the workspace")
    .map_err(Failure::unavailable)?;
    let mut stop = std::pin::pin!(StopSignal::listen()?.requested());
    loop {
        let last = tokio::task::block_in_place(|| round(session)).unwrap_or_else(|failure| {
            session.streams.note(format!("error: {failure}"));
            failure.code
        });
        session.streams.note("waiting for changes; Ctrl-C stops");
        session.streams.output.flush()?;
        tokio::select! {
            changed = changes.recv() => if changed.is_none() { return Ok(last) },
            () = &mut stop => return Ok(last),
        }
        while let Ok(Some(())) = tokio::time::timeout(QUIET, changes.recv()).await {}
    }
}
