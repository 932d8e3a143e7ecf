use hob::journal::{BaseValues, BaseWrite, Link, LinkBase, LinkWrite, Part, RecipeText, Record, WriteIntent};
use hob::run::RunId;
use serde_json::{Value, json};

use crate::fixture::StoreLocation;

fn link(name: &str, from: &str, to: &str) -> Link {
    Link { name: name.to_owned(), from: from.to_owned(), to: to.to_owned() }
}

pub async fn both_ends_lead_to_the_link(location: &StoreLocation) {
    let journal = location.open().await;
    let one = link("client-contact", "client-1", "contact-1");
    journal.save_link(&one).await.unwrap();
    journal.save_link(&one).await.unwrap();
    journal.save_link(&link("other", "client-1", "contact-2")).await.unwrap();
    let find = async |from, to| journal.find_link("client-contact", from, to).await.unwrap();
    assert_eq!(find(Some("client-1"), None).await, Some(one.clone()));
    assert_eq!(find(None, Some("contact-1")).await, Some(one.clone()));
    assert_eq!(find(Some("client-1"), Some("contact-1")).await, Some(one.clone()));
    assert_eq!(find(Some("client-1"), Some("contact-2")).await, None);
    assert_eq!(find(Some("contact-1"), None).await, None);
    assert_eq!(find(None, None).await, None);
    let of_client = journal.links_by_record("client-1").await.unwrap();
    assert_eq!(of_client, [one.clone(), link("other", "client-1", "contact-2")]);
    assert_eq!(journal.links_by_record("contact-2").await.unwrap().len(), 1);

    let delete = async |from, to| journal.delete_link("client-contact", from, to).await.unwrap();
    assert!(!delete(Some("client-1"), Some("contact-2")).await);
    assert!(delete(Some("client-1"), None).await);
    assert!(!delete(Some("client-1"), None).await);
    assert_eq!(journal.links_by_record("contact-1").await.unwrap(), []);
    journal.save_link(&one).await.unwrap();
    assert!(delete(None, Some("contact-1")).await);
    assert_eq!(find(Some("client-1"), None).await, None);
}

pub async fn a_record_has_one_link_of_a_name(location: &StoreLocation) {
    let journal = location.open().await;
    let save = async |link: Link| journal.save_link(&link).await.unwrap();
    for one in [link("n", "a", "1"), link("n", "b", "2"), link("n", "1", "a"), link("other", "a", "2")] {
        assert_eq!(save(one.clone()).await, LinkWrite::Saved);
        assert_eq!(save(one).await, LinkWrite::Saved);
    }
    let (first, second) = (link("n", "a", "1"), link("n", "b", "2"));
    for (asked, holders) in [
        (link("n", "a", "3"), vec![first.clone()]),
        (link("n", "c", "2"), vec![second.clone()]),
        (link("n", "a", "2"), vec![first.clone(), second.clone()]),
    ] {
        assert_eq!(save(asked.clone()).await, LinkWrite::Taken(holders.clone()));
        assert_eq!(journal.find_link("n", Some("a"), None).await.unwrap(), Some(first.clone()));
        assert_eq!(journal.find_link("n", None, Some("2")).await.unwrap(), Some(second.clone()));
    }
    // What was in the way is gone.
    journal.delete_link("n", None, Some("2")).await.unwrap();
    assert_eq!(save(link("n", "c", "2")).await, LinkWrite::Saved);
}

pub async fn a_link_can_replace_those_of_either_end(location: &StoreLocation) {
    let journal = location.open().await;
    let replace = async |link: Link| journal.replace_links(&link).await.unwrap();
    journal.save_link(&link("n", "a", "1")).await.unwrap();
    journal.save_link(&link("n", "b", "2")).await.unwrap();
    assert_eq!(replace(link("n", "a", "2")).await, [link("n", "a", "1"), link("n", "b", "2")]);
    assert_eq!(replace(link("n", "a", "2")).await, []);
    assert_eq!(journal.find_link("n", Some("a"), None).await.unwrap(), Some(link("n", "a", "2")));
    assert_eq!(journal.find_link("n", Some("b"), None).await.unwrap(), None);
    assert_eq!(journal.find_link("n", None, Some("1")).await.unwrap(), None);
}

/// What both ends have, as JSON.
fn values(from: Value, to: Value) -> BaseValues {
    serde_json::from_value(json!({ "from": from, "to": to })).unwrap()
}

/// A base whose records have these values.
fn settled(revision: u64, values: &BaseValues) -> LinkBase {
    LinkBase { revision, values: values.clone(), ..LinkBase::default() }
}

pub async fn a_link_keeps_what_both_records_had(location: &StoreLocation) {
    let journal = location.open().await;
    let pair = link("n", "a", "1");
    let base = async || journal.link_base("n", None, Some("1")).await.unwrap();
    let put = async |base: &LinkBase| journal.put_link_base(&pair, base).await.unwrap();
    let first = values(json!({ "name": "Ada", "phone": null }), json!({ "name": { "a\u{0}": [1.50] } }));
    assert_eq!((base().await, put(&settled(1, &first)).await), (None, BaseWrite::Unlinked));
    journal.save_link(&pair).await.unwrap();
    assert_eq!(base().await, Some(LinkBase::default()));
    assert_eq!(put(&settled(1, &first)).await, BaseWrite::Saved);
    assert_eq!(base().await, Some(settled(1, &first)));
    // Of two who know one revision, one is told of the other.
    let phone = values(json!({ "phone": "1" }), json!({ "phone": 1 }));
    assert_eq!(put(&settled(1, &phone)).await, BaseWrite::Outdated);
    assert_eq!(put(&settled(3, &phone)).await, BaseWrite::Outdated);
    assert_eq!(base().await, Some(settled(1, &first)));
    assert_eq!(put(&settled(2, &phone)).await, BaseWrite::Saved);
    assert_eq!(base().await, Some(settled(2, &phone)));
    assert_eq!(journal.link_base("n", Some("a"), None).await.unwrap(), base().await);
    // What is about to be written is kept with it.
    let intent = |n: u64| WriteIntent {
        run: RunId(format!("run_{n}")),
        values: values(json!({}), json!({ "name": format!("a\u{0}{n}") })),
    };
    let intended = settled(2, &phone).intended(intent(1)).intended(intent(2));
    assert_eq!(put(&intended).await, BaseWrite::Outdated, "two revisions on");
    let intended = settled(2, &phone).intended(intent(1));
    assert_eq!(put(&intended).await, BaseWrite::Saved);
    assert_eq!(base().await, Some(intended));
    // Saving the link again changes nothing, with another one in its place it is gone.
    journal.save_link(&pair).await.unwrap();
    assert_eq!(journal.replace_links(&pair).await.unwrap(), []);
    assert_eq!(base().await.unwrap().revision, 3);
    journal.replace_links(&link("n", "a", "2")).await.unwrap();
    assert_eq!(base().await, None);
    journal.replace_links(&pair).await.unwrap();
    assert_eq!(base().await, Some(LinkBase::default()));
    put(&settled(1, &phone)).await;
    journal.delete_link("n", Some("a"), None).await.unwrap();
    journal.save_link(&pair).await.unwrap();
    assert_eq!(base().await, Some(LinkBase::default()));
}

pub async fn of_many_who_settle_a_link_one_does(location: &StoreLocation) {
    let first = location.open().await;
    let other = if first.is_shared() { location.open().await } else { first.clone() };
    let pair = link("n", "a", "1");
    first.save_link(&pair).await.unwrap();
    for revision in 0..10 {
        let mut tasks = Vec::new();
        for n in 0..8 {
            let (journal, pair) = (if n % 2 == 0 { first.clone() } else { other.clone() }, pair.clone());
            let noted = values(json!({ format!("f{n}"): revision }), json!({}));
            let next = settled(revision + 1, &noted);
            tasks.push(tokio::spawn(async move { journal.put_link_base(&pair, &next).await.unwrap() }));
        }
        let mut saved = 0;
        for task in tasks {
            saved += usize::from(task.await.unwrap() == BaseWrite::Saved);
        }
        assert_eq!(saved, 1);
        assert_eq!(first.link_base("n", Some("a"), None).await.unwrap().unwrap().revision, revision + 1);
    }
}

/// Many who link the same few records at once, each on a connection of its own where the store can be shared.
pub async fn of_many_who_link_a_record_one_does(location: &StoreLocation) {
    let first = location.open().await;
    let mut journals = vec![first.clone()];
    if first.is_shared() {
        for _ in 0..3 {
            journals.push(location.open().await);
        }
    }
    let mut tasks = Vec::new();
    for n in 0..80_usize {
        let journal = journals[n % journals.len()].clone();
        let asked = link("n", &format!("f{}", n % 5), &format!("t{}", n % 7));
        tasks.push(tokio::spawn(async move { (journal.save_link(&asked).await.unwrap(), asked) }));
    }
    for task in tasks {
        let (write, asked) = task.await.unwrap();
        let stored = first.find_link("n", Some(&asked.from), Some(&asked.to)).await.unwrap();
        match write {
            LinkWrite::Saved => assert_eq!(stored, Some(asked)),
            LinkWrite::Taken(holders) => {
                assert_eq!(stored, None);
                assert!(holders.iter().all(|other| other.from == asked.from || other.to == asked.to));
            }
        }
    }
    let mut links = Vec::new();
    for from in 0..5 {
        links.extend(first.find_link("n", Some(&format!("f{from}")), None).await.unwrap());
    }
    let mut ends: Vec<&str> = links.iter().map(|link| link.to.as_str()).collect();
    ends.sort_unstable();
    ends.dedup();
    assert_eq!(ends.len(), links.len(), "{links:?}");
    assert_eq!(first.info().await.unwrap().links, links.len() as u64);
}

pub async fn what_is_imported_links_nothing_twice(location: &StoreLocation) {
    let journal = location.open().await;
    let record = |Link { name, from, to }: Link| Record::Link { name, from, to, base: LinkBase::default() };
    let known = [record(link("n", "a", "1")), record(link("n", "b", "2"))];
    journal.import(known.to_vec()).await.unwrap();
    journal.import(known.to_vec()).await.unwrap();
    for (wrong, holder) in [(link("n", "a", "3"), "1"), (link("n", "c", "2"), "b")] {
        let error =
            journal.import(vec![record(link("n", "d", "4")), record(wrong.clone())]).await.unwrap_err();
        let message = error.to_string();
        for named in [&wrong.from, &wrong.to, holder] {
            assert!(message.contains(&format!("`{named}`")), "{message}");
        }
        assert_eq!(journal.find_link("n", Some("d"), None).await.unwrap(), None, "all or nothing");
    }
    let twice = vec![record(link("m", "a", "1")), record(link("m", "b", "1"))];
    assert!(journal.import(twice).await.is_err());
    assert_eq!(journal.info().await.unwrap().links, 2);
}

pub async fn texts_of_recipes_are_kept(location: &StoreLocation) {
    let journal = location.open().await;
    let text = |version: &str, text: &str| RecipeText {
        name: "a".to_owned(),
        version: version.to_owned(),
        file: "recipes/a.yaml".to_owned(),
        text: text.to_owned(),
    };
    journal.save_recipe(&text("v1", "one")).await.unwrap();
    journal.save_recipe(&text("v2", "two")).await.unwrap();
    // An existing version is not replaced.
    journal.save_recipe(&text("v1", "one")).await.unwrap();
    assert_eq!(journal.recipe("a", "v1").await.unwrap(), Some(text("v1", "one")));
    assert_eq!(journal.recipe("a", "v3").await.unwrap(), None);
    assert_eq!(journal.recipe("b", "v1").await.unwrap(), None);
}

pub async fn values_are_remembered(location: &StoreLocation) {
    let journal = location.open().await;
    assert_eq!(journal.state("k").await.unwrap(), None);
    for value in [json!(null), json!({ "b": 1, "a": [0.1, "ü"] }), json!(18_446_744_073_709_551_615_u64)] {
        journal.put_state("k", &value).await.unwrap();
        assert_eq!(journal.state("k").await.unwrap(), Some(value));
    }
    assert_eq!(journal.state("K").await.unwrap(), None);
}

pub async fn markers_are_no_values(location: &StoreLocation) {
    let journal = location.open().await;
    assert_eq!(journal.marker("m").await.unwrap(), None);
    journal.set_marker("m", Some(&json!({ "from": "x\0" }))).await.unwrap();
    journal.set_marker("m", Some(&json!("there"))).await.unwrap();
    journal.put_state("m", &json!("here")).await.unwrap();
    assert_eq!(journal.marker("m").await.unwrap(), Some(json!("there")));
    assert_eq!(journal.state("m").await.unwrap(), Some(json!("here")));
    let page = journal.snapshot().await.unwrap().export(Part::Values, None, 9).await.unwrap();
    assert_eq!(page.records, [Record::Value { key: "m".to_owned(), value: json!("here") }]);
    journal.set_marker("m", None).await.unwrap();
    assert_eq!(journal.marker("m").await.unwrap(), None);
    assert_eq!(journal.state("m").await.unwrap(), Some(json!("here")));
}
