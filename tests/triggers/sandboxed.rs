//! Lists of the catalog read from the stand-in, which pages as the real APIs do.

use std::sync::Arc;

use hob::catalog::Catalog;
use hob::connection::{ApiHeader, Credential};
use hob::sandbox::{Budget, Options, Sandbox};
use hob::secret::Secret;
use hob::trigger::Poller;
use serde_json::Value;

use crate::stage::Stage;

/// More than a page of every list, and no multiple of a page.
const RECORDS: usize = 1_030;

/// Connector, operation, collection: each style of paging that the built-in catalog has.
const LISTS: [(&str, &str, &str); 3] = [
    ("fitr", "fitr.clients.list", "clients"),
    ("highlevel", "contacts.list", "contacts"),
    ("highlevel", "contacts.search", "contacts"),
];

#[tokio::test]
async fn each_record_is_read_once() {
    let mut many = false;
    for (connector, operation, collection) in LISTS {
        let options = Options { records: Some(RECORDS), budget: Budget::Unlimited, ..Options::default() };
        let sandbox = Sandbox::new(Arc::new(Catalog::built_in()), options).unwrap();
        let Some(auth) = sandbox.credential(connector) else {
            eprintln!("SKIPPED: the stand-in has no records of {connector}");
            continue;
        };
        let running = sandbox.serve(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = running.base_url(connector);
        let settings = sandbox.settings(connector);
        let settings: Vec<(&str, &str)> =
            settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let account = ("one", connector, address.as_str(), &settings[..]);
        let stage = Stage::with_credential(Catalog::built_in(), &[account], credential(&auth));
        let recipe = stage.recipe(&format!("trigger: {{ poll: {operation}, start: all }}"));
        let poller = Poller::all(&recipe, &stage.around).unwrap().remove(0);
        let polled = poller.poll(&stage.around).await.unwrap();
        assert_eq!((polled.error, polled.finished), (None, true), "{operation}");
        let count = sandbox.counts(connector)[collection];
        assert!(count > 0, "{operation}");
        many |= count >= RECORDS;
        assert_eq!((polled.items, polled.runs), (count as u64, count), "{operation}");
        let mut records = stage.records().await;
        records.dedup();
        assert_eq!(records.len(), count, "{operation}: each once");
        let again = poller.poll(&stage.around).await.unwrap();
        assert_eq!((again.error, again.events), (None, 0), "{operation}");
    }
    if !many {
        eprintln!("SKIPPED: no collection of the stand-in is longer than a page");
    }
}

fn credential(auth: &Value) -> Credential {
    let text = |value: &Value| value.as_str().map(str::to_owned).unwrap_or_default();
    if auth["token"].is_string() {
        return Credential::Bearer(Secret::new(text(&auth["token"])));
    }
    let header = &auth["header"];
    Credential::Header(ApiHeader { name: text(&header["name"]), value: Secret::new(text(&header["value"])) })
}
