//! Files that may be sent.

use std::path::{Path, PathBuf};

use super::Rule;
use crate::check::Context;
use crate::diagnostic::{Code, Diagnostic};
use crate::template::{TemplateTree, TreeShape};
use crate::value::{Shape, normalized};

/// Literal file paths are in the folders that the workspace lists.
pub struct SendableFiles;

impl Rule for SendableFiles {
    fn summary(&self) -> &'static str {
        "Files that a step sends lie in a folder that `hob.yaml` lists under `files`, or were downloaded by the run itself."
    }

    fn check(&self, context: &Context<'_>, found: &mut Vec<Diagnostic>) {
        let Some((root, folders)) = &context.workspace_info.files else { return };
        for (call, operation) in context.known_calls() {
            for (key, value) in call.inputs() {
                if operation.input(key).is_some_and(|input| takes_files(input.shape)) {
                    files(&key.value, value, root, folders, found);
                }
            }
        }
    }
}

fn takes_files(shape: &Shape) -> bool {
    let is_file = |shape: &Shape| shape.format.as_deref() == Some("binary");
    is_file(shape) || shape.items.as_deref().is_some_and(is_file)
}

fn files(name: &str, value: &TemplateTree, root: &Path, folders: &[PathBuf], found: &mut Vec<Diagnostic>) {
    match &value.shape {
        TreeShape::List(items) => items.iter().for_each(|item| files(name, item, root, folders, found)),
        TreeShape::Text(template) if template.is_literal() => {
            let path = normalized(&normalized(root).join(template.text()));
            if !folders.iter().any(|folder| path.starts_with(folder)) {
                let message = format!(
                    "`{name}` is {:?}, which lies in no folder that may be sent from",
                    template.text()
                );
                let folder = path.parent().and_then(|folder| folder.strip_prefix(normalized(root)).ok());
                let folder = folder.map(|folder| folder.display().to_string());
                let folder = folder.filter(|folder| !folder.is_empty()).unwrap_or("attachments".into());
                let help = format!(
                    "keep such files in a folder of their own and list it in hob.yaml: `files: [{folder}]`"
                );
                found.push(Diagnostic::new(Code::NotAllowed, value.span, message).help(help));
            }
        }
        _ => {}
    }
}
