//! What may stand in `hob.yaml` about access to the dashboard.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::operator::Role;
use crate::source::Spanned;

/// Who may use the dashboard, which is served at `listen`. On the machine itself nobody needs a login unless this says so;
/// from anywhere else only operators get in.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "dashboard")]
pub struct Dashboard {
    /// Who may log in. Default: nobody, so that the dashboard answers only on the machine itself.
    #[schemars(example = serde_json::json!([{ "name": "ada", "role": "act", "password_hash": "${ADA_PASSWORD_HASH}" }]))]
    pub operators: Option<Vec<Operator>>,
    /// Where a login is needed. Default: `remote`, but `always` if `url` is the address of a proxy or of another machine, because a
    /// proxy on the same machine may look like somebody on this machine.
    pub login: Option<Login>,
}

/// Where a login is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(title = "login place")]
pub enum Login {
    /// Everywhere but on the machine itself.
    Remote,
    /// Everywhere.
    Always,
}

/// Somebody who may log in to the dashboard, with a password, a token, or either.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "operator")]
pub struct Operator {
    /// The name, for the login and the audit log.
    #[schemars(example = &"ada")]
    pub name: Spanned<String>,
    /// What the operator may do. Default: `view`.
    pub role: Option<Role>,
    /// The hash of the password, which `hob operators password` makes.
    #[schemars(example = &"${ADA_PASSWORD_HASH}")]
    pub password_hash: Option<Spanned<String>>,
    /// The hash of a token for scripts, which `hob operators token` makes. They send the token in the header
    /// `Authorization: Bearer TOKEN`.
    #[schemars(example = &"${CI_TOKEN_HASH}")]
    pub token_hash: Option<Spanned<String>>,
}
