//! Operations in other versions of the API.

use super::version::{ApiVersion, Change, Versions, rename, set_values};
use super::{Operation, renamed};

impl Versions {
    /// `operation` in every version that has it.
    pub(super) fn variants(&self, operation: &Operation) -> impl Iterator<Item = (String, Operation)> {
        self.versions.iter().filter_map(|(name, version)| {
            let change = version.operations.get(&operation.id)?;
            Some((name.clone(), change.apply(operation, name, version)))
        })
    }
}

impl Change {
    fn apply(&self, base: &Operation, name: &str, version: &ApiVersion) -> Operation {
        let mut operation = base.clone();
        operation.api = Some(name.to_owned());
        if let (Some(own), Some(header)) = (&mut operation.version, &version.header) {
            own.clone_from(header);
        }
        if let Some(path) = &self.path {
            operation.path.clone_from(path);
        }
        operation.deprecated |= self.deprecated;
        let top = |(path, name): (&String, &String)| {
            (!path.contains(['.', '['])).then(|| (path.clone(), name.clone()))
        };
        operation.renamed = self.inputs.renamed.iter().filter_map(top).collect();
        for (old, new) in &operation.renamed {
            rename(&mut operation.parameters, old, new);
            rename(&mut operation.example, old, new);
        }
        operation.parameters.extend(self.parameters.clone());
        for (name, values) in &self.inputs.values {
            if let Some(parameter) = operation.parameters.get_mut(name) {
                set_values(&mut parameter.shape, values);
            }
        }
        renamed::rename(&mut operation, self, version);
        if let Some(body) = &mut operation.body {
            self.inputs.apply(&mut body.shape);
        }
        if let Some(answer) = &mut operation.response {
            self.answer.apply(answer);
        }
        operation
    }
}
