//! Links that templates find: looked up once for each step, and kept in the history.

use serde_json::json;

use super::{SteppedRun, again};
use crate::run::{Command, Entry, FoundLink, RunState, StepError, StepKey, StepResult};
use crate::template::{LinkEnd, LinkQuery};

/// The next command, which must look up links for `step`; answers each of them with `found`.
fn found(stepped: &mut SteppedRun, wanted: &str, asked: &[(&str, LinkEnd)], found: Option<&str>) {
    let Command::FindLinks { step, links } = stepped.decide() else { panic!("{:?}", stepped.history) };
    assert_eq!(step.to_string(), wanted);
    let expected =
        asked.iter().map(|(name, known)| LinkQuery { name: (*name).to_owned(), known: known.clone() });
    assert_eq!(links, expected.collect::<Vec<_>>());
    let answer = |query| FoundLink { query, found: found.map(str::to_owned) };
    stepped.record(Entry::LinksFound { step, links: links.into_iter().map(answer).collect() });
}

fn from(id: &str) -> LinkEnd {
    LinkEnd::From(id.to_owned())
}

fn to(id: &str) -> LinkEnd {
    LinkEnd::To(id.to_owned())
}

#[test]
fn a_step_sees_one_state_of_its_links_in_all_attempts() {
    let mut stepped = SteppedRun::new(
        "actions: [{ id: put, do: things.update, if: \"{{ links.find('c', event.id) is none }}\", \
         with: { id: \"{{ links.find('c', to=event.id) }}\" } }]\n",
        json!({ "id": 7 }),
    );
    found(&mut stepped, "put", &[("c", from("7"))], None);
    found(&mut stepped, "put", &[("c", to("7"))], Some("x"));
    let call = stepped.execute();
    assert_eq!(call.inputs["id"], json!("x"));
    // Killed after the intent: the same request, without another look.
    stepped.restart();
    let call = stepped.execute();
    assert_eq!(call.inputs["id"], json!("x"));
    stepped.answer(&call, again("503"));
    let Command::Sleep { until, .. } = stepped.decide() else { panic!() };
    stepped.now = until;
    stepped.restart();
    stepped.done("put", json!({ "id": "x" }), json!({}));
    assert!(matches!(stepped.decide(), Command::Finish { state: RunState::Succeeded, .. }));
}

#[test]
fn a_condition_that_does_not_hold_asks_for_nothing_more() {
    let mut stepped = SteppedRun::new(
        "actions: [{ id: put, do: things.update, if: \"{{ links.find('c', 1) }}\", \
         with: { id: \"{{ links.find('d', event.missing) }}\" } }]\n",
        json!({}),
    );
    found(&mut stepped, "put", &[("c", from("1"))], None);
    assert!(matches!(stepped.decide(), Command::Finish { state: RunState::Succeeded, .. }));
}

#[test]
fn conditions_variables_and_lists_find_links() {
    let mut stepped = SteppedRun::new(
        "when: \"{{ links.find('a', 1) }}\"\nvars: { twin: \"{{ links.find('b', links.find('a', 1)) }}\" }\nactions:\n\
         - { id: each, do: things.update, for_each: \"{{ [links.find('c', vars.twin), links.find('d', to='z')] }}\", \
         with: { id: \"{{ links.find('e', item) }}\" } }\n",
        json!({}),
    );
    found(&mut stepped, "(start)", &[("a", from("1"))], Some("one"));
    found(&mut stepped, "(start)", &[("b", from("one"))], Some("two"));
    stepped.restart();
    found(&mut stepped, "each", &[("c", from("two")), ("d", to("z"))], Some("m"));
    stepped.restart();
    for item in ["each[0]", "each[1]"] {
        found(&mut stepped, item, &[("e", from("m"))], Some(item));
        stepped.restart();
        stepped.done(item, json!({ "id": item }), json!({}));
    }
    assert!(matches!(stepped.decide(), Command::Finish { state: RunState::Succeeded, .. }));
}

#[test]
fn a_step_after_another_one_looks_again_and_so_does_a_retry_by_a_person() {
    let step = |id: &str| {
        format!(
            "- {{ id: {id}, do: things.update, with: {{ id: a, twin: \"{{{{ links.find('c', 1) }}}}\" }} }}\n"
        )
    };
    let mut stepped = SteppedRun::new(&format!("actions:\n{}{}", step("one"), step("two")), json!({}));
    found(&mut stepped, "one", &[("c", from("1"))], None);
    stepped.done("one", json!({ "id": "a", "twin": null }), json!({}));
    found(&mut stepped, "two", &[("c", from("1"))], None);
    let call = stepped.execute();
    stepped.answer(&call, StepResult::Refused(StepError::new("no twin")));
    assert!(matches!(stepped.decide(), Command::Finish { state: RunState::Failed, .. }));
    stepped.record(Entry::Resumed { from: StepKey::new("two") });
    stepped.restart();
    found(&mut stepped, "two", &[("c", from("1"))], Some("t"));
    stepped.done("two", json!({ "id": "a", "twin": "t" }), json!({}));
    assert!(matches!(stepped.decide(), Command::Finish { state: RunState::Succeeded, .. }));
}

#[test]
fn another_version_of_the_variables_finds_its_links() {
    let mut stepped =
        SteppedRun::new("vars: { a: 1 }\nactions: [{ do: wait, with: { for: 1h } }]\n", json!({}));
    assert!(matches!(stepped.decide(), Command::Sleep { .. }));
    stepped.recipe = crate::run::testing::recipe(
        "vars: { a: \"{{ links.find('c', 1) }}\" }\nactions: [{ do: wait, with: { for: 1h } }, \
         { id: put, do: things.update, with: { id: '{{ vars.a }}' } }]\n",
    );
    stepped.restart();
    found(&mut stepped, "(start)", &[("c", from("1"))], Some("x"));
    let Command::Sleep { until, .. } = stepped.decide() else { panic!("{:?}", stepped.history) };
    stepped.now = until;
    stepped.restart();
    stepped.done("put", json!({ "id": "x" }), json!({}));
}

#[test]
fn what_asks_without_end_fails() {
    let ask = "{{ links.find('c', now()) }}";
    for lines in [
        format!("actions: [{{ do: things.update, with: {{ id: \"{ask}\" }} }}]\n"),
        "actions: [{ do: things.update, for_each: \"{{ [links.find('c', now())] }}\", with: { id: a } }]\n"
            .to_owned(),
        format!("vars: {{ a: \"{ask}\" }}\nactions: [{{ do: stop }}]\n"),
    ] {
        let mut stepped = SteppedRun::new(&lines, json!({}));
        let reason = loop {
            match stepped.decide() {
                Command::FindLinks { step, links } => {
                    let answer = |query| FoundLink { query, found: None };
                    stepped
                        .record(Entry::LinksFound { step, links: links.into_iter().map(answer).collect() });
                    stepped.now += chrono::TimeDelta::seconds(1);
                    assert!(stepped.history.len() < 100);
                }
                Command::Finish { state: RunState::Failed, reason } => break reason.unwrap_or_default(),
                other => panic!("{other:?}"),
            }
        };
        assert!(reason.contains("yet another link"), "{reason}");
    }
}
