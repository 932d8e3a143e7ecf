//! `hob init`: creates a workspace.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::{ExitCode, Failure, Session, schema};
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
        let own = [
            ("hob.yaml", include_str!("starter/hob.yaml")),
            ("recipes/watch-contacts.yaml", include_str!("starter/recipe.yaml")),
            ("recipes/watch-contacts.test.yaml", include_str!("starter/test.yaml")),
            (".env.example", include_str!("starter/env.example")),
            (".gitignore", include_str!("starter/gitignore")),
            (".vscode/settings.json", include_str!("starter/vscode.json")),
        ];
        let own = own.map(|(name, content)| (name.to_owned(), content.to_owned()));
        for (name, content) in own.into_iter().chain(schema::files(&Catalog::built_in())) {
            let written = write_new(&folder.join(&name), &content).map_err(Failure::unavailable)?;
            let word = if written { "wrote" } else { "kept " };
            session.streams.say(format!("{word} {}", self.dir.join(&name).display()))?;
        }
        let mut lines = vec!["", "Next:"];
        let enter = format!("  cd {}", self.dir.display());
        if self.dir.as_os_str() != "." {
            lines.push(&enter);
        }
        lines.push("  hob test                    test the recipe, without any request");
        lines.push("  hob run --sandbox --once    run the recipe on example data, without any account");
        lines.push(
            "  hob run --once              run it on your account; first set in .env what .env.example lists",
        );
        lines.into_iter().for_each(|line| session.streams.note(line));
        Ok(ExitCode::Fine)
    }
}

/// Whether the file was written; an existing one stays.
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
