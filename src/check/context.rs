//! The input of rules: recipe, catalog and workspace, with derived data.

use std::cell::{Cell, OnceCell};
use std::sync::Arc;

use super::builtin_shapes;
use super::template_site::{self, Position, TemplateSite};
use super::workspace_info::WorkspaceInfo;
use crate::catalog::{Builtin, Catalog, Connector, Operation};
use crate::diagnostic::{Diagnostic, MAX_SHOWN};
use crate::recipe::{Action, Poll, Recipe, Trigger, Webhook};
use crate::source::Spanned;
use crate::template::TemplateTree;
use crate::value::Shape;

/// A recipe and its environment, with data that several rules need.
pub struct Context<'a> {
    /// The recipe.
    pub recipe: &'a Recipe,
    /// All operations.
    pub catalog: &'a Arc<Catalog>,
    /// The workspace.
    pub workspace_info: &'a WorkspaceInfo,
    /// All texts that may contain templates.
    pub texts: Vec<TemplateSite<'a>>,
    /// Those with expressions.
    pub sites: Vec<TemplateSite<'a>>,
    /// All uses of operations: the poller, that of its parents, then the steps.
    pub calls: Vec<Call<'a>>,
    /// The shape of `connection` in templates.
    pub connection: Shape,
    /// What templates see as `event`, of a poll once a run has begun.
    pub event: Option<Shape>,
    /// The same where the record could not be read, as `on_failure` may find it; `None` where none is read first.
    pub unread_event: Option<Shape>,
    /// The poller of a poll's parents.
    pub parents: Option<&'a Arc<Operation>>,
    /// The number of suggestions so far.
    suggested: Cell<usize>,
    /// See `stops`.
    stops: OnceCell<[Vec<usize>; 2]>,
}

/// A use of an operation.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// The id as written.
    pub name: &'a Spanned<String>,
    /// The operation, if the catalog has it.
    pub operation: Option<&'a Arc<Operation>>,
    /// Its inputs.
    pub with: &'a TemplateTree,
    /// The step; `None` for the trigger's pollers.
    pub action: Option<&'a Action>,
}

impl<'a> Context<'a> {
    /// For `recipe`, which may be broken.
    pub fn new(recipe: &'a Recipe, catalog: &'a Arc<Catalog>, workspace_info: &'a WorkspaceInfo) -> Self {
        let (poller, parents) = match &recipe.trigger {
            Trigger::Poll(Poll { operation, with, over, .. }) => {
                let parents = over.as_ref().map(|over| (&over.operation, &over.with, None));
                (Some((operation, with, None)), parents)
            }
            _ => (None, None),
        };
        let steps = recipe.all_actions().map(|action| (&action.operation, &action.with, Some(action)));
        let calls = poller
            .into_iter()
            .chain(parents)
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
        let poller = match &recipe.trigger {
            Trigger::Poll(poll) => operation(recipe, catalog, workspace_info, &poll.operation, None),
            _ => None,
        };
        let parents = match &recipe.trigger {
            Trigger::Poll(Poll { over: Some(over), .. }) => {
                operation(recipe, catalog, workspace_info, &over.operation, None)
            }
            _ => None,
        };
        let is_whole = matches!(&recipe.trigger, Trigger::Poll(poll) if poll.hydrate.value);
        let mut unread_event = None;
        let event = match &recipe.trigger {
            Trigger::Webhook(Webhook::Events { connector, types, hydrate: true, .. }) => {
                let app = catalog.connector(connector);
                let known: Vec<_> = types.iter().filter_map(|name| app?.events.get(name.as_str())).collect();
                let event = builtin_shapes::hydrated_event(&known, catalog);
                unread_event = event.as_ref().map(|event| builtin_shapes::unread_event(&known, event));
                if builtin_shapes::may_stay_unread(&known) { unread_event.clone() } else { event }
            }
            Trigger::Webhook(Webhook::Events { connector, types, .. }) => {
                let app = catalog.connector(connector);
                let known = types.iter().filter_map(|name| app?.events.get(name.as_str()));
                // A record within the body has fields of its own.
                let flat: Vec<_> = known.filter(|event| event.record == "$").collect();
                Some(builtin_shapes::webhook_event(&flat))
            }
            _ => poller.and_then(|poller| {
                let read = catalog.record_read(poller).filter(|_| is_whole).map(|(read, _)| read);
                let event = builtin_shapes::event(poller, read, parents.map(Arc::as_ref));
                unread_event =
                    read.and(event.as_ref()).map(|event| builtin_shapes::unread_item(poller, event));
                event
            }),
        };
        let suggested = Cell::new(0);
        let stops = OnceCell::new();
        Self {
            recipe,
            catalog,
            workspace_info,
            texts,
            sites,
            calls,
            connection,
            event,
            unread_event,
            parents,
            suggested,
            stops,
        }
    }

    /// Adds "did you mean" to `diagnostic` if one of `known` is close to `name`. Limited to as many diagnostics as
    /// are shown, because each search compares all names.
    pub fn suggest<'n>(
        &self,
        diagnostic: Diagnostic,
        name: &str,
        known: impl IntoIterator<Item = &'n str>,
    ) -> Diagnostic {
        if self.may_suggest() { diagnostic.suggest(name, known) } else { diagnostic }
    }

    /// Whether another suggestion is shown, which is counted.
    pub fn may_suggest(&self) -> bool {
        self.suggested.set(self.suggested.get() + 1);
        self.suggested.get() <= MAX_SHOWN
    }

    /// What templates at `position` see as `event`.
    pub(super) fn event_at(&self, position: &Position<'_>) -> Option<&Shape> {
        let unread = match position {
            Position::Step { after_failure: true, .. } => self.unread_event.as_ref(),
            _ => None,
        };
        unread.or(self.event.as_ref())
    }

    /// The steps that end the run, as indexes among the actions or those of `on_failure`.
    pub(super) fn stops(&self, after_failure: bool) -> &[usize] {
        let stops = self.stops.get_or_init(|| {
            let among = |actions: &'a [Action]| {
                let all = actions.iter().enumerate();
                all.filter(|(_, action)| self.ends_run(action)).map(|(index, _)| index).collect()
            };
            [among(&self.recipe.actions), among(&self.recipe.on_failure)]
        });
        &stops[usize::from(after_failure)]
    }

    /// The operation of `action`.
    pub fn operation(&self, action: &Action) -> Option<&'a Arc<Operation>> {
        operation(self.recipe, self.catalog, self.workspace_info, &action.operation, Some(action))
    }

    /// Whether the run ends after this step, if it runs.
    pub fn ends_run(&self, action: &Action) -> bool {
        let builtin = self.operation(action).and_then(|operation| operation.builtin);
        builtin == Some(Builtin::Stop) && action.for_each.is_none()
    }

    /// Uses of operations that exist in the catalog.
    pub fn known_calls(&self) -> impl Iterator<Item = (&Call<'a>, &'a Arc<Operation>)> {
        self.calls.iter().filter_map(|call| Some((call, call.operation?)))
    }

    /// The connections that a call may use; empty if the workspace is unknown.
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

/// The operation `name` in the requested version. If that version lacks it, which a rule reports, the default
/// version, so that its inputs are checked as well.
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

    /// Whether recovery from syntax errors may have dropped the input `name`, so that its absence means nothing.
    pub fn may_have_dropped(&self, recipe: &Recipe, name: &str) -> bool {
        let holder = self.action.map_or(recipe.trigger_span, |action| action.span);
        recipe.dropped_fields().within(holder, "with") || recipe.dropped_fields().within(self.with.span, name)
    }
}
