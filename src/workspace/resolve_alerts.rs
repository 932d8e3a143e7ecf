//! Resolves `alerts` of hob.yaml into settings.

use std::time::Duration;

use chrono::NaiveTime;
use lettre::message::Mailbox;
use url::Url;

use super::alert_syntax::{self, AlertKind, AlertWebhook, Email, MailTls, Quiet};
use super::alerts::{Alerts, Channel, Destination, MailSettings, SilentRecipe};
use super::quiet_hours::QuietHours;
use super::resolve::Resolver;
use crate::diagnostic::{Code, Diagnostic};
use crate::secret::Secret;
use crate::source::{Span, Spanned};
use crate::value::{Zone, is_header_name, parse_duration};

/// Shortest time between two reminders.
const MIN_REMIND: Duration = Duration::from_secs(60);

impl Resolver<'_> {
    /// Whom alerts go to.
    pub(super) fn alerts(&mut self, given: alert_syntax::Alerts) -> Alerts {
        let usual = Alerts::default();
        let mut to = Vec::new();
        for (name, destination) in given.to.unwrap_or_default() {
            to.extend(self.destination(&name, destination));
        }
        let silent = given.silent.unwrap_or_default().into_iter().filter_map(|silent| {
            let after = self.duration(&silent.after)?;
            Some(SilentRecipe { recipe: silent.recipe, after })
        });
        let silent = silent.collect();
        let mut time = |text: Option<Spanned<String>>, usual: Duration| {
            text.and_then(|text| self.duration(&text)).unwrap_or(usual)
        };
        Alerts {
            to,
            silent,
            gone_for: time(given.gone_for, usual.gone_for),
            no_new_for: time(given.no_new_for, usual.no_new_for),
            token: time(given.token, usual.token),
            poll_failures: given.poll_failures.unwrap_or(usual.poll_failures),
            budget: given.budget.unwrap_or(usual.budget),
        }
    }

    fn destination(
        &mut self,
        name: &Spanned<String>,
        given: alert_syntax::Destination,
    ) -> Option<Destination> {
        let alert_syntax::Destination { slack, webhook, email, recipe, on, quiet, remind } = given;
        let ways = [
            slack.as_ref().map(|slack| ("slack", slack.span)),
            webhook.as_ref().map(|webhook| ("webhook", webhook.span)),
            email.as_ref().map(|email| ("email", email.span)),
            recipe.as_ref().map(|recipe| ("recipe", recipe.span)),
        ];
        let ways: Vec<(&str, Span)> = ways.into_iter().flatten().collect();
        let help = "it takes one of `slack`, `webhook`, `email` and `recipe`";
        match ways.as_slice() {
            [] => {
                let message = format!("`{name}` does not say how it is told");
                self.found.push(Diagnostic::new(Code::MissingField, name.span, message).help(help));
            }
            [_] => {}
            [(first, _), (second, span), ..] => {
                let message = format!("`{name}` has both `{first}` and `{second}`");
                let help = format!("{help}; give the other one a name of its own");
                self.found.push(Diagnostic::new(Code::FieldConflict, *span, message).help(help));
            }
        }
        let channel = match (slack, webhook, email, recipe) {
            (Some(slack), ..) => self.alert_url(&slack).map(Channel::Slack),
            (_, Some(webhook), ..) => self.alert_webhook(webhook.value),
            (_, _, Some(email), _) => self.email(email.value).map(|mail| Channel::Email(Box::new(mail))),
            (_, _, _, recipe) => recipe.map(Channel::Recipe),
        };
        let quiet = quiet.and_then(|quiet| self.quiet(&quiet));
        let remind = remind.and_then(|text| {
            let every = self.duration(&text)?;
            if every < MIN_REMIND {
                let message = format!("`{text}` is too often for reminders");
                let help = "take at least `1m`; `4h` is usual";
                self.found.push(Diagnostic::new(Code::NotAllowed, text.span, message).help(help));
            }
            Some(every.max(MIN_REMIND))
        });
        let on = on.unwrap_or_else(|| AlertKind::ALL.to_vec());
        Some(Destination { name: name.value.clone(), channel: channel?, on, quiet, remind })
    }

    fn duration(&mut self, text: &Spanned<String>) -> Option<Duration> {
        match parse_duration(text) {
            Ok(duration) => Some(duration),
            Err(error) => {
                let diagnostic = Diagnostic::new(Code::NotAllowed, text.span, error.to_string());
                self.found.push(diagnostic.help("write a duration such as `30m` or `6h`"));
                None
            }
        }
    }

    /// An address that alerts are sent to. Those with variables that are not set stay as they are.
    fn alert_url(&mut self, text: &Spanned<String>) -> Option<Secret> {
        let secret = Some(Secret::new(text.value.trim()));
        if self.is_unset(text.span) {
            return secret;
        }
        let is_web = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        if Url::parse(text.value.trim()).is_ok_and(|url| is_web(&url)) {
            return secret;
        }
        let diagnostic = Diagnostic::new(Code::NotAllowed, text.span, "this is not the address of a webhook");
        self.found
            .push(diagnostic.help("take the whole address from the app, with https:// at its beginning"));
        None
    }

    fn alert_webhook(&mut self, given: AlertWebhook) -> Option<Channel> {
        let header = given.header.map(|header| {
            if !is_header_name(&header.name) {
                let message = format!("`{}` is not the name of a header", header.name);
                let diagnostic = Diagnostic::new(Code::NotAllowed, header.span, message);
                self.found.push(diagnostic.help("write it like `Authorization`"));
            }
            let span = header.span;
            let header = header.value;
            if header.value.trim().is_empty() && !self.is_unset_within(span) {
                let diagnostic = Diagnostic::new(Code::NotAllowed, span, "`value` is blank");
                self.found.push(diagnostic.help("take it from the environment: ${NAME}"));
            }
            (header.name, Secret::new(header.value.trim()))
        });
        Some(Channel::Webhook { url: self.alert_url(&given.url)?, header })
    }

    fn email(&mut self, given: Email) -> Option<MailSettings> {
        let Email { to, from, server, tls, username, password } = given;
        let mut mailbox = |text: &Spanned<String>| -> Option<Mailbox> {
            let parsed = text.value.trim().parse().ok();
            if parsed.is_none() && !self.is_unset(text.span) {
                let message = format!("`{text}` is not an e-mail address");
                let help = "write it like `ops@example.com` or `Ops <ops@example.com>`";
                self.found.push(Diagnostic::new(Code::NotAllowed, text.span, message).help(help));
            }
            parsed
        };
        let to: Vec<Option<Mailbox>> = to.iter().map(&mut mailbox).collect();
        let sender = mailbox(&from);
        if to.is_empty() {
            let diagnostic = Diagnostic::new(Code::MissingField, from.span, "nobody receives these e-mails");
            self.found.push(diagnostic.help("name somebody under `to`"));
        }
        let usual = match tls {
            MailTls::Starttls => 587,
            MailTls::Implicit => 465,
            MailTls::None => 25,
        };
        let (host, port) = match split_port(server.value.trim()) {
            Some((host, port)) => (host.to_owned(), port.unwrap_or(usual)),
            None if self.is_unset(server.span) => (String::new(), usual),
            None => {
                let message = format!("`{server}` is not a mail server");
                let help = "write its name, and its port if it is not the usual one: `smtp.example.com:2525`";
                self.found.push(Diagnostic::new(Code::NotAllowed, server.span, message).help(help));
                return None;
            }
        };
        let is_local = matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]");
        if let Some(password) = password.as_ref().filter(|_| tls == MailTls::None && !is_local) {
            let message = "the password would be sent without encryption";
            let help = "leave `tls: none` out, or the password";
            self.found.push(Diagnostic::new(Code::NotAllowed, password.span, message).help(help));
        }
        let login = match (username, password) {
            (Some(username), Some(password)) => Some((username.value, Secret::new(password.value))),
            (None, None) => None,
            (Some(lone), None) | (None, Some(lone)) => {
                let message = "`username` and `password` belong together";
                let help = "give both, or leave both out";
                self.found.push(Diagnostic::new(Code::MissingField, lone.span, message).help(help));
                None
            }
        };
        let to: Option<Vec<Mailbox>> = to.into_iter().collect();
        Some(MailSettings { to: to?, from: sender?, host, port, tls, login })
    }

    fn quiet(&mut self, given: &Spanned<Quiet>) -> Option<QuietHours> {
        let mut time = |text: &Spanned<String>| {
            let parsed = NaiveTime::parse_from_str(text.value.trim(), "%H:%M").ok();
            if parsed.is_none() {
                let message = format!("`{text}` is not a time of day");
                let help = "write it in quotes, like \"22:00\"";
                self.found.push(Diagnostic::new(Code::NotAllowed, text.span, message).help(help));
            }
            parsed
        };
        let (from, to) = (time(&given.from), time(&given.to));
        if from.is_some() && from == to {
            let message = "quiet hours begin and end at the same time";
            let help = "to send nothing at all, leave the destination out";
            self.found.push(Diagnostic::new(Code::NotAllowed, given.to.span, message).help(help));
        }
        let zone = match &given.timezone {
            None => Some(Zone::utc()),
            Some(name) => {
                let zone = Zone::named(name);
                if zone.is_none() {
                    let names: Vec<String> = Zone::names().collect();
                    let message = format!("no time zone `{name}`");
                    let help = "write the name of a region, such as `Europe/London`";
                    let diagnostic = Diagnostic::new(Code::NotAllowed, name.span, message).help(help);
                    self.found.push(diagnostic.suggest(name, names.iter().map(String::as_str)));
                }
                zone
            }
        };
        Some(QuietHours { from: from?, to: to?, zone: zone?, except: given.except.clone() })
    }

    fn is_unset(&self, span: Span) -> bool {
        self.unset.iter().any(|unset| unset.span == span)
    }

    fn is_unset_within(&self, span: Span) -> bool {
        self.unset.iter().any(|unset| span.start <= unset.span.start && unset.span.end <= span.end)
    }
}

/// The host and the port of `smtp.example.com:2525`.
fn split_port(server: &str) -> Option<(&str, Option<u16>)> {
    let is_host = |host: &str| {
        !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-_[]:".contains(c))
    };
    let split = match server.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port.parse().ok()?)),
        _ => (server, None),
    };
    is_host(split.0).then_some(split)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::catalog::Catalog;
    use crate::diagnostic::render;
    use crate::source::SourceFile;
    use crate::workspace::{Opened, Workspace};

    fn opened(text: &str) -> Opened {
        let variables =
            [("HOOK", "https://hooks.example.com/services/T0001/B0002/s3cr3t"), ("KEY", "k-123456")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let file = SourceFile::new("hob.yaml", text);
        Workspace::read(Path::new("/w"), file, Arc::new(Catalog::built_in()), &BTreeMap::from(variables))
    }

    const WHOLE: &str = "alerts:
  to:
    team:
      slack: ${HOOK}
      on: [parked, held]
      quiet: { from: 22:00, to: '07:00', timezone: Europe/London, except: [held] }
      remind: 4h
    pager: { webhook: { url: http://127.0.0.1:9/alert, header: { name: Authorization, value: 'Bearer ${KEY}' } } }
    mail: { email: { to: [Ops <ops@example.com>], from: hob@example.com, server: 'localhost:2525', tls: none, username: u, password: ${KEY} } }
    own: { recipe: tell }
  silent: [{ recipe: hand, after: 6h }]
  gone_for: 30s
server: { url: https://hob.example.com/ }
";

    #[test]
    fn reads_everything() {
        let workspace = opened(WHOLE).workspace.expect("a workspace");
        let alerts = &workspace.alerts;
        let names: Vec<&str> = alerts.to.iter().map(|to| to.channel.name()).collect();
        assert_eq!(names, ["slack", "webhook", "email", "recipe"]);
        assert_eq!(alerts.to[0].on, [AlertKind::Parked, AlertKind::Held]);
        assert_eq!(alerts.to[1].on.len(), AlertKind::ALL.len());
        assert_eq!(alerts.to[0].remind, Some(Duration::from_secs(4 * 3600)));
        let Channel::Email(mail) = &alerts.to[2].channel else { panic!("{alerts:?}") };
        assert_eq!((mail.host.as_str(), mail.port, mail.tls), ("localhost", 2525, MailTls::None));
        assert_eq!(
            (alerts.gone_for, alerts.no_new_for),
            (Duration::from_secs(30), Duration::from_secs(3600))
        );
        assert_eq!(workspace.access.link_base().as_deref(), Some("https://hob.example.com"));
        let text = "to https://hooks.example.com/services/T0001/B0002/s3cr3t, services/T0001/B0002/s3cr3t or k-123456";
        assert_eq!(workspace.redactor.text(text), "to ***, *** or ***");
        assert!(!format!("{alerts:?}").contains("s3cr3t"));
        assert!(workspace.in_sandbox().alerts.to.is_empty());
    }

    #[test]
    fn all_mistakes_are_shown_with_their_places() {
        let opened = opened(
            "alerts:
  to:
    none: { on: [parked] }
    both: { slack: https://a.example.com/x1y2z3, recipe: tell }
    odd: { slack: hooks-s3cr3t, on: [fialed] }
    mail: { email: { to: [nobody], from: hob@example.com, server: 'smtp://x', password: p4ssw0rd-1 } }
    open: { email: { to: [a@example.com], from: hob@example.com, server: mail.example.com, tls: none, username: u, password: p4ssw0rd-2 } }
    night: { recipe: tell, quiet: { from: 25:00, to: '07:00', timezone: Europe/Lundon }, remind: 1s }
  silent: [{ recipe: hand, after: soon }]
  budget: 100
server: { url: hob.example.com }
",
        );
        assert!(opened.workspace.is_none());
        let shown = render(&opened.report.file, &opened.report.diagnostics, false);
        for wanted in [
            "hob.yaml:3:5",
            "`none` does not say how it is told",
            "`both` has both `slack` and `recipe`",
            "this is not the address of a webhook",
            "did you mean `failed`?",
            "`nobody` is not an e-mail address",
            "`smtp://x` is not a mail server",
            "the password would be sent without encryption",
            "`25:00` is not a time of day",
            "no time zone `Europe/Lundon`",
            "did you mean `Europe/London`?",
            "`1s` is too often for reminders",
            "`soon` is not a duration",
            "`budget` cannot be 100",
            "this is not the address of a server",
        ] {
            assert!(shown.contains(wanted), "{wanted} is missing in:\n{shown}");
        }
        for secret in ["s3cr3t", "x1y2z3", "p4ssw0rd"] {
            assert!(!shown.contains(secret), "{secret} in:\n{shown}");
        }
    }
}
