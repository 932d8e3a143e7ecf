//! The recipe that a test file is for.

use std::path::{Path, PathBuf};

use super::file::TestFile;
use crate::check::CheckedRecipe;
use crate::diagnostic::{Code, Diagnostic, closest};
use crate::source::Span;

/// Why there is no recipe for tests.
#[derive(Debug)]
pub struct NoRecipe {
    /// What is told about it.
    pub diagnostic: Diagnostic,
    /// There is one, with mistakes.
    pub is_broken: bool,
}

/// The file whose recipe is tested by the file at `path`, unless that states another: `a.test.yaml` → `a.yaml`.
pub fn beside(path: &Path) -> PathBuf {
    path.with_extension("").with_extension(path.extension().unwrap_or_default())
}

impl TestFile {
    /// The recipe that it is for, or why there is none. `beside` is the name of the file beside it; of recipes with
    /// mistakes, their names and files are known.
    pub fn tested_recipe<'r>(
        &self,
        beside: &str,
        sound: &'r [CheckedRecipe],
        broken: &[(Option<&str>, &str)],
    ) -> Result<&'r CheckedRecipe, NoRecipe> {
        if let Some(name) = &self.recipe {
            if let Some(recipe) = sound.iter().find(|recipe| recipe.name() == name.value) {
                return Ok(recipe);
            }
            let is_broken = broken.iter().any(|(broken, _)| *broken == Some(name.value.as_str()));
            let message = match is_broken {
                true => format!("recipe `{}` has mistakes", name.value),
                false => format!("there is no recipe `{}`", name.value),
            };
            let near = closest(&name.value, sound.iter().map(CheckedRecipe::name)).filter(|_| !is_broken);
            let diagnostic = Diagnostic::new(Code::NotAllowed, name.span, message);
            let diagnostic = match near {
                Some(near) => diagnostic.help(near.to_string()),
                None => diagnostic,
            };
            return Err(NoRecipe { diagnostic, is_broken });
        }
        let mut found = sound.iter().filter(|recipe| recipe.recipe().file.name() == beside);
        let place = Span::new(0, 0);
        let is_broken = broken.iter().any(|(_, file)| *file == beside);
        let message = match (found.next(), found.next()) {
            (Some(recipe), None) => return Ok(recipe),
            (Some(first), Some(second)) => format!(
                "{beside} stands for several recipes, such as `{}` and `{}`: name one under `recipe`",
                first.name(),
                second.name()
            ),
            _ if is_broken => format!("{beside} has mistakes"),
            _ => format!("there is no {beside}: name the recipe under `recipe`"),
        };
        Err(NoRecipe { diagnostic: Diagnostic::new(Code::MissingField, place, message), is_broken })
    }
}
