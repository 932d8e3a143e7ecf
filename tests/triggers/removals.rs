//! An answer that lacks too many known records makes no removed events, until they are shown again or a person accepts
//! that they were removed.

use std::sync::Arc;

use hob::journal::accept_removals;
use hob::trigger::{Polled, Poller};
use serde_json::{Value, json};

use crate::fixture::Fixture;
use crate::lists::{List, catalog};

struct Watched {
    list: Arc<List>,
    fixture: Fixture,
    trigger: String,
}

impl Watched {
    /// A list of `count` records, polled once.
    async fn new(style: &str, count: usize, fields: &str) -> Self {
        let list = List::of(count);
        let fixture = Fixture::new(catalog(), &[("one", "lists", &list.serve().await, &[])]);
        let trigger = format!("trigger: {{ poll: lists.{style}, emit: [new, changed, removed]{fields} }}");
        let watched = Self { list, fixture, trigger };
        watched.poll().await;
        watched
    }

    /// Polls in a new process.
    async fn poll(&self) -> Polled {
        let recipe = self.fixture.recipe(&self.trigger);
        let poller = Poller::all(&recipe, &self.fixture.context.services).unwrap().remove(0);
        let polled = poller.poll(&self.fixture.context).await.unwrap();
        assert_eq!((polled.error.clone(), polled.finished), (None, true));
        polled
    }

    fn replace(&self, items: Vec<Value>) -> Vec<Value> {
        std::mem::replace(&mut self.list.items.lock().unwrap(), items)
    }

    /// The records of removed events, sorted.
    async fn removed(&self) -> Vec<String> {
        let mut removed: Vec<String> = self
            .fixture
            .changes()
            .await
            .into_iter()
            .filter(|(kind, _)| kind == "removed")
            .map(|(_, id)| id)
            .collect();
        removed.sort();
        removed
    }

    async fn accept(&self, polled: &Polled) {
        let withheld = polled.withheld.as_ref().unwrap();
        accept_removals(self.fixture.context.services.journal.as_ref(), &polled.key, withheld).await.unwrap();
    }
}

fn missing(polled: &Polled) -> Option<(u64, u64)> {
    polled.withheld.as_ref().map(|withheld| (withheld.missing, withheld.known))
}

#[tokio::test]
async fn an_empty_or_cut_answer_removes_nothing_and_the_rest_goes_on() {
    for style in ["none", "offset", "flag", "item"] {
        let watched = Watched::new(style, 130, "").await;
        let all = watched.replace(vec![]);
        let polled = watched.poll().await;
        assert_eq!((missing(&polled), polled.events), (Some((130, 130)), 0), "{style}");
        let again = watched.poll().await.withheld.unwrap();
        assert_eq!(
            (again.missing, again.since),
            (130, polled.withheld.unwrap().since),
            "{style}: as before, since then"
        );

        let mut cut = all[..60].to_vec();
        cut[3]["name"] = json!("changed");
        cut.push(json!({ "id": "z" }));
        watched.replace(cut.clone());
        let polled = watched.poll().await;
        assert_eq!((missing(&polled), polled.events), (Some((70, 131)), 2), "{style}");
        let changes = [("changed".to_owned(), "c00003".to_owned()), ("new".to_owned(), "z".to_owned())];
        assert_eq!(watched.fixture.changes().await, changes, "{style}");

        cut.extend_from_slice(&all[60..129]);
        watched.replace(cut);
        let polled = watched.poll().await;
        assert_eq!((missing(&polled), polled.events), (None, 1), "{style}: all but one are back");
        assert_eq!(watched.removed().await, ["c00129"], "{style}");
    }
}

#[tokio::test]
async fn what_is_accepted_is_removed_once_and_a_later_loss_is_not() {
    let watched = Watched::new("offset", 1_300, "").await;
    let all = watched.replace(vec![]);
    watched.replace(all[700..].to_vec());
    let shown = watched.poll().await;
    assert_eq!(missing(&shown), Some((700, 1_300)));
    watched.accept(&shown).await;
    // Two are back before the next poll, and many more are gone.
    let back = all[..2].iter().chain(&all[1_200..]).cloned().collect();
    watched.replace(back);
    let polled = watched.poll().await;
    assert_eq!((polled.events, missing(&polled)), (698, Some((500, 602))));
    let accepted: Vec<String> = (2..700).map(|n| format!("c{n:05}")).collect();
    assert_eq!(watched.removed().await, accepted);
    assert_eq!(watched.poll().await.events, 0, "an acceptance applies once");

    let shown = watched.poll().await;
    watched.accept(&shown).await;
    let polled = watched.poll().await;
    assert_eq!((polled.events, missing(&polled)), (500, None));
    watched.replace(vec![]);
    assert_eq!(missing(&watched.poll().await), Some((102, 102)));
}

#[tokio::test]
async fn a_recipe_sets_its_limit() {
    for (fields, left, withheld) in [
        ("", 27, false),
        ("", 26, true),
        (", removed_limit: 50%", 16, false),
        (", removed_limit: 50%", 15, true),
        (", removed_limit: 20", 12, false),
        (", removed_limit: 20", 11, true),
        (", removed_limit: 32", 0, true),
        (", removed_limit: 100%", 0, false),
    ] {
        let watched = Watched::new("none", 32, fields).await;
        let all = watched.replace(vec![]);
        watched.replace(all[..left].to_vec());
        let polled = watched.poll().await;
        assert_eq!(
            (polled.withheld.is_some(), polled.events),
            (withheld, if withheld { 0 } else { 32 - left }),
            "{fields} {left}"
        );
    }
}

#[tokio::test]
async fn a_limit_that_is_raised_later_holds_for_what_is_withheld() {
    let mut watched = Watched::new("none", 20, "").await;
    watched.replace(vec![]);
    assert_eq!(missing(&watched.poll().await), Some((20, 20)));
    watched.trigger = watched.trigger.replace(" }", ", removed_limit: 100% }");
    assert_eq!(watched.poll().await.events, 20);
}

/// The lost webhooks of removed records are found by polling, with the same guard.
#[tokio::test]
async fn reconciling_has_the_same_guard() {
    let mut catalog = catalog();
    let connector = "connector: app\ntitle: App\nabout: App.\nauth: []\n\
        webhooks: { type: $.type, id: $.webhookId }\n";
    let operations = "operations:\n  app.things: { title: t, summary: s, kinds: [poller], method: GET, path: /none, \
        effect: read, list: { items: ['$.data[*]'], id: [id] } }\n";
    let events = "events:\n  ThingDelete: { title: t, types: [ThingDelete], id: [$.id], change: removed, reconcile: app.things }\n";
    let files = [("connector.yaml", connector), ("things.yaml", operations), ("events.yaml", events)];
    catalog.add_folder("app", files.map(|(path, text)| (path.to_owned(), text.to_owned())).to_vec()).unwrap();
    let list = List::of(40);
    let fixture = Fixture::new(catalog, &[("one", "app", &list.serve().await, &[])]);
    let trigger = "trigger: { webhook: [app.ThingDelete], reconcile: 6h }".to_owned();
    let watched = Watched { list, fixture, trigger };
    watched.poll().await;
    let all = watched.replace(vec![]);
    assert_eq!(missing(&watched.poll().await), Some((40, 40)));
    watched.replace(all[1..].to_vec());
    let polled = watched.poll().await;
    assert_eq!((polled.events, missing(&polled)), (1, None));
    assert_eq!(watched.fixture.changes().await, [("ThingDelete".to_owned(), "c00000".to_owned())]);
}
