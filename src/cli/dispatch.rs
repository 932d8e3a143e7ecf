//! Dispatches arguments to a subcommand, and maps its result to an exit code.

use std::ffi::OsString;
use std::io::{ErrorKind, Write};

use clap::error::ErrorKind as Usage;
use clap::{CommandFactory, Parser};

use super::alerts::AlertsCommand;
use super::catalog::CatalogCommand;
use super::import_openapi::ImportCommand;
use super::operators::OperatorsCommand;
use super::runs::RunsCommand;
use super::store::StoreCommand;
use super::{Cli, Command, Environment, ExitCode, Failure, Session, Streams, log};

/// Runs a command line.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    environment: Environment,
    mut streams: Streams,
) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, &mut streams),
    };
    let mut session = Session::new(cli.global, environment, streams);
    let colour = session.colour_on_errors();
    let outcome = log::start(&session.global, &session.environment, usual_log(&cli.command), colour)
        .map_err(|reason| Failure::usage(anyhow::Error::msg(reason)))
        .and_then(|()| perform(&cli.command, &mut session))
        .and_then(|code| session.streams.output.flush().map(|()| code).map_err(Failure::from));
    match outcome {
        Ok(code) => code,
        // The reader has stopped reading (`hob … | head`).
        Err(failure) if is_broken_pipe(&failure) => ExitCode::Fine,
        Err(failure) => {
            session.streams.output.flush().ok();
            if failure.reason.is_some() {
                session.streams.note(format!("error: {failure}"));
            }
            failure.code
        }
    }
}

/// The default log level: long-running commands log their work, the others only print a result.
fn usual_log(command: &Command) -> &'static str {
    match command {
        Command::Run(run) if run.keeps_running() => "warn,hob=info",
        // What a tested recipe does is in the results.
        Command::Test(_) | Command::Runs(RunsCommand::Fixture(_)) => "error",
        _ => "warn",
    }
}

fn usage(error: &clap::Error, streams: &mut Streams) -> ExitCode {
    let shown = error.render();
    let asked_for = matches!(error.kind(), Usage::DisplayHelp | Usage::DisplayVersion);
    let (colour, to) = match asked_for {
        true => (streams.output_is_terminal, &mut streams.output),
        false => (streams.errors_is_terminal, &mut streams.errors),
    };
    let written = if colour { write!(to, "{}", shown.ansi()) } else { write!(to, "{shown}") };
    written.and_then(|()| to.flush()).ok();
    if asked_for { ExitCode::Fine } else { ExitCode::Usage }
}

fn perform(command: &Command, session: &mut Session) -> Result<ExitCode, Failure> {
    match command {
        Command::Init(command) => command.run(session),
        Command::Validate(command) => command.run(session),
        Command::Explain(command) => command.run(session),
        Command::Test(command) => command.run(session),
        Command::Replay(command) => command.run(session),
        Command::Plan(command) => command.run(session),
        Command::Expand(command) => command.run(session),
        Command::Run(command) => command.run(session),
        Command::Trigger(command) => command.run(session),
        Command::Backfill(command) => command.run(session),
        Command::Audit(command) => command.run(session),
        Command::Pause(command) => command.run(session),
        Command::Resume(command) => command.run(session),
        Command::Catalog(CatalogCommand::List(command)) => command.run(session),
        Command::Catalog(CatalogCommand::Show(command)) => command.run(session),
        Command::Call(command) => command.run(session),
        Command::Status(command) => command.run(session),
        Command::Alerts(AlertsCommand::List(command)) => command.run(session),
        Command::Alerts(AlertsCommand::Test(command)) => command.run(session),
        Command::Find(command) => command.run(session),
        Command::Runs(RunsCommand::List(command)) => command.run(session),
        Command::Runs(RunsCommand::Show(command)) => command.run(session),
        Command::Runs(RunsCommand::Fixture(command)) => command.run(session),
        Command::Runs(RunsCommand::Writes(command)) => command.run(session),
        Command::Runs(RunsCommand::Retry(command)) => command.run(session),
        Command::Runs(RunsCommand::Skip(command)) => command.run(session),
        Command::Runs(RunsCommand::Resolve(command)) => command.run(session),
        Command::Store(StoreCommand::Info(command)) => command.run(session),
        Command::Store(StoreCommand::Migrate(command)) => command.run(session),
        Command::Store(StoreCommand::Export(command)) => command.run(session),
        Command::Store(StoreCommand::Backup(command)) => command.run(session),
        Command::Store(StoreCommand::Import(command)) => command.run(session),
        Command::Operators(OperatorsCommand::Password(command)) => command.run(session),
        Command::Operators(OperatorsCommand::Token(command)) => command.run(session),
        Command::Operators(OperatorsCommand::Log(command)) => command.run(session),
        Command::Connect(command) => command.run(session),
        Command::Connections(command) => command.run(session),
        Command::Doctor(command) => command.run(session),
        Command::Sandbox(command) => command.run(session),
        Command::Import(ImportCommand::Openapi(command)) => command.run(session),
        Command::Schema(command) => command.run(session),
        Command::Lsp(command) => command.run(session),
        Command::Completions(command) => command.run(session, Cli::command()),
    }
}

fn is_broken_pipe(failure: &Failure) -> bool {
    let causes = failure.reason.iter().flat_map(|reason| reason.chain());
    causes
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|e| e.kind() == ErrorKind::BrokenPipe)
}
