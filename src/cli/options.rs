//! Options shared by several commands.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Options of every command.
#[derive(Debug, Clone, Default, Args)]
pub struct Global {
    /// The folder with hob.yaml [default: the nearest one upwards from here or from the first PATH]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    pub workspace: Option<PathBuf>,
    /// How much to log to standard error: error, warn, info, debug, trace, or a filter per module
    #[arg(long, global = true, value_name = "LEVEL", help_heading = "Global options")]
    pub log_level: Option<String>,
    /// Log as text or as lines of JSON
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        help_heading = "Global options"
    )]
    pub log_format: LogFormat,
    /// Log more; give it twice to log everything
    #[arg(long, short, global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    pub verbose: u8,
    /// No colours; NO_COLOR in the environment does the same
    #[arg(long, global = true, help_heading = "Global options")]
    pub no_color: bool,
}

/// The format of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// The format of a result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For scripts.
    Json,
}

/// The `--format` of listings.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Output {
    /// Write for people or for scripts
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
}

/// Which of a workspace's stores a command uses.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct StoreChoice {
    /// The sandbox's own store instead of the real one
    #[arg(long)]
    pub sandbox: bool,
}

/// The options of a listing that shows the newest first.
#[derive(Debug, Clone, Copy, Args)]
pub struct Listing {
    /// Show at most this many; 0 shows all
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    pub store: StoreChoice,
    #[command(flatten)]
    pub output: Output,
}

impl Listing {
    /// The most rows to read: `None` for all.
    pub fn limit(&self) -> Option<usize> {
        Some(self.limit).filter(|limit| *limit > 0)
    }

    /// What to tell people below a table of `shown` rows if there may be more of them.
    pub fn note(&self, shown: usize) -> Option<String> {
        let limit = self.limit().filter(|limit| *limit <= shown)?;
        Some(format!("only the newest {limit} are shown; --limit shows more"))
    }
}
