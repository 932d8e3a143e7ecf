//! Environment variables listed by the workspace.

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Code, Diagnostic};
use crate::template::{PathStep, Use};

/// Every `env.NAME` is listed in `hob.yaml`.
pub struct ListedEnv;

impl Rule for ListedEnv {
    fn summary(&self) -> &'static str {
        "Every `env.NAME` is listed under `env` in hob.yaml."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        if !context.workspace_info.known {
            return;
        }
        let listed = &context.workspace_info.env;
        for site in &context.sites {
            for used in site.template.uses() {
                let Use::Path { root, steps, range, .. } = used else { continue };
                let ("env", Some(PathStep::Field(name))) = (root.as_str(), steps.first()) else { continue };
                if listed.contains(name) {
                    continue;
                }
                let message = format!("`env.{name}` is not listed in hob.yaml");
                let place = site.template.place(range.clone());
                let diagnostic = Diagnostic::new(Code::UnlistedEnv, place, message)
                    .help(format!("add `{name}` to `env` there"));
                found.push(context.suggest(diagnostic, name, listed.iter().map(String::as_str)));
            }
        }
    }
}
