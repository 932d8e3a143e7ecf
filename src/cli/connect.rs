//! `hob connect`: asks a person for consent to an OAuth app and stores the tokens.

use std::sync::Arc;

use anyhow::{Context, anyhow};
use clap::Args;

use super::runtime::{StopSignal, block_on};
use super::{ExitCode, Failure, Session};
use crate::clock::Clock;
use crate::connection::{Callback, Consent, Error, http_client, is_loopback};
use crate::diagnostic::closest;
use crate::secret::Secret;
use crate::workspace::{ConnectionConfig, Workspace};

/// Connect an account through an OAuth app, with your consent in the browser
#[derive(Debug, Args)]
#[command(after_help = "For connections with `auth: { oauth: … }` to a connector that has a consent page. \
Prints the page's address and waits for the answer at the connection's `redirect` [default: \
http://127.0.0.1:8788/callback], which the app must allow. If `redirect` is not on this machine, copy the code from \
the address that your browser ends up at, and run the command again with --code.\n\n\
The tokens are kept in the workspace, in state/tokens/NAME.json.\n\n\
Examples:\n  hob connect studio\n  hob connect studio --code 5f1c0b")]
pub struct Connect {
    /// The connection in hob.yaml
    #[arg(value_name = "NAME")]
    connection: String,
    /// The code from the consent page, if hob cannot receive it itself
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
}

impl Connect {
    /// Connects.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let workspace = session.workspace(&[])?;
        let account = self.account(&workspace)?;
        if !workspace.unset.diagnostics.is_empty() {
            session.show(&workspace.unset);
            return Err(Failure::problem(anyhow!("hob.yaml needs variables that are not set")));
        }
        let http = http_client(&Default::default()).map_err(Failure::unavailable)?;
        let consent = account.consent(&http, &Clock::system()).map_err(Failure::usage)?;
        block_on(self.ask(session, Arc::new(consent)))?
    }

    fn account<'w>(&self, workspace: &'w Workspace) -> Result<&'w ConnectionConfig, Failure> {
        let name = &self.connection;
        workspace.accounts.get(name).ok_or_else(|| {
            let suggestion = closest(name, workspace.accounts.keys().map(String::as_str));
            let help = suggestion.map(|suggestion| format!("; {suggestion}")).unwrap_or_default();
            Failure::usage(anyhow!("hob.yaml has no connection `{name}`{help}"))
        })
    }

    async fn ask(&self, session: &mut Session, consent: Arc<Consent>) -> Result<ExitCode, Failure> {
        if let Some(code) = &self.code {
            session.streams.hide([Secret::new(code)]);
            consent.exchange(&Secret::new(code)).await.map_err(failed)?;
            return self.confirm(session, &consent);
        }
        let redirect = consent.redirect();
        if !is_loopback(redirect) {
            session.streams.address(consent.page().as_str())?;
            let name = &self.connection;
            session.streams.note(format!(
                "Open this address and consent. Your browser then goes to {redirect}?code=…; copy the code and run\n  \
                 hob connect {name} --code CODE"
            ));
            return Ok(ExitCode::Fine);
        }
        let signal = StopSignal::listen()?;
        let context = || format!("cannot listen at {redirect}, which the consent page returns to");
        let mut callback = Callback::listen(Arc::clone(&consent))
            .await
            .with_context(context)
            .map_err(Failure::unavailable)?;
        session.streams.address(consent.page().as_str())?;
        session.streams.output.flush()?;
        session.streams.note(format!("Open this address and consent; waiting at {redirect}, Ctrl-C to stop"));
        let received = tokio::select! {
            received = receive(&consent, &mut callback) => received,
            () = signal.requested() => Err(Failure::problem(anyhow!("stopped; nothing was connected"))),
        };
        callback.close().await;
        received.and_then(|()| self.confirm(session, &consent))
    }

    fn confirm(&self, session: &mut Session, consent: &Consent) -> Result<ExitCode, Failure> {
        let file = session.shown(consent.file());
        session.streams.say(format!("connected `{}`; its tokens are in {file}", self.connection))?;
        Ok(ExitCode::Fine)
    }
}

/// Receives the code and exchanges it for tokens.
async fn receive(consent: &Consent, callback: &mut Callback) -> Result<(), Failure> {
    let arrival = callback.next().await;
    let arrival = arrival
        .ok_or_else(|| Failure::unavailable(anyhow!("the listener for the answer stopped; try again")))?;
    let connected = match &arrival.code {
        Ok(code) => consent.exchange(code).await.map_err(failed),
        Err(reason) => Err(Failure::problem(anyhow!("no consent: {reason}"))),
    };
    arrival.show(connected.is_ok());
    connected
}

fn failed(error: Error) -> Failure {
    match error.is_transient() {
        true => Failure::unavailable(error),
        false => Failure::problem(error),
    }
}
