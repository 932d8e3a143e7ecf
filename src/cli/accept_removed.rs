//! `hob resume RECIPE --accept-removed COUNT`: accepts that records which polls withhold were removed.

use std::collections::BTreeSet;

use anyhow::anyhow;
use serde_json::json;

use super::acts::User;
use super::recipes::meant;
use super::store::open_existing;
use super::{ExitCode, Failure, Format, Session, StoreChoice, runtime};
use crate::clock::Clock;
use crate::event::Cursor;
use crate::journal::{Access, Act, Journal, PauseSubject, accept_removals, resume};

/// Accepts the withheld removals of one recipe, if they are at most `count`.
pub(super) fn run(
    session: &mut Session,
    recipes: &[String],
    count: u64,
    store: StoreChoice,
    format: Format,
) -> Result<ExitCode, Failure> {
    let [recipe] = recipes else {
        return Err(Failure::usage(anyhow!("--accept-removed is for one recipe: its count is that of one")));
    };
    let workspace = session.workspace_or_its_sandbox(&[], store)?;
    let user = User::of(session);
    let accepted = runtime::block_on(async {
        let Some(journal) = open_existing(&workspace, Access::Client).await? else { return Ok(Vec::new()) };
        let accepted = accept(journal.as_ref(), recipe, count, &user).await;
        journal.close().await;
        accepted
    })??;
    if accepted.is_empty() {
        return Err(Failure::problem(anyhow!(
            "no poll of `{recipe}` withholds removed records; `hob status` shows which do"
        )));
    }
    match format {
        Format::Json => {
            let row = |(cursor, missing): &(Cursor, u64)| json!({ "recipe": cursor.key.recipe(), "connection": cursor.health.connection, "accepted": missing, "due": cursor.due });
            session.streams.json(&accepted.iter().map(row).collect::<Vec<_>>())?;
        }
        Format::Text => {
            for (cursor, missing) in &accepted {
                let connection = cursor.health.connection.as_deref().unwrap_or_else(|| cursor.key.accounts());
                let recipe = cursor.key.recipe();
                session.streams.say(format!(
                    "{recipe} on {connection}: {missing} accepted as removed; the next poll reports those that are \
                     still gone"
                ))?;
            }
        }
    }
    Ok(ExitCode::Fine)
}

/// The cursors whose removals are accepted, with the number of records.
async fn accept(
    journal: &dyn Journal,
    recipe: &str,
    count: u64,
    user: &User,
) -> Result<Vec<(Cursor, u64)>, Failure> {
    let cursors = journal.cursors().await.map_err(Failure::unavailable)?;
    let meant = meant(recipe, cursors.iter().map(|cursor| cursor.key.recipe()));
    let mut withheld = Vec::new();
    for cursor in cursors.iter().filter(|cursor| meant.contains(&cursor.key.recipe())) {
        if let Some(removals) = &cursor.withheld {
            withheld.push((cursor.clone(), removals.missing));
        }
    }
    let recipes: BTreeSet<&str> = withheld.iter().map(|(cursor, _)| cursor.key.recipe()).collect();
    let recipe = match (recipes.first(), recipes.len()) {
        (Some(only), 1) => only,
        (None, _) => return Ok(Vec::new()),
        _ => {
            let names: Vec<String> = recipes.iter().map(|name| format!("`{name}`")).collect();
            let reason = anyhow!(
                "several recipes of `{recipe}` withhold removed records: name one of {}",
                names.join(", ")
            );
            return Err(Failure::usage(reason));
        }
    };
    let missing: u64 = withheld.iter().map(|(_, missing)| missing).sum();
    if missing > count {
        return Err(Failure::problem(anyhow!(
            "{missing} records of `{recipe}` are gone now, more than {count}; if they were removed: \
             `hob resume {recipe} --accept-removed {missing}`"
        )));
    }
    for (cursor, _) in &withheld {
        let Some(removals) = &cursor.withheld else { continue };
        accept_removals(journal, &cursor.key, removals).await.map_err(Failure::unavailable)?;
    }
    if !withheld.is_empty() {
        resume(journal, &PauseSubject::recipe(recipe), Clock::system().now())
            .await
            .map_err(Failure::unavailable)?;
        let target = format!("recipe {recipe}, {missing} records");
        user.did(journal, Act::AcceptRemoved, &target, 0).await?;
    }
    Ok(withheld)
}
