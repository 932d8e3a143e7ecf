//! What may stand under `alerts` in hob.yaml.

use std::fmt;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::header::Header;
use crate::source::Spanned;

/// Whom hob tells when something is wrong. A cause is told once, however many runs it has, and once more when it has ended.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "alert setting")]
pub struct Alerts {
    /// Who is told, by the names that you give them.
    #[schemars(with = "Option<IndexMap<String, Destination>>")]
    #[schemars(example = serde_json::json!({ "team": { "slack": "${SLACK_WEBHOOK}" } }))]
    pub to: Option<IndexMap<Spanned<String>, Destination>>,
    /// Recipes whose events must not stay away for long.
    #[schemars(example = serde_json::json!([{ "recipe": "clients-to-contacts", "after": "6h" }]))]
    pub silent: Option<Vec<Silent>>,
    /// How long a cause must be gone before its end is told. Default: `1m`.
    #[schemars(example = &"1m")]
    pub gone_for: Option<Spanned<String>>,
    /// A cause of failed runs has also ended once no further run has failed for so long. Default: `1h`.
    #[schemars(example = &"1h")]
    pub no_new_for: Option<Spanned<String>>,
    /// How many times in a row a poll must have failed before it is told. Default: 3.
    #[schemars(range(min = 1, max = 1000), example = 3)]
    pub poll_failures: Option<u32>,
    /// How long before its end a token is told that a person must renew. Default: `7d`.
    #[schemars(example = &"7d")]
    pub token: Option<Spanned<String>>,
    /// A budget is told when no more than this many percent of the day's requests are left, or when it will run dry within
    /// the hour. Default: 10.
    #[schemars(range(min = 1, max = 99), example = 10)]
    pub budget: Option<u64>,
}

/// Somebody who is told, in one of these ways: `slack`, `webhook`, `email` or `recipe`.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "destination")]
pub struct Destination {
    /// The address of an incoming webhook of Slack, or of what takes the same messages, such as Mattermost.
    #[schemars(example = &"${SLACK_WEBHOOK}")]
    pub slack: Option<Spanned<String>>,
    /// Takes alerts as JSON by POST.
    pub webhook: Option<Spanned<AlertWebhook>>,
    /// Takes alerts by e-mail.
    pub email: Option<Spanned<Email>>,
    /// A recipe with the trigger `manual: {}`, for which each alert is an event.
    #[schemars(example = &"tell-the-team")]
    pub recipe: Option<Spanned<String>>,
    /// What is told. Default: everything.
    #[schemars(example = serde_json::json!(["parked", "held", "silent"]))]
    pub on: Option<Vec<AlertKind>>,
    /// When nothing is sent: what happens then is sent at the end, together.
    pub quiet: Option<Spanned<Quiet>>,
    /// How often an alert is repeated as long as it is open. Default: never.
    #[schemars(example = &"4h")]
    pub remind: Option<Spanned<String>>,
}

/// Without addresses, which are secret.
impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Destination")
    }
}

/// Kinds of alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(title = "kind of alert")]
pub enum AlertKind {
    /// Runs wait until a person decides.
    Parked,
    /// A connection sends nothing, because its credential is refused.
    Held,
    /// A connection has no token, or its token ends soon and a person must renew it.
    Token,
    /// Nothing has arrived for a recipe for too long.
    Silent,
    /// Runs have failed.
    Failed,
    /// The polls of a recipe fail.
    Poll,
    /// The requests of a day are almost used up.
    Budget,
}

impl AlertKind {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 7] =
        [Self::Parked, Self::Held, Self::Token, Self::Silent, Self::Failed, Self::Poll, Self::Budget];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Parked => "parked",
            Self::Held => "held",
            Self::Token => "token",
            Self::Silent => "silent",
            Self::Failed => "failed",
            Self::Poll => "poll",
            Self::Budget => "budget",
        }
    }
}

/// A webhook that takes alerts.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "alert webhook")]
pub struct AlertWebhook {
    /// Its address.
    #[schemars(example = &"${PAGER_URL}")]
    pub url: Spanned<String>,
    /// A header with a secret value, by which the receiver knows hob.
    pub header: Option<Spanned<Header>>,
}

/// E-mails.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "e-mail setting")]
pub struct Email {
    /// Who receives them.
    #[schemars(example = serde_json::json!(["ops@example.com"]))]
    pub to: Vec<Spanned<String>>,
    /// Who sends them.
    #[schemars(example = &"hob <hob@example.com>")]
    pub from: Spanned<String>,
    /// The mail server, with its port if it is not the usual one (587 with `starttls`, 465 with `implicit`, 25 with `none`).
    #[schemars(example = &"smtp.example.com")]
    pub server: Spanned<String>,
    /// How the connection is encrypted. Default: `starttls`.
    #[serde(default)]
    pub tls: MailTls,
    /// The user, if the server asks for one.
    #[schemars(example = &"hob@example.com")]
    pub username: Option<Spanned<String>>,
    /// The user's password.
    #[schemars(example = &"${SMTP_PASSWORD}")]
    pub password: Option<Spanned<String>>,
}

/// How a connection to a mail server is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(title = "encryption of mail")]
pub enum MailTls {
    /// It begins in the clear and must be encrypted before anything is sent.
    #[default]
    Starttls,
    /// It is encrypted from the beginning.
    Implicit,
    /// It is not encrypted. A password is only sent so to the same machine.
    None,
}

/// Hours in which nothing is sent.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "quiet hours")]
pub struct Quiet {
    /// When they begin, each day.
    #[schemars(example = &"22:00")]
    pub from: Spanned<String>,
    /// When they end; on the next day, if that is earlier.
    #[schemars(example = &"07:00")]
    pub to: Spanned<String>,
    /// The time zone of both. Default: `UTC`.
    #[schemars(example = &"Europe/London")]
    pub timezone: Option<Spanned<String>>,
    /// What is sent all the same.
    #[serde(default)]
    #[schemars(example = serde_json::json!(["held"]))]
    pub except: Vec<AlertKind>,
}

/// A recipe whose events must not stay away for long.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "silent recipe")]
pub struct Silent {
    /// The recipe.
    #[schemars(example = &"clients-to-contacts")]
    pub recipe: Spanned<String>,
    /// How long nothing may arrive for it. Times at which it is paused do not count.
    #[schemars(example = &"6h")]
    pub after: Spanned<String>,
}
