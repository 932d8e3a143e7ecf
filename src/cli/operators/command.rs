//! The subcommands of `hob operators`.

use clap::Subcommand;

use super::list_acts::Log;
use super::password::Password;
use super::token::Token;

/// Make credentials for the dashboard, and show what its operators did
#[derive(Debug, Subcommand)]
pub enum OperatorsCommand {
    /// Make the hash of a password for hob.yaml
    Password(Password),
    /// Make a token for scripts, and its hash for hob.yaml
    Token(Token),
    /// List what operators did, newest first: who, when, from where, what, and to how many runs
    Log(Log),
}
