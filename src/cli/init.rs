//! `hob init`: a workspace to start from.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::schema::{recipe, text};
use super::{ExitCode, Failure, Session};
use crate::catalog::Catalog;

/// Make a workspace that validates and runs in the sandbox right away
#[derive(Debug, Args)]
#[command(after_help = "Existing files are not overwritten.\n\n\
Examples:\n  hob init my-studio\n  cd my-studio && hob run --sandbox --once")]
pub struct Init {
    /// The folder; it may exist already
    #[arg(default_value = ".")]
    dir: PathBuf,
}

impl Init {
    /// Writes the files.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let folder = session.path(&self.dir);
        let files = [
            ("hob.yaml", include_str!("starter/hob.yaml").to_owned()),
            ("recipes/watch-contacts.yaml", include_str!("starter/recipe.yaml").to_owned()),
            (".env.example", include_str!("starter/env.example").to_owned()),
            (".gitignore", include_str!("starter/gitignore").to_owned()),
            ("schemas/recipe.schema.json", recipe(&Catalog::built_in())),
            ("schemas/workspace.schema.json", text(crate::workspace::schema())),
        ];
        for (name, content) in files {
            let written = write_new(&folder.join(name), &content).map_err(Failure::world)?;
            let word = if written { "wrote" } else { "kept " };
            session.streams.say(format!("{word} {}", self.dir.join(name).display()))?;
        }
        let mut lines = vec!["", "Next:"];
        let enter = format!("  cd {}", self.dir.display());
        if self.dir.as_os_str() != "." {
            lines.push(&enter);
        }
        lines.push("  hob run --sandbox --once    run the recipe on example data, without any account");
        lines.push(
            "  hob run --once              run it on your account; first set in .env what .env.example lists",
        );
        lines.into_iter().for_each(|line| session.streams.note(line));
        Ok(ExitCode::Fine)
    }
}

/// Whether the file was written; one that exists is left as it is.
fn write_new(path: &Path, content: &str) -> anyhow::Result<bool> {
    let context = || format!("cannot write {}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(context)?;
    }
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(content.as_bytes()).map(|()| true).with_context(context),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error).with_context(context),
    }
}
