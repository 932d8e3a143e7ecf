//! Reads what the process was given, runs the command line, and ends with its exit code.

use std::io::{IsTerminal, stderr, stdin, stdout};
use std::process::ExitCode;

use hob::cli::{Environment, Streams, run};

fn main() -> ExitCode {
    let environment = Environment {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
        variables: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
        directory: std::env::current_dir().unwrap_or_default(),
    };
    let streams = Streams {
        input: Box::new(stdin()),
        output: Box::new(std::io::BufWriter::new(stdout())),
        errors: Box::new(stderr()),
        output_is_terminal: stdout().is_terminal(),
        errors_is_terminal: stderr().is_terminal(),
        redactor: Default::default(),
    };
    ExitCode::from(run(std::env::args_os(), environment, streams).number())
}
