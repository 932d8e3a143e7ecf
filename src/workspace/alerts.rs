//! Whom a workspace's alerts go to.

use std::time::Duration;

use lettre::message::Mailbox;
use url::Url;

use super::alert_syntax::{AlertKind, MailTls};
use super::quiet_hours::QuietHours;
use crate::secret::Secret;
use crate::source::Spanned;

/// Shortest path of an address that is masked on its own: shorter ones are words that occur elsewhere.
const MIN_PATH: usize = 16;

/// When and to whom alerts are sent.
#[derive(Debug, Clone)]
pub struct Alerts {
    /// Who is told.
    pub to: Vec<Destination>,
    /// Recipes whose events must not stay away for long.
    pub silent: Vec<SilentRecipe>,
    /// How long a cause must be gone before its end is told.
    pub gone_for: Duration,
    /// A cause of failed runs has ended once no further run has failed for so long.
    pub no_new_for: Duration,
    /// How many times in a row a poll must have failed.
    pub poll_failures: u32,
    /// How long before its end a token is told.
    pub token: Duration,
    /// Percent of the day's requests at which a budget is told.
    pub budget: u64,
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            to: Vec::new(),
            silent: Vec::new(),
            gone_for: Duration::from_secs(60),
            no_new_for: Duration::from_secs(3600),
            poll_failures: 3,
            token: Duration::from_secs(7 * 24 * 3600),
            budget: 10,
        }
    }
}

/// Somebody who is told.
#[derive(Debug, Clone)]
pub struct Destination {
    /// Its name.
    pub name: String,
    /// The way that messages take.
    pub channel: Channel,
    /// What is told.
    pub on: Vec<AlertKind>,
    /// When nothing is sent.
    pub quiet: Option<QuietHours>,
    /// How often an open alert is repeated.
    pub remind: Option<Duration>,
}

/// A way that messages take.
#[derive(Debug, Clone)]
pub enum Channel {
    /// An incoming webhook of Slack.
    Slack(Secret),
    /// JSON by POST.
    Webhook {
        /// Its address.
        url: Secret,
        /// A header: name and value.
        header: Option<(String, Secret)>,
    },
    /// E-mail.
    Email(Box<MailSettings>),
    /// Events for a recipe.
    Recipe(Spanned<String>),
}

/// How e-mails are sent.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// Who receives them.
    pub to: Vec<Mailbox>,
    /// Who sends them.
    pub from: Mailbox,
    /// The host of the mail server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: MailTls,
    /// User and password.
    pub login: Option<(String, Secret)>,
}

/// A recipe whose events must not stay away for long.
#[derive(Debug, Clone)]
pub struct SilentRecipe {
    /// The recipe.
    pub recipe: Spanned<String>,
    /// How long nothing may arrive for it.
    pub after: Duration,
}

impl Alerts {
    /// What must be masked wherever hob shows something.
    pub fn secrets(&self) -> Vec<Secret> {
        self.to.iter().flat_map(|destination| destination.channel.secrets()).collect()
    }
}

impl Channel {
    /// What it is, for people.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Slack(_) => "slack",
            Self::Webhook { .. } => "webhook",
            Self::Email(_) => "email",
            Self::Recipe(_) => "recipe",
        }
    }

    fn secrets(&self) -> Vec<Secret> {
        match self {
            Self::Slack(url) => address(url),
            Self::Webhook { url, header } => {
                let mut secrets = address(url);
                secrets.extend(header.iter().map(|(_, value)| value.clone()));
                // `Bearer abc` also as `abc`.
                let parts = header.iter().filter_map(|(_, value)| value.expose().split_once(' '));
                secrets.extend(parts.map(|(_, rest)| Secret::new(rest)));
                secrets
            }
            Self::Email(mail) => mail.login.iter().map(|(_, password)| password.clone()).collect(),
            Self::Recipe(_) => Vec::new(),
        }
    }
}

/// An address whose path or query may be the key to it.
fn address(url: &Secret) -> Vec<Secret> {
    let mut secrets = vec![url.clone()];
    if let Ok(parsed) = Url::parse(url.expose()) {
        let parts = [Some(parsed.path().trim_matches('/')), parsed.query(), parsed.password()];
        let parts = parts.into_iter().flatten();
        secrets.extend(parts.filter(|part| part.len() >= MIN_PATH).map(Secret::new));
    }
    secrets
}
