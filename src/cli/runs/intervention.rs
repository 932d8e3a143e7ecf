//! Common parts of `hob runs retry`, `skip` and `resolve`: interventions in runs.

use anyhow::anyhow;
use serde_json::json;

use super::run_selector::{RunSelector, find};
use crate::cli::acts::User;
use crate::cli::recipes::Recipes;
use crate::cli::store::open_present;
use crate::cli::{ExitCode, Failure, Format, Session, StoreChoice, runtime};
use crate::clock::Clock;
use crate::intervention::{Continued, Intervention, Left, Outcome, OutcomeCounts, apply};
use crate::journal::{Access, Journal};
use crate::run::{OperatorAction, RunState};

/// An intervention in the runs that a command line selects.
pub(super) struct Command {
    /// The state of the selected runs, unless the selector names another.
    pub(super) default_state: RunState,
    pub(super) intervention: Intervention,
}

/// Applies the intervention of `command` to the runs `ids`, or to those that `which` selects.
pub(super) fn intervene(
    session: &mut Session,
    ids: &[String],
    which: &RunSelector,
    store: StoreChoice,
    command: &Command,
    format: Format,
) -> Result<ExitCode, Failure> {
    if ids.is_empty() && which.is_everything() {
        let reason = "which runs? Give ids, or --cause, --recipe, --state, --record, --since or --text";
        return Err(Failure::usage(anyhow!(reason)));
    }
    if !ids.is_empty() && !which.is_everything() {
        return Err(Failure::usage(anyhow!("give ids or filters, not both")));
    }
    let workspace = session.workspace_or_its_sandbox(&[], store)?;
    let recipes = Recipes::load(session, &[], &workspace.catalog, Some(&workspace))?;
    let user = User::of(session);
    let outcomes = runtime::block_on(async {
        let Some(journal) = open_present(&workspace, Access::Client).await? else {
            return Err(Failure::usage(anyhow!("there is no history yet")));
        };
        let outcomes = apply_to_all(journal.as_ref(), ids, which, command, &recipes).await;
        let recorded = match &outcomes {
            Ok(outcomes) if !command.intervention.dry => {
                let changed = outcomes.iter().filter(|outcome| outcome.refused.is_none()).count() as u64;
                let target = target(ids, which);
                match changed {
                    0 => Ok(()),
                    runs => user.did(journal.as_ref(), command.intervention.act(), &target, runs).await,
                }
            }
            _ => Ok(()),
        };
        journal.close().await;
        recorded.and(outcomes)
    })??;
    if command.intervention.dry && format == Format::Text {
        return preview(session, &outcomes, &command.intervention);
    }
    print(session, &outcomes, format)?;
    let refused = outcomes.iter().any(|outcome| outcome.refused.is_some());
    Ok(if refused { ExitCode::Problems } else { ExitCode::Fine })
}

/// Which runs were meant, for the audit log.
fn target(ids: &[String], which: &RunSelector) -> String {
    if ids.is_empty() { which.to_string() } else { format!("run {}", ids.join(", ")) }
}

async fn apply_to_all(
    journal: &dyn Journal,
    ids: &[String],
    which: &RunSelector,
    command: &Command,
    recipes: &Recipes,
) -> Result<Vec<Outcome>, Failure> {
    let mut outcomes = Vec::new();
    if ids.is_empty() {
        // A cause is of runs in a certain state.
        let usual = which.cause.is_none().then_some(command.default_state);
        let which = RunSelector { state: which.state.or(usual), ..which.clone() };
        let rows = which.rows(journal, &recipes.names(), None).await?;
        // In the order of their events, because of lanes.
        for row in rows.into_iter().rev() {
            outcomes.push(
                apply(journal, row, &command.intervention, &recipes.sound, Clock::system().now())
                    .await
                    .map_err(Failure::unavailable)?,
            );
        }
    }
    for id in ids {
        let row = find(journal, id).await?;
        outcomes.push(
            apply(journal, row, &command.intervention, &recipes.sound, Clock::system().now())
                .await
                .map_err(Failure::unavailable)?,
        );
    }
    Ok(outcomes)
}

/// Most reasons of runs that would be left as they are.
const MAX_REASONS: usize = 20;

/// Tells what would happen to how many runs.
fn preview(
    session: &mut Session,
    outcomes: &[Outcome],
    intervention: &Intervention,
) -> Result<ExitCode, Failure> {
    let what = match intervention.action {
        OperatorAction::Retry => "retried",
        OperatorAction::Restart => "done again from the start",
        OperatorAction::Skip => "skipped",
        OperatorAction::Happened(_) | OperatorAction::DidNotHappen => "resolved",
    };
    let mut counts = OutcomeCounts::default();
    outcomes.iter().cloned().for_each(|outcome| counts.add(outcome));
    let of: Vec<String> = counts.done.iter().map(|(recipe, count)| format!("{count} of {recipe}")).collect();
    let of = if of.is_empty() { String::new() } else { format!(": {}", of.join(", ")) };
    session.streams.say(format!("{} would be {what}{of}", counts.changed()))?;
    for Continued { recipe, version, changed, same, .. } in counts.continued() {
        let told = match (changed, same) {
            (0, 0) => continue,
            (0, _) => "with which they failed; unless something else was mended, they fail again".to_owned(),
            (_, 0) => "which was changed since they began".to_owned(),
            (_, same) => format!("which was changed since they began, except for {same}"),
        };
        session
            .streams
            .say(format!("they would go on with {recipe} as it is now, version {version}, {told}"))?;
    }
    let left = counts.left();
    for Left { runs, state, reason, example } in left.iter().take(MAX_REASONS) {
        let stays = if *runs == 1 { "stays" } else { "stay" };
        session.streams.say(format!("{runs} {stays} {state}, because {reason} ({example})"))?;
    }
    if left.len() > MAX_REASONS {
        session.streams.note("there are more reasons; --format json shows each run");
    }
    Ok(if left.is_empty() { ExitCode::Fine } else { ExitCode::Problems })
}

fn print(session: &mut Session, outcomes: &[Outcome], format: Format) -> Result<(), Failure> {
    if format == Format::Json {
        let rows = outcomes.iter().map(|outcome| {
            json!({ "id": outcome.id, "recipe": outcome.recipe, "state": outcome.state, "refused": outcome.refused })
        });
        session.streams.json(&rows.collect::<Vec<_>>())?;
        return Ok(());
    }
    for Outcome { id, recipe, state, refused, .. } in outcomes {
        match refused {
            None => session.streams.say(format!("{id}  {recipe}  {state}"))?,
            Some(reason) => session.streams.note(format!("{id}  {recipe}  left as it is: {reason}")),
        }
    }
    match outcomes
        .iter()
        .filter(|outcome| outcome.refused.is_none() && outcome.state == RunState::Waiting)
        .count()
    {
        0 if outcomes.is_empty() => session.streams.note("no runs match"),
        0 => {}
        _ => session.streams.note("a running `hob run` picks them up at once; otherwise the next one does"),
    }
    Ok(())
}
