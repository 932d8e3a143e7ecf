//! Credentials that are written out.

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Code, Diagnostic};

/// Warns of credentials in recipes, which belong into the environment.
pub struct HiddenSecrets;

impl Rule for HiddenSecrets {
    fn summary(&self) -> &'static str {
        "No token, password or key is written out in a recipe."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        for credential in context.recipe.credentials() {
            let message =
                format!("this looks like {}, and everybody who reads the recipe sees it", credential.what);
            let help = "put it into the environment, list its name under `env` in hob.yaml, and write `{{ env.NAME }}`";
            found.push(Diagnostic::new(Code::WrittenSecret, credential.span, message).help(help));
        }
    }
}
