//! `hob store migrate`: copies one store into another.

use std::sync::Arc;

use anyhow::anyhow;
use clap::Args;

use super::import_marker::{begin_import, end};
use super::open::{open_existing_store, open_store};
use super::transfer::{Moved, Outgoing};
use crate::cli::{ExitCode, Failure, Session, runtime};
use crate::journal::{Access, Journal};
use crate::workspace::Store;

/// Copy everything from another store into the workspace's store
#[derive(Debug, Args)]
#[command(
    after_help = "Stop hob, name the new store in hob.yaml, run this command, start hob again. History, \
cursors, dedup keys, links and remembered values are copied; the old store stays as it is. If the command was \
interrupted, run it again, unless the old store has changed since.\n\n\
Examples:\n  hob store migrate --from sqlite:state/hob.db\n  hob store migrate --from '${OLD_DATABASE_URL}'"
)]
pub struct Migrate {
    /// The old store, as `store:` in hob.yaml named it; ${NAME} is read from the environment
    #[arg(long, value_name = "STORE")]
    from: String,
}

impl Migrate {
    /// Migrates.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let workspace = session.workspace(&[])?;
        let from = session.store(&self.from, &workspace.root)?;
        if from == workspace.store {
            return Err(Failure::usage(anyhow!(
                "that is the store in hob.yaml; name the new one there first"
            )));
        }
        let moved = Moved::new(session.streams.errors_is_terminal);
        let to = &workspace.store;
        match runtime::block_on(transfer(&from, to, moved))?? {
            Some(records) => session.streams.say(format!("copied {records} records from {from} to {to}"))?,
            None => session.streams.say(format!("everything from {from} is in {to} already"))?,
        }
        Ok(ExitCode::Fine)
    }
}

async fn transfer(from: &Store, to: &Store, moved: Moved) -> Result<Option<u64>, Failure> {
    let Some(old) = open_existing_store(from, Access::Runner).await? else {
        return Err(Failure::usage(anyhow!("there is no store at {from}")));
    };
    let new = open_store(to, Access::Runner).await?;
    let done = copy((&old, from), (&new, to), moved).await;
    new.close().await;
    old.close().await;
    done
}

async fn copy(
    (old, from): (&Arc<dyn Journal>, &Store),
    (new, to): (&Arc<dyn Journal>, &Store),
    mut moved: Moved,
) -> Result<Option<u64>, Failure> {
    let mut outgoing = Outgoing::for_good(old.as_ref(), from).await?;
    let source = outgoing.source().clone();
    if !begin_import(new.as_ref(), to, &source).await? {
        return Ok(None);
    }
    while let Some(records) = outgoing.next().await? {
        moved.add(records.len());
        new.import(records).await.map_err(Failure::unavailable)?;
    }
    outgoing.end().await?;
    end(new.as_ref(), &source).await?;
    moved.end();
    Ok(Some(moved.records))
}
