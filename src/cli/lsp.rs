//! `hob lsp`: the language server for editors.

use clap::Args;

use super::{ExitCode, Failure, Session};
use crate::lsp;

/// Help editors to write recipes: completion, hover, mistakes, renaming
#[derive(Debug, Args)]
#[command(
    after_help = "Editors start it themselves and speak to it on standard input and output; docs/editors.md says \
how to set them up. It sends no requests and changes no files."
)]
pub struct Lsp {
    /// Accepted, because editors pass it: it is the only way to speak to it
    #[arg(long, hide = true)]
    stdio: bool,
}

impl Lsp {
    /// Serves until the editor ends it.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        tracing::debug!(stdio = self.stdio, "serving an editor");
        let input = std::mem::replace(&mut session.streams.input, Box::new(std::io::empty()));
        let variables = session.environment.variables.clone();
        let in_order = lsp::serve(input, &mut session.streams.output, variables)?;
        Ok(if in_order { ExitCode::Fine } else { ExitCode::Problems })
    }
}
