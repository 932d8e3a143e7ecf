//! `hob completions`: completions of commands and options for shells.

use clap::Args;
use clap_complete::Shell;

use super::{ExitCode, Failure, Session};

/// Print shell completions
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  hob completions bash > ~/.local/share/bash-completion/completions/hob\n  \
hob completions zsh > ~/.zfunc/_hob"
)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    /// Prints them for `grammar`.
    pub fn run(&self, session: &mut Session, mut grammar: clap::Command) -> Result<ExitCode, Failure> {
        // Rendered first: the generator panics when it cannot write.
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut grammar, "hob", &mut text);
        session.streams.output.write_all(&text)?;
        Ok(ExitCode::Fine)
    }
}
