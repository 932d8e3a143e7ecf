//! Sends messages by e-mail.

use std::time::Duration;

use chrono::{DateTime, Utc};
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message as Mail, Tokio1Executor};

use super::message::Message;
use crate::diagnostic::with_causes;
use crate::workspace::{MailSettings, MailTls};

/// Longest wait for each answer of the server.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Sends `message`. Its `Message-ID` is the same in each attempt, so that mailboxes can leave out a repetition.
pub(super) async fn send(
    settings: &MailSettings,
    message: &Message,
    now: DateTime<Utc>,
) -> Result<(), String> {
    let domain = settings.from.email.domain().to_owned();
    let mut mail = Mail::builder()
        .from(settings.from.clone())
        .subject(message.subject())
        .date(now.into())
        .message_id(Some(format!("<{}@{domain}>", message.id)))
        .header(ContentType::TEXT_PLAIN);
    for mailbox in &settings.to {
        mail = mail.to(mailbox.clone());
    }
    let mail = mail.body(message.text()).map_err(|error| with_causes(&error))?;
    let parameters = || TlsParameters::new_rustls(settings.host.clone()).map_err(|error| with_causes(&error));
    let tls = match settings.tls {
        MailTls::None => Tls::None,
        MailTls::Starttls => Tls::Required(parameters()?),
        MailTls::Implicit => Tls::Wrapper(parameters()?),
    };
    let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
        .port(settings.port)
        .hello_name(ClientId::Domain(domain))
        .timeout(Some(TIMEOUT))
        .tls(tls);
    if let Some((user, password)) = &settings.login {
        transport = transport.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
    }
    let sent = transport.build().send(mail).await;
    sent.map(drop).map_err(|error| format!("the mail server {}: {}", settings.host, with_causes(&error)))
}
