//! Webhooks that were lost are found by polling; received ones are not repeated.

use hob::catalog::Catalog;
use hob::event::{DedupKey, Event, EventId, Source};
use hob::journal::{Batch, NewRun};
use hob::run::RunId;
use hob::trigger::{Poller, Triggers};
use serde_json::json;

use crate::fixture::Fixture;
use crate::lists::{List, catalog};

fn with_events() -> Catalog {
    let mut catalog = catalog();
    let connector = "connector: app\ntitle: App\nabout: App.\nauth: []\nsettings: { place: { title: Place } }\n\
        webhooks: { type: $.type, id: $.webhookId, route: { place: [$.placeId] } }\n";
    let operations = "operations:\n  app.things: { title: t, summary: s, kinds: [poller], method: GET, path: /none, \
        effect: read, list: { items: ['$.data[*]'], id: [id], updated: updated, created: created } }\n";
    let events = "events:\n  ThingCreate: { title: t, types: [ThingCreate], id: [$.id], change: new, reconcile: app.things }\n  \
        ThingUpdate: { title: t, types: [ThingUpdate], id: [$.id], change: changed, reconcile: app.things }\n  \
        ThingDelete: { title: t, types: [ThingDelete], id: [$.id] }\n";
    let files = [("connector.yaml", connector), ("things.yaml", operations), ("events.yaml", events)];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
    catalog.add_folder("app", files.to_vec()).unwrap();
    catalog
}

#[tokio::test]
async fn finds_what_was_lost_and_nothing_else() {
    let list = List::of(0);
    let old = json!({ "id": "old", "created": "2026-11-01T00:00:00Z", "updated": "2026-11-01T00:00:00Z" });
    list.items.lock().unwrap().push(old);
    let fixture = Fixture::new(with_events(), &[("one", "app", &list.serve().await, &[("place", "P")])]);
    let recipe = fixture.recipe("trigger: { webhook: [app.ThingCreate, app.ThingUpdate], reconcile: 6h }");
    let triggers = Triggers::new(std::slice::from_ref(&recipe), fixture.context.clone()).unwrap();
    assert_eq!(Poller::all(&recipe, &fixture.context.services).unwrap().len(), 1, "one list finds both");
    assert_eq!(triggers.once().await.unwrap().events, 0);

    let made = "2026-11-23T11:59:58Z";
    let thing = |id: &str| json!({ "id": id, "created": made, "updated": made });
    list.items.lock().unwrap().extend([thing("came"), thing("lost")]);
    fixture.context.services.journal.append(came(recipe.name())).await.unwrap();
    assert_eq!(triggers.once().await.unwrap().events, 1);
    let (kind, record) = fixture.changes().await.pop().unwrap();
    assert_eq!((kind.as_str(), record.as_str()), ("ThingCreate", "lost"));
    let run = fixture.runs().await.pop().unwrap();
    let event = fixture.context.services.journal.run(&run.id).await.unwrap().unwrap().event;
    let body =
        json!({ "id": "lost", "created": made, "updated": made, "type": "ThingCreate", "placeId": "P" });
    assert_eq!(event.payload, body);
    assert_eq!(triggers.once().await.unwrap().events, 0);
}

#[tokio::test]
async fn a_new_record_that_was_changed_after_its_webhook_is_not_lost() {
    let list = List::of(0);
    let old = json!({ "id": "old", "created": "2026-11-01T00:00:00Z", "updated": "2026-11-01T00:00:00Z" });
    list.items.lock().unwrap().push(old);
    let fixture = Fixture::new(with_events(), &[("one", "app", &list.serve().await, &[("place", "P")])]);
    let recipe = fixture.recipe("trigger: { webhook: app.ThingCreate, reconcile: 6h }");
    let triggers = Triggers::new(std::slice::from_ref(&recipe), fixture.context.clone()).unwrap();
    assert_eq!(triggers.once().await.unwrap().events, 0);
    let (made, changed) = ("2026-11-23T11:59:58Z", "2026-11-23T12:30:00Z");
    let thing = |id: &str| json!({ "id": id, "created": made, "updated": changed });
    list.items.lock().unwrap().extend([thing("came"), thing("lost")]);
    fixture.context.services.journal.append(came(recipe.name())).await.unwrap();
    assert_eq!(triggers.once().await.unwrap().events, 1, "only the creation whose webhook was lost");
    assert_eq!(fixture.changes().await.pop().unwrap().1, "lost");
}

/// The received webhook of the record, with its run.
fn came(recipe: &str) -> Batch {
    let event = Event {
        id: EventId::new(),
        source: Source::Connector("app".into()),
        kind: "ThingCreate".into(),
        connection: Some("one".into()),
        record: Some("came".into()),
        dedup: DedupKey("w1".into()),
        received: "2026-11-23T12:00:00Z".parse().unwrap(),
        payload: json!({ "type": "ThingCreate", "id": "came" }),
    };
    let run = NewRun {
        id: RunId::new(),
        recipe: recipe.to_owned(),
        accounts: Default::default(),
        lane: "came".into(),
        coalesce: None,
    };
    Batch { events: vec![(event, vec![run])], progress: None }
}
