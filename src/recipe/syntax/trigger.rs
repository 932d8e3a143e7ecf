//! What starts a recipe.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::{DurationText, IntervalText, Mapping, OneOrMany, RemovedLimitText, TemplateText};
use crate::source::{Node, Span, Spanned, read};

/// What starts a recipe: `poll`, `webhook`, `schedule` or `manual`.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged, title = "trigger")]
pub enum Trigger {
    /// Polls a list.
    Poll(Box<Poll>),
    /// Receives requests.
    Webhook(Box<Webhook>),
    /// Starts at set times.
    Schedule(Schedule),
    /// Starts by `hob trigger`.
    Manual(Manual),
}

/// Selects the kind by its field, so that mistakes are reported at their place.
impl<'de> Deserialize<'de> for Trigger {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let node = Node::deserialize(deserializer)?;
        let read = if node.get("poll").is_some() {
            read(&node).map(Self::Poll)
        } else if node.get("webhook").is_some() {
            read(&node).map(Self::Webhook)
        } else if node.get("schedule").is_some() {
            read(&node).map(Self::Schedule)
        } else {
            read(&node).map(Self::Manual)
        };
        read.map_err(serde::de::Error::custom)
    }
}

/// Polls a list and makes an event of each new or changed record.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(
    title = "poll trigger",
    extend("not" = { "required": ["every", "cron"] }),
    extend("dependencies" = { "timezone": ["cron"] })
)]
pub struct Poll {
    /// An operation that is a poller: `hob catalog list --kind poller` lists them.
    #[schemars(example = &"contacts.list")]
    pub poll: Spanned<String>,
    /// Its inputs, without those for paging, which hob sets itself. With `over`, templates read the parent as `parent`.
    #[schemars(example = serde_json::json!({ "status": "open" }))]
    pub with: Option<Mapping>,
    /// Of a list that answers for one parent at a time, such as the notes of a contact: the poller that lists the
    /// parents, on the same connection. Each poll reads it, and then the list for each parent; the recipe reads the
    /// parent as `event.parent`. It asks only for parents that changed where the connector says that this shows every
    /// change, and for all of them otherwise: `hob plan` tells what that costs.
    #[schemars(example = &"contacts.search", example = serde_json::json!({ "poll": "fitr.clients.list", "with": { "status": "Active" } }))]
    pub over: Option<OverText>,
    /// The interval. Default: `5m`. Recipes that poll the same operation with the same inputs on the same connection
    /// share their requests: a poll that is due within half of its interval joins another one, so the list is
    /// requested as often as the most frequent of them needs, not once for each.
    ///
    /// With two durations, such as `1m..15m`, it adapts: each poll that finds nothing doubles the interval up to the
    /// longer one, and a change brings it back to the shorter one. While little is left of the day's requests, it is
    /// the longer one.
    #[schemars(example = &"5m", example = &"1m..15m")]
    pub every: Option<IntervalText>,
    /// Instead of `every`: a cron expression of five fields.
    #[schemars(example = &"*/5 9-17 * * MON-FRI")]
    pub cron: Option<Spanned<String>>,
    /// Time zone of the cron expression, by its IANA name. Default: UTC.
    #[schemars(example = &"Europe/London")]
    pub timezone: Option<Spanned<String>>,
    /// Which changes become events. Default: `[new, changed]`. `hob catalog show` tells what that costs.
    #[schemars(example = serde_json::json!(["new", "changed"]))]
    pub emit: Option<OneOrMany<Emit>>,
    /// With `removed`: how many of the known records may be gone at once, as a share (more than five, then) or a number
    /// of records. Default: `10%`. If more are gone, or all of two or more, the answer may be faulty: no removed record
    /// is reported, `hob status` says so, and new and changed ones go on. It ends by itself once the list shows the
    /// records again; `hob resume RECIPE --accept-removed COUNT` says that they were removed. `100%` is no limit.
    #[schemars(example = &"10%", example = 50)]
    pub removed_limit: Option<RemovedLimitText>,
    /// Of a list that answers only for a window of time, such as the events of a calendar: how wide it is. It moves along
    /// with each poll. Default: what `hob catalog show` says.
    #[schemars(example = serde_json::json!({ "past": "7d", "ahead": "60d" }))]
    pub window: Option<Spanned<PollWindow>>,
    /// Fetch the whole record before the run, because the list shows only a part of it. `hob catalog show` says what is
    /// fetched.
    #[schemars(example = true)]
    pub hydrate: Option<Spanned<bool>>,
    /// What the first poll does with existing records: nothing (`now`, the default), everything (`all`), or those
    /// created since a time.
    #[schemars(example = &"now", example = &"all", example = &"2026-01-31T09:00:00Z")]
    pub start: Option<Spanned<String>>,
}

/// The list of the parents: a poller, or a mapping of the poller and its inputs.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged, title = "list of parents")]
pub enum OverText {
    /// A poller.
    Poller(Spanned<String>),
    /// A poller and its inputs.
    Table(Over),
}

impl<'de> Deserialize<'de> for OverText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let node = Node::deserialize(deserializer)?;
        let read = match node.as_map() {
            Some(_) => read(&node).map(Self::Table),
            None => read(&node).map(Self::Poller),
        };
        read.map_err(serde::de::Error::custom)
    }
}

/// The list of the parents.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "list of parents")]
pub struct Over {
    /// The poller that lists the parents.
    #[schemars(example = &"contacts.search")]
    pub poll: Spanned<String>,
    /// Its inputs.
    #[schemars(example = serde_json::json!({ "status": "Active" }))]
    pub with: Option<Mapping>,
}

/// The window of time that a poll reads, around the time of the poll.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "poll window")]
pub struct PollWindow {
    /// How far back it reaches; `0s` for not at all. A record that is moved back further is no longer looked at.
    #[schemars(example = &"7d")]
    pub past: Option<DurationText>,
    /// How far ahead it reaches.
    #[schemars(example = &"60d")]
    pub ahead: Option<DurationText>,
}

/// A difference between two polls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Emit {
    /// A new record.
    New,
    /// A changed record.
    Changed,
    /// A removed record. Before it is reported, a list of several pages is read again, because records may move
    /// between pages while they are read.
    Removed,
}

/// Receives requests: signed events of an app, or any request at a path of your own.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "webhook trigger")]
pub struct Webhook {
    /// Events of a connector, or one path that begins with `/` and is received below `/webhooks`.
    #[schemars(example = &"highlevel.ContactUpdate", example = &"/new-client")]
    pub webhook: OneOrMany<Spanned<String>>,
    /// Fetch the whole record before the run, because the event contains only a part of it.
    pub hydrate: Option<Spanned<bool>>,
    /// Poll at this interval for events that the sender lost.
    #[schemars(example = &"6h")]
    pub reconcile: Option<DurationText>,
    /// For events of a connector: how long several events about one record are collected, counted from the first of
    /// them. Only the last of them runs, at the end of that time; the others end as `filtered` and name its run. One
    /// that tells that the record is gone runs by itself. At most `10m`.
    #[schemars(example = &"2s")]
    pub coalesce: Option<DurationText>,
    /// How requests at a path are verified.
    pub verify: Option<Spanned<Verify>>,
    /// How repeated deliveries are recognised: by a JSONPath of the id in the body, by a header, or, for a time, by
    /// the body itself. Default: the id that the sender gives in a header (`webhook-id`, `svix-id`,
    /// `Idempotency-Key`, `X-GitHub-Delivery`, `X-Request-Id` and others); without one, every request is an event.
    pub id: Option<DeliveryIdText>,
    /// Origins of pages that may send requests from a browser; `*` allows all.
    #[schemars(example = &"https://studio.example")]
    pub origins: Option<OneOrMany<Spanned<String>>>,
}

/// How repeated deliveries are recognised.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged, title = "delivery id", example = &"$.id")]
pub enum DeliveryIdText {
    /// JSONPath of the id in the body.
    Path(Spanned<String>),
    /// A header.
    Header(IdHeader),
    /// The body itself, for a time.
    Body(IdBody),
}

impl<'de> Deserialize<'de> for DeliveryIdText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let node = Node::deserialize(deserializer)?;
        let read = match (node.as_map(), node.get("header")) {
            (None, _) => read(&node).map(Self::Path),
            (_, Some(_)) => read(&node).map(Self::Header),
            (_, None) => read(&node).map(Self::Body),
        };
        read.map_err(serde::de::Error::custom)
    }
}

impl DeliveryIdText {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            Self::Path(path) => path.span,
            Self::Header(header) => header.header.span,
            Self::Body(body) => body.body.0.span,
        }
    }
}

/// A header with the delivery's id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "id header")]
pub struct IdHeader {
    /// Name of the header.
    #[schemars(example = &"X-Delivery-Id")]
    pub header: Spanned<String>,
}

/// Deliveries with equal bodies are one event, for a time.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "id by body")]
pub struct IdBody {
    /// How long after an event an equal body counts as a repeat.
    #[schemars(example = &"10m")]
    pub body: DurationText,
}

/// How requests at a path are verified.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(title = "verification")]
pub enum Verify {
    /// Not at all: anyone who knows the address can send events.
    None,
    /// By a header with a fixed, secret value.
    Header(Header),
    /// By a keyed hash of the body in a header.
    Hmac(Hmac),
    /// By an Ed25519 signature of the body in a header.
    Ed25519(Ed25519),
}

/// A header with a fixed, secret value.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "header verification")]
pub struct Header {
    /// Name of the header.
    #[schemars(example = &"X-Hook-Secret")]
    pub name: Spanned<String>,
    /// Its value, from the environment.
    #[schemars(example = &"{{ env.HOOK_SECRET }}")]
    pub value: TemplateText,
}

/// A keyed hash of the body.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "hmac verification")]
pub struct Hmac {
    /// Header with the hash.
    #[schemars(example = &"X-Signature")]
    pub header: Spanned<String>,
    /// The key, from the environment.
    #[schemars(example = &"{{ env.HOOK_SECRET }}")]
    pub secret: TemplateText,
    /// The hash. Default: `sha256`.
    pub algorithm: Option<Algorithm>,
    /// Its encoding in the header. Default: `hex`.
    pub encoding: Option<Encoding>,
    /// Text before the hash in the header.
    #[schemars(example = &"sha256=")]
    pub prefix: Option<String>,
}

/// A hash function.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// SHA-1, for senders that support nothing better.
    Sha1,
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
}

/// The encoding of bytes in a header.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Hexadecimal digits.
    #[default]
    Hex,
    /// Base64.
    Base64,
}

/// An Ed25519 signature of the body.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "ed25519 verification")]
pub struct Ed25519 {
    /// Header with the signature, in base64 or hexadecimal.
    #[schemars(example = &"X-Signature-Ed25519")]
    pub header: Spanned<String>,
    /// The sender's public key: its 32 bytes in base64 or hexadecimal, or PEM.
    pub key: TemplateText,
}

/// Starts at set times.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "schedule trigger")]
pub struct Schedule {
    /// The schedule.
    pub schedule: ScheduleText,
}

/// Set times: a cron expression of five fields in UTC, or a mapping of expression and time zone.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged, title = "schedule", example = &"0 9 * * MON-FRI")]
pub enum ScheduleText {
    /// A cron expression of five fields, in UTC.
    Cron(Spanned<String>),
    /// A cron expression and its time zone.
    Table(ScheduleTable),
}

impl<'de> Deserialize<'de> for ScheduleText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let node = Node::deserialize(deserializer)?;
        let read = match node.as_map() {
            Some(_) => read(&node).map(Self::Table),
            None => read(&node).map(Self::Cron),
        };
        read.map_err(serde::de::Error::custom)
    }
}

/// A cron expression and its time zone.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "schedule")]
pub struct ScheduleTable {
    /// A cron expression of five fields.
    #[schemars(example = &"0 9 * * MON-FRI")]
    pub cron: Spanned<String>,
    /// IANA name of its time zone. Default: UTC.
    #[schemars(example = &"Europe/London")]
    pub timezone: Option<Spanned<String>>,
}

/// Starts by `hob trigger`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "manual trigger")]
pub struct Manual {
    /// Always `{}`.
    pub manual: Nothing,
}

/// An empty mapping.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

impl JsonSchema for Nothing {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Nothing".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "title": "manual trigger", "additionalProperties": false })
    }
}
