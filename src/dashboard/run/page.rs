//! The page.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::recipe_path::{Line, lines};
use super::version_text::VersionText;
use super::waterfall::{Bar, Scale};
use crate::dashboard::changes::fingerprint;
use crate::dashboard::page_error::PageError;
use crate::dashboard::state::Dashboard;
use crate::dashboard::visitor::Visitor;
use crate::journal::{Journal, RunDetail, RunRow};
use crate::overview::{Trace, TracedStep, history_page};
use crate::run::{Entry, FoundLink, MirroredToken, RunState};
use crate::template::{LinkEnd, LinkQuery};
use crate::value::shortened;

/// Most characters of a text within a value.
const MAX_TEXT: usize = 20_000;

/// How the page is asked for after an act.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::dashboard) struct Asked {
    /// Why the act was not done.
    refused: Option<String>,
    /// What was done.
    done: Option<String>,
}

#[derive(Serialize)]
struct Page<'a> {
    run: &'a RunRow,
    lane: &'a str,
    accounts: Vec<(&'a str, &'a str)>,
    event: Event<'a>,
    why_not: Option<&'static str>,
    behind: Option<String>,
    vars: Vec<(&'a String, String)>,
    steps: Vec<Step<'a>>,
    before: Option<Bar>,
    milliseconds: i64,
    links: Vec<Link>,
    recipe: Option<RecipeText>,
    history: String,
    acts: &'static [&'static str],
    /// What an open page has seen, if the run may still change.
    seen: Option<String>,
    asked_refused: Option<String>,
    asked_done: Option<String>,
}

#[derive(Serialize)]
struct Event<'a> {
    id: &'a str,
    kind: String,
    source: String,
    connection: Option<&'a str>,
    payload: String,
}

#[derive(Serialize)]
struct Step<'a> {
    #[serde(flatten)]
    step: &'a TracedStep,
    bars: Vec<Bar>,
    with: Option<String>,
    came_to: Option<String>,
}

#[derive(Serialize)]
struct Link {
    step: String,
    name: String,
    of: String,
    found: Option<String>,
}

#[derive(Serialize)]
struct RecipeText {
    file: String,
    version: String,
    is_current: bool,
    lines: Vec<Line>,
}

/// The page. A beginning of an id leads to the page of the run.
pub(in crate::dashboard) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let journal = dashboard.services().journal.as_ref();
    let row = find(journal, &id).await?;
    if row.id.0 != id {
        return Ok(Redirect::to(&format!("/runs/{}", row.id)).into_response());
    }
    let gone = || PageError::NotFound(format!("run {id} is gone"));
    let detail = journal.run(&row.id).await?.ok_or_else(gone)?;
    let ahead = journal.lane_head(&row.recipe, &detail.run.lane).await?;
    let tokens = detail.entries.iter().flat_map(|entry| &entry.tokens);
    dashboard.services().redactor.add_short_lived(tokens.map(MirroredToken::secret));
    let kept = VersionText::of(&dashboard, &detail).await?;
    let read = kept.as_ref().and_then(|kept| kept.recipe.as_ref());
    let trace = Trace::new(&detail, read, ahead.as_ref());
    let mut page = page(&dashboard, &detail, &trace, kept.as_ref(), asked);
    if goes_on(detail.row.state) {
        page.seen = Some(fingerprint(&detail.row)?);
    }
    dashboard.page("run.html", &visitor, &page)
}

/// The run with this id, or with the only one that begins so.
pub(super) async fn find(journal: &dyn Journal, id: &str) -> Result<RunRow, PageError> {
    let full = if id.starts_with("run_") { id.to_owned() } else { format!("run_{id}") };
    let mut found = journal.runs_by_prefix(&full, 2).await?;
    match found.iter().position(|row| row.id.0 == full) {
        Some(place) => Ok(found.swap_remove(place)),
        None if found.len() == 1 => Ok(found.swap_remove(0)),
        None if found.is_empty() => Err(PageError::NotFound(format!("there is no run {id}"))),
        None => Err(PageError::NotFound(format!("several runs begin with {id}"))),
    }
}

fn page<'a>(
    dashboard: &Dashboard,
    detail: &'a RunDetail,
    trace: &'a Trace,
    kept: Option<&VersionText>,
    asked: Asked,
) -> Page<'a> {
    let RunDetail { row, run, event, entries } = detail;
    let scale = Scale::of(trace, dashboard.services().clock.now());
    let step = |step: &'a TracedStep| Step {
        step,
        bars: step.spans.iter().map(|span| scale.bar(span)).collect(),
        with: step.inputs.as_ref().map(pretty),
        came_to: step.result.as_ref().map(pretty),
    };
    let steps: Vec<Step<'_>> = trace.steps.iter().map(step).collect();
    let links = entries.iter().filter_map(|stamped| match &stamped.entry {
        Entry::LinksFound { step, links } => {
            Some(links.iter().map(move |link| shown(step.to_string(), link)))
        }
        _ => None,
    });
    Page {
        run: row,
        lane: &run.lane,
        accounts: run.accounts.iter().map(|(connector, name)| (connector.as_str(), name.as_str())).collect(),
        event: Event {
            id: &event.id.0,
            kind: event.kind.to_string(),
            source: event.source.to_string(),
            connection: event.connection.as_deref(),
            payload: pretty(&event.payload),
        },
        why_not: why_not(row.state),
        behind: trace.behind.as_ref().map(ToString::to_string),
        vars: trace.vars.iter().map(|(name, value)| (name, value.to_string())).collect(),
        before: scale.before(trace.began),
        steps,
        milliseconds: scale.milliseconds(),
        links: links.flatten().collect(),
        recipe: kept.map(|kept| RecipeText {
            file: kept.file.clone(),
            version: kept.version.clone(),
            is_current: kept.is_current,
            lines: lines(&kept.text, kept.recipe.as_ref(), &trace.steps),
        }),
        history: history_page(detail, &dashboard.services().redactor),
        acts: acts(row.state),
        seen: None,
        asked_refused: asked.refused,
        asked_done: asked.done,
    }
}

/// What can be done about a run in this state.
fn acts(state: RunState) -> &'static [&'static str] {
    match state {
        RunState::Parked => &["did-not", "happened", "skip"],
        RunState::Failed => &["retry", "restart", "skip"],
        RunState::Waiting => &["skip"],
        _ => &[],
    }
}

/// Whether a run in this state may change, by itself or by what a person does.
fn goes_on(state: RunState) -> bool {
    !state.is_finished() || !acts(state).is_empty()
}

/// What it means that a run in this state did nothing.
fn why_not(state: RunState) -> Option<&'static str> {
    Some(match state {
        RunState::Filtered => "It did not run, because the recipe's condition was false.",
        RunState::Suppressed => "It did not run, because its event is an echo of hob's own write.",
        RunState::Skipped => "It was given up, or was not needed.",
        RunState::Waiting => "It waits.",
        RunState::Parked => {
            "It waits for you: what became of a request is not known, and hob does not guess."
        }
        RunState::Running | RunState::Succeeded | RunState::Failed => return None,
    })
}

fn shown(step: String, link: &FoundLink) -> Link {
    let FoundLink { query: LinkQuery { name, known }, found } = link;
    let (LinkEnd::From(of) | LinkEnd::To(of)) = known;
    Link { step, name: name.clone(), of: of.clone(), found: found.clone() }
}

fn pretty(value: &Value) -> String {
    format!("{:#}", shortened(value.clone(), MAX_TEXT))
}
