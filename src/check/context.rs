//! What rules read: the recipe, the catalog and the workspace, with shortcuts.

use std::cell::Cell;
use std::sync::Arc;

use super::builtin_shapes;
use super::template_site::{self, TemplateSite};
use super::workspace_info::WorkspaceInfo;
use crate::catalog::{Catalog, Connector, Operation};
use crate::diagnostic::{Diagnostic, MOST};
use crate::recipe::{Action, Poll, Recipe, Trigger};
use crate::source::Spanned;
use crate::template::TemplateTree;
use crate::value::Shape;

/// A recipe and its surroundings, with what several rules need worked out once.
pub struct Context<'a> {
    /// The recipe.
    pub recipe: &'a Recipe,
    /// All operations.
    pub catalog: &'a Arc<Catalog>,
    /// The workspace.
    pub workspace_info: &'a WorkspaceInfo,
    /// All texts that may be templates.
    pub texts: Vec<TemplateSite<'a>>,
    /// Those of them that have expressions.
    pub sites: Vec<TemplateSite<'a>>,
    /// All uses of operations: the poller, then the steps.
    pub calls: Vec<Call<'a>>,
    /// What templates see as `connection`.
    pub connection: Shape,
    /// Suggestions made so far.
    suggested: Cell<usize>,
}

/// A place where a recipe names an operation.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// The id as written.
    pub name: &'a Spanned<String>,
    /// The operation, if the catalog has it.
    pub operation: Option<&'a Arc<Operation>>,
    /// Its inputs.
    pub with: &'a TemplateTree,
    /// The step; `None` for the poller of the trigger.
    pub action: Option<&'a Action>,
}

impl<'a> Context<'a> {
    pub(super) fn new(
        recipe: &'a Recipe,
        catalog: &'a Arc<Catalog>,
        workspace_info: &'a WorkspaceInfo,
    ) -> Self {
        let poller = match &recipe.trigger {
            Trigger::Poll(Poll { operation, with, .. }) => Some((operation, with, None)),
            _ => None,
        };
        let steps = recipe.all_actions().map(|action| (&action.operation, &action.with, Some(action)));
        let calls = poller
            .into_iter()
            .chain(steps)
            .map(|(name, with, action)| Call {
                name,
                operation: operation(recipe, catalog, workspace_info, name, action),
                with,
                action,
            })
            .collect();
        let connection = builtin_shapes::connection(recipe, catalog);
        let texts = template_site::all(recipe);
        let sites = texts.iter().filter(|site| !site.template.is_literal()).copied().collect();
        Self { recipe, catalog, workspace_info, texts, sites, calls, connection, suggested: Cell::new(0) }
    }

    /// `diagnostic` with "did you mean", if one of `known` is close to `name`. Only as many as are shown get one: to find
    /// it, all names are looked at.
    pub fn suggest<'n>(
        &self,
        diagnostic: Diagnostic,
        name: &str,
        known: impl IntoIterator<Item = &'n str>,
    ) -> Diagnostic {
        self.suggested.set(self.suggested.get() + 1);
        if self.suggested.get() > MOST { diagnostic } else { diagnostic.suggest(name, known) }
    }

    /// The operation that `action` names.
    pub fn operation(&self, action: &Action) -> Option<&'a Arc<Operation>> {
        operation(self.recipe, self.catalog, self.workspace_info, &action.operation, Some(action))
    }

    /// Uses of operations that the catalog has.
    pub fn known_calls(&self) -> impl Iterator<Item = (&Call<'a>, &'a Arc<Operation>)> {
        self.calls.iter().filter_map(|call| Some((call, call.operation?)))
    }

    /// The connections that a call may go through; none where the workspace does not say.
    pub fn connections_of(&self, call: &Call<'a>, connector: &'a str) -> Vec<&'a str> {
        if let Some(given) = call.action.and_then(|action| action.connection.as_ref()) {
            return vec![given];
        }
        super::accounts::chosen(self.recipe, self.workspace_info, connector)
    }

    /// The operation of a poll trigger.
    pub fn poller(&self, poll: &crate::recipe::Poll) -> Option<&'a Arc<Operation>> {
        operation(self.recipe, self.catalog, self.workspace_info, &poll.operation, None)
    }

    /// The connector of an operation.
    pub fn connector_of(&self, operation: &Operation) -> Option<&'a Arc<Connector>> {
        self.catalog.connector(&operation.connector)
    }
}

/// The operation called `name` in the version that is asked for. Where that version lacks it, which a
/// rule tells, the usual one, so that its inputs are checked too.
fn operation<'a>(
    recipe: &Recipe,
    catalog: &'a Arc<Catalog>,
    workspace_info: &WorkspaceInfo,
    name: &str,
    action: Option<&Action>,
) -> Option<&'a Arc<Operation>> {
    let usual = catalog.operation(name)?;
    let version = super::accounts::version(recipe, workspace_info, action, &usual.connector);
    catalog.operation_in(name, version).or(Some(usual))
}

impl Call<'_> {
    /// The entries of `with`.
    pub fn inputs(&self) -> &[(Spanned<String>, TemplateTree)] {
        match &self.with.shape {
            crate::template::TreeShape::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Whether mending may have lost the input called `name`, so that its absence means nothing.
    pub fn may_have_dropped(&self, recipe: &Recipe, name: &str) -> bool {
        let holder = self.action.map_or(recipe.trigger_span, |action| action.span);
        recipe.dropped_fields().within(holder, "with") || recipe.dropped_fields().within(self.with.span, name)
    }
}
