//! `hob operators log`: the audit log.

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::cli::runs::Since;
use crate::cli::store::open_existing;
use crate::cli::table::table;
use crate::cli::{ExitCode, Failure, Format, Listing, Session, runtime};
use crate::clock::Clock;
use crate::journal::{Access, Act, ActFilter};

/// List what operators did, newest first
#[derive(Debug, Args)]
#[command(
    after_help = "Logins, failed logins and everything that changes runs or recipes are recorded, in the dashboard and on the \
command line, and kept as long as the history (`history: { keep: … }`).\n\n\
Examples:\n  hob operators log\n  hob operators log --operator ada --since 7d\n  hob operators log --act login-failed --format json"
)]
pub struct Log {
    /// Only what this operator did
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
    /// Only this
    #[arg(long, value_name = "ACT", value_parser = PossibleValuesParser::new(Act::ALL.map(Act::name)))]
    act: Option<String>,
    /// Only what was done since then: a duration such as 2h, a date or a time
    #[arg(long, value_name = "WHEN")]
    since: Option<Since>,
    #[command(flatten)]
    listing: Listing,
}

impl Log {
    /// Prints the list.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let workspace = session.workspace_or_its_sandbox(&[], self.listing.store)?;
        let filter = ActFilter {
            operator: self.operator.clone(),
            act: self.act.clone(),
            since: self.since.map(|since| since.before(Clock::system().now())),
            before: None,
            limit: self.listing.limit(),
        };
        let acts = runtime::block_on(async {
            let Some(journal) = open_existing(&workspace, Access::Client).await? else {
                return Ok(Vec::new());
            };
            let acts = journal.acts(&filter).await.map_err(Failure::unavailable);
            journal.close().await;
            acts
        })??;
        match self.listing.output.format {
            Format::Json => session.streams.json(&acts)?,
            Format::Text if acts.is_empty() => session.streams.note("nobody has done anything"),
            Format::Text => {
                let header = ["WHEN", "WHO", "FROM", "WHAT", "ABOUT", "RUNS"];
                let rows = acts.iter().map(|act| {
                    vec![
                        act.at.format("%Y-%m-%d %H:%M:%SZ").to_string(),
                        act.operator.clone(),
                        act.origin.clone(),
                        act.act.clone(),
                        act.target.clone(),
                        if act.runs > 0 { act.runs.to_string() } else { String::new() },
                    ]
                });
                session.streams.show(table(&header, rows))?;
                if let Some(note) = self.listing.note(acts.len()) {
                    session.streams.note(note);
                }
            }
        }
        Ok(ExitCode::Fine)
    }
}
