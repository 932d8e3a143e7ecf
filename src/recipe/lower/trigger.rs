//! Triggers.

use std::time::Duration;

use super::text::{Reader, empty};
use crate::diagnostic::{Code, Diagnostic};
use crate::recipe::removed_limit::RemovedLimit;
use crate::recipe::syntax::{self, Emit, OneOrMany};
use crate::recipe::trigger::{
    CronText, DeliveryId, Every, Manual, Over, Poll, PollWindow, Schedule, Start, Trigger, Verify, Webhook,
};
use crate::source::{Data, Node, Span, Spanned};
use crate::template::TemplateTree;
use crate::value::is_header_name;

const DEFAULT_EVERY: Duration = Duration::from_secs(300);
/// The longest way that a window of time may reach.
const MAX_WINDOW: Duration = Duration::from_secs(3660 * 86_400);
/// The longest time for which events are collected.
const MAX_COALESCE: Duration = Duration::from_secs(600);

pub(super) fn lower(trigger: Spanned<syntax::Trigger>, reader: &mut Reader<'_>) -> Trigger {
    let span = trigger.span;
    match trigger.value {
        syntax::Trigger::Poll(poll) => Trigger::Poll(lower_poll(*poll, span, reader)),
        syntax::Trigger::Webhook(webhook) => match lower_webhook(*webhook, reader) {
            Some(webhook) => Trigger::Webhook(webhook),
            None => Trigger::Manual(Manual {}),
        },
        syntax::Trigger::Schedule(schedule) => match lower_schedule(schedule, reader) {
            Some(cron) => Trigger::Schedule(Schedule { cron }),
            None => Trigger::Manual(Manual {}),
        },
        syntax::Trigger::Manual(_) => Trigger::Manual(Manual {}),
    }
}

fn lower_poll(poll: syntax::Poll, span: Span, reader: &mut Reader<'_>) -> Poll {
    let with = lower_with(poll.with.as_ref(), span, reader);
    let over = poll.over.map(|over| {
        let (operation, with) = match over {
            syntax::OverText::Poller(operation) => (operation, None),
            syntax::OverText::Table(over) => (over.poll, over.with),
        };
        Box::new(Over { with: lower_with(with.as_ref(), operation.span, reader), operation })
    });
    let mut every = Every::Interval(DEFAULT_EVERY);
    if let Some(given) = poll.every.as_ref().and_then(|every| reader.interval(every)) {
        every = given;
    }
    if let Some(cron) = poll.cron.and_then(|cron| reader.cron(cron, poll.timezone)) {
        every = Every::Cron(cron);
    }
    let mut emit = poll.emit.map_or_else(|| vec![Emit::New, Emit::Changed], |emit| emit.0);
    let mut seen = std::collections::HashSet::new();
    emit.retain(|kind| seen.insert(*kind));
    let limit = poll.removed_limit.map(|limit| lower_removed_limit(&limit.0, &emit, reader));
    Poll {
        operation: poll.poll,
        with,
        over,
        every,
        emit,
        removed_limit: limit.unwrap_or_default(),
        window: poll.window.map(|window| lower_window(window, reader)),
        hydrate: poll.hydrate.unwrap_or_else(|| Spanned::new(false, span)),
        start: poll.start.map_or(Start::Now, |start| reader.start(&start)),
    }
}

fn lower_with(with: Option<&syntax::Mapping>, holder: Span, reader: &mut Reader<'_>) -> TemplateTree {
    match with {
        Some(with) => reader.tree(&with.0),
        None => empty(Span::new(holder.end, holder.end)),
    }
}

fn lower_window(window: Spanned<syntax::PollWindow>, reader: &mut Reader<'_>) -> Spanned<PollWindow> {
    let mut width = |text: Option<&syntax::DurationText>| {
        let text = text?;
        let width = reader.duration_or_zero(text)?;
        if width > MAX_WINDOW {
            let message = format!("`{}` is longer than ten years", text.0);
            reader.complain(Code::BadDuration, text.0.span, message);
            return None;
        }
        Some(width)
    };
    let read = PollWindow { past: width(window.past.as_ref()), ahead: width(window.ahead.as_ref()) };
    if read.past == Some(Duration::ZERO) && read.ahead == Some(Duration::ZERO) {
        let message = "this window begins and ends at the poll, so nothing is in it".to_owned();
        reader.complain(Code::BadDuration, window.span, message);
    }
    Spanned::new(read, window.span)
}

fn lower_removed_limit(limit: &Node, emit: &[Emit], reader: &mut Reader<'_>) -> RemovedLimit {
    if !emit.contains(&Emit::Removed) {
        let message = "`removed_limit` needs `removed` in `emit`: this poll reports no removed records";
        reader.complain(Code::FieldConflict, limit.span, message.to_owned());
    }
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let read = match &limit.value {
        Data::Int(count) => u64::try_from(*count).ok().map(RemovedLimit::Records),
        Data::Text(text) => match text.trim().strip_suffix('%') {
            Some(percent) => {
                let percent = number(percent).and_then(|percent| u8::try_from(percent).ok());
                percent.filter(|percent| *percent <= 100).map(RemovedLimit::Percent)
            }
            None => number(text).map(RemovedLimit::Records),
        },
        _ => None,
    };
    read.unwrap_or_else(|| {
        let message = "this is neither a share from `0%` to `100%` nor a number of records";
        let diagnostic = Diagnostic::new(Code::NotAllowed, limit.span, message);
        reader.found.push(diagnostic.help("write it like `10%` or `50`; `100%` is no limit"));
        RemovedLimit::default()
    })
}

fn lower_schedule(schedule: syntax::Schedule, reader: &mut Reader<'_>) -> Option<CronText> {
    match schedule.schedule {
        syntax::ScheduleText::Cron(cron) => reader.cron(cron, None),
        syntax::ScheduleText::Table(table) => reader.cron(table.cron, table.timezone),
    }
}

fn lower_webhook(webhook: syntax::Webhook, reader: &mut Reader<'_>) -> Option<Webhook> {
    let is_path = |text: &Spanned<String>| text.starts_with('/');
    let names = &webhook.webhook.0;
    match names.as_slice() {
        [path] if is_path(path) => Some(lower_path(path.clone(), webhook, reader)),
        names if names.iter().any(is_path) => {
            for path in names.iter().filter(|name| is_path(name)) {
                let message = format!("the path `{path}` cannot be part of a list");
                let diagnostic = Diagnostic::new(Code::FieldConflict, path.span, message);
                reader.found.push(diagnostic.help("give it a recipe of its own"));
            }
            let events = names.iter().filter(|name| !is_path(name)).cloned().collect();
            lower_events(
                syntax::Webhook {
                    webhook: OneOrMany(events),
                    verify: None,
                    id: None,
                    origins: None,
                    ..webhook
                },
                reader,
            )
        }
        _ => lower_events(webhook, reader),
    }
}

fn lower_events(webhook: syntax::Webhook, reader: &mut Reader<'_>) -> Option<Webhook> {
    let verify = webhook.verify.as_ref().map(|verify| ("verify", verify.span));
    let id = webhook.id.as_ref().map(|id| ("id", id.span()));
    let origins = webhook.origins.as_ref().and_then(|origins| Some(("origins", origins.0.first()?.span)));
    for (field, span) in verify.into_iter().chain(id).chain(origins) {
        let message = format!("`{field}` is for a path; a connector's own events need none");
        reader.complain(Code::FieldConflict, span, message);
    }
    let mut connector: Option<String> = None;
    let mut types = Vec::new();
    for name in webhook.webhook.0 {
        let Some((app, event)) = name.split_once('.') else {
            let message = format!("`{name}` is neither an event nor a path");
            let help = "write an event as `connector.Event`, or a path that begins with `/`";
            reader.found.push(Diagnostic::new(Code::UnknownEvent, name.span, message).help(help));
            continue;
        };
        let first = connector.get_or_insert_with(|| app.to_owned());
        if first != app {
            let message = format!("events of `{first}` and of `{app}` in one trigger");
            let diagnostic = Diagnostic::new(Code::FieldConflict, name.span, message);
            reader.found.push(diagnostic.help("each app's events start a recipe of their own"));
            continue;
        }
        types.push(Spanned::new(event.to_owned(), name.span));
    }
    Some(Webhook::Events {
        connector: connector?,
        types,
        hydrate: webhook.hydrate.is_some_and(|hydrate| hydrate.value),
        reconcile: webhook.reconcile.and_then(|every| reader.duration(&every)),
        coalesce: webhook.coalesce.and_then(|window| lower_coalesce(&window, reader)),
    })
}

fn lower_coalesce(window: &syntax::DurationText, reader: &mut Reader<'_>) -> Option<Duration> {
    let duration = reader.duration(window)?;
    if duration > MAX_COALESCE {
        let message = format!("`{}` is longer than ten minutes", window.0);
        let help = "every event waits for as long as this; a few seconds collect what comes together";
        reader.found.push(Diagnostic::new(Code::BadDuration, window.0.span, message).help(help));
        return None;
    }
    Some(duration)
}

fn lower_path(path: Spanned<String>, webhook: syntax::Webhook, reader: &mut Reader<'_>) -> Webhook {
    let hydrate = webhook.hydrate.map(|hydrate| ("hydrate", hydrate.span));
    let reconcile = webhook.reconcile.map(|reconcile| ("reconcile", reconcile.0.span));
    for (field, span) in hydrate.into_iter().chain(reconcile) {
        let message = format!("`{field}` is for a connector's events; hob knows nothing of who calls a path");
        reader.complain(Code::FieldConflict, span, message);
    }
    if let Some(window) = &webhook.coalesce {
        let message = "`coalesce` is for a connector's events; hob cannot tell which record a request at a path is about";
        reader.complain(Code::FieldConflict, window.0.span, message.to_owned());
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./~".contains(c);
    if path.len() < 2 || !path.chars().all(plain) || path.contains("//") || path.contains("..") {
        let message = format!("`{path}` is not a path that hob can listen at");
        let help = "write `/` and letters, digits, `-` and `_`, such as `/new-client`";
        reader.found.push(Diagnostic::new(Code::NotAllowed, path.span, message).help(help));
    }
    // A trailing slash is ignored.
    let path = path.map(|path| format!("/{}", path.trim_matches('/')));
    let verify_given = webhook.verify.is_some();
    let verify = webhook.verify.map_or(Some(Verify::None), |verify| lower_verify(verify.value, reader));
    let id = webhook.id.map_or(DeliveryId::Sender, |id| lower_id(id, reader));
    let origins = webhook.origins.map(|origins| origins.0).unwrap_or_default();
    let origins = origins.iter().filter_map(|origin| lower_origin(origin, reader)).collect();
    Webhook::Path { path, verify: verify.unwrap_or(Verify::None), verify_given, id, origins }
}

fn lower_id(id: syntax::DeliveryIdText, reader: &mut Reader<'_>) -> DeliveryId {
    match id {
        syntax::DeliveryIdText::Path(path) if path.value == "body" => {
            let message = "`id: body` does not say for how long an equal body is a repeat";
            let diagnostic = Diagnostic::new(Code::NotAllowed, path.span, message);
            reader.found.push(diagnostic.help("write the time: `id: { body: 10m }`"));
            DeliveryId::Sender
        }
        syntax::DeliveryIdText::Path(path) => DeliveryId::Path(path),
        syntax::DeliveryIdText::Header(header) => {
            header_name(&header.header, "X-Delivery-Id", reader);
            DeliveryId::Header(header.header)
        }
        syntax::DeliveryIdText::Body(body) => {
            reader.duration(&body.body).map_or(DeliveryId::Sender, DeliveryId::Body)
        }
    }
}

/// Scheme, host and port, as sent by browsers.
fn lower_origin(origin: &Spanned<String>, reader: &mut Reader<'_>) -> Option<String> {
    let url = url::Url::parse(origin).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let exact = url.map(|url| url.origin().ascii_serialization());
    match exact {
        _ if origin.value == "*" => Some("*".to_owned()),
        Some(exact) if exact.eq_ignore_ascii_case(origin) => Some(exact),
        Some(exact) => {
            let message = format!("`{origin}` is an address, not an origin");
            let diagnostic = Diagnostic::new(Code::NotAllowed, origin.span, message);
            reader.found.push(diagnostic.help(format!("write `{exact}`: scheme, host and port")));
            None
        }
        None => {
            let message = format!("`{origin}` is not an origin");
            let help = "write scheme and host, such as `https://studio.example`, or `*` for all";
            reader.found.push(Diagnostic::new(Code::NotAllowed, origin.span, message).help(help));
            None
        }
    }
}

/// Reports an invalid header name.
fn header_name(name: &Spanned<String>, example: &str, reader: &mut Reader<'_>) {
    if !is_header_name(name) {
        let message = format!("`{name}` is not the name of a header");
        let diagnostic = Diagnostic::new(Code::NotAllowed, name.span, message);
        reader.found.push(diagnostic.help(format!("write it like `{example}`")));
    }
}

fn lower_verify(verify: syntax::Verify, reader: &mut Reader<'_>) -> Option<Verify> {
    Some(match verify {
        syntax::Verify::None => Verify::None,
        syntax::Verify::Header(header) => {
            header_name(&header.name, "X-Hook-Secret", reader);
            Verify::Header { name: header.name.value, value: reader.template_text(header.value)? }
        }
        syntax::Verify::Hmac(hmac) => {
            header_name(&hmac.header, "X-Signature", reader);
            Verify::Hmac {
                header: hmac.header.value,
                secret: reader.template_text(hmac.secret)?,
                algorithm: hmac.algorithm.unwrap_or_default(),
                encoding: hmac.encoding.unwrap_or_default(),
                prefix: hmac.prefix.unwrap_or_default(),
            }
        }
        syntax::Verify::Ed25519(key) => {
            header_name(&key.header, "X-Signature-Ed25519", reader);
            Verify::Ed25519 { header: key.header.value, key: reader.template_text(key.key)? }
        }
    })
}
