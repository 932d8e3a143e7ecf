//! A progress line for terminals.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::engine::Engine;
use crate::printable;
use crate::trigger::{OnPage, PageRead};

/// How often the line is redrawn.
const TICK: Duration = Duration::from_millis(100);

/// A progress line; nothing without a terminal.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    bar: ProgressBar,
    visible: bool,
}

impl Progress {
    pub(super) fn new(visible: bool) -> Self {
        let bar = if visible { ProgressBar::no_length() } else { ProgressBar::hidden() };
        Self { bar, visible }
    }

    /// Shows every page of every poll.
    pub(super) fn on_page(&self) -> OnPage {
        if !self.visible {
            return OnPage::default();
        }
        let bar = self.bar.clone();
        OnPage::new(move |page| bar.set_message(page_line(page)))
    }

    /// Shows that polls are in progress.
    pub(super) fn polling(&self) {
        self.bar.set_style(ProgressStyle::default_spinner());
        self.bar.set_message("polling");
        if self.visible {
            self.bar.enable_steady_tick(TICK);
        }
    }

    /// Shows the number of runs to do.
    pub(super) fn running(&self, runs: usize) {
        self.bar.set_length(runs as u64);
        self.bar.set_message("runs");
        // Falls back to the default style if the template is invalid.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {pos}/{len} {msg} [{bar:30}] {eta}") {
            self.bar.set_style(style);
        }
    }

    /// Shows the progress of `engine` during `work`.
    pub(super) async fn watch<T>(&self, engine: &Engine, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        let mut ticks = tokio::time::interval(TICK);
        loop {
            tokio::select! {
                ended = &mut work => return ended,
                _ = ticks.tick(), if self.visible => {
                    self.bar.set_position(engine.counters().runs().values().sum());
                }
            }
        }
    }

    /// Removes the line.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

fn page_line(page: &PageRead) -> String {
    let of = page.total.map(|total| format!(" of {total}")).unwrap_or_default();
    format!("{}: {}{of} records, {} pages", printable::line(&page.recipe, 100), page.items, page.pages)
}
