//! `hob operators token`: a new token and its hash.

use anyhow::anyhow;
use clap::Args;

use crate::cli::{ExitCode, Failure, Session};
use crate::operator::{TokenHash, new_token};

/// Make a token for scripts, and its hash for hob.yaml
#[derive(Debug, Args)]
#[command(
    after_help = "The hash goes into hob.yaml, as `token_hash` of an operator below `server: { dashboard: { operators: [ … ] } }`. \
Scripts send the token in the header `Authorization: Bearer TOKEN`. It is shown this once: hob keeps only the hash.\n\n\
Examples:\n  hob operators token"
)]
pub struct Token {}

impl Token {
    /// Makes one.
    pub fn run(&self, session: &mut Session) -> Result<ExitCode, Failure> {
        let token = new_token()
            .map_err(|_| Failure::unavailable(anyhow!("the operating system has no random bytes")))?;
        session.streams.say(format!("token: {token}"))?;
        session.streams.say(format!("token_hash: {}", TokenHash::of(&token)))?;
        Ok(ExitCode::Fine)
    }
}
