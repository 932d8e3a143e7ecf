use hob::journal::{Link, Part, RecipeText, Record};
use serde_json::json;

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
    assert_eq!(of_client, [one, link("other", "client-1", "contact-2")]);
    assert_eq!(journal.links_by_record("contact-2").await.unwrap().len(), 1);

    assert!(journal.delete_link("client-contact", "client-1").await.unwrap());
    assert!(!journal.delete_link("client-contact", "client-1").await.unwrap());
    assert_eq!(journal.links_by_record("contact-1").await.unwrap(), []);
}

pub async fn a_new_link_replaces_those_of_either_end(location: &StoreLocation) {
    let journal = location.open().await;
    journal.save_link(&link("n", "a", "1")).await.unwrap();
    journal.save_link(&link("n", "b", "2")).await.unwrap();
    journal.save_link(&link("n", "a", "2")).await.unwrap();
    assert_eq!(journal.find_link("n", Some("a"), None).await.unwrap(), Some(link("n", "a", "2")));
    assert_eq!(journal.find_link("n", Some("b"), None).await.unwrap(), None);
    assert_eq!(journal.find_link("n", None, Some("1")).await.unwrap(), None);
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
