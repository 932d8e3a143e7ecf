//! Identifies deliveries, so that a repeated one is recognised.

use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::body::Delivery;
use crate::catalog::path;
use crate::event::{DedupKey, EventId};
use crate::recipe::DeliveryId;
use crate::value::{id, short_id};

/// Headers that identify one delivery and keep their value when the sender retries it. From the documentation of
/// the senders: Standard Webhooks, Svix, GitHub, Gitea, Forgejo, Gogs, Shopify, Linear,
/// Twilio; and from the IETF draft for `Idempotency-Key`.
const DELIVERY_HEADERS: [&str; 11] = [
    "webhook-id",
    "svix-id",
    "idempotency-key",
    "x-github-delivery",
    "x-gitea-delivery",
    "x-forgejo-delivery",
    "x-gogs-delivery",
    "x-shopify-webhook-id",
    "linear-delivery",
    "i-twilio-idempotency-token",
    "x-event-id",
];

/// Headers whose value several deliveries may share: those caused by one request to the sender, or sent within one
/// second (WooCommerce). They are combined with a hash of the payload.
const SHARED: [&str; 3] = ["x-request-id", "x-request-uuid", "x-wc-webhook-delivery-id"];

/// Placeholders that senders write when they have no id.
const PLACEHOLDERS: [&str; 6] = ["null", "undefined", "none", "nil", "n/a", "-"];

/// The identity of a delivery.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Identity {
    pub(super) key: DedupKey,
    /// Time after which the key may stand for another event.
    pub(super) window: Option<Duration>,
    /// The id of the record that the payload is about, if the recipe reads one from the body.
    pub(super) record: Option<String>,
    /// The id that the recipe names and the delivery lacks.
    pub(super) missing: Option<String>,
}

impl Identity {
    /// The identity of a delivery with `payload`, found as `by` says.
    pub(super) fn find(delivery: &Delivery<'_>, payload: &Value, by: &DeliveryId, event: &EventId) -> Self {
        let plain = |key: DedupKey| Self { key, window: None, record: None, missing: None };
        let usual = || plain(by_sender(delivery, payload).unwrap_or_else(|| DedupKey(event.0.clone())));
        match by {
            DeliveryId::Sender => usual(),
            DeliveryId::Path(at) => match in_body(payload, at) {
                Some(id) => Self { record: Some(id.clone()), ..plain(DedupKey(id)) },
                None => Self { missing: Some(format!("nothing at `{at}`")), ..usual() },
            },
            DeliveryId::Header(name) => match value(delivery, name) {
                Some(id) => plain(DedupKey(format!("{}:{id}", name.to_ascii_lowercase()))),
                None => Self { missing: Some(format!("no header `{name}`")), ..usual() },
            },
            DeliveryId::Body(window) => {
                Self { window: Some(*window), ..plain(DedupKey(format!("body:{}", digest(payload)))) }
            }
        }
    }
}

fn in_body(payload: &Value, at: &str) -> Option<String> {
    id(&path::read(payload, at)?).filter(|id| !id.trim().is_empty())
}

fn by_sender(delivery: &Delivery<'_>, payload: &Value) -> Option<DedupKey> {
    let of = |name: &str| Some(format!("{name}:{}", value(delivery, name)?));
    let own = DELIVERY_HEADERS.iter().find_map(|name| of(name));
    let shared = || SHARED.iter().find_map(|name| Some(format!("{}:{}", of(name)?, digest(payload))));
    own.or_else(shared).map(DedupKey)
}

fn value(delivery: &Delivery<'_>, name: &str) -> Option<String> {
    let value = delivery.text(name)?;
    let is_placeholder = PLACEHOLDERS.iter().any(|placeholder| value.eq_ignore_ascii_case(placeholder));
    (!is_placeholder).then(|| short_id(value.to_owned()))
}

/// A hash of the payload instead of the bytes, because the boundaries of a multipart form differ each time.
fn digest(payload: &Value) -> String {
    hex::encode(Sha256::digest(payload.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Span, Spanned};
    use serde_json::json;

    fn key(headers: &[(&str, &str)], payload: Value, by: &DeliveryId) -> Identity {
        let header = |name: &str| {
            let found = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.as_bytes())
        };
        let delivery =
            Delivery { path: "in", header: &header, body: b"", largest: 0, received: Default::default() };
        Identity::find(&delivery, &payload, by, &EventId("evt_1".into()))
    }

    fn by_header(headers: &[(&str, &str)], n: u8) -> String {
        key(headers, json!({ "n": n }), &DeliveryId::Sender).key.0
    }

    #[test]
    fn a_senders_own_id_counts() {
        assert_eq!(by_header(&[("Webhook-Id", " msg_1 ")], 1), "webhook-id:msg_1");
        assert_eq!(by_header(&[("X-Event-Id", "e"), ("svix-id", "s")], 1), "svix-id:s");
        for none in ["", "  ", "null", "Undefined", "N/A"] {
            assert_eq!(by_header(&[("Idempotency-Key", none)], 1), "evt_1", "{none}");
        }
        assert_eq!(by_header(&[], 1), "evt_1");
        assert!(by_header(&[("webhook-id", &"x".repeat(5000))], 1).len() < 600);
    }

    #[test]
    fn ids_that_may_be_shared_count_with_the_body() {
        let headers = [("X-Request-ID", "r")];
        assert_eq!(by_header(&headers, 1), by_header(&headers, 1));
        assert_ne!(by_header(&headers, 1), by_header(&headers, 2));
    }

    #[test]
    fn as_the_recipe_says() {
        let text = |text: &str| Spanned::new(text.to_owned(), Span::default());
        let path = DeliveryId::Path(text("$.id"));
        let found = key(&[("webhook-id", "w")], json!({ "id": 5 }), &path);
        assert_eq!((found.key.0.as_str(), found.record.as_deref()), ("5", Some("5")));
        for payload in [json!({}), json!({ "id": " " }), json!({ "id": {} }), json!([1])] {
            let found = key(&[("webhook-id", "w")], payload, &path);
            assert_eq!(found.key.0, "webhook-id:w");
            assert_eq!(found.missing.as_deref(), Some("nothing at `$.id`"));
        }
        let found = key(&[("x-my-id", "m")], json!({}), &DeliveryId::Header(text("X-My-Id")));
        assert_eq!((found.key.0.as_str(), found.missing), ("x-my-id:m", None));
        let body = DeliveryId::Body(Duration::from_secs(600));
        let found = key(&[("webhook-id", "w")], json!({ "a": 1 }), &body);
        assert!(found.key.0.starts_with("body:") && found.window == Some(Duration::from_secs(600)));
    }
}
